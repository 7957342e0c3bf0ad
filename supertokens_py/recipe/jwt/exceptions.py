"""Errors of the JWT recipe."""

from supertokens_py.exceptions import SuperTokensError


class SuperTokensJWTError(SuperTokensError):
    """Base class; kept for code that catches it."""
