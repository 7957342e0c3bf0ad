"""Connection URI to engine. The only imports inside functions: each engine needs optional packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from supertokens_py.exceptions import ConfigError

if TYPE_CHECKING:
    from .config import ResolvedEngineConfig
    from .interface import Engine

DEFAULT_DATABASE = "sqlite:///supertokens.db"

EMBEDDED_SCHEMES = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg", "postgres")
REMOTE_SCHEMES = ("http", "https")


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
    else:
        return
    raise ConfigError(
        f"{problem}; use sqlite:///file.db, postgresql://user:password@host/database, "
        "or the http(s):// address of a SuperTokens core"
    )


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
            raise ConfigError("a SuperTokens core needs: pip install 'supertokens-py[remote]'") from error
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
