"""Which address a user has: what the application's function answers with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from supertokens_py.recipe.sign_in.outcomes import Outcome
from supertokens_py.types.base import MaybeAwaitable, RecipeUserId


@dataclass
class GetEmailForUserIdOkResult(Outcome):
    """The address of a user."""

    email: str


class EmailDoesNotExistError(Exception):
    """The user has no address: there is nothing to verify. To be returned, not raised."""

    status: ClassVar[str] = "EMAIL_DOES_NOT_EXIST_ERROR"


class UnknownUserIdError(Exception):
    """There is no such user. To be returned, not raised."""

    status: ClassVar[str] = "UNKNOWN_USER_ID_ERROR"


EmailOfUser: TypeAlias = GetEmailForUserIdOkResult | EmailDoesNotExistError | UnknownUserIdError

#: `(recipe_user_id, user_context)` to the user's address, sync or async.
TypeGetEmailForUserIdFunction: TypeAlias = Callable[
    [RecipeUserId, dict[str, Any]], MaybeAwaitable[EmailOfUser]
]
