"""The endpoints for what is kept with a session: its data, and the payload of its next access token."""

from __future__ import annotations

from supertokens_py.cdi.records import unauthorised
from supertokens_py.engine.records import StoredSession
from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest
from ..routing import Endpoint, Scope
from ..schemas import OBJECT, TEXT, UNAUTHORISED, Shape, by_status


async def _get_data(request: EndpointRequest) -> JSONObject:
    return _member(
        await request.ask(request.engine.sessions.information, request.param("sessionHandle")),
        "userDataInDatabase",
    )


async def _get_payload(request: EndpointRequest) -> JSONObject:
    return _member(
        await request.ask(request.engine.sessions.information, request.param("sessionHandle")),
        "userDataInJWT",
    )


async def _put_data(request: EndpointRequest) -> JSONObject:
    handle, data = request.text("sessionHandle"), request.object("userDataInDatabase")
    return _changed(await request.ask(request.engine.sessions.replace_data, handle, data))


async def _put_payload(request: EndpointRequest) -> JSONObject:
    handle, payload = request.text("sessionHandle"), request.object("userDataInJWT")
    version = request.version.access_token_version
    return _changed(
        await request.ask(request.engine.sessions.replace_payload, handle, payload, token_version=version)
    )


def _changed(existed: bool) -> JSONObject:
    return {"status": "OK"} if existed else unauthorised()


def _member(stored: StoredSession | None, name: str) -> JSONObject:
    if stored is None:
        return unauthorised()
    return {"status": "OK", name: stored.data if name == "userDataInDatabase" else stored.payload}


_HANDLE: Shape = {"sessionHandle": TEXT}

ENDPOINTS = (
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
