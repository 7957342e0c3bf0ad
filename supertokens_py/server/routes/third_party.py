"""Users who sign in with an account at a provider, and the providers of tenants."""

from __future__ import annotations

from supertokens_py.cdi.third_party import signed_in_up_to_wire, third_party_method
from supertokens_py.cdi.users import user_to_wire, users_to_wire
from supertokens_py.engine.user_records import EmailChangeNotAllowed
from supertokens_py.engine.user_services import ThirdParty
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import AccountInfo, LoginMethod, ThirdPartyInfo, User

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import FLAG, PROVIDER, TEXT, USER, by_status, list_of, object_of
from .users import NO_USERS

_UNKNOWN_USER: JSONObject = {"status": "UNKNOWN_USER_ID_ERROR"}
_UNKNOWN_ACCOUNT: JSONObject = {"status": "UNKNOWN_THIRD_PARTY_USER_ERROR"}


async def _sign_in_up(request: EndpointRequest) -> JSONObject:
    provider, there = request.text("thirdPartyId"), request.text("thirdPartyUserId")
    email = request.member_of("email")
    result = await request.ask(
        _store(request).sign_in_up,
        request.tenant_id,
        provider,
        there,
        email=email.text("id"),
        is_verified=email.flag("isVerified") if request.version.knows_recipe_users else False,
    )
    if isinstance(result, EmailChangeNotAllowed):
        return {"status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "reason": result.reason}
    return signed_in_up_to_wire(result, request.version)


async def find_user(request: EndpointRequest) -> JSONObject:
    """Answer who has an id or an account at a provider."""
    user_id, provider = request.optional_param("userId"), request.optional_param("thirdPartyId")
    there = request.optional_param("thirdPartyUserId")
    if (user_id is None) == (provider is None and there is None) or (provider is None) != (there is None):
        raise Refused(400, "Please provide exactly one of userId or (thirdPartyId, and thirdPartyUserId)")
    if user_id is not None:
        request.only_for_app()
        user = await request.ask(request.engine.users.find, user_id) if request.engine.keeps_users else None
        return _found(request, user, user and third_party_method(user, user_id=user_id)) or _UNKNOWN_USER
    info = ThirdPartyInfo(str(there), str(provider))
    users = await _known_as(request, AccountInfo(third_party=info))
    user = next(iter(users), None)
    return _found(request, user, user and third_party_method(user, info=info)) or _UNKNOWN_ACCOUNT


def _found(request: EndpointRequest, user: User | None, method: LoginMethod | None) -> JSONObject | None:
    if user is None or method is None:
        return None
    return {"status": "OK", "user": user_to_wire(user, method, request.version)}


async def _by_email(request: EndpointRequest) -> JSONObject:
    email = request.param("email")
    found = await _known_as(request, AccountInfo(email=email))
    users = [(user, third_party_method(user, email=email)) for user in found]
    if request.version.knows_recipe_users:
        own = [user for user, method in users if method is not None and method.has_same_email_as(email)]
        return {"status": "OK", "users": users_to_wire(own, request.version)}
    listed = [
        user_to_wire(user, method, request.version)
        for user in found
        for method in user.login_methods
        if method.third_party is not None and method.has_same_email_as(email)
    ]
    return {"status": "OK", "users": listed}


async def _known_as(request: EndpointRequest, info: AccountInfo) -> list[User]:
    if not request.engine.keeps_users:
        return []
    return await request.ask(request.engine.users.by_account_info, request.tenant_id, info)


async def _put_provider(request: EndpointRequest) -> JSONObject:
    config, skips = request.object("config"), request.flag("skipValidation", default=False)
    _store(request)
    created = await request.ask(
        request.engine.tenants.put_provider, request.tenant_id, config, skip_validation=skips
    )
    return {"status": "OK", "createdNew": created}


async def _remove_provider(request: EndpointRequest) -> JSONObject:
    provider = request.text("thirdPartyId")
    _store(request)
    existed = await request.ask(request.engine.tenants.remove_provider, request.tenant_id, provider)
    return {"status": "OK", "didConfigExist": existed}


def _store(request: EndpointRequest) -> ThirdParty:
    if not request.engine.keeps_users:
        raise Refused(403, NO_USERS)
    return request.engine.third_party


_CONFIG = "/recipe/multitenancy/config/thirdparty"

ENDPOINTS = (
    Endpoint(
        "POST",
        "/recipe/signinup",
        Scope.TENANT,
        _sign_in_up,
        body={
            "thirdPartyId": TEXT,
            "thirdPartyUserId": TEXT,
            "email": object_of({"id": TEXT, "isVerified": FLAG}),
        },
        answer=by_status(
            {
                "OK": {"createdNewUser": FLAG, "user": USER, "recipeUserId?": TEXT},
                "EMAIL_CHANGE_NOT_ALLOWED_ERROR": {"reason": TEXT},
            }
        ),
    ),
    Endpoint(
        "GET",
        "/recipe/users/by-email",
        Scope.TENANT,
        _by_email,
        query={"email": TEXT},
        answer=by_status({"OK": {"users": list_of(USER)}}),
    ),
    Endpoint(
        "PUT",
        _CONFIG,
        Scope.TENANT,
        _put_provider,
        body={"config": PROVIDER, "skipValidation?": FLAG},
        answer=by_status({"OK": {"createdNew": FLAG}}),
    ),
    Endpoint(
        "POST",
        f"{_CONFIG}/remove",
        Scope.TENANT,
        _remove_provider,
        body={"thirdPartyId": TEXT},
        answer=by_status({"OK": {"didConfigExist": FLAG}}),
    ),
)
