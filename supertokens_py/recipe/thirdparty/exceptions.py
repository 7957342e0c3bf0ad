"""Errors of the third-party recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.exceptions import AnsweredError, BadInputError, SuperTokensError
from supertokens_py.types.response import GeneralErrorResponse


class SuperTokensThirdPartyError(SuperTokensError):
    """Base class; kept for code that catches it."""


class ClientTypeNotFoundError(BadInputError):
    """A provider has no client of the request's type, or several where the request names none."""

    code = "client_type_not_found"


class ProviderError(SuperTokensThirdPartyError, AnsweredError):
    """Signing in with a provider failed: it refused, does not answer, or says something that does not fit.

    Frontends are shown `public_message`; the error's own text says why, without secrets, and is logged.
    """

    code = "provider"

    def __init__(self, message: str, *, provider_name: str) -> None:
        self.provider_name = provider_name
        super().__init__(message)

    def to_json(self) -> dict[str, Any]:
        return GeneralErrorResponse(self.public_message).to_json()

    @property
    def public_message(self) -> str:
        """What people may read."""
        return f"Sign in with {self.provider_name} failed. Please try again."
