"""Older home of the multitenancy recipe's settings; the names that applications import from here."""

from __future__ import annotations

from supertokens_py.recipe.overrides import OverrideConfig

from .recipe import MultitenancyInit as MultitenancyConfig

InputOverrideConfig = OverrideConfig

__all__ = ["InputOverrideConfig", "MultitenancyConfig", "OverrideConfig"]
