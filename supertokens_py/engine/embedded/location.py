"""Which database a connection URI means. Pure, except for the working directory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from supertokens_py.exceptions import ConfigError

Kind: TypeAlias = Literal["sqlite-file", "sqlite-memory", "postgresql"]

_POSTGRES_DRIVERS = ("postgres", "postgresql", "postgresql+psycopg")
_SQLITE_DRIVERS = ("sqlite", "sqlite+pysqlite")
_FORMS = "use sqlite:///file.db, sqlite:// (memory), or postgresql://user:password@host/database"


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
        ConfigError: no such database or driver is supported.
    """
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f"connection_uri is not a database URL; {_FORMS}") from error
    if url.drivername in _POSTGRES_DRIVERS:
        url = url.set(drivername="postgresql+psycopg")
        return Location(url, "postgresql", url.set(drivername="postgresql", query={}).render_as_string())
    if url.drivername not in _SQLITE_DRIVERS:
        raise ConfigError(f"connection_uri names the driver {url.drivername!r}; {_FORMS}")
    database = url.database or ""
    if url.host is not None:
        raise ConfigError(f"connection_uri {uri!r} needs three slashes before the file name; {_FORMS}")
    if database in ("", ":memory:") or url.query.get("mode") == "memory":
        return Location(url, "sqlite-memory", "the in-memory database")
    if not database.startswith("file:"):
        database = os.path.abspath(database)
    return Location(url.set(database=database), "sqlite-file", database)
