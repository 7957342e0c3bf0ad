"""Users of one recipe, found and changed on a path that recipes share: the header `rid` says which one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from supertokens_py.engine.records import EMAIL_PASSWORD, PASSWORDLESS
from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import TEXT, TEXT_OR_NULL, UNKNOWN_USER, USER, by_status
from . import email_password, passwordless

_Handler: TypeAlias = Callable[[EndpointRequest], Coroutine[Any, Any, JSONObject]]

_FIND: dict[str, _Handler] = {
    EMAIL_PASSWORD: email_password.find_user,
    PASSWORDLESS: passwordless.find_user,
}
_UPDATE: dict[str, _Handler] = {
    EMAIL_PASSWORD: email_password.update_user,
    PASSWORDLESS: passwordless.update_user,
}
#: Recipes that clients may be of, and whose users are not kept here.
_ELSEWHERE = frozenset(("thirdparty",))


async def _find(request: EndpointRequest) -> JSONObject:
    return await _of_recipe(request, _FIND)(request)


async def _update(request: EndpointRequest) -> JSONObject:
    return await _of_recipe(request, _UPDATE)(request)


def _of_recipe(request: EndpointRequest, handlers: dict[str, _Handler]) -> _Handler:
    """Return the handler for the client's recipe; without a name that of e-mail and password."""
    if request.recipe_id in _ELSEWHERE:
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
        query={"userId?": TEXT, "email?": TEXT, "phoneNumber?": TEXT},
        answer=by_status(
            {
                "OK": {"user": USER},
                **UNKNOWN_USER,
                "UNKNOWN_EMAIL_ERROR": {},
                "UNKNOWN_PHONE_NUMBER_ERROR": {},
            }
        ),
    ),
)
