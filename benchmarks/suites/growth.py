"""What refreshes leave behind in PostgreSQL: simulated days, with the vacuum that autovacuum would run.

Sizes and bytes depend neither on the machine nor on its load. A second part compares the table with the same
one in 16 partitions by hash of the handle.
"""

from __future__ import annotations

import random
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from contestants.size import PER_USER, fill
from support.pages import LIST, NOW, ONE, REFRESH, explained
from support.postgres import postgres
from support.report import Claim, Group, Report, Row
from support.rounds import Worker, progress, sized

SESSIONS = 5000
REFRESHES_A_DAY = 8
DAY_MS = 86_400_000
#: Of a hundred sessions, one a day ends and another begins.
ENDING = SESSIONS // 100
_BATCH = 100
PARTITIONS = 16
KEY = "app_id, tenant_id, session_handle"


@dataclass(frozen=True)
class Variant:
    """A table of sessions, and how often it is vacuumed."""

    name: str
    fillfactor: int = 90
    scale_factor: float = 0.2  #: autovacuum_vacuum_scale_factor
    expiry_indexed: bool = False


VARIANTS = (
    Variant("as it is made"),
    Variant("fillfactor 100", fillfactor=100),
    Variant("fillfactor 70", fillfactor=70),
    Variant("vacuumed at 2 % dead rows", scale_factor=0.02),
    Variant("of an official core: expires_at indexed, fillfactor 100", fillfactor=100, expiry_indexed=True),
    Variant("expires_at indexed, fillfactor 90", expiry_indexed=True),
)


def run(options: Namespace) -> Report:
    days = sized(options, once=2, quick=4, full=14)
    rows = options.rows or sized(options, once=2000, quick=100_000, full=1_000_000)
    variants = sized(options, once=VARIANTS[:1], quick=VARIANTS, full=VARIANTS)
    with postgres(autovacuum="off", max_wal_size="4GB", shared_buffers="512MB") as url:
        worker = Worker("contestants.throughput:ours", url)  # it makes the tables
        worker.ready().close()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            grown = [_Growth(connection, variant).over(days) for variant in variants]
            groups = [_group(growth) for growth in grown]
            fill(url, rows)
            groups += _partitioned(connection)
    claims = [
        Claim(f"{VARIANTS[0].name}: size after {days} days / after {days // 2}", 1.1, grown[0].late_growth),
        Claim(f"{VARIANTS[0].name}: size after {days} days / at first", 2.5, grown[0].growth),
    ]
    notes = [
        f"{SESSIONS:,} sessions, each refreshed {REFRESHES_A_DAY} times a day for {days} days in random "
        "order; 1 in 100 ends and another begins each day. VACUUM runs whenever autovacuum's rule asks for "
        "it."
    ]
    return Report("growth", options.quick, groups, claims, notes)


class _Growth:
    """A table under refresh load, and its sizes by day."""

    def __init__(self, connection: psycopg.Connection, variant: Variant) -> None:
        self._connection, self.variant = connection, variant
        self._execute = connection.execute
        self._random = random.Random(1)
        self._changed = 0
        self.sizes: list[dict[str, int]] = []
        self._execute("DROP TABLE IF EXISTS grown")
        self._execute("CREATE TABLE grown (LIKE session_info INCLUDING ALL)")
        self._execute(f"ALTER TABLE grown SET (fillfactor = {variant.fillfactor})")
        if variant.expiry_indexed:
            self._execute("CREATE INDEX grown_expiry_index ON grown (expires_at)")
        self._handles = [self._begun(number, 0) for number in range(SESSIONS)]
        self._next = SESSIONS
        for index in (*self._indexes(), "TABLE grown"):  # built at once, as after a restored back-up
            self._execute(f"REINDEX {'INDEX ' if index != 'TABLE grown' else ''}{index}")
        self._execute("VACUUM ANALYZE grown")
        self._note()

    def over(self, days: int) -> _Growth:
        started, before = time.monotonic(), self._wal()
        for day in range(days):
            self._day(day)
            self._note()
            progress(day + 1, days)
        self._execute("SELECT pg_stat_force_next_flush()")
        refreshes = days * REFRESHES_A_DAY * SESSIONS
        self.wal_bytes = (self._wal() - before) / refreshes
        row = self._execute(
            "SELECT n_tup_hot_upd, n_tup_upd FROM pg_stat_user_tables WHERE relname = 'grown'"
        ).fetchone()
        assert row is not None
        self.hot = 100 * row[0] / max(1, row[1])
        print(f"{self.variant.name}: {refreshes / (time.monotonic() - started):,.0f} per s", file=sys.stderr)
        return self

    @property
    def growth(self) -> float:
        return sum(self.sizes[-1].values()) / sum(self.sizes[0].values())

    @property
    def late_growth(self) -> float:
        return sum(self.sizes[-1].values()) / sum(self.sizes[len(self.sizes) // 2].values())

    def _day(self, day: int) -> None:
        for round_of_day in range(REFRESHES_A_DAY):
            now = day * DAY_MS + round_of_day * DAY_MS // REFRESHES_A_DAY
            self._random.shuffle(self._handles)
            for start in range(0, SESSIONS, _BATCH):
                which = "session_handle = ANY(%s)"
                statement = REFRESH.format(table="grown", now=now + start, which=which)
                self._execute(statement, (self._handles[start : start + _BATCH],))
                self._count(_BATCH)
        ended, self._handles = self._handles[:ENDING], self._handles[ENDING:]
        self._execute("DELETE FROM grown WHERE session_handle = ANY(%s)", (ended,))
        self._count(ENDING)
        for _ in range(ENDING):
            self._handles.append(self._begun(self._next, day * DAY_MS))
            self._next += 1

    def _begun(self, number: int, now: int) -> str:
        row = self._execute(
            f"INSERT INTO grown ({KEY}, user_id, refresh_token_hash_2, session_data, expires_at, "
            "created_at_time, jwt_user_payload, use_static_key) VALUES ('public', 'public', "
            "gen_random_uuid()::text, 'user-' || %s, md5(random()::text) || md5(random()::text), '{}', "
            "%s, %s, repeat('x', 130), false) RETURNING session_handle",
            (number // PER_USER, now + 8640000000, now),
        ).fetchone()
        assert row is not None
        return str(row[0])

    def _count(self, rows: int) -> None:
        """Vacuum as soon as autovacuum would: at 50 dead rows and a share of all."""
        self._changed += rows
        if self._changed >= 50 + self.variant.scale_factor * SESSIONS:
            self._changed = 0
            self._execute("VACUUM grown")

    def _indexes(self) -> list[str]:
        rows = self._execute("SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'grown'::regclass")
        return [str(row[0]) for row in rows]

    def _note(self) -> None:
        rows = self._execute(
            "SELECT 'table', pg_relation_size('grown') UNION ALL "
            "SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index "
            "WHERE indrelid = 'grown'::regclass ORDER BY 1"
        ).fetchall()
        self.sizes.append({str(name): int(size) for name, size in rows})

    def _wal(self) -> int:
        row = self._execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        assert row is not None
        return int(row[0])


def _group(grown: _Growth) -> Group:
    first, last = grown.sizes[0], grown.sizes[-1]
    rows = [
        Row(
            name,
            last[name] / SESSIONS,
            ratio=last[name] / first[name],
            owner="us",
            extra={"at first": first[name] / SESSIONS},
        )
        for name in last
    ]
    total = Row("all", sum(last.values()) / SESSIONS, ratio=grown.growth, owner="us")
    total.extra = {"at first": sum(first.values()) / SESSIONS}
    title = f"{grown.variant.name}: {grown.wal_bytes:,.0f} bytes of log per refresh, {grown.hot:.0f} % HOT"
    return Group(title, "bytes per session; ratio to those at first", [total, *rows])


# -- partitions ------------------------------------------------------------------------------------


def _partitioned(connection: psycopg.Connection) -> Iterator[Group]:
    """Compare what statements read, and how long the server takes, with and without partitions."""
    execute = connection.execute
    execute("CREATE TABLE parted (LIKE session_info INCLUDING ALL) PARTITION BY HASH (session_handle)")
    for number in range(PARTITIONS):
        execute(
            f"CREATE TABLE parted_{number} PARTITION OF parted FOR VALUES WITH "
            f"(MODULUS {PARTITIONS}, REMAINDER {number})"
        )
    execute("INSERT INTO parted SELECT * FROM session_info")
    execute("VACUUM ANALYZE parted")
    handles = [row[0] for row in execute("SELECT session_handle FROM session_info LIMIT 500").fetchall()]
    users = [f"user-{number + 1}" for number in range(3)]
    for name, statement, values in (
        ("refresh", REFRESH.format(table="{}", now=NOW, which=ONE), handles),
        ("list 200 of a user", LIST.format(table="{}"), users),
        (
            "find 500 expired",
            "SELECT app_id, tenant_id, session_handle FROM {} WHERE app_id = 'public' AND expires_at <= %s "
            "LIMIT 500 FOR UPDATE SKIP LOCKED",
            [10**15],
        ),
    ):
        rows = []
        for table in ("session_info", "parted"):
            pages, times = explained(connection, statement.format(table), values)
            label = "one table" if table == "session_info" else f"{PARTITIONS} partitions"
            owner = "base" if table == "session_info" else "us"
            rows.append(Row(label, pages, owner=owner, extra={"server ms": times}))
        yield Group(f"{name}: by hand, in partitions", "pages", rows, "one table")
