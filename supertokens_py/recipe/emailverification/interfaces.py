"""The names that applications annotate with: functions, APIs and their results."""

from __future__ import annotations

from .addresses import EmailDoesNotExistError, GetEmailForUserIdOkResult, UnknownUserIdError
from .api import APIInterface, APIOptions
from .functions import RecipeInterface
from .results import (
    CreateEmailVerificationLinkEmailAlreadyVerifiedError,
    CreateEmailVerificationLinkOkResult,
    CreateEmailVerificationTokenEmailAlreadyVerifiedError,
    CreateEmailVerificationTokenOkResult,
    EmailVerifyPostInvalidTokenError,
    EmailVerifyPostOkResult,
    GenerateEmailVerifyTokenPostEmailAlreadyVerifiedError,
    GenerateEmailVerifyTokenPostOkResult,
    IsEmailVerifiedGetOkResult,
    RevokeEmailVerificationTokensOkResult,
    SendEmailVerificationEmailAlreadyVerifiedError,
    SendEmailVerificationEmailOkResult,
    UnverifyEmailOkResult,
    VerifyEmailUsingTokenInvalidTokenError,
    VerifyEmailUsingTokenOkResult,
)
from .types import EmailVerificationUser, TypeGetEmailForUserIdFunction

__all__ = [
    "APIInterface",
    "APIOptions",
    "CreateEmailVerificationLinkEmailAlreadyVerifiedError",
    "CreateEmailVerificationLinkOkResult",
    "CreateEmailVerificationTokenEmailAlreadyVerifiedError",
    "CreateEmailVerificationTokenOkResult",
    "EmailDoesNotExistError",
    "EmailVerificationUser",
    "EmailVerifyPostInvalidTokenError",
    "EmailVerifyPostOkResult",
    "GenerateEmailVerifyTokenPostEmailAlreadyVerifiedError",
    "GenerateEmailVerifyTokenPostOkResult",
    "GetEmailForUserIdOkResult",
    "IsEmailVerifiedGetOkResult",
    "RecipeInterface",
    "RevokeEmailVerificationTokensOkResult",
    "SendEmailVerificationEmailAlreadyVerifiedError",
    "SendEmailVerificationEmailOkResult",
    "TypeGetEmailForUserIdFunction",
    "UnknownUserIdError",
    "UnverifyEmailOkResult",
    "VerifyEmailUsingTokenInvalidTokenError",
    "VerifyEmailUsingTokenOkResult",
]
