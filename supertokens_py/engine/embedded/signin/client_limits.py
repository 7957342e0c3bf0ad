"""How often a client may do something in an hour: it is counted in the database (engine: Clients).

One number per client is kept: the time at which everything that it did is made up for, one thing after the
other at the steady rate. As many as an hour allows may be done at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supertokens_py.engine.limits import SharedKeys, hourly, next_shared, of_clients

from ..accounts.counts import Counts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig
    from supertokens_py.engine.user_services import ClientKind

    from ..storage.database import Database


class ClientLimits:
    """Counts what clients do."""

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._settings = settings
        self._counts = Counts(database, "clients", start="0", is_forgotten=_is_made_up)

    def _per_hour(self, kind: ClientKind) -> int:
        return of_clients(self._settings)[kind]

    def begin(self, kind: ClientKind, client: str) -> int:
        """Count one, and return 0; or count nothing, and return how many milliseconds to wait."""
        per_hour = self._per_hour(kind)
        if per_hour == 0:
            return 0

        def unit(connection: Connection) -> int:
            wait = self.begin_within(connection, kind, client, per_hour=per_hour)
            self._counts.forget_some(connection, self._counts.key(kind, client), self._settings.now_ms())
            return wait

        return self._database.write(unit)

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

    def begin_shared_within(
        self,
        connection: Connection,
        kind: str,
        who: str,
        client: str | None,
        *,
        per_hour: int,
        share: int,
    ) -> int:
        """Do as `begin_within` for what each client may do to somebody (engine: Passwordless)."""
        now, seen = self._settings.now_ms(), dict[str, int]()

        def known(key: str) -> tuple[int, int]:
            seen[key] = int(self._counts.lock(connection, key, now).value)
            return seen[key], 0

        keys = self._shared(kind, who, client)
        wait, kept = next_shared(keys, hourly(per_hour), known, now, share=share, spacing_ms=0)
        if wait:  # refusals leave nothing behind of whoever asks
            self._counts.drop_all(connection, (key for key, made_up in seen.items() if not made_up))
        for key, (made_up, _) in kept.items():
            self._counts.set(connection, key, str(made_up), now)
        return wait

    def forget_shared_within(self, connection: Connection, kind: str, who: str, client: str | None) -> None:
        """Forget what the client did and what all did, within a unit of work."""
        self._counts.drop_all(connection, _each(self._shared(kind, who, client)))

    def forget_others_within(self, connection: Connection, kind: str, who: str, client: str | None) -> None:
        """Delete some counts that say nothing any more, the last for which a unit of work may wait."""
        now = self._settings.now_ms()
        for key in _each(self._shared(kind, who, client)):
            self._counts.forget_some(connection, key, now)

    def _shared(self, kind: str, who: str, client: str | None) -> SharedKeys[str]:
        """Return where somebody's counts are; those who are not known are one client."""
        key = self._counts.key
        return SharedKeys(key(kind, who), key(kind, who, "most"), key(kind, who, "client", client or ""))

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


def _each(keys: SharedKeys[str]) -> tuple[str, ...]:
    return keys.of_all, keys.at_most, str(keys.own)


def _is_made_up(text: str, _: int, now_ms: int) -> bool:
    return int(text) <= now_ms
