"""Functions of the third-party recipe."""

from __future__ import annotations

from typing import Any

from supertokens_py.engine.arguments import require_strings, require_strings_or_none
from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.recipe.thirdparty.functions import RecipeInterface
from supertokens_py.recipe.thirdparty.provider import Provider
from supertokens_py.recipe.thirdparty.recipe import ThirdPartyRecipe
from supertokens_py.recipe.thirdparty.results import (
    EmailChangeNotAllowedError,
    LinkingToSessionUserFailedError,
    ManuallyCreateOrUpdateUserOkResult,
    SignInUpNotAllowed,
)
from supertokens_py.types.base import context_of, user_id_text
from supertokens_py.types.users import User

__all__ = [
    "get_provider",
    "get_user_by_id",
    "get_user_by_third_party_info",
    "get_users_by_email",
    "manually_create_or_update_user",
]

_Context = dict[str, Any] | None


def _functions() -> RecipeInterface:
    return ThirdPartyRecipe.get_instance().recipe_implementation


async def manually_create_or_update_user(
    tenant_id: str,
    third_party_id: str,
    third_party_user_id: str,
    email: str,
    is_verified: bool | dict[str, Any] | None = None,
    session: SessionContainer[Any] | None = None,
    user_context: _Context = None,
) -> (
    ManuallyCreateOrUpdateUserOkResult
    | EmailChangeNotAllowedError
    | SignInUpNotAllowed
    | LinkingToSessionUserFailedError
):
    """Create the user of an account at a provider, or change the address; no session is created.

    Args:
        tenant_id: where the user may sign in.
        third_party_id: the provider's id.
        third_party_user_id: the account's id there.
        email: the address; it is trimmed and put in lower case.
        is_verified: whether the address is the user's for sure; None (and 0.24's form without it) is False.
        session: accepted; accounts are not linked.

    Raises:
        BadInputError: an argument cannot be stored, or there is no such tenant.
    """
    if isinstance(is_verified, dict):  # 0.24's fifth argument
        is_verified, user_context = None, is_verified
    return await _functions().manually_create_or_update_user(
        third_party_id=third_party_id,
        third_party_user_id=third_party_user_id,
        email=email,
        is_verified=is_verified,
        session=session,
        should_try_linking_with_session_user=None,
        tenant_id=tenant_id,
        user_context=context_of(user_context),
    )


async def get_provider(
    tenant_id: str,
    third_party_id: str,
    client_type: str | None = None,
    user_context: _Context = None,
) -> Provider | None:
    """Return a provider that a tenant has, as one of its clients sees it; None if the tenant has none.

    Args:
        client_type: which client; may be left out where there is one.

    Raises:
        BadInputError: there is no such tenant.
        ClientTypeNotFoundError: the provider has no such client, or several and none is named.
        ProviderError: its configuration document cannot be had.
    """
    require_strings(third_party_id=third_party_id)
    require_strings_or_none(client_type=client_type)
    return await _functions().get_provider(
        third_party_id=third_party_id,
        client_type=client_type,
        tenant_id=tenant_id,
        user_context=context_of(user_context),
    )


async def get_user_by_id(user_id: str, user_context: _Context = None) -> User | None:
    """Return a user of this recipe."""
    context = context_of(user_context)
    return await _functions().get_user_by_id(user_id=user_id_text(user_id), user_context=context)


async def get_users_by_email(tenant_id: str, email: str, user_context: _Context = None) -> list[User]:
    """Return the users of this recipe who have an address in a tenant."""
    require_strings(email=email)
    context = context_of(user_context)
    return await _functions().get_users_by_email(email=email, tenant_id=tenant_id, user_context=context)


async def get_user_by_third_party_info(
    tenant_id: str, third_party_id: str, third_party_user_id: str, user_context: _Context = None
) -> User | None:
    """Return the user of an account at a provider."""
    require_strings(third_party_id=third_party_id, third_party_user_id=third_party_user_id)
    return await _functions().get_user_by_thirdparty_info(
        third_party_id=third_party_id,
        third_party_user_id=third_party_user_id,
        tenant_id=tenant_id,
        user_context=context_of(user_context),
    )
