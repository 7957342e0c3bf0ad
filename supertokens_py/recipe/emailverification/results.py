"""What the functions and APIs answer with. An outcome is one class; releases gave some several names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.sign_in.outcomes import Outcome

from .types import EmailVerificationUser


@dataclass
class CreateEmailVerificationTokenOkResult(Outcome):
    """A token that verifies an address once."""

    token: str = field(repr=False)


class CreateEmailVerificationTokenEmailAlreadyVerifiedError(Outcome):
    """The address is verified, or the user has none."""

    status = "EMAIL_ALREADY_VERIFIED_ERROR"


@dataclass
class CreateEmailVerificationLinkOkResult(Outcome):
    """A link with such a token."""

    link: str = field(repr=False)


class SendEmailVerificationEmailOkResult(Outcome):
    """The e-mail was handed to the delivery service."""


@dataclass
class VerifyEmailUsingTokenOkResult(Outcome):
    """Whose token it was, and for which address. It and every other token of the two are gone."""

    user: EmailVerificationUser


class VerifyEmailUsingTokenInvalidTokenError(Outcome):
    """The token is unknown, used, expired, or of another tenant."""

    status = "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"


class RevokeEmailVerificationTokensOkResult(Outcome):
    """The tokens are gone."""


class UnverifyEmailOkResult(Outcome):
    """The address is not verified."""


# -- the APIs ------------------------------------------------------------------------------------------


class GenerateEmailVerifyTokenPostOkResult(Outcome):
    """A link is on its way, or one was sent only just."""


@dataclass
class GenerateEmailVerifyTokenPostEmailAlreadyVerifiedError(Outcome):
    """The address is verified, or the user has none; the session's claim says so from now on."""

    status: ClassVar[str] = "EMAIL_ALREADY_VERIFIED_ERROR"
    new_session: SessionContainer | None = None


@dataclass
class EmailVerifyPostOkResult(Outcome):
    """The address is verified."""

    user: EmailVerificationUser
    new_session: SessionContainer | None = None


class EmailVerifyPostInvalidTokenError(Outcome):
    """The link is unknown, used or expired."""

    status = "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"


@dataclass
class IsEmailVerifiedGetOkResult(Outcome):
    """Whether the address of the session's user is verified."""

    is_verified: bool
    new_session: SessionContainer | None = None

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "isVerified": self.is_verified}


# -- further names -------------------------------------------------------------------------------------

CreateEmailVerificationLinkEmailAlreadyVerifiedError = CreateEmailVerificationTokenEmailAlreadyVerifiedError
SendEmailVerificationEmailAlreadyVerifiedError = CreateEmailVerificationTokenEmailAlreadyVerifiedError
