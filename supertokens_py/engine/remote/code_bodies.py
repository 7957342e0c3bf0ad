"""What a core is sent of one-time codes and links."""

from __future__ import annotations

from supertokens_py.engine import validation
from supertokens_py.engine.code_records import NewCode, PresentedCode
from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import masked
from supertokens_py.types.base import JSONObject


def contact_body(email: str | None, phone_number: str | None) -> dict[str, str]:
    """Return how a core is told of an address or a phone number.

    Raises:
        BadInputError: it is not exactly one of them.
    """
    if (email is None) == (phone_number is None):
        raise BadInputError("Please provide exactly one of email or phoneNumber")
    if email is not None:
        return {"email": validation.stored_email(email)}
    return {"phoneNumber": validation.stored_phone_number(phone_number)}


def new_code_body(new: NewCode) -> JSONObject:
    """Return what a core makes a code from.

    Raises:
        BadInputError: it is not for exactly one of contact and device, or the code is empty.
    """
    if sum(one is not None for one in (new.email, new.phone_number, new.device_id)) != 1:
        raise BadInputError("Please provide exactly one of email, phoneNumber or deviceId")
    if new.user_input_code == "":
        raise BadInputError("userInputCode cannot be an empty string.")
    if new.device_id is None:
        body: JSONObject = dict(contact_body(new.email, new.phone_number))
    else:
        body = {"deviceId": masked(new.device_id)}
    return body if new.user_input_code is None else {**body, "userInputCode": masked(new.user_input_code)}


def presented_body(presented: PresentedCode) -> JSONObject:
    """Return how a core is told of a code or link that somebody presents.

    Raises:
        BadInputError: it is not exactly one of link and code.
    """
    by_link, by_code = presented.link_code, (presented.device_id, presented.user_input_code)
    if (by_link is None) != (None not in by_code) or (by_link is not None and by_code != (None, None)):
        raise BadInputError("Please provide exactly one of linkCode or deviceId+userInputCode")
    given = {"linkCode": by_link, "deviceId": by_code[0], "userInputCode": by_code[1]}
    sent = {name: masked(value) for name, value in given.items() if value is not None}
    return {"preAuthSessionId": presented.pre_auth_session_id, **sent}
