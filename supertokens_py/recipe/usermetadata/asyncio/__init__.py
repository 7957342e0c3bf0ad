"""Functions of the user metadata recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.recipe.usermetadata.interfaces import ClearUserMetadataResult, MetadataResult
from supertokens_py.recipe.usermetadata.recipe import UserMetadataRecipe
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text


async def get_user_metadata(
    user_id: str | RecipeUserId, user_context: dict[str, Any] | None = None
) -> MetadataResult:
    """Return a user's metadata; `{}` for a user without any."""
    context = context_of(user_context)
    functions = UserMetadataRecipe.get_instance().recipe_implementation
    return await functions.get_user_metadata(user_id_text(user_id), context)


async def update_user_metadata(
    user_id: str | RecipeUserId, metadata_update: dict[str, Any], user_context: dict[str, Any] | None = None
) -> MetadataResult:
    """Merge into a user's metadata at the root and return all of it; None removes a key."""
    context = context_of(user_context)
    functions = UserMetadataRecipe.get_instance().recipe_implementation
    return await functions.update_user_metadata(user_id_text(user_id), metadata_update, context)


async def clear_user_metadata(
    user_id: str | RecipeUserId, user_context: dict[str, Any] | None = None
) -> ClearUserMetadataResult:
    """Delete a user's metadata."""
    context = context_of(user_context)
    functions = UserMetadataRecipe.get_instance().recipe_implementation
    return await functions.clear_user_metadata(user_id_text(user_id), context)
