"""What engines answer with, as the results of this recipe."""

from __future__ import annotations

from typing import TypeAlias

from supertokens_py.engine.code_records import (
    CreatedCode,
    Device,
    PhoneNumberChangeNotAllowed,
    PhoneNumberTaken,
    RestartFlow,
    WrongCode,
)
from supertokens_py.engine.user_records import EmailChangeNotAllowed, EmailTaken, UnknownUser
from supertokens_py.exceptions import GeneralError
from supertokens_py.recipe.sign_in.outcomes import (
    EmailAlreadyExistsError,
    EmailChangeNotAllowedError,
    UnknownUserIdError,
)

from .results import (
    ExpiredUserInputCodeError,
    IncorrectUserInputCodeError,
    PhoneNumberAlreadyExistsError,
    PhoneNumberChangeNotAllowedError,
    RestartFlowError,
    UpdateUserOkResult,
)
from .types import ConsumedDevice, DeviceCode, DeviceType

Refused: TypeAlias = RestartFlowError | IncorrectUserInputCodeError | ExpiredUserInputCodeError
NotUpdated: TypeAlias = (
    UnknownUserIdError
    | EmailAlreadyExistsError
    | PhoneNumberAlreadyExistsError
    | EmailChangeNotAllowedError
    | PhoneNumberChangeNotAllowedError
)
Updated: TypeAlias = UpdateUserOkResult | NotUpdated


def not_updated(
    result: UnknownUser | EmailTaken | PhoneNumberTaken | EmailChangeNotAllowed | PhoneNumberChangeNotAllowed,
) -> NotUpdated:
    """Return why a user was not changed."""
    if isinstance(result, EmailChangeNotAllowed):
        return EmailChangeNotAllowedError(result.reason)
    if isinstance(result, PhoneNumberChangeNotAllowed):
        return PhoneNumberChangeNotAllowedError(result.reason)
    if isinstance(result, UnknownUser):
        return UnknownUserIdError()
    return EmailAlreadyExistsError() if isinstance(result, EmailTaken) else PhoneNumberAlreadyExistsError()


def values_of(made: CreatedCode) -> tuple[str, str, str, str, str, int, int]:
    """Return a new code in the order of the arguments of `CreateCodeOkResult`."""
    return (
        made.pre_auth_session_id,
        made.code_id,
        made.device_id,
        made.user_input_code,
        made.link_code,
        made.lifetime_ms,
        made.created_ms,
    )


def refused(result: RestartFlow | WrongCode) -> Refused:
    """Return why a code was refused."""
    if isinstance(result, RestartFlow):
        return RestartFlowError()
    kind = ExpiredUserInputCodeError if result.expired else IncorrectUserInputCodeError
    return kind(result.failed_attempts, result.max_attempts)


def without(result: Updated) -> UpdateUserOkResult | UnknownUserIdError:
    """Return the answer to a deletion, which takes nobody's address or number."""
    if isinstance(result, UpdateUserOkResult | UnknownUserIdError):
        return result
    raise GeneralError(f"nothing can be deleted: {result.status}")


def consumed(device: Device) -> ConsumedDevice:
    """Return the device of a code."""
    return ConsumedDevice(
        device.pre_auth_session_id, device.failed_attempts, device.email, device.phone_number
    )


def device(device: Device) -> DeviceType:
    """Return a device with its codes."""
    codes = [DeviceCode(code.code_id, code.created_ms, code.lifetime_ms) for code in device.codes]
    return DeviceType(
        device.pre_auth_session_id, device.failed_attempts, codes, device.email, device.phone_number
    )
