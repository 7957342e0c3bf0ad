"""Older home of settings and checks; the names that applications import from here."""

from __future__ import annotations

from supertokens_py.recipe.overrides import OverrideConfig

from .contacts import (
    ContactConfig,
    ContactEmailOnlyConfig,
    ContactEmailOrPhoneConfig,
    ContactPhoneOnlyConfig,
    default_validate_email,
    default_validate_phone_number,
)
from .recipe import PasswordlessInit as PasswordlessConfig

InputOverrideConfig = OverrideConfig

__all__ = [
    "ContactConfig",
    "ContactEmailOnlyConfig",
    "ContactEmailOrPhoneConfig",
    "ContactPhoneOnlyConfig",
    "InputOverrideConfig",
    "OverrideConfig",
    "PasswordlessConfig",
    "default_validate_email",
    "default_validate_phone_number",
]
