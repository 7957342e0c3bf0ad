"""The rows of sessions: their table and its SQL, built once so that SQLAlchemy compiles a statement once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Executable,
    Insert,
    Select,
    String,
    Table,
    Update,
    bindparam,
    case,
    delete,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningDelete, ReturningUpdate

from supertokens_py.constants import DEFAULT_APP_ID, PROTECTED_CLAIMS
from supertokens_py.types.base import JSONObject

from ..storage.tables import (
    MAIN_TABLE,
    OPTIONAL_TEXT,
    OPTIONAL_TIME,
    PUBLIC_ID,
    TENANTS,
    TIME,
    USER_ID,
    ColumnKind,
    TableDefinition,
    Tables,
    optional,
)
from ..tenant_tables import find_tenant
from .refresh_decision import StoredTokens
from .token_families import tenant_of

SESSIONS = TableDefinition(
    name=MAIN_TABLE,
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "session_handle": ColumnKind(String(255)),
        "user_id": USER_ID,
        "refresh_token_hash_2": ColumnKind(String(128)),
        "session_data": OPTIONAL_TEXT,
        "expires_at": TIME,
        "created_at_time": TIME,
        "jwt_user_payload": OPTIONAL_TEXT,
        "use_static_key": ColumnKind(Boolean()),
        "prev_refresh_token_hash_2": optional(String(128)),
        "refresh_token_rotated_at": optional(BigInteger()),
    },
    key=("app_id", "tenant_id", "session_handle"),
    parent=TENANTS,
    indexes={
        "session_expiry_index": ("expires_at",),
        "session_info_user_id_app_id_index": ("user_id", "app_id"),
    },
    # Each refresh moves the expiry. Where that is indexed, PostgreSQL writes a new entry to every index.
    only_on_sqlite=frozenset(("session_expiry_index",)),
    fillfactor=90,
    added_later=frozenset(("prev_refresh_token_hash_2", "refresh_token_rotated_at")),
)

#: What is kept of sessions besides the official columns; made where a feature needs it. Whatever is read of
#: it begins at the row of a session: a core that deletes one does not know of this table, and a migration of
#: its own may drop the foreign key.
SESSION_DETAILS = TableDefinition(
    name="supertokens_py_sessions",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "session_handle": ColumnKind(String(255)),
        "created_ip": OPTIONAL_TEXT,
        "last_ip": OPTIONAL_TEXT,
        "last_agent": OPTIONAL_TEXT,
        "label": OPTIONAL_TEXT,
        "last_seen_at": TIME,
        "idle_ms": OPTIONAL_TIME,
        "absolute_at": OPTIONAL_TIME,
        "persistent": ColumnKind(Boolean()),
        "counts": ColumnKind(Boolean()),
        "actor_id": optional(String(128)),
        "actor_handle": optional(String(255)),
    },
    key=("app_id", "tenant_id", "session_handle"),
    parent=SESSIONS,
    indexes={"supertokens_py_sessions_actor_index": ("actor_id", "app_id")},
    beside_a_core=True,
)

NO_SESSION = "Session does not exist."

_REVOKED_AT_ONCE = 500

# With one letter more, a match takes so much memory that PostgreSQL gets it from the system, and gives it
# back, at each refresh: a fifth of the server's time for the statement.
_BEGINNINGS = sorted(f'{name}"'[:8] for name in PROTECTED_CLAIMS)
#: How the name of a protected claim begins, or any escape, which may spell one.
_MAY_BE_PROTECTED = rf'"({"|".join(_BEGINNINGS)})|\\u'


class RotationStatements:
    """What a refresh needs of a session's row; parameters are `tenant`, `handle`, `now` and new values."""

    def __init__(self, tables: Tables) -> None:
        table = tables[SESSIONS]
        row, one = table.c, one_session(table)
        tokens = (
            row.refresh_token_hash_2,
            row.prev_refresh_token_hash_2,
            row.refresh_token_rotated_at,
            row.expires_at,
        )
        self.tokens: Select[Any, Any, Any, Any, Any] = select(*tokens, row.jwt_user_payload).where(*one)
        self.key_family: Select[Any] = select(row.use_static_key).where(*one)
        self.lock: Select[Any, Any, Any, Any, Any, Any, Any] = (
            select(*tokens, row.user_id, row.jwt_user_payload, row.use_static_key)
            .where(*one)
            .with_for_update()
        )
        changed = update(table).where(*one)
        self.rotate: Update = changed.values(
            prev_refresh_token_hash_2=bindparam("presented"),
            refresh_token_hash_2=bindparam("current"),
            refresh_token_rotated_at=bindparam("now"),
            expires_at=bindparam("expires"),
            use_static_key=bindparam("static"),
        )
        kept = row.refresh_token_rotated_at.between(bindparam("kept_from"), bindparam("kept_until"))
        #: ROTATE of the decision table in one statement; `kept` gives the rest of its parameters.
        #: A payload that might hold protected claims is left to the general way, which reads it first.
        self.rotate_current: ReturningUpdate[Any, Any] = self.rotate.where(
            row.expires_at >= bindparam("now"),
            or_(row.refresh_token_rotated_at.is_(None), not_(kept)),
            # CASE, because PostgreSQL would try the pattern on every row that it comes across.
            case(
                (row.refresh_token_hash_2 != bindparam("presented"), False),
                else_=~row.jwt_user_payload.regexp_match(_MAY_BE_PROTECTED),
            ),
        ).returning(row.user_id, row.jwt_user_payload)
        self.rerotate: Update = changed.values(
            refresh_token_hash_2=bindparam("current"), use_static_key=bindparam("static")
        )
        self.keep: Update = changed.values(
            expires_at=bindparam("expires"), use_static_key=bindparam("static")
        )
        self.delete: ReturningDelete[Any, Any, Any] = delete(table).where(*one).returning(*key_columns(table))

    def kept(self, now_ms: int, grace_ms: int) -> dict[str, int]:
        """Return the parameters of `rotate_current` for the rotations after which a token is kept."""
        if grace_ms == 0:
            return {"kept_from": 1, "kept_until": 0}  # none
        return {"kept_from": now_ms - grace_ms, "kept_until": now_ms + grace_ms}


class SessionStatements:
    """Every other statement on sessions; parameters are `tenant`, `handle`, `user`, `now` and new values."""

    def __init__(self, tables: Tables) -> None:
        table = tables[SESSIONS]
        row, one = table.c, one_session(table)
        ongoing = before_end(tables)
        app, in_tenant = row.app_id == DEFAULT_APP_ID, row.tenant_id == bindparam("tenant")
        of_user = (app, row.user_id == bindparam("user"), row.expires_at >= bindparam("now"))
        self.handle: ColumnElement[str] = row.session_handle
        self.insert: Insert = insert_session(tables)
        self.information: Executable = select(
            row.user_id, row.jwt_user_payload, row.session_data, row.expires_at, row.created_at_time
        ).where(*one, *ongoing)
        changed = update(table).where(*one)
        self.set_payload: Update = changed.values(jwt_user_payload=bindparam("text"))
        live = (row.expires_at > bindparam("now"), *ongoing)
        self.replace_payload: Update = self.set_payload.where(*live)
        self.replace_data: Update = changed.where(*live).values(session_data=bindparam("text"))
        key = key_columns(table)
        self.revoke: ReturningDelete[Any, Any, Any] = (
            delete(table)
            .where(app, in_tenant, row.session_handle.in_(bindparam("handles", expanding=True)))
            .returning(*key)
        )
        revoke_user = delete(table).where(*of_user)
        self.revoke_user: ReturningDelete[Any, Any, Any] = revoke_user.returning(*key)
        self.revoke_user_in_tenant: ReturningDelete[Any, Any, Any] = revoke_user.where(in_tenant).returning(
            *key
        )
        self.user_handles: Select[Any] = (
            select(row.session_handle).where(*of_user, *ongoing).order_by(row.created_at_time)
        )
        self.user_handles_in_tenant: Select[Any] = self.user_handles.where(in_tenant)
        self.tenant: Select[Any] = find_tenant(tables)


def insert_session(tables: Tables) -> Insert:
    """Return the statement that writes the row of a new session, with parameters for every column."""
    return insert(tables[SESSIONS]).values(
        app_id=DEFAULT_APP_ID,
        tenant_id=bindparam("tenant"),
        session_handle=bindparam("handle"),
        user_id=bindparam("user"),
        refresh_token_hash_2=bindparam("current"),
        session_data=bindparam("data"),
        expires_at=bindparam("expires"),
        created_at_time=bindparam("now"),
        jwt_user_payload=bindparam("payload"),
        use_static_key=bindparam("static"),
    )


def one_session(table: Table) -> tuple[ColumnElement[bool], ...]:
    """Return the condition for the row with the parameters of `key_of`."""
    row = table.c
    return (
        row.app_id == DEFAULT_APP_ID,
        row.tenant_id == bindparam("tenant"),
        row.session_handle == bindparam("handle"),
    )


def before_end(tables: Tables) -> tuple[ColumnElement[bool], ...]:
    """Return the condition, if any is needed, that a session has not reached its absolute end by `now`.

    `expires_at` never lies beyond that end, unless a core that does not know of it set it there.
    """
    if SESSION_DETAILS not in tables:
        return ()
    own = tables[SESSION_DETAILS].c
    past = (
        select(own.session_handle)
        .where(*same_session(tables), own.absolute_at <= bindparam("now"))
        .correlate(tables[SESSIONS])
    )
    return (not_(past.exists()),)


def joined_before_end(tables: Tables) -> ColumnElement[bool]:
    """Return the same condition for a statement that joins the details anyway."""
    end = tables[SESSION_DETAILS].c.absolute_at
    return or_(end.is_(None), end > bindparam("now"))


def same_session(
    tables: Tables, beside: TableDefinition = SESSION_DETAILS
) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that joins the details of sessions, or another such table, to their rows."""
    row, own = tables[SESSIONS].c, tables[beside].c
    return tuple(row[name] == own[name] for name in SESSIONS.key)


def key_columns(table: Table) -> tuple[ColumnElement[str], ColumnElement[str], ColumnElement[str]]:
    """Return the columns that `SessionChanges.end` needs of the rows that a statement deletes."""
    return table.c.session_handle, table.c.tenant_id, table.c.user_id


def key_of(handle: str) -> dict[str, Any]:
    """Return the parameters that find the row of a handle."""
    return {"tenant": tenant_of(handle), "handle": handle}


def by_tenant(handles: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return batches of handles for `SessionStatements.revoke`, each with the tenant of its sessions."""
    batches: list[tuple[str, list[str]]] = []
    for tenant_id in dict.fromkeys(map(tenant_of, handles)):
        own = [handle for handle in handles if tenant_of(handle) == tenant_id]
        starts = range(0, len(own), _REVOKED_AT_ONCE)
        batches += ((tenant_id, own[start : start + _REVOKED_AT_ONCE]) for start in starts)
    return batches


def stored_tokens(row: Sequence[Any]) -> StoredTokens:
    """Return the columns, with which every such row begins, that tell which refresh tokens are its own."""
    current, previous, rotated_ms, expires_ms = row[:4]
    return StoredTokens(current, previous, rotated_ms, expires_ms)


def json_object(text: str | None) -> JSONObject:
    """Return what a text column holds; an empty one is an empty object."""
    return json.loads(text) if text else {}
