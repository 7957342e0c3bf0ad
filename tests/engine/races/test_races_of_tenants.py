"""What is done in a tenant that another process deletes, or changes, at that moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from supertokens_py.engine.code_records import NewCode
from supertokens_py.engine.records import Tenant, UnknownTenantError
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase
from tests.support.interleaving import meanwhile

pytestmark = pytest.mark.postgres

HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
OPEN: dict[str, Any] = {"first_factors": ["emailpassword"], "core_config": {"ip_deny_regex": "10.*"}}


def configs_without_tenant(stored: TestDatabase) -> list[Any]:
    return stored.query(
        "SELECT tenant_id FROM tenant_configs WHERE tenant_id NOT IN (SELECT tenant_id FROM tenants)"
    )


def test_a_tenant_that_is_deleted_while_it_is_changed_is_a_new_one(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """18.1: it has no first factors, and nothing of what it was."""
    core.tenants.put("t1", OPEN)
    with meanwhile(core.database, "INSERT INTO tenants", lambda: other.tenants.delete("t1"), stored=stored):
        assert core.tenants.put("t1", {"email_password_enabled": False}) is True
    assert configs_without_tenant(stored) == []
    assert core.tenants.find("t1") == Tenant(tenant_id="t1", first_factors=[], email_password_enabled=False)


def test_a_tenant_that_is_made_anew_while_it_is_changed(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """What changes it sees the new one, whose settings it has not read yet."""
    core.tenants.put("t1", OPEN)

    def replace() -> None:
        other.tenants.delete("t1")
        other.tenants.put("t1", {})

    with meanwhile(core.database, "INSERT INTO tenants", replace, stored=stored):
        assert core.tenants.put("t1", {"email_password_enabled": False}) is False
    assert core.tenants.find("t1") == Tenant(tenant_id="t1", first_factors=[], email_password_enabled=False)


def test_settings_that_a_core_s_tenant_gets_while_it_is_deleted_go_with_it(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """A tenant without settings of its own gets them in a row that no foreign key deletes."""
    stored.query("INSERT INTO tenants (app_id, tenant_id, created_at_time) VALUES ('public', 't1', 1)")
    deleted = meanwhile(
        core.database, "INSERT INTO tenant_configs", lambda: other.tenants.delete("t1"), stored=stored
    )
    with deleted as gone:
        assert core.tenants.put("t1", OPEN) is False
    assert gone.result() is True
    assert core.tenants.find("t1") is None
    assert configs_without_tenant(stored) == []


IN_TENANT: dict[str, tuple[str, Callable[[Driver, str], Any]]] = {
    "roles": ("INSERT INTO user_roles", lambda core, user: core.roles.assign(user, "admin", tenant_id="t1")),
    "verification": (
        "INSERT INTO emailverification_tokens",
        lambda core, user: core.email_verification.create_token("t1", user, "bob@example.com"),
    ),
    "code": (
        "INSERT INTO passwordless_devices",
        lambda core, user: core.passwordless.create_code(
            "t1", NewCode(email="bob@example.com", phone_number=None, device_id=None, user_input_code=None)
        ),
    ),
    "sign-up": (
        "INSERT INTO app_id_to_user_id",
        lambda core, user: core.email_password.sign_up("t1", "bob@example.com", "correct horse 1"),
    ),
    "third party": (
        "INSERT INTO app_id_to_user_id",
        lambda core, user: core.third_party.sign_in_up(
            "t1", "google", "1", email="bob@example.com", is_verified=True
        ),
    ),
    "hash": (
        "INSERT INTO app_id_to_user_id",
        lambda core, user: core.hash_import.put("t1", "bob@example.com", HASH),
    ),
    "member": ("INSERT INTO all_auth_recipe_users", lambda core, user: core.users.associate("t1", user)),
    "provider": (
        "FOR UPDATE",
        lambda core, user: core.tenants.put_provider("t1", {"thirdPartyId": "google"}, skip_validation=True),
    ),
}


@pytest.mark.parametrize("kind", IN_TENANT)
def test_what_is_written_in_a_tenant_that_is_deleted_names_it(
    stored: TestDatabase, core: Driver, other: Driver, kind: str
) -> None:
    """Each has seen the tenant, or does not look, and writes a row of it: the tenant is unknown."""
    user = core.email_password.sign_up("public", "ada@example.com", "correct horse 1").id
    core.roles.add("admin", [])
    core.tenants.put("t1", {})
    words, work = IN_TENANT[kind]
    delete = meanwhile(core.database, words, lambda: other.tenants.delete("t1"), stored=stored, when="before")
    with delete, pytest.raises(UnknownTenantError):
        work(core, user)


FIRST: dict[str, Callable[[Driver], Any]] = {
    "third party": lambda core: (
        core.third_party.sign_in_up(
            "public", "google", "1", email="bob@example.com", is_verified=True
        ).created
    ),
    "hash": lambda core: not core.hash_import.put("public", "bob@example.com", HASH).existed,
}


@pytest.mark.parametrize("kind", FIRST)
def test_who_loses_twice_against_others_does_not_fail(
    stored: TestDatabase, core: Driver, other: Driver, kind: str
) -> None:
    """Before each of two attempts another makes the user, who is removed again before the second."""
    made: list[bool] = []

    def make(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "INSERT INTO app_id_to_user_id" in statement and len(made) < 2:
            made.append(FIRST[kind](other))

    def remove(_connection: object) -> None:
        if len(made) == 1:
            stored.query("DELETE FROM app_id_to_user_id")

    event.listen(core.database.pool, "before_cursor_execute", make)
    event.listen(core.database.pool, "rollback", remove)
    assert FIRST[kind](core) is False
    assert made == [True, True]
