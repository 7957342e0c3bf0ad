"""Tenants, on every database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from supertokens_py.engine.records import Tenant
from supertokens_py.exceptions import BadInputError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

PUBLIC = Tenant(tenant_id="public")


def test_the_public_tenant_is_always_there(core: Driver):
    """18: with everything enabled."""
    assert core.tenants.all() == [PUBLIC]
    assert core.tenants.find("public") == core.tenants.find(" PUBLIC ") == core.tenants.find("") == PUBLIC
    assert core.tenants.put("public", {}) is False
    assert core.tenants.all() == [PUBLIC]


def test_a_new_tenant_has_no_first_factors(core: Driver):
    """CS-85: created once; nobody can log in until the factors are set."""
    assert core.tenants.put("t1", {}) is True
    assert core.tenants.put("t1", {}) is False
    assert core.tenants.find("t1") == Tenant(tenant_id="t1", first_factors=[])
    assert core.tenants.all() == [PUBLIC, Tenant(tenant_id="t1", first_factors=[])]


def test_only_given_fields_change(core: Driver):
    """18.1: update what is present; factors may be a list, empty, or null for all."""
    core.tenants.put(
        "t1", {"first_factors": ["emailpassword", "otp-email"], "required_secondary_factors": ["totp"]}
    )
    core.tenants.put("t1", {"core_config": {"ip_deny_regex": "10.*"}})
    assert core.tenants.find("t1") == Tenant(
        tenant_id="t1",
        core_config={"ip_deny_regex": "10.*"},
        first_factors=["emailpassword", "otp-email"],
        required_secondary_factors=["totp"],
    )
    core.tenants.put(
        "t1",
        {
            "first_factors": None,
            "required_secondary_factors": [],
            "core_config": {"ip_deny_regex": None},
        },
    )
    assert core.tenants.find("t1") == Tenant(tenant_id="t1")
    core.tenants.put("t1", {"first_factors": []})
    assert core.tenants.find("t1") == Tenant(tenant_id="t1", first_factors=[])
    core.tenants.put("public", {"first_factors": ["custom"]})
    assert core.tenants.find("public") == Tenant(tenant_id="public", first_factors=["custom"])


def test_the_recipe_switches_change_alone_too(core: Driver):
    """18.2: the three switches of the first interface are kept beside the factors."""
    core.tenants.put("t1", {"first_factors": ["otp-email"]})
    core.tenants.put("t1", {"passwordless_enabled": False})
    expected = Tenant(tenant_id="t1", first_factors=["otp-email"], passwordless_enabled=False)
    assert core.tenants.find("t1") == expected
    core.tenants.put("t1", {"passwordless_enabled": True})
    assert core.tenants.find("t1") == Tenant(tenant_id="t1", first_factors=["otp-email"])


def test_core_config_is_merged(core: Driver):
    """18.1: key by key, null removes; what belongs to the app or the process is refused."""
    core.tenants.put("t1", {"core_config": {"ip_allow_regex": "a", "password_reset_token_lifetime": 5}})
    core.tenants.put("t1", {"core_config": {"ip_allow_regex": None, "ip_deny_regex": "b"}})
    expected = {"password_reset_token_lifetime": 5, "ip_deny_regex": "b"}
    assert core.tenants.find("t1").core_config == expected
    for name in ("nonsense", "access_token_validity", "port"):
        with pytest.raises(BadInputError, match=f"Invalid core config: {name}"):
            core.tenants.put("t1", {"core_config": {name: 1}})
    with pytest.raises(BadInputError, match="Cannot modify base config"):
        core.tenants.put("public", {"core_config": {"ip_deny_regex": "b"}})
    assert core.tenants.put("public", {"core_config": {}}) is False
    assert core.tenants.find("t1").core_config == expected


@pytest.mark.parametrize(
    "tenant_id", ["recipe", "config", "users", "hello", "appid-x", "a_b", "a b", "ü", "x" * 65, 5]
)
def test_bad_ids_are_refused(core: Driver, tenant_id: Any):
    """CS-86."""
    with pytest.raises(BadInputError, match="tenant"):
        core.tenants.put(tenant_id, {})
    assert core.tenants.all() == [PUBLIC]


def test_ids_are_lower_case(core: Driver):
    """CS-86: `Abc` becomes `abc`."""
    core.tenants.put(" Abc ", {})
    assert core.tenants.find("abc").tenant_id == core.tenants.find("ABC").tenant_id == "abc"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"first_factors": ["a", "a"]}, "more than once"),
        ({"first_factors": ["a b"]}, "invalid factor"),
        ({"first_factors": [5]}, "invalid factor"),
        ({"first_factors": "emailpassword"}, "list of strings"),
        ({"required_secondary_factors": {"a": 1}}, "list of strings"),
        ({"email_password_enabled": 1}, "boolean"),
        ({"core_config": []}, "core_config must be a JSON object"),
        ({"nonsense": 1}, "no field 'nonsense'"),
        ({"tenant_id": "x"}, "no field 'tenant_id'"),
    ],
)
def test_bad_changes_are_refused(core: Driver, changes: dict[str, Any], message: str):
    """18.1: and no tenant is created."""
    with pytest.raises(BadInputError, match=message):
        core.tenants.put("t1", changes)
    assert core.tenants.all() == [PUBLIC]


def test_a_deleted_tenant_takes_its_sessions_and_roles_along(core: Driver):
    """CS-87, CS-88: the public one cannot go; an unknown one did not exist."""
    core.tenants.put("t1", {"first_factors": ["totp"]})
    core.roles.add("admin", [])
    core.roles.assign("u", "admin", tenant_id="t1")
    gone, stays = core.create("u", tenant_id="t1"), core.create("u")
    with pytest.raises(BadInputError, match="public"):
        core.tenants.delete("Public")
    assert core.tenants.delete("T1") is True
    assert core.tenants.delete("t1") is False
    assert core.sessions.information(gone.handle) is None
    assert core.refresh(gone).message == "Session does not exist."
    assert core.sessions.user_handles("u", tenant_id=None) == [stays.handle]
    core.tenants.put("t1", {})
    assert core.roles.of_user("u", tenant_id="t1") == []
    assert core.tenants.find("t1") == Tenant(tenant_id="t1", first_factors=[])


def test_an_unknown_tenant_is_nothing(core: Driver):
    """CS-89."""
    assert core.tenants.find("none") is None


def test_a_question_about_one_tenant_reads_no_other(fresh_shared: TestDatabase, start: Opener):
    """Anybody may ask about any tenant: that must cost the same whatever the number of tenants is."""
    core = start(fresh_shared.uri)
    for number in range(3):
        core.tenants.put(f"t{number}", {"first_factors": ["x"], "required_secondary_factors": ["y"]})
    rows: list[int] = []
    pool = core.database.pool

    @event.listens_for(pool, "after_execute")
    def count(connection: Any, statement: Any, *rest: Any) -> None:
        rows.append(str(statement).count("tenant_id = "))

    assert core.tenants.find("nobody") is None
    assert rows == [2]  # one statement, that says whether there are settings
    assert core.tenants.find("x" * 10_000) is None
    assert rows == [2, 2]
    assert core.tenants.find("public").first_factors is None
    assert rows == [2, 2, 2]
    del rows[:]
    found = core.tenants.find("T1 ")
    assert (found.tenant_id, list(found.first_factors)) == ("t1", ["x"])
    assert list(found.required_secondary_factors) == ["y"]
    assert rows == [2, 1, 1, 1]
