"""Two processes on one database, also behind PgBouncer: what one revokes, the other refuses."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from supertokens_py.doctor.database import check_database
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.background import Pace
from supertokens_py.engine.session_records import SessionFeatures
from tests.engine.conftest import POSTGRES, SQLITE
from tests.engine.driver import Driver
from tests.engine.test_background import until
from tests.support.databases import Postgres, Sqlite, TestDatabase
from tests.support.pgbouncer import PgBouncer, pgbouncer

ROOT = Path(__file__).resolve().parents[2]
ON = SessionFeatures(revocations=True)

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]


@pytest.fixture
def transactions(postgres_server: Postgres) -> Iterator[PgBouncer]:
    """A pooler that lends a connection to the server for a transaction at a time."""
    with pgbouncer(postgres_server.server, pool_mode="transaction", default_pool_size=4) as started:
        yield started


#: Seconds after which no process accepts a session that another has revoked.
BOUND_S = 5


def refused(uri: str, *more: str) -> list[str]:
    """Return what another process says of three sessions that this one revokes, each in time."""
    core = Driver(uri, features=ON)
    core.create()
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.real.refusing_worker", uri, *more],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    said: list[str] = []
    try:
        for _ in range(3):
            session = core.create()
            worker.stdin.write(f"{session.access_token.text}\n")
            worker.stdin.flush()
            assert worker.stdout.readline() == "accepted\n"
            assert core.engine.sessions.revoke([session.handle]) == [session.handle]
            revoked_s = time.monotonic()
            said.append(worker.stdout.readline().strip())
            assert time.monotonic() - revoked_s <= BOUND_S
    finally:
        worker.kill()
        worker.communicate()
        core.close()
    return said


@pytest.mark.parametrize("kind", [SQLITE, POSTGRES])
def test_two_processes(kind: str, request: pytest.FixtureRequest, sqlite_files: Sqlite) -> None:
    """CP-16."""
    name = "fresh_postgres_database"
    uri = sqlite_files.create().uri if kind == "sqlite-file" else request.getfixturevalue(name).uri
    assert refused(uri) == ["session_revoked"] * 3


@pytest.mark.postgres
@pytest.mark.parametrize("is_direct", [False, True], ids=["pooler only", "listen_uri"])
def test_two_processes_behind_a_pooler(
    transactions: PgBouncer, fresh_postgres_database: TestDatabase, is_direct: bool
) -> None:
    """CP-16: by reading every second, or by word over a connection to the server itself."""
    pooled = transactions.uri(fresh_postgres_database.uri.rpartition("/")[2])
    more = [fresh_postgres_database.uri] if is_direct else []
    assert refused(pooled, *more) == ["session_revoked"] * 3


@pytest.mark.postgres
def test_the_doctor_says_whether_word_arrives(
    transactions: PgBouncer, fresh_postgres_database: TestDatabase
) -> None:
    """Where the table is there: through the pooler alone, or beside it."""
    pooled = transactions.uri(fresh_postgres_database.uri.rpartition("/")[2])

    def said(listen_uri: str | None = None) -> list[tuple[str, str]]:
        found = check_database(pooled, EngineConfig(listen_uri=listen_uri).resolve({}))
        return [(one.level, one.text) for one in found if "revoked" in one.text]

    assert said() == []
    core = Driver(pooled, features=ON)
    core.create()
    core.close()
    assert said() == [("note", "revoked sessions are seen every second only: a pooler tells nobody of them")]
    assert said(fresh_postgres_database.uri) == [
        ("ok", "revoked sessions are heard of beside it, by listen_uri")
    ]


@pytest.mark.postgres
def test_word_arrives_beside_a_pooler_only(
    transactions: PgBouncer, fresh_postgres_database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a direct connection one warning says what to set; with it, nothing has to be read for long."""
    pooled = transactions.uri(fresh_postgres_database.uri.rpartition("/")[2])
    one = Driver(pooled, features=ON)
    deaf = Driver(pooled, features=ON, pace=Pace(poll_s=0.01, listen_again_s=0.01))
    told = Driver(
        pooled, features=ON, pace=Pace(poll_s=3600, gather_s=0), listen_uri=fresh_postgres_database.uri
    )
    try:
        handle = one.create().handle
        assert deaf.engine.revocations is not None
        assert told.engine.revocations is not None
        assert deaf.engine.revocations.catch_up()
        assert told.engine.revocations.catch_up()
        one.engine.sessions.revoke([handle])
        for core in (deaf, told):
            revoked = core.engine.revocations.revoked
            assert until(lambda revoked=revoked: handle in revoked.handles)
        assert until(lambda: "is a pooler" in caplog.text)
        warnings = [record.message for record in caplog.records if record.levelname == "WARNING"]
        assert len(warnings) == 1
        assert warnings[0].endswith("Set EngineConfig(listen_uri=...) to a direct connection for less")
        listening = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = %s"
        name = fresh_postgres_database.uri.rpartition("/")[2]
        assert fresh_postgres_database.query(listening, name) == [(1,)]
    finally:
        for core in (one, deaf, told):
            core.close()
