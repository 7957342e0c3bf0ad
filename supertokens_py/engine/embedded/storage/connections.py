"""One attempt of a unit of work on one connection: the pool, the turn of SQLite's writer, and forks."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

from sqlalchemy import event
from sqlalchemy.pool import QueuePool

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.records import ConnectionCounts
from supertokens_py.events import DatabaseFailed, emit

from . import errors
from .admission import Gate, Slots
from .driver_queries import DriverQueries
from .pools import begin, open_pool
from .postgres import Generation
from .retries import Progress
from .url import Location

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Connection, Engine, PoolProxiedConnection

T = TypeVar("T")

Mode: TypeAlias = Literal["read", "single", "write"]
Fetch: TypeAlias = "Callable[[ClauseElement, Mapping[str, Any]], tuple[Any, ...] | None]"

_CLOSING_TIMEOUT_S = 2.0

# Pools that a child process inherited. Their connections belong to the parent: closing them here
# would end them there, so they are kept and never used.
_inherited: list[object] = []


class Connections:
    """The connections of this process to one database."""

    def __init__(self, location: Location, settings: ResolvedEngineConfig) -> None:
        self._location = location
        self._settings = settings
        self.generation: Generation = Generation()
        self.pool: Engine = open_pool(location, settings, self.generation)
        #: Whether a fork in C copied a SQLite file while a connection was in use.
        self.is_unusable: bool = False
        event.listen(self.pool, "invalidate", self.generation.interrupted)
        self._queries = DriverQueries(self.pool)
        self._make_locks()
        self._close_finally()

    def _make_locks(self) -> None:
        self._writer = threading.Lock()
        self._slots = Slots(self._settings.pool_timeout)
        self._gate = Gate() if self._location.is_sqlite else self._slots

    def _close_finally(self) -> None:
        # Whoever forgets to close gets no ResourceWarning from the driver, which names no culprit.
        self._finalizer = weakref.finalize(self, _dispose_own, self.pool, os.getpid())

    def run(self, work: Callable[[Connection], T], mode: Mode, progress: Progress) -> T:
        """Run a unit of work and commit it."""
        progress.committing = False
        with self._gate, self._turn(mode), self.pool.connect() as connection:
            if mode == "write":
                begin(connection)
            result = work(connection)
            progress.committing = True
            connection.commit()
            return result

    def run_on_cursor(self, work: Callable[[Fetch], T], mode: Mode) -> T:
        """Run a unit of one statement on the driver's own cursor."""
        with self._gate, self._turn(mode), closing(self._raw_connection()) as connection:
            return work(
                lambda statement, values: self._queries.row(connection, connection, statement, values)
            )

    def row_within(
        self, connection: Connection, statement: ClauseElement, values: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """Run a statement of a unit of work on the driver's own cursor."""
        return self._queries.row(connection, connection.connection, statement, values)

    def _raw_connection(self) -> PoolProxiedConnection:
        try:
            return self.pool.raw_connection()
        except self._queries.error as error:  # connecting failed, and this way nobody wraps it
            raise self._queries.wrapped(error, lost=False) from error

    def _turn(self, mode: Mode) -> AbstractContextManager[None]:
        if self._location.kind == "postgresql" or (mode == "read" and self._location.kind == "sqlite-file"):
            return nullcontext()
        return self._exclusive()

    @contextmanager
    def _exclusive(self) -> Generator[None]:
        # Threads of one process hand the turn to each other at once, where SQLite's own waiting polls.
        if not self._writer.acquire(timeout=max(0.001, self._settings.sqlite_busy_timeout)):
            emit(DatabaseFailed(kind="locked", is_final=True))
            raise errors.busy(self._location, self._settings)
        try:
            yield
        finally:
            self._writer.release()

    def wait_for_own(self) -> bool:
        """Note that the server refused another connection; return whether there are any to wait for."""
        pool = cast(QueuePool, self.pool.pool)
        return self._slots.refused(pool.checkedin() + pool.checkedout())

    def counts(self) -> ConnectionCounts:
        """Return how many connections are in use and idle right now. No I/O."""
        pool = self.pool.pool
        if not isinstance(pool, QueuePool):  # a database in memory is its one connection
            return ConnectionCounts(used=0, idle=1, limit=1)
        return ConnectionCounts(used=pool.checkedout(), idle=pool.checkedin(), limit=pool.size())

    def close(self) -> None:
        """Close every connection; the next unit opens new ones."""
        # A connection that is lent while its pool is closed would only be dropped, later.
        self._gate.close(_CLOSING_TIMEOUT_S)
        try:
            self.pool.dispose()
        finally:
            self._gate.open()

    def before_fork(self) -> None:
        """Let no unit run over the fork."""
        # A file's locks belong to a process, but SQLite's notes about them are copied by a fork: with
        # an open connection, the child would believe that it holds locks which it does not. So the
        # file is closed over a fork, and no unit runs meanwhile. A database in memory is copied whole.
        self._gate.close(_CLOSING_TIMEOUT_S)
        if self._location.kind == "sqlite-file":
            self.pool.dispose()

    def after_fork_in_parent(self) -> None:
        """Let units run again."""
        self._gate.open()

    def after_fork_in_child(self) -> None:
        """Take new locks, and leave the connections to the parent."""
        self._make_locks()
        self._finalizer.detach()
        self._close_finally()
        if self._location.kind == "postgresql":
            _inherited.append(self.pool.pool)
            self.pool.dispose(close=False)
        elif self._location.kind == "sqlite-file":
            self._forget_copied_file()

    def _forget_copied_file(self) -> None:
        # After a fork that ran no `before_fork`, SQLite's notes in this process say that it holds locks
        # which only the parent does. They go with the connections; closing those leaves the parent's
        # locks alone. A connection that was in use cannot be closed: then SQLite would lock wrongly, and
        # another process could take the write-ahead log away.
        if cast(QueuePool, self.pool.pool).checkedout():
            self.is_unusable = True
        else:
            self.pool.dispose()


def _dispose_own(pool: Engine, process_id: int) -> None:
    # A collection of garbage may call this while SQLAlchemy keeps its register of events: `Engine.dispose`
    # would make a pool for what comes next, and write into it.
    if os.getpid() == process_id:  # else they are the parent's, and closing them would tell the server
        pool.pool.dispose()
