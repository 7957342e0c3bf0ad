"""Types that applications import: ids, responses, aliases."""

from .base import JSONObject, MaybeAwaitable, RecipeUserId, UserContext, user_id_text
from .response import APIResponse, GeneralErrorResponse

__all__ = [
    "APIResponse",
    "GeneralErrorResponse",
    "JSONObject",
    "MaybeAwaitable",
    "RecipeUserId",
    "UserContext",
    "user_id_text",
]
