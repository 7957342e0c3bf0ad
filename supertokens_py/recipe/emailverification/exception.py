"""Errors of the e-mail verification recipe. The recipe raises none of them: results say what happened."""

from __future__ import annotations

from supertokens_py.exceptions import SuperTokensError


class SuperTokensEmailVerificationError(SuperTokensError):
    """Base class of this recipe's errors."""


class EmailVerificationInvalidTokenError(SuperTokensEmailVerificationError):
    """A name of 0.24, for applications to raise."""


class EmailAlreadyVerifiedError(SuperTokensEmailVerificationError):
    """A name of 0.24, for applications to raise."""
