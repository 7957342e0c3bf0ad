"""Errors of the user metadata recipe."""

from supertokens_py.exceptions import SuperTokensError


class SuperTokensUserMetadataError(SuperTokensError):
    """Base class; kept for code that catches it."""
