"""Users: their end, and questions about login methods that SDKs ask on their way to a session.

No login method is kept here.
"""

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


async def _remove(call: Call) -> JSONObject:
    call.flag("removeAllLinkedAccounts", default=True)  # no accounts are linked here
    await call.engine.remove_user(call.text("userId"))
    return {"status": "OK"}


ENDPOINTS = (
    Endpoint("GET", "/user/id", Scope.APP, _by_id),
    Endpoint("POST", "/user/remove", Scope.APP, _remove),
    Endpoint("GET", "/users", Scope.TENANT, _by_account),
    Endpoint("GET", "/users/count", Scope.TENANT, _count),
    Endpoint("GET", "/users/by-accountinfo", Scope.TENANT, _by_account),
    Endpoint("GET", "/recipe/userid/map", Scope.APP, _mapping),
)
