"""The sessions in which users act as others: where all sessions of a user end, these end as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Select, and_, bindparam, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.session_records import Ending, SessionKey

from .session_changes import SessionChanges
from .session_rows import SESSION_DETAILS, SESSIONS, SessionStatements, by_tenant, same_session
from .token_families import tenant_of

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.sql.dml import ReturningDelete

    from ..storage.database import Database
    from ..storage.tables import Tables


class ActingSessions:
    """Ends such sessions, of which there are none without details; it holds its statements."""

    def __init__(self, database: Database, changes: SessionChanges) -> None:
        self._database = database
        self._changes = changes
        self._statements: tuple[Select[Any, Any, Any], ReturningDelete[Any, Any, Any]] | None = None

    @property
    def are_kept(self) -> bool:
        """Whether there may be such sessions, so that ending those of a user takes several statements."""
        return SESSION_DETAILS in self._database.tables

    def end(
        self,
        connection: Connection,
        actor_ids: Sequence[str],
        ending: Ending,
        *,
        now_ms: int = 0,
        tenant_id: str | None = None,
        keep: str | None = None,
    ) -> list[SessionKey]:
        """End the sessions in which a user acts, after those of their own; hand the answer to `settle`.

        Args:
            actor_ids: every id of the user.
            now_ms: sessions that have expired before it are left to the clean-up.
            tenant_id: only sessions in this tenant, or begun from one in it.
            keep: the handle of a session that goes on.
        """
        if not self.are_kept:
            return []
        if self._statements is None:  # the table may have been found a moment ago
            tables = self._database.tables
            self._statements = _of_actors(tables), SessionStatements(tables).revoke
        found, revoke = self._statements
        rows: Sequence[Any] = connection.execute(found, {"actors": list(actor_ids), "now": now_ms}).all()
        handles = [
            handle
            for handle, tenant, own in rows
            if handle != keep and (tenant_id is None or tenant_id in (tenant, tenant_of(own)))
        ]
        return [
            one
            for tenant, batch in by_tenant(handles)
            for one in self._changes.end(connection, revoke, {"tenant": tenant, "handles": batch}, ending)
        ]


def _of_actors(tables: Tables) -> Select[Any, Any, Any]:
    """Return what finds the live sessions in which users act."""
    sessions, details = tables[SESSIONS], tables[SESSION_DETAILS]
    return (
        select(details.c.session_handle, details.c.tenant_id, details.c.actor_handle)
        .select_from(sessions.join(details, and_(*same_session(tables))))
        .where(
            details.c.app_id == DEFAULT_APP_ID,
            details.c.actor_id.in_(bindparam("actors", expanding=True)),
            sessions.c.expires_at >= bindparam("now", type_=BigInteger()),
        )
    )
