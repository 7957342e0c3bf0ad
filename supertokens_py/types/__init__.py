"""Types that applications import: ids, responses, aliases."""

from .base import JSONObject, MaybeAwaitable, RecipeUserId, UserContext, user_id_text
from .response import APIResponse, GeneralErrorResponse
from .users import AccountInfo, AccountInfoInput, LoginMethod, ThirdPartyInfo, User, UsersResponse

__all__ = [
    "APIResponse",
    "AccountInfo",
    "AccountInfoInput",
    "GeneralErrorResponse",
    "JSONObject",
    "LoginMethod",
    "MaybeAwaitable",
    "RecipeUserId",
    "ThirdPartyInfo",
    "User",
    "UserContext",
    "UsersResponse",
    "user_id_text",
]
