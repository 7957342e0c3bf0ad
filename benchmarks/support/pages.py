"""What a statement reads and writes in PostgreSQL: figures that do not depend on the load of the machine."""

from __future__ import annotations

import random
import re
import statistics
from collections.abc import Mapping, Sequence

import psycopg

#: The statement of a refresh without its conditions; the names in braces are for values.
REFRESH = (
    "UPDATE {table} SET prev_refresh_token_hash_2 = refresh_token_hash_2, "
    "refresh_token_hash_2 = md5(random()::text) || md5(session_handle), refresh_token_rotated_at = {now}, "
    "expires_at = {now} + 8640000000 WHERE app_id = 'public' AND tenant_id = 'public' AND {which}"
)
VERIFY = (
    "SELECT refresh_token_hash_2, expires_at, jwt_user_payload FROM {table} "
    "WHERE app_id = 'public' AND tenant_id = 'public' AND {which}"
)
LIST = (
    "SELECT session_handle FROM {table} WHERE app_id = 'public' AND user_id = %s AND expires_at >= 1 "
    "ORDER BY created_at_time"
)
ONE = "session_handle = %s"
NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


def explained(
    connection: psycopg.Connection, statement: str, values: Sequence[object]
) -> tuple[float, float]:
    """Return medians over `values`: pages touched, and milliseconds of planning and running."""
    pages, times = [], []
    for value in list(values) * (1 + 100 // len(values)):
        plan = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, SUMMARY) {statement}", (value,)).fetchall()
        text = "\n".join(row[0] for row in plan)
        first = re.search(r"Buffers: shared ([^\n]*)", text)
        assert first is not None
        pages.append(sum(int(n) for _, n in re.findall(r"(hit|read)=(\d+)", first[1])))
        times.append(sum(float(one) for one in re.findall(r"(?:Planning|Execution) Time: ([\d.]+)", text)))
    return statistics.median(pages), statistics.median(times)


def of_sessions(uri: str, rows: int) -> Mapping[str, float]:
    """Return pages per call among `rows` sessions, and bytes of log per refresh."""
    with psycopg.connect(uri, autocommit=True) as connection:
        share = min(100, 100 * 2000 / rows)
        found = connection.execute(
            f"SELECT session_handle, user_id FROM session_info TABLESAMPLE BERNOULLI ({share:f}) "
            "WHERE user_id <> 'user-1' LIMIT 600"
        ).fetchall()
        random.Random(1).shuffle(found)
        handles, users = [row[0] for row in found], [row[1] for row in found[:50]]
        # Each refresh moves the times; setting those that are there would leave the index of expiry alone.
        values = {"table": "session_info", "now": NOW, "which": ONE}
        figures = {
            "pages: verify with database": explained(connection, VERIFY.format(**values), handles[:100])[0],
            "pages: refresh": explained(connection, REFRESH.format(**values), handles[:100])[0],
            "pages: list 200 of a user": explained(connection, LIST.format(**values), users)[0],
        }
        for when in ("after a checkpoint", "again", "after a checkpoint, wal_compression=on"):
            if when != "again":
                connection.execute(f"SET wal_compression = {'on' if 'on' in when.split('=') else 'off'}")
                connection.execute("CHECKPOINT")
            before = _log(connection)
            for handle in handles[100:]:
                connection.execute(REFRESH.format(**values), (handle,))
            figures[f"bytes of log: refresh {when}"] = (_log(connection) - before) / len(handles[100:])
        return figures


def _log(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
    assert row is not None
    return int(row[0])
