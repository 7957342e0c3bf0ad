"""One-time codes, links and their devices as JSON objects, to the wire and from it."""

from __future__ import annotations

from supertokens_py.engine.code_records import (
    CreatedCode,
    Device,
    DeviceCode,
    WrongCode,
)
from supertokens_py.engine.user_records import PASSWORDLESS
from supertokens_py.secret import SecretText
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import LoginMethod, User

from .records import member, optional_member
from .versions import Version

RESTART: JSONObject = {"status": "RESTART_FLOW_ERROR"}
CODE_USED: JSONObject = {"status": "USER_INPUT_CODE_ALREADY_USED_ERROR"}
INCORRECT, EXPIRED = "INCORRECT_USER_INPUT_CODE_ERROR", "EXPIRED_USER_INPUT_CODE_ERROR"


def passwordless_method(
    user: User, *, email: str | None = None, phone_number: str | None = None, user_id: str | None = None
) -> LoginMethod | None:
    """Return the login method of a user that has a contact or an id, else the first one with codes."""
    methods = [method for method in user.login_methods if method.recipe_id == PASSWORDLESS]
    own = [
        method
        for method in methods
        if str(method.recipe_user_id) == user_id
        or method.has_same_email_as(email)
        or (phone_number is not None and method.phone_number == phone_number)
    ]
    return next(iter(own or methods), None)


# To the wire


def created_to_wire(made: CreatedCode) -> JSONObject:
    """Return the answer to the making of a code."""
    return {
        "status": "OK",
        "preAuthSessionId": made.pre_auth_session_id,
        "codeId": made.code_id,
        "deviceId": made.device_id,
        "userInputCode": made.user_input_code,
        "linkCode": made.link_code,
        "timeCreated": made.created_ms,
        "codeLifetime": made.lifetime_ms,
    }


def wrong_to_wire(wrong: WrongCode) -> JSONObject:
    """Return the answer to a wrong code."""
    return {
        "status": EXPIRED if wrong.expired else INCORRECT,
        "failedCodeInputAttemptCount": wrong.failed_attempts,
        "maximumCodeInputAttempts": wrong.max_attempts,
    }


def used_to_wire(device: Device | None, version: Version) -> JSONObject:
    """Return what an answer says of a device that was used; nothing below CDI 5.0."""
    return {"consumedDevice": _device(device)} if device is not None and version.names_used_device else {}


def device_to_wire(device: Device) -> JSONObject:
    """Return a device with its codes."""
    codes = [
        {"codeId": code.code_id, "timeCreated": code.created_ms, "codeLifetime": code.lifetime_ms}
        for code in device.codes
    ]
    return {**_device(device), "codes": codes}


def _device(device: Device) -> JSONObject:
    contacts = {"email": device.email, "phoneNumber": device.phone_number}
    return {
        "preAuthSessionId": device.pre_auth_session_id,
        "failedCodeInputAttemptCount": device.failed_attempts,
        **{name: value for name, value in contacts.items() if value is not None},
    }


# From the wire


def created_from_wire(answer: JSONObject) -> CreatedCode:
    """Read what `created_to_wire` writes."""
    return CreatedCode(
        pre_auth_session_id=member(answer, "preAuthSessionId", str),
        code_id=member(answer, "codeId", str),
        device_id=SecretText(member(answer, "deviceId", str)),
        user_input_code=SecretText(member(answer, "userInputCode", str)),
        link_code=SecretText(member(answer, "linkCode", str)),
        created_ms=member(answer, "timeCreated", int),
        lifetime_ms=member(answer, "codeLifetime", int),
    )


def wrong_from_wire(answer: JSONObject) -> WrongCode:
    """Read what `wrong_to_wire` writes."""
    return WrongCode(
        answer.get("status") == EXPIRED,
        member(answer, "failedCodeInputAttemptCount", int),
        member(answer, "maximumCodeInputAttempts", int),
    )


def used_from_wire(answer: JSONObject) -> Device:
    """Read what `used_to_wire` writes, from CDI 5.0 on."""
    return device_from_wire(member(answer, "consumedDevice", dict))


def device_from_wire(wire: object) -> Device:
    """Read a device, with its codes where they are."""
    return Device(
        pre_auth_session_id=member(wire, "preAuthSessionId", str),
        failed_attempts=member(wire, "failedCodeInputAttemptCount", int),
        email=optional_member(wire, "email", str),
        phone_number=optional_member(wire, "phoneNumber", str),
        codes=tuple(
            DeviceCode(
                code_id=member(code, "codeId", str),
                created_ms=member(code, "timeCreated", int),
                lifetime_ms=member(code, "codeLifetime", int),
            )
            for code in optional_member(wire, "codes", list) or ()
        ),
    )


def devices_from_wire(answer: JSONObject) -> list[Device]:
    """Read a list of devices."""
    return [device_from_wire(device) for device in member(answer, "devices", list)]
