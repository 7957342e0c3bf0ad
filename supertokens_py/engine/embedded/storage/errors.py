"""What a database error means: try again, connect again, or tell the operator what to do. Pure."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError, SuperTokensError

from . import advice
from .url import Location

#: The server did nothing, and this connection is of no use any more: it is read-only since a fail-over,
#: leads through a pooler to a server that knows other prepared statements, or has prepared some of which the
#: columns have another type since (0A000).
_UNUSABLE = frozenset({"25006", "26000", "42P05", "08P01", "0A000"})
_PREPARED = frozenset({"26000", "42P05", "08P01"})
_MISSING = frozenset({"42P01", "3F000"})
_NOT_IN_ENCODING = frozenset({"22P05", "22021"})
_NOT_UNIQUE = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})
_DRIVERS = frozenset({"psycopg", "psycopg_binary", "psycopg_c", "sqlalchemy", "sqlite3"})


class UnknownOutcomeError(EngineUnavailableError):
    """The connection broke when the database may have done what it was asked for."""


def is_conflict(error: Exception) -> bool:
    """Return whether a PostgreSQL transaction lost against another and was rolled back (class 40)."""
    return _sqlstate(error).startswith("40")


def is_disconnect(error: Exception) -> bool:
    """Return whether the connection broke while it was in use."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _is_of_connection(error: Exception) -> bool:
    # A server that cannot be reached gives no code, but the driver's class says that it is about operation.
    code = _code(error)
    no_code = isinstance(error, OperationalError) and not code and not _sqlite_code(error)
    return is_disconnect(error) or no_code or code[:2] in ("08", "57")


def is_unusable(error: Exception) -> bool:
    """Return whether the server did nothing because of what this connection leads to: take another one."""
    return _code(error) in _UNUSABLE


def is_mixed_up(error: Exception) -> bool:
    """Return whether a prepared statement was unknown or another's: a pooler does not track them."""
    return _code(error) in _PREPARED


def is_refused(error: Exception) -> bool:
    """Return whether the server has no room for another connection; those that are open go on."""
    return _code(error) == "53300"


def is_missing_table(error: Exception) -> bool:
    """Return whether our tables are gone: the database was made anew."""
    return _sqlstate(error) in _MISSING


def is_unknown_parent(error: DBAPIError) -> bool:
    """Return whether a row names a parent (tenant, role) that does not exist."""
    return _sqlstate(error) == "23503" or _sqlite_code(error) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY


def is_taken(error: DBAPIError) -> bool:
    """Return whether a row has what must be unique, and another row has it already."""
    return _sqlstate(error) == "23505" or _sqlite_code(error) in _NOT_UNIQUE


def forget_row(error: Exception) -> None:
    """Leave of a broken rule which one it is, and not the row, which PostgreSQL repeats as a detail.

    There may be a key or the hash of a password in it, and the error may end in the log of an application.
    Errors of our own stay as they are.
    """
    cause: Any = getattr(error, "orig", None)
    if cause is not None:
        rule = str(getattr(getattr(cause, "diag", None), "message_primary", None) or cause)
        cause.args, error.args = (rule,), (f"({type(cause).__name__}) {rule}",)


def is_of_driver(error: Exception) -> bool:
    """Return whether an error was raised by the driver, whatever its class, and not by our own code."""
    if isinstance(error, SQLAlchemyError | UnicodeError):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] in _DRIVERS


def kind_of(error: Exception) -> str | None:
    """Return the `kind` of `events.DatabaseFailed`; None where the text itself cannot be stored."""
    cause = getattr(error, "orig", None) or error
    if isinstance(cause, UnicodeError) or _sqlstate(error) in _NOT_IN_ENCODING:
        return None
    if isinstance(error, PoolTimeoutError):
        return "pool"
    if _sqlite_code(error) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "locked"
    known = (
        (is_conflict, "conflict"),
        (is_refused, "full"),
        (is_unusable, "read_only"),
        (is_missing_table, "schema"),
        (_is_of_connection, "connection"),
    )
    return next((kind for holds, kind in known if holds(error)), "other")


@contextmanager
def translating(location: Location, settings: ResolvedEngineConfig) -> Generator[None]:
    """Have what the driver raises in the block raised as `translated` says, and all else as it is."""
    try:
        yield
    except Exception as error:
        if not is_of_driver(error):
            raise
        raise translated(error, location, settings) from error


def translated(error: Exception, location: Location, settings: ResolvedEngineConfig) -> SuperTokensError:
    """Return the error that callers see; it names the database and what to do, and holds no secret.

    It is an `EngineUnavailableError`, or a `BadInputError` where the text itself cannot be stored.
    """
    if isinstance(error, PoolTimeoutError):
        return EngineUnavailableError(
            f"all {settings.pool_size} connections to {location.name} stayed busy for "
            f"{settings.pool_timeout:g} s: raise pool_size (SUPERTOKENS_POOL_SIZE) or pool_timeout"
        )
    if _sqlite_code(error) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return busy(location, settings)
    cause = getattr(error, "orig", None) or error
    # The caller's message, which clients may see: it does not name the database.
    if isinstance(cause, UnicodeError):
        return BadInputError("the database cannot store a character of the text: it is no Unicode text")
    if _sqlstate(error) in _NOT_IN_ENCODING:
        return BadInputError(
            f"the database cannot store a character of the text: {_reason(error)}; its encoding is not UTF8"
        )
    known = isinstance(error, SQLAlchemyError)
    reason = _reason(error) if known else f"{type(error).__name__}: {_reason(error)}"
    return EngineUnavailableError(f"cannot use {location.name}: {reason}; {advise(error, location)}")


def busy(location: Location, settings: ResolvedEngineConfig) -> EngineUnavailableError:
    """Return the error for a SQLite database that another writer keeps locked."""
    return EngineUnavailableError(
        f"{location.name} stayed locked by another writer for {settings.sqlite_busy_timeout:g} s: "
        "raise sqlite_busy_timeout (SUPERTOKENS_SQLITE_BUSY_TIMEOUT), or use PostgreSQL for many processes"
    )


def incomplete(location: Location) -> ConfigError:
    """Return the error of a command that only reads, for a database without all our tables."""
    return ConfigError(
        f"{location.name} lacks tables or columns that sessions are kept in, and this command adds none: "
        "check the address, start the application, or run `supertokens schema create` "
        "(with --users for those of sign-in recipes)"
    )


def without_users(location: Location) -> ConfigError:
    """Return the error of a command about users, for a database that has sessions and no table of users."""
    return ConfigError(
        f"{location.name} keeps no users: the application lists no sign-in recipe, such as "
        "emailpassword.init(), or was not started since (`supertokens schema create --users` makes tables)"
    )


def copied_while_in_use(location: Location) -> EngineUnavailableError:
    """Return the error for a SQLite file whose connection was busy during a fork that Python did not see."""
    return EngineUnavailableError(
        f"{location.name} was in use while this process was forked in C, and cannot be used safely here: "
        "load the application in each worker (uWSGI: lazy-apps), and restart this one"
    )


def advise(error: Exception, location: Location) -> str:
    """Return what an operator can do about an error."""
    if location.is_sqlite:
        return advice.of_sqlite(_sqlite_code(error) & 0xFF)
    return advice.of_postgres(_code(error), _reason(error))


def _reason(error: Exception) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())


def _code(error: Exception) -> str:
    """Return the SQLSTATE, or the one that the message stands for; "" if there is none."""
    code, reason = _sqlstate(error), _reason(error)
    # PgBouncer gives everything that it says itself the code of a protocol violation.
    if code and (code != "08P01" or "prepared statement" in reason):
        return code
    return advice.refusal_code(reason)


def _sqlstate(error: Exception) -> str:
    cause: Any = getattr(error, "orig", None)
    return str(getattr(cause, "sqlstate", None) or "")


def _sqlite_code(error: Exception) -> int:
    cause: Any = getattr(error, "orig", None)
    code = getattr(cause, "sqlite_errorcode", None)
    return code if isinstance(code, int) else 0
