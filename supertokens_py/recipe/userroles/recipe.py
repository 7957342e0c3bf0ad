"""`UserRolesRecipe`, and the claims that carry roles and permissions (protocol: Role claims)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import ConfigError, GeneralError
from supertokens_py.recipe.base import Recipe, RecipeSettings
from supertokens_py.recipe.overrides import OverrideConfig, check_override
from supertokens_py.recipe.session.claim_base_classes.primitive_array_claim import SdkArrayClaim
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe_module import App
from supertokens_py.settings import explains_unknown_arguments

from .interfaces import APIInterface, GetPermissionsForRoleOkResult, RecipeInterface

#: As in 0.24: a demoted user keeps a role for at most this long where a validator asks for it.
DEFAULT_MAX_AGE_IN_SEC = 300


@explains_unknown_arguments("userroles.init")
@dataclass(frozen=True)
class UserRolesInit(RecipeSettings):
    """The arguments of `userroles.init`.

    Args:
        skip_adding_roles_to_access_token: leave `UserRoleClaim` out of new sessions [False].
        skip_adding_permissions_to_access_token: leave `PermissionClaim` out of new sessions [False].
        override: your changes, `userroles.InputOverrideConfig(functions=…)`.
        default_max_age_in_sec: after how many seconds a validator of `UserRoleClaim` or `PermissionClaim`
            that names no age fetches the claim again, so that a removed role ends [300]. 0 fetches every
            time; `None` only where the claim is missing.

    Raises:
        ConfigError: an argument of another type, or a negative age.
    """

    skip_adding_roles_to_access_token: bool | None = None
    skip_adding_permissions_to_access_token: bool | None = None
    override: OverrideConfig | None = None
    default_max_age_in_sec: int | None = DEFAULT_MAX_AGE_IN_SEC

    def __post_init__(self) -> None:
        age = self.default_max_age_in_sec
        if age is not None and (type(age) is not int or age < 0):
            raise ConfigError(f"default_max_age_in_sec must be a number of seconds or None, not {age!r}")
        for name in ("skip_adding_roles_to_access_token", "skip_adding_permissions_to_access_token"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, bool):
                raise ConfigError(f"{name} must be True, False or None, not {value!r}")
        check_override(self.override)


class UserRolesRecipe(Recipe[UserRolesInit, RecipeInterface, APIInterface], settings=UserRolesInit):
    """Roles and permissions of one app."""

    recipe_id = "userroles"
    name = "UserRoles"
    is_implicit = False
    not_initialised: ClassVar[str | None] = (
        "Initialisation not done. Did you forget to call the SuperTokens.init or UserRoles.init function? "
        "In Python it is supertokens_py.init(...) with userroles.init() in recipe_list."
    )

    def __init__(self, app: App, config: UserRolesInit) -> None:
        super().__init__(app, config)
        self.install_functions(RecipeInterface(app))
        self.install_apis(APIInterface())

    def connect(self) -> None:
        if self.config.skip_adding_roles_to_access_token is not True:
            self.app.recipe(SessionRecipe).add_claim_from_other_recipe(UserRoleClaim)
        if self.config.skip_adding_permissions_to_access_token is not True:
            self.app.recipe(SessionRecipe).add_claim_from_other_recipe(PermissionClaim)


# -- claims ------------------------------------------------------------------------------------------


async def _roles_of_user(user_id: str, tenant_id: str, user_context: dict[str, Any]) -> list[str]:
    functions = UserRolesRecipe.get_instance().recipe_implementation
    return (await functions.get_roles_for_user(user_id, tenant_id, user_context)).roles


async def _permissions_of_user(user_id: str, tenant_id: str, user_context: dict[str, Any]) -> list[str]:
    functions = UserRolesRecipe.get_instance().recipe_implementation
    found: dict[str, None] = {}
    for role in await _roles_of_user(user_id, tenant_id, user_context):
        result = await functions.get_permissions_for_role(role, user_context)
        if isinstance(result, GetPermissionsForRoleOkResult):  # else the role was deleted in this very moment
            found.update(dict.fromkeys(result.permissions))
    return list(found)


class _RolesClaim(SdkArrayClaim):
    """A claim whose age limit is a setting of the recipe."""

    max_age_is_a_setting = True

    def default_max_age(self) -> int | None:
        # Asked when a session is validated: validators are often made before `init`.
        try:
            return Supertokens.get_instance().recipe(UserRolesRecipe).config.default_max_age_in_sec
        except GeneralError:  # not in recipe_list; a fetch says so
            return DEFAULT_MAX_AGE_IN_SEC


class UserRoleClaimClass(_RolesClaim):
    """The user's roles in the session's tenant, under `st-role`."""

    def __init__(self) -> None:
        super().__init__("st-role", _roles_of_user)


class PermissionClaimClass(_RolesClaim):
    """What the user's roles permit, each once, under `st-perm`."""

    def __init__(self) -> None:
        super().__init__("st-perm", _permissions_of_user)


UserRoleClaim: UserRoleClaimClass = UserRoleClaimClass()
PermissionClaim: PermissionClaimClass = PermissionClaimClass()
