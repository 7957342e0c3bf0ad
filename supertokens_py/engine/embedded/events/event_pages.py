"""Pages of the log of events, the newest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.event_records import EventPage, EventQuery, SessionEvent

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Select, Table

    from ..accounts.user_ids import UserIds
    from ..storage.database import Database

#: A page looks at so many events at most: no index finds those of a rare type among millions.
SPAN = 20_000


class EventPages:
    """Reads pages."""

    def __init__(self, database: Database, users: UserIds, table: Table) -> None:
        self._database = database
        self._users = users
        self._table = table
        # Each by itself is one step in the index of the numbers; both in one query would read the table.
        newest, oldest = select(func.max(table.c.seq)), select(func.min(table.c.seq))
        self._bounds = select(newest.scalar_subquery(), oldest.scalar_subquery())

    def page(self, query: EventQuery) -> EventPage:
        """Return a page; an id that nobody can have has no events."""
        ids = (query.user_id, query.actor_id, query.tenant_id)
        if not all(one is None or validation.is_possible_user_id(one) for one in ids):
            return EventPage(events=(), older=None)
        return self._database.read(lambda connection: self._read(connection, query))

    def _read(self, connection: Connection, query: EventQuery) -> EventPage:
        newest, oldest = connection.execute(self._bounds).one()
        if newest is None:
            return EventPage(events=(), older=None)
        before = newest + 1 if query.before is None else min(query.before, newest + 1)
        # An index has the events of one user in this order.
        first = oldest if query.user_id is not None else max(oldest, before - SPAN)
        statement = self._statement(connection, query, first=first, before=before)
        rows = connection.execute(statement).all()
        events = [event_of(row) for row in rows[: query.limit]]
        if len(rows) > query.limit:
            return EventPage(events=events, older=events[-1].seq)
        return EventPage(events=events, older=first if first > oldest else None)

    def _statement(
        self, connection: Connection, query: EventQuery, *, first: int, before: int
    ) -> Select[Any]:
        row = self._table.c
        wanted = {row.type: query.type, row.tenant_id: query.tenant_id, row.actor_id: query.actor_id}
        # Of one user by the index of users; else in the order of the numbers, for which `coalesce` hides the
        # other indexes: SQLite would take one of them for the app, and sort the whole log.
        app_id = row.app_id if query.user_id is not None else func.coalesce(row.app_id, "")
        statement = select(*event_columns(self._table)).where(
            app_id == DEFAULT_APP_ID,
            row.seq >= first,
            row.seq < before,
            *(column == value for column, value in wanted.items() if value is not None),
        )
        if query.user_id is not None:
            statement = statement.where(row.user_id.in_(self._users.linked_to(connection, query.user_id)))
        return statement.order_by(row.seq.desc()).limit(query.limit + 1)


def event_columns(table: Table) -> list[ColumnElement[Any]]:
    """Return the columns that `event_of` reads."""
    return [column for column in table.c if column.name != "app_id"]


def event_of(row: Any) -> SessionEvent:
    """Return the event of a row."""
    return SessionEvent(
        seq=row.seq,
        at_ms=row.at_ms,
        type=row.type,
        tenant_id=row.tenant_id,
        user_id=row.user_id,
        handle=row.session_handle,
        actor_id=row.actor_id,
        facts=json.loads(row.facts),
    )
