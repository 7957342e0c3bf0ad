"""Rows beside sessions that are gone: whoever deletes sessions may know nothing of such a table.

Nobody ever sees them, for every look begins at the row of a session; here they are deleted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, bindparam, delete, not_, select, tuple_

from supertokens_py.constants import DEFAULT_APP_ID

from ..session_state.session_rows import SESSIONS, same_session

if TYPE_CHECKING:
    from ..storage.database import Database
    from ..storage.tables import TableDefinition

_BATCH = 500


class Orphans:
    """Finds and deletes them in batches."""

    def __init__(self, database: Database, beside: TableDefinition) -> None:
        """`beside` is the table, whose key is that of the sessions."""
        self._database = database
        sessions, details = database.tables[SESSIONS], database.tables[beside]
        has_session = select(sessions.c.user_id).where(and_(*same_session(database.tables, beside))).exists()
        key = (details.c.tenant_id, details.c.session_handle)
        own = (details.c.app_id == DEFAULT_APP_ID, not_(has_session))
        self._find = select(*key).where(*own).limit(_BATCH)
        self._delete = delete(details).where(*own, tuple_(*key).in_(bindparam("keys", expanding=True)))

    def clean_up(self, _now_ms: int) -> None:
        """Delete them all. They are looked for without a lock, which might keep others waiting for long."""

        def found(connection: Connection) -> list[tuple[str, str]]:
            return [(row[0], row[1]) for row in connection.execute(self._find)]

        while keys := self._database.read(found):
            values = {"keys": keys}
            self._database.single(lambda c, v=values: c.execute(self._delete, v), repeatable=True)
            if len(keys) < _BATCH:
                return
