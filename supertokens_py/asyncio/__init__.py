"""Functions of the whole app: its users can be read, listed, counted and deleted.

Sessions, roles and metadata take any text of yours as user id; the users here are those of sign-in recipes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from supertokens_py.app import Supertokens
from supertokens_py.engine.call import call_engine
from supertokens_py.engine.records import UserQuery
from supertokens_py.exceptions import BadInputError
from supertokens_py.missing_names import USER_FUNCTIONS, explain
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text
from supertokens_py.types.users import AccountInfo, User, UsersResponse

__all__ = [
    "delete_user",
    "get_user",
    "get_user_count",
    "get_users_newest_first",
    "get_users_oldest_first",
    "list_users_by_account_info",
]

__getattr__: Final = explain(__name__, USER_FUNCTIONS)

_Context = dict[str, Any] | None


async def delete_user(
    user_id: str | RecipeUserId,
    remove_all_linked_accounts: bool | dict[str, Any] | None = True,
    user_context: _Context = None,
) -> None:
    """Delete a user: log-in data, sessions, roles and metadata, in every tenant and at once.

    Unknown users are no error. Access tokens that are out stay valid until they expire.

    Args:
        user_id: any id of the user.
        remove_all_linked_accounts: accepted; accounts are not linked here, and a core unlinks none.
        user_context: may also be the second argument, as in 0.24.

    Raises:
        BadInputError: there is log-in data of a recipe that this app does not have: delete it there.
    """
    context = remove_all_linked_accounts if isinstance(remove_all_linked_accounts, dict) else user_context
    engine = Supertokens.get_instance().engine
    await call_engine(context_of(context), engine.users.remove, user_id_text(user_id))


async def get_user(user_id: str | RecipeUserId, user_context: _Context = None) -> User | None:
    """Return a user of a sign-in recipe, by any of their ids; None if there is none.

    Raises:
        ConfigError: the app has no sign-in recipe.
    """
    engine = Supertokens.get_instance().engine
    return await call_engine(context_of(user_context), engine.users.find, user_id_text(user_id))


async def list_users_by_account_info(
    tenant_id: str,
    account_info: AccountInfo,
    do_union_of_account_info: bool = False,
    user_context: _Context = None,
) -> list[User]:
    """Return the users of a tenant who have all of the account info, or any of it.

    Raises:
        ConfigError: the app has no sign-in recipe.
    """
    users = Supertokens.get_instance().engine.users
    return await call_engine(
        context_of(user_context),
        users.by_account_info,
        tenant_id,
        account_info,
        any_of=do_union_of_account_info,
    )


async def get_users_oldest_first(
    tenant_id: str,
    limit: int | None = None,
    pagination_token: str | None = None,
    include_recipe_ids: list[str] | None = None,
    query: dict[str, str] | None = None,
    user_context: _Context = None,
) -> UsersResponse:
    """Return users of a tenant in the order in which they joined.

    Args:
        tenant_id: the tenant.
        limit: how many, from 1 to 500 [100].
        pagination_token: `next_pagination_token` of the page before.
        include_recipe_ids: only users of these recipes.
        query: `{"email": …}` searches by the beginning of the address or its domain; it has no pages.
        user_context: handed down.

    Raises:
        BadInputError: an argument cannot be meant.
        ConfigError: the app has no sign-in recipe.
    """
    asked = _query(limit, pagination_token, include_recipe_ids, query, newest_first=False)
    return await _users(tenant_id, asked, user_context)


async def get_users_newest_first(
    tenant_id: str,
    limit: int | None = None,
    pagination_token: str | None = None,
    include_recipe_ids: list[str] | None = None,
    query: dict[str, str] | None = None,
    user_context: _Context = None,
) -> UsersResponse:
    """Return users of a tenant, those who joined last first; see `get_users_oldest_first`."""
    asked = _query(limit, pagination_token, include_recipe_ids, query, newest_first=True)
    return await _users(tenant_id, asked, user_context)


async def get_user_count(
    include_recipe_ids: list[str] | None = None,
    tenant_id: str | None = None,
    user_context: _Context = None,
) -> int:
    """Return how many users a tenant has, or all tenants have (None).

    Raises:
        ConfigError: the app has no sign-in recipe.
    """
    users = Supertokens.get_instance().engine.users
    return await call_engine(
        context_of(user_context), users.count, tenant_id=tenant_id, recipe_ids=include_recipe_ids
    )


def _query(
    limit: int | None,
    token: str | None,
    recipe_ids: Sequence[str] | None,
    query: Mapping[str, str] | None,
    *,
    newest_first: bool,
) -> UserQuery:
    for name in query or {}:
        if name != "email":
            raise BadInputError(f"users cannot be searched by {name!r} here, only by 'email'")
    return UserQuery(
        limit=100 if limit is None else limit,
        newest_first=newest_first,
        token=token,
        recipe_ids=recipe_ids,
        email=(query or {}).get("email"),
    )


async def _users(tenant_id: str, query: UserQuery, user_context: _Context) -> UsersResponse:
    users = Supertokens.get_instance().engine.users
    page = await call_engine(context_of(user_context), users.page, tenant_id, query)
    return UsersResponse(list(page.users), page.next_token)
