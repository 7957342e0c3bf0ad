"""Units of work: one transaction on one connection, retried where that is safe, errors translated."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from sqlalchemy.exc import IntegrityError

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.records import ConnectionCounts
from supertokens_py.events import DatabaseFailed, emit
from supertokens_py.exceptions import EngineUnavailableError, SuperTokensError
from supertokens_py.runtime import fork_hooks

from . import errors, parent_keys, schema
from .connections import Connections, Fetch, Mode
from .dialects import lock_key, take_locks
from .retries import Progress, Retries, Step
from .tables import TableDefinition, Tables
from .url import Location, locate

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Connection, Engine

__all__ = ["Database", "Fetch", "UnitConflictError"]

T = TypeVar("T")

log: logging.Logger = logging.getLogger(__name__)


class UnitConflictError(Exception):
    """Raised inside a unit to have it rolled back and repeated: what it had read is no longer so."""


class Database(fork_hooks.ForkAware):
    """A database and its pool, opened at the first unit of work and again after `close()` or a fork."""

    def __init__(
        self,
        uri: str,
        settings: ResolvedEngineConfig,
        definitions: Sequence[TableDefinition],
        *,
        may_create: bool = True,
        optional: Sequence[TableDefinition] = (),
    ) -> None:
        """`optional` tables are never made; one that is there joins `tables` at the opening."""
        self.may_create = may_create  #: whether missing tables and keys may be made
        self._definitions, self._optional = tuple(definitions), optional
        self.on_found: Callable[[], None] = lambda: None  #: called once optional tables have joined
        self._checks: list[Callable[[Connection, Tables], None]] = []
        self.location: Location = locate(uri)
        self.settings = settings
        self.tables: Tables = Tables(
            self._definitions,
            schema=None if self.location.is_sqlite else settings.table_schema,
            prefix=settings.table_prefix,
        )
        self._has_user_tables = self._has_core_tables = False
        self._connections = Connections(self.location, settings)
        #: SQLAlchemy's engine, for its events; statements go through `read`, `single` and `write`.
        self.pool: Engine = self._connections.pool
        self._opened = False
        self._failure: tuple[int, EngineUnavailableError | None] = (0, None)
        self._open_lock = threading.Lock()
        fork_hooks.register(self)

    @property
    def interruptions(self) -> int:
        """How often connections broke or tables vanished: what was read before may be of another database."""
        return self._connections.generation.interruptions

    def connection_counts(self) -> ConnectionCounts:
        """Return how many connections are in use and idle right now. No I/O."""
        return self._connections.counts()

    @property
    def has_user_tables(self) -> bool:
        """Whether users are kept here: by a sign-in recipe of ours, or by an official core."""
        if not self._opened:
            self._open()
        return self._has_user_tables

    @property
    def is_shared(self) -> bool:
        """Whether an official core may write to the same session rows."""
        if self.settings.shared_with_core != "AUTO":
            return self.settings.shared_with_core == "YES"
        if not self._opened:
            self._open()
        return self._has_core_tables

    def also_check(self, check: Callable[[Connection, Tables], None]) -> None:
        """Have a feature look at the database at each opening; it may refuse it with a ConfigError."""
        self._checks.append(check)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run statements that only read; each sees the latest committed state."""
        return self._run(work, "read", repeatable=True)

    def alone(self, work: Callable[[Fetch], T], mode: Literal["read", "single"], *, repeatable: bool) -> T:
        """Run a unit of one statement on the driver's own cursor, at half the cost of `read` or `single`.

        `work` gets what runs a statement and returns its first row; `repeatable` is as for `single`.
        """
        self.prepare()
        return self._repeat(lambda: self._connections.run_on_cursor(work, mode), repeatable=repeatable)

    def row_within(
        self, connection: Connection, statement: ClauseElement, values: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """Run a statement of a unit of work on the driver's own cursor."""
        return self._connections.row_within(connection, statement, values)

    def single(self, work: Callable[[Connection], T], *, repeatable: bool = False) -> T:
        """Run one writing statement, which is its own transaction.

        `repeatable` says that doing it twice is the same as once: then it is sent again if the
        connection broke and nobody knows whether it was done.
        """
        return self._run(work, "single", repeatable=repeatable)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run statements in one transaction. `work` may be called again: it must have no other effect."""
        return self._run(work, "write", repeatable=False)

    def lock(self, connection: Connection, *purposes: str) -> None:
        """Keep other processes out of each purpose until the transaction of `connection` ends."""
        take_locks(connection, (lock_key(purpose, self.tables) for purpose in purposes))

    def close(self) -> None:
        """Close every connection; the next unit opens new ones."""
        fork_hooks.check()
        with self._open_lock:
            self._opened = False
            self._connections.close()

    def _run(self, work: Callable[[Connection], T], mode: Mode, *, repeatable: bool) -> T:
        self.prepare()
        return self._attempts(work, mode, repeatable=repeatable)

    def _attempts(
        self, work: Callable[[Connection], T], mode: Mode, *, repeatable: bool, reopens: bool = True
    ) -> T:
        progress = Progress()
        # A transaction that was never told to commit left nothing behind. One that was may be done: it is
        # not repeated, and a client that refreshes again gets the same token.
        return self._repeat(
            lambda: self._connections.run(work, mode, progress),
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
                    emit(DatabaseFailed(kind="conflict", is_final=True))
                    raise EngineUnavailableError(f"{self.location.name} is too busy: try again") from None
            except (IntegrityError, SuperTokensError) as error:
                errors.forget_row(error)
                raise  # the first is a rule of the schema: the unit knows what it means
            except Exception as error:
                if not errors.is_of_driver(error):
                    raise
                is_undone = undone()
                retries.may_be_done |= errors.is_disconnect(error) and not is_undone
                step = retries.step_after(error, may_repeat=repeatable or is_undone)
                _report(error, is_final=step is None)
                if step is None or not self._recovered(step, error):
                    raise self._final(error, retries) from error
                if step != "again":
                    continue
            time.sleep(random.random() * min(0.5, 0.005 * 2**retries.conflicts))  # noqa: S311

    def _final(self, error: Exception, retries: Retries) -> SuperTokensError:
        final = errors.translated(error, self.location, self.settings)
        return errors.UnknownOutcomeError(str(final)) if retries.may_be_done else final

    def _recovered(self, step: Step, error: Exception) -> bool:
        """Do what the next try needs; return whether one makes sense."""
        if step == "reconnect":
            log.info("connection to %s was lost, trying a new one", self.location.name)
        elif step == "replace":
            advice = errors.advise(error, self.location)
            log.warning("%s: %s; all connections are replaced", self.location.name, advice)
            self._connections.generation.end(prepares=not errors.is_mixed_up(error))
        elif step == "reopen":
            log.warning("the tables in %s are gone: looking at the schema again", self.location.name)
            self._connections.generation.interrupted()
            self._opened = False
            self._open()
            # Not repeated: what the unit writes may be made with keys that are gone, too.
            raise EngineUnavailableError(f"the tables in {self.location.name} were made anew: try again")
        elif step == "wait":
            return self._connections.wait_for_own()
        return True

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
        fork_hooks.check()
        if not self._opened:
            self._open()

    def _prepare(self) -> None:
        if self._connections.is_unusable:
            raise errors.copied_while_in_use(self.location)
        lacks_something = self._looked_up(lambda c, tables: schema.missing(c, tables, self._with_those))
        if lacks_something and not self.may_create:
            if self._looked_up(schema.keeps_sessions_alone):
                raise errors.without_users(self.location)
            raise errors.incomplete(self.location)
        if lacks_something or (self.may_create and self._looked_up(parent_keys.lost)):
            self._attempts(self._upgrade, "write", repeatable=False, reopens=False)
            log.info("the tables in %s are up to date", self.location.name)
        self._look_for_a_core()
        for check in self._checks:
            self._looked_up(check)

    def _with_those(self, names: Container[str]) -> Tables:
        """Return the tables, now with each optional one that is there."""
        prefix = self.tables.prefix
        found = [one for one in self._optional if one not in self.tables and prefix + one.name in names]
        if found:
            self._definitions = (*self._definitions, *found)
            self.tables = Tables(self._definitions, schema=self.tables.schema, prefix=prefix)
            self.on_found()
        return self.tables

    def _look_for_a_core(self) -> None:
        was_known = self._has_core_tables
        self._has_user_tables, self._has_core_tables = self._looked_up(schema.tables_of_a_core)
        if self._has_core_tables and not was_known and self.settings.shared_with_core == "AUTO":
            log.info(
                "%s has tables of an official core: refresh tokens that a core gave out are accepted "
                "(SUPERTOKENS_SHARED_WITH_CORE=NO ends that)",
                self.location.name,
            )

    def _looked_up(self, question: Callable[[Connection, Tables], T]) -> T:
        return self._attempts(
            lambda connection: question(connection, self.tables), "read", repeatable=True, reopens=False
        )

    def _upgrade(self, connection: Connection) -> None:
        self.lock(connection, "schema")
        if not self.location.is_sqlite:
            # Altering a table waits for its readers, and new readers for us: not for long.
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
        schema.bring_up_to_date(connection, self.tables, now_ms=self.settings.now_ms())

    def before_fork(self) -> None:
        self._connections.before_fork()

    def after_fork_in_parent(self) -> None:
        self._connections.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        self._open_lock = threading.Lock()
        self._connections.after_fork_in_child()
        if self._connections.is_unusable:
            self._opened = False


def _report(error: Exception, *, is_final: bool) -> None:
    kind = errors.kind_of(error)
    if kind is not None:
        emit(DatabaseFailed(kind=kind, is_final=is_final))
