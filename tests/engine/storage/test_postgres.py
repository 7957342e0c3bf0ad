"""What connections to PostgreSQL are opened with, and what happens when one leads to the wrong place."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Any

import psycopg
import pytest

from supertokens_py.engine.embedded.importing.source import open_source
from supertokens_py.engine.embedded.storage import admission, postgres
from supertokens_py.engine.embedded.storage.admission import Slots
from supertokens_py.engine.embedded.storage.url import locate
from supertokens_py.engine.postgres_uri import MISSING_DRIVER
from supertokens_py.engine.records import Verified
from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.engine.storage.test_database import together
from tests.engine.test_keys import wait_until
from tests.support.clock import Stopwatch
from tests.support.databases import Postgres, TestDatabase

pytestmark = pytest.mark.postgres


def arguments(options: str = "", **environ: str) -> dict[str, str | None]:
    location = locate(f"postgresql://me@db.internal/shop{options}")
    return postgres.connect_arguments(location, environ, patience_s=5)


def test_what_every_connection_is_opened_with():
    """Nothing is prepared on the server, text is UTF-8, and only a server that may be written to will do."""
    assert arguments() == {
        "connect_timeout": "5",
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "30000",
        "application_name": "supertokens_py",
        "target_session_attrs": "read-write",
        "client_encoding": "utf8",
        "prepare_threshold": None,
    }


@pytest.mark.parametrize(
    ("options", "environ", "left_out"),
    [
        ("?target_session_attrs=any", {}, {"target_session_attrs"}),
        (
            "",
            {"PGTARGETSESSIONATTRS": "any", "PGAPPNAME": "shop"},
            {"target_session_attrs", "application_name"},
        ),
        ("?connect_timeout=1&keepalives_idle=5", {}, {"connect_timeout", "keepalives_idle"}),
        ("?client_encoding=latin1", {"PGCLIENTENCODING": "latin1"}, set()),
    ],
)
def test_what_is_given_elsewhere_wins(options: str, environ: dict[str, str], left_out: set[str]):
    """In the URI or in a variable that libpq reads; the encoding is ours all the same."""
    assert arguments().keys() - arguments(options, **environ).keys() == left_out


# Prepared statements


def prepared(core: Driver) -> list[str]:
    """Return the names of the statements that the server keeps prepared for the engine's connection."""
    names = "SELECT name FROM pg_prepared_statements ORDER BY name"
    return core.database.read(lambda c: [name for (name,) in c.exec_driver_sql(names)])


def use(core: Driver) -> None:
    session = core.create()
    for _ in range(8):
        core.verify(session)


@pytest.mark.parametrize(
    ("options", "settings"), [("", {}), ("", {"prepare_threshold": 2}), ("?prepare_threshold=2", {})]
)
def test_statements_are_prepared_for_a_server(
    postgres_database: TestDatabase, start: Opener, options: str, settings: dict[str, Any]
):
    """By default, by the setting or by the URI, on a connection that is the server's own."""
    core = start(postgres_database.uri + options, pool_size=1, **settings)
    use(core)
    assert len(prepared(core)) > 0


def test_no_other_client_prepares_under_the_same_names(postgres_database: TestDatabase, start: Opener):
    """Whoever shares a connection to the server through a pooler gets an error, not our statement."""
    cores = [start(postgres_database.uri, pool_size=1, prepare_threshold=1) for _ in range(2)]
    for core in cores:
        use(core)
    one, other = map(prepared, cores)
    assert set(one).isdisjoint({*other, *(f"_pg3_{number}" for number in range(100))})


def test_a_driver_that_names_statements_otherwise():
    """Nothing is prepared rather than under names that other clients may use."""
    assert not postgres.name_statements_uniquely(object())


def test_nothing_is_prepared_behind_a_pooler(
    postgres_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch
):
    """Not even on request: whether it tracks prepared statements cannot be seen of every pooler."""
    monkeypatch.setattr(postgres, "is_servers_own", lambda _: False)
    core = start(postgres_database.uri, pool_size=1, prepare_threshold=1)
    use(core)
    assert prepared(core) == []


@pytest.mark.parametrize("spelling", ["0", "none", "None"])
def test_the_uri_may_switch_it_off(postgres_database: TestDatabase, start: Opener, spelling: str):
    """It wins over the setting."""
    core = start(f"{postgres_database.uri}?prepare_threshold={spelling}", pool_size=1, prepare_threshold=1)
    use(core)
    assert prepared(core) == []


@pytest.mark.parametrize("value", ["-1", "often", "1.5"])
def test_a_threshold_that_is_no_number(start: Opener, value: str):
    """It is told when the engine is made, not at the first log-in."""
    with pytest.raises(ConfigError, match=r"prepare_threshold in connection_uri must be a whole number"):
        start(f"postgresql://me@db.internal/shop?prepare_threshold={value}")


def test_prepared_statements_that_were_mixed_up(
    postgres_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
):
    """A pooler that passes the server's greeting on looks like one: what fails is repeated, unprepared."""
    core = start(postgres_database.uri, pool_size=1, prepare_threshold=3)
    session = core.create()
    use(core)
    with closing(core.database.pool.raw_connection()) as connection:
        connection.dbapi_connection.pgconn.exec_(b"DEALLOCATE ALL")
    use(core)
    assert core.refresh(session).handle == session.handle
    assert prepared(core) == []
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "a pooler in between does not track prepared statements: set prepare_threshold to 0; "
        "all connections are replaced"
    ]


def test_a_column_that_was_altered(postgres_database: TestDatabase, start: Opener):
    """A migration gave it another type: prepared statements are made anew."""
    core = start(postgres_database.uri, pool_size=1, prepare_threshold=1)
    session = core.create()
    use(core)
    assert len(prepared(core)) > 0
    alter = "ALTER TABLE session_info ALTER COLUMN jwt_user_payload TYPE VARCHAR(65535)"
    postgres_database.query(alter)
    try:
        assert core.verify(session).payload == {}
        use(core)
        assert len(prepared(core)) > 0
    finally:
        postgres_database.query(alter.replace("VARCHAR(65535)", "TEXT"))


# Read-only connections


@pytest.mark.parametrize("call", ["create", "refresh", "metadata"])
def test_connections_that_became_read_only(postgres_database: TestDatabase, start: Opener, call: str):
    """As after a fail-over: the unit is repeated on a new one, and the others are not read from any more."""
    core = start(postgres_database.uri, pool_size=4)
    session = core.create()
    calls: dict[str, Any] = {
        "create": core.create,
        "refresh": lambda: core.refresh(session),
        "metadata": lambda: core.metadata.merge("u", {"a": 1}),
    }
    pool = core.database.pool
    held = [pool.raw_connection() for _ in range(4)]
    for connection in held:
        connection.dbapi_connection.execute("SET default_transaction_read_only = on")
        connection.close()
    calls[call]()
    held = [pool.raw_connection() for _ in range(4)]
    shown = [c.dbapi_connection.execute("SHOW default_transaction_read_only").fetchone() for c in held]
    for connection in held:
        connection.close()
    assert shown == [("off",)] * 4


# Encodings


@pytest.fixture
def encoded(request: pytest.FixtureRequest, postgres_server: Postgres) -> Iterator[str]:
    """The URI of a database in another encoding."""
    name = f"encoded_{request.param.lower()}"
    postgres_server.execute(
        f"CREATE DATABASE {name} ENCODING '{request.param}' LOCALE 'C' TEMPLATE template0"
    )
    yield postgres_server.server.database_uri(name)
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("encoded", ["SQL_ASCII"], indirect=True)
def test_a_database_without_an_encoding(encoded: str, start: Opener):
    """As initdb makes it where no locale is set: it keeps what it is given."""
    core = start(encoded)
    session = core.create("Łukasz 😀", data={"a": "Ł"})
    assert core.sessions.information(session.handle).user_id == "Łukasz 😀"
    assert core.refresh(session).handle == session.handle


@pytest.mark.parametrize("encoded", ["LATIN1"], indirect=True)
def test_a_character_that_the_database_cannot_store(encoded: str, start: Opener):
    """It is the text that cannot be stored; the database is fine."""
    core = start(encoded)
    assert core.create("Jürgen").user_id == "Jürgen"
    with pytest.raises(
        BadInputError, match=r"^the database cannot store a character .*LATIN1.*; its encoding is not UTF8$"
    ):
        core.create("Łukasz")
    with pytest.raises(BadInputError, match="LATIN1"):
        core.metadata.merge("Łukasz", {})


def test_an_error_of_the_driver_that_is_none_of_the_database(postgres_database: TestDatabase, start: Opener):
    """It is answered like one of the database; an error of a unit of work itself is not."""
    database = start(postgres_database.uri).database
    with pytest.raises(
        EngineUnavailableError, match=r"cannot use postgresql://.*: TypeError: .*; check that"
    ):
        database.read(lambda _: psycopg.sql.Identifier(5))
    with pytest.raises(TypeError, match="our own"):
        database.read(lambda _: (_ for _ in ()).throw(TypeError("our own")))
    with pytest.raises(BadInputError, match="no Unicode text"):
        database.read(lambda c: c.exec_driver_sql("SELECT %s", ("\ud800",)))


# A server without room


@pytest.fixture
def limited(postgres_database: TestDatabase) -> Iterator[str]:
    """The URI of a role that may open two connections."""
    postgres_database.query("CREATE ROLE limited LOGIN CONNECTION LIMIT 2")
    postgres_database.query("GRANT ALL ON ALL TABLES IN SCHEMA public TO limited")
    yield postgres_database.uri.replace("postgres@", "limited@")
    postgres_database.query("DROP OWNED BY limited")
    postgres_database.query("DROP ROLE limited")


def test_more_units_of_work_than_the_server_has_room_for(limited: str, start: Opener):
    """Each waits for one of the connections that are there."""
    core = start(limited, pool_size=10)
    session = core.create()
    results = together(24, lambda: [core.refresh(session).handle for _ in range(5)])
    assert results == [[session.handle] * 5] * 24


def test_no_connection_of_our_own_to_wait_for(limited: str, postgres_database: TestDatabase, start: Opener):
    """Others hold all of them: the message says what is short."""
    core = start(limited, pool_size=10)
    with (
        psycopg.connect(limited),
        psycopg.connect(limited),
        pytest.raises(
            EngineUnavailableError,
            match=r"too many connections for role.*lower pool_size .* or raise max_connections",
        ),
    ):
        core.create()
    left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'limited'"
    wait_until(lambda: postgres_database.query(left) == [(0,)])  # a server process ends after its client
    assert core.create().user_id == "user"


def test_connections_that_stay_busy_on_a_full_server(limited: str, start: Opener):
    """Waiting ends with pool_timeout, and the message says what is short."""
    core = start(limited, pool_size=10, pool_timeout=0.2)
    core.roles.add("admin", [])  # no user was active: the thread that writes it needs a connection, too
    entered, leave = threading.Barrier(3), threading.Event()

    def hold(_: Any) -> None:
        entered.wait(10)
        leave.wait(10)

    holders = [threading.Thread(target=core.database.read, args=(hold,)) for _ in range(2)]
    for holder in holders:
        holder.start()
    entered.wait(10)
    with pytest.raises(EngineUnavailableError, match=r"has room for 2 connections .* stayed busy for 0\.2 s"):
        core.roles.add("reader", [])
    leave.set()
    for holder in holders:
        holder.join()
    assert core.roles.add("reader", []) is True


def test_a_full_server_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch):
    """For a connection more than there was room for."""
    slots, now = Slots(0.001), Stopwatch()

    class Time:
        monotonic = staticmethod(now)

    monkeypatch.setattr(admission, "time", Time)
    assert slots.refused(1)
    with slots:
        with pytest.raises(EngineUnavailableError, match="has room for 1 connections"):
            slots.__enter__()
        now.advance(admission.FULL_FOR_S)
        with slots:
            assert not slots.refused(0)


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, start: Opener):
    """By an engine, and by an import from a database."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for opened in (start, partial(open_source, schema=None, prefix="")):
        with pytest.raises(ConfigError) as raised:
            opened("postgresql://db.internal/shop")
        assert str(raised.value) == MISSING_DRIVER


# A database that was made anew


def test_a_database_that_was_dropped_and_made_again(
    postgres_server: Postgres, empty_postgres_database: TestDatabase, start: Opener
):
    """Every process goes on without a restart, and they understand each other's tokens."""
    cores = [start(empty_postgres_database.uri) for _ in range(2)]
    before = [core.create() for core in cores]
    name = empty_postgres_database.uri.rpartition("/")[2]
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name}")
    with pytest.raises(EngineUnavailableError, match=r"were made anew: try again$"):
        cores[0].create()
    cores[1].sessions.information(before[0].handle)  # meets a dead connection
    after = [core.create() for core in cores]
    cores.append(start(empty_postgres_database.uri))
    for core in cores:
        for session in after:
            assert core.sessions.information(session.handle).handle == session.handle
        assert [core.refresh(old).message for old in before] == ["Invalid refresh token"] * 2
    assert cores[1].refresh(after[0]).handle == after[0].handle
    assert cores[2].refresh(after[1]).handle == after[1].handle


def test_tables_that_were_dropped(empty_postgres_database: TestDatabase, start: Opener):
    """With the connections left open: the next unit of work makes them again."""
    core = start(empty_postgres_database.uri)
    old = core.create()
    empty_postgres_database.query("DROP SCHEMA public CASCADE")
    empty_postgres_database.query("CREATE SCHEMA public")
    with pytest.raises(EngineUnavailableError, match=r"were made anew: try again$"):
        core.verify(old)
    new = core.create()
    for each in (core, start(empty_postgres_database.uri)):
        assert each.refresh(new).handle == new.handle
    assert core.refresh(old).message == "Invalid refresh token"


def test_a_connection_keeps_its_cursor(
    postgres_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads and refreshes make none of their own, and a connection in place of a broken one has another."""
    driver = start(postgres_database.uri, pool_size=1, refresh_token_rotation_grace_period=0)
    issued = driver.refresh(driver.create())
    assert driver.verify(issued) == Verified(payload={})
    made: list[psycopg.Connection[Any]] = []
    cursor = psycopg.Connection.cursor

    def counted(connection: psycopg.Connection[Any], *args: Any, **kwargs: Any) -> Any:
        made.append(connection)
        return cursor(connection, *args, **kwargs)

    monkeypatch.setattr(psycopg.Connection, "cursor", counted)
    for _ in range(3):
        issued = driver.refresh(issued)
        assert driver.verify(issued) == Verified(payload={})
    assert made == []
    monkeypatch.undo()
    postgres_database.query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert driver.verify(driver.refresh(issued)) == Verified(payload={})
