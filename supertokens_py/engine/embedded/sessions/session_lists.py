"""The sessions of a user with what is kept of each, and shortening one's lifetime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, bindparam, func, null, select, update

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.session_records import Details, Lifetime, ListedSession
from supertokens_py.exceptions import BadInputError

from ..session_state.session_details import DetailStatements, details_of
from ..session_state.session_rows import (
    SESSION_DETAILS,
    SESSIONS,
    joined_before_end,
    json_object,
    key_of,
    one_session,
    same_session,
)
from ..session_state.session_terms import Terms, terms_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..accounts.user_ids import UserIds
    from ..session_state.session_changes import SessionChanges
    from ..storage.database import Database
    from ..storage.replica import Replica
    from ..storage.tables import Tables

_OF_SESSION = ("session_handle", "tenant_id", "jwt_user_payload", "expires_at", "created_at_time")
_LONGER = "a session can only be given a shorter lifetime; create one in its place for a longer one"


def live_sessions(tables: Tables, users: UserIds, *, named: bool) -> Select[Any]:
    """Return what selects live sessions with what is kept of each; the caller says which, and their order.

    Args:
        named: look up what the application calls users, in tables of an official core or of sign-in recipes.
    """
    sessions = tables[SESSIONS]
    row = sessions.c
    user_id, recipe_id = users.names(row.user_id) if named else (row.user_id, row.user_id)
    statement = select(
        *(row[name] for name in _OF_SESSION),
        user_id.label("primary_id"),
        recipe_id.label("recipe_id"),
    ).where(row.app_id == DEFAULT_APP_ID, row.expires_at > bindparam("now"))
    if SESSION_DETAILS not in tables:
        return statement.add_columns(null().label("last_seen_at"))
    details = tables[SESSION_DETAILS]
    names = (name for name in SESSION_DETAILS.columns if name not in SESSION_DETAILS.key)
    statement = statement.add_columns(*(details.c[name] for name in names))
    statement = statement.select_from(sessions.outerjoin(details, and_(*same_session(tables))))
    return statement.where(joined_before_end(tables))


def _list(tables: Tables, users: UserIds, *, in_tenant: bool, linked: bool, named: bool) -> Select[Any]:
    """Return the one statement of a list; with `linked`, of every login method linked to the user."""
    row = tables[SESSIONS].c
    is_user = row.user_id.in_(users.linked_ids()) if linked and named else row.user_id == bindparam("user")
    statement = live_sessions(tables, users, named=named).where(is_user)
    if in_tenant:
        statement = statement.where(row.tenant_id == bindparam("tenant"))
    seen_at: Any = row.created_at_time
    if SESSION_DETAILS in tables:
        seen_at = func.coalesce(tables[SESSION_DETAILS].c.last_seen_at, seen_at)
    return statement.order_by(seen_at.desc(), row.session_handle)


class SessionLists:
    """Lists sessions and shortens them."""

    def __init__(
        self,
        database: Database,
        users: UserIds,
        settings: ResolvedEngineConfig,
        details: DetailStatements | None,
        changes: SessionChanges,
        replica: Replica | None = None,
    ) -> None:
        self._replica = replica
        self._database = database
        self._users = users
        self._settings = settings
        self._details = details
        self._changes = changes
        self._lists: dict[tuple[bool, bool, bool], Select[Any]] = {}
        self._prepare_statements()

    def _prepare_statements(self) -> None:
        sessions = self._database.tables[SESSIONS]
        row = sessions.c
        self._live = select(row.expires_at).where(
            row.app_id == DEFAULT_APP_ID, row.expires_at > bindparam("now")
        )
        self._lock = (
            select(row.expires_at, row.created_at_time, row.refresh_token_rotated_at)
            .where(*one_session(sessions))
            .with_for_update()
        )
        self._expire = update(sessions).where(*one_session(sessions)).values(expires_at=bindparam("expires"))

    def of_user(self, user_id: str, *, tenant_id: str | None, linked_accounts: bool) -> list[ListedSession]:
        """Return the live sessions of a user, the most recently seen first."""
        statement = self._statement(in_tenant=tenant_id is not None, linked=linked_accounts)
        values = {"user": user_id, "tenant": tenant_id, "now": self._settings.now_ms()}

        def unit(connection: Connection) -> list[ListedSession]:
            return [listed_session(row) for row in connection.execute(statement, values).mappings()]

        found = None if self._replica is None else self._replica.read(unit)
        return found or self._database.read(unit)

    def _statement(self, *, in_tenant: bool, linked: bool) -> Select[Any]:
        named = self._database.has_user_tables
        kind = (in_tenant, linked, named)
        if kind not in self._lists:
            self._lists[kind] = _list(
                self._database.tables, self._users, in_tenant=in_tenant, linked=linked, named=named
            )
        return self._lists[kind]

    def count_live(self, most: int) -> int:
        """Return how many sessions live, as far as their rows say; `most` where there are more."""
        statement = select(func.count()).select_from(self._live.limit(most).subquery())
        values = {"now": self._settings.now_ms()}
        return self._database.read(lambda connection: connection.execute(statement, values).scalar_one())

    def details(self, handle: str) -> Details | None:
        """Return what is kept of a live session besides the official columns."""
        if self._details is None:
            return None
        statement, values = self._details.details, key_of(handle) | {"now": self._settings.now_ms()}
        row = self._database.read(lambda c: c.execute(statement, values).mappings().first())
        return None if row is None else details_of(row)

    def shorten(self, details: DetailStatements, handle: str, lifetime: Lifetime) -> bool:
        """Give a session a shorter lifetime; False if it does not exist.

        One whose end has come by that stays as an expired one, and access tokens of it count as revoked.

        Raises:
            BadInputError: it would be a longer one.
        """

        def unit(connection: Connection) -> tuple[bool, bool]:
            row = connection.execute(self._lock, key_of(handle)).first()
            now_ms = self._settings.now_ms()
            terms = terms_of(connection.execute(details.terms, key_of(handle)).first())
            if row is None or row.expires_at <= now_ms or terms.is_past(now_ms):
                return False, False
            shorter = self._shorter(terms, lifetime, created_ms=row.created_at_time)
            used_ms = max(row.created_at_time, row.refresh_token_rotated_at or 0)
            expires_ms = shorter.capped(row.expires_at)
            if lifetime.idle_ms is not None:  # else what keeps it alive stays, such as a refresh by a core
                expires_ms = min(expires_ms, used_ms + lifetime.idle_ms)
            connection.execute(self._expire, key_of(handle) | {"expires": expires_ms})
            values = {"idle": shorter.idle_ms, "absolute": shorter.absolute_at_ms}
            values |= {"lasting": shorter.persistent, "now": used_ms}
            connection.execute(details.set_terms, key_of(handle) | values)
            if is_over := expires_ms <= now_ms:
                self._changes.cut_short(connection, handle)
            return True, is_over

        exists, is_over = self._database.write(unit)
        if is_over:
            self._changes.settle_cut_short(handle)
        return exists

    def _shorter(self, terms: Terms, lifetime: Lifetime, *, created_ms: int) -> Terms:
        idle_ms, end_ms = terms.idle_ms, terms.absolute_at_ms
        if lifetime.idle_ms is not None:
            now_ms = self._settings.refresh_token_validity_ms if idle_ms is None else idle_ms
            if lifetime.idle_ms > now_ms:
                raise BadInputError(_LONGER)
            idle_ms = lifetime.idle_ms
        if lifetime.absolute_ms is not None:
            wanted_ms = created_ms + lifetime.absolute_ms
            if end_ms is not None and wanted_ms > end_ms:
                raise BadInputError(_LONGER)
            end_ms = wanted_ms
        persistent = terms.persistent and lifetime.persistent
        return Terms(idle_ms, end_ms, persistent=persistent, counts=terms.counts)


def listed_session(row: Mapping[Any, Any]) -> ListedSession:
    """Return the session of a row of `live_sessions`."""
    details = details_of(row)
    terms = Terms(absolute_at_ms=None if details is None else details.absolute_at_ms)
    return ListedSession(
        handle=row["session_handle"],
        user_id=row["primary_id"],
        recipe_user_id=row["recipe_id"],
        tenant_id=row["tenant_id"],
        payload=json_object(row["jwt_user_payload"]),
        created_ms=row["created_at_time"],
        expires_ms=terms.capped(row["expires_at"]),
        details=details,
    )
