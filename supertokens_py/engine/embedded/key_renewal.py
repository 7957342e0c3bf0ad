"""Renewing families of keys, for keys that may have leaked and for clones (engine: Renewing keys)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from supertokens_py.engine.renewal import RenewalOrder, Renewed

from .key_material import SigningKey, created_ms_of
from .key_rows import KeyRows

if TYPE_CHECKING:
    from sqlalchemy import Connection


def renew(connection: Connection, rows: KeyRows, order: RenewalOrder, *, now_ms: int) -> Renewed:
    """Carry out an order within one transaction that holds the lock of the keys."""
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
        ended = rows.renew_master(connection, accept_until_ms=order.accept_until_ms(now_ms))
    return Renewed(dynamic, static, master=order.master, sessions_ended=ended)


def _newest_ms(keys: Sequence[SigningKey]) -> int:
    return keys[0].created_ms if keys else 0
