"""An operator may divide the sessions of a PostgreSQL database into partitions: every statement goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from supertokens_py.engine.embedded import cleanup
from supertokens_py.engine.embedded.cleanup import Cleaner
from supertokens_py.engine.embedded.storage import page_ranges
from supertokens_py.engine.records import IssuedSession
from supertokens_py.engine.session_records import SessionFeatures
from tests.engine.conftest import Opener
from tests.engine.test_keys import wait_until
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

pytestmark = pytest.mark.postgres

_DIVIDED = (
    "ALTER TABLE session_info RENAME TO undivided",
    "CREATE TABLE session_info (LIKE undivided INCLUDING DEFAULTS) PARTITION BY {by}",
    "{parts}",
    "INSERT INTO session_info SELECT * FROM undivided",
    "DROP TABLE undivided",
    "ALTER TABLE session_info ADD PRIMARY KEY (app_id, tenant_id, session_handle)",
    "ALTER TABLE session_info ADD FOREIGN KEY (app_id, tenant_id) REFERENCES tenants ON DELETE CASCADE",
    "CREATE INDEX session_expiry_index ON session_info (expires_at)",
    "CREATE INDEX session_info_user_id_app_id_index ON session_info (user_id, app_id)",
)
_BY_HASH = (
    "HASH (session_handle)",
    "; ".join(
        f"CREATE TABLE sessions_{n} PARTITION OF session_info FOR VALUES WITH (MODULUS 4, REMAINDER {n})"
        for n in range(4)
    ),
)
_BY_TENANT = (
    "LIST (tenant_id)",
    "CREATE TABLE sessions_a PARTITION OF session_info FOR VALUES IN ('public'); "
    "CREATE TABLE sessions_b PARTITION OF session_info DEFAULT",
)


@pytest.mark.parametrize(("by", "parts"), [_BY_HASH, _BY_TENANT], ids=["hash", "tenant"])
def test_divided_sessions(
    by: str, parts: str, fresh_postgres_database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Those from before go on; new ones are created, refreshed, listed, revoked and swept."""
    uri = fresh_postgres_database.uri
    before = start(uri, now_ms=clock)
    before.tenants.put("t1", {})
    old = [before.create("old", tenant_id=tenant_id) for tenant_id in ("public", "t1")]
    before.close()
    with psycopg.connect(uri, autocommit=True) as connection:
        for statement in _DIVIDED:
            connection.execute(statement.format(by=by, parts=parts).encode())
    driver = start(uri, now_ms=clock, features=SessionFeatures(details=True))
    new = [driver.create("new", tenant_id=tenant_id) for tenant_id in ("public", "t1") * 4]
    clock.advance(s=60)
    refreshed = [driver.refresh(one) for one in (*old, *new)]
    assert all(isinstance(one, IssuedSession) for one in refreshed)
    assert len({one.handle for one in driver.sessions.listed("new", tenant_id=None)}) == 8
    assert driver.sessions.revoke([one.handle for one in new[:3]]) == [one.handle for one in new[:3]]
    assert len(driver.sessions.revoke_user("new", tenant_id="t1")) == 3
    with psycopg.connect(uri) as connection:
        connection.execute("UPDATE session_info SET expires_at = 1")
    assert driver.clean_up().sessions == 4


_NAMED = "SELECT indexname FROM pg_indexes WHERE tablename = 'session_info' ORDER BY 1"
_EXPIRY_INDEX = "CREATE INDEX session_expiry_index ON session_info (expires_at)"


def test_a_refresh_writes_to_no_index(
    empty_postgres_database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Our own table has no index of expiry, which an official core makes, and room on its pages."""
    database = empty_postgres_database  # other tests fill pages, and are counted
    counted = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'session_info'"
    driver = start(database.uri, now_ms=clock)
    session = driver.create()
    for _ in range(5):
        clock.advance(minutes=5)
        session = driver.refresh(session)
    assert database.query(_NAMED) == [("session_info_pkey",), ("session_info_user_id_app_id_index",)]
    assert database.query("SELECT reloptions FROM pg_class WHERE relname = 'session_info'") == [
        (["fillfactor=90"],)
    ]
    driver.close()  # a process tells its counts at its end
    wait_until(lambda: database.query(counted) == [(5, 5)])


@pytest.mark.parametrize("indexed", [True, False])
@pytest.mark.parametrize("details", [True, False])
def test_a_clean_up_finds_all_that_has_expired(
    fresh_postgres_database: TestDatabase,
    start: Opener,
    monkeypatch: pytest.MonkeyPatch,
    indexed: bool,
    details: bool,
) -> None:
    """By the index of expiry, where a core or an operator made it; else in one pass over the pages."""
    monkeypatch.setattr(page_ranges, "PAGES", 1)
    monkeypatch.setattr(cleanup, "BATCH", 4)
    driver = start(fresh_postgres_database.uri, features=SessionFeatures(details=details))
    seen: list[str] = []
    with psycopg.connect(fresh_postgres_database.uri, autocommit=True) as connection:
        for number in range(40):  # on at least four pages
            driver.create(f"user-{number % 4}", payload={"a": "x" * 1000})
        if indexed:
            connection.execute(_EXPIRY_INDEX)
        connection.execute("UPDATE session_info SET expires_at = 1 WHERE user_id <> 'user-0'")
        monkeypatch.setattr(Cleaner, "end_in", _noting(seen, Cleaner.end_in))
        assert driver.clean_up().sessions == 30
        left = "SELECT user_id, count(*) FROM session_info GROUP BY 1"
        assert connection.execute(left).fetchall() == [("user-0", 10)]
    per_pass = 1 + details
    assert (seen == ["everywhere"] * per_pass) if indexed else (len(seen) >= 4 * per_pass)
    assert driver.clean_up().sessions == 0


def test_a_server_that_reads_no_ranges_is_swept_at_once(
    fresh_postgres_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL before 14 would read the whole table for each range."""
    monkeypatch.setattr(page_ranges, "_READS_RANGES", (10**9,))
    driver = start(fresh_postgres_database.uri)
    driver.create()
    fresh_postgres_database.query("UPDATE session_info SET expires_at = 1")
    seen: list[str] = []
    monkeypatch.setattr(Cleaner, "end_in", _noting(seen, Cleaner.end_in))
    assert (driver.clean_up().sessions, seen) == (1, ["everywhere"])


def test_a_clean_up_of_tables_with_names_of_their_own(
    fresh_postgres_database: TestDatabase, start: Opener
) -> None:
    """A prefix, and a schema that must be quoted."""
    driver = start(fresh_postgres_database.uri, table_schema="order", table_prefix="my_")
    driver.create()
    driver.create("other")
    table = '"order".my_session_info'
    fresh_postgres_database.query(f"UPDATE {table} SET expires_at = 1 WHERE user_id = 'other'")
    assert driver.clean_up().sessions == 1
    fresh_postgres_database.query(f"CREATE INDEX ON {table} (expires_at)")
    fresh_postgres_database.query(f"UPDATE {table} SET expires_at = 1")
    assert driver.clean_up().sessions == 1


def _noting(seen: list[str], call: Callable[..., int]) -> Callable[..., int]:
    """Note where each pass looks."""

    def noting(self: Cleaner, statement: Any, values: Any, ending: Any) -> int:
        seen.append(values.get("first", "everywhere"))
        return call(self, statement, values, ending)

    return noting
