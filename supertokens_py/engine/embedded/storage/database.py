"""Units of work: one transaction on one connection, retried where that is safe, errors translated."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, cast

from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from supertokens_py import forks
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import EngineUnavailableError, SuperTokensError

from . import errors, schema, tables
from .admission import Gate, Slots
from .dialects import lock_key, take_lock
from .driver_queries import DriverQueries
from .pools import begin, open_pool
from .postgres import Generation
from .retries import Retries, Step
from .url import Location, locate

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Connection, Engine, PoolProxiedConnection
    from sqlalchemy.pool import QueuePool

T = TypeVar("T")

Mode: TypeAlias = Literal["read", "single", "write"]
Fetch: TypeAlias = "Callable[[ClauseElement, Mapping[str, Any]], tuple[Any, ...] | None]"

_PATIENCE_S = 2.0

log: logging.Logger = logging.getLogger(__name__)

# Pools that a child process inherited. Their connections belong to the parent: closing them here
# would end them there, so they are kept and never used.
_inherited: list[object] = []


class UnitConflictError(Exception):
    """Raised inside a unit to have it rolled back and repeated: what it had read is no longer so."""


class Database(forks.ForkAware):
    """A database and its pool, opened at the first unit of work and again after `close()` or a fork.

    It is a class because the pool, the writer's turn and the state of the schema belong together.
    """

    def __init__(self, uri: str, settings: ResolvedEngineConfig, *, may_create: bool = True) -> None:
        self.may_create = may_create  #: whether missing tables and keys may be made
        self.location: Location = locate(uri)
        self.settings = settings
        self.tables: tables.Tables = tables.Tables(
            schema=None if self.location.is_sqlite else settings.table_schema, prefix=settings.table_prefix
        )
        self._has_user_tables = self._has_core_tables = False
        self._generation = Generation()
        #: SQLAlchemy's engine, for its events; statements go through `read`, `single` and `write`.
        self.pool: Engine = open_pool(self.location, settings, self._generation)
        #: Grows when connections broke or tables vanished: what was read before may be of another database.
        self.interruptions: int = 0
        event.listen(self.pool, "invalidate", self._interrupted)
        self._queries = DriverQueries(self.pool)
        self._opened = False
        self._is_unusable = False
        self._failure: tuple[int, EngineUnavailableError | None] = (0, None)
        self._make_locks()
        forks.register(self)
        self._close_finally()

    def _close_finally(self) -> None:
        # Whoever forgets to close gets no ResourceWarning from the driver, which names no culprit.
        self._finalizer = weakref.finalize(self, _dispose_own, self.pool, os.getpid())

    @property
    def has_user_tables(self) -> bool:
        """Whether an official core keeps users here, too."""
        self.prepare()
        return self._has_user_tables

    @property
    def is_shared(self) -> bool:
        """Whether an official core may write to the same session rows."""
        if self.settings.shared_with_core != "AUTO":
            return self.settings.shared_with_core == "YES"
        self.prepare()
        return self._has_core_tables

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run statements that only read; each sees the latest committed state."""
        return self._run(work, "read", repeatable=True)

    def alone(self, work: Callable[[Fetch], T], mode: Literal["read", "single"], *, repeatable: bool) -> T:
        """Run a unit of one statement on the driver's own cursor, at half the cost of `read` or `single`.

        `work` gets what runs a statement and returns its first row; `repeatable` is as for `single`.
        """
        self.prepare()
        return self._repeat(lambda: self._alone(work, mode), repeatable=repeatable)

    def row_within(
        self, connection: Connection, statement: ClauseElement, values: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """Run a statement of a unit of work on the driver's own cursor."""
        return self._queries.row(connection, connection.connection, statement, values)

    def single(self, work: Callable[[Connection], T], *, repeatable: bool = False) -> T:
        """Run one writing statement, which is its own transaction.

        `repeatable` says that doing it twice is the same as once: then it is sent again if the
        connection broke and nobody knows whether it was done.
        """
        return self._run(work, "single", repeatable=repeatable)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run statements in one transaction. `work` may be called again: it must have no other effect."""
        return self._run(work, "write", repeatable=False)

    def lock(self, connection: Connection, purpose: str) -> None:
        """Keep other processes out of `purpose` until the transaction of `connection` ends."""
        take_lock(connection, lock_key(purpose, self.tables))

    def close(self) -> None:
        """Close every connection; the next unit opens new ones."""
        forks.check()
        with self._open_lock, self._quiet():
            self._opened = False
            self.pool.dispose()

    @contextmanager
    def _quiet(self) -> Generator[None]:
        # A connection that is lent while its pool is closed would only be dropped, later.
        self._gate.close(_PATIENCE_S)
        try:
            yield
        finally:
            self._gate.open()

    def _run(self, work: Callable[[Connection], T], mode: Mode, *, repeatable: bool) -> T:
        self.prepare()
        return self._attempts(work, mode, repeatable=repeatable)

    def _attempts(
        self, work: Callable[[Connection], T], mode: Mode, *, repeatable: bool, reopens: bool = True
    ) -> T:
        progress = _Progress()
        # A transaction that was never told to commit left nothing behind. One that was may be done: it is
        # not repeated, and a client that refreshes again gets the same token.
        return self._repeat(
            lambda: self._attempt(work, mode, progress),
            repeatable=repeatable,
            undone=lambda: mode == "write" and not progress.committing,
            reopens=reopens,
        )

    def _repeat(
        self,
        attempt: Callable[[], T],
        *,
        repeatable: bool,
        undone: Callable[[], bool] = lambda: False,
        reopens: bool = True,
    ) -> T:
        retries = Retries(reopens=reopens)
        while True:
            try:
                return attempt()
            except UnitConflictError:
                if not retries.conflict():
                    raise EngineUnavailableError(f"{self.location.name} is too busy: try again") from None
            except (IntegrityError, SuperTokensError):
                raise  # the first is a rule of the schema: the unit knows what it means
            except Exception as error:
                if not errors.is_of_driver(error):
                    raise
                step = retries.step_after(error, may_repeat=repeatable or undone())
                if step is None or not self._recovered(step, error):
                    raise errors.translated(error, self.location, self.settings) from error
                if step != "again":
                    continue
            time.sleep(random.random() * min(0.5, 0.005 * 2**retries.conflicts))  # noqa: S311

    def _recovered(self, step: Step, error: Exception) -> bool:
        """Do what the next try needs; return whether one makes sense."""
        if step == "reconnect":
            log.info("connection to %s was lost, trying a new one", self.location.name)
        elif step == "replace":
            advice = errors.advise(error, self.location)
            log.warning("%s: %s; all connections are replaced", self.location.name, advice)
            self._generation.end(prepares=not errors.is_mixed_up(error))
        elif step == "reopen":
            log.warning("the tables in %s are gone: looking at the schema again", self.location.name)
            self._interrupted()
            self._opened = False
            self._open()
            # Not repeated: what the unit writes may be made with keys that are gone, too.
            raise EngineUnavailableError(f"the tables in {self.location.name} were made anew: try again")
        elif step == "wait":
            pool = cast("QueuePool", self.pool.pool)
            return self._slots.refused(pool.checkedin() + pool.checkedout())
        return True

    def _interrupted(self, *_: object) -> None:
        self.interruptions += 1

    def _attempt(self, work: Callable[[Connection], T], mode: Mode, progress: _Progress) -> T:
        progress.committing = False
        with self._gate, self._turn(mode), self.pool.connect() as connection:
            if mode == "write":
                begin(connection)
            result = work(connection)
            progress.committing = True
            connection.commit()
            return result

    def _alone(self, work: Callable[[Fetch], T], mode: Mode) -> T:
        with self._gate, self._turn(mode), closing(self._raw_connection()) as connection:
            return work(
                lambda statement, values: self._queries.row(connection, connection, statement, values)
            )

    def _raw_connection(self) -> PoolProxiedConnection:
        try:
            return self.pool.raw_connection()
        except self._queries.error as error:  # connecting failed, and this way nobody wraps it
            raise self._queries.wrapped(error, lost=False) from error

    @contextmanager
    def _exclusive(self) -> Generator[None]:
        # Threads of one process hand the turn to each other at once, where SQLite's own waiting polls.
        if not self._writer.acquire(timeout=max(0.001, self.settings.sqlite_busy_timeout)):
            raise errors.busy(self.location, self.settings)
        try:
            yield
        finally:
            self._writer.release()

    def _turn(self, mode: Mode) -> AbstractContextManager[None]:
        if self.location.kind == "postgresql" or (mode == "read" and self.location.kind == "sqlite-file"):
            return nullcontext()
        return self._exclusive()

    def _open(self) -> None:
        seen = self._failure[0]
        with self._open_lock:
            if self._opened:
                return
            count, failure = self._failure
            if failure is not None and count != seen:
                raise failure  # it failed while we waited to try: do not queue up behind a dead database
            try:
                self._prepare()
            except EngineUnavailableError as error:
                self._failure = (count + 1, error)
                raise
            self._opened = True

    def prepare(self) -> None:
        """Notice a fork, and open the database where that has not been done: missing tables are created."""
        forks.check()
        if not self._opened:
            self._open()

    def _prepare(self) -> None:
        if self._is_unusable:
            raise errors.copied_while_in_use(self.location)
        if self._attempts(lambda c: schema.missing(c, self.tables), "read", repeatable=True, reopens=False):
            if not self.may_create:
                raise errors.incomplete(self.location)
            self._attempts(self._upgrade, "write", repeatable=False, reopens=False)
            log.info("the tables in %s are up to date", self.location.name)
        if not self.location.is_sqlite:
            self._look_for_a_core()

    def _look_for_a_core(self) -> None:
        was_known = self._has_core_tables
        self._has_user_tables, self._has_core_tables = self._attempts(
            lambda c: schema.tables_of_a_core(c, self.tables), "read", repeatable=True, reopens=False
        )
        if self._has_core_tables and not was_known and self.settings.shared_with_core == "AUTO":
            log.info(
                "%s has tables of an official core: refresh tokens that a core gave out are accepted "
                "(SUPERTOKENS_SHARED_WITH_CORE=NO ends that)",
                self.location.name,
            )

    def _upgrade(self, connection: Connection) -> None:
        self.lock(connection, "schema")
        if not self.location.is_sqlite:
            # Altering a table waits for its readers, and new readers for us: not for long.
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        schema.bring_up_to_date(connection, self.tables, now_ms=self.settings.now_ms())

    def _make_locks(self) -> None:
        self._open_lock = threading.Lock()
        self._writer = threading.Lock()
        self._slots = Slots(self.settings.pool_timeout)
        self._gate = Gate() if self.location.is_sqlite else self._slots

    def before_fork(self) -> None:
        # A file's locks belong to a process, but SQLite's notes about them are copied by a fork: with
        # an open connection, the child would believe that it holds locks which it does not. So the
        # file is closed over a fork, and no unit runs meanwhile. A database in memory is copied whole.
        self._gate.close(_PATIENCE_S)
        if self.location.kind == "sqlite-file":
            self.pool.dispose()

    def after_fork_in_parent(self) -> None:
        self._gate.open()

    def after_fork_in_child(self) -> None:
        self._make_locks()
        self._finalizer.detach()
        self._close_finally()
        if self.location.kind == "postgresql":
            _inherited.append(self.pool.pool)
            self.pool.dispose(close=False)
        elif self.location.kind == "sqlite-file":
            self._forget_copied_file()

    def _forget_copied_file(self) -> None:
        # After a fork that ran no `before_fork`, SQLite's notes in this process say that it holds locks
        # which only the parent does. They go with the connections; closing those leaves the parent's
        # locks alone. A connection that was in use cannot be closed: then SQLite would lock wrongly, and
        # another process could take the write-ahead log away.
        if cast("QueuePool", self.pool.pool).checkedout():
            self._is_unusable, self._opened = True, False
        else:
            self.pool.dispose()


def _dispose_own(pool: Engine, process_id: int) -> None:
    if os.getpid() == process_id:  # else they are the parent's, and closing them would tell the server
        pool.dispose()


class _Progress:
    """How far an attempt came: once it is committing, its outcome may be unknown."""

    committing = False
