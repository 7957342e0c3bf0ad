"""How often a client may do something in an hour: it is counted in the database (engine: Clients).

One number per client is kept: the time at which everything that it did is made up for, one thing after the
other at the steady rate. As many as an hour allows may be done at once.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, update

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.limits import of_clients

from .attempts import delete_forgotten
from .storage.dialects import insert_new
from .storage.tables import KEY_VALUE

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete

    from supertokens_py.engine.config import ResolvedEngineConfig
    from supertokens_py.engine.user_services import ClientKind

    from .storage.database import Database
    from .storage.tables import Tables

HOUR_MS = 3_600_000

_PREFIX = "supertokens_py_clients_"


def after_one_more(made_up_ms: int, now_ms: int, *, per_hour: int) -> tuple[int, int]:
    """Return when everything and one more is made up for, and how long that one has to wait first."""
    step = HOUR_MS // per_hour
    # A clock of another machine may be ahead: more than an hour nobody owes.
    following = min(max(made_up_ms, now_ms), now_ms + HOUR_MS) + step
    return following, max(0, following - now_ms - HOUR_MS)


class Rates:
    """Counts what clients do; a class because it holds its statements."""

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
        values: dict[str, Any] = {"value": bindparam("made_up"), "created_at_time": bindparam("now")}
        self._insert = insert_new(table, is_sqlite=database.location.is_sqlite).values(**row, **values)
        self._lock = select(table.c.value).where(*this).with_for_update()
        self._update = update(table).where(*this).values(**values)
        self._delete = delete(table).where(*this)

    def _per_hour(self, kind: ClientKind) -> int:
        return of_clients(self._settings)[kind]

    def begin(self, kind: ClientKind, client: str) -> int:
        """Count one, and return 0; or count nothing, and return how many milliseconds to wait."""
        per_hour = self._per_hour(kind)
        if per_hour == 0:
            return 0
        return self._database.write(lambda c: self.begin_within(c, kind, client, per_hour=per_hour))

    def begin_within(self, connection: Connection, kind: str, who: str, *, per_hour: int) -> int:
        """Do as `begin` within a unit of work, for anything that may be done so often in an hour, at least 1.

        `kind` is a name that nothing else is counted under.
        """
        key, now = _key(kind, who), self._settings.now_ms()
        following, wait = after_one_more(self._known(connection, key, now), now, per_hour=per_hour)
        if not wait:
            connection.execute(self._update, {"key": key, "made_up": str(following), "now": now})
        return wait

    def forget_within(self, connection: Connection, kind: str, who: str) -> None:
        """Forget what was counted, within a unit of work."""
        connection.execute(self._delete, {"key": _key(kind, who)})

    def take_back(self, kind: ClientKind, client: str) -> None:
        """Take back one that was counted, and no other."""
        per_hour = self._per_hour(kind)
        if per_hour == 0:
            return
        key = _key(kind, client)

        def unit(connection: Connection) -> None:
            now = self._settings.now_ms()
            earlier = self._known(connection, key, now) - HOUR_MS // per_hour
            connection.execute(self._update, {"key": key, "made_up": str(earlier), "now": now})

        self._database.write(unit)

    def _known(self, connection: Connection, key: str, now: int) -> int:
        known = None
        while known is None:  # clean-up may delete the row between the two statements
            connection.execute(self._insert, {"key": key, "made_up": str(now), "now": now})
            known = connection.execute(self._lock, {"key": key}).first()
        return int(known.value)


def delete_forgotten_clients(tables: Tables) -> Delete:
    """Return the statement that deletes counters which nobody has touched since `before`."""
    return delete_forgotten(tables, _PREFIX)


def _key(kind: str, client: str) -> str:
    return _PREFIX + sha256(f"{kind}\0{client}".encode("utf-8", "replace")).hexdigest()
