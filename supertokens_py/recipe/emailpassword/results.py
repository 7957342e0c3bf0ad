"""What the functions and APIs answer with. An outcome is one class; releases gave some several names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from supertokens_py.engine.user_records import PasswordProof
from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.sign_in.outcomes import (
    EmailAlreadyExistsError,
    EmailChangeNotAllowedError,
    Outcome,
    Refusal,
    UnknownUserIdError,
)
from supertokens_py.recipe.sign_in.outcomes import (
    EmailExistsGetOkResult as EmailExistsGetOkResult,
)
from supertokens_py.recipe.sign_in.outcomes import (
    LinkingToSessionUserFailedError as LinkingToSessionUserFailedError,
)
from supertokens_py.secret import SecretText
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.users import User


@dataclass
class _Signed(Outcome):
    user: User
    recipe_user_id: RecipeUserId = field(default=None)  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.recipe_user_id is None:  # pyright: ignore[reportUnnecessaryComparison]  0.24 gives none
            self.recipe_user_id = RecipeUserId(self.user.id)


class SignUpOkResult(_Signed):
    """The user exists now."""


@dataclass
class SignInOkResult(_Signed):
    """The password is right. `proof` is for `update_email_or_password(verified=...)`."""

    proof: PasswordProof | None = field(default=None, repr=False, compare=False)


class WrongCredentialsError(Outcome):
    """The address is unknown, or the password is wrong: nothing says which."""

    status = "WRONG_CREDENTIALS_ERROR"


@dataclass
class CreateResetPasswordOkResult(Outcome):
    """A token that sets a new password once."""

    token: str = field(repr=False)


class CreateResetPasswordLinkOkResult(SecretText):
    """A link with such a token: a `str`, and the result of 0.24 with its `link`."""

    __slots__ = ()
    status = "OK"

    @property
    def link(self) -> str:
        """The link itself."""
        return SecretText(self)


class SendResetPasswordEmailOkResult(Outcome):
    """The e-mail was handed to the delivery service."""


@dataclass
class ConsumePasswordResetTokenOkResult(Outcome):
    """Whose token it was. It and every other token of the user are gone."""

    email: str
    user_id: str


class PasswordResetTokenInvalidError(Outcome):
    """The token is unknown, used or expired."""

    status = "RESET_PASSWORD_INVALID_TOKEN_ERROR"


@dataclass
class UpdateEmailOrPasswordOkResult(Outcome):
    """It is changed. Where a token was used, `user_id` says whose it was, `email` where it was sent."""

    user_id: str | None = None
    email: str | None = None


class PasswordPolicyViolationError(Outcome):
    """The password is not one that users may choose."""

    status = "PASSWORD_POLICY_VIOLATED_ERROR"

    def __init__(self, failure_reason: str) -> None:
        self.failure_reason = failure_reason

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "failureReason": self.failure_reason}


# -- the APIs ------------------------------------------------------------------------------------------


@dataclass
class _SignedIn(Outcome):
    user: User
    session: SessionContainer

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "user": self.user.to_json()}


class SignUpPostOkResult(_SignedIn):
    """The user exists now, and has a session."""


class SignInPostOkResult(_SignedIn):
    """The user has a session."""


class SignUpPostNotAllowedResponse(Refusal):
    """An override may answer so."""

    status = "SIGN_UP_NOT_ALLOWED"


class SignInPostNotAllowedResponse(Refusal):
    """An override may answer so."""

    status = "SIGN_IN_NOT_ALLOWED"


class GeneratePasswordResetTokenPostOkResult(Outcome):
    """The e-mail is on its way, if there is such a user."""


class GeneratePasswordResetTokenPostNotAllowedResponse(Refusal):
    """An override may answer so."""

    status = "PASSWORD_RESET_NOT_ALLOWED"


class PasswordResetPostOkResult(Outcome):
    """The password is changed."""

    def __init__(
        self, user_id: str | None = None, *, email: str | None = None, user: User | None = None
    ) -> None:
        self.user_id = user_id
        self.email = email
        self.user = user


# -- further names -------------------------------------------------------------------------------------

SignUpEmailAlreadyExistsError = SignUpPostEmailAlreadyExistsError = EmailAlreadyExistsError
UpdateEmailOrPasswordEmailAlreadyExistsError = EmailAlreadyExistsError
SignInWrongCredentialsError = SignInPostWrongCredentialsError = WrongCredentialsError
CreateResetPasswordWrongUserIdError = CreateResetPasswordLinkUnknownUserIdError = UnknownUserIdError
SendResetPasswordEmailUnknownUserIdError = UpdateEmailOrPasswordUnknownUserIdError = UnknownUserIdError
ResetPasswordUsingTokenInvalidTokenError = PasswordResetPostInvalidTokenResponse = (
    PasswordResetTokenInvalidError
)
ResetPasswordUsingTokenOkResult = UpdateEmailOrPasswordOkResult
UpdateEmailOrPasswordPasswordPolicyViolationError = PasswordPolicyViolationError
UpdateEmailOrPasswordEmailChangeNotAllowedError = EmailChangeNotAllowedError
