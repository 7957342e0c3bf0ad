"""The functions of the user roles recipe, on every database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from supertokens_py import RecipeUserId, Supertokens
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.exceptions import BadInputError, ConfigError, GeneralError
from supertokens_py.recipe import multitenancy, session, userroles
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.userroles import asyncio as roles
from supertokens_py.recipe.userroles import syncio
from supertokens_py.recipe.userroles.interfaces import (
    AddRoleToUserOkResult,
    CreateNewRoleOrAddPermissionsOkResult,
    DeleteRoleOkResult,
    GetAllRolesOkResult,
    GetPermissionsForRoleOkResult,
    GetRolesForUserOkResult,
    GetRolesThatHavePermissionOkResult,
    GetUsersThatHaveRoleOkResult,
    RecipeInterface,
    RemovePermissionsFromRoleOkResult,
    RemoveUserRoleOkResult,
    UnknownRoleError,
)
from tests.recipe.conftest import Start
from tests.support.databases import TestDatabase


async def test_roles_and_their_permissions(start: Start, database: TestDatabase) -> None:
    """Create, extend, list, shrink and delete."""
    start(session.init(), userroles.init(), uri=database.uri)
    assert await roles.get_all_roles() == GetAllRolesOkResult([])
    created = await roles.create_new_role_or_add_permissions("editor", ["read", "write"])
    assert created == CreateNewRoleOrAddPermissionsOkResult(created_new_role=True)
    created = await roles.create_new_role_or_add_permissions("editor", ["publish", "read"])
    assert created == CreateNewRoleOrAddPermissionsOkResult(created_new_role=False)
    await roles.create_new_role_or_add_permissions("reader", ["read"])
    await roles.create_new_role_or_add_permissions("nobody", [])

    assert sorted((await roles.get_all_roles()).roles) == ["editor", "nobody", "reader"]
    found = await roles.get_permissions_for_role("editor")
    assert isinstance(found, GetPermissionsForRoleOkResult)
    assert sorted(found.permissions) == ["publish", "read", "write"]
    assert await roles.get_permissions_for_role("nobody") == GetPermissionsForRoleOkResult([])
    with_read = await roles.get_roles_that_have_permission("read")
    assert isinstance(with_read, GetRolesThatHavePermissionOkResult)
    assert sorted(with_read.roles) == ["editor", "reader"]
    assert await roles.get_roles_that_have_permission("fly") == GetRolesThatHavePermissionOkResult([])

    removed = await roles.remove_permissions_from_role("editor", ["read", "fly"])
    assert isinstance(removed, RemovePermissionsFromRoleOkResult)
    found = await roles.get_permissions_for_role("editor")
    assert isinstance(found, GetPermissionsForRoleOkResult)
    assert sorted(found.permissions) == ["publish", "write"]
    assert await roles.get_roles_that_have_permission("read") == GetRolesThatHavePermissionOkResult(
        ["reader"]
    )

    assert await roles.delete_role("editor") == DeleteRoleOkResult(did_role_exist=True)
    assert await roles.delete_role("editor") == DeleteRoleOkResult(did_role_exist=False)
    assert isinstance(await roles.get_permissions_for_role("editor"), UnknownRoleError)
    assert await roles.get_roles_that_have_permission("publish") == GetRolesThatHavePermissionOkResult([])


async def test_users_and_their_roles(start: Start, database: TestDatabase) -> None:
    """Give and take; the user need not exist anywhere else."""
    start(session.init(), userroles.init(), uri=database.uri)
    await roles.create_new_role_or_add_permissions("admin", [])
    await roles.create_new_role_or_add_permissions("writer", [])
    assert await roles.get_roles_for_user("public", "ada") == GetRolesForUserOkResult([])
    assert await roles.get_users_that_have_role("public", "admin") == GetUsersThatHaveRoleOkResult([])

    assert await roles.add_role_to_user("public", "ada", "admin") == AddRoleToUserOkResult(
        did_user_already_have_role=False
    )
    assert await roles.add_role_to_user("public", "ada", "admin") == AddRoleToUserOkResult(
        did_user_already_have_role=True
    )
    await roles.add_role_to_user("public", RecipeUserId("ada"), "writer")
    await roles.add_role_to_user("public", "bob", "admin")
    assert sorted((await roles.get_roles_for_user("public", "ada")).roles) == ["admin", "writer"]
    users = await roles.get_users_that_have_role("public", "admin")
    assert isinstance(users, GetUsersThatHaveRoleOkResult)
    assert sorted(users.users) == ["ada", "bob"]

    assert await roles.remove_user_role("public", "ada", "admin") == RemoveUserRoleOkResult(
        did_user_have_role=True
    )
    assert await roles.remove_user_role("public", "ada", "admin") == RemoveUserRoleOkResult(
        did_user_have_role=False
    )
    assert await roles.get_roles_for_user("public", "ada") == GetRolesForUserOkResult(["writer"])


async def test_an_unknown_role_is_answered_with_a_value(start: Start, database: TestDatabase) -> None:
    """Nothing is raised, and nothing is written."""
    start(session.init(), userroles.init(), uri=database.uri)
    assert isinstance(await roles.add_role_to_user("public", "ada", "ghost"), UnknownRoleError)
    assert isinstance(await roles.remove_user_role("public", "ada", "ghost"), UnknownRoleError)
    assert isinstance(await roles.get_users_that_have_role("public", "ghost"), UnknownRoleError)
    assert isinstance(await roles.get_permissions_for_role("ghost"), UnknownRoleError)
    assert isinstance(await roles.remove_permissions_from_role("ghost", ["a"]), UnknownRoleError)
    assert await roles.get_roles_for_user("public", "ada") == GetRolesForUserOkResult([])
    assert await roles.get_all_roles() == GetAllRolesOkResult([])


async def test_roles_belong_to_the_app_and_links_to_the_tenant(start: Start, database: TestDatabase) -> None:
    """The same user may have different roles in different tenants; deleting a role ends all of them."""
    start(session.init(), userroles.init(), multitenancy.init(), uri=database.uri)
    await create_or_update_tenant("customer1", None)
    await roles.create_new_role_or_add_permissions("admin", ["all"])
    await roles.create_new_role_or_add_permissions("guest", ["look"])
    await roles.add_role_to_user("customer1", "ada", "admin")
    await roles.add_role_to_user("public", "ada", "guest")
    assert await roles.get_roles_for_user("customer1", "ada") == GetRolesForUserOkResult(["admin"])
    assert await roles.get_roles_for_user("public", "ada") == GetRolesForUserOkResult(["guest"])
    assert await roles.get_users_that_have_role("public", "admin") == GetUsersThatHaveRoleOkResult([])
    assert await roles.get_users_that_have_role("customer1", "admin") == GetUsersThatHaveRoleOkResult(["ada"])

    with pytest.raises(UnknownTenantError):
        await roles.add_role_to_user("nowhere", "ada", "admin")
    with pytest.raises(UnknownTenantError):
        await roles.get_roles_for_user("nowhere", "ada")

    assert await roles.delete_role("admin") == DeleteRoleOkResult(did_role_exist=True)
    assert await roles.get_roles_for_user("customer1", "ada") == GetRolesForUserOkResult([])
    await roles.create_new_role_or_add_permissions("admin", [])
    assert await roles.get_roles_for_user("customer1", "ada") == GetRolesForUserOkResult([])


async def test_one_of_many_concurrent_creators_made_the_role(start: Start, database: TestDatabase) -> None:
    """Every permission arrives, and exactly one call says that it created the role."""
    start(session.init(), userroles.init(), uri=database.uri)
    answers = await asyncio.gather(
        *(roles.create_new_role_or_add_permissions("busy", [f"p{number}"]) for number in range(8))
    )
    assert sorted(answer.created_new_role for answer in answers) == [False] * 7 + [True]
    found = await roles.get_permissions_for_role("busy")
    assert isinstance(found, GetPermissionsForRoleOkResult)
    assert sorted(found.permissions) == [f"p{number}" for number in range(8)]


def test_the_blocking_twins_answer_the_same(start: Start, database: TestDatabase) -> None:
    """Every function of `syncio`, in one script."""
    start(session.init(), userroles.init(), uri=database.uri)
    assert syncio.create_new_role_or_add_permissions("admin", ["a", "b"]).created_new_role
    assert syncio.add_role_to_user("public", "ada", "admin") == AddRoleToUserOkResult(False)
    assert syncio.get_roles_for_user("public", "ada").roles == ["admin"]
    assert syncio.get_users_that_have_role("public", "admin") == GetUsersThatHaveRoleOkResult(["ada"])
    assert isinstance(syncio.remove_permissions_from_role("admin", ["a"]), RemovePermissionsFromRoleOkResult)
    assert syncio.get_permissions_for_role("admin") == GetPermissionsForRoleOkResult(["b"])
    assert syncio.get_roles_that_have_permission("b").roles == ["admin"]
    assert syncio.remove_user_role("public", "ada", "admin") == RemoveUserRoleOkResult(True)
    assert syncio.get_all_roles().roles == ["admin"]
    assert syncio.delete_role("admin").did_role_exist


async def test_names_are_trimmed_and_must_not_be_empty(start: Start) -> None:
    start(session.init(), userroles.init())
    await roles.create_new_role_or_add_permissions("  admin ", [" read "])
    assert await roles.get_permissions_for_role("admin") == GetPermissionsForRoleOkResult(["read"])
    with pytest.raises(BadInputError, match=r"Field name 'role' cannot be an empty String"):
        await roles.create_new_role_or_add_permissions("  ", [])
    with pytest.raises(BadInputError, match=r"Field name 'permissions' cannot contain an empty string"):
        await roles.create_new_role_or_add_permissions("admin", [""])


async def test_functions_can_be_replaced_with_the_tenant_last(start: Start) -> None:
    """The public order is tenant first; `RecipeInterface` has it last, before the user context."""
    seen: list[Any] = []

    def functions(original: RecipeInterface) -> RecipeInterface:
        original_add = original.add_role_to_user

        async def add(user_id: str, role: str, tenant_id: str, user_context: dict[str, Any]) -> Any:
            seen.append((user_id, role, tenant_id, user_context))
            return await original_add(user_id, role, tenant_id, user_context)

        def users(role: str, tenant_id: str, user_context: dict[str, Any]) -> Any:
            return GetUsersThatHaveRoleOkResult([f"{role}@{tenant_id}"])

        original.add_role_to_user = add
        original.get_users_that_have_role = users  # type: ignore[assignment, method-assign]
        return original

    override = userroles.InputOverrideConfig(functions=functions)
    start(session.init(), userroles.init(override=override))
    await roles.create_new_role_or_add_permissions("admin", [])
    await roles.add_role_to_user("public", "ada", "admin", {"n": 1})
    assert seen == [("ada", "admin", "public", {"n": 1})]
    found = await roles.get_users_that_have_role("public", "admin")
    assert found == GetUsersThatHaveRoleOkResult(["admin@public"])


def test_the_override_names_of_every_release_are_one_class() -> None:
    assert userroles.UserRolesOverrideConfig is userroles.InputOverrideConfig
    assert userroles.utils.InputOverrideConfig is userroles.InputOverrideConfig


async def test_without_the_recipe_the_functions_say_so(start: Start) -> None:
    start(session.init())
    with pytest.raises(GeneralError) as refused:
        await roles.get_all_roles()
    assert str(refused.value) == (
        "Initialisation not done. Did you forget to call the SuperTokens.init or UserRoles.init function? "
        "In Python it is supertokens_py.init(...) with userroles.init() in recipe_list."
    )
    Supertokens.reset()
    with pytest.raises(GeneralError, match=r"UserRoles\.init function"):
        await roles.get_all_roles()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"override": 1}, "override must be an instance of InputOverrideConfig or None"),
        (
            {"skip_adding_roles_to_access_token": "yes"},
            "skip_adding_roles_to_access_token must be True, False",
        ),
    ],
)
def test_wrong_settings_are_told_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        userroles.init(**arguments)


def test_listing_it_twice_is_told_at_init(start: Start) -> None:
    with pytest.raises(GeneralError, match=r"UserRoles recipe has already been initialised\. Please check"):
        start(session.init(), userroles.init(), userroles.init())
