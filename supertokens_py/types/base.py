"""Small types that every layer shares."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

_T = TypeVar("_T")

MaybeAwaitable: TypeAlias = Awaitable[_T] | _T
UserContext: TypeAlias = dict[str, Any]
JSONObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RecipeUserId:
    """The id of one login method of a user; equal to the user id without account linking."""

    recipe_user_id: str

    def get_as_string(self) -> str:
        return self.recipe_user_id


def user_id_text(user_id: str | RecipeUserId) -> str:
    """Return the id as text, whichever of the two spellings the caller used."""
    return user_id.recipe_user_id if isinstance(user_id, RecipeUserId) else user_id
