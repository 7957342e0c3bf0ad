"""Create, refresh, verify, list, revoke and sweep among very many sessions, 200 of each user."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from typing import Any

from apps import sdk
from contestants.stores import sync_cases

PER_USER = 200
SWEPT = 500
#: How many sessions are in use at most; they lie anywhere among the others.
OWN = 2000
_COLUMNS = (
    "app_id, tenant_id, session_handle, user_id, refresh_token_hash_2, session_data, expires_at, "
    "created_at_time, jwt_user_payload, use_static_key"
)
_PAYLOAD = (
    '{"iss":"https://api.example.com/auth","2fa":{"v":true,"t":4000000000000},'
    '"plan":{"v":"pro","t":4000000000000}}'
)
_POSTGRES_ROWS = (
    "SELECT 'public', 'public', gen_random_uuid()::text, %(user)s || (i / %(per_user)s + 1), "
    "md5(i::text) || md5((i + 1)::text), '{}', %(expires)s + i, %(now)s, %(payload)s, false "
    "FROM generate_series(0, %(last)s) i"
)
_SQLITE_ROWS = (
    "WITH RECURSIVE numbers(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < :last) "
    "SELECT 'public', 'public', lower(hex(randomblob(18))), :user || (i / :per_user + 1), "
    "lower(hex(randomblob(32))), '{}', :expires + i, :now, :payload, 0 FROM numbers"
)


def cases(uri: str, label: str, rows: str) -> dict[str, Any]:
    """The blocking calls among `rows` sessions, some of which are this process's own."""
    # Sessions are refreshed faster than a grace period here; without one, each refresh is a rotation.
    sdk.start(sdk.OURS, "flask", uri=uri, refresh_token_rotation_grace_period=0, clean_up_interval=0)
    api = sdk.module(sdk.OURS, "recipe.session.syncio")
    own = min(OWN, int(rows) // 2)
    pool = []
    for _ in range(own):
        made = api.create_new_session_without_request_response("public", "user-1", dict(sdk.CLAIMS))
        pool.append(made.get_all_session_tokens_dangerously())
    fill(uri, int(rows) - own)
    found = {name.removesuffix(", sync"): case for name, case in sync_cases(sdk.OURS, api, pool).items()}
    users = max(1, (int(rows) - own) // PER_USER)
    found |= _user_cases(api, uri, users) | {f"sweep {SWEPT} expired": _sweeping(uri)}
    return {f"{label}: {name}": case for name, case in found.items()}


def _user_cases(api: Any, uri: str, users: int) -> dict[str, Any]:
    def listing(n: int) -> Callable[[], None]:
        def run() -> None:
            for i in range(n):  # users from everywhere, each for the first time in a long while
                user = f"user-{i * 7919 % users + 1}"
                assert len(api.get_all_session_handles_for_user(user)) >= PER_USER

        return run

    def revoking(n: int) -> Callable[[], None]:
        insert(uri, n * PER_USER, user="leaving-")

        def run() -> None:
            for i in range(n):
                assert len(api.revoke_all_sessions_for_user(f"leaving-{i + 1}")) == PER_USER

        return run

    return {f"list {PER_USER} of a user": listing, f"revoke {PER_USER} of a user": revoking}


def _sweeping(uri: str) -> Callable[[int], Callable[[], None]]:
    engine = sdk.module(sdk.OURS, "").Supertokens.get_instance().engine

    def sweeping(n: int) -> Callable[[], None]:
        insert(uri, n * SWEPT, user="gone-", lasts_ms=-10 * n * SWEPT)

        def run() -> None:
            assert engine.clean_up().sessions == n * SWEPT

        return run

    return sweeping


def insert(uri: str, rows: int, *, user: str, lasts_ms: int = 10**9) -> None:
    """Insert sessions of users whose names begin with `user`, 200 of each."""
    values = _values(rows, user, lasts_ms)
    if uri.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA cache_size=-500000")
            connection.execute(f"INSERT INTO session_info ({_COLUMNS}) {_SQLITE_ROWS}", values)
            connection.commit()
        return
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute(f"INSERT INTO session_info ({_COLUMNS}) {_POSTGRES_ROWS}", values)


def _values(rows: int, user: str, lasts_ms: int) -> dict[str, Any]:
    now = int(time.time() * 1000)
    return {
        "last": rows - 1,
        "user": user,
        "per_user": PER_USER,
        "expires": now + lasts_ms,
        "now": now,
        "payload": _PAYLOAD,
    }


def fill(uri: str, rows: int) -> None:
    """Insert `rows` sessions, with those that are there anywhere among them, and renew the statistics."""
    if uri.startswith("sqlite"):
        insert(uri, rows, user="user-")
        with contextlib.closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as connection:
            connection.execute("ANALYZE")
        return
    import psycopg

    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET work_mem = '1GB'")
        connection.execute("SET session_replication_role = replica")  # each row would look up its tenant
        connection.execute("CREATE TEMP TABLE own AS SELECT * FROM session_info")
        with _without_indexes(connection):
            connection.execute("TRUNCATE session_info")
            connection.execute(
                f"INSERT INTO session_info ({_COLUMNS}) SELECT * FROM ({_POSTGRES_ROWS} "
                f"UNION ALL SELECT {_COLUMNS} FROM own) every ORDER BY 3",
                _values(rows, "user-", 10**9),
            )
        connection.execute("VACUUM ANALYZE session_info")
        connection.execute("CHECKPOINT")


@contextlib.contextmanager
def _without_indexes(connection: Any) -> Iterator[None]:
    """Make the indexes of the sessions anew after the rows, which takes a tenth of the time."""
    key = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = 'session_info'::regclass AND contype = 'p'"
    ).fetchone()
    connection.execute(f"ALTER TABLE session_info DROP CONSTRAINT {key[0]}")
    others = connection.execute(
        "SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid = 'session_info'::regclass"
    ).fetchall()
    for name, _ in others:
        connection.execute(f"DROP INDEX {name}")
    yield
    connection.execute(f"ALTER TABLE session_info ADD CONSTRAINT {key[0]} {key[1]}")
    for _, statement in others:
        connection.execute(statement)
