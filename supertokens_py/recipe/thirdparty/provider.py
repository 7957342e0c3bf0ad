"""Providers as applications configure, override and call them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from supertokens_py.types.providers import (
    CommonProviderConfig,
    ProviderClientConfig,
    ProviderConfig,
    ProviderConfigForClient,
    UserFields,
    UserInfoMap,
)


@dataclass
class AuthorisationRedirect:
    """Where to send the browser. The verifier comes back with the code; `state` is the frontend's."""

    url_with_query_params: str
    pkce_code_verifier: str | None = field(default=None, repr=False)


@dataclass
class RedirectUriInfo:
    """What the provider sent the browser back with.

    Args:
        redirect_uri_on_provider_dashboard: the address that the browser was sent back to, without a query.
        redirect_uri_query_params: everything in the query of that request, such as `code`.
        pkce_code_verifier: the one that came with the authorisation URL.
    """

    redirect_uri_on_provider_dashboard: str
    redirect_uri_query_params: dict[str, Any] = field(repr=False)
    pkce_code_verifier: str | None = field(default=None, repr=False)


@dataclass
class RawUserInfoFromProvider:
    """What the provider said of the user, as it said it; None: not asked."""

    from_id_token_payload: dict[str, Any] | None = None
    from_user_info_api: dict[str, Any] | None = None


@dataclass
class UserInfoEmail:
    """A user's address, and whether the provider has verified it.

    Args:
        id_: the address, which is the attribute `id`.
    """

    id: str
    is_verified: bool

    def __init__(self, id_: str, is_verified: bool) -> None:
        self.id = id_
        self.is_verified = is_verified


@dataclass
class UserInfo:
    """Who signed in at the provider. `email` is None where the provider gave no address."""

    third_party_user_id: str
    email: UserInfoEmail | None = None
    raw_user_info_from_provider: RawUserInfoFromProvider = field(
        default_factory=RawUserInfoFromProvider, repr=False
    )


class Provider(ABC):
    """One provider in one tenant, for one request. An override replaces methods of it, sync or async.

    `config` is what `get_config_for_client_type` returned for the request's client type.
    """

    def __init__(
        self,
        id_: str,
        config: ProviderConfigForClient,
        *,
        type_: str = "",
        tenant_id: str = "public",
    ) -> None:
        self.id = id_
        self.config = config
        self.type: str = type_ or id_
        self.tenant_id = tenant_id

    @abstractmethod
    async def get_config_for_client_type(
        self, client_type: str | None, user_context: dict[str, Any]
    ) -> ProviderConfigForClient:
        """Return the configuration of one client; None means the only one.

        Raises:
            ClientTypeNotFoundError: there is no such client.
        """

    @abstractmethod
    async def get_authorisation_redirect_url(
        self, redirect_uri_on_provider_dashboard: str, user_context: dict[str, Any]
    ) -> AuthorisationRedirect:
        """Return where to send the browser to sign in."""

    @abstractmethod
    async def exchange_auth_code_for_oauth_tokens(
        self, redirect_uri_info: RedirectUriInfo, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the token endpoint's answer for the code that the browser came back with."""

    @abstractmethod
    async def get_user_info(self, oauth_tokens: dict[str, Any], user_context: dict[str, Any]) -> UserInfo:
        """Return whose tokens these are."""


class ProviderInput:
    """A provider that the application offers.

    Args:
        config: what is registered with the provider.
        include_in_non_public_tenants_by_default: whether tenants without providers of their own have it.
        override: gets the provider of a request, and returns it with your changes.
    """

    def __init__(
        self,
        config: ProviderConfig,
        include_in_non_public_tenants_by_default: bool = False,
        override: Callable[[Provider], Provider] | None = None,
    ) -> None:
        self.config = config
        self.include_in_non_public_tenants_by_default = include_in_non_public_tenants_by_default
        self.override = override


__all__ = [
    "AuthorisationRedirect",
    "CommonProviderConfig",
    "Provider",
    "ProviderClientConfig",
    "ProviderConfig",
    "ProviderConfigForClient",
    "ProviderInput",
    "RawUserInfoFromProvider",
    "RedirectUriInfo",
    "UserFields",
    "UserInfo",
    "UserInfoEmail",
    "UserInfoMap",
]
