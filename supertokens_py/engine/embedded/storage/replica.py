"""Reads from a replica, as long as it is known to be no further behind than allowed (engine: Replicas).

How far behind is known without clocks: every now and then the position of the primary's log is noted, and
each read tells which position its server has replayed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import literal_column

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import ConfigError, EngineUnavailableError, SuperTokensError
from supertokens_py.runtime import fork_hooks

from . import errors
from .connections import Connections
from .retries import Progress
from .url import Location, locate

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .database import Database

T = TypeVar("T")

#: How long a replica that failed is not asked again.
AWAY_FOR_S = 5.0
_START = "'0/0'::pg_lsn"
_TIMELINE = "concat((pg_control_system()).system_identifier, ' ', {})"
_TIMELINE_WRITTEN = _TIMELINE.format(
    "('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::integer"
)
# The file of a replica names a timeline at its next restartpoint, the receiver at once, to a role that may
# read all statistics; to others it says null, which `greatest` passes over.
_TIMELINE_REPLAYED = _TIMELINE.format(
    "greatest((pg_control_checkpoint()).timeline_id, (pg_control_recovery()).min_recovery_end_timeline,"
    " (SELECT received_tli FROM pg_stat_wal_receiver))"
)
WRITTEN = f"{_TIMELINE_WRITTEN}, (pg_current_wal_insert_lsn() - {_START})::bigint"
# A server that left recovery writes a log of its own, whose positions say nothing of the primary's.
REPLAYED = (
    f"CASE WHEN pg_is_in_recovery() THEN {_TIMELINE_REPLAYED} END",
    f"(pg_last_wal_replay_lsn() - {_START})::bigint",
)

log: logging.Logger = logging.getLogger(__name__)


class NotOfThePrimaryError(EngineUnavailableError):
    """A server that is no replica of the primary (any more), or follows another timeline."""


class Freshness:
    """Positions of the primary's log, each with when it was reached; a class because it remembers them.

    They are of one timeline of one system: of another one, equal positions are of other changes.
    """

    def __init__(self, max_staleness_s: float) -> None:
        self._max_staleness_s = max_staleness_s
        self._timeline = ""
        self._notes: list[tuple[float, int]] = []

    def is_due(self, now: float) -> bool:
        """Return whether another position should be noted."""
        return not self._notes or now >= self._notes[-1][0] + self._max_staleness_s / 2

    def note(self, now: float, timeline: str, position: int) -> None:
        """Remember that the primary was at a position, at the earliest `now`."""
        earlier = self._within(now) if timeline == self._timeline else []
        self._timeline, self._notes = timeline, [*earlier, (now, position)]

    def is_fresh(self, now: float, timeline: str | None, replayed: int | None) -> bool:
        """Return whether a server that has replayed up to a position has all that is older than allowed.

        Raises:
            NotOfThePrimaryError: its position is not of the primary's timeline (None: it is no replica).
        """
        notes = self._within(now)
        if notes and timeline != self._timeline:
            raise NotOfThePrimaryError(
                "it is not in recovery" if timeline is None else "it follows another system or timeline"
            )
        return replayed is not None and any(position <= replayed for _, position in notes)

    def _within(self, now: float) -> list[tuple[float, int]]:
        return [note for note in self._notes if note[0] >= now - self._max_staleness_s]


class Replica(fork_hooks.ForkAware):
    """A server, or several behind one name, that follows the primary."""

    def __init__(self, uri: str, primary: Database, settings: ResolvedEngineConfig) -> None:
        self._primary = primary
        self._location = _any_server(locate(uri))
        self._connections = Connections(self._location, settings)
        self._freshness = Freshness(settings.read_max_staleness)
        self._noting = threading.Lock()
        self._statements: dict[Any, Any] = {}
        self._away_until = 0.0
        fork_hooks.register(self)

    @classmethod
    def of(cls, primary: Database, settings: ResolvedEngineConfig) -> Replica | None:
        """Return the replica of a database, if there is one.

        Raises:
            ConfigError: the database is SQLite.
        """
        if settings.read_uri is None:
            return None
        if primary.location.is_sqlite:
            raise ConfigError(
                "read_uri names a replica of PostgreSQL, and connection_uri leads to SQLite, which has none"
            )
        return cls(settings.read_uri, primary, settings)

    def row(self, statement: Any, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of a SELECT; None if there is none, or nobody knows whether it is fresh."""
        extended = self._statements.get(statement)
        if extended is None:
            extended = self._statements[statement] = statement.add_columns(*map(literal_column, REPLAYED))

        def fresh() -> tuple[Any, ...] | None:
            row = self._connections.run_on_cursor(lambda fetch: fetch(extended, values), "read")
            return row[:-2] if row and self._freshness.is_fresh(time.monotonic(), *row[-2:]) else None

        return self._tried(fresh)

    def read(self, work: Callable[[Connection], T]) -> T | None:
        """Return what a unit reads; None if it cannot be read here, or nobody knows whether it is fresh."""

        def unit(connection: Connection) -> T | None:
            connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            timeline, replayed = connection.exec_driver_sql(f"SELECT {', '.join(REPLAYED)}").one()
            is_fresh = self._freshness.is_fresh(time.monotonic(), timeline, replayed)
            return work(connection) if is_fresh else None

        return self._tried(lambda: self._connections.run(unit, "read", Progress()))

    def close(self) -> None:
        """Close every connection; the next read opens new ones."""
        self._connections.close()

    def _tried(self, attempt: Callable[[], T | None]) -> T | None:
        fork_hooks.check()
        if time.monotonic() < self._away_until:
            return None
        try:
            self._note_position()
            return attempt()
        except Exception as error:
            if not (isinstance(error, SuperTokensError) or errors.is_of_driver(error)):
                raise
            if not errors.is_disconnect(error):  # else the next read opens another connection
                self._away_until = time.monotonic() + AWAY_FOR_S
            log.warning("%s is not read from, the primary is: %s", self._location.name, error)
            return None

    def _note_position(self) -> None:
        now = time.monotonic()
        if not self._freshness.is_due(now) or not self._noting.acquire(blocking=False):
            return
        try:
            timeline, position = self._primary.read(lambda c: c.exec_driver_sql(f"SELECT {WRITTEN}").one())
            self._freshness.note(now, timeline, position)
        except SuperTokensError as error:
            log.info("the position of the primary is unknown: %s", error)  # what was noted counts for a while
        finally:
            self._noting.release()

    def before_fork(self) -> None:
        self._connections.before_fork()

    def after_fork_in_parent(self) -> None:
        self._connections.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        self._noting = threading.Lock()
        self._connections.after_fork_in_child()


def _any_server(location: Location) -> Location:
    if "target_session_attrs" in location.url.query:
        return location
    return replace(location, url=location.url.update_query_dict({"target_session_attrs": "any"}))
