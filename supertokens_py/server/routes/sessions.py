"""The session endpoints. Every version rotates refresh tokens; clients below CDI 5.6 see the older shapes."""

from __future__ import annotations

import json

from supertokens_py.cdi.records import (
    issued_to_wire,
    regenerated_to_wire,
    stored_to_wire,
    theft_to_wire,
    token_to_wire,
    unauthorised,
    verified_to_wire,
)
from supertokens_py.engine.call import call_engine
from supertokens_py.engine.records import (
    IssuedSession,
    NewSession,
    RefreshRequest,
    StoredSession,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    Verified,
)
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.types.base import JSONObject

from ..access_tokens import anti_csrf_problem, trusted_token
from ..endpoint_request import Call, Refused
from ..routing import Endpoint, Scope
from ..schemas import (
    FLAG,
    INTEGER,
    ISSUED,
    OBJECT,
    REFRESHED,
    REGENERATED,
    STORED,
    TEXT,
    TEXTS,
    UNAUTHORISED,
    VERIFIED,
    Shape,
    by_status,
)


async def _create(call: Call) -> JSONObject:
    new = NewSession(
        user_id=call.user_id(),
        tenant_id=call.tenant_id,
        payload=call.object("userDataInJWT"),
        data=call.object("userDataInDatabase"),
        anti_csrf=call.flag("enableAntiCsrf"),
        dynamic_key=call.flag("useDynamicSigningKey", default=True),
        access_token_validity_ms=_validity(call),
        token_version=call.version.access_token_version,
    )
    created = await call_engine(None, call.engine.sessions.create, new)
    return issued_to_wire(created, call.version)


async def _verify(call: Call) -> JSONObject:
    if call.version.rotates:
        call.only_for_app()
    text, checks_anti_csrf = call.text("accessToken"), _checks_anti_csrf(call)
    check_database, sent = call.flag("checkDatabase"), call.optional_text("antiCsrfToken")
    token = await trusted_token(call.engine, text, now_ms=call.now_ms())
    if isinstance(token, str):
        return _try_refresh(token)
    if checks_anti_csrf and (problem := anti_csrf_problem(token, sent)):
        return _try_refresh(problem)
    sessions = call.engine.sessions
    outcome: Verified | Unauthorised | TryRefresh = Verified()
    if sessions.needs_lookup(token, check_database=check_database):
        outcome = await call_engine(None, sessions.verify, token, check_database=check_database)
    if isinstance(outcome, Unauthorised):
        return unauthorised(outcome.message)
    if isinstance(outcome, TryRefresh):
        # From 5.6 a token that was rotated out is reported like a missing session; before, nothing of
        # the kind was known, and this status lets a client refresh instead of logging out.
        return unauthorised(outcome.message) if call.version.rotates else _try_refresh(outcome.message)
    answer = verified_to_wire(token, call.version)
    if outcome.access_token is not None and not call.version.rotates:
        answer["accessToken"] = token_to_wire(outcome.access_token)
    elif check_database:
        return await _with_stored_payload(call, token, answer, outcome.payload)
    return answer


async def _with_stored_payload(
    call: Call, token: AccessToken, answer: JSONObject, payload: JSONObject | None
) -> JSONObject:
    """Say that the payload in the database differs (5.6), or hand out a token that holds it (before)."""
    if payload is None:  # the engine did not see it on its way
        stored = await call_engine(None, call.engine.sessions.information, token.handle)
        if stored is None:
            return unauthorised()
        payload = stored.payload
    differs = _canonical(payload) != _canonical(answer["session"]["userDataInJWT"])
    if call.version.rotates:
        answer["payloadUpdateAvailable"] = differs
    elif differs:
        outcome = await call_engine(None, call.engine.sessions.regenerate, token.text)
        if isinstance(outcome, Unauthorised):
            return unauthorised(outcome.message)
        if outcome.access_token is not None:
            answer["session"]["userDataInJWT"] = outcome.payload
            answer["accessToken"] = token_to_wire(outcome.access_token)
    return answer


async def _refresh(call: Call) -> JSONObject:
    request = RefreshRequest(
        refresh_token=call.text("refreshToken"),
        anti_csrf_token=call.optional_text("antiCsrfToken"),
        anti_csrf=call.flag("enableAntiCsrf"),
        dynamic_key=_key_family(call),
        access_token_validity_ms=_validity(call),
        token_version=call.version.access_token_version,
    )
    outcome = await call_engine(None, call.engine.sessions.refresh, request)
    match outcome:
        case IssuedSession():
            return issued_to_wire(outcome, call.version)
        case Unauthorised():
            answer = unauthorised(outcome.message)
            if outcome.reuse is not None and call.version.rotates:
                answer["recentTokenReuseSubtype"] = outcome.reuse
            return answer
        case TokenTheft():  # pragma: no branch - the last of three
            return theft_to_wire(outcome, call.version)


async def _regenerate(call: Call) -> JSONObject:
    outcome = await call_engine(
        None,
        call.engine.sessions.regenerate,
        call.text("accessToken"),
        payload=call.optional_object("userDataInJWT"),
    )
    if isinstance(outcome, Unauthorised):
        return unauthorised(outcome.message)
    return regenerated_to_wire(outcome, call.version)


async def _remove(call: Call) -> JSONObject:
    if ("userId" in call.body) == ("sessionHandles" in call.body):
        raise Refused(400, "Invalid JSON input. Exactly one of userId and sessionHandles must be given")
    if "sessionHandles" in call.body:
        for name in ("revokeAcrossAllTenants", "revokeSessionsForLinkedAccounts"):
            if name in call.body:
                raise Refused(400, f"Invalid JSON input. Cannot set {name} with sessionHandles")
        revoked = await call_engine(None, call.engine.sessions.revoke, call.texts("sessionHandles"))
        return {"status": "OK", "sessionHandlesRevoked": revoked}
    everywhere = call.flag("revokeAcrossAllTenants", default=True)
    revoked = await call_engine(
        None,
        call.engine.sessions.revoke_user,
        call.text("userId"),
        tenant_id=_one_tenant(call, everywhere),
        linked_accounts=call.flag("revokeSessionsForLinkedAccounts", default=True),
    )
    return {"status": "OK", "sessionHandlesRevoked": revoked}


async def _list_of_user(call: Call) -> JSONObject:
    everywhere = call.param_flag("fetchAcrossAllTenants", default=True)
    handles = await call_engine(
        None,
        call.engine.sessions.user_handles,
        call.param("userId"),
        tenant_id=_one_tenant(call, everywhere),
        linked_accounts=call.param_flag("fetchSessionsForAllLinkedAccounts", default=True),
    )
    return {"status": "OK", "sessionHandles": handles}


async def _get(call: Call) -> JSONObject:
    stored = await call_engine(None, call.engine.sessions.information, call.param("sessionHandle"))
    if stored is None:
        return unauthorised()
    return stored_to_wire(stored, call.version)


async def _get_data(call: Call) -> JSONObject:
    return _member(
        await call_engine(None, call.engine.sessions.information, call.param("sessionHandle")),
        "userDataInDatabase",
    )


async def _get_payload(call: Call) -> JSONObject:
    return _member(
        await call_engine(None, call.engine.sessions.information, call.param("sessionHandle")),
        "userDataInJWT",
    )


async def _put_data(call: Call) -> JSONObject:
    handle, data = call.text("sessionHandle"), call.object("userDataInDatabase")
    return _changed(await call_engine(None, call.engine.sessions.replace_data, handle, data))


async def _put_payload(call: Call) -> JSONObject:
    handle, payload = call.text("sessionHandle"), call.object("userDataInJWT")
    version = call.version.access_token_version
    return _changed(
        await call_engine(None, call.engine.sessions.replace_payload, handle, payload, token_version=version)
    )


def _checks_anti_csrf(call: Call) -> bool:
    enabled, do_check = call.flag("enableAntiCsrf"), call.flag("doAntiCsrfCheck")
    return enabled and do_check


def _validity(call: Call) -> int | None:
    return call.optional_integer("accessTokenValidity") if call.version.rotates else None


def _key_family(call: Call) -> bool | None:
    name = "useDynamicSigningKey"
    return call.flag(name) if call.version.names_signing_key else call.optional_flag(name)


def _one_tenant(call: Call, everywhere: bool) -> str | None:
    if not everywhere:
        return call.tenant_id
    call.only_for_app()
    return None


def _canonical(payload: JSONObject) -> str:
    return json.dumps(payload, sort_keys=True)


def _try_refresh(message: str) -> JSONObject:
    return {"status": "TRY_REFRESH_TOKEN", "message": message}


def _changed(existed: bool) -> JSONObject:
    return {"status": "OK"} if existed else unauthorised()


def _member(stored: StoredSession | None, name: str) -> JSONObject:
    if stored is None:
        return unauthorised()
    return {"status": "OK", name: stored.data if name == "userDataInDatabase" else stored.payload}


_HANDLE: Shape = {"sessionHandle": TEXT}

ENDPOINTS = (
    Endpoint(
        "POST",
        "/recipe/session",
        Scope.TENANT,
        _create,
        body={
            "userId": TEXT,
            "userDataInJWT": OBJECT,
            "userDataInDatabase": OBJECT,
            "enableAntiCsrf": FLAG,
            "useDynamicSigningKey?": FLAG,
            "accessTokenValidity?": INTEGER,
        },
        answer=by_status(ISSUED),
    ),
    Endpoint("GET", "/recipe/session", Scope.IGNORED, _get, query=_HANDLE, answer=by_status(STORED)),
    Endpoint(
        "POST",
        "/recipe/session/verify",
        Scope.IGNORED,
        _verify,
        body={
            "accessToken": TEXT,
            "enableAntiCsrf": FLAG,
            "doAntiCsrfCheck": FLAG,
            "checkDatabase": FLAG,
            "antiCsrfToken?": TEXT,
        },
        answer=by_status(VERIFIED),
    ),
    Endpoint(
        "POST",
        "/recipe/session/refresh",
        Scope.IGNORED,
        _refresh,
        body={
            "refreshToken": TEXT,
            "enableAntiCsrf": FLAG,
            "useDynamicSigningKey": FLAG,
            "antiCsrfToken?": TEXT,
            "accessTokenValidity?": INTEGER,
        },
        answer=by_status(REFRESHED),
    ),
    Endpoint(
        "POST",
        "/recipe/session/regenerate",
        Scope.IGNORED,
        _regenerate,
        body={"accessToken": TEXT, "userDataInJWT?": OBJECT},
        answer=by_status(REGENERATED),
    ),
    Endpoint(
        "POST",
        "/recipe/session/remove",
        Scope.TENANT,
        _remove,
        body={
            "userId?": TEXT,
            "sessionHandles?": TEXTS,
            "revokeAcrossAllTenants?": FLAG,
            "revokeSessionsForLinkedAccounts?": FLAG,
        },
        answer=by_status({"OK": {"sessionHandlesRevoked": TEXTS}}),
    ),
    Endpoint(
        "GET",
        "/recipe/session/user",
        Scope.TENANT,
        _list_of_user,
        query={"userId": TEXT, "fetchAcrossAllTenants?": FLAG, "fetchSessionsForAllLinkedAccounts?": FLAG},
        answer=by_status({"OK": {"sessionHandles": TEXTS}}),
    ),
    Endpoint(
        "GET",
        "/recipe/session/data",
        Scope.IGNORED,
        _get_data,
        query=_HANDLE,
        answer=by_status({"OK": {"userDataInDatabase": OBJECT}, **UNAUTHORISED}),
    ),
    Endpoint(
        "PUT",
        "/recipe/session/data",
        Scope.IGNORED,
        _put_data,
        body={**_HANDLE, "userDataInDatabase": OBJECT},
        answer=by_status({"OK": {}, **UNAUTHORISED}),
    ),
    Endpoint(
        "GET",
        "/recipe/jwt/data",
        Scope.IGNORED,
        _get_payload,
        query=_HANDLE,
        answer=by_status({"OK": {"userDataInJWT": OBJECT}, **UNAUTHORISED}),
    ),
    Endpoint(
        "PUT",
        "/recipe/jwt/data",
        Scope.IGNORED,
        _put_payload,
        body={**_HANDLE, "userDataInJWT": OBJECT},
        answer=by_status({"OK": {}, **UNAUTHORISED}),
    ),
)
