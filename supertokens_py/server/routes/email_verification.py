"""Which e-mail addresses were verified, and the tokens that verify them. Any user id will do."""

from __future__ import annotations

from supertokens_py.cdi.users import consumed_to_wire
from supertokens_py.engine.user_services import EmailVerification
from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import FLAG, TEXT, Shape, by_status
from .users import NO_USERS

_VERIFIED: JSONObject = {"status": "EMAIL_ALREADY_VERIFIED_ERROR"}
_INVALID: JSONObject = {"status": "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"}


async def _create_token(request: EndpointRequest) -> JSONObject:
    user_id, email = request.user_id(), request.text("email")
    token = await request.ask(_store(request).create_token, request.tenant_id, user_id, email)
    return _VERIFIED if token is None else {"status": "OK", "token": token}


async def _verify(request: EndpointRequest) -> JSONObject:
    method, token = request.text("method"), request.secret("token")
    if method != "token":
        raise Refused(400, "Unsupported method for email verification")
    verified = await request.ask(_store(request).verify, request.tenant_id, token)
    return _INVALID if verified is None else consumed_to_wire(verified)


async def _is_verified(request: EndpointRequest) -> JSONObject:
    user_id, email = request.param("userId"), request.param("email")
    verified = request.engine.keeps_users and await request.ask(
        request.engine.email_verification.is_verified, user_id, email
    )
    return {"status": "OK", "isVerified": verified}


async def _revoke_tokens(request: EndpointRequest) -> JSONObject:
    user_id, email = request.text("userId"), request.text("email")
    await request.ask(_store(request).revoke_tokens, request.tenant_id, user_id, email)
    return {"status": "OK"}


async def _unverify(request: EndpointRequest) -> JSONObject:
    user_id, email = request.text("userId"), request.text("email")
    await request.ask(_store(request).unverify, user_id, email)
    return {"status": "OK"}


def _store(request: EndpointRequest) -> EmailVerification:
    if not request.engine.keeps_users:
        raise Refused(403, NO_USERS)
    return request.engine.email_verification


_PATH = "/recipe/user/email/verify"
_PAIR: Shape = {"userId": TEXT, "email": TEXT}
_DONE = by_status({"OK": {}})

ENDPOINTS = (
    Endpoint(
        "POST",
        f"{_PATH}/token",
        Scope.TENANT,
        _create_token,
        body=_PAIR,
        answer=by_status({"OK": {"token": TEXT}, "EMAIL_ALREADY_VERIFIED_ERROR": {}}),
    ),
    Endpoint(
        "POST",
        _PATH,
        Scope.TENANT,
        _verify,
        body={"method": TEXT, "token": TEXT},
        answer=by_status({"OK": _PAIR, "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR": {}}),
    ),
    Endpoint(
        "GET",
        _PATH,
        Scope.APP,
        _is_verified,
        query=_PAIR,
        answer=by_status({"OK": {"isVerified": FLAG}}),
    ),
    Endpoint("POST", f"{_PATH}/token/remove", Scope.TENANT, _revoke_tokens, body=_PAIR, answer=_DONE),
    Endpoint("POST", f"{_PATH}/remove", Scope.APP, _unverify, body=_PAIR, answer=_DONE),
)
