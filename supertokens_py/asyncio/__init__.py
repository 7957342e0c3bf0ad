"""Functions of the whole app: read, list, count and delete users, and map user ids; readiness.

The users here are those of the sign-in recipes. Sessions, roles and metadata take any string as user id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary, ref

from supertokens_py.app import Supertokens
from supertokens_py.engine.call import call_engine
from supertokens_py.engine.id_mapping import MappingExists, UserIdKind
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.readiness import Readiness, ReadinessCheck
from supertokens_py.engine.user_records import UnknownUser, UserQuery
from supertokens_py.exceptions import BadInputError
from supertokens_py.interfaces import (
    CreateUserIdMappingOkResult,
    DeleteUserIdMappingOkResult,
    GetUserIdMappingOkResult,
    UnknownMappingError,
    UnknownSupertokensUserIDError,
    UpdateOrDeleteUserIdMappingInfoOkResult,
    UserIdMappingAlreadyExistsError,
    UserIDTypes,
)
from supertokens_py.payloads import validate_object
from supertokens_py.types.base import RecipeUserId, context_of, user_id_text
from supertokens_py.types.users import AccountInfo, User, UsersResponse

__all__ = [
    "create_user_id_mapping",
    "delete_user",
    "delete_user_id_mapping",
    "get_readiness",
    "get_user",
    "get_user_count",
    "get_user_id_mapping",
    "get_users_newest_first",
    "get_users_oldest_first",
    "list_users_by_account_info",
    "update_or_delete_user_id_mapping_info",
]

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


_readiness: WeakKeyDictionary[Supertokens, ReadinessCheck] = WeakKeyDictionary()


async def get_readiness() -> Readiness:
    """Return whether requests that need sessions can be served; for the readiness probe of a deployment.

    It checks the database (or core) and the keys, at most once a second however often it is called, and takes
    at most 2 s under an event loop. Answer a probe with its `status_code`: 200, 503 (database or core
    unreachable) or 500 (broken: needs an operator). A liveness probe needs no call.

    Raises:
        GeneralError: `init` was not called; nothing else is raised.
    """
    app = Supertokens.get_instance()
    check = _readiness.get(app)
    if check is None:
        check = _readiness[app] = ReadinessCheck(_engine_of(app))
    return await check.ask()


def _engine_of(app: Supertokens) -> Callable[[], Engine]:
    known = ref(app)  # what is kept for an app must not keep it

    def engine() -> Engine:
        return (known() or Supertokens.get_instance()).engine

    return engine


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
        query: `{"email": …}` searches by the beginning of the address or its domain, `{"phone": …}` by the
            beginning of the number, `{"provider": …}` by that of a provider's id; a search has no pages.
        user_context: passed to a network interceptor.

    Raises:
        BadInputError: an argument is malformed or out of range.
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


async def create_user_id_mapping(
    supertokens_user_id: str | RecipeUserId,
    external_user_id: str,
    external_user_id_info: str | None = None,
    force: bool | None = None,
    user_context: _Context = None,
) -> CreateUserIdMappingOkResult | UnknownSupertokensUserIDError | UserIdMappingAlreadyExistsError:
    """Map a user to an external id of at most 128 characters, which all results then show.

    Sessions, roles and metadata keep the id under which they were stored: create the mapping before them.
    Where there are sessions already, `revoke_all_sessions_for_user` first, or `force`.

    Args:
        supertokens_user_id: the id that signing up gave.
        external_user_id: the app's own.
        external_user_id_info: a string stored with the mapping.
        force: also where the user has sessions, metadata or roles, which are then not found by the new id.
        user_context: passed to a network interceptor.

    Raises:
        BadInputError: the id cannot be stored, belongs to another user, or is in use already (see `force`).
        ConfigError: the app has no sign-in recipe.
    """
    made = await call_engine(
        context_of(user_context),
        Supertokens.get_instance().engine.id_mappings.create,
        user_id_text(supertokens_user_id),
        external_user_id,
        external_user_id_info,
        force=bool(force),
    )
    if isinstance(made, UnknownUser):
        return UnknownSupertokensUserIDError()
    if isinstance(made, MappingExists):
        return UserIdMappingAlreadyExistsError(made.user_id, made.external_id)
    return CreateUserIdMappingOkResult()


async def get_user_id_mapping(
    user_id: str | RecipeUserId, user_id_type: UserIDTypes | None = None, user_context: _Context = None
) -> GetUserIdMappingOkResult | UnknownMappingError:
    """Return both ids of a user, by either of them or by that of one type.

    Raises:
        BadInputError: there is no such type.
        ConfigError: the app has no sign-in recipe.
    """
    kind, mappings = _kind(user_id_type), Supertokens.get_instance().engine.id_mappings
    found = await call_engine(context_of(user_context), mappings.find, user_id_text(user_id), kind)
    if found is None:
        return UnknownMappingError()
    return GetUserIdMappingOkResult(found.user_id, found.external_user_id, found.info)


async def delete_user_id_mapping(
    user_id: str | RecipeUserId,
    user_id_type: UserIDTypes | None = None,
    force: bool | None = None,
    user_context: _Context = None,
) -> DeleteUserIdMappingOkResult:
    """Delete a user id mapping: the user has the id from sign-up again.

    Raises:
        BadInputError: there is no such type; or, without `force`, there are sessions, metadata or roles
            under the app's id.
        ConfigError: the app has no sign-in recipe.
    """
    kind, mappings = _kind(user_id_type), Supertokens.get_instance().engine.id_mappings
    existed = await call_engine(
        context_of(user_context), mappings.delete, user_id_text(user_id), kind, force=bool(force)
    )
    return DeleteUserIdMappingOkResult(existed)


async def update_or_delete_user_id_mapping_info(
    user_id: str | RecipeUserId,
    user_id_type: UserIDTypes | None = None,
    external_user_id_info: str | None = None,
    user_context: _Context = None,
) -> UpdateOrDeleteUserIdMappingInfoOkResult | UnknownMappingError:
    """Replace the info stored with a mapping, or remove it (None).

    Raises:
        BadInputError: there is no such type, or the text cannot be stored.
        ConfigError: the app has no sign-in recipe.
    """
    kind, mappings = _kind(user_id_type), Supertokens.get_instance().engine.id_mappings
    exists = await call_engine(
        context_of(user_context), mappings.set_info, user_id_text(user_id), kind, external_user_id_info
    )
    return UpdateOrDeleteUserIdMappingInfoOkResult() if exists else UnknownMappingError()


def _kind(user_id_type: UserIDTypes | None) -> UserIdKind:
    if user_id_type not in (None, "SUPERTOKENS", "EXTERNAL", "ANY"):
        raise BadInputError("user_id_type must be 'SUPERTOKENS', 'EXTERNAL' or 'ANY'")
    return user_id_type or "ANY"


def _query(
    limit: int | None,
    token: str | None,
    recipe_ids: Sequence[str] | None,
    query: Mapping[str, str] | None,
    *,
    newest_first: bool,
) -> UserQuery:
    if query is not None:
        validate_object("query", query)
    for name in query or {}:
        if name not in ("email", "phone", "provider"):
            raise BadInputError(
                f"users cannot be searched by {name!r} here, only by 'email', 'phone' and 'provider'"
            )
    return UserQuery(
        limit=100 if limit is None else limit,
        newest_first=newest_first,
        token=token,
        recipe_ids=recipe_ids,
        email=(query or {}).get("email"),
        phone_number=(query or {}).get("phone"),
        provider=(query or {}).get("provider"),
    )


async def _users(tenant_id: str, query: UserQuery, user_context: _Context) -> UsersResponse:
    users = Supertokens.get_instance().engine.users
    page = await call_engine(context_of(user_context), users.page, tenant_id, query)
    return UsersResponse(list(page.users), page.next_token)
