"""Older home of the user roles recipe's settings; the names that applications import from here."""

from __future__ import annotations

from supertokens_py.recipe.overrides import OverrideConfig as InputOverrideConfig

from .recipe import UserRolesInit as UserRolesConfig

__all__ = ["InputOverrideConfig", "UserRolesConfig"]
