"""Where a recipe gets its providers from."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.recipe.overrides import Result, Results, install
from supertokens_py.recipe.thirdparty.exceptions import ClientTypeNotFoundError, ProviderError
from supertokens_py.recipe.thirdparty.provider import (
    AuthorisationRedirect,
    Provider,
    ProviderInput,
    UserInfo,
)
from supertokens_py.types.providers import (
    MAX_THIRD_PARTY_ID,
    ProviderConfig,
    ProviderConfigForClient,
)

from .addresses import NetworkRules
from .built_in import check_required, filled
from .checks import checks_of
from .endpoints import origins_of_provider
from .environment import Environment
from .failures import SignInFailedError
from .merging import each_client, offered
from .variations import kind_of

if TYPE_CHECKING:
    from supertokens_py.recipe_module import App

    from .http import ProviderHttp

_RESULTS: Results = {
    "get_config_for_client_type": Result((ProviderConfigForClient,), "a ProviderConfigForClient"),
    "get_authorisation_redirect_url": Result((AuthorisationRedirect,), "an AuthorisationRedirect"),
    "exchange_auth_code_for_oauth_tokens": Result((dict,), "a dict"),
    "get_user_info": Result((UserInfo,), "a UserInfo"),
}


class ProviderSource:
    """The providers of one application. Neither creating it nor `find` and `names` ask anybody.

    Args:
        app: the application.
        inputs: its own providers.
        allowed_redirect_uris: where else than to the website browsers may be sent back to, each in full.
        allow_private_networks: whether providers that tenants have stored may be in a private network.
        http: how to ask providers; for tests.

    Raises:
        BadInputError: two inputs have one id.
        ConfigError: an input cannot work, or the extra `thirdparty` is not installed.
    """

    def __init__(
        self,
        app: App,
        inputs: Sequence[ProviderInput],
        *,
        allowed_redirect_uris: Iterable[str] = (),
        allow_private_networks: bool = False,
        http: Callable[[NetworkRules], ProviderHttp] | None = None,
    ) -> None:
        if importlib.util.find_spec("httpx2") is None:
            raise ConfigError(
                "sign-in with other providers needs the extra 'thirdparty' (docs/installation.md)"
            )
        self._inputs = list(inputs)
        check_inputs(self._inputs)
        self._origins = {one.config.third_party_id: origins_of_provider(one.config) for one in self._inputs}
        self._environment = Environment(
            app,
            allowed_redirect_uris=allowed_redirect_uris,
            allow_private_networks=allow_private_networks,
            http=http,
        )

    @property
    def redirect_uris(self) -> frozenset[str]:
        """Where else than to the website browsers may be sent back to."""
        return self._environment.redirect_uris

    async def find(
        self,
        third_party_id: str,
        *,
        client_type: str | None,
        tenant_id: str,
        stored: Sequence[ProviderConfig],
        user_context: dict[str, Any],
    ) -> Provider | None:
        """Return a provider of a tenant, overrides applied; None where the tenant has none of that id.

        Args:
            third_party_id: as frontends name it.
            client_type: which of its clients; None: the only one.
            tenant_id: whose provider.
            stored: what the tenant has in the database.
            user_context: of the request.

        Raises:
            ClientTypeNotFoundError: there is no such client.
            ProviderError: what the tenant has stored cannot work.
        """
        for one in offered(self._inputs, stored, tenant_id):
            if one.config.third_party_id == third_party_id:
                return await self._provider(one, client_type, tenant_id, stored, user_context)
        return None

    async def names(
        self,
        *,
        client_type: str | None,
        tenant_id: str,
        stored: Sequence[ProviderConfig],
        user_context: dict[str, Any],
    ) -> list[tuple[str, str]]:
        """Return ids and names of what a tenant offers, without providers that have no client of the type."""
        found: list[tuple[str, str]] = []
        for one in offered(self._inputs, stored, tenant_id):
            try:
                provider = await self._provider(one, client_type, tenant_id, stored, user_context)
            except (ClientTypeNotFoundError, ProviderError):
                continue  # the second is logged: one that cannot work must not hide the others
            found.append((provider.id, provider.config.name or provider.id))
        return found

    async def _provider(
        self,
        one: ProviderInput,
        client_type: str | None,
        tenant_id: str,
        stored: Sequence[ProviderConfig],
        user_context: dict[str, Any],
    ) -> Provider:
        third_party_id = one.config.third_party_id
        name, kind = kind_of(third_party_id)
        own = [config for config in stored if config.third_party_id == third_party_id]
        default = kind(
            one.config,
            self._environment,
            type_=name,
            tenant_id=tenant_id,
            listed_origins=self._origins.get(third_party_id, frozenset()),
            tenant_origins=frozenset[str]().union(*map(origins_of_provider, own)),
        )
        source = f"ProviderInput({third_party_id!r}, override=…)"
        provider, _ = install(cast("Provider", default), one.override, source, results=_RESULTS)
        config = await provider.get_config_for_client_type(client_type, user_context)
        default.config = provider.config = config  # an override may return another object than it got
        return provider


def check_inputs(inputs: Sequence[Any]) -> None:
    """Refuse providers that cannot work. Raises BadInputError and ConfigError."""
    seen: set[str] = set()
    for one in inputs:
        if not isinstance(one, ProviderInput):
            raise ConfigError(f"providers must be a list of ProviderInput, not of {type(one).__name__}")
        check_config(one.config)
        if one.config.third_party_id in seen:
            raise BadInputError("The providers array has multiple entries for the same third party provider.")
        seen.add(one.config.third_party_id)


def check_config(config: Any) -> None:
    """Refuse a provider that cannot work, as far as is known without asking it. Raises ConfigError."""
    if not isinstance(config, ProviderConfig):
        raise ConfigError(f"config of a ProviderInput must be a ProviderConfig, not {type(config).__name__}")
    named: Any = config.third_party_id
    if not isinstance(named, str) or not 0 < len(named) <= MAX_THIRD_PARTY_ID:
        raise ConfigError(f"third_party_id must be a string of 1 to {MAX_THIRD_PARTY_ID} characters")
    for client in each_client(config):
        try:
            checks_of(client.additional_config)
            check_required(client)
            filled(client)
        except SignInFailedError as error:
            raise ConfigError(str(error)) from None
