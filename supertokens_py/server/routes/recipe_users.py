"""Users of one recipe, found and changed on a path that recipes share: the header `rid` says which one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from supertokens_py.engine.user_records import EMAIL_PASSWORD, PASSWORDLESS, THIRD_PARTY
from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import TEXT, TEXT_OR_NULL, UNKNOWN_USER, USER, by_status
from . import email_password, passwordless, third_party

_Handler: TypeAlias = Callable[[EndpointRequest], Coroutine[Any, Any, JSONObject]]

_FIND: dict[str, _Handler] = {
    EMAIL_PASSWORD: email_password.find_user,
    PASSWORDLESS: passwordless.find_user,
    THIRD_PARTY: third_party.find_user,
}
_UPDATE: dict[str, _Handler] = {
    EMAIL_PASSWORD: email_password.update_user,
    PASSWORDLESS: passwordless.update_user,
}


async def _find(request: EndpointRequest) -> JSONObject:
    return await _of_recipe(request, _FIND)(request)


async def _update(request: EndpointRequest) -> JSONObject:
    return await _of_recipe(request, _UPDATE)(request)


def _of_recipe(request: EndpointRequest, handlers: dict[str, _Handler]) -> _Handler:
    """Return the handler for the client's recipe; without a name that of e-mail and password.

    Raises:
        Refused: the recipe has none: who somebody is at a provider is for the provider to change.
    """
    if request.recipe_id == THIRD_PARTY and THIRD_PARTY not in handlers:
        raise Refused(404, "Not found")
    return handlers.get(request.recipe_id, handlers[EMAIL_PASSWORD])


PATH = "/recipe/user"
_REASON = {"reason": TEXT}

ENDPOINTS = (
    Endpoint(
        "PUT",
        PATH,
        Scope.APP,
        _update,
        body={"recipeUserId": TEXT, "email?": TEXT_OR_NULL, "password?": TEXT, "phoneNumber?": TEXT_OR_NULL},
        answer=by_status(
            {
                "OK": {},
                **UNKNOWN_USER,
                "EMAIL_ALREADY_EXISTS_ERROR": {},
                "PHONE_NUMBER_ALREADY_EXISTS_ERROR": {},
                "EMAIL_CHANGE_NOT_ALLOWED_ERROR": _REASON,
                "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR": _REASON,
            }
        ),
    ),
    Endpoint(
        "GET",
        PATH,
        Scope.TENANT,
        _find,
        query={
            **dict.fromkeys(("userId?", "email?", "phoneNumber?"), TEXT),
            **dict.fromkeys(("thirdPartyId?", "thirdPartyUserId?"), TEXT),
        },
        answer=by_status(
            {
                "OK": {"user": USER},
                **UNKNOWN_USER,
                "UNKNOWN_EMAIL_ERROR": {},
                "UNKNOWN_PHONE_NUMBER_ERROR": {},
                "UNKNOWN_THIRD_PARTY_USER_ERROR": {},
            }
        ),
    ),
)
