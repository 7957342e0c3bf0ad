"""The sessions of users who have just signed in, and what is told of that."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from supertokens_py.events import UserSignedIn, emit
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.session import SessionContainer, SessionRecipe
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.exceptions import SessionLimitError, SignInLimitError
from supertokens_py.types.base import RecipeUserId

#: What was proven, in the words of RFC 8176. It has none for the word of a provider, who may have asked for
#: anything: what that says of it is for applications to trust or not.
BY_PASSWORD: Final = ("pwd",)
BY_MAIL: Final = ("otp",)
BY_TEXT_MESSAGE: Final = ("otp", "sms")
BY_PROVIDER: Final = ()

#: What routes of recipes tell once the session is there; None outside of them. Overrides may run in another
#: context: a copy, which holds the same list.
_waiting: ContextVar[list[UserSignedIn] | None] = ContextVar("supertokens_py_signed_in", default=None)


def announce(event: UserSignedIn) -> None:
    """Tell that a user proved who they are: at once, or at a route of a recipe once its session is there."""
    waiting = _waiting.get()
    if waiting is None:
        emit(event)
    else:
        waiting.append(event)


def tell(events: Iterable[UserSignedIn]) -> None:
    """Tell what waited for a session, which is there to stay."""
    for event in events:
        emit(event)


@contextmanager
def sign_in_route() -> Generator[list[UserSignedIn]]:
    """Hold what is said of users who sign in within, and return it for `tell`.

    Raises:
        SignInLimitError: instead of any `SessionLimitError`, which has the answer for applications.
    """
    waiting: list[UserSignedIn] = []
    token = _waiting.set(waiting)
    try:
        yield waiting
    except SessionLimitError as error:
        raise SignInLimitError(error.limit, error.sessions) from error
    finally:
        _waiting.reset(token)


async def begin_session(
    request: BaseRequest,
    tenant_id: str,
    recipe_user_id: RecipeUserId,
    methods: Sequence[str],
    user_context: dict[str, Any],
) -> SessionContainer:
    """Create the session of a user who has just signed in; it says by what, where sessions say when.

    Raises:
        SessionLimitError: the user has as many sessions as they may have.
    """
    are_kept = SessionRecipe.get_instance().replacements.notes_authentication
    return await create_new_session(
        request,
        tenant_id,
        recipe_user_id,
        {},
        {},
        user_context=user_context,
        methods=methods if are_kept else None,
    )
