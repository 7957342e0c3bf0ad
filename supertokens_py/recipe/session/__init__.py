"""Sessions: put `session.init(...)` into `recipe_list`."""

from __future__ import annotations

from . import exceptions, interfaces, utils
from .constants import TokenTransferMethod
from .container import SessionContainer
from .error_responses import InputErrorHandlers
from .recipe import SessionRecipe
from .settings import InputOverrideConfig, JWTConfig
from .settings import SessionSettings as init

SessionOverrideConfig = InputOverrideConfig

__all__ = [
    "InputErrorHandlers",
    "InputOverrideConfig",
    "JWTConfig",
    "SessionContainer",
    "SessionOverrideConfig",
    "SessionRecipe",
    "TokenTransferMethod",
    "exceptions",
    "init",
    "interfaces",
    "utils",
]
