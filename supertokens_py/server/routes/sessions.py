"""The session endpoints. Every version rotates refresh tokens; clients below CDI 5.6 see the older shapes."""

from __future__ import annotations

import json
from typing import cast

from supertokens_py.cdi.records import (
    issued_to_wire,
    regenerated_to_wire,
    stored_to_wire,
    theft_to_wire,
    token_to_wire,
    unauthorised,
    verified_to_wire,
)
from supertokens_py.engine.records import (
    IssuedSession,
    NewSession,
    RefreshRequest,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    Verified,
)
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.types.base import JSONObject

from ..access_tokens import anti_csrf_problem, trusted_token
from ..endpoint_request import EndpointRequest, Refused
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
    VERIFIED,
    by_status,
)


async def _create(request: EndpointRequest) -> JSONObject:
    new = NewSession(
        user_id=request.user_id(),
        tenant_id=request.tenant_id,
        payload=request.object("userDataInJWT"),
        data=request.object("userDataInDatabase"),
        anti_csrf=request.flag("enableAntiCsrf"),
        dynamic_key=request.flag("useDynamicSigningKey", default=True),
        access_token_validity_ms=_validity(request),
        token_version=request.version.access_token_version,
    )
    created = await request.ask(request.engine.sessions.create, new)
    # CDI asks neither for a limit nor for the end of another session, which could have other outcomes.
    return issued_to_wire(cast("IssuedSession", created), request.version)


async def _verify(request: EndpointRequest) -> JSONObject:
    if request.version.rotates:
        request.only_for_app()
    text, checks_anti_csrf = request.text("accessToken"), _checks_anti_csrf(request)
    check_database, sent = request.flag("checkDatabase"), request.optional_text("antiCsrfToken")
    token = await trusted_token(request.engine, text, now_ms=request.now_ms())
    if isinstance(token, str):
        return _try_refresh(token)
    if checks_anti_csrf and (problem := anti_csrf_problem(token, sent)):
        return _try_refresh(problem)
    sessions = request.engine.sessions
    outcome: Verified | Unauthorised | TryRefresh = Verified()
    if sessions.needs_lookup(token, check_database=check_database):
        outcome = await request.ask(sessions.verify, token, check_database=check_database)
    if isinstance(outcome, Unauthorised):
        return unauthorised(outcome.message)
    if isinstance(outcome, TryRefresh):
        # From 5.6 a token that was rotated out is reported like a missing session; before, nothing of
        # the kind was known, and this status lets a client refresh instead of logging out.
        return unauthorised(outcome.message) if request.version.rotates else _try_refresh(outcome.message)
    answer = verified_to_wire(token, request.version)
    if outcome.access_token is not None and not request.version.rotates:
        answer["accessToken"] = token_to_wire(outcome.access_token)
    elif check_database:
        return await _with_stored_payload(request, token, answer, outcome.payload)
    return answer


async def _with_stored_payload(
    request: EndpointRequest, token: AccessToken, answer: JSONObject, payload: JSONObject | None
) -> JSONObject:
    """Say that the payload in the database differs (5.6), or hand out a token that holds it (before)."""
    if payload is None:  # the engine did not see it on its way
        stored = await request.ask(request.engine.sessions.information, token.handle)
        if stored is None:
            return unauthorised()
        payload = stored.payload
    differs = _canonical(payload) != _canonical(answer["session"]["userDataInJWT"])
    if request.version.rotates:
        answer["payloadUpdateAvailable"] = differs
    elif differs:
        outcome = await request.ask(request.engine.sessions.regenerate, token.text)
        if isinstance(outcome, Unauthorised):
            return unauthorised(outcome.message)
        if outcome.access_token is not None:
            answer["session"]["userDataInJWT"] = outcome.payload
            answer["accessToken"] = token_to_wire(outcome.access_token)
    return answer


async def _refresh(request: EndpointRequest) -> JSONObject:
    wanted = RefreshRequest(
        refresh_token=request.text("refreshToken"),
        anti_csrf_token=request.optional_text("antiCsrfToken"),
        anti_csrf=request.flag("enableAntiCsrf"),
        dynamic_key=_key_family(request),
        access_token_validity_ms=_validity(request),
        token_version=request.version.access_token_version,
    )
    outcome = await request.ask(request.engine.sessions.refresh, wanted)
    match outcome:
        case IssuedSession():
            return issued_to_wire(outcome, request.version)
        case Unauthorised():
            answer = unauthorised(outcome.message)
            if outcome.reuse is not None and request.version.rotates:
                answer["recentTokenReuseSubtype"] = outcome.reuse
            return answer
        case TokenTheft():  # pragma: no branch - the last of three
            return theft_to_wire(outcome, request.version)


async def _regenerate(request: EndpointRequest) -> JSONObject:
    outcome = await request.ask(
        request.engine.sessions.regenerate,
        request.text("accessToken"),
        payload=request.optional_object("userDataInJWT"),
    )
    if isinstance(outcome, Unauthorised):
        return unauthorised(outcome.message)
    return regenerated_to_wire(outcome, request.version)


async def _remove(request: EndpointRequest) -> JSONObject:
    if ("userId" in request.body) == ("sessionHandles" in request.body):
        raise Refused(400, "Invalid JSON input. Exactly one of userId and sessionHandles must be given")
    if "sessionHandles" in request.body:
        for name in ("revokeAcrossAllTenants", "revokeSessionsForLinkedAccounts"):
            if name in request.body:
                raise Refused(400, f"Invalid JSON input. Cannot set {name} with sessionHandles")
        revoked = await request.ask(request.engine.sessions.revoke, request.texts("sessionHandles"))
        return {"status": "OK", "sessionHandlesRevoked": revoked}
    everywhere = request.flag("revokeAcrossAllTenants", default=True)
    revoked = await request.ask(
        request.engine.sessions.revoke_user,
        request.text("userId"),
        tenant_id=_one_tenant(request, everywhere),
        linked_accounts=request.flag("revokeSessionsForLinkedAccounts", default=True),
    )
    return {"status": "OK", "sessionHandlesRevoked": revoked}


async def _list_of_user(request: EndpointRequest) -> JSONObject:
    everywhere = request.param_flag("fetchAcrossAllTenants", default=True)
    handles = await request.ask(
        request.engine.sessions.user_handles,
        request.param("userId"),
        tenant_id=_one_tenant(request, everywhere),
        linked_accounts=request.param_flag("fetchSessionsForAllLinkedAccounts", default=True),
    )
    return {"status": "OK", "sessionHandles": handles}


async def _get(request: EndpointRequest) -> JSONObject:
    stored = await request.ask(request.engine.sessions.information, request.param("sessionHandle"))
    if stored is None:
        return unauthorised()
    return stored_to_wire(stored, request.version)


def _checks_anti_csrf(request: EndpointRequest) -> bool:
    enabled, do_check = request.flag("enableAntiCsrf"), request.flag("doAntiCsrfCheck")
    return enabled and do_check


def _validity(request: EndpointRequest) -> int | None:
    return request.optional_integer("accessTokenValidity") if request.version.rotates else None


def _key_family(request: EndpointRequest) -> bool | None:
    name = "useDynamicSigningKey"
    return request.flag(name) if request.version.names_signing_key else request.optional_flag(name)


def _one_tenant(request: EndpointRequest, everywhere: bool) -> str | None:
    if not everywhere:
        return request.tenant_id
    request.only_for_app()
    return None


def _canonical(payload: JSONObject) -> str:
    return json.dumps(payload, sort_keys=True)


def _try_refresh(message: str) -> JSONObject:
    return {"status": "TRY_REFRESH_TOKEN", "message": message}


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
    Endpoint(
        "GET", "/recipe/session", Scope.IGNORED, _get, query={"sessionHandle": TEXT}, answer=by_status(STORED)
    ),
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
)
