"""Users of sign-in recipes: found, listed, counted and removed.

A server of sessions alone answers that there are none: SDKs ask for login methods on their way to a session.
"""

from __future__ import annotations

from supertokens_py.cdi.users import page_to_wire, user_to_wire, users_to_wire
from supertokens_py.engine import user_queries
from supertokens_py.engine.user_records import UserPage, UserQuery
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo, User

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import FLAG, INTEGER, LISTED_USER, TEXT, UNKNOWN_USER, USER, by_status, list_of, one_of

NO_USERS = "this server keeps sessions, and no users who sign in"

_UNKNOWN_USER: JSONObject = {"status": "UNKNOWN_USER_ID_ERROR"}
_ORDERS = ("ASC", "DESC")


async def _by_id(request: EndpointRequest) -> JSONObject:
    user_id = request.param("userId")
    user = await request.ask(request.engine.users.find, user_id) if request.engine.keeps_users else None
    if user is None:
        return _UNKNOWN_USER
    own = next((one for one in user.login_methods if one.recipe_user_id == user_id), user.login_methods[0])
    return {"status": "OK", "user": user_to_wire(user, own, request.version)}


async def _page(request: EndpointRequest) -> JSONObject:
    query = user_queries.validate_user_query(
        UserQuery(
            limit=_limit(request),
            newest_first=_order(request) == "DESC",
            token=request.optional_param("paginationToken"),
            recipe_ids=_recipe_ids(request),
            email=request.optional_param("email"),
            phone_number=request.optional_param("phone"),
            provider=request.optional_param("provider"),
        )
    )
    if not request.engine.keeps_users:
        return page_to_wire(UserPage([], None), request.version)
    page = await request.ask(request.engine.users.page, request.tenant_id, query)
    return page_to_wire(page, request.version)


async def _count(request: EndpointRequest) -> JSONObject:
    recipe_ids = user_queries.validate_recipes(_recipe_ids(request) or ()) or None
    everywhere = request.param_flag("includeAllTenants", default=False)
    if everywhere:
        request.only_for_app()
    if not request.engine.keeps_users:
        return {"status": "OK", "count": 0}
    tenant_id = None if everywhere else request.tenant_id
    count = await request.ask(request.engine.users.count, tenant_id=tenant_id, recipe_ids=recipe_ids)
    return {"status": "OK", "count": count}


async def _by_account(request: EndpointRequest) -> JSONObject:
    any_of = request.param_flag("doUnionOfAccountInfo", default=False)
    provider, there = request.optional_param("thirdPartyId"), request.optional_param("thirdPartyUserId")
    if (provider is None) != (there is None):
        raise Refused(400, "If thirdPartyId is provided, thirdPartyUserId must also be provided")
    info = AccountInfo(
        email=request.optional_param("email"),
        phone_number=request.optional_param("phoneNumber"),
        third_party=None if provider is None or there is None else ThirdPartyInfo(there, provider),
    )
    users: list[User] = []
    has_passkey = "webauthnCredentialId" in request.query  # which nobody has
    if request.engine.keeps_users and (any_of or not has_passkey):
        users = await request.ask(
            request.engine.users.by_account_info, request.tenant_id, info, any_of=any_of
        )
    return {"status": "OK", "users": users_to_wire(users, request.version)}


async def _remove(request: EndpointRequest) -> JSONObject:
    request.flag("removeAllLinkedAccounts", default=True)  # no accounts are linked here
    await request.ask(request.engine.users.remove, request.text("userId"))
    return {"status": "OK"}


def _limit(request: EndpointRequest) -> int:
    is_given = request.optional_param("limit") is not None
    return request.param_number("limit", "an int") if is_given else UserQuery().limit


def _order(request: EndpointRequest) -> str:
    order = (request.optional_param("timeJoinedOrder") or _ORDERS[0]).upper()
    if order not in _ORDERS:
        raise Refused(400, "timeJoinedOrder can be either ASC OR DESC")
    return order


def _recipe_ids(request: EndpointRequest) -> list[str] | None:
    ids = (request.optional_param("includeRecipeIds") or "").split(",")
    return [one.strip() for one in ids if one.strip()] or None


_USERS = list_of(LISTED_USER)

ENDPOINTS = (
    Endpoint(
        "GET",
        "/user/id",
        Scope.APP,
        _by_id,
        query={"userId": TEXT},
        answer=by_status({"OK": {"user": USER}, **UNKNOWN_USER}),
    ),
    Endpoint(
        "POST",
        "/user/remove",
        Scope.APP,
        _remove,
        body={"userId": TEXT, "removeAllLinkedAccounts?": FLAG},
        answer=by_status({"OK": {}}),
    ),
    Endpoint(
        "GET",
        "/users",
        Scope.TENANT,
        _page,
        query={
            "limit?": INTEGER,
            "timeJoinedOrder?": one_of(*_ORDERS),
            "paginationToken?": TEXT,
            "includeRecipeIds?": TEXT,
            "email?": TEXT,
            "phone?": TEXT,
            "provider?": TEXT,
        },
        answer=by_status({"OK": {"users": _USERS, "nextPaginationToken?": TEXT}}),
    ),
    Endpoint(
        "GET",
        "/users/count",
        Scope.TENANT,
        _count,
        query={"includeRecipeIds?": TEXT, "includeAllTenants?": FLAG},
        answer=by_status({"OK": {"count": INTEGER}}),
    ),
    Endpoint(
        "GET",
        "/users/by-accountinfo",
        Scope.TENANT,
        _by_account,
        query={
            "doUnionOfAccountInfo?": FLAG,
            "email?": TEXT,
            "phoneNumber?": TEXT,
            "thirdPartyId?": TEXT,
            "thirdPartyUserId?": TEXT,
            "webauthnCredentialId?": TEXT,
        },
        answer=by_status({"OK": {"users": _USERS}}),
    ),
)
