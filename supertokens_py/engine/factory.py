"""Connection URI to engine. The only imports inside functions: each engine needs optional packages."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from supertokens_py.exceptions import ConfigError

from .postgres_uri import MISSING_DRIVER
from .session_records import NO_FEATURES, SessionFeatures, refuse_over_a_core
from .uris import check_connection_uri, check_location, kind_of

if TYPE_CHECKING:
    from .config import ResolvedEngineConfig
    from .interface import Engine

__all__ = [
    "DEFAULT_DATABASE",
    "MISSING_CLIENT",
    "MISSING_DRIVER",
    "check_connection_uri",
    "check_engine",
    "check_features",
    "check_location",
    "open_engine",
]

DEFAULT_DATABASE = "sqlite:///supertokens.db"

MISSING_CLIENT = "a SuperTokens core needs the extra 'remote' (docs/installation.md)"


def check_engine(uri: str) -> None:
    """Look for the optional package that the engine of a URI needs, without importing it, and for its place.

    Raises:
        ConfigError: the package is not installed, or there is no such place; the message says what to do.
    """
    kind = kind_of(uri)
    if kind == "postgresql" and find_spec("psycopg") is None:
        raise ConfigError(MISSING_DRIVER)
    if kind == "core" and find_spec("httpx2") is None:
        raise ConfigError(MISSING_CLIENT)
    check_location(uri)


def check_features(uri: str, features: SessionFeatures) -> None:
    """Look whether the engine of a URI can do what is asked of sessions.

    Raises:
        ConfigError: it cannot; the message names the arguments of `session.init`.
    """
    if kind_of(uri) == "core":
        refuse_over_a_core(features)


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
    features: SessionFeatures | None = NO_FEATURES,
) -> Engine:
    """Make the engine for a URI that `check_connection_uri` accepts; it connects at its first use.

    `keeps_users` says that a sign-in recipe is used; `features` what the session recipe wants, or None for
    what applications have used in this database, which is then looked at now. Without `may_create`, a
    database that lacks tables, columns or keys is left as it is (ConfigError).

    Raises:
        ConfigError: a package that this engine needs is missing; the message says what to install. Or a core
            cannot do what `features` asks for.
        EngineUnavailableError: `features` is None, and the database cannot be read.
    """
    if kind_of(uri) == "core":
        refuse_over_a_core(features or NO_FEATURES)
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
    from .embedded.found_features import found_features

    if features is None:
        features = found_features(uri, settings)
    return EmbeddedEngine(uri, settings, may_create=may_create, keeps_users=keeps_users, features=features)
