"""How often an address or a phone number gets messages: they are counted in the database (engine: Sends).

Of each count two times are kept: that of the last message, and the one at which all of them are made up
for, one after the other at the steady rate. So nobody can use up a day of somebody else's links: after the
first few another one follows at that rate, whoever asks for it, and goes to the one who reads the mail. A
one-time code fits only the browser that asked, so there each client keeps a share of its own (`share`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from supertokens_py.engine.limits import (
    OF_ALL_CLIENTS,
    SPACING_MS,
    Allowance,
    SharedKeys,
    next_message,
    next_shared,
)

from ..accounts.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..storage.database import Database

#: Returns of a count when all is made up for, and when the last message was counted.
_Known: TypeAlias = Callable[[str], tuple[int, int]]


class MessageLimits:
    """Counts messages."""

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._settings = settings
        self._counts = Counts(database, "sends", start="[0, 0]", is_forgotten=_is_forgotten)

    def begin(
        self,
        kind: str,
        tenant_id: str,
        contact: str,
        *,
        per_day: int,
        at_once: int = 5,
        client: str | None = None,
    ) -> int:
        """Count a message, and return 0; or count nothing, and return how many milliseconds it has to wait.

        It is counted before it is sent, so that a thousand requests at once send one. Where nothing could be
        sent after all, call `failed` with the same `kind`, `tenant_id` and `contact`.

        Args:
            kind: what is counted by itself, such as "password reset"; each recipe has names of its own.
            tenant_id: the normalised id of the tenant.
            contact: the normalised address, or the phone number in the form of E.164.
            per_day: how many one client may have sent to the contact in 24 hours, in the long run, and
                `OF_ALL_CLIENTS` times as many all clients; 0: any number.
            at_once: how many it may have sent before that rate applies, in the same sense.
            client: whom the request comes from, as `app.clients.network_of` says; None where that is unknown:
                then only all clients together are limited.
        """
        if per_day == 0:
            return 0
        allowed = Allowance(at_once, per_day)
        # That of the contact is always locked first, so two requests never wait for each other.
        allowances = {self._counts.key(kind, tenant_id, contact): allowed.times(OF_ALL_CLIENTS)}
        if client is not None:
            allowances[self._counts.key(kind, tenant_id, contact, client)] = allowed

        return self._count(lambda known, now: next_message(allowances, known, now))

    def begin_shared(
        self,
        kind: str,
        contact: str,
        *,
        per_day: int,
        share: int,
        at_once: int = 5,
        client: str | None = None,
    ) -> int:
        """Do as `begin` for messages that are of use to whoever asked only, over all tenants.

        A known client gets as many as `share` at once, and others at the steady rate, also where other
        clients have used up what all may: until `AT_MOST` times as many as one may have.
        """
        if per_day == 0:
            return 0
        key = self._counts.key
        own = None if client is None else key(kind, "", contact, client)
        keys = SharedKeys(key(kind, "", contact), key(kind, "", contact, "", "most"), own)
        allowed = Allowance(at_once, per_day)

        return self._count(lambda known, now: next_shared(keys, allowed, known, now, share=share))

    def failed(self, kind: str, tenant_id: str, contact: str) -> None:
        """Let another message follow at once: the last one could not be sent.

        It stays counted otherwise, so that nobody has a mail server try a refused address without end.
        """
        key = self._counts.key(kind, tenant_id, contact)

        def unit(connection: Connection) -> None:
            now = self._settings.now_ms()
            made_up, _ = self._known(connection, key, now)
            self._counts.set(connection, key, json.dumps([made_up, 0]), now)

        self._database.write(unit)

    def _count(self, decide: Callable[[_Known, int], tuple[int, dict[str, tuple[int, int]]]]) -> int:
        def unit(connection: Connection) -> int:
            now, seen = self._settings.now_ms(), dict[str, tuple[int, int]]()

            def known(key: str) -> tuple[int, int]:
                seen[key] = self._known(connection, key, now)
                return seen[key]

            wait, kept = decide(known, now)
            self._keep(connection, kept, now)
            if wait:  # refusals leave nothing behind of whoever asks
                self._counts.drop_all(connection, (key for key, times in seen.items() if times == (0, 0)))
            return wait

        return self._database.write(unit)

    def _keep(self, connection: Connection, kept: Mapping[str, tuple[int, int]], now_ms: int) -> None:
        for key, times in kept.items():
            self._counts.set(connection, key, json.dumps(times), now_ms)
        for key in kept:
            self._counts.forget_some(connection, key, now_ms)

    def _known(self, connection: Connection, key: str, now_ms: int) -> tuple[int, int]:
        """Return when all is made up for, and when the last message was counted."""
        return _times(self._counts.lock(connection, key, now_ms).value)


def _times(text: str) -> tuple[int, int]:
    """Return when all is made up for, and when the last message was counted."""
    times = json.loads(text) or (0,)
    return times[0], times[-1]


def _is_forgotten(text: str, _: int, now_ms: int) -> bool:
    made_up, last = _times(text)
    return max(made_up, last + SPACING_MS) <= now_ms
