"""How often an address or a phone number gets messages: they are counted in the database (engine: Sends).

Of each count two times are kept: that of the last message, and the one at which all of them are made up
for, one after the other at the steady rate. So nobody can use up a day of somebody else's messages: after the
first few another one follows at that rate, whoever asks for it, and goes to the one who reads the mail.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
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
#: Milliseconds between two messages to one contact, whoever asks: frontends ask twice now and then.
SPACING_MS = 15_000
#: How many times what one client may have sent to a contact all clients together may.
OF_ALL_CLIENTS = 2

_PREFIX = "supertokens_py_sends_"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many messages may follow each other at once (no more than in a day), and at which rate others."""

    at_once: int
    per_day: int

    def times(self, factor: int) -> Allowance:
        """Return so many times as many."""
        return Allowance(self.at_once * factor, self.per_day * factor)

    def after_one_more(self, made_up_ms: int, now_ms: int) -> tuple[int, int]:
        """Return when all messages and another are made up for, and how long that one has to wait first."""
        step = DAY_MS // self.per_day
        most = step * min(self.at_once, self.per_day)
        # A clock of another machine may be ahead: nobody waits longer than by this one.
        following = min(max(made_up_ms, now_ms), now_ms + most) + step
        return following, max(0, following - now_ms - most)


class Sends:
    """Counts messages; a class because it holds its statements."""

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
        counts = {_key(kind, tenant_id, contact): allowed.times(OF_ALL_CLIENTS)}
        if client is not None:
            counts[_key(kind, tenant_id, contact, client)] = allowed

        def unit(connection: Connection) -> int:
            now, kept = self._settings.now_ms(), dict[str, list[int]]()
            for key, allowance in counts.items():
                made_up, last = self._known(connection, key, now)
                following, wait = allowance.after_one_more(made_up, now)
                wait = max(wait, 0 if kept else min(last, now) + SPACING_MS - now)
                if wait > 0:
                    return wait
                kept[key] = [following, now]
            for key, times in kept.items():
                connection.execute(self._update, {"key": key, "times": json.dumps(times), "now": now})
            return 0

        return self._database.write(unit)

    def failed(self, kind: str, tenant_id: str, contact: str) -> None:
        """Let another message follow at once: the last one could not be sent.

        It stays counted otherwise, so that nobody has a mail server try a refused address for ever.
        """
        key = _key(kind, tenant_id, contact)

        def unit(connection: Connection) -> None:
            now = self._settings.now_ms()
            times = json.dumps([self._known(connection, key, now)[0], 0])
            connection.execute(self._update, {"key": key, "times": times, "now": now})

        self._database.write(unit)

    def _known(self, connection: Connection, key: str, now: int) -> tuple[int, int]:
        """Return when all is made up for, and when the last message was counted."""
        known = None
        while known is None:  # clean-up may delete the row between the two statements
            connection.execute(self._insert, {"key": key, "times": "[0, 0]", "now": now})
            known = connection.execute(self._lock, {"key": key}).first()
        times = json.loads(known.value) or (0,)
        return times[0], times[-1]


def delete_forgotten_sends(tables: Tables) -> Delete:
    """Return the statement that deletes counters which nobody has touched since `before`."""
    return delete_forgotten(tables, _PREFIX)


def _key(*parts: str) -> str:
    return _PREFIX + sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()
