"""The rows of sessions: their table and its SQL, built once so that SQLAlchemy compiles a statement once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Delete,
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

from .refresh_decision import StoredTokens
from .storage.tables import (
    MAIN_TABLE,
    OPTIONAL_TEXT,
    PUBLIC_ID,
    TENANTS,
    TIME,
    USER_ID,
    ColumnKind,
    TableDefinition,
    Tables,
    optional,
)
from .tenants import find_tenant
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
    added_later=frozenset(("prev_refresh_token_hash_2", "refresh_token_rotated_at")),
)

NO_SESSION = "Session does not exist."

#: A protected claim's name as a member, or any escape, which may spell one.
_MAY_BE_PROTECTED = rf'"({"|".join(sorted(PROTECTED_CLAIMS))})"\s*:|\\u'


class RotationStatements:
    """What a refresh needs of a session's row; parameters are `tenant`, `handle`, `now` and new values."""

    def __init__(self, tables: Tables) -> None:
        table = tables[SESSIONS]
        row, one = table.c, _one(table)
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
        self.delete: Delete = delete(table).where(*one)

    def kept(self, now_ms: int, grace_ms: int) -> dict[str, int]:
        """Return the parameters of `rotate_current` for the rotations after which a token is kept."""
        if grace_ms == 0:
            return {"kept_from": 1, "kept_until": 0}  # none
        return {"kept_from": now_ms - grace_ms, "kept_until": now_ms + grace_ms}


class SessionStatements:
    """Every other statement on sessions; parameters are `tenant`, `handle`, `user`, `now` and new values."""

    def __init__(self, tables: Tables) -> None:
        table = tables[SESSIONS]
        row, one = table.c, _one(table)
        app, in_tenant = row.app_id == DEFAULT_APP_ID, row.tenant_id == bindparam("tenant")
        of_user = (app, row.user_id == bindparam("user"), row.expires_at >= bindparam("now"))
        self.insert: Insert = insert(table).values(app_id=DEFAULT_APP_ID)
        self.information: Executable = select(
            row.user_id, row.jwt_user_payload, row.session_data, row.expires_at, row.created_at_time
        ).where(*one)
        changed = update(table).where(*one)
        self.set_payload: Update = changed.values(jwt_user_payload=bindparam("text"))
        live = row.expires_at > bindparam("now")
        self.replace_payload: Update = self.set_payload.where(live)
        self.replace_data: Update = changed.where(live).values(session_data=bindparam("text"))
        self.revoke: ReturningDelete[Any] = (
            delete(table)
            .where(app, in_tenant, row.session_handle.in_(bindparam("handles", expanding=True)))
            .returning(row.session_handle)
        )
        revoke_user = delete(table).where(*of_user)
        self.revoke_user: ReturningDelete[Any] = revoke_user.returning(row.session_handle)
        self.revoke_user_in_tenant: ReturningDelete[Any] = revoke_user.where(in_tenant).returning(
            row.session_handle
        )
        self.user_handles: Select[Any] = (
            select(row.session_handle).where(*of_user).order_by(row.created_at_time)
        )
        self.user_handles_in_tenant: Select[Any] = self.user_handles.where(in_tenant)
        self.tenant: Select[Any] = find_tenant(tables)


def _one(table: Table) -> tuple[ColumnElement[bool], ...]:
    """Return the condition for the row with the parameters of `key_of`."""
    row = table.c
    return (
        row.app_id == DEFAULT_APP_ID,
        row.tenant_id == bindparam("tenant"),
        row.session_handle == bindparam("handle"),
    )


def key_of(handle: str) -> dict[str, Any]:
    """Return the parameters that find the row of a handle."""
    return {"tenant": tenant_of(handle), "handle": handle}


def stored_tokens(row: Sequence[Any]) -> StoredTokens:
    """Return the columns, with which every such row begins, that tell which refresh tokens are its own."""
    current, previous, rotated_ms, expires_ms = row[:4]
    return StoredTokens(current, previous, rotated_ms, expires_ms)


def json_object(text: str | None) -> JSONObject:
    """Return what a text column holds; an empty one is an empty object."""
    return json.loads(text) if text else {}
