"""Small types that every layer shares."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeAlias, TypeVar

_T = TypeVar("_T")

MaybeAwaitable: TypeAlias = Awaitable[_T] | _T
UserContext: TypeAlias = dict[str, Any]
JSONObject: TypeAlias = dict[str, Any]


class RecipeUserId(str):
    """The id of one login method of a user: a plain `str` with an accessor. Equal to the user id here."""

    __slots__ = ()

    def __new__(cls, recipe_user_id: str) -> RecipeUserId:
        return super().__new__(cls, recipe_user_id)

    def get_as_string(self) -> str:
        """Return the id as a plain string."""
        return str(self)


def context_of(given: UserContext | None) -> UserContext:
    """Return the caller's own user context, which overrides may write to; a new one where none is given."""
    return {} if given is None else given


def user_id_text(user_id: str | RecipeUserId) -> str:
    """Return the id as a plain string, whichever of the two spellings the caller used."""
    return str(user_id) if isinstance(user_id, RecipeUserId) else user_id
