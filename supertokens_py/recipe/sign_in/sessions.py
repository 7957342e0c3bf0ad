"""The sessions of users who have just signed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.session import SessionContainer, SessionRecipe
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.types.base import RecipeUserId

#: What was proven, in the words of RFC 8176. It has none for the word of a provider, who may have asked for
#: anything: what that says of it is for applications to trust or not.
BY_PASSWORD: Final = ("pwd",)
BY_MAIL: Final = ("otp",)
BY_TEXT_MESSAGE: Final = ("otp", "sms")
BY_PROVIDER: Final = ()


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
