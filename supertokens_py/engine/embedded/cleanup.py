"""Deletion of what has expired, in batches and by one process at a time (engine: Clean-up).

Correctness never depends on it: expired rows are ignored wherever they are read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, or_, select, tuple_, update

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.session_records import Ending, SessionKey

from .session_state.session_changes import SessionChanges
from .session_state.session_rows import SESSION_DETAILS, SESSIONS, key_columns, same_session
from .storage import page_ranges, server_clock
from .storage.dialects import insert_new
from .storage.tables import KEY_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, Delete, Select, Table
    from sqlalchemy.sql.dml import ReturningDelete

    from .keys.keys import KeyRing
    from .storage.database import Database
    from .storage.tables import Tables

BATCH = 500
_IDLE = Ending(reason="idle")
_ABSOLUTE = Ending(reason="absolute")
_CLAIM = "supertokens_py_swept"

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CleanedUp:
    """How many rows a clean-up deleted."""

    sessions: int
    keys: int


def expired_sessions(
    tables: Tables, *, in_ranges: bool = False
) -> list[tuple[ReturningDelete[Any, Any, Any], Ending]]:
    """Return the statements that delete a batch of expired sessions, in this order, and why those ended.

    Args:
        in_ranges: of a range of pages, which is named with each call.
    """
    table = tables[SESSIONS]
    key = (table.c.app_id, table.c.tenant_id, table.c.session_handle)
    # SKIP LOCKED: a row that a refresh is just extending is not ours to delete.
    expired = (
        select(*key)
        .where(table.c.app_id == DEFAULT_APP_ID, table.c.expires_at <= bindparam("now"))
        .where(*([page_ranges.within()] if in_ranges else []))
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    if SESSION_DETAILS not in tables:
        return [(_deleted(table, expired), _IDLE)]
    end = tables[SESSION_DETAILS].c.absolute_at
    reached_end = select(end).where(*same_session(tables), end <= table.c.expires_at).exists()
    return [(_deleted(table, expired.where(reached_end)), _ABSOLUTE), (_deleted(table, expired), _IDLE)]


def _deleted(table: Table, rows: Select[Any, Any, Any]) -> ReturningDelete[Any, Any, Any]:
    key = (table.c.app_id, table.c.tenant_id, table.c.session_handle)
    return delete(table).where(tuple_(*key).in_(rows)).returning(*key_columns(table))


class Cleaner:
    """Deletes expired sessions and signing keys.

    Args:
        others: further statements, each with the age in milliseconds of what it deletes (`before`).
    """

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        settings: ResolvedEngineConfig,
        others: Sequence[tuple[Delete, int]] = (),
        changes: SessionChanges | None = None,
    ) -> None:
        self._changes = changes or SessionChanges()
        self._others = others
        self._works: list[Callable[[int], None]] = []
        self._everywhere: list[Callable[[], None]] = []
        self._database = database
        self._keys = keys
        self._settings = settings
        self._prepare_statements()

    def _prepare_statements(self) -> None:
        database = self._database
        values = database.tables[KEY_VALUE]
        row = {"app_id": DEFAULT_APP_ID, "tenant_id": DEFAULT_TENANT_ID, "name": _CLAIM}
        self._first_claim = insert_new(values, is_sqlite=database.location.is_sqlite).values(**row, value="")
        self._claim = (
            update(values)
            .where(*(values.c[name] == value for name, value in row.items()))
            # A time in the future was left behind by a machine with a wrong clock.
            .where(
                or_(
                    values.c.created_at_time <= bindparam("before"),
                    values.c.created_at_time > bindparam("after"),
                )
            )
            .values(created_at_time=bindparam("now"))
        )

    def also(self, work: Callable[[int], None]) -> None:
        """Have something else cleaned up, too; it is given the time in milliseconds."""
        self._works.append(work)

    def also_everywhere(self, work: Callable[[], None]) -> None:
        """Have something done at each clean-up by every process, not only by the one that cleans up."""
        self._everywhere.append(work)

    def clean_up(self) -> CleanedUp:
        """Delete everything that has expired by now, by the clocks of this machine and of the database.

        What fails is raised at the end, after everything else was cleaned up.
        """
        self._work_everywhere()
        now_ms = self._database.read(self._agreed_now_ms)
        if now_ms is None:
            return CleanedUp(0, 0)
        failures: list[Exception] = []

        def done(step: Callable[[], int | None]) -> int:
            # One that always fails must not keep what has nothing to do with it for ever.
            try:
                return step() or 0
            except Exception as error:
                failures.append(error)
                return 0

        sessions = done(partial(self._end_all_expired, now_ms, done))
        for statement, age_ms in self._others:
            done(partial(self._delete_others, statement, now_ms - age_ms))
        for work in self._works:
            done(partial(work, now_ms))
        deleted = CleanedUp(sessions, done(partial(self._keys.delete_expired, now_ms)))
        log.info("clean-up deleted %d sessions and %d signing keys", deleted.sessions, deleted.keys)
        if failures:
            for further in failures[1:]:
                log.warning("another part of the clean-up failed: %s", further)
            raise failures[0]
        return deleted

    def _delete_others(self, statement: Delete, before_ms: int) -> None:
        values = {"before": before_ms}
        self._database.single(lambda c: c.execute(statement, values), repeatable=True)

    def _places(self, connection: Connection) -> list[Mapping[str, str]]:
        """Return the ranges of pages to look for expired sessions in, one by one; {}: everywhere at once.

        Our own tables have no index of expiry on PostgreSQL, since each refresh would write to it, and by it
        to every other index; so the table is read once, from its beginning to its end.
        """
        sessions = self._database.tables[SESSIONS]
        if self._database.location.is_sqlite or page_ranges.is_indexed(connection, sessions, "expires_at"):
            return [{}]
        return page_ranges.ranges(connection, sessions) or [{}]

    def _end_all_expired(self, now_ms: int, done: Callable[[Callable[[], int | None]], int]) -> int:
        places = self._database.read(self._places)
        expired = expired_sessions(self._database.tables, in_ranges=bool(places[0]))
        return sum(done(partial(self._end_expired, now_ms, places, *one)) for one in expired)

    def _end_expired(
        self,
        now_ms: int,
        places: Sequence[Mapping[str, str]],
        statement: ReturningDelete[Any, Any, Any],
        ending: Ending,
    ) -> int:
        return sum(self.end_in(statement, {"now": now_ms, **place}, ending) for place in places)

    def end_in(
        self, statement: ReturningDelete[Any, Any, Any], values: Mapping[str, Any], ending: Ending
    ) -> int:
        """Delete what has expired in one place, batch by batch; return how many sessions that were."""

        def unit(connection: Connection) -> list[SessionKey]:
            return self._changes.end(connection, statement, values, ending)

        total, count = 0, BATCH
        while count >= BATCH:
            if self._changes.are_recorded:
                ended = self._database.write(unit)
            else:
                ended = self._database.single(unit, repeatable=True)
            self._changes.settle(ended, ending, is_revocation=False)
            count = len(ended)
            total += count
        return total

    def clean_up_if_first(self) -> None:
        """Clean up if no process has done so within the interval."""
        if self._database.write(self._claimed):
            self.clean_up()
        else:
            self._work_everywhere()

    def _work_everywhere(self) -> None:
        for work in self._everywhere:
            work()

    def _claimed(self, connection: Connection) -> bool:
        now_ms = self._agreed_now_ms(connection)
        if now_ms is None:
            return False
        if connection.execute(self._first_claim, {"created_at_time": now_ms}).rowcount > 0:
            return False  # the first interval of this database begins
        before_ms = now_ms - int(self._settings.clean_up_interval * 3_600_000)
        times = {"before": before_ms, "now": now_ms, "after": now_ms + server_clock.TOLERANCE_MS}
        return connection.execute(self._claim, times).rowcount > 0

    def _agreed_now_ms(self, connection: Connection) -> int | None:
        """Return the earlier of the two times; None if they are too far apart to tell what has expired."""
        now_ms = self._settings.now_ms()
        if server_clock.ahead_ms(connection, now_ms):
            return None
        theirs_ms = server_clock.server_now_ms(connection)
        return now_ms if theirs_ms is None else min(now_ms, theirs_ms)
