"""Users: their end, and questions about login methods that SDKs ask on their way to a session.

No login method is kept here.
"""

from __future__ import annotations

from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest
from ..routing import Endpoint, Scope
from ..schemas import FLAG, INTEGER, TEXT, by_status


async def _by_id(request: EndpointRequest) -> JSONObject:
    request.param("userId")
    return {"status": "UNKNOWN_USER_ID_ERROR"}


async def _by_account(request: EndpointRequest) -> JSONObject:
    return {"status": "OK", "users": []}


async def _count(request: EndpointRequest) -> JSONObject:
    return {"status": "OK", "count": 0}


async def _mapping(request: EndpointRequest) -> JSONObject:
    request.param("userId")
    return {"status": "UNKNOWN_MAPPING_ERROR"}


async def _remove(request: EndpointRequest) -> JSONObject:
    request.flag("removeAllLinkedAccounts", default=True)  # no accounts are linked here
    await request.ask(request.engine.users.remove, request.text("userId"))
    return {"status": "OK"}


_NONE = by_status({"OK": {"users": {"type": "array", "maxItems": 0}}})

ENDPOINTS = (
    Endpoint(
        "GET",
        "/user/id",
        Scope.APP,
        _by_id,
        query={"userId": TEXT},
        answer=by_status({"UNKNOWN_USER_ID_ERROR": {}}),
    ),
    Endpoint(
        "POST",
        "/user/remove",
        Scope.APP,
        _remove,
        body={"userId": TEXT, "removeAllLinkedAccounts?": FLAG},
        answer=by_status({"OK": {}}),
    ),
    Endpoint("GET", "/users", Scope.TENANT, _by_account, answer=_NONE),
    Endpoint("GET", "/users/count", Scope.TENANT, _count, answer=by_status({"OK": {"count": INTEGER}})),
    Endpoint("GET", "/users/by-accountinfo", Scope.TENANT, _by_account, answer=_NONE),
    Endpoint(
        "GET",
        "/recipe/userid/map",
        Scope.APP,
        _mapping,
        query={"userId": TEXT},
        answer=by_status({"UNKNOWN_MAPPING_ERROR": {}}),
    ),
)
