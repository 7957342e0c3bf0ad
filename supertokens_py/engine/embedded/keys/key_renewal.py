"""Renewing families of keys, for keys that may have leaked and for clones (engine: Renewing keys)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, tuple_

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.renewal import RenewalOrder, Renewed
from supertokens_py.engine.session_records import Ending, SessionNote

from ..session_state.session_changes import SessionChanges
from ..session_state.session_rows import SESSIONS, key_columns
from .key_material import SigningKey, created_ms_of
from .key_rows import KeyRows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.tables import Tables

#: Why every session ends with the key of refresh tokens.
WITH_KEYS: Ending = Ending(reason="keys_renewed")

_BATCH = 500


def renew(
    connection: Connection,
    rows: KeyRows,
    order: RenewalOrder,
    *,
    now_ms: int,
    tables: Tables,
    changes: SessionChanges,
) -> Renewed:
    """Carry out an order within one transaction that holds the lock of the keys.

    Where it ends every session, call `changes.settle_all(WITH_KEYS)` after the commit.
    """
    stored = rows.read(connection)
    dynamic = static = None
    if order.dynamic:
        dynamic = rows.insert_dynamic(connection, after_ms=_newest_ms(stored.dynamic))
        if order.drop_old:
            rows.delete_dynamic(connection, older_than_ms=created_ms_of(dynamic))
    # No row says what apps accept: a session that the static key signed may have ended just now, or be made
    # by whoever has the key.
    drops_static = order.dynamic and order.drop_old and not order.keep_static
    if order.static or drops_static:
        static = rows.insert_static(connection, after_ms=_newest_ms(stored.static))
        if order.drop_old:
            rows.delete_static_but(connection, static)
    ended = 0
    if order.master:
        rows.renew_master(connection, accept_until_ms=order.accept_until_ms(now_ms))
        if order.ends_sessions:
            ended = _end_every_session(connection, tables, changes)
    renewed = Renewed(dynamic, static, master=order.master, sessions_ended=ended)
    if changes.notes_are_recorded:
        changes.note(connection, _note(order, renewed))
    return renewed


def _note(order: RenewalOrder, renewed: Renewed) -> SessionNote:
    """Return what is kept of a renewal: which families, and whether earlier keys are refused; no key."""
    is_new = {"dynamic": renewed.dynamic, "static": renewed.static, "refresh": renewed.master}
    return SessionNote(
        type="key.rotated",
        tenant_id=DEFAULT_TENANT_ID,
        user_id=None,
        actor_id=order.actor_id,
        facts={
            "keys": ",".join(name for name, made in is_new.items() if made),
            "earlier_dropped": order.drop_old,
        },
    )


def _newest_ms(keys: Sequence[SigningKey]) -> int:
    return keys[0].created_ms if keys else 0


def _end_every_session(connection: Connection, tables: Tables, changes: SessionChanges) -> int:
    """End every session of the app; return how many there were."""
    table = tables[SESSIONS]
    app = table.c.app_id == DEFAULT_APP_ID
    if not changes.are_recorded:
        every = delete(table).where(app).execution_options(preserve_rowcount=True)
        return connection.execute(every).rowcount
    # In batches, since there may be more than fit into memory, each of which begins behind the last one:
    # rows that this transaction has deleted would be walked over again.
    key = tuple_(table.c.tenant_id, table.c.session_handle)
    after = key > tuple_(bindparam("tenant"), bindparam("handle"))
    up_to = key <= tuple_(bindparam("last_tenant"), bindparam("last_handle"))
    batch = select(table.c.tenant_id, table.c.session_handle).where(app, after)
    batch = batch.order_by(table.c.tenant_id, table.c.session_handle).limit(_BATCH)
    end = delete(table).where(app, after, up_to).returning(*key_columns(table))
    values: dict[str, Any] = {"tenant": "", "handle": ""}
    total = 0
    while found := connection.execute(batch, values).all():
        last = {"last_tenant": found[-1][0], "last_handle": found[-1][1]}
        total += len(changes.end(connection, end, values | last, WITH_KEYS))
        values = {"tenant": found[-1][0], "handle": found[-1][1]}
    changes.all_ended(connection, WITH_KEYS)
    return total
