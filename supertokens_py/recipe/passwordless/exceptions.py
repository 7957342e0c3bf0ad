"""Errors of the passwordless recipe."""

from __future__ import annotations

from supertokens_py.exceptions import SuperTokensError


class SuperTokensPasswordlessError(SuperTokensError):
    """Base class of this recipe's errors in 0.24; raised by nothing."""
