"""What frontends send to the routes of this recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.sign_in.mailing import LONGEST_TOKEN
from supertokens_py.secret import masked

from .contacts import ContactConfig

_ONE_CONTACT = "Please provide exactly one of email or phoneNumber"
_ONE_PROOF = "Please provide one of (linkCode) or (deviceId+userInputCode) and not both"


@dataclass(frozen=True)
class SentAgain:
    """For which device another code is wanted."""

    device_id: str = field(repr=False)
    pre_auth_session_id: str


@dataclass(frozen=True)
class Presented:
    """A code with its device, or the code of a link."""

    pre_auth_session_id: str
    user_input_code: str | None = field(repr=False)
    device_id: str | None = field(repr=False)
    link_code: str | None = field(repr=False)


def contact_of(body: Mapping[str, Any], config: ContactConfig) -> tuple[str | None, str | None]:
    """Return the e-mail address, or else the phone number, that a code is wanted for.

    Raises:
        BadInputError: there is not exactly one, or not one of the kind that codes are sent to.
    """
    email, phone_number = text_of(body, "email"), text_of(body, "phoneNumber")
    if (email is None) == (phone_number is None):
        raise BadInputError(_ONE_CONTACT)
    if email is None and not config.has_phone:
        raise BadInputError('Please provide an email since you have set the contactMethod to "EMAIL"')
    if phone_number is None and not config.has_email:
        raise BadInputError('Please provide a phoneNumber since you have set the contactMethod to "PHONE"')
    return email, phone_number


def sent_again_of(body: Mapping[str, Any]) -> SentAgain:
    """Return for which device another code is wanted.

    Raises:
        BadInputError: something is missing, or no text.
    """
    pre_auth_session_id = _session_id_of(body)
    device_id = text_of(body, "deviceId")
    if device_id is None:
        raise BadInputError("Please provide deviceId")
    return SentAgain(device_id, pre_auth_session_id)


def presented_of(body: Mapping[str, Any]) -> Presented:
    """Return the code or link that somebody signs in with.

    Raises:
        BadInputError: something is missing, no text, or there are both.
    """
    pre_auth_session_id = _session_id_of(body)
    link_code, device_id = text_of(body, "linkCode"), text_of(body, "deviceId")
    user_input_code = text_of(body, "userInputCode")
    by_code = device_id is not None or user_input_code is not None
    if by_code == (link_code is not None):
        raise BadInputError(_ONE_PROOF)
    if by_code and (device_id is None or user_input_code is None):
        raise BadInputError("Please provide both deviceId and userInputCode")
    return Presented(pre_auth_session_id, user_input_code, device_id, link_code)


def _session_id_of(body: Mapping[str, Any]) -> str:
    found = text_of(body, "preAuthSessionId")
    if found is None:
        raise BadInputError("Please provide preAuthSessionId")
    return found.rstrip("=")  # official cores accept it padded


def text_of(body: Mapping[str, Any], name: str) -> str | None:
    """Return a text of a body; None where it is missing, null or empty.

    Raises:
        BadInputError: it is something else, or too long.
    """
    value = masked(body.get(name))
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BadInputError(f"{name} must be a string")
    if len(value) > LONGEST_TOKEN:
        raise BadInputError(f"{name} is too long")
    return value
