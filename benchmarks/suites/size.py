"""Does it stay as fast with ten million sessions, 200 of each user? Among 1,000 against among many."""

from __future__ import annotations

import contextlib
import sys
import time
from argparse import Namespace

import psycopg

from contestants.size import PER_USER, SWEPT
from support import pages
from support.postgres import postgres
from support.report import Claim, Group, Report, Row, ratio, sampled
from support.rounds import Samples, Worker, interleave, sized

from .engine import stores
from .scale import FEW, on_core

#: What is called, and how much dearer it may be among many. The last three touch hundreds of sessions, which
#: lie together among 1,000 and on a page each among many. A clean-up of SQLite writes those pages of the
#: primary key: 544 for 500 sessions among a million, 72 among 1,000.
CALLS = {
    "create": 1.25,
    "refresh": 1.25,
    "verify with database": 1.25,
    f"list {PER_USER} of a user": 4,
    f"revoke {PER_USER} of a user": 4,
    f"sweep {SWEPT} expired": 8,
}
#: SQLite is for one machine: its large file has at most this many sessions.
SQLITE_ROWS = 1_000_000


def run(options: Namespace) -> Report:
    many = options.rows or sized(options, once=2 * FEW, quick=1_000_000, full=10_000_000)
    groups: list[Group] = []
    claims: list[Claim] = []
    with contextlib.ExitStack() as stack:
        with on_core(1):
            # A server for ten million sessions is given memory for them; what is inserted needs no replica.
            url = stack.enter_context(
                postgres(shared_buffers="1GB", max_wal_size="8GB", wal_level="minimal", max_wal_senders="0")
            )
            small = stack.enter_context(stores("few", running={"PostgreSQL": url}))
            large = stack.enter_context(stores("many", running={"PostgreSQL": url}))
        for store in small:
            rows = min(many, SQLITE_ROWS) if store == "SQLite" else many
            samples = _measured(options, small[store], large[store], store, rows)
            groups += [_group(store, call, samples, rows) for call in CALLS]
            claims += [_claim(store, call, samples, rows) for call in _claimed(store)]
            if store == "PostgreSQL":
                groups += [_sizes(large[store]), _pages(small[store], large[store], rows)]
    notes = [
        "Wall time, blocking API. The sessions in use lie anywhere among the others, so that most calls find "
        "pages that nothing has touched for long; PostgreSQL writes each of those whole to its log, once "
        "after each checkpoint."
    ]
    return Report("size", options.quick, groups, claims, notes)


def _measured(options: Namespace, few: str, many: str, store: str, rows: int) -> dict[str, Samples]:
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(9, 20, 40), full=(25, 60, 40))
    contestants: list[Worker] = []
    try:
        started = time.monotonic()
        with on_core(0):
            for uri, number in ((few, FEW), (many, rows)):
                label = _label(store, number)
                contestants.append(Worker("contestants.size:cases", uri, label, str(number)).ready())
        seconds = time.monotonic() - started
        print(f"{store}: {rows:,} sessions inserted in {seconds:.0f} s", file=sys.stderr)
        return interleave(contestants, rounds=rounds, budget_s=budget, slice_ms=slice_ms, clock="wall")
    finally:
        for contestant in contestants:
            contestant.close()


def _claimed(store: str) -> list[str]:
    """Return what may not depend on the number of rows; a clean-up of PostgreSQL reads its table once."""
    return [call for call in CALLS if store == "SQLite" or call != f"sweep {SWEPT} expired"]


def _label(store: str, rows: int) -> str:
    return f"{store}, {rows:,} sessions"


def _group(store: str, call: str, samples: dict[str, Samples], rows: int) -> Group:
    names = [f"{_label(store, number)}: {call}" for number in (FEW, rows)]
    return sampled(
        f"{store}: {call}", samples, [(names[0], "base"), (names[1], "us")], base=names[0], clock="wall"
    )


def _claim(store: str, call: str, samples: dict[str, Samples], rows: int) -> Claim:
    names = [f"{_label(store, number)}: {call}" for number in (rows, FEW)]
    return Claim(
        f"{store}: {call} among {rows:,} / among {FEW:,}", CALLS[call], ratio(samples, *names, "wall")
    )


def _sizes(uri: str) -> Group:
    """Return what a session takes, in its table and in each index."""
    with psycopg.connect(uri) as connection:
        count = connection.execute("SELECT count(*) FROM session_info").fetchone()
        parts = connection.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE oid = 'session_info'::regclass "
            "UNION ALL SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index "
            "WHERE indrelid = 'session_info'::regclass ORDER BY 1"
        ).fetchall()
    assert count is not None
    rows = [Row(name, size / count[0], owner="us", extra={"MB": size / 1e6}) for name, size in parts]
    return Group("PostgreSQL: what a session takes", "bytes", rows, chart=False)


def _pages(few: str, many: str, rows: int) -> Group:
    """Return what statements read and write among few and many: the load of the machine is not in it."""
    base, mine = pages.of_sessions(few, FEW), pages.of_sessions(many, rows)
    lines = [
        Row(name, mine[name], ratio=mine[name] / base[name], owner="us", extra={"among few": base[name]})
        for name in mine
    ]
    return Group(f"PostgreSQL: among {rows:,} sessions", "per call; ratio to few", lines, chart=False)
