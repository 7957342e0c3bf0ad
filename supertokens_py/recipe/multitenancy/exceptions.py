"""Errors of the multitenancy recipe."""

from supertokens_py.exceptions import SuperTokensError


class MultitenancyError(SuperTokensError):
    """Base class; kept for code that catches it."""
