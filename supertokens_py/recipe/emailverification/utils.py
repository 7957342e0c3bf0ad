"""Older home of settings and links; the names that applications import from here."""

from __future__ import annotations

from supertokens_py.recipe.overrides import OverrideConfig

from .links import get_email_verify_link
from .recipe import EmailVerificationInit as EmailVerificationConfig
from .types import MODE_TYPE

InputOverrideConfig = OverrideConfig

__all__ = [
    "MODE_TYPE",
    "EmailVerificationConfig",
    "InputOverrideConfig",
    "OverrideConfig",
    "get_email_verify_link",
]
