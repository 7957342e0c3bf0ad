"""Connection URI to engine. The only imports inside functions: each engine needs optional packages."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from supertokens_py.exceptions import ConfigError

from .postgres_uri import MISSING_DRIVER
from .uris import check_connection_uri, check_location, kind_of

if TYPE_CHECKING:
    from .config import ResolvedEngineConfig
    from .interface import Engine

__all__ = [
    "DEFAULT_DATABASE",
    "MISSING_CLIENT",
    "MISSING_DRIVER",
    "check_connection_uri",
    "check_location",
    "check_packages",
    "open_engine",
]

DEFAULT_DATABASE = "sqlite:///supertokens.db"

MISSING_CLIENT = "a SuperTokens core needs: pip install 'supertokens-py[remote]'"


def check_packages(uri: str) -> None:
    """Look for the optional package that the engine of a URI needs, without importing it.

    Raises:
        ConfigError: it is not installed; the message says what to install.
    """
    kind = kind_of(uri)
    if kind == "postgresql" and find_spec("psycopg") is None:
        raise ConfigError(MISSING_DRIVER)
    if kind == "core" and find_spec("httpx2") is None:
        raise ConfigError(MISSING_CLIENT)


def open_engine(
    uri: str,
    settings: ResolvedEngineConfig,
    *,
    api_key: str | None = None,
    network_interceptor: Callable[..., Any] | None = None,
    api_domain: str = "",
    website_domain: str = "",
    may_create: bool = True,
    keeps_users: bool = False,
) -> Engine:
    """Make the engine for a URI that `check_connection_uri` accepts; it connects at its first use.

    `keeps_users` says that a sign-in recipe is used. Without `may_create`, a database that lacks tables,
    columns or keys is left as it is (ConfigError).

    Raises:
        ConfigError: a package that this engine needs is missing; the message says what to install.
    """
    if kind_of(uri) == "core":
        try:
            from .remote import RemoteEngine
        except ImportError as error:
            raise ConfigError(MISSING_CLIENT) from error
        return RemoteEngine(
            uri,
            settings,
            api_key=api_key,
            network_interceptor=network_interceptor,
            api_domain=api_domain,
            website_domain=website_domain,
        )
    from .embedded import EmbeddedEngine

    return EmbeddedEngine(uri, settings, may_create=may_create, keeps_users=keeps_users)
