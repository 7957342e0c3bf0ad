"""The log of what happened to sessions: rows that are written in the transaction of what they are about.

So there is none of anything that did not happen, and none is missing, whatever process is killed. An official
core knows nothing of it: what a core does to a session is not in the log.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, Text, bindparam, delete, insert, literal, select, update

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.event_records import (
    NO_WEBHOOKS,
    Deliveries,
    EventPage,
    EventQuery,
    EventType,
    SessionEvent,
)
from supertokens_py.engine.session_records import (
    Actor,
    Ending,
    EndReason,
    SessionFeatures,
    SessionKey,
    SessionNote,
)
from supertokens_py.exceptions import ConfigError

from ..session_state.session_changes import Recorder, Recording
from ..session_state.session_rows import SESSION_DETAILS, SESSIONS, key_of
from ..storage.tables import PUBLIC_ID, SEQUENCE, TIME, ColumnKind, TableDefinition, optional
from .event_pages import EventPages, event_columns, event_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..accounts.user_ids import UserIds
    from ..storage.database import Database

EVENTS = TableDefinition(
    name="supertokens_py_events",
    columns={
        "seq": SEQUENCE,
        "app_id": PUBLIC_ID,
        "at_ms": TIME,
        "type": ColumnKind(String(64)),
        "tenant_id": PUBLIC_ID,
        "user_id": optional(String(128)),
        "session_handle": optional(String(255)),
        "actor_id": optional(String(128)),
        "facts": ColumnKind(Text()),
    },
    key=("seq",),
    indexes={
        "supertokens_py_events_session_index": ("app_id", "session_handle"),
        "supertokens_py_events_user_index": ("app_id", "user_id", "seq"),
        "supertokens_py_events_at_index": ("at_ms", "seq"),
    },
)

BATCH = 500
_DAY_MS = 86_400_000

#: The event of each way to end; every other one is "session.revoked".
_ENDS: Mapping[EndReason, EventType] = {
    "idle": "session.expired",
    "absolute": "session.expired",
    "reuse": "session.reuse",
    "replaced": "session.replaced",
}

#: The columns that an event is written with.
_WRITTEN = ("at_ms", "type", "tenant_id", "user_id", "session_handle", "actor_id", "facts")

log: logging.Logger = logging.getLogger(__name__)


class EventLog(Recorder):
    """Writes and reads the log.

    Args:
        deliveries: what became of events that are sent to webhooks.
        on_write: called in each transaction, before an event is written.
    """

    wants_creations: bool = True
    wants_notes: bool = True

    def __init__(
        self,
        database: Database,
        users: UserIds,
        features: SessionFeatures,
        deliveries: Deliveries | None = None,
        on_write: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._users = users
        self._features = features
        self._deliveries = deliveries
        self._on_write = on_write
        self.is_ready: Callable[[], bool] = lambda: True  #: whether `on_write` has nothing more to do
        self.on_commit: Callable[[], None] = lambda: None  #: called after the commit of an event
        self.wants_refreshes: bool = features.events_of_refreshes
        self._has_written = False
        table = database.tables[EVENTS]
        self._pages = EventPages(database, users, table)
        row = table.c
        app = row.app_id == DEFAULT_APP_ID
        self._insert = insert(table).values(app_id=DEFAULT_APP_ID)
        self._insert_one = self._insert.values({name: bindparam(f"event_{name}") for name in _WRITTEN})
        of_user = (app, row.user_id == bindparam("user"))
        self._delete_user = delete(table).where(*of_user)
        self._blank_user = update(table).where(*of_user).values(user_id=None)
        newest = select(*event_columns(table)).order_by(row.seq.desc()).limit(bindparam("limit"))
        self._of_session = newest.where(app, row.session_handle == bindparam("handle"))
        self._of_users = newest.where(app, row.user_id.in_(bindparam("users", expanding=True)))
        session = database.tables[SESSIONS].c
        self._expiry = select(session.expires_at).where(
            session.app_id == DEFAULT_APP_ID,
            session.tenant_id == bindparam("tenant"),
            session.session_handle == bindparam("handle"),
        )
        old = select(row.seq).where(row.at_ms < bindparam("before")).limit(BATCH)
        self._delete_old = delete(table).where(row.seq.in_(old.with_for_update(skip_locked=True)))
        copied = ("app_id", "tenant_id", "user_id", "session_handle", "actor_id")
        started = select(
            *(row[name] for name in copied),
            bindparam("now", type_=row.at_ms.type),
            literal("impersonation.ended"),
            literal("{}"),
        ).where(
            app,
            row.session_handle.in_(bindparam("handles", expanding=True)),
            row.type == "impersonation.started",
        )
        self._end_impersonations = insert(table).from_select([*copied, "at_ms", "type", "facts"], started)

    # --- what a change writes ---

    def creation(self, session: SessionKey, *, actor: Actor | None) -> Recording | None:
        """Return the statement that writes a creation, unless there is more to write."""
        if actor is not None or not self.is_ready():
            return None
        row = self._row("session.created", session)
        self._has_written = True
        return self._insert_one, {f"event_{name}": value for name, value in row.items()}

    def created(
        self, connection: Connection, session: SessionKey, *, actor: Actor | None, replaced: str | None
    ) -> None:
        """Write the creation, and the beginning of an impersonation."""
        facts = {} if replaced is None else {"replaces": replaced}
        actor_id = None if actor is None else actor.user_id
        rows = [self._row("session.created", session, actor_id, facts)]
        if actor is not None:
            facts = {"actor_session": actor.handle} | ({"reason": actor.reason} if actor.reason else {})
            rows.append(self._row("impersonation.started", session, actor_id, facts))
        self._write(connection, rows)

    def refreshed(self, connection: Connection, session: SessionKey) -> None:
        """Write a rotation."""
        self._write(connection, [self._row("session.refreshed", session)])

    def ended(self, connection: Connection, sessions: Sequence[SessionKey], ending: Ending) -> None:
        """Write the end of each session, with its reason."""
        type_ = _ENDS.get(ending.reason, "session.revoked")
        more = {"subtype": ending.subtype, "successor": ending.successor}
        facts = {"reason": ending.reason} | {name: value for name, value in more.items() if value}
        rows = [self._row(type_, one, ending.actor_id, facts) for one in sessions]
        if ending.reason == "user_removed":
            rows = [row | {"user_id": None} for row in rows]
        self._write(connection, rows)
        handles = [one.handle for one in sessions] if SESSION_DETAILS in self._database.tables else []
        for start in range(0, len(handles), BATCH):  # a statement has so many parameters only
            values = {"handles": handles[start : start + BATCH], "now": self._now_ms()}
            connection.execute(self._end_impersonations, values)

    def noted(self, connection: Connection, note: SessionNote) -> None:
        """Write anything else."""
        row = {
            "at_ms": self._now_ms(),
            "type": note.type,
            "tenant_id": note.tenant_id,
            "user_id": note.user_id,
            "session_handle": note.handle,
            "actor_id": note.actor_id,
            "facts": json.dumps(dict(note.facts), separators=(",", ":")),
        }
        self._write(connection, [row])

    def user_removed(self, connection: Connection, user_id: str) -> None:
        """Delete the events of a user, or blank the user's id in them; that sessions ended stays."""
        statement = self._blank_user if self._features.events_keep_audit else self._delete_user
        connection.execute(statement, {"user": user_id})

    def settled(self, sessions: Sequence[SessionKey], ending: Ending) -> None:
        """Say that there are events."""
        self.committed()

    def all_settled(self, ending: Ending) -> None:
        """Say that there are events."""
        self.committed()

    def committed(self) -> None:
        """Say that there are events, if there may be new ones."""
        if self._has_written:
            self._has_written = False
            self.on_commit()

    def _row(
        self,
        type_: EventType,
        session: SessionKey,
        actor_id: str | None = None,
        facts: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        return {
            "at_ms": self._now_ms(),
            "type": type_,
            "tenant_id": session.tenant_id,
            "user_id": session.user_id,
            "session_handle": session.handle,
            "actor_id": actor_id,
            "facts": json.dumps(facts or {}, separators=(",", ":")),
        }

    def _write(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        self._on_write(connection)
        connection.execute(self._insert, rows)
        self._has_written = True  # as far as this process knows: a unit that is rolled back wakes for nothing

    def _now_ms(self) -> int:
        return self._database.settings.now_ms()

    # --- reading and forgetting ---

    @property
    def are_kept(self) -> bool:
        """Return True."""
        return True

    @property
    def deliveries(self) -> Deliveries:
        """What became of events that are sent to webhooks.

        Raises:
            ConfigError: none ever were.
        """
        if self._deliveries is None:
            raise ConfigError(NO_WEBHOOKS)
        return self._deliveries

    def of_session(self, handle: str, *, limit: int = 100) -> list[SessionEvent]:
        """Return the last events of a session, the oldest first."""
        if not validation.is_possible_handle(handle):
            return []
        values = {"handle": handle, "limit": limit}
        return self._database.read(lambda c: _events(c.execute(self._of_session, values).all()))

    def of_user(self, user_id: str, *, limit: int = 100) -> list[SessionEvent]:
        """Return the last events of a user, the oldest first."""
        if not validation.is_possible_user_id(user_id):
            return []

        def unit(connection: Connection) -> list[SessionEvent]:
            values = {"users": self._users.linked_to(connection, user_id), "limit": limit}
            return _events(connection.execute(self._of_users, values).all())

        return self._database.read(unit)

    def latest(self, query: EventQuery) -> EventPage:
        """Return a page of all events, the newest first."""
        return self._pages.page(query)

    def expiry(self, handle: str) -> int | None:
        """Return when a session expires or expired whose row is still there."""
        if not validation.is_possible_handle(handle):
            return None
        return self._database.read(lambda c: c.execute(self._expiry, key_of(handle)).scalar())

    def clean_up(self, now_ms: int) -> None:
        """Delete the events that are older than they are to be kept, in batches."""
        days = self._features.events_retention_days
        if days is None:
            return
        values = {"before": now_ms - days * _DAY_MS}

        def unit(connection: Connection) -> int:
            return connection.execute(self._delete_old, values).rowcount

        while self._database.single(unit, repeatable=True) >= BATCH:
            pass


def _events(rows: Sequence[Any]) -> list[SessionEvent]:
    return [event_of(row) for row in reversed(rows)]
