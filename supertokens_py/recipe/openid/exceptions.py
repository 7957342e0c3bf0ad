"""Errors of the OpenID recipe."""

from supertokens_py.exceptions import SuperTokensError


class SuperTokensOpenIdError(SuperTokensError):
    """Base class; kept for code that catches it."""
