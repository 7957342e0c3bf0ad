"""Functions of the user roles recipe. A tenant, where one matters, comes first; mostly "public"."""

from __future__ import annotations

from typing import Any

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
from supertokens_py.recipe.userroles.recipe import UserRolesRecipe
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text


async def add_role_to_user(
    tenant_id: str, user_id: str | RecipeUserId, role: str, user_context: dict[str, Any] | None = None
) -> AddRoleToUserOkResult | UnknownRoleError:
    """Give a role to a user. Sessions that exist see it once `UserRoleClaim` is fetched again."""
    return await _functions().add_role_to_user(
        user_id_text(user_id), role, tenant_id, context_of(user_context)
    )


async def remove_user_role(
    tenant_id: str, user_id: str | RecipeUserId, role: str, user_context: dict[str, Any] | None = None
) -> RemoveUserRoleOkResult | UnknownRoleError:
    """Take a role from a user. Sessions that exist see it once `UserRoleClaim` is fetched again."""
    return await _functions().remove_user_role(
        user_id_text(user_id), role, tenant_id, context_of(user_context)
    )


async def get_roles_for_user(
    tenant_id: str, user_id: str | RecipeUserId, user_context: dict[str, Any] | None = None
) -> GetRolesForUserOkResult:
    """Return a user's roles; none for an unknown user."""
    return await _functions().get_roles_for_user(user_id_text(user_id), tenant_id, context_of(user_context))


async def get_users_that_have_role(
    tenant_id: str, role: str, user_context: dict[str, Any] | None = None
) -> GetUsersThatHaveRoleOkResult | UnknownRoleError:
    """Return the ids of the users who have a role."""
    return await _functions().get_users_that_have_role(role, tenant_id, context_of(user_context))


async def create_new_role_or_add_permissions(
    role: str, permissions: list[str], user_context: dict[str, Any] | None = None
) -> CreateNewRoleOrAddPermissionsOkResult:
    """Create a role if there is none of this name, and add permissions; none is taken away."""
    return await _functions().create_new_role_or_add_permissions(role, permissions, context_of(user_context))


async def get_permissions_for_role(
    role: str, user_context: dict[str, Any] | None = None
) -> GetPermissionsForRoleOkResult | UnknownRoleError:
    """Return what a role permits."""
    return await _functions().get_permissions_for_role(role, context_of(user_context))


async def remove_permissions_from_role(
    role: str, permissions: list[str], user_context: dict[str, Any] | None = None
) -> RemovePermissionsFromRoleOkResult | UnknownRoleError:
    """Take permissions from a role; those that it does not have are ignored."""
    return await _functions().remove_permissions_from_role(role, permissions, context_of(user_context))


async def get_roles_that_have_permission(
    permission: str, user_context: dict[str, Any] | None = None
) -> GetRolesThatHavePermissionOkResult:
    """Return the roles with a permission; none for an unknown one."""
    return await _functions().get_roles_that_have_permission(permission, context_of(user_context))


async def delete_role(role: str, user_context: dict[str, Any] | None = None) -> DeleteRoleOkResult:
    """Delete a role and take it from everybody, in every tenant."""
    return await _functions().delete_role(role, context_of(user_context))


async def get_all_roles(user_context: dict[str, Any] | None = None) -> GetAllRolesOkResult:
    """Return every role of the app."""
    return await _functions().get_all_roles(context_of(user_context))


def _functions() -> RecipeInterface:
    return UserRolesRecipe.get_instance().recipe_implementation
