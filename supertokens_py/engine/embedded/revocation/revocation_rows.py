"""The log of revoked sessions: a row for each change that ended some, read by every process.

A row is written in the transaction that ends its sessions. Numbers are given out before the commit, so that a
lower one may appear after a higher one: `Position` knows which are still to come.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, func, insert, or_, select, text

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.revoked_sessions import MAX_REMEMBERED, Revocation

from ..keys.token_lives import KEPT_MS
from ..storage.dialects import lock_key
from ..storage.tables import OPTIONAL_TEXT, PUBLIC_ID, SEQUENCE, TIME, TableDefinition

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.tables import Tables

REVOCATIONS = TableDefinition(
    name="supertokens_py_revocations",
    columns={
        "seq": SEQUENCE,
        "app_id": PUBLIC_ID,
        "at_ms": TIME,
        "handles": OPTIONAL_TEXT,  # a list in JSON; null: every session that has a token issued until then
        "until_ms": TIME,
    },
    key=("seq",),
)

HANDLES_PER_ROW = 500

#: What wakes the other processes; they read the log then. One word, since a transaction sends it once.
WORD: Final = "*"

_NOTIFY = text("SELECT pg_notify(:channel, :word)")

GAP_PATIENCE_S = 300.0  #: for a number that was given out, until its transaction counts as rolled back
_MAX_GAPS = 1000
_GAPS_BEFORE_START = 100


class RevocationStatements:
    """The statements of the log."""

    def __init__(self, tables: Tables) -> None:
        table = tables[REVOCATIONS]
        columns = (table.c.seq, table.c.at_ms, table.c.handles, table.c.until_ms)
        own = table.c.app_id == DEFAULT_APP_ID
        new = table.c.seq > bindparam("last")
        late = table.c.seq.in_(bindparam("gaps", expanding=True))
        # The last row as well, whatever its age: reading goes on behind it.
        newest = select(func.max(table.c.seq)).where(own).scalar_subquery()
        live = or_(
            table.c.until_ms >= bindparam("now"), table.c.at_ms >= bindparam("since"), table.c.seq == newest
        )
        self._live = select(*columns).where(own, live).order_by(table.c.seq)
        self._new = select(*columns).where(own, new).order_by(table.c.seq)
        self._new_and_late = select(*columns).where(own, or_(new, late)).order_by(table.c.seq)
        self._insert = insert(table).values(app_id=DEFAULT_APP_ID).inline()
        self._purge = delete(table).where(
            table.c.until_ms < bindparam("before"), table.c.at_ms < bindparam("issued_before")
        )
        #: Where PostgreSQL announces new rows; each set of tables has its own.
        self.channel: str = f"supertokens_py_{lock_key('revocations', tables) & (2**64 - 1):016x}"

    def write(self, connection: Connection, handles: Sequence[str] | None, at_ms: int, until_ms: int) -> None:
        """Record the end of sessions (None: of all), and have other processes told once that is committed."""
        times = {"at_ms": at_ms, "until_ms": until_ms}
        if handles is None or len(handles) > MAX_REMEMBERED:
            rows: list[dict[str, Any]] = [{"handles": None, **times}]
        else:
            starts = range(0, len(handles), HANDLES_PER_ROW)
            rows = [{"handles": json.dumps(handles[i : i + HANDLES_PER_ROW]), **times} for i in starts]
        connection.execute(self._insert, rows)
        if connection.dialect.name == "postgresql":
            self.send(connection, WORD)

    def send(self, connection: Connection, word: str) -> None:
        """Send a word to whoever listens, with the commit (PostgreSQL)."""
        connection.execute(_NOTIFY, {"channel": self.channel, "word": word})

    def purge(self, connection: Connection, now_ms: int, longest_ms: int) -> None:
        """Delete the rows that no process needs; `longest_ms` is how long any token lives that may be valid.

        Who wrote a row, such as a command, need not have known that.
        """
        before_ms = now_ms - KEPT_MS
        connection.execute(self._purge, {"before": before_ms, "issued_before": before_ms - longest_ms})

    def read(
        self, connection: Connection, position: Position, now_ms: int, life_ms: int
    ) -> list[tuple[int, Revocation]]:
        """Return the rows that are new since `position`, with their numbers.

        A session is remembered for `life_ms`, that of access tokens here, or longer where its row says so.
        """
        if position.is_start:
            rows = connection.execute(self._live, {"now": now_ms, "since": now_ms - life_ms}).all()
        elif position.gaps:
            values = {"last": position.last, "gaps": list(position.gaps)}
            rows = connection.execute(self._new_and_late, values).all()
        else:
            rows = connection.execute(self._new, {"last": position.last}).all()
        return [
            (number, Revocation(handles=_list(handles), at_ms=at_ms, until_ms=max(until_ms, at_ms + life_ms)))
            for number, at_ms, handles, until_ms in rows
        ]


def _list(handles: str | None) -> list[str] | None:
    return None if handles is None else json.loads(handles)


class Position:
    """How far a process has read: the highest number, and the lower ones that may still appear. Pure."""

    def __init__(self) -> None:
        self.is_start: bool = True
        self.last: int = 0
        self.gaps: dict[int, float] = {}  #: number, and when it was missed first (monotonic seconds)

    def passed(self, numbers: Iterable[int], now_s: float) -> None:
        """Go on behind the rows that were read."""
        seen = set(numbers)
        first = max(0, max(seen, default=0) - _GAPS_BEFORE_START) if self.is_start else self.last
        self.is_start = False
        top = max(seen, default=first)
        self.gaps = {
            number: since
            for number, since in self.gaps.items()
            if number not in seen and now_s - since < GAP_PATIENCE_S
        }
        if top > first:
            fresh = (number for number in range(max(first + 1, top - _MAX_GAPS), top) if number not in seen)
            self.gaps |= dict.fromkeys(fresh, now_s)
        self.last = max(self.last, top)
        for number in list(self.gaps)[: max(0, len(self.gaps) - _MAX_GAPS)]:
            del self.gaps[number]
