"""`UserRoleClaim` and `PermissionClaim` in sessions, on every database."""

from __future__ import annotations

import itertools
import threading
from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.exceptions import ConfigError, GeneralError
from supertokens_py.recipe import multitenancy, session, userroles
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session import syncio as sessions_syncio
from supertokens_py.recipe.session.asyncio import (
    create_new_session_without_request_response,
    fetch_and_set_claim,
    get_session_information,
)
from supertokens_py.recipe.session.exceptions import InvalidClaimsError
from supertokens_py.recipe.userroles import PermissionClaim, UserRoleClaim
from supertokens_py.recipe.userroles import asyncio as roles
from supertokens_py.recipe.userroles import syncio as roles_syncio
from supertokens_py.recipe.userroles.interfaces import (
    GetPermissionsForRoleOkResult,
    GetRolesForUserOkResult,
    UnknownRoleError,
)
from supertokens_py.runtime import bridge
from tests.recipe.conftest import Start
from tests.support.clock import Clock
from tests.support.databases import TestDatabase


async def new_session(user_id: str = "ada", tenant_id: str = "public", **payload: Any) -> SessionContainer:
    return await create_new_session_without_request_response(tenant_id, user_id, payload)


async def test_a_new_session_holds_roles_and_permissions(
    start: Start, database: TestDatabase, clock: Clock
) -> None:
    """Permissions are the union over the roles, each once; both claims carry the time of the fetch."""
    start(session.init(), userroles.init(), uri=database.uri)
    await roles.create_new_role_or_add_permissions("editor", ["read", "write"])
    await roles.create_new_role_or_add_permissions("reader", ["read"])
    await roles.create_new_role_or_add_permissions("unused", ["fly"])
    await roles.add_role_to_user("public", "ada", "editor")
    await roles.add_role_to_user("public", "ada", "reader")
    created = await new_session(own=1)
    payload = created.get_access_token_payload()
    assert payload["own"] == 1
    assert payload["st-role"]["t"] == payload["st-perm"]["t"] == clock()
    assert sorted(payload["st-role"]["v"]) == ["editor", "reader"]
    assert sorted(payload["st-perm"]["v"]) == ["read", "write"]
    nobody = (await new_session("bob")).get_access_token_payload()
    assert nobody["st-role"] == {"v": [], "t": clock()}
    assert nobody["st-perm"] == {"v": [], "t": clock()}


@pytest.mark.parametrize(
    ("skips", "expected"),
    [
        ({}, ["st-perm", "st-role"]),
        ({"skip_adding_roles_to_access_token": True}, ["st-perm"]),
        ({"skip_adding_permissions_to_access_token": True}, ["st-role"]),
        ({"skip_adding_roles_to_access_token": True, "skip_adding_permissions_to_access_token": True}, []),
        ({"skip_adding_roles_to_access_token": False}, ["st-perm", "st-role"]),
    ],
)
async def test_each_claim_can_be_left_out(start: Start, skips: dict[str, bool], expected: list[str]) -> None:
    start(session.init(), userroles.init(**skips))
    payload = (await new_session()).get_access_token_payload()
    assert sorted(key for key in payload if key.startswith("st-")) == expected


@pytest.mark.parametrize("order", [0, 1])
async def test_the_order_of_the_recipe_list_does_not_matter(start: Start, order: int) -> None:
    recipes = [session.init(), userroles.init()]
    start(*(recipes if order else reversed(recipes)))
    assert "st-role" in (await new_session()).get_access_token_payload()


def test_without_sessions_init_refuses_unless_both_claims_are_left_out(start: Start) -> None:
    for skips in ({}, {"skip_adding_roles_to_access_token": True}):
        with pytest.raises(GeneralError, match=r"^recipe_list has no session\.init\(\)$"):
            start(userroles.init(**skips))
        assert Supertokens.current() is None
    start(
        userroles.init(skip_adding_roles_to_access_token=True, skip_adding_permissions_to_access_token=True)
    )
    assert roles_syncio.create_new_role_or_add_permissions("admin", []).created_new_role


async def test_claims_follow_the_tenant_of_the_session(start: Start, database: TestDatabase) -> None:
    """Roles are given per tenant; the claims hold those of the session's."""
    start(session.init(), userroles.init(), multitenancy.init(), uri=database.uri)
    await create_or_update_tenant("customer1", None)
    await roles.create_new_role_or_add_permissions("admin", ["all"])
    await roles.add_role_to_user("customer1", "ada", "admin")
    there = (await new_session(tenant_id="customer1")).get_access_token_payload()
    here = (await new_session()).get_access_token_payload()
    assert (there["tId"], there["st-role"]["v"], there["st-perm"]["v"]) == ("customer1", ["admin"], ["all"])
    assert (here["tId"], here["st-role"]["v"], here["st-perm"]["v"]) == ("public", [], [])


@pytest.mark.parametrize(
    ("claim", "value"), [(UserRoleClaim, "admin"), (PermissionClaim, "all")], ids=["role", "permission"]
)
@pytest.mark.parametrize(
    ("arguments", "max_age_s"),
    [({}, 300), ({"default_max_age_in_sec": 60}, 60), ({"default_max_age_in_sec": 0}, 0)],
    ids=["default", "60", "0"],
)
async def test_a_removed_role_ends_within_the_bound(
    start: Start,
    database: TestDatabase,
    clock: Clock,
    claim: Any,
    value: str,
    arguments: dict[str, Any],
    max_age_s: int,
) -> None:
    """FP-102: a validator without an age, made before `init`: removing the role is enough."""
    validator = claim.validators.includes(value)
    start(session.init(), userroles.init(**arguments), uri=database.uri)
    await roles.create_new_role_or_add_permissions("admin", ["all"])
    await roles.add_role_to_user("public", "ada", "admin")
    created = await new_session()
    clock.advance(s=max_age_s)
    await roles.remove_user_role("public", "ada", "admin")
    await roles.delete_role("admin")
    await created.assert_claims([validator])
    clock.advance(ms=1)
    wrong = {"message": "wrong value", "expectedToInclude": value, "actualValue": []}
    with pytest.raises(InvalidClaimsError) as refused:
        await created.assert_claims([validator])
    assert [error.to_json() for error in refused.value.payload] == [{"id": claim.key, "reason": wrong}]
    assert await created.get_claim_value(claim) == []


async def test_a_role_given_later_is_seen_within_the_bound(
    start: Start, database: TestDatabase, clock: Clock
) -> None:
    """As the removed one; an age given to a validator beats the setting, in both directions."""
    start(session.init(), userroles.init(), uri=database.uri)
    await roles.create_new_role_or_add_permissions("admin", ["all"])
    created = await new_session()
    await roles.add_role_to_user("public", "ada", "admin")
    admin = UserRoleClaim.validators.includes
    clock.advance(s=300)
    for validator in (admin("admin"), admin("admin", max_age_in_seconds=3600)):
        with pytest.raises(InvalidClaimsError):
            await created.assert_claims([validator])
    await created.assert_claims([admin("admin", max_age_in_seconds=10)])
    assert await created.get_claim_value(UserRoleClaim) == ["admin"]
    assert await created.get_claim_value(PermissionClaim) == []
    await created.fetch_and_set_claim(PermissionClaim)
    assert await created.get_claim_value(PermissionClaim) == ["all"]


async def test_roles_that_never_age(start: Start, clock: Clock) -> None:
    """`default_max_age_in_sec=None`: fetched again only where a validator names an age."""
    start(session.init(), userroles.init(default_max_age_in_sec=None))
    await roles.create_new_role_or_add_permissions("admin", ["all"])
    await roles.add_role_to_user("public", "ada", "admin")
    created = await new_session()
    await roles.remove_user_role("public", "ada", "admin")
    clock.advance(days=3)
    await created.assert_claims([UserRoleClaim.validators.includes("admin")])
    with pytest.raises(InvalidClaimsError):
        await created.assert_claims([UserRoleClaim.validators.includes("admin", 300)])


@pytest.mark.parametrize("age", [-1, 1.5, True, "300"])
def test_an_age_that_is_none(age: Any) -> None:
    """Refused where it is written."""
    with pytest.raises(ConfigError, match="default_max_age_in_sec"):
        userroles.init(default_max_age_in_sec=age)


async def test_roles_without_the_recipe(start: Start, clock: Clock) -> None:
    """A role put into a payload by hand ages as well; the fetch then says what is missing."""
    start(session.init())
    payload = UserRoleClaim.add_to_payload_({}, ["admin"])
    created = await create_new_session_without_request_response("public", "ada", payload)
    await created.assert_claims([UserRoleClaim.validators.includes("admin")])
    clock.advance(s=301)
    with pytest.raises(GeneralError, match=r"userroles\.init"):
        await created.assert_claims([UserRoleClaim.validators.includes("admin")])


async def test_a_claim_can_be_fetched_by_handle(start: Start) -> None:
    start(session.init(), userroles.init())
    created = await new_session()
    await roles.create_new_role_or_add_permissions("admin", ["all"])
    await roles.add_role_to_user("public", "ada", "admin")
    assert await fetch_and_set_claim(created.get_handle(), UserRoleClaim)
    stored = await get_session_information(created.get_handle())
    assert stored is not None
    claims = stored.custom_claims_in_access_token_payload
    assert (claims["st-role"]["v"], claims["st-perm"]["v"]) == (["admin"], [])


async def test_the_claims_ask_the_replaced_functions(start: Start) -> None:
    """An override of the lookups is what new sessions hold; it also gets the caller's user context."""
    contexts: list[dict[str, Any]] = []

    def functions(original: Any) -> Any:
        async def of_user(user_id: str, tenant_id: str, user_context: dict[str, Any]) -> Any:
            contexts.append(user_context)
            return GetRolesForUserOkResult(["x", "gone", "y"])

        def permissions(role: str, user_context: dict[str, Any]) -> Any:
            if role == "gone":
                return UnknownRoleError()
            return GetPermissionsForRoleOkResult([f"{role}1", "both"])

        original.get_roles_for_user = of_user
        original.get_permissions_for_role = permissions
        return original

    start(session.init(), userroles.init(override=userroles.UserRolesOverrideConfig(functions=functions)))
    context = {"mine": 1}
    created = await create_new_session_without_request_response("public", "ada", user_context=context)
    payload = created.get_access_token_payload()
    assert payload["st-role"]["v"] == ["x", "gone", "y"]
    assert payload["st-perm"]["v"] == ["x1", "both", "y1"]
    assert [known is context for known in contexts] == [True, True]


@pytest.mark.parametrize(
    ("make", "passes"),
    [
        (lambda v: v.includes("a"), True),
        (lambda v: v.includes("z"), False),
        (lambda v: v.excludes("z"), True),
        (lambda v: v.excludes("a"), False),
        (lambda v: v.includes_all(["a", "b"]), True),
        (lambda v: v.includes_all(["a", "z"]), False),
        (lambda v: v.includes_any(["z", "b"]), True),
        (lambda v: v.includes_any(["z"]), False),
        (lambda v: v.excludes_all(["y", "z"]), True),
        (lambda v: v.excludes_all(["z", "a"]), False),
    ],
    ids=itertools.count(),
)
async def test_every_validator_judges_the_roles(start: Start, make: Any, passes: bool) -> None:
    start(session.init(), userroles.init())
    for role in ("a", "b"):
        await roles.create_new_role_or_add_permissions(role, [role])
        await roles.add_role_to_user("public", "ada", role)
    created = await new_session()
    for claim in (UserRoleClaim, PermissionClaim):
        if passes:
            await created.assert_claims([make(claim.validators)])
        else:
            with pytest.raises(InvalidClaimsError):
                await created.assert_claims([make(claim.validators)])


def test_blocking_callers_need_no_event_loop(start: Start) -> None:
    """The claims' values are fetched by our own code, so a thread that creates sessions never gets a loop."""
    start(session.init(), userroles.init())
    outcome: dict[str, Any] = {}

    def work() -> None:
        made = sessions_syncio.create_new_session_without_request_response("public", "ada")
        outcome["roles"] = made.sync_get_claim_value(UserRoleClaim)
        outcome["loop"] = hasattr(bridge._local, "owned")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert outcome == {"roles": [], "loop": False}
