"""Four processes on one PostgreSQL behind PgBouncer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from supertokens_py.doctor.database import check_database
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.storage.postgres import is_servers_own
from supertokens_py.engine.records import IssuedSession
from supertokens_py.engine.session_records import Lifetime, Limit, SessionFeatures
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.driver import Driver
from tests.engine.test_background import until
from tests.real.pooled_worker import ROLES, THREADS
from tests.support.clock import Clock
from tests.support.databases import Postgres, TestDatabase
from tests.support.pgbouncer import PgBouncer, pgbouncer
from tests.support.temporary_postgres import postgres

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 60

pytestmark = [pytest.mark.real, pytest.mark.postgres, pytest.mark.timeout(300)]


@pytest.fixture
def transactions(postgres_server: Postgres) -> Iterator[PgBouncer]:
    """One that lends a connection to the server for a transaction at a time."""
    with pgbouncer(postgres_server.server, pool_mode="transaction", default_pool_size=2) as started:
        yield started


def name_of(database: TestDatabase) -> str:
    return database.uri.rpartition("/")[2]


def run_workers(uri: str, *more: str) -> list[dict[str, Any]]:
    """Run the processes side by side; return what each of their threads has to tell."""
    command = [sys.executable, "-m", "tests.real.pooled_worker", uri]
    workers = [
        subprocess.Popen(
            [*command, role, str(ROUNDS), *more],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for role in ROLES
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        return [result for worker in workers for result in json.loads(worker.communicate()[0])]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


@pytest.mark.parametrize(
    ("mode", "size", "more"),
    [("transaction", 4, ()), ("transaction", 4, ("deceived",)), ("session", 40, ())],
)
def test_no_process_runs_the_statements_of_another(
    postgres_server: Postgres, fresh_postgres_database: TestDatabase, mode: str, size: int, more: tuple[str]
):
    """Nothing fails, and exactly those sessions are there at the end that nobody ended.

    Not even where the pooler looks like the server itself: then what was prepared is not found.
    """
    with pgbouncer(postgres_server.server, pool_mode=mode, default_pool_size=size) as started:
        results = run_workers(started.uri(name_of(fresh_postgres_database)) + "?prepare_threshold=1", *more)
    assert [failure for result in results for failure in result["failures"]] == []
    assert len(results) == len(ROLES) * THREADS
    rows = fresh_postgres_database.query("SELECT session_handle FROM session_info")
    assert sorted(handle for (handle,) in rows) == sorted(result["kept"] for result in results)


def test_nothing_depends_on_the_state_of_a_connection(
    postgres_server: Postgres, fresh_postgres_database: TestDatabase
):
    """The pooler discards all of it after each transaction: settings, locks, statements."""
    forgetful = {"server_reset_query": "DISCARD ALL", "server_reset_query_always": 1}
    with pgbouncer(
        postgres_server.server, pool_mode="transaction", default_pool_size=4, **forgetful
    ) as started:
        results = run_workers(started.uri(name_of(fresh_postgres_database)))
    assert [failure for result in results for failure in result["failures"]] == []
    rows = fresh_postgres_database.query("SELECT session_handle FROM session_info")
    assert sorted(handle for (handle,) in rows) == sorted(result["kept"] for result in results)


def test_a_server_that_crashes_behind_a_pooler(clock: Clock):
    """The pooler keeps clients waiting; they do not, and go on once the server is there again."""
    pooling = {"pool_mode": "transaction", "server_login_retry": 1}
    with postgres(synchronous_commit="on") as server, pgbouncer(server, **pooling) as pooler:
        core = Driver(pooler.uri("postgres"), now_ms=clock, pool_timeout=1)
        session = core.create()
        server.crash()
        with pytest.raises(EngineUnavailableError):
            core.refresh(session)
        clock.advance(minutes=10)
        server.start()
        assert until(lambda: answered(core, session))
        core.close()


def answered(core: Driver, session: IssuedSession) -> bool:
    """Return whether a refresh was answered, which must not be a refusal."""
    try:
        assert core.refresh(session).handle == session.handle
    except EngineUnavailableError:
        return False
    return True


def test_a_pooler_is_recognised(transactions: PgBouncer, fresh_postgres_database: TestDatabase):
    """It greets with a process id of its own."""
    for uri, own in (
        (fresh_postgres_database.uri, True),
        (transactions.uri(name_of(fresh_postgres_database)), False),
    ):
        with psycopg.connect(uri) as connection:
            assert is_servers_own(connection) is own


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        ("transaction", "there is one in between (transaction mode); it "),
        ("session", "there is one in between (session mode, or with much to do); it "),
    ],
)
def test_the_doctor_sees_a_pooler(
    postgres_server: Postgres, fresh_postgres_database: TestDatabase, mode: str, told: str
):
    """It works through it, tells what it is, and leaves nothing behind on its connections to the server."""
    settings = EngineConfig().resolve({})
    with pgbouncer(postgres_server.server, pool_mode=mode, default_pool_size=2) as started:
        uri = started.uri(name_of(fresh_postgres_database))
        findings = check_database(uri, settings)
        with psycopg.connect(uri, autocommit=True) as connection:
            names = [name for (name,) in connection.execute("SELECT name FROM pg_prepared_statements")]
            assert [name for name in names if name.startswith("supertokens")] == []
            assert connection.execute("SHOW default_transaction_read_only").fetchone() == ("off",)
    assert [finding for finding in findings if finding.level == "error"] == []
    (pooler,) = (finding for finding in findings if finding.topic == "pooler")
    assert pooler.text.startswith(told)
    assert pooler.text.endswith(
        f"{'tracks' if names else 'does not track'} prepared statements, and gets none"
    )


def test_a_first_start_through_a_pooler(transactions: PgBouncer, empty_postgres_database: TestDatabase):
    """The schema is made, and a lock that keeps others out of it ends with its transaction."""
    core = Driver(transactions.uri(name_of(empty_postgres_database)))
    session = core.create()
    assert core.refresh(session).handle == session.handle
    core.close()
    assert empty_postgres_database.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [
        (0,)
    ]


def test_limits_and_lifetimes_through_a_pooler(
    transactions: PgBouncer, fresh_postgres_database: TestDatabase
):
    """Sixteen sign-ins at once keep to a limit of three: its lock ends with the transaction that took it."""
    features = SessionFeatures(details=True)
    limit = Limit(max_sessions=3, when_reached="end_oldest")
    lifetime = Lifetime(idle_ms=3_600_000, absolute_ms=86_400_000)
    uri = transactions.uri(name_of(fresh_postgres_database))
    core = Driver(uri, features=features, prepare_threshold=None)
    core.keys.jwks()
    with ThreadPoolExecutor(16) as threads:
        made = list(
            threads.map(lambda _: core.create("me", limit=limit, lifetime=lifetime), range(16), timeout=60)
        )
    live = {one.handle for one in core.sessions.listed("me", tenant_id=None)}
    assert len(live) == 3
    assert {one.handle for one in made} - live == {handle for one in made for handle in one.ended}
    for session in (one for one in made if one.handle in live):
        refreshed = core.refresh(session)
        assert refreshed.refresh_token.expires_ms <= core.settings.now_ms() + 3_600_000
    core.close()
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    assert fresh_postgres_database.query(held) == [(0,)]


def test_a_pooler_that_allows_no_transactions(
    postgres_server: Postgres, fresh_postgres_database: TestDatabase
):
    """The message says which setting of the pooler it takes."""
    with pgbouncer(postgres_server.server, pool_mode="statement") as started:
        core = Driver(started.uri(name_of(fresh_postgres_database)))
        with pytest.raises(
            EngineUnavailableError, match="let the pooler use pool_mode=transaction or session"
        ):
            core.metadata.merge("user", {"a": 1})
        core.close()
