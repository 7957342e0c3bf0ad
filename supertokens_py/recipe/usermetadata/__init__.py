"""User metadata: one JSON object per user, kept on the server; no recipe needs to be listed for it."""

from __future__ import annotations

from . import utils
from .recipe import UserMetadataInit as init
from .recipe import UserMetadataRecipe
from .utils import InputOverrideConfig

UserMetadataOverrideConfig = InputOverrideConfig

__all__ = ["InputOverrideConfig", "UserMetadataOverrideConfig", "UserMetadataRecipe", "init", "utils"]
