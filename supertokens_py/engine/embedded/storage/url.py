"""Which database a connection URI means. Pure, except for the working directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from supertokens_py.engine.postgres_uri import name_of, parse_postgres
from supertokens_py.engine.uris import kind_of, sqlite_name
from supertokens_py.exceptions import ConfigError

Kind: TypeAlias = Literal["sqlite-file", "sqlite-memory", "postgresql"]

_DRIVER = "postgresql+psycopg"


@dataclass(frozen=True, slots=True)
class Location:
    """A checked connection URI; `name` is fit for messages: it hides the password."""

    url: URL
    kind: Kind
    name: str

    @property
    def is_sqlite(self) -> bool:
        return self.kind != "postgresql"


def locate(uri: str) -> Location:
    """Return where `uri` points; a relative file is fixed to today's working directory.

    Raises:
        ConfigError: no such database or driver is supported, or the URI cannot work.
    """
    match kind_of(uri):
        case "sqlite":
            return _sqlite(uri)
        case "postgresql":
            return _postgres(parse_postgres(uri))
        case _:
            raise ConfigError("connection_uri leads to a SuperTokens core, where a database is needed")


def _sqlite(uri: str) -> Location:
    name = sqlite_name(uri)
    try:
        url = make_url(uri).set(drivername="sqlite", database=name)
    except (ArgumentError, ValueError) as error:
        raise ConfigError("connection_uri is not a database URL") from error
    if name in ("", ":memory:") or url.query.get("mode") == "memory":
        return Location(url, "sqlite-memory", "the in-memory database")
    if not name.startswith("file:"):
        name = os.path.abspath(name)
    return Location(url.set(database=name), "sqlite-file", name)


def _postgres(given: Mapping[str, str]) -> Location:
    """Put libpq's parameters into a URL of SQLAlchemy, whose driver is handed them as they are."""
    options = dict(given)
    host, port = options.pop("host", ""), options.pop("port", "")
    user, database = options.pop("user", None), options.pop("dbname", None)
    password = options.pop("password", None)
    if "," in host + port or host.startswith(("/", "@")) or not host:
        # A URL of SQLAlchemy has one host; the driver takes these words as libpq does.
        options |= {key: value for key, value in (("host", host), ("port", port)) if value}
        url = URL.create(_DRIVER, user, password, database=database, query=options)
    else:
        url = URL.create(_DRIVER, user, password, host, int(port) if port else None, database, options)
    return Location(url, "postgresql", name_of(given))
