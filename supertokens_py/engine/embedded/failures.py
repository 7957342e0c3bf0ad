"""What a database error means: try again, connect again, or tell the operator what to do. Pure."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import EngineUnavailableError

from .location import Location

_SQLITE_ADVICE = {
    sqlite3.SQLITE_READONLY: "let the user that runs the application write the file and its directory",
    sqlite3.SQLITE_CANTOPEN: "check that its directory exists and that the application may write there",
    sqlite3.SQLITE_FULL: "the disk is full: free some space",
    sqlite3.SQLITE_IOERR: "reading or writing the file failed: check the disk",
    sqlite3.SQLITE_PERM: "let the user that runs the application write the file and its directory",
    sqlite3.SQLITE_CORRUPT: "the file is damaged: restore a backup",
    sqlite3.SQLITE_NOTADB: "the file is no SQLite database: choose another one",
}
_POSTGRES_ADVICE = {
    "28": "check user and password in connection_uri",
    "3D": "create the database, or correct its name in connection_uri",
    "42": "check that the user may create and use tables in this schema",
    "25": "the server or the user is read-only: connect to the primary",
    "53": "the server is out of a resource: raise its limits or lower pool_size",
    "57": "the server is shutting down or starting up: try again",
}


def is_conflict(error: SQLAlchemyError) -> bool:
    """Tell whether a PostgreSQL transaction lost against another and was rolled back (class 40)."""
    return _sqlstate(error).startswith("40")


def is_disconnect(error: SQLAlchemyError) -> bool:
    """Tell whether the connection broke while it was in use."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def is_unknown_parent(error: DBAPIError) -> bool:
    """Tell whether a row names a parent (tenant, role) that does not exist."""
    return _sqlstate(error) == "23503" or _sqlite_code(error) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY


def translated(
    error: SQLAlchemyError, location: Location, settings: ResolvedEngineConfig
) -> EngineUnavailableError:
    """Return the error that callers see; it names the database and what to do, and holds no secret."""
    if isinstance(error, PoolTimeoutError):
        return EngineUnavailableError(
            f"all {settings.pool_size} connections to {location.name} stayed busy for "
            f"{settings.pool_timeout:g} s: raise pool_size (SUPERTOKENS_POOL_SIZE) or pool_timeout"
        )
    if _sqlite_code(error) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy(location, settings)
    reason = " ".join(str(getattr(error, "orig", None) or error).split())
    return EngineUnavailableError(f"cannot use {location.name}: {reason}; {_advice(error, location)}")


def busy(location: Location, settings: ResolvedEngineConfig) -> EngineUnavailableError:
    """Return the error for a SQLite database that another writer keeps locked."""
    return EngineUnavailableError(
        f"{location.name} stayed locked by another writer for {settings.sqlite_busy_timeout:g} s: "
        "raise sqlite_busy_timeout (SUPERTOKENS_SQLITE_BUSY_TIMEOUT), or use PostgreSQL for many processes"
    )


def _advice(error: SQLAlchemyError, location: Location) -> str:
    if location.is_sqlite:
        return _SQLITE_ADVICE.get(_sqlite_code(error) & 0xFF, "check the file")
    return _POSTGRES_ADVICE.get(
        _sqlstate(error)[:2], "check that the server runs and connection_uri is right"
    )


def _sqlstate(error: SQLAlchemyError) -> str:
    cause: Any = getattr(error, "orig", None)
    return str(getattr(cause, "sqlstate", None) or "")


def _sqlite_code(error: SQLAlchemyError) -> int:
    cause: Any = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorcode", None)
    return code if isinstance(code, int) else 0
