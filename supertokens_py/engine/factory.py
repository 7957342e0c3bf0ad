"""Connection URI to engine. The only imports inside functions: each engine needs optional packages."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from supertokens_py.exceptions import ConfigError

if TYPE_CHECKING:
    from .config import ResolvedEngineConfig
    from .interface import Engine

DEFAULT_DATABASE = "sqlite:///supertokens.db"

SQLITE_SCHEMES = ("sqlite", "sqlite+pysqlite")
POSTGRES_SCHEMES = ("postgresql", "postgresql+psycopg", "postgres")
EMBEDDED_SCHEMES = SQLITE_SCHEMES + POSTGRES_SCHEMES
REMOTE_SCHEMES = ("http", "https")

MISSING_DRIVER = "PostgreSQL needs a driver: pip install 'supertokens-py[postgres]'"
MISSING_CLIENT = "a SuperTokens core needs: pip install 'supertokens-py[remote]'"


def check_connection_uri(uri: str) -> None:
    """Refuse what no engine understands, without opening anything.

    Raises:
        ConfigError: says which forms there are.
    """
    scheme, _, rest = uri.partition(":")
    if scheme.lower() not in EMBEDDED_SCHEMES + REMOTE_SCHEMES:
        problem = f"connection_uri starts with {scheme!r}"
    elif not rest.startswith("//"):
        problem = f"connection_uri has no :// after {scheme!r}"
    elif scheme.lower() in SQLITE_SCHEMES and rest.partition("?")[0] == "///":
        problem = f"connection_uri {scheme}:/// names no file (sqlite:// for sessions in memory)"
    else:
        return
    raise ConfigError(
        f"{problem}; use sqlite:///file.db, postgresql://user:password@host/database, "
        "or the http(s):// address of a SuperTokens core"
    )


def check_packages(uri: str) -> None:
    """Look for the optional package that the engine of a URI needs, without importing it.

    Raises:
        ConfigError: it is not installed; the message says what to install.
    """
    scheme = uri.partition(":")[0].lower()
    if scheme in POSTGRES_SCHEMES and find_spec("psycopg") is None:
        raise ConfigError(MISSING_DRIVER)
    if scheme in REMOTE_SCHEMES and find_spec("httpx2") is None:
        raise ConfigError(MISSING_CLIENT)


def open_engine(
    uri: str,
    settings: ResolvedEngineConfig,
    *,
    api_key: str | None = None,
    network_interceptor: Callable[..., Any] | None = None,
    api_domain: str = "",
    website_domain: str = "",
) -> Engine:
    """Make the engine for a URI that `check_connection_uri` accepts; it connects at its first use.

    Raises:
        ConfigError: a package that this engine needs is missing; the message says what to install.
    """
    if uri.partition(":")[0].lower() in REMOTE_SCHEMES:
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

    return EmbeddedEngine(uri, settings)
