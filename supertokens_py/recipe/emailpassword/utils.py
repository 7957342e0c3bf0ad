"""Older home of settings and checks; the names that applications import from here."""

from __future__ import annotations

from typing import Any

from supertokens_py.recipe.overrides import OverrideConfig

from .forms import default_email_validator, default_validator
from .links import get_password_reset_link
from .passwords import PasswordPolicy
from .recipe import EmailPasswordInit as EmailPasswordConfig
from .recipe import InputSignUpFeature

InputOverrideConfig = OverrideConfig


async def default_password_validator(value: Any, tenant_id: str) -> str | None:
    """Return what is wrong with a password by the default policy, or None."""
    return PasswordPolicy().error_of(value)


__all__ = [
    "EmailPasswordConfig",
    "InputOverrideConfig",
    "InputSignUpFeature",
    "OverrideConfig",
    "default_email_validator",
    "default_password_validator",
    "default_validator",
    "get_password_reset_link",
]
