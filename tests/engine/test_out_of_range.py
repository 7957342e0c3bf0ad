"""Values that one kind of database, or Python, cannot take: every database gives the same answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.engine.code_records import NewCode
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import UserPage, UserQuery
from supertokens_py.exceptions import BadInputError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1, "keeps_users": True}
EMAIL = "ada@example.com"
HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"


@pytest.fixture
def core(users_database: TestDatabase, start: Opener) -> Driver:
    return start(users_database.uri, **QUICK)


def signed_up(core: Driver, tenant_id: str = "public") -> str:
    return core.email_password.sign_up(tenant_id, EMAIL, "correct horse 1").id


# -- tenants -----------------------------------------------------------------------------------------------

NAMES_TENANT: dict[str, Callable[[Driver, str, str], Any]] = {
    "sign-up": lambda core, tenant, user: core.email_password.sign_up(tenant, "bob@example.com", "x" * 9),
    "third party": lambda core, tenant, user: core.third_party.sign_in_up(
        tenant, "google", "1", email=EMAIL, is_verified=True
    ),
    "hash": lambda core, tenant, user: core.hash_import.put(tenant, "bob@example.com", HASH),
    "member": lambda core, tenant, user: core.users.associate(tenant, user),
    "code": lambda core, tenant, user: core.passwordless.create_code(
        tenant, NewCode(email=EMAIL, phone_number=None, device_id=None, user_input_code=None)
    ),
    "verification": lambda core, tenant, user: core.email_verification.create_token(tenant, user, EMAIL),
    "reset": lambda core, tenant, user: core.email_password.create_reset_token(tenant, user, None),
    "role": lambda core, tenant, user: core.roles.assign(user, "admin", tenant_id=tenant),
    "session": lambda core, tenant, user: core.create(user, tenant_id=tenant),
    "provider": lambda core, tenant, user: core.tenants.put_provider(
        tenant, {"thirdPartyId": "google"}, skip_validation=True
    ),
}


@pytest.mark.parametrize("kind", NAMES_TENANT)
def test_a_tenant_whose_id_no_tenant_can_have_is_unknown(core: Driver, kind: str) -> None:
    """Also where the id is longer than the columns of it are."""
    core.roles.add("admin", [])
    user = signed_up(core)
    for tenant in ("t" * 64, "t" * 65, "t" * 10_000):
        with pytest.raises(UnknownTenantError):
            NAMES_TENANT[kind](core, tenant, user)


LIFETIMES = (
    "password_reset_token_lifetime",
    "email_verification_token_lifetime",
    "passwordless_code_lifetime",
)


@pytest.mark.parametrize(
    ("name", "most"),
    [*((name, 10**12) for name in LIFETIMES), *[("passwordless_max_code_input_attempts", 100)]],
)
def test_a_number_of_a_tenant_has_the_bounds_of_the_process_s(core: Driver, name: str, most: int) -> None:
    """18.1: and at the greatest one everything works."""
    message = f"^Invalid core config: '{name}' must be a whole number from 1 to {most}$"
    for number in (0, -1, most + 1, 2**63, 10**30, 10**400, 1.5, "1", True, [1]):
        with pytest.raises(BadInputError, match=message):
            core.tenants.put("t1", {"core_config": {name: number}})
    assert core.tenants.find("t1") is None
    core.tenants.put("t1", {"core_config": {name: most}})
    user = signed_up(core, "t1")
    assert core.email_password.create_reset_token("t1", user, None)
    assert core.email_verification.create_token("t1", user, EMAIL)
    new = NewCode(email=EMAIL, phone_number=None, device_id=None, user_input_code=None)
    assert core.passwordless.create_code("t1", new).link_code


@pytest.mark.parametrize("name", ["ip_allow_regex", "ip_deny_regex"])
@pytest.mark.parametrize("pattern", ["(", "a{4294967296}", "(" * 3000 + ")" * 3000], ids=["(", "{", "(("])
def test_what_python_takes_for_no_pattern_is_refused(
    core: Driver, name: str, pattern: str, no_collection: None
) -> None:
    """Whatever it raises for it."""
    message = f"^Invalid core config: '{name}' must be a regular expression$"
    with pytest.raises(BadInputError, match=message):
        core.tenants.put("t1", {"core_config": {name: pattern}})
    assert core.tenants.find("t1") is None


# -- users and roles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["\0", "ada\0", "\ud800"])
@pytest.mark.parametrize("field", ["email", "phone_number", "provider"])
def test_a_search_for_what_nobody_can_have_finds_nobody(core: Driver, field: str, text: str) -> None:
    signed_up(core)
    asked: dict[str, Any] = {"limit": 5, field: text}
    assert core.users.page("public", UserQuery(**asked)) == UserPage([], None)


def test_any_number_of_permissions_is_removed_at_once(core: Driver) -> None:
    """PostgreSQL takes 65,535 parameters of a statement."""
    names = [str(number) for number in range(70_000)]
    core.roles.add("admin", [names[0], "read", names[-1]])
    assert core.roles.remove_permissions("admin", names) is True
    assert core.roles.permissions("admin") == ["read"]
    assert core.roles.remove_permissions("none", names) is None
