"""One-time codes and links: made, used, checked, shown and ended."""

from __future__ import annotations

from supertokens_py.cdi.codes import (
    CODE_USED,
    EXPIRED,
    INCORRECT,
    RESTART,
    created_to_wire,
    device_to_wire,
    passwordless_method,
    used_to_wire,
    wrong_to_wire,
)
from supertokens_py.cdi.users import RETRY_AFTER, signed_in_to_wire, user_to_wire
from supertokens_py.engine.code_records import (
    KEEP,
    CodeAlreadyUsed,
    Keep,
    NewCode,
    PhoneNumberChangeNotAllowed,
    PhoneNumberTaken,
    PresentedCode,
    RestartFlow,
    WrongCode,
)
from supertokens_py.engine.user_records import EmailChangeNotAllowed, EmailTaken, UnknownUser
from supertokens_py.engine.user_services import Passwordless
from supertokens_py.exceptions import TooManyAttemptsError
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import AccountInfo, User

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import FLAG, INTEGER, TEXT, USER, Shape, by_status, list_of, object_of
from .users import NO_USERS


async def _create(request: EndpointRequest) -> JSONObject:
    new = NewCode(
        email=request.optional_text("email"),
        phone_number=request.optional_text("phoneNumber"),
        device_id=request.optional_secret("deviceId"),
        user_input_code=request.optional_secret("userInputCode"),
    )
    made = await request.ask(_store(request).create_code, request.tenant_id, new)
    match made:
        case RestartFlow():
            return RESTART
        case CodeAlreadyUsed():
            return CODE_USED
        case _:
            return created_to_wire(made)


async def _consume(request: EndpointRequest) -> JSONObject:
    presented, store = _presented(request), _store(request)
    try:
        used = await request.ask(store.consume, request.tenant_id, presented, client=request.client)
    except TooManyAttemptsError as error:
        return _too_many(error)
    if isinstance(used, RestartFlow | WrongCode):
        return _not_used(used)
    method = passwordless_method(used.user, user_id=used.recipe_user_id) or used.user.login_methods[0]
    return {
        **signed_in_to_wire(used.user, method, request.version),
        "createdNewUser": used.created,
        **used_to_wire(used.device, request.version),
    }


async def _check(request: EndpointRequest) -> JSONObject:
    presented, store = _presented(request), _store(request)
    if not request.version.names_used_device:
        raise Refused(404, "Not found")
    try:
        checked = await request.ask(store.check, request.tenant_id, presented, client=request.client)
    except TooManyAttemptsError as error:
        return _too_many(error)
    if isinstance(checked, RestartFlow | WrongCode):
        return _not_used(checked)
    return {"status": "OK", **used_to_wire(checked.device, request.version)}


def _presented(request: EndpointRequest) -> PresentedCode:
    return PresentedCode(
        pre_auth_session_id=request.text("preAuthSessionId"),
        link_code=request.optional_secret("linkCode"),
        device_id=request.optional_secret("deviceId"),
        user_input_code=request.optional_secret("userInputCode"),
    )


def _not_used(result: RestartFlow | WrongCode) -> JSONObject:
    return RESTART if isinstance(result, RestartFlow) else wrong_to_wire(result)


def _too_many(error: TooManyAttemptsError) -> JSONObject:
    """Answer as for a wrong code: official clients know no other refusal, and read on without the time."""
    failed, most = error.attempts
    return {**wrong_to_wire(WrongCode(False, failed, most)), RETRY_AFTER: error.retry_after_ms}


async def _revoke(request: EndpointRequest) -> JSONObject:
    by_device = request.version.names_used_device
    code_id = request.optional_text("codeId") if by_device else request.text("codeId")
    device = request.optional_text("preAuthSessionId") if by_device else None
    await request.ask(
        _store(request).revoke_code, request.tenant_id, code_id=code_id, pre_auth_session_id=device
    )
    return {"status": "OK"}


async def _revoke_all(request: EndpointRequest) -> JSONObject:
    email, number = request.optional_text("email"), request.optional_text("phoneNumber")
    await request.ask(_store(request).revoke_codes, request.tenant_id, email=email, phone_number=number)
    return {"status": "OK"}


async def _devices(request: EndpointRequest) -> JSONObject:
    asked = {name: request.optional_param(name) for name in _BY}
    if sum(value is not None for value in asked.values()) != 1:
        raise Refused(400, f"Please provide exactly one of {', '.join(_BY)}")
    found = (
        await request.ask(
            request.engine.passwordless.devices,
            request.tenant_id,
            email=asked["email"],
            phone_number=asked["phoneNumber"],
            device_id=asked["deviceId"],
            pre_auth_session_id=asked["preAuthSessionId"],
        )
        if request.engine.keeps_users
        else []
    )
    return {"status": "OK", "devices": [device_to_wire(device) for device in found]}


async def find_user(request: EndpointRequest) -> JSONObject:
    """Answer who has an id, an address or a number, among the users of this recipe."""
    user_id, email = request.optional_param("userId"), request.optional_param("email")
    number = request.optional_param("phoneNumber")
    if sum(one is not None for one in (user_id, email, number)) != 1:
        raise Refused(400, "Please provide exactly one of userId, email or phoneNumber")
    found: list[User] = []
    if user_id is not None:
        request.only_for_app()
        user = await request.ask(request.engine.users.find, user_id) if request.engine.keeps_users else None
        found = [] if user is None else [user]
    elif request.engine.keeps_users:
        asked = AccountInfo(email=email, phone_number=number)
        found = await request.ask(request.engine.users.by_account_info, request.tenant_id, asked)
    for user in found:
        method = passwordless_method(user, email=email, phone_number=number, user_id=user_id)
        if method is not None:
            return {"status": "OK", "user": user_to_wire(user, method, request.version)}
    unknown = "USER_ID" if user_id is not None else "EMAIL" if email is not None else "PHONE_NUMBER"
    return {"status": f"UNKNOWN_{unknown}_ERROR"}


async def update_user(request: EndpointRequest) -> JSONObject:
    """Change or clear (null) the contacts of a user of this recipe."""
    user_id = request.text("recipeUserId" if request.version.knows_recipe_users else "userId")
    email, number = _contact(request, "email"), _contact(request, "phoneNumber")
    result = await request.ask(_store(request).update, user_id, email=email, phone_number=number)
    match result:
        case UnknownUser():
            return {"status": "UNKNOWN_USER_ID_ERROR"}
        case EmailTaken():
            return {"status": "EMAIL_ALREADY_EXISTS_ERROR"}
        case PhoneNumberTaken():
            return {"status": "PHONE_NUMBER_ALREADY_EXISTS_ERROR"}
        case EmailChangeNotAllowed(reason):
            return {"status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "reason": reason}
        case PhoneNumberChangeNotAllowed(reason):
            return {"status": "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR", "reason": reason}
        case None:
            return {"status": "OK"}


def _contact(request: EndpointRequest, name: str) -> str | Keep | None:
    if request.is_null(name):
        return None
    return request.text(name) if name in request.body else KEEP


def _store(request: EndpointRequest) -> Passwordless:
    if not request.engine.keeps_users:
        raise Refused(403, NO_USERS)
    return request.engine.passwordless


_PATH = "/recipe/signinup/code"
_BY = ("email", "phoneNumber", "deviceId", "preAuthSessionId")
_CONTACT: Shape = {"email?": TEXT, "phoneNumber?": TEXT}
_USED: Shape = {"preAuthSessionId": TEXT, "failedCodeInputAttemptCount": INTEGER, **_CONTACT}
_CODE = object_of({"codeId": TEXT, "timeCreated": INTEGER, "codeLifetime": INTEGER}, closed=True)
_COUNTS: Shape = {
    "failedCodeInputAttemptCount": INTEGER,
    "maximumCodeInputAttempts": INTEGER,
    f"{RETRY_AFTER}?": INTEGER,
}
_REFUSED: dict[str, Shape] = {"RESTART_FLOW_ERROR": {}, INCORRECT: _COUNTS, EXPIRED: _COUNTS}
_PRESENTED: Shape = {
    "preAuthSessionId": TEXT,
    "linkCode?": TEXT,
    "deviceId?": TEXT,
    "userInputCode?": TEXT,
}
_DONE = by_status({"OK": {}})

ENDPOINTS = (
    Endpoint(
        "POST",
        _PATH,
        Scope.TENANT,
        _create,
        body={**_CONTACT, "deviceId?": TEXT, "userInputCode?": TEXT},
        answer=by_status(
            {
                "OK": {
                    **dict.fromkeys(("preAuthSessionId", "codeId", "deviceId"), TEXT),
                    **dict.fromkeys(("userInputCode", "linkCode"), TEXT),
                    **dict.fromkeys(("timeCreated", "codeLifetime"), INTEGER),
                },
                "RESTART_FLOW_ERROR": {},
                "USER_INPUT_CODE_ALREADY_USED_ERROR": {},
            }
        ),
    ),
    Endpoint(
        "POST",
        f"{_PATH}/consume",
        Scope.TENANT,
        _consume,
        body=_PRESENTED,
        answer=by_status(
            {
                "OK": {
                    "createdNewUser": FLAG,
                    "user": USER,
                    "recipeUserId?": TEXT,
                    "consumedDevice?": object_of(_USED, closed=True),
                },
                **_REFUSED,
            }
        ),
    ),
    Endpoint(
        "POST",
        f"{_PATH}/check",
        Scope.TENANT,
        _check,
        body=_PRESENTED,
        answer=by_status({"OK": {"consumedDevice": object_of(_USED, closed=True)}, **_REFUSED}),
    ),
    Endpoint(
        "POST",
        f"{_PATH}/remove",
        Scope.TENANT,
        _revoke,
        body={"codeId?": TEXT, "preAuthSessionId?": TEXT},
        answer=_DONE,
    ),
    Endpoint("POST", f"{_PATH}s/remove", Scope.TENANT, _revoke_all, body=_CONTACT, answer=_DONE),
    Endpoint(
        "GET",
        f"{_PATH}s",
        Scope.TENANT,
        _devices,
        query={f"{name}?": TEXT for name in _BY},
        answer=by_status(
            {"OK": {"devices": list_of(object_of({**_USED, "codes": list_of(_CODE)}, closed=True))}}
        ),
    ),
)
