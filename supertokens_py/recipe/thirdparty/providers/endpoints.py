"""Which origins a configuration names. Pure."""

from __future__ import annotations

from supertokens_py.types.providers import CommonProviderConfig, ProviderConfig

from .addresses import origin_of
from .built_in import filled
from .failures import SignInFailedError
from .merging import each_client

_NAMES = (
    "oidc_discovery_endpoint",
    "authorization_endpoint",
    "token_endpoint",
    "user_info_endpoint",
    "jwks_uri",
)


def origins_of(config: CommonProviderConfig) -> frozenset[str]:
    """Return the origins of the endpoints of one client's configuration."""
    origins = (origin_of(getattr(config, name)) for name in _NAMES)
    return frozenset(origin for origin in origins if origin is not None)


def origins_of_provider(config: ProviderConfig) -> frozenset[str]:
    """Return the origins that a provider has for any of its clients, built-in ones among them."""
    found: frozenset[str] = frozenset()
    for client in each_client(config):
        try:
            found |= origins_of(filled(client))
        except SignInFailedError:
            found |= origins_of(client)
    return found
