"""How overrides written for older and later releases meet `create_new_session`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from supertokens_py.recipe.overrides import Result, parameter_names
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.response import APIResponse

from .container import SessionContainer
from .functions import RecipeInterface

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
