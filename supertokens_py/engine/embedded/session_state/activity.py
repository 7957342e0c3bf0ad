"""When users were last seen (engine: Activity): throttled, batched, written off the request path."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import EngineUnavailableError

from ..storage.dialects import upsert
from ..storage.tables import APPS, OPTIONAL_TIME, PUBLIC_ID, USER_ID, TableDefinition

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..storage.database import Database

LAST_ACTIVE = TableDefinition(
    name="user_last_active",
    columns={"app_id": PUBLIC_ID, "user_id": USER_ID, "last_active_time": OPTIONAL_TIME},
    key=("app_id", "user_id"),
    parent=APPS,
    indexes={"user_last_active_app_id_last_active_time_index": ("app_id", "last_active_time")},
)

THROTTLE_S = 300.0
MAX_REMEMBERED = 200_000

log: logging.Logger = logging.getLogger(__name__)


class RecentNotes:
    """What this process has seen and not yet written, and when it saw what, so that it notes it seldom.

    It is a class because it owns both. A dictionary update needs no lock; a note lost to a race only means
    that something is seen a little later.
    """

    def __init__(self, settings: ResolvedEngineConfig) -> None:
        self._settings = settings
        self.on_note: Callable[[], None] = lambda: None  #: is told that there is something to write
        self.monotonic_s: Callable[[], float] = time.monotonic  #: the clock of the five minutes
        self._seen_at: dict[str, float] = {}
        self._pending: dict[str, int] = {}

    def note(self, name: str) -> None:
        """Remember that something is seen now, at most every five minutes."""
        now = self.monotonic_s()
        if now - self._seen_at.get(name, float("-inf")) < THROTTLE_S:
            return
        if len(self._seen_at) >= MAX_REMEMBERED:
            self._seen_at.clear()
        self._seen_at[name] = now
        self._pending[name] = self._settings.now_ms()
        self.on_note()

    def forget(self, name: str) -> None:
        """Forget what is being removed."""
        self._pending.pop(name, None)
        self._seen_at.pop(name, None)

    def taken(self) -> list[tuple[str, int]]:
        """Return what is pending, and when it was seen (ms); it is pending no more.

        It is in one order, so that two processes that write it cannot wait for each other.
        """
        pending, self._pending = self._pending, {}
        return sorted(pending.items())


class Activity:
    """Remembers who was active and writes it when `flush` is called."""

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self.notes: RecentNotes = RecentNotes(settings)
        #: Remembers that a user is active now, at most every five minutes.
        self.note: Callable[[str], None] = self.notes.note
        #: Forgets a user who is being removed.
        self.forget: Callable[[str], None] = self.notes.forget
        table = database.tables[LAST_ACTIVE]
        insert = upsert(table, "last_active_time", is_sqlite=database.location.is_sqlite)
        self._upsert = insert.values(app_id=DEFAULT_APP_ID)
        self._count = (
            select(func.count())
            .select_from(table)
            .where(table.c.app_id == DEFAULT_APP_ID, table.c.last_active_time >= bindparam("since"))
        )

    def flush(self) -> None:
        """Write what is pending; a failure is logged and forgotten, for nothing depends on it."""
        rows = [{"user_id": user, "last_active_time": at} for user, at in self.notes.taken()]
        if not rows:
            return
        try:
            self._database.write(lambda connection: connection.execute(self._upsert, rows))
        except EngineUnavailableError as error:
            log.info("activity of %d users was not recorded: %s", len(rows), error)

    def count_since(self, since_ms: int) -> int:
        """Return how many users were active at or after a time."""
        self.flush()
        return self._database.read(lambda c: c.execute(self._count, {"since": since_ms}).scalar_one())
