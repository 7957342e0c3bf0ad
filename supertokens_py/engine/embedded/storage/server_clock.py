"""The clock of the database beside that of this process.

Servers that share a database have a clock each, and one of them may boot with a wrong one. What expires
for everybody, and the times of signing keys, must not go by it: PostgreSQL has a clock that all share.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Clocks that are further apart than this are not taken for the same.
TOLERANCE_MS = 120_000

_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")

log: logging.Logger = logging.getLogger(__name__)


def server_now_ms(connection: Connection) -> int | None:
    """Return the time of the database in Unix milliseconds; None for SQLite, whose clock is ours."""
    if connection.dialect.name == "sqlite":
        return None
    return int(connection.execute(_NOW).scalar_one())


def ahead_ms(connection: Connection, now_ms: int) -> int:
    """Return how far `now_ms` is ahead of the database's time (negative: behind it).

    0 within the tolerance, and where the database has no clock of its own. A difference is logged.
    """
    theirs_ms = server_now_ms(connection)
    if theirs_ms is None or abs(now_ms - theirs_ms) <= TOLERANCE_MS:
        return 0
    log.error(
        "the clock of this machine is %.0f s %s that of the database: nothing expired is deleted here, and "
        "signing keys go by the database's clock. Set both by NTP.",
        abs(now_ms - theirs_ms) / 1000,
        "ahead of" if now_ms > theirs_ms else "behind",
    )
    return now_ms - theirs_ms
