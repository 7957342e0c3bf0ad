"""Several servers in one URI, and a server that falls silent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from supertokens_py.engine.embedded.storage import hosts
from supertokens_py.engine.embedded.storage.errors import UnknownOutcomeError
from supertokens_py.engine.embedded.storage.hosts import Connector, PatientConnection, hosts_of
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.conftest import Opener
from tests.support.clock import Clock
from tests.support.databases import Postgres, TestDatabase
from tests.support.freezing_relay import FreezingRelay, freezing_relay

THREE = {"host": "a,b,c", "port": "1,2,3"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (THREE, [("a", "1"), ("b", "2"), ("c", "3")]),
        ({"host": "a,b"}, [("a", ""), ("b", "")]),
        ({"host": "a,b", "port": "7"}, [("a", "7"), ("b", "7")]),
        ({"host": "a", "port": 7}, [("a", "7")]),
        ({"host": "a,b,c", "port": "1,2"}, []),
        ({"host": "a,b", "hostaddr": "10.0.0.1,10.0.0.2"}, []),
        ({"host": "a,b", "load_balance_hosts": "random"}, []),
        ({}, [("", "")]),
    ],
)
def test_which_servers_there_are(options: dict[str, Any], expected: list[tuple[str, str]]):
    """Where libpq finds or orders them itself, that is left to it."""
    assert hosts_of(options) == expected


class Servers:
    """Stands for the driver: tells who was asked, and answers as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.failures: dict[str, psycopg.Error] = {}
        monkeypatch.setattr(PatientConnection, "connect", self._connect)
        self.connector = Connector(patience_s=5, on_silence=lambda: None)

    def _connect(self, **options: Any) -> Any:
        self.asked.append(options["host"])
        if options["host"] in self.failures:
            raise self.failures[options["host"]]
        return type("Connection", (), {})()

    def connect(self) -> list[str]:
        """Connect; return who was asked for it."""
        self.asked.clear()
        self.connector.connect([], THREE)
        return list(self.asked)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    return Servers(monkeypatch)


def test_the_server_that_served_last_is_asked_first(servers: Servers):
    servers.failures["a"] = psycopg.OperationalError("session is read-only")
    assert servers.connect() == ["a", "b"]
    assert servers.connect() == ["b"]
    servers.failures = {"b": psycopg.OperationalError("Connection refused")}
    assert servers.connect() == ["b", "a"]
    assert servers.connect() == ["a"]


def test_a_silent_server_is_passed_over_for_a_while(servers: Servers, monkeypatch: pytest.MonkeyPatch):
    """As each try costs the whole time-out; not where all of them are silent."""
    now = 1024.0
    monkeypatch.setattr(hosts.time, "monotonic", lambda: now)
    servers.failures["a"] = psycopg.errors.ConnectionTimeout("connection timeout expired")
    assert servers.connect() == ["a", "b"]
    servers.failures["b"] = psycopg.OperationalError("Connection refused")
    assert servers.connect() == ["b", "c"]
    now += hosts.SILENT_FOR_S
    servers.failures["c"] = servers.failures["b"] = servers.failures["a"]
    with pytest.raises(psycopg.errors.ConnectionTimeout):
        servers.connect()
    assert servers.asked == ["c", "b", "a"]
    with pytest.raises(psycopg.errors.ConnectionTimeout) as raised:
        servers.connect()
    assert servers.asked == ["c", "a", "b"]
    assert str(raised.value) == (
        "c:3: connection timeout expired; a:1: connection timeout expired; b:2: connection timeout expired"
    )


@pytest.fixture
def relay(postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[FreezingRelay]:
    """In front of the server; whoever waits for an answer soon asks whether there is a server."""
    monkeypatch.setattr(hosts, "MIN_PATIENCE_S", 0.1)
    with freezing_relay(postgres_server.server.port) as relay:
        yield relay


def through(relay: FreezingRelay, database: TestDatabase) -> str:
    return f"postgresql://postgres@127.0.0.1:{relay.port}/{database.uri.rpartition('/')[2]}"


@pytest.mark.postgres
def test_a_server_that_falls_silent(
    postgres_database: TestDatabase, relay: FreezingRelay, start: Opener, clock: Clock
):
    """The wait ends, other connections are replaced, and the lost answer ends no session, however late."""
    core = start(through(relay, postgres_database), pool_timeout=0.1, now_ms=clock)
    session = core.create()
    pool = core.database.pool
    held = [pool.raw_connection() for _ in range(2)]
    for connection in held:
        connection.close()
    relay.freeze()
    with pytest.raises(UnknownOutcomeError, match="check that the server runs"):
        core.refresh(session)
    with pytest.raises(EngineUnavailableError) as raised:
        core.refresh(session)
    assert type(raised.value) is EngineUnavailableError  # nothing was sent
    relay.thaw()
    assert core.row(session.handle)["prev_refresh_token_hash_2"] is not None  # it had been done
    core.sessions.lost_answers.flush()
    clock.advance(minutes=10)
    refreshed = core.refresh(session)
    assert refreshed.handle == session.handle
    assert refreshed.refresh_token.text != session.refresh_token.text


@pytest.mark.postgres
def test_a_server_without_room_for_the_question_is_there(
    postgres_server: Postgres, postgres_database: TestDatabase, relay: FreezingRelay, start: Opener
):
    """It says so itself."""
    postgres_server.execute("CREATE ROLE alone SUPERUSER LOGIN")
    try:
        uri = through(relay, postgres_database).replace("postgres@", "alone@")
        core = start(uri, pool_timeout=0.1, pool_size=1)
        core.database.prepare()
        postgres_server.execute("ALTER ROLE alone NOSUPERUSER CONNECTION LIMIT 1")
        sleep = "SELECT current_user FROM pg_sleep(0.3)"
        assert core.database.read(lambda c: c.exec_driver_sql(sleep).scalar()) == "alone"
        core.close()
    finally:
        postgres_server.execute("DROP ROLE alone")


@pytest.mark.postgres
def test_a_statement_that_takes_long(postgres_database: TestDatabase, relay: FreezingRelay, start: Opener):
    """A server that answers others is waited for."""
    core = start(through(relay, postgres_database), pool_timeout=0.1)
    assert core.database.read(lambda c: c.exec_driver_sql("SELECT 1 FROM pg_sleep(0.5)").scalar()) == 1
