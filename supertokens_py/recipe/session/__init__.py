"""Sessions: put `session.init(...)` into `recipe_list`."""

from __future__ import annotations

from . import exceptions, interfaces, utils
from .claim_validation.authentication import AuthenticationClaim
from .constants import TokenTransferMethod
from .container import SessionContainer
from .device_binding.settings import DeviceBinding
from .devices.revocation_reason import revoked_by
from .devices.settings import DeviceSettings
from .exceptions import SessionLimitError
from .features.event_settings import EventSettings, Webhook
from .features.guests import GuestSettings
from .features.instant_revocation import InstantRevocation
from .features.lifetimes import SessionLifetime
from .features.limits import SessionLimit
from .lifecycle.impersonation_settings import Impersonation
from .next_page import next_page
from .recipe import SessionRecipe
from .responses.errors import InputErrorHandlers
from .responses.pages import PageSettings
from .settings import InputOverrideConfig, JWTConfig
from .settings import SessionSettings as init
from .verification.revocation_watch import on_revoked

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
