"""Sessions: put `session.init(...)` into `recipe_list`."""

from __future__ import annotations

from . import exceptions, interfaces, utils
from .authentication import AuthenticationClaim
from .constants import TokenTransferMethod
from .container import SessionContainer
from .device_binding.settings import DeviceBinding
from .devices import DeviceSettings
from .error_responses import InputErrorHandlers
from .event_settings import EventSettings, Webhook
from .exceptions import SessionLimitError
from .guests import GuestSettings
from .impersonation_settings import Impersonation
from .instant_revocation import InstantRevocation
from .lifetimes import SessionLifetime
from .limits import SessionLimit
from .next_page import next_page
from .pages import PageSettings
from .recipe import SessionRecipe
from .revocation_reason import revoked_by
from .revocation_watch import on_revoked
from .settings import InputOverrideConfig, JWTConfig
from .settings import SessionSettings as init

SessionOverrideConfig = InputOverrideConfig

__all__ = [
    "AuthenticationClaim",
    "DeviceBinding",
    "DeviceSettings",
    "EventSettings",
    "GuestSettings",
    "Impersonation",
    "InputErrorHandlers",
    "InputOverrideConfig",
    "InstantRevocation",
    "JWTConfig",
    "PageSettings",
    "SessionContainer",
    "SessionLifetime",
    "SessionLimit",
    "SessionLimitError",
    "SessionOverrideConfig",
    "SessionRecipe",
    "TokenTransferMethod",
    "Webhook",
    "exceptions",
    "init",
    "interfaces",
    "next_page",
    "on_revoked",
    "revoked_by",
    "utils",
]
