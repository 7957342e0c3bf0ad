"""How often an address gets e-mails: they are counted in the database (engine: Sends)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID

from .attempts import FORGOTTEN_AFTER_MS, delete_forgotten
from .storage.dialects import insert_new
from .storage.tables import KEY_VALUE

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete

    from supertokens_py.engine.config import ResolvedEngineConfig

    from .storage.database import Database
    from .storage.tables import Tables

DAY_MS = FORGOTTEN_AFTER_MS
#: In how many milliseconds how many e-mails may go to one address; the day's number is a setting.
LIMITS = ((15_000, 1), (15 * 60_000, 5))

_PREFIX = "supertokens_py_sends_"


def may_send(sent_ms: Sequence[int], now_ms: int, *, per_day: int) -> bool:
    """Return whether another e-mail may follow those that were sent at these times."""
    limits = (*LIMITS, (DAY_MS, per_day))
    return all(sum(now_ms - sent < span for sent in sent_ms) < most for span, most in limits)


class Sends:
    """Counts e-mails; a class because it holds its statements."""

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._settings = settings
        table = database.tables[KEY_VALUE]
        row: dict[str, Any] = {
            "app_id": DEFAULT_APP_ID,
            "tenant_id": DEFAULT_TENANT_ID,
            "name": bindparam("key"),
        }
        this = [table.c[column] == value for column, value in row.items()]
        values: dict[str, Any] = {"value": bindparam("times"), "created_at_time": bindparam("now")}
        self._insert = insert_new(table, is_sqlite=database.location.is_sqlite).values(**row, **values)
        self._lock = select(table.c.value).where(*this).with_for_update()
        self._update = update(table).where(*this).values(**values)

    def begin(self, kind: str, tenant_id: str, address: str, *, per_day: int) -> bool:
        """Count an e-mail to an address, and return True; or return False where it would be one too many.

        It is counted before it is sent, so that a thousand requests at once send one.
        """
        if per_day == 0:
            return True
        text = "\0".join((kind, tenant_id, address))
        key = _PREFIX + sha256(text.encode("utf-8", "replace")).hexdigest()

        def unit(connection: Connection) -> bool:
            now = self._settings.now_ms()
            known = None
            while known is None:  # clean-up may delete the row between the two statements
                connection.execute(self._insert, {"key": key, "times": "[]", "now": now})
                known = connection.execute(self._lock, {"key": key}).first()
            sent: list[int] = [time for time in json.loads(known.value) if now - time < DAY_MS]
            if not may_send(sent, now, per_day=per_day):
                return False
            connection.execute(self._update, {"key": key, "times": json.dumps([*sent, now]), "now": now})
            return True

        return self._database.write(unit)


def delete_forgotten_sends(tables: Tables) -> Delete:
    """Return the statement that deletes counters which nobody has touched since `before`."""
    return delete_forgotten(tables, _PREFIX)
