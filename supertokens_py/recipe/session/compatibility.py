"""Arguments and results as older and later releases have them: names, orders, overrides."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter
from typing import Any

from supertokens_py.exceptions import BadInputError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.overrides import Result, parameter_names
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text
from supertokens_py.types.response import APIResponse

from .container import SessionContainer
from .functions import RecipeInterface

#: Default of an argument that has a second name and must be given under one of them; signatures show none.
NOT_GIVEN: Any = Parameter.empty

_SIX = (
    "user_id",
    "access_token_payload",
    "session_data_in_database",
    "disable_anti_csrf",
    "tenant_id",
    "user_context",
)
_OLDER_NAMES = {"jwt_payload": "access_token_payload", "session_data": "session_data_in_database"}

_A_SESSION = Result((SessionContainer,), "a SessionContainer")
_A_SESSION_OR_NONE = Result((SessionContainer, type(None)), "a SessionContainer or None")
#: What replaced functions and APIs must return, where something else would fail far from them.
FUNCTION_RESULTS = {
    "create_new_session": _A_SESSION,
    "get_session": _A_SESSION_OR_NONE,
    "refresh_session": _A_SESSION,
}
API_RESULTS = {
    "signout_post": Result((APIResponse,), "a SignOutOkayResponse or a GeneralErrorResponse"),
    "sessions_get": Result((APIResponse,), "a SessionsGetOkResult or a GeneralErrorResponse"),
    "sessions_revoke_post": Result((APIResponse,), "a SessionsRevokePostOkResult or a GeneralErrorResponse"),
    "verify_session": _A_SESSION_OR_NONE,
}


def adapt_create_new_session(hook: Callable[..., Any]) -> Callable[..., Any]:
    """Give a replacement of `create_new_session` the arguments that it declares.

    The six of `RecipeInterface` go by position. A function that also declares `recipe_user_id`, or the
    older `jwt_payload` and `session_data`, gets every argument by its name.
    """
    names = parameter_names(hook) or ()
    declared = set(names)
    if not declared & {"recipe_user_id", *_OLDER_NAMES}:
        return hook

    def call(*args: Any, **kwargs: Any) -> Any:
        values = {**dict(zip(_SIX, args, strict=False)), **kwargs}
        values["recipe_user_id"] = RecipeUserId(values["user_id"])
        for older, name in _OLDER_NAMES.items():
            values[older] = values.get(name)
        return hook(**{name: values.get(name) for name in names})

    return call


class FlexibleRecipeInterface(RecipeInterface):
    """The default as overrides see it: also takes the seven arguments that later releases pass."""

    async def create_new_session(self, user_id: str, *args: Any, **kwargs: Any) -> SessionContainer:  # type: ignore[override]
        rest = args[1:] if args and isinstance(args[0], RecipeUserId) else args
        kwargs.pop("recipe_user_id", None)
        for older, name in _OLDER_NAMES.items():
            if older in kwargs:
                kwargs[name] = kwargs.pop(older)
        return await super().create_new_session(user_id, *rest, **kwargs)


def context_in(given: dict[str, Any] | None, request: BaseRequest) -> dict[str, Any]:
    """Return the caller's own user context, or a new one, with the request in it."""
    context = context_of(given)
    context["_default"] = {**context.get("_default", {}), "request": request}
    return context


def one_user(user_id: str | RecipeUserId | None, recipe_user_id: str | RecipeUserId | None) -> str:
    """Return the user's id, given under either name.

    Raises:
        TypeError: it was given under neither.
        BadInputError: it is None, as that of a user who was not found.
    """
    given = recipe_user_id if user_id is None or user_id is NOT_GIVEN else user_id
    if given is not None:
        return user_id_text(given)
    if user_id is None:
        raise BadInputError("user_id must be a string, not NoneType")
    raise TypeError("missing required argument: 'user_id'")


def one_of(name: str, value: Any, older_name: str, older: Any) -> Any:
    """Return what was given under a name or its older one; None if neither was.

    Raises:
        TypeError: both were.
    """
    if value is not None and older is not None:
        raise TypeError(f"give either {name} or its older name {older_name}, not both")
    return older if value is None else value


def tenant_and_context(
    flag: str, second: Any, third: Any, more: tuple[Any, ...], named: dict[str, Any]
) -> tuple[str | None, dict[str, Any], dict[str, bool]]:
    """Read (tenant_id, user_context), or later releases' (for_linked_accounts, tenant_id, user_context).

    Returns:
        The tenant (None: all), the user context, and the argument called `flag` by its name if it is False.
        It is left out where it is true, since overrides written for 0.24 do not take it.

    Raises:
        TypeError: an argument has a name that no release knows.
    """
    linked = bool(named.pop(flag, True))
    if named:
        raise TypeError(f"unexpected arguments: {', '.join(named)}")
    values = [second, third, *more]
    if isinstance(second, bool):
        linked, values = second, values[1:]
    tenant, context = values[0], next((value for value in values[1:] if value is not None), None)
    return tenant, context_of(context), {} if linked else {flag: False}
