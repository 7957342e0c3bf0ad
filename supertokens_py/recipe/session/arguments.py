"""Arguments of the session functions: their older and later names, and the orders of both."""

from __future__ import annotations

from inspect import Parameter
from typing import Any

from supertokens_py.exceptions import BadInputError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text

#: Default of an argument that has a second name and must be given under one of them; signatures show none.
NOT_GIVEN: Any = Parameter.empty


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
