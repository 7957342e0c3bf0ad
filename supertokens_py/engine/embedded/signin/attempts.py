"""How often a password was guessed: after some failures each further guess has to wait (engine: Attempts).

Failures are counted in the database, so that every process knows them, under the hash of whose account it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supertokens_py.engine.limits import FORGOTTEN_AFTER_MS, next_guess

from ..accounts.counts import Counts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..storage.database import Database


class Attempts:
    """Counts guesses."""

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._settings = settings
        self._counts = Counts(database, "attempts", start="0", is_forgotten=_is_forgotten)

    def begin(self, kind: str, tenant_id: str, account: str) -> int:
        """Count a guess as a failure, which `succeeded` takes back; or return how many milliseconds to wait.

        It is counted before anybody knows, so that a thousand guesses at once are no better than one by one.
        """
        if self._settings.sign_in_free_failures == 0:
            return 0
        key = self._counts.key(kind, tenant_id, account)

        def unit(connection: Connection) -> int:
            now = self._settings.now_ms()
            failures, left = self._after(self._counts.lock(connection, key, now), now)
            if left == 0:
                self._counts.set(connection, key, str(failures + 1), now)
                self._counts.forget_some(connection, key, now)
            return left

        # A storm of guesses at one account queues for no lock, which would keep connections from others.
        seen = self._database.read(lambda connection: self._counts.seen(connection, key))
        if seen is not None and (left := self._after(seen, self._settings.now_ms())[1]):
            return left
        return self._database.write(unit)

    def succeeded(self, kind: str, tenant_id: str, account: str) -> None:
        """Forget the failures of an account: its password was known, or is a new one."""
        key = self._counts.key(kind, tenant_id, account)
        self._database.single(lambda connection: self._counts.drop(connection, key), repeatable=True)

    def _after(self, row: Any, now_ms: int) -> tuple[int, int]:
        free = self._settings.sign_in_free_failures
        return next_guess(int(row.value), row.created_at_time, now_ms, free=free)


def _is_forgotten(_: str, written_ms: int, now_ms: int) -> bool:
    return now_ms - written_ms >= FORGOTTEN_AFTER_MS
