"""Errors of the user roles recipe."""

from supertokens_py.exceptions import SuperTokensError


class SuperTokensUserRolesError(SuperTokensError):
    """Base class; kept for code that catches it."""
