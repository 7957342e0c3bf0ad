"""The names that applications annotate with: functions, APIs and their results."""

from __future__ import annotations

from .api import APIInterface, APIOptions
from .functions import RecipeInterface
from .results import (
    AuthorisationUrlGetOkResult,
    EmailChangeNotAllowedError,
    LinkingToSessionUserFailedError,
    ManuallyCreateOrUpdateUserOkResult,
    SignInUpNotAllowed,
    SignInUpOkResult,
    SignInUpPostNoEmailGivenByProviderResponse,
    SignInUpPostOkResult,
)

__all__ = [
    "APIInterface",
    "APIOptions",
    "AuthorisationUrlGetOkResult",
    "EmailChangeNotAllowedError",
    "LinkingToSessionUserFailedError",
    "ManuallyCreateOrUpdateUserOkResult",
    "RecipeInterface",
    "SignInUpNotAllowed",
    "SignInUpOkResult",
    "SignInUpPostNoEmailGivenByProviderResponse",
    "SignInUpPostOkResult",
]
