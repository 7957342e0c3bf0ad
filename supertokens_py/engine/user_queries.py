"""Validate questions for users, as either engine answers them; see `engine.validation`."""

from __future__ import annotations

from collections.abc import Sequence

from supertokens_py.exceptions import BadInputError
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo

from .arguments import require_instance, require_list, require_strings, require_strings_or_none
from .user_records import SIGN_IN_RECIPES, UserQuery

#: Users on one page.
MAX_PAGE = 500


def validate_recipes(recipe_ids: Sequence[str]) -> list[str]:
    """Return the ids of sign-in recipes.

    Raises:
        BadInputError: there is no such recipe, or it is no list.
    """
    require_list("recipe_ids", recipe_ids)
    for one in recipe_ids:
        if one not in SIGN_IN_RECIPES:
            raise BadInputError(f"Unknown recipe ID: {one}")
    return list(recipe_ids)


def validate_user_query(query: UserQuery) -> UserQuery:
    """Return a question for users. Its token is for the engine that made it to read.

    Raises:
        BadInputError: the limit or a recipe id is invalid, or another member is no string.
    """
    if type(query.limit) is not int or not 1 <= query.limit <= MAX_PAGE:
        raise BadInputError(f"limit must be a whole number from 1 to {MAX_PAGE}")
    validate_recipes(query.recipe_ids or ())
    require_strings_or_none(
        pagination_token=query.token,
        email=query.email,
        phone=query.phone_number,
        provider=query.provider,
    )
    return query


def validate_account_info(info: AccountInfo) -> AccountInfo:
    """Return what users are to be known by. Text that nobody can have finds nobody.

    Raises:
        BadInputError: something of it is no string.
    """
    require_instance("account_info", info, AccountInfo)
    require_strings_or_none(email=info.email, phone_number=info.phone_number)
    if info.third_party is not None:
        given = info.third_party
        require_instance("account_info.third_party", given, ThirdPartyInfo)
        require_strings(third_party_id=given.id, third_party_user_id=given.user_id)
    return info
