"""What the functions and APIs answer with. An outcome is one class; releases gave some several names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.sign_in.outcomes import (
    EmailAlreadyExistsError,
    EmailChangeNotAllowedError,
    Outcome,
    Refusal,
    UnknownUserIdError,
)
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.users import User

from .types import ConsumedDevice


@dataclass
class CreateCodeOkResult(Outcome):
    """A new code; `code_life_time` and `time_created` are in milliseconds."""

    pre_auth_session_id: str
    code_id: str
    device_id: str = field(repr=False)
    user_input_code: str = field(repr=False)
    link_code: str = field(repr=False)
    code_life_time: int
    time_created: int


class CreateNewCodeForDeviceOkResult(CreateCodeOkResult):
    """A further code of a device; earlier ones stay valid."""


class RestartFlowError(Outcome):
    """The code was used, revoked, guessed at too often or, as a link, expired: another one is to be made."""

    status = "RESTART_FLOW_ERROR"


class CreateNewCodeForDeviceUserInputCodeAlreadyUsedError(Outcome):
    """The device has this code already."""

    status = "USER_INPUT_CODE_ALREADY_USED_ERROR"


@dataclass
class _Attempts(Outcome):
    failed_code_input_attempt_count: int
    maximum_code_input_attempts: int

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "failedCodeInputAttemptCount": self.failed_code_input_attempt_count,
            "maximumCodeInputAttempts": self.maximum_code_input_attempts,
        }


class IncorrectUserInputCodeError(_Attempts):
    """The code is none of the device's."""

    status = "INCORRECT_USER_INPUT_CODE_ERROR"


class ExpiredUserInputCodeError(_Attempts):
    """The code is too old."""

    status = "EXPIRED_USER_INPUT_CODE_ERROR"


class _SignedInOrUp(Outcome):
    """Whose code it was; `created_new_user` and `created_new_recipe_user` are two names of the same."""

    def __init__(
        self, created_new_user: bool | None, user: User, *, created_new_recipe_user: bool | None = None
    ) -> None:
        self.created_new_recipe_user: bool = bool(created_new_user or created_new_recipe_user)
        self.user = user

    @property
    def created_new_user(self) -> bool:
        """The name that 0.24 has for `created_new_recipe_user`."""
        return self.created_new_recipe_user


class ConsumeCodeOkResult(_SignedInOrUp):
    """The code was right, and is used up."""

    def __init__(
        self,
        created_new_user: bool | None = None,
        user: User | None = None,
        recipe_user_id: RecipeUserId | None = None,
        consumed_device: ConsumedDevice | None = None,
        *,
        created_new_recipe_user: bool | None = None,
    ) -> None:
        if user is None:
            raise TypeError("missing required argument: 'user'")
        super().__init__(created_new_user, user, created_new_recipe_user=created_new_recipe_user)
        self.recipe_user_id: RecipeUserId = recipe_user_id or RecipeUserId(user.id)
        self.consumed_device = consumed_device


@dataclass
class CheckCodeOkResult(Outcome):
    """The code is right; it was not used up."""

    consumed_device: ConsumedDevice


class UpdateUserOkResult(Outcome):
    """It is changed."""


class PhoneNumberAlreadyExistsError(Outcome):
    """Another user of this recipe has the phone number in a tenant."""

    status = "PHONE_NUMBER_ALREADY_EXISTS_ERROR"


class PhoneNumberChangeNotAllowedError(Refusal):
    """The user's accounts are linked by a core, which has to change the number."""

    status = "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR"


class RevokeAllCodesOkResult(Outcome):
    """No code of the contact is valid."""


class RevokeCodeOkResult(Outcome):
    """The code is not valid."""


# -- the APIs ------------------------------------------------------------------------------------------


@dataclass
class CreateCodePostOkResult(Outcome):
    """The message was handed to the delivery service."""

    device_id: str = field(repr=False)
    pre_auth_session_id: str
    flow_type: str

    def to_json(self) -> dict[str, Any]:
        return {
            "status": self.status,
            "deviceId": self.device_id,
            "preAuthSessionId": self.pre_auth_session_id,
            "flowType": self.flow_type,
        }


class ResendCodePostOkResult(Outcome):
    """Another message was handed to the delivery service."""


class ConsumeCodePostOkResult(_SignedInOrUp):
    """The user has a session."""

    def __init__(
        self,
        created_new_user: bool | None = None,
        user: User | None = None,
        session: SessionContainer | None = None,
        *,
        created_new_recipe_user: bool | None = None,
    ) -> None:
        if user is None or session is None:
            raise TypeError("missing required arguments: 'user' and 'session'")
        super().__init__(created_new_user, user, created_new_recipe_user=created_new_recipe_user)
        self.session: SessionContainer = session


class SignInUpPostNotAllowedResponse(Refusal):
    """An override may answer so."""

    status = "SIGN_IN_UP_NOT_ALLOWED"


@dataclass
class PhoneNumberExistsGetOkResult(Outcome):
    """Whether a user of this recipe has the phone number in this tenant."""

    exists: bool

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "exists": self.exists}


# -- further names -------------------------------------------------------------------------------------

CreateNewCodeForDeviceRestartFlowError = ConsumeCodeRestartFlowError = RestartFlowError
CheckCodeRestartFlowError = ResendCodePostRestartFlowError = RestartFlowError
ConsumeCodePostRestartFlowError = RestartFlowError
ConsumeCodeIncorrectUserInputCodeError = CheckCodeIncorrectUserInputCodeError = IncorrectUserInputCodeError
ConsumeCodePostIncorrectUserInputCodeError = IncorrectUserInputCodeError
ConsumeCodeExpiredUserInputCodeError = CheckCodeExpiredUserInputCodeError = ExpiredUserInputCodeError
ConsumeCodePostExpiredUserInputCodeError = ExpiredUserInputCodeError
UpdateUserUnknownUserIdError = DeleteUserInfoUnknownUserIdError = UnknownUserIdError
UpdateUserEmailAlreadyExistsError = EmailAlreadyExistsError
UpdateUserPhoneNumberAlreadyExistsError = PhoneNumberAlreadyExistsError
UpdateUserEmailChangeNotAllowedError = EmailChangeNotAllowedError
UpdateUserPhoneNumberChangeNotAllowedError = PhoneNumberChangeNotAllowedError
DeleteUserInfoOkResult = UpdateUserOkResult
