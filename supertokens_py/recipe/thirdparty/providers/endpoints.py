"""Which hosts a configuration names. Pure."""

from __future__ import annotations

from supertokens_py.types.providers import CommonProviderConfig, ProviderConfig

from .addresses import host_of
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


def hosts_of(config: CommonProviderConfig) -> frozenset[str]:
    """Return the hosts of the endpoints of one client's configuration."""
    hosts = (host_of(getattr(config, name)) for name in _NAMES)
    return frozenset(host for host in hosts if host is not None)


def hosts_of_provider(config: ProviderConfig) -> frozenset[str]:
    """Return the hosts that a provider has for any of its clients, built-in ones among them."""
    found: frozenset[str] = frozenset()
    for client in each_client(config):
        try:
            found |= hosts_of(filled(client))
        except SignInFailedError:
            found |= hosts_of(client)
    return found
