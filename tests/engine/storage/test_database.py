"""What happens when the database is away, full, locked, read-only or restarted."""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.roles import ROLES
from supertokens_py.engine.embedded.storage import pools, retries
from supertokens_py.engine.embedded.storage import postgres as postgres_module
from supertokens_py.engine.embedded.storage.database import UnitConflictError
from supertokens_py.engine.embedded.storage.driver_queries import DriverQuery
from supertokens_py.engine.records import IssuedSession, Verified
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase
from tests.support.temporary_postgres import Server


def together(count: int, work: Callable[[], Any]) -> list[Any]:
    """Call `work` in so many threads at once; return the results."""
    results: list[Any] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@contextmanager
def counted_connections() -> Iterator[list[None]]:
    """Yield a list that grows with every attempt to connect to a database."""
    attempts: list[None] = []

    def count(*_: object) -> None:
        attempts.append(None)

    event.listen(Engine, "do_connect", count)
    try:
        yield attempts
    finally:
        event.remove(Engine, "do_connect", count)


# Every operation is one transaction on one connection


@pytest.mark.parametrize("pool_size", [1, 5])
def test_200_refreshes_at_once(shared_database: TestDatabase, start: Opener, pool_size: int):
    """CS-53: with one connection as with five, all answer with the same token."""
    core = start(shared_database.uri, pool_size=pool_size, pool_timeout=30, sqlite_busy_timeout=30)
    session = core.create()
    texts = {
        result.refresh_token.text if isinstance(result, IssuedSession) else result
        for result in together(200, lambda: core.refresh(session))
    }
    assert len(texts) == 1
    assert core.refresh(texts.pop()).handle == session.handle


def test_every_operation_makes_do_with_one_connection(shared_database: TestDatabase, start: Opener):
    """None waits for a second one while it holds the first (engine: Transactions)."""
    core = start(shared_database.uri, pool_size=1, pool_timeout=10)
    assert core.tenants.put("t1", {"first_factors": ["totp"]}) is True
    session = core.create(tenant_id="t1")
    refreshed = core.refresh(session)
    core.verify(refreshed)
    core.sessions.regenerate(refreshed.access_token.text, merge={"a": 1})
    core.sessions.replace_data(session.handle, {})
    core.sessions.replace_payload(session.handle, {})
    core.sessions.merge_payload(session.handle, {"a": 1})
    core.sessions.information(session.handle)
    core.roles.add("admin", ["read"])
    core.roles.assign("u", "admin", tenant_id="t1")
    core.roles.of_user("u", tenant_id="t1")
    core.roles.users("admin", tenant_id="public")
    core.roles.remove_permissions("admin", None)
    core.roles.unassign("u", "admin", tenant_id="t1")
    core.roles.delete("admin")
    core.metadata.merge("u", {"a": 1})
    core.metadata.clear("u")
    core.keys.jwks()
    core.keys.create_jwt({}, issuer="x", validity_s=1, static_key=True)
    core.sessions.user_handles("user", tenant_id="t1")
    core.sessions.revoke_user("nobody", tenant_id="t1")
    core.sessions.revoke([session.handle, "none"])
    core.users.count_active(0)
    core.clean_up()
    assert core.tenants.delete("t1") is True


@pytest.mark.postgres
def test_a_pool_without_a_free_connection_names_its_setting(postgres_database: TestDatabase, start: Opener):
    """The message names the setting to raise."""
    core = start(postgres_database.uri, pool_size=1, pool_timeout=0.2)
    core.create()
    with (
        core.database.pool.connect(),
        pytest.raises(EngineUnavailableError, match="raise pool_size"),
    ):
        core.create()
    core.create()


class Interrupted(BaseException):
    """What gevent and eventlet raise when a time-out of theirs is over."""


@pytest.mark.parametrize("call", ["verify", "refresh", "information"])
def test_an_interrupted_query_does_not_stay_in_the_pool(
    postgres_database: TestDatabase, start: Opener, call: str
):
    """A caller that gives up leaves a query under way: nobody else may be given that connection."""
    core = start(postgres_database.uri, pool_size=1, pool_timeout=1)
    session = core.create()
    calls: dict[str, Callable[[], Any]] = {
        "verify": lambda: core.verify(session),
        "refresh": lambda: core.refresh(session),
        "information": lambda: core.sessions.information(session.handle),
    }

    def give_up(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, give_up)
    try:
        with psycopg.connect(postgres_database.uri) as blocker:
            blocker.execute("LOCK TABLE session_info IN ACCESS EXCLUSIVE MODE")
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(Interrupted):
                calls[call]()
            assert core.roles.all() == []  # another table, while the query still waits for the lock
    finally:
        signal.signal(signal.SIGALRM, before)
    assert core.verify(session) == Verified()
    assert core.refresh(session).handle == session.handle


# SQLite


def test_a_new_file_is_private(tmp_path: Path, start: Opener):
    """Database and side files are their owner's, whatever the umask says (engine: Storage)."""
    before = os.umask(0)
    try:
        start(f"sqlite:///{tmp_path}/x.db").create()
    finally:
        os.umask(before)
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert files == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600}


@pytest.mark.parametrize(("name", "number"), [("FULL", 2), ("NORMAL", 1)])
def test_sqlite_is_set_up(tmp_path: Path, start: Opener, name: str, number: int):
    """Write-ahead log, foreign keys, the wanted durability, patience with other writers (engine: Storage)."""
    core = start(f"sqlite:///{tmp_path}/x.db", sqlite_synchronous=name, sqlite_busy_timeout=1.5)

    def pragmas(connection: Any) -> list[object]:
        names = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert core.database.read(pragmas) == ["wal", 1, number, 1500]


def test_a_directory_that_does_not_exist(tmp_path: Path, start: Opener):
    """The message names the file and what to do."""
    core = start(f"sqlite:///{tmp_path}/none/x.db")
    with pytest.raises(
        EngineUnavailableError, match=r"none/x\.db: unable to open .*check that its directory exists"
    ):
        core.create()
    (tmp_path / "none").mkdir()
    assert core.create().user_id == "user"


def test_a_file_that_is_no_database(tmp_path: Path, start: Opener):
    """It is left as it is."""
    path = tmp_path / "x.db"
    path.write_text("hello " * 1000)
    core = start(f"sqlite:///{path}")
    with pytest.raises(EngineUnavailableError, match="no SQLite database"):
        core.create()
    assert path.read_text() == "hello " * 1000


def test_a_read_only_file(sqlite_database: TestDatabase, start: Opener):
    """Reading goes on, writing says what to do."""
    session = start(sqlite_database.uri).create()
    core = start(f"sqlite:///file:{sqlite_database.path}?mode=ro&uri=true")
    assert core.sessions.information(session.handle).handle == session.handle
    with pytest.raises(EngineUnavailableError, match="readonly database; let the user"):
        core.create()


def test_nothing_is_acknowledged_on_a_full_disk(sqlite_database: TestDatabase, start: Opener):
    """Nothing is acknowledged that is not written; afterwards it works again."""
    core = start(sqlite_database.uri)
    pool = core.database.pool

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(pool, "connect", limit)
    fill = partial(list, (core.create(data={"x": "y" * 60_000}) for _ in range(50)))
    with pytest.raises(EngineUnavailableError, match="full"):
        fill()
    event.remove(pool, "connect", limit)
    core.close()
    assert core.create().user_id == "user"


def test_a_locked_file_logs_nobody_out(sqlite_database: TestDatabase, start: Opener):
    """Another program holds the file for longer than we wait: try later, nobody is logged out."""
    core = start(sqlite_database.uri, sqlite_busy_timeout=0.1)
    session = core.create()
    with closing(sqlite3.connect(sqlite_database.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(EngineUnavailableError, match="stayed locked by another writer"):
            core.refresh(session)
        assert core.sessions.information(session.handle).handle == session.handle
        other.execute("ROLLBACK")
    assert core.refresh(session).handle == session.handle


@pytest.fixture
def held_file(tmp_path: Path) -> Iterator[tuple[str, sqlite3.Connection]]:
    """A file that is no write-ahead log yet, and another program that is writing to it."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE theirs (a)")
        other.execute("BEGIN IMMEDIATE")
        yield f"sqlite:///{path}", other


def test_a_first_start_waits_for_another_program(
    held_file: tuple[str, sqlite3.Connection], start: Opener, monkeypatch: pytest.MonkeyPatch
):
    """The change to a write-ahead log does not wait by itself: it is tried until the file is free."""
    uri, other = held_file
    waits: list[float] = []

    def release(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            other.execute("ROLLBACK")

    monkeypatch.setattr(pools, "time", SimpleNamespace(monotonic=time.monotonic, sleep=release))
    assert start(uri).create().user_id == "user"
    assert len(waits) == 2


def test_a_first_start_does_not_wait_for_ever(held_file: tuple[str, sqlite3.Connection], start: Opener):
    """The message names the setting; when the file is free the same engine goes on."""
    uri, other = held_file
    core = start(uri, sqlite_busy_timeout=0.05)
    with pytest.raises(EngineUnavailableError, match=r"stayed locked by another writer for 0\.05 s"):
        core.create()
    other.execute("ROLLBACK")
    assert core.create().user_id == "user"


def test_a_foreign_rule_of_the_table_is_no_earlier_row(sqlite_database: TestDatabase, start: Opener):
    """What the database refuses is not taken for a row that had been written before."""
    sqlite_database.query(
        "CREATE TRIGGER rule BEFORE INSERT ON session_info WHEN NEW.user_id = 'banned' "
        "BEGIN SELECT RAISE(ABORT, 'nobody of this name'); END"
    )
    core = start(sqlite_database.uri)
    with pytest.raises(IntegrityError, match="nobody of this name"):
        core.create("banned")
    assert core.sessions.user_handles("banned", tenant_id=None) == []
    assert core.create("fine").user_id == "fine"


def test_a_unit_that_never_comes_through(database: TestDatabase, start: Opener, monkeypatch: Any):
    """What a unit had read is changed again and again: it gives up, says so, and wrote nothing."""
    monkeypatch.setattr(retries, "MAX_CONFLICTS", 2)
    core = start(database.uri)
    core.roles.add("kept", [])
    table = core.database.tables[ROLES]
    calls: list[int] = []

    def unit(connection: Any) -> None:
        calls.append(1)
        connection.execute(table.insert(), {"role": "new"})
        raise UnitConflictError

    with pytest.raises(EngineUnavailableError, match=r" is too busy: try again$"):
        core.database.write(unit)
    assert len(calls) == 3
    assert core.roles.all() == ["kept"]


def test_a_slow_writer_of_our_own_is_waited_for(sqlite_database: TestDatabase, start: Opener):
    """The turn of the writer is waited for, and no longer than the file itself would be."""
    core = start(sqlite_database.uri, sqlite_busy_timeout=0.2)
    core.create()
    entered, leave = threading.Event(), threading.Event()

    def hold(_connection: Any) -> None:
        entered.set()
        leave.wait(40)

    holder = threading.Thread(target=core.database.write, args=(hold,))
    holder.start()
    entered.wait(40)
    with pytest.raises(EngineUnavailableError, match="stayed locked"):
        core.create()
    leave.set()
    holder.join()
    assert core.create().user_id == "user"


def test_a_shared_memory_database_is_safe_in_threads(start: Opener):
    """STYLE 2: one connection, one unit at a time."""
    core = start("sqlite://")
    session = core.create()
    results = together(20, lambda: core.refresh(session).refresh_token.text)
    assert len(set(results)) == 1
    assert len(set(map(repr, together(20, lambda: core.create().handle)))) == 20


def test_a_database_in_memory_is_told(start: Opener, caplog: pytest.LogCaptureFixture):
    """Once per engine: a second worker would not know the sessions of the first."""
    caplog.set_level("INFO", "supertokens_py.engine.embedded.storage.pools")
    start("sqlite://").create()
    assert [record.levelname for record in caplog.records] == ["INFO"]  # it was chosen, for tests as a rule
    assert caplog.messages == [
        "sessions are kept in the memory of this process: other workers do not see them, and a restart "
        "forgets them. Outside of tests use sqlite:///file.db or postgresql://user:password@host/database."
    ]


def test_two_memory_engines_are_independent(start: Opener):
    """Two engines in one process share nothing."""
    one, other = start("sqlite://"), start("sqlite://")
    session = one.create()
    other.create()
    assert other.refresh(session).message == "Invalid refresh token"
    assert one.refresh(session).handle == session.handle


# PostgreSQL


@pytest.mark.postgres
def test_a_refused_connection_names_the_server_and_no_password(
    start: Opener, monkeypatch: pytest.MonkeyPatch
):
    """The message names the server, not the password; nobody waits for more than the refused connection."""
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("waits"))
    with socket.socket() as reserved:  # and nobody listens
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        core = start(f"postgresql://me:hush@127.0.0.1:{port}/db")
        for _ in range(2):
            with pytest.raises(
                EngineUnavailableError, match=rf"me:\*\*\*@127\.0\.0\.1:{port}/db.* server runs"
            ) as caught:
                core.create()
            assert "hush" not in str(caught.value)


@pytest.mark.postgres
def test_waiting_for_a_dead_server_is_shared(start: Opener):
    """A server that swallows packets holds one connection attempt, not one after another per request."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        port = silent.getsockname()[1]
        fillers = [socket.create_connection(("127.0.0.1", port))]
        core = start(f"postgresql://me@127.0.0.1:{port}/db?connect_timeout=2")
        with counted_connections() as attempts:
            results = together(8, core.create)
        assert all(isinstance(result, EngineUnavailableError) for result in results)
        assert len(attempts) <= 2  # one, and another for a thread that came after its end
        for filler in fillers:
            filler.close()


@pytest.mark.postgres
def test_a_database_that_does_not_exist(postgres_database: TestDatabase, start: Opener):
    """The message says so."""
    core = start(postgres_database.uri + "_none")
    with pytest.raises(EngineUnavailableError, match="does not exist"):
        core.create()


@pytest.mark.postgres
def test_a_read_only_server(postgres_database: TestDatabase, start: Opener):
    """A replica is refused, for its reads may be stale; who asks for one can read there."""
    session = start(postgres_database.uri).create()
    replica = postgres_database.uri + "?options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(EngineUnavailableError, match=r"session is read-only; .*connect to the primary"):
        start(replica).sessions.information(session.handle)
    core = start(f"{replica}&target_session_attrs=any")
    assert core.sessions.information(session.handle).handle == session.handle
    for call in (core.create, lambda: core.refresh(session)):
        with pytest.raises(EngineUnavailableError, match=r"read-only.*connect to the primary"):
            call()


@pytest.mark.postgres
def test_a_user_without_rights_is_told_which(empty_postgres_database: TestDatabase, start: Opener):
    """The message says what the user must be allowed to do."""
    empty_postgres_database.query("DROP ROLE IF EXISTS weak")
    empty_postgres_database.query("CREATE ROLE weak LOGIN")
    core = start(empty_postgres_database.uri.replace("postgres@", "weak@"))
    with pytest.raises(
        EngineUnavailableError, match=r"permission denied.*let this user create and use tables"
    ):
        core.create()


@pytest.mark.postgres
@pytest.mark.parametrize("level", ["serializable", "repeatable read"])
def test_the_isolation_is_ours_whatever_the_server_prefers(
    postgres_database: TestDatabase, start: Opener, level: str
):
    """We ask for READ COMMITTED, whatever the server prefers (engine: Transactions)."""
    option = f"?options=-c%20default_transaction_isolation%3D{level.replace(' ', '%5C%20')}"
    core = start(postgres_database.uri + option)
    session = core.create()
    texts = {
        repr(r) if isinstance(r, Exception) else r.refresh_token.text
        for r in together(30, lambda: core.refresh(session))
    }
    assert len(texts) == 1


@pytest.mark.postgres
def test_a_transaction_that_lost_is_done_again(postgres_database: TestDatabase, start: Opener):
    """Class 40, such as a deadlock: the server rolled it back, and it is done again from the start."""
    core = start(postgres_database.uri)
    calls: list[int] = []

    def unit(connection: Any) -> str:
        calls.append(1)
        connection.exec_driver_sql("INSERT INTO apps VALUES ('other', 1)")
        if len(calls) < 3:
            connection.exec_driver_sql("DO $$ BEGIN RAISE 'deadlock' USING ERRCODE = '40P01'; END $$")
        return "done"

    assert core.database.write(unit) == "done"
    assert len(calls) == 3
    assert postgres_database.query("DELETE FROM apps WHERE app_id = 'other' RETURNING 1") == [(1,)]


@pytest.mark.postgres
def test_a_new_session_whose_answer_was_lost(
    postgres_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch
):
    """The row was written, then the connection broke: sent again it meets itself, and that is success."""
    core = start(postgres_database.uri)
    core.create("somebody")  # the keys are made
    row = DriverQuery.row

    def lost(query: DriverQuery, connection: Any, values: Any) -> Any:
        assert query.text.startswith("INSERT INTO session_info")
        row(query, connection, values)
        monkeypatch.undo()
        connection.dbapi_connection.pgconn.finish()
        return row(query, connection, values)

    monkeypatch.setattr(DriverQuery, "row", lost)
    session = core.create()
    assert core.sessions.user_handles("user", tenant_id=None) == [session.handle]
    assert core.refresh(session).handle == session.handle


@pytest.mark.postgres
def test_a_connection_that_the_driver_has_closed(postgres_database: TestDatabase, start: Opener):
    """Whatever closed it, it is not handed out again."""
    core = start(postgres_database.uri, pool_size=1)
    session = core.create()
    with closing(core.database.pool.raw_connection()) as connection:
        connection.dbapi_connection.close()
    assert core.sessions.information(session.handle).handle == session.handle
    assert core.refresh(session).handle == session.handle


@pytest.mark.postgres
@pytest.mark.parametrize("has_poll", [True, False])
def test_connections_that_the_server_ended_are_replaced(
    postgres_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch, has_poll: bool
):
    """An administrator ended every backend: the next call of any kind just works, under eventlet as well."""
    if not has_poll:  # eventlet takes it away
        monkeypatch.setattr(postgres_module, "select", SimpleNamespace(select=select.select))
    core = start(postgres_database.uri, pool_size=5)
    session = core.create()

    def end_all() -> None:
        together(5, lambda: core.sessions.information(session.handle))
        postgres_database.query(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    end_all()
    assert core.sessions.information(session.handle).handle == session.handle
    end_all()
    refreshed = core.refresh(session)
    end_all()
    assert core.create("v").user_id == "v"
    end_all()
    assert core.sessions.revoke([session.handle]) == [session.handle]
    assert core.refresh(refreshed).message == "Session does not exist."


@pytest.mark.postgres
def test_a_unit_whose_connection_breaks_is_done_once(postgres_database: TestDatabase, start: Opener):
    """Before the commit it is repeated on a new connection; it happens once and only once."""
    core = start(postgres_database.uri)
    core.create()
    broken: list[int] = []

    def unit(connection: Any) -> int:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        if not broken:
            broken.append(pid)
            postgres_database.query("SELECT pg_terminate_backend(%s, 5000)", pid)
        connection.exec_driver_sql("INSERT INTO apps VALUES ('other', 1)")
        return pid

    assert core.database.write(unit) != broken[0]
    assert postgres_database.query("DELETE FROM apps WHERE app_id = 'other' RETURNING 1") == [(1,)]


@pytest.mark.postgres
@pytest.mark.parametrize("grace_s", [30, 0])
def test_a_refresh_whose_answer_was_lost(
    postgres_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch, grace_s: int
):
    """The statement was done, then the connection broke. Without a window, sending it again is reuse."""
    core = start(postgres_database.uri, refresh_token_rotation_grace_period=grace_s)
    session = core.create()
    row = DriverQuery.row

    def lost(query: DriverQuery, connection: Any, values: Any) -> Any:
        row(query, connection, values)
        monkeypatch.undo()
        connection.dbapi_connection.pgconn.finish()
        return row(query, connection, values)

    monkeypatch.setattr(DriverQuery, "row", lost)
    if grace_s:
        assert core.refresh(core.refresh(session)).handle == session.handle
    else:
        with pytest.raises(EngineUnavailableError, match="cannot use postgresql://"):
            core.refresh(session)
        assert core.sessions.information(session.handle) is not None


@pytest.mark.postgres
def test_the_grace_window_begins_when_a_connection_is_there(
    postgres_database: TestDatabase, start: Opener, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """A refresh that waited for the pool is not older than it is."""
    core = start(postgres_database.uri, pool_size=1, now_ms=clock)
    session = core.create()
    database, asked = core.database, threading.Event()
    connection = database.pool.raw_connection
    monkeypatch.setattr(database.pool, "raw_connection", lambda: (asked.set(), connection())[1])
    with ThreadPoolExecutor(1) as threads:
        with database.pool.connect():
            waiting = threads.submit(core.refresh, session)
            assert asked.wait(40)
            clock.advance(s=20)
        refreshed = waiting.result()
    assert core.row(session.handle)["refresh_token_rotated_at"] == clock()
    assert core.refresh(session).refresh_token.text == refreshed.refresh_token.text


@pytest.mark.postgres
def test_a_commit_of_unknown_outcome_is_not_repeated(postgres_database: TestDatabase, start: Opener):
    """The caller is told to try again; a refresh that does so gets the same token (engine: Grace window)."""
    core = start(postgres_database.uri)
    session = core.create()
    calls: list[int] = []

    def unit(connection: Any) -> None:
        calls.append(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar())
        postgres_database.query("SELECT pg_terminate_backend(%s, 5000)", calls[0])

    with pytest.raises(EngineUnavailableError, match="cannot use postgresql://"):
        core.database.write(unit)
    assert len(calls) == 1
    assert core.refresh(session).handle == session.handle


@pytest.mark.postgres
def test_an_engine_outlives_a_restart_of_its_server(own_server: Server, start: Opener):
    """Away: an error, nobody is logged out. Back: the same engine goes on without a restart."""
    core: Driver = start(own_server.uri)
    session = core.create()
    core.verify(session)
    own_server.stop()
    for call in (core.refresh, core.verify, core.verify, core.refresh):
        with pytest.raises(EngineUnavailableError):
            call(session)
    own_server.start()
    refreshed = core.refresh(session)
    assert core.refresh(session).refresh_token == refreshed.refresh_token
    own_server.stop()
    own_server.start()
    assert core.refresh(refreshed).handle == session.handle
    own_server.stop()


def test_an_engine_that_nobody_refers_to_closes_its_connections(sqlite_files: Sqlite):
    """Also where nobody closed it; no pool is made for later, in whatever the collection of garbage meets."""
    engine = EmbeddedEngine(sqlite_files.create().uri, EngineConfig(clean_up_interval=0).resolve())
    engine.roles.all()
    pools = engine.database.pool
    pool = pools.pool
    assert pool.checkedin() == 1
    del engine
    gc.collect()
    assert pool.checkedin() == 0
    assert pools.pool is pool


def test_a_database_in_memory_has_one_connection(start: Opener):
    counts = start("sqlite://").database.connection_counts()
    assert (counts.used, counts.idle, counts.limit) == (0, 1, 1)
