"""OpenID discovery; part of every app that has sessions."""

from __future__ import annotations

from .recipe import InputOverrideConfig, OpenIdRecipe
from .recipe import OpenIdInit as init

OpenIdOverrideConfig = InputOverrideConfig

__all__ = ["InputOverrideConfig", "OpenIdOverrideConfig", "OpenIdRecipe", "init"]
