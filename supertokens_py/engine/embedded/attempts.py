"""How often a password was guessed: after some failures each further guess has to wait (engine: Attempts).

Failures are counted in the database, so that every process knows them, under the hash of whose account it is.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, update

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID

from .storage.dialects import insert_new
from .storage.tables import KEY_VALUE

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete

    from supertokens_py.engine.config import ResolvedEngineConfig

    from .storage.database import Database
    from .storage.tables import Tables

FIRST_WAIT_MS, LONGEST_WAIT_MS = 1_000, 15 * 60_000
#: After this time without another guess, what was before is forgotten.
FORGOTTEN_AFTER_MS = 24 * 3_600_000

_PREFIX = "supertokens_py_attempts_"


def wait_ms(failures: int, *, free: int) -> int:
    """Return how long after so many failures the next guess has to wait: 0, then 1 s, doubling to 15 min."""
    if failures < free:
        return 0
    return min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(failures - free, 20))


class Attempts:
    """Counts guesses; a class because it holds its statements."""

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
        self._select = select(table.c.value, table.c.created_at_time).where(*this)
        self._lock = self._select.with_for_update()
        values: dict[str, Any] = {"value": bindparam("failures"), "created_at_time": bindparam("now")}
        self._insert = insert_new(table, is_sqlite=database.location.is_sqlite).values(**row, **values)
        self._update = update(table).where(*this).values(**values)
        self._delete = delete(table).where(*this)

    def begin(self, kind: str, tenant_id: str, account: str) -> int:
        """Count a guess as a failure, which `succeeded` takes back; or return how many milliseconds to wait.

        It is counted before anybody knows, so that a thousand guesses at once are no better than one by one.
        """
        free = self._settings.sign_in_free_failures
        if free == 0:
            return 0
        key = _key(kind, tenant_id, account)

        def unit(connection: Connection) -> int:
            now, known = self._settings.now_ms(), None
            while known is None:  # a success may delete the row between the two statements
                connection.execute(self._insert, {"key": key, "failures": "0", "now": now})
                known = connection.execute(self._lock, {"key": key}).first()
            failures, left = _failures(known, now, free)
            if left > 0:
                return left
            connection.execute(self._update, {"key": key, "failures": str(failures + 1), "now": now})
            return 0

        # A storm of guesses at one account queues for no lock, which would keep connections from others.
        seen = self._database.read(lambda c: c.execute(self._select, {"key": key}).first())
        if seen is not None and (left := _failures(seen, self._settings.now_ms(), free)[1]) > 0:
            return left
        return self._database.write(unit)

    def succeeded(self, kind: str, tenant_id: str, account: str) -> None:
        """Forget the failures of an account: its password was known, or is a new one."""
        key = _key(kind, tenant_id, account)
        self._database.single(lambda c: c.execute(self._delete, {"key": key}), repeatable=True)


def delete_forgotten(tables: Tables, prefix: str = _PREFIX) -> Delete:
    """Return the statement that deletes counters with a prefix which nobody has touched since `before`."""
    table = tables[KEY_VALUE]
    return delete(table).where(
        table.c.app_id == DEFAULT_APP_ID,
        table.c.tenant_id == DEFAULT_TENANT_ID,
        table.c.name.startswith(prefix, autoescape=True),
        table.c.created_at_time < bindparam("before"),
    )


def _failures(row: Any, now_ms: int, free: int) -> tuple[int, int]:
    """Return how many failures count, and how long the next guess has to wait (0 or less: not at all)."""
    passed = max(0, now_ms - row.created_at_time)  # another machine's clock may be ahead
    failures = int(row.value) if passed < FORGOTTEN_AFTER_MS else 0
    return failures, wait_ms(failures, free=free) - passed


def _key(kind: str, tenant_id: str, account: str) -> str:
    text = "\0".join((kind, tenant_id, account))
    return _PREFIX + sha256(text.encode("utf-8", "replace")).hexdigest()
