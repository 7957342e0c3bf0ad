"""Tenants: separate groups of users, each with sessions and roles of its own.

The functions work without listing the recipe; list `multitenancy.init(...)` for its options, for
overrides and for GET /loginmethods.
"""

from __future__ import annotations

from . import exceptions, recipe
from .recipe import AllowedDomainsClaim, MultitenancyRecipe
from .recipe import MultitenancyInit as init
from .utils import InputOverrideConfig

MultitenancyOverrideConfig = InputOverrideConfig

__all__ = [
    "AllowedDomainsClaim",
    "InputOverrideConfig",
    "MultitenancyOverrideConfig",
    "MultitenancyRecipe",
    "exceptions",
    "init",
    "recipe",
]
