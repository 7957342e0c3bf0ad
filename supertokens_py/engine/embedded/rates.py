"""How often a client may do something in an hour: it is counted in the database (engine: Clients).

One number per client is kept: the time at which everything that it did is made up for, one thing after the
other at the steady rate. As many as an hour allows may be done at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supertokens_py.engine.limits import hourly, of_clients

from .counts import Counts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig
    from supertokens_py.engine.user_services import ClientKind

    from .storage.database import Database


class Rates:
    """Counts what clients do."""

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._settings = settings
        self._counts = Counts(database, "clients", start="0")

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
        key, now = self._counts.key(kind, who), self._settings.now_ms()
        made_up = int(self._counts.lock(connection, key, now).value)
        following, wait = hourly(per_hour).after_one_more(made_up, now)
        if not wait:
            self._counts.set(connection, key, str(following), now)
        return wait

    def forget_within(self, connection: Connection, kind: str, who: str) -> None:
        """Forget what was counted, within a unit of work."""
        self._counts.drop(connection, self._counts.key(kind, who))

    def take_back(self, kind: ClientKind, client: str) -> None:
        """Take back one that was counted, and no other."""
        per_hour = self._per_hour(kind)
        if per_hour == 0:
            return
        self._database.write(lambda c: self.take_back_within(c, kind, client, per_hour=per_hour))

    def take_back_within(self, connection: Connection, kind: str, who: str, *, per_hour: int) -> None:
        """Do as `take_back` within a unit of work, for what `begin_within` counted."""
        key, now = self._counts.key(kind, who), self._settings.now_ms()
        made_up = int(self._counts.lock(connection, key, now).value)
        self._counts.set(connection, key, str(made_up - hourly(per_hour).step_ms), now)
