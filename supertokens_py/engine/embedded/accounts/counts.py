"""Counts in the database, so that every process knows them, under hashes of whose they are.

Each sort has rows of its own in `key_value`: a short text, and when it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import and_, bindparam, delete, or_, select, update

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID

from ..storage.dialects import insert_new
from ..storage.tables import KEY_VALUE

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete

    from ..storage.database import Database
    from ..storage.tables import Tables

#: Says whether a count (its text, when it was written, the time now; Unix ms) is as if nothing was counted.
IsForgotten: TypeAlias = Callable[[str, int, int], bool]

_PREFIXES = {sort: f"supertokens_py_{sort}_" for sort in ("attempts", "sends", "clients")}
_AFTER_EVERY_HASH = "g"
#: How many counts are looked at for each that is written. In a flood as many go as come once one of these
#: counts no more, on average, so that at most a third of all are such ones.
_NEIGHBOURS = 3


class Counts:
    """The counts of one sort.

    Args:
        database: where they are kept.
        sort: which of the three this is.
        start: what a count says before anything was counted.
        is_forgotten: which counts may be deleted.
    """

    def __init__(self, database: Database, sort: str, *, start: str, is_forgotten: IsForgotten) -> None:
        self._prefix = _PREFIXES[sort]
        self._start = start
        self._is_forgotten = is_forgotten
        table = database.tables[KEY_VALUE]
        row: dict[str, Any] = {
            "app_id": DEFAULT_APP_ID,
            "tenant_id": DEFAULT_TENANT_ID,
            "name": bindparam("key"),
        }
        this = [table.c[column] == value for column, value in row.items()]
        values: dict[str, Any] = {"value": bindparam("text"), "created_at_time": bindparam("now")}
        self._select = select(table.c.value, table.c.created_at_time).where(*this)
        self._lock = self._select.with_for_update()
        self._insert = insert_new(table, is_sqlite=database.location.is_sqlite).values(**row, **values)
        self._update = update(table).where(*this).values(**values)
        self._delete = delete(table).where(*this)
        these = [table.c[name] == value for name, value in row.items() if name != "name"]
        behind = and_(table.c.name > bindparam("key"), table.c.name < self._prefix + _AFTER_EVERY_HASH)
        neighbours = select(table.c.name, table.c.value, table.c.created_at_time).where(*these, behind)
        neighbours = neighbours.order_by(table.c.name).limit(_NEIGHBOURS)
        # What another request holds is left to the next one, so that none waits for another.
        self._neighbours = neighbours.with_for_update(skip_locked=True)

    def key(self, *parts: str) -> str:
        """Return the name of a count."""
        return self._prefix + sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()

    def seen(self, connection: Connection, key: str) -> Any:
        """Return a count (`value`, `created_at_time`) as it is at the moment; None where there is none."""
        return connection.execute(self._select, {"key": key}).first()

    def lock(self, connection: Connection, key: str, now_ms: int) -> Any:
        """Return a count, which is made where there is none, and keep it from others in this transaction."""
        known = None
        while known is None:  # somebody may delete the row between the two statements
            connection.execute(self._insert, {"key": key, "text": self._start, "now": now_ms})
            known = connection.execute(self._lock, {"key": key}).first()
        return known

    def set(self, connection: Connection, key: str, text: str, now_ms: int) -> None:
        """Change a count that is locked."""
        connection.execute(self._update, {"key": key, "text": text, "now": now_ms})

    def drop(self, connection: Connection, key: str) -> None:
        """Forget a count."""
        connection.execute(self._delete, {"key": key})

    def drop_all(self, connection: Connection, keys: Iterable[str]) -> None:
        """Forget some counts."""
        for key in keys:
            self.drop(connection, key)

    def forget_some(self, connection: Connection, key: str, now_ms: int) -> None:
        """Delete those of the counts behind a key that count no more; the last thing that a unit does.

        Keys are hashes, so that each request meets other counts. A flood of requests that name somebody else
        each time leaves half as many rows again as count, and not all of a day until the next clean-up.
        """
        for count in connection.execute(self._neighbours, {"key": key}).all():
            if self._is_forgotten(count.value, count.created_at_time, now_ms):
                self.drop(connection, count.name)


def delete_forgotten(tables: Tables) -> Delete:
    """Return the statement that deletes counts of every sort which nobody has touched since `before`."""
    table = tables[KEY_VALUE]
    return delete(table).where(
        table.c.app_id == DEFAULT_APP_ID,
        table.c.tenant_id == DEFAULT_TENANT_ID,
        or_(*(table.c.name.startswith(prefix, autoescape=True) for prefix in _PREFIXES.values())),
        table.c.created_at_time < bindparam("before"),
    )
