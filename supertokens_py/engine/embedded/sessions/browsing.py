"""Counting sessions, and going through those of a tenant by the primary key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.session_browsing import TenantPage

from ..session_state.session_rows import SESSIONS
from .revoke import Revoker
from .session_lists import SessionLists, listed_session, live_sessions

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select


class SessionBrowser(Revoker):
    """What only the people who run the application ask for."""

    _lists: SessionLists

    def count_live(self, most: int) -> int:
        """Return how many sessions live; `most` where there are more."""
        self._database.prepare()
        return self._lists.count_live(most)

    def of_tenant(self, tenant_id: str, *, after: str = "", limit: int) -> TenantPage:
        """Return the live ones among the next `limit` sessions of a tenant."""
        tenant_id = validation.normalise_tenant_id(tenant_id)
        self._database.prepare()
        last, live = self._statements()
        handle = self._database.tables[SESSIONS].c.session_handle
        values: dict[str, Any] = {"tenant": tenant_id, "after": after, "skip": limit - 1}
        values |= {"now": self._settings.now_ms(), "rows": limit}

        def unit(connection: Connection) -> TenantPage:
            end: str | None = connection.execute(last, values).scalar()
            statement = live if end is None else live.where(handle <= end)
            rows = connection.execute(statement, values).mappings()
            return TenantPage(sessions=[listed_session(row) for row in rows], after=end)

        found = self._database.read(unit)
        if not found.sessions:
            self._require_tenant(tenant_id)  # only an empty answer can be due to an unknown one
        return found

    def _statements(self) -> tuple[Select[Any], Select[Any]]:
        """Return what finds the last of the rows to look at, and what reads the live ones of them."""
        row = self._database.tables[SESSIONS].c
        these = (row.tenant_id == bindparam("tenant"), row.session_handle > bindparam("after"))
        last = select(row.session_handle).where(row.app_id == DEFAULT_APP_ID, *these)
        last = last.order_by(row.session_handle).offset(bindparam("skip")).limit(1)
        live = live_sessions(self._database.tables, self._users, named=self._database.has_user_tables)
        live = live.where(*these).order_by(row.session_handle).limit(bindparam("rows"))
        return last, live
