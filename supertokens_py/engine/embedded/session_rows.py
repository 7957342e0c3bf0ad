"""The SQL of sessions, built once per engine so that SQLAlchemy compiles each statement once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    Delete,
    Executable,
    Insert,
    Select,
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

from .handles import tenant_of
from .rotation import Lineage
from .storage.tables import Tables

NO_SESSION = "Session does not exist."

#: A protected claim's name as a member, or any escape, which may spell one.
_MAY_BE_PROTECTED = rf'"({"|".join(sorted(PROTECTED_CLAIMS))})"\s*:|\\u'


class SessionStatements:
    """Every statement on `session_info`; parameters are `tenant`, `handle`, `user`, `now` and new values."""

    def __init__(self, tables: Tables) -> None:
        table = tables.sessions
        row = table.c
        app = row.app_id == DEFAULT_APP_ID
        one = (app, row.tenant_id == bindparam("tenant"), row.session_handle == bindparam("handle"))
        user = (app, row.user_id == bindparam("user"), row.expires_at >= bindparam("now"))
        in_tenant = row.tenant_id == bindparam("tenant")
        live = row.expires_at > bindparam("now")
        lineage = (
            row.refresh_token_hash_2,
            row.prev_refresh_token_hash_2,
            row.refresh_token_rotated_at,
            row.expires_at,
        )
        self.insert: Insert = insert(table).values(app_id=DEFAULT_APP_ID)
        self.lineage: Select[Any, Any, Any, Any, Any] = select(*lineage, row.jwt_user_payload).where(*one)
        self.key_family: Select[Any] = select(row.use_static_key).where(*one)
        rotation: dict[Any, Any] = {
            row.prev_refresh_token_hash_2: bindparam("presented"),
            row.refresh_token_hash_2: bindparam("current"),
            row.refresh_token_rotated_at: bindparam("now"),
            row.expires_at: bindparam("expires"),
            row.use_static_key: bindparam("static"),
        }
        #: ROTATE of the decision table in one statement; `kept` gives the rest of its parameters.
        #: A payload that might hold protected claims is left to the general way, which reads it first.
        self.rotate_current: ReturningUpdate[Any, Any] = (
            update(table)
            .where(
                *one,
                row.expires_at >= bindparam("now"),
                or_(
                    row.refresh_token_rotated_at.is_(None),
                    not_(
                        row.refresh_token_rotated_at.between(bindparam("kept_from"), bindparam("kept_until"))
                    ),
                ),
                # CASE, because PostgreSQL would try the pattern on every row that it comes across.
                case(
                    (row.refresh_token_hash_2 != bindparam("presented"), False),
                    else_=~row.jwt_user_payload.regexp_match(_MAY_BE_PROTECTED),
                ),
            )
            .values(rotation)
            .returning(row.user_id, row.jwt_user_payload)
        )
        self.lock: Select[Any, Any, Any, Any, Any, Any, Any] = (
            select(*lineage, row.user_id, row.jwt_user_payload, row.use_static_key)
            .where(*one)
            .with_for_update()
        )
        self.rotate: Update = update(table).where(*one).values(rotation)
        self.rerotate: Update = (
            update(table)
            .where(*one)
            .values(refresh_token_hash_2=bindparam("current"), use_static_key=bindparam("static"))
        )
        self.keep: Update = (
            update(table)
            .where(*one)
            .values(expires_at=bindparam("expires"), use_static_key=bindparam("static"))
        )
        self.set_payload: Update = update(table).where(*one).values(jwt_user_payload=bindparam("text"))
        self.replace_payload: Update = (
            update(table).where(*one, live).values(jwt_user_payload=bindparam("text"))
        )
        self.replace_data: Update = update(table).where(*one, live).values(session_data=bindparam("text"))
        self.information: Executable = select(
            row.user_id, row.jwt_user_payload, row.session_data, row.expires_at, row.created_at_time
        ).where(*one)
        self.delete: Delete = delete(table).where(*one)
        self.revoke: ReturningDelete[Any] = (
            delete(table)
            .where(app, in_tenant, row.session_handle.in_(bindparam("handles", expanding=True)))
            .returning(row.session_handle)
        )
        self.revoke_user: ReturningDelete[Any] = delete(table).where(*user).returning(row.session_handle)
        self.revoke_user_in_tenant: ReturningDelete[Any] = (
            delete(table).where(*user, in_tenant).returning(row.session_handle)
        )
        self.user_handles: Select[Any] = select(row.session_handle).where(*user).order_by(row.created_at_time)
        self.user_handles_in_tenant: Select[Any] = (
            select(row.session_handle).where(*user, in_tenant).order_by(row.created_at_time)
        )
        tenants = tables.tenants
        self.tenant: Select[Any] = select(tenants.c.tenant_id).where(
            tenants.c.app_id == DEFAULT_APP_ID, tenants.c.tenant_id == bindparam("tenant")
        )

    def kept(self, now_ms: int, grace_ms: int) -> dict[str, int]:
        """Return the parameters of `rotate_current` for the rotations after which a token is kept."""
        if grace_ms == 0:
            return {"kept_from": 1, "kept_until": 0}  # none
        return {"kept_from": now_ms - grace_ms, "kept_until": now_ms + grace_ms}


def key_of(handle: str) -> dict[str, Any]:
    """Return the parameters that find the row of a handle."""
    return {"tenant": tenant_of(handle), "handle": handle}


def lineage_of(row: Sequence[Any]) -> Lineage:
    """Return the columns, with which every such row begins, that tell which refresh tokens are its own."""
    current, previous, rotated_ms, expires_ms = row[:4]
    return Lineage(current, previous, rotated_ms, expires_ms)


def json_object(text: str | None) -> JSONObject:
    """Return what a text column holds; an empty one is an empty object."""
    return json.loads(text) if text else {}
