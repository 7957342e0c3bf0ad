"""Older home of the session recipe's settings; the names that applications import from here."""

from __future__ import annotations

from supertokens_py.urls import scheme_of as get_url_scheme

from .constants import TokenTransferMethod, TokenType
from .settings import (
    ErrorHandlers,
    InputErrorHandlers,
    InputOverrideConfig,
    SessionConfig,
    get_token_transfer_method_default,
    normalise_same_site,
    normalise_session_scope,
)
from .settings import auth_mode as get_auth_mode_from_header

OverrideConfig = InputOverrideConfig

__all__ = [
    "ErrorHandlers",
    "InputErrorHandlers",
    "InputOverrideConfig",
    "OverrideConfig",
    "SessionConfig",
    "TokenTransferMethod",
    "TokenType",
    "get_auth_mode_from_header",
    "get_token_transfer_method_default",
    "get_url_scheme",
    "normalise_same_site",
    "normalise_session_scope",
]
