"""People who sign in at a provider, which is not asked about them."""

from __future__ import annotations

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from supertokens_py.recipe.thirdparty.provider import Provider, RedirectUriInfo, UserInfo
from supertokens_py.recipe.thirdparty.recipe import ThirdPartyRecipe
from supertokens_py.runtime.bridge import call_app


class ProviderAccounts:
    """Who comes back from a provider with which code."""

    def __init__(self) -> None:
        self._users: dict[str, UserInfo] = {}

    def code_of(self, user: UserInfo) -> str:
        """Return a code with which a user comes back from any provider."""
        code = secrets.token_urlsafe()
        self._users[code] = user
        return code

    def known_to(self, provider: Provider) -> Provider:
        """Have a provider know the users of these codes; it is asked about all others."""
        exchange, user_info = provider.exchange_auth_code_for_oauth_tokens, provider.get_user_info

        async def exchange_code(redirect_uri_info: RedirectUriInfo, user_context: Any) -> dict[str, Any]:
            code = redirect_uri_info.redirect_uri_query_params.get("code")
            if code in self._users:
                return {"access_token": code}
            found: dict[str, Any] = await call_app(exchange, redirect_uri_info, user_context)
            return found

        async def get_user_info(oauth_tokens: dict[str, Any], user_context: Any) -> UserInfo:
            user = self._users.get(oauth_tokens.get("access_token", ""))
            if user is not None:
                return user
            found: UserInfo = await call_app(user_info, oauth_tokens, user_context)
            return found

        provider.exchange_auth_code_for_oauth_tokens = exchange_code  # type: ignore[method-assign]
        provider.get_user_info = get_user_info  # type: ignore[method-assign]
        return provider


@contextmanager
def known_accounts() -> Generator[ProviderAccounts]:
    """Have every provider of every app know the users of `code_of`."""
    accounts, find = ProviderAccounts(), ThirdPartyRecipe.find_provider

    async def find_provider(self: ThirdPartyRecipe, *args: Any) -> Provider:
        return accounts.known_to(await find(self, *args))

    with patch.object(ThirdPartyRecipe, "find_provider", find_provider):
        yield accounts
