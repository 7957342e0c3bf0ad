"""Older home of settings; the names that applications import from here."""

from __future__ import annotations

from supertokens_py.recipe.overrides import OverrideConfig

from .recipe import SignInAndUpFeature
from .recipe import ThirdPartyInit as ThirdPartyConfig

InputOverrideConfig = OverrideConfig

__all__ = ["InputOverrideConfig", "OverrideConfig", "SignInAndUpFeature", "ThirdPartyConfig"]
