"""Older home of the user metadata recipe's settings; the names that applications import from here."""

from __future__ import annotations

from supertokens_py.recipe.overrides import OverrideConfig as InputOverrideConfig

from .recipe import UserMetadataInit as UserMetadataConfig

__all__ = ["InputOverrideConfig", "UserMetadataConfig"]
