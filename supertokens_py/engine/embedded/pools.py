"""SQLAlchemy engines for the two databases: connection settings, transactions, liveness."""

from __future__ import annotations

import logging
import math
import os
import select
import sqlite3
import threading
import time
from contextlib import closing
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool, StaticPool

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.factory import MISSING_DRIVER
from supertokens_py.exceptions import ConfigError

from .location import Location

_LOGGING_NAME = "supertokens_py"  #: sets the log of our engines apart from those of the application's

_file_creation = threading.Lock()

log: logging.Logger = logging.getLogger(__name__)


def _hides_rows(record: logging.LogRecord) -> bool:
    # At DEBUG, SQLAlchemy logs every row that it reads: private keys and payloads among them.
    return record.levelno > logging.DEBUG


# A filter, not a level: logging.config may reset the levels of loggers that it does not name.
logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").addFilter(_hides_rows)


def open_pool(location: Location, settings: ResolvedEngineConfig) -> Engine:
    """Return an engine that has not connected yet.

    Raises:
        ConfigError: the driver is not installed.
    """
    if location.is_sqlite:
        return _sqlite(location, settings)
    return _postgres(location, settings)


def begin(connection: Connection) -> None:
    """Begin a writing transaction. Connections are in autocommit mode: a statement by itself is one.

    Said outright: an event for it, or an execution option, slows SQLAlchemy by half for every statement.
    """
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "BEGIN ISOLATION LEVEL READ COMMITTED")


def _sqlite(location: Location, settings: ResolvedEngineConfig) -> Engine:
    memory = location.kind == "sqlite-memory"
    if memory:
        log.warning(
            "sessions are kept in the memory of this process: other workers do not see them, and a restart "
            "forgets them. Outside of tests use sqlite:///file.db or postgresql://user:password@host/database."
        )
    pool: dict[str, Any] = (
        {"poolclass": StaticPool}
        if memory
        else {
            "poolclass": QueuePool,
            "pool_size": settings.pool_size,
            "max_overflow": 0,
            "pool_timeout": settings.pool_timeout,
        }
    )
    engine = create_engine(
        location.url,
        connect_args={"check_same_thread": False, "timeout": settings.sqlite_busy_timeout},
        hide_parameters=True,
        logging_name=_LOGGING_NAME,
        pool_reset_on_return=None,  # `begin` is the only one to open a transaction, and its unit ends it
        **pool,
    )

    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        # Python's own transaction handling is off: it begins late and deferred, where two writers
        # that both began by reading could only fail.
        connection.isolation_level = None
        with closing(connection.cursor()) as cursor:
            cursor.execute("PRAGMA foreign_keys = ON")
            if not memory:
                _use_wal(cursor, settings.sqlite_busy_timeout)
                cursor.execute(f"PRAGMA synchronous = {settings.sqlite_synchronous}")

    if not memory:
        event.listen(engine, "do_connect", lambda *_: _create_private(cast("str", location.url.database)))
    event.listen(engine, "connect", set_up)
    return engine


def _create_private(path: str) -> None:
    """Create a new database file readable by its owner only; SQLite gives its side files the same mode."""
    if path.startswith("file:") or os.path.exists(path):
        return
    # Never open a file that exists: closing any descriptor of it would drop SQLite's own locks.
    with _file_creation:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except OSError:
            return  # it exists by now, or SQLite will say what is wrong


def _use_wal(cursor: sqlite3.Cursor, patience_s: float) -> None:
    # The change needs the file for itself and does not wait for it; other processes may be starting too.
    deadline = time.monotonic() + patience_s
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
        else:
            cursor.fetchall()
            return


def _postgres(location: Location, settings: ResolvedEngineConfig) -> Engine:
    patience_s = str(max(2, math.ceil(settings.pool_timeout)))
    given = location.url.query
    defaults = {
        "connect_timeout": patience_s,
        # A peer that vanished without a word must not hold a request for the kernel's two hours.
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "30000",
        "application_name": "supertokens_py",
    }
    try:
        engine = create_engine(
            location.url,
            poolclass=QueuePool,
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=settings.pool_timeout,
            pool_use_lifo=True,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
            connect_args={name: value for name, value in defaults.items() if name not in given},
            hide_parameters=True,
            logging_name=_LOGGING_NAME,
        )
    except ImportError as error:
        raise ConfigError(MISSING_DRIVER) from error
    event.listen(engine, "checkout", _refuse_dead)
    return engine


def _refuse_dead(connection: Any, _record: object, _proxy: object) -> None:
    """Replace a connection that the server has closed, before anything is sent on it.

    An idle connection has nothing to read unless the server said good-bye. Asking the socket costs
    microseconds, where a ping would cost a round trip for every unit of work.
    """
    try:
        waiting = bool(_readable(connection.fileno()))
    except Exception as error:
        raise DisconnectionError("the connection is closed") from error
    if waiting:
        raise DisconnectionError("the server closed the connection")


def _readable(descriptor: int) -> object:
    if not hasattr(select, "poll"):
        return select.select([descriptor], [], [], 0)[0]
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return poller.poll(0)
