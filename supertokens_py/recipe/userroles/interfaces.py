"""The user roles recipe's functions and results. Tell results apart with `isinstance`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from supertokens_py.engine.call import call_engine
from supertokens_py.types.response import Shown

if TYPE_CHECKING:
    from supertokens_py.recipe_module import App


@dataclass
class AddRoleToUserOkResult:
    """The user has the role."""

    did_user_already_have_role: bool


@dataclass
class RemoveUserRoleOkResult:
    """The user does not have the role (any more)."""

    did_user_have_role: bool


@dataclass
class GetRolesForUserOkResult:
    """A user's roles in one tenant."""

    roles: list[str]


@dataclass
class GetUsersThatHaveRoleOkResult:
    """The ids of the users who have a role in one tenant."""

    users: list[str]


@dataclass
class CreateNewRoleOrAddPermissionsOkResult:
    """The role exists and has the permissions."""

    created_new_role: bool


@dataclass
class GetPermissionsForRoleOkResult:
    """What a role permits."""

    permissions: list[str]


class RemovePermissionsFromRoleOkResult(Shown):
    """The role does not have the permissions (any more)."""


@dataclass
class GetRolesThatHavePermissionOkResult:
    """The roles with a permission; none for an unknown one."""

    roles: list[str]


@dataclass
class DeleteRoleOkResult:
    """The role is gone, and nobody has it."""

    did_role_exist: bool


@dataclass
class GetAllRolesOkResult:
    """Every role of the app."""

    roles: list[str]


class UnknownRoleError(Shown):
    """Returned, not raised: there is no such role."""


class RecipeInterface:
    """The functions, with their default behaviour; overrides assign to an instance.

    Roles and their permissions belong to the app; who has a role is kept per tenant.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def add_role_to_user(
        self, user_id: str, role: str, tenant_id: str, user_context: dict[str, Any]
    ) -> AddRoleToUserOkResult | UnknownRoleError:
        """Give a role to a user. Sessions that exist already keep their claims."""
        is_new = await call_engine(
            user_context, self._app.engine.roles.assign, user_id, role, tenant_id=tenant_id
        )
        return UnknownRoleError() if is_new is None else AddRoleToUserOkResult(not is_new)

    async def remove_user_role(
        self, user_id: str, role: str, tenant_id: str, user_context: dict[str, Any]
    ) -> RemoveUserRoleOkResult | UnknownRoleError:
        """Take a role from a user."""
        had = await call_engine(
            user_context, self._app.engine.roles.unassign, user_id, role, tenant_id=tenant_id
        )
        return UnknownRoleError() if had is None else RemoveUserRoleOkResult(had)

    async def get_roles_for_user(
        self, user_id: str, tenant_id: str, user_context: dict[str, Any]
    ) -> GetRolesForUserOkResult:
        """Return a user's roles."""
        return GetRolesForUserOkResult(
            await call_engine(user_context, self._app.engine.roles.of_user, user_id, tenant_id=tenant_id)
        )

    async def get_users_that_have_role(
        self, role: str, tenant_id: str, user_context: dict[str, Any]
    ) -> GetUsersThatHaveRoleOkResult | UnknownRoleError:
        """Return who has a role."""
        users = await call_engine(user_context, self._app.engine.roles.users, role, tenant_id=tenant_id)
        return UnknownRoleError() if users is None else GetUsersThatHaveRoleOkResult(users)

    async def create_new_role_or_add_permissions(
        self, role: str, permissions: list[str], user_context: dict[str, Any]
    ) -> CreateNewRoleOrAddPermissionsOkResult:
        """Create a role if there is none of this name, and add permissions; none is taken away."""
        return CreateNewRoleOrAddPermissionsOkResult(
            await call_engine(user_context, self._app.engine.roles.add, role, permissions)
        )

    async def get_permissions_for_role(
        self, role: str, user_context: dict[str, Any]
    ) -> GetPermissionsForRoleOkResult | UnknownRoleError:
        """Return what a role permits."""
        permissions = await call_engine(user_context, self._app.engine.roles.permissions, role)
        return UnknownRoleError() if permissions is None else GetPermissionsForRoleOkResult(permissions)

    async def remove_permissions_from_role(
        self, role: str, permissions: list[str], user_context: dict[str, Any]
    ) -> RemovePermissionsFromRoleOkResult | UnknownRoleError:
        """Take permissions from a role."""
        known = await call_engine(user_context, self._app.engine.roles.remove_permissions, role, permissions)
        return UnknownRoleError() if known is None else RemovePermissionsFromRoleOkResult()

    async def get_roles_that_have_permission(
        self, permission: str, user_context: dict[str, Any]
    ) -> GetRolesThatHavePermissionOkResult:
        """Return the roles with a permission."""
        return GetRolesThatHavePermissionOkResult(
            await call_engine(user_context, self._app.engine.roles.with_permission, permission)
        )

    async def delete_role(self, role: str, user_context: dict[str, Any]) -> DeleteRoleOkResult:
        """Delete a role and take it from everybody, in every tenant."""
        return DeleteRoleOkResult(await call_engine(user_context, self._app.engine.roles.delete, role))

    async def get_all_roles(self, user_context: dict[str, Any]) -> GetAllRolesOkResult:
        """Return every role."""
        return GetAllRolesOkResult(await call_engine(user_context, self._app.engine.roles.all))


class APIInterface:
    """This recipe has no HTTP API."""
