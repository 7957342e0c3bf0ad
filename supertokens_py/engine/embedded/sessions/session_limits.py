"""How many live sessions a user may have: counted under their lock, so that parallel sign-ins keep to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, bindparam, func, or_, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.session_records import Limit, LimitReached, SessionKey, SessionNote

from ..session_state.session_rows import SESSION_DETAILS, SESSIONS, joined_before_end, same_session

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.tables import Tables


class SessionCounts:
    """Counts the sessions of users, who are locked."""

    def __init__(self, tables: Tables) -> None:
        row = tables[SESSIONS].c
        counted = select(row.session_handle).where(
            row.app_id == DEFAULT_APP_ID,
            row.user_id.in_(bindparam("users", expanding=True)),
            row.expires_at > bindparam("now"),
        )
        seen_at: Any = func.coalesce(row.refresh_token_rotated_at, row.created_at_time)
        if SESSION_DETAILS in tables:
            details = tables[SESSION_DETAILS]
            counted = counted.select_from(tables[SESSIONS].outerjoin(details, and_(*same_session(tables))))
            # Null where nothing is kept of a session.
            counted = counted.where(
                joined_before_end(tables),
                details.c.actor_id.is_(None),
                or_(details.c.counts.is_(None), details.c.counts),
            )
            seen_at = func.coalesce(details.c.last_seen_at, seen_at)
        self._counted: Select[Any] = counted.order_by(seen_at.desc(), row.session_handle)
        self._counted_in_tenant: Select[Any] = self._counted.where(row.tenant_id == bindparam("tenant"))

    def excess(
        self, connection: Connection, limit: Limit, values: dict[str, Any], *, besides: Sequence[str] = ()
    ) -> list[str] | LimitReached:
        """Return the handles of the sessions that must end for one more, the least recently seen first.

        `values` are `users`, every id of the user, `tenant` and `now`; sessions `besides` end anyway.
        """
        statement = self._counted if limit.per == "user" else self._counted_in_tenant
        handles = [one for one in connection.execute(statement, values).scalars() if one not in besides]
        if len(handles) < limit.max_sessions:
            return []
        if limit.when_reached == "refuse":
            return LimitReached(max_sessions=limit.max_sessions, handles=handles)
        return handles[limit.max_sessions - 1 :][::-1]


def refusal(session: SessionKey, reached: LimitReached) -> SessionNote:
    """Return what is recorded of a session that is not created."""
    return SessionNote(
        type="session.refused",
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        facts={"reason": "limit", "max_sessions": reached.max_sessions},
    )
