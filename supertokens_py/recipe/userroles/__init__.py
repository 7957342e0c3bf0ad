"""Roles and permissions, put into every new session: list `userroles.init()` beside `session.init()`."""

from __future__ import annotations

from . import recipe, utils
from .recipe import PermissionClaim, UserRoleClaim, UserRolesRecipe
from .recipe import UserRolesInit as init
from .utils import InputOverrideConfig

UserRolesOverrideConfig = InputOverrideConfig

__all__ = [
    "InputOverrideConfig",
    "PermissionClaim",
    "UserRoleClaim",
    "UserRolesOverrideConfig",
    "UserRolesRecipe",
    "init",
    "recipe",
    "utils",
]
