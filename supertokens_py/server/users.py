"""Questions about login methods that SDKs ask on their way to a session: none is kept here."""

from __future__ import annotations

from supertokens_py.types.base import JSONObject

from .call import Call
from .routing import Endpoint, Scope


async def _by_id(call: Call) -> JSONObject:
    call.param("userId")
    return {"status": "UNKNOWN_USER_ID_ERROR"}


async def _by_account(call: Call) -> JSONObject:
    return {"status": "OK", "users": []}


async def _count(call: Call) -> JSONObject:
    return {"status": "OK", "count": 0}


async def _mapping(call: Call) -> JSONObject:
    call.param("userId")
    return {"status": "UNKNOWN_MAPPING_ERROR"}


ENDPOINTS = (
    Endpoint("GET", "/user/id", Scope.APP, _by_id),
    Endpoint("GET", "/users", Scope.TENANT, _by_account),
    Endpoint("GET", "/users/count", Scope.TENANT, _count),
    Endpoint("GET", "/users/by-accountinfo", Scope.TENANT, _by_account),
    Endpoint("GET", "/recipe/userid/map", Scope.APP, _mapping),
)
