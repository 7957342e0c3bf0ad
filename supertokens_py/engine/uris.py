"""What a connection URI means: SQLite, PostgreSQL or the hosts of a core. Nothing is opened.

No message shows a part of a URI that could be a password: what is not understood is not printed.
"""

from __future__ import annotations

import os
import re
from typing import Literal, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import masked
from supertokens_py.urls import LOCAL_SITE, is_ip

from .postgres_uri import is_key_value, name_of, parse_postgres

Kind: TypeAlias = Literal["sqlite", "postgresql", "core"]

_SCHEMES: dict[str, Kind] = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgresql": "postgresql",
    "postgresql+psycopg": "postgresql",
    "postgres": "postgresql",
    "http": "core",
    "https": "core",
}
_FORMS = (
    "use sqlite:///file.db, sqlite:// (memory), postgresql://user:password@host/database, "
    "or the http(s):// address of a SuperTokens core"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def kind_of(uri: str) -> Kind:
    """Return what `uri` leads to, by its scheme. An address without one is that of a core.

    Raises:
        ConfigError: it leads nowhere; the message says which forms there are.
    """
    uri = masked(uri)
    if not uri:
        raise ConfigError(
            "connection_uri is empty: set it, or leave it out for the SQLite file supertokens.db"
        )
    match = _SCHEME.match(uri)
    scheme = match[1].lower() if match else ""
    if kind := _SCHEMES.get(scheme):
        if not uri[len(scheme) + 1 :].startswith("//"):
            raise ConfigError(f"connection_uri has no :// after {scheme!r}; {_FORMS}")
        return kind
    if is_key_value(uri):
        return "postgresql"
    if match and uri[match.end() :].startswith("//"):
        raise ConfigError(f"connection_uri starts with {match[1]!r}; {_FORMS}")
    if _is_host(uri.partition(";")[0]):
        return "core"
    raise ConfigError(f"connection_uri is no address that is understood; {_FORMS}")


def check_connection_uri(uri: str) -> None:
    """Refuse what no engine understands, without importing a driver or looking at the disk.

    Raises:
        ConfigError: says which forms there are.
    """
    uri = masked(uri)
    kind = kind_of(uri)
    if kind == "core":
        core_hosts(uri)
    elif kind == "sqlite":
        sqlite_name(uri)


def check_location(uri: str) -> None:
    """Refuse what can only fail at the first use: for `init`, after `check_connection_uri` and the packages.

    Raises:
        ConfigError: an option of PostgreSQL or a port cannot be right, or the directory of a SQLite file
            does not exist.
    """
    uri = masked(uri)
    kind = kind_of(uri)
    if kind == "postgresql":
        parse_postgres(uri)
    elif kind == "sqlite" and (name := sqlite_name(uri)) and not name.startswith(("file:", ":memory:")):
        directory = os.path.dirname(os.path.abspath(name))
        if not os.path.isdir(directory):
            raise ConfigError(f"connection_uri: the directory {directory} of the SQLite file does not exist")


def describe(uri: str) -> str:
    """Return where a checked URI leads to, for the log: no password is in it."""
    match kind_of(uri):
        case "postgresql":
            return name_of(parse_postgres(uri))
        case "sqlite":
            name = sqlite_name(uri)
            return name if name.startswith("file:") else os.path.abspath(name) if name else "memory"
        case _:
            return f"the SuperTokens core at {', '.join(place.geturl() for place in core_places(uri))}"


def core_places(uri: str) -> list[SplitResult]:
    """Return the addresses of a core without user and password, as they may be shown."""
    return [host._replace(netloc=host.netloc.rpartition("@")[2]) for host in core_hosts(uri)]


def sqlite_name(uri: str) -> str:
    """Return the file that a SQLite URI names; "" for a database in memory.

    Raises:
        ConfigError: two slashes stand before a file name, or three before none.
    """
    place = uri.partition("://")[2].partition("?")[0]
    if not place:
        return ""
    if not place.startswith("/"):
        raise ConfigError(f"connection_uri needs three slashes before the file name; {_FORMS}")
    if place == "/":
        raise ConfigError(
            f"connection_uri sqlite:/// names no file (sqlite:// for sessions in memory); {_FORMS}"
        )
    return unquote(place.removeprefix("/"))


def core_hosts(uri: str) -> tuple[SplitResult, ...]:
    """Split the `;`-separated addresses of a core; one without a scheme gets the one that 0.24 gave it.

    Raises:
        ConfigError: a piece is not an http(s) address.
    """
    uri = masked(uri)
    pieces = [masked(part.strip()) for part in uri.split(";") if part.strip()]
    if not pieces:
        raise ConfigError("connection_uri names no SuperTokens core")
    return tuple(_core_host(piece) for piece in pieces)


def _core_host(piece: str) -> SplitResult:
    if (parts := _split(piece)) is None or re.search(r"[\s,]", piece):
        del parts  # it may hold a password, and no variable of a failure may
        secret = "password" if "@" in piece else "query" if "?" in piece or "#" in piece else None
        shown = repr(str(piece)) if secret is None else f"an address with a {secret}"
        raise ConfigError(f"connection_uri: {shown} is not the http(s):// address of a SuperTokens core")
    return parts


def _split(piece: str) -> SplitResult | None:
    """Return the parts of an address, or None if it cannot be one of a core."""
    try:
        parts = urlsplit(_with_scheme(piece) if _is_host(piece) else piece)
        is_right = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, a bracket that is not closed
        return None
    # An "@" in the path ends a password with a slash in it, which would be taken for a host and a path.
    return parts if is_right and not (parts.query or parts.fragment or "@" in parts.path) else None


def _is_host(piece: str) -> bool:
    """Return whether a piece without a scheme can only be a host: localhost, an IP address, or with a dot."""
    if "://" in piece or "@" in piece or re.search(r"[\s=?#]", piece):
        return False
    host = _host(piece)
    if host.endswith((".db", ".sqlite", ".sqlite3")):  # a file that lacks its scheme
        return False
    return host.startswith(LOCAL_SITE) or is_ip(host) or "." in host.strip(".")


def _with_scheme(piece: str) -> str:
    host = _host(piece)
    return f"http://{piece}" if host.startswith(LOCAL_SITE) or is_ip(host) else f"https://{piece}"


def _host(piece: str) -> str:
    try:
        return urlsplit(f"//{piece}").hostname or ""
    except ValueError:
        return ""
