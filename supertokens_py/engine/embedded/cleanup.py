"""Deletion of what has expired, in batches and by one process at a time (engine: Clean-up).

Correctness never depends on it: expired rows are ignored wherever they are read.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, or_, select, tuple_, update

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.config import ResolvedEngineConfig

from .session_rows import SESSIONS
from .storage import server_clock
from .storage.dialects import insert_new
from .storage.tables import KEY_VALUE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Delete

    from .keys import KeyRing
    from .storage.database import Database

BATCH = 500
_CLAIM = "supertokens_py_swept"

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CleanedUp:
    """How many rows a clean-up deleted."""

    sessions: int
    keys: int


class Cleaner:
    """Deletes expired sessions and signing keys; it is a class because it holds its statements.

    Args:
        others: further statements, each with the age in milliseconds of what it deletes (`before`).
    """

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        settings: ResolvedEngineConfig,
        others: Sequence[tuple[Delete, int]] = (),
    ) -> None:
        self._others = others
        self._works: list[Callable[[int], None]] = []
        self._database = database
        self._keys = keys
        self._settings = settings
        table = database.tables[SESSIONS]
        key = (table.c.app_id, table.c.tenant_id, table.c.session_handle)
        # SKIP LOCKED: a row that a refresh is just extending is not ours to delete.
        expired = (
            select(*key)
            .where(table.c.app_id == DEFAULT_APP_ID, table.c.expires_at <= bindparam("now"))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        self._delete = delete(table).where(tuple_(*key).in_(expired))
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

    def clean_up(self) -> CleanedUp:
        """Delete everything that has expired by now, by the clocks of this machine and of the database."""
        now_ms = self._database.read(self._agreed_now_ms)
        if now_ms is None:
            return CleanedUp(0, 0)
        sessions = 0
        while True:
            values = {"now": now_ms}
            count = self._database.single(
                lambda c, v=values: c.execute(self._delete, v).rowcount, repeatable=True
            )
            sessions += count
            if count < BATCH:
                break
        for statement, age_ms in self._others:
            before = {"before": now_ms - age_ms}
            self._database.single(lambda c, s=statement, v=before: c.execute(s, v), repeatable=True)
        for work in self._works:
            work(now_ms)
        deleted = CleanedUp(sessions, self._keys.delete_expired(now_ms))
        log.info("clean-up deleted %d sessions and %d signing keys", deleted.sessions, deleted.keys)
        return deleted

    def clean_up_if_first(self) -> None:
        """Clean up if no process has done so within the interval."""
        if self._database.write(self._claimed):
            self.clean_up()

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
