"""JWTs for other services; part of every app that has sessions."""

from __future__ import annotations

from supertokens_py.recipe.overrides import OverrideConfig

from .recipe import JWTInit as init
from .recipe import JWTRecipe

JWTOverrideConfig = OverrideConfig

__all__ = ["JWTOverrideConfig", "JWTRecipe", "OverrideConfig", "init"]
