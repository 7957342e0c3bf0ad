"""SQLAlchemy engines for the two databases: connection settings, transactions, liveness."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from contextlib import closing
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool, StaticPool

from supertokens_py.engine.config import ResolvedEngineConfig

from .postgres import Generation, open_postgres
from .url import Location

_LOGGING_NAME = "supertokens_py"  #: sets the log of our engines apart from those of the application's

_file_creation = threading.Lock()

log: logging.Logger = logging.getLogger(__name__)


def _hides_rows(record: logging.LogRecord) -> bool:
    # At DEBUG, SQLAlchemy logs every row that it reads: private keys and payloads among them.
    return record.levelno > logging.DEBUG


# A filter, not a level: logging.config may reset the levels of loggers that it does not name.
logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").addFilter(_hides_rows)


def open_pool(location: Location, settings: ResolvedEngineConfig, generation: Generation) -> Engine:
    """Return an engine that has not connected yet.

    Raises:
        ConfigError: an option of the URI cannot work.
    """
    if location.is_sqlite:
        return _sqlite(location, settings)
    return open_postgres(location, settings, generation, logging_name=_LOGGING_NAME)


def begin(connection: Connection) -> None:
    """Begin a writing transaction. Connections are in autocommit mode: a statement by itself is one.

    Said outright: an event for it, or an execution option, slows SQLAlchemy by half for every statement.
    """
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "BEGIN ISOLATION LEVEL READ COMMITTED")


def _sqlite(location: Location, settings: ResolvedEngineConfig) -> Engine:
    memory = location.kind == "sqlite-memory"
    if memory:
        log.info(
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
            (mode,) = cursor.fetchone()
            if mode != "wal":
                log.warning(
                    "SQLite keeps its journal in mode %s, not in a write-ahead log: is the file on a network "
                    "drive? Its locks may not work there; use a local disk, or PostgreSQL.",
                    mode,
                )
            return
