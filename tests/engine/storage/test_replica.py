"""Reads from a replica: no further behind than allowed, and never a refusal of its own."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from supertokens_py import doctor
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.storage import replica as module
from supertokens_py.engine.embedded.storage.replica import Freshness, NotOfThePrimaryError, Replica
from supertokens_py.engine.records import IssuedSession, Unauthorised, Verified
from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Stopwatch
from tests.support.forks import in_child
from tests.support.streaming_replica import StreamingReplica, streaming_replica
from tests.support.temporary_postgres import Server, postgres


@pytest.fixture(scope="module")
def pair() -> Iterator[tuple[Server, StreamingReplica]]:
    with postgres() as primary, streaming_replica(primary) as replica:
        yield primary, replica


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Stopwatch:
    """The clock by which a replica becomes stale."""
    watch = Stopwatch()

    class Time:
        monotonic = staticmethod(watch)

    monkeypatch.setattr(module, "time", Time)
    return watch


@pytest.fixture
def behind(pair: tuple[Server, StreamingReplica]) -> Iterator[StreamingReplica]:
    """The replica, which replays again after the test."""
    yield pair[1]
    if pair[1].server.process is not None:
        pair[1].resume()


@pytest.fixture
def core(pair: tuple[Server, StreamingReplica], start: Opener, watch: Stopwatch) -> Driver:
    return following(*pair, start)


def following(primary: Server, replica: StreamingReplica, start: Opener) -> Driver:
    """Return an engine whose replica has its tables: one without them would not be asked for a while."""
    core = start(primary.uri, read_uri=replica.server.uri, read_max_staleness=4.0)
    core.database.prepare()
    replica.catch_up()
    return core


def replicated(core: Driver, behind: StreamingReplica) -> IssuedSession:
    """Return a session that the replica knows, and have the position of the primary noted."""
    session = core.create()
    assert core.verify(session) == Verified()
    behind.catch_up()
    return session


@pytest.mark.postgres
def test_a_check_may_be_as_stale_as_is_allowed(core: Driver, behind: StreamingReplica, watch: Stopwatch):
    """A session that was revoked is accepted that long by a replica that is behind, and no longer."""
    session = replicated(core, behind)
    behind.pause()
    core.sessions.revoke([session.handle])
    assert core.verify(session) == Verified()
    watch.advance(3)
    assert core.verify(session) == Verified()
    watch.advance(2)
    assert isinstance(core.verify(session), Unauthorised)
    behind.resume()
    behind.catch_up()
    assert isinstance(core.verify(session), Unauthorised)


@pytest.mark.postgres
def test_what_it_has_not_heard_of_is_asked_of_the_primary(core: Driver, behind: StreamingReplica):
    """A new session, and one that was refreshed more than once: nobody is refused because of a replica."""
    session = replicated(core, behind)
    behind.pause()
    assert core.verify(core.create()) == Verified()
    other = core.create()
    core.change_row(session.handle, prev_refresh_token_hash_2=None, refresh_token_rotated_at=None)
    refreshed = core.refresh(session)
    assert core.verify(refreshed) == Verified()
    assert {one.handle for one in core.sessions.listed("user", tenant_id=None)} >= {session.handle}
    assert core.sessions.listed("nobody", tenant_id=None) == []
    assert core.verify(other) == Verified()


@pytest.mark.postgres
def test_a_list_may_be_as_stale_as_is_allowed(core: Driver, behind: StreamingReplica, watch: Stopwatch):
    def listed() -> list[str]:
        return [one.handle for one in core.sessions.listed("lister", tenant_id=None)]

    first = core.create("lister").handle
    assert listed() == [first]
    behind.catch_up()
    behind.pause()
    second = core.create("lister").handle
    assert listed() == [first]
    watch.advance(5)
    assert sorted(listed()) == sorted([first, second])


@pytest.mark.postgres
def test_a_replica_that_is_away(
    core: Driver, behind: StreamingReplica, watch: Stopwatch, caplog: pytest.LogCaptureFixture
):
    """The primary answers; the replica is asked again after a while."""
    session = replicated(core, behind)
    behind.server.stop()
    caplog.set_level(logging.WARNING, logger=module.log.name)
    for _ in range(4):
        assert core.verify(session) == Verified()
    said = [record.message.partition(":5")[0] for record in caplog.records]
    assert "postgresql://" in said[-1]
    assert len(said) <= 2  # a connection that broke, and one that was refused
    behind.server.start()
    watch.advance(module.AWAY_FOR_S)
    assert core.verify(session) == Verified()
    behind.catch_up()
    behind.pause()
    core.sessions.revoke([session.handle])
    assert core.verify(session) == Verified()  # by the replica


@pytest.mark.postgres
def test_a_replica_whose_connection_breaks_while_it_reads(core: Driver, behind: StreamingReplica):
    """The primary answers; the next read asks the replica again, over another connection."""
    replicated(core, behind)
    replica = Replica(f"{behind.server.uri}?target_session_attrs=standby", core.database, core.settings)
    query = "SELECT pg_terminate_backend(pg_backend_pid())"
    assert replica.read(lambda c: c.exec_driver_sql(query).one()) is None
    assert replica.read(lambda c: c.exec_driver_sql("SELECT pg_is_in_recovery()").scalar()) is True
    with pytest.raises(ZeroDivisionError):  # no failure of the replica
        replica.read(lambda _: 1 // 0)
    replica.close()


@pytest.mark.postgres
def test_a_primary_that_is_away(
    core: Driver, behind: StreamingReplica, watch: Stopwatch, caplog: pytest.LogCaptureFixture
):
    """The replica is read from as long as what was known of the primary counts."""
    caplog.set_level(logging.INFO, logger=module.log.name)

    class Primary:
        is_away = False

        def read(self, work: Callable[[Connection], object]) -> object:
            if self.is_away:
                raise EngineUnavailableError("the primary is away")
            return core.database.read(work)

    primary: Any = Primary()
    replica = Replica(behind.server.uri, primary, core.settings)

    def read() -> object:
        return replica.read(lambda c: c.exec_driver_sql("SELECT 1").scalar())

    read()
    behind.catch_up()
    primary.is_away = True
    watch.advance(3)
    assert read() == 1
    watch.advance(2)
    assert read() is None
    assert caplog.messages == ["the position of the primary is unknown: the primary is away"] * 2
    replica.close()


@pytest.mark.postgres
def test_a_forked_child_reads_from_the_replica_as_well(core: Driver, behind: StreamingReplica):
    """Over a connection of its own; the parent keeps its own."""
    session = replicated(core, behind)
    behind.pause()
    core.sessions.revoke([session.handle])
    assert in_child(lambda: core.verify(session)) == str(Verified())
    assert core.verify(session) == Verified()


@pytest.mark.postgres
def test_a_primary_that_is_named_as_its_replica(
    pair: tuple[Server, StreamingReplica], start: Opener, watch: Stopwatch
):
    """As after a fail-over: it is never behind."""
    core = start(pair[0].uri, read_uri=pair[0].uri)
    session = core.create()
    assert core.verify(session) == Verified()
    core.sessions.revoke([session.handle])
    assert isinstance(core.verify(session), Unauthorised)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///sessions.db"])
def test_sqlite_has_no_replicas(uri: str):
    settings = EngineConfig(read_uri="postgresql://replica/shop").resolve({})
    with pytest.raises(ConfigError, match="connection_uri leads to SQLite, which has none"):
        EmbeddedEngine(uri, settings)


@pytest.mark.parametrize("value", ["sqlite://", "https://core"])
def test_a_replica_is_a_postgresql_server(value: Any):
    with pytest.raises(ConfigError, match="read_uri"):
        EngineConfig(read_uri=value).resolve({})


def test_how_fresh_a_replica_is():
    """It has all that was written until the latest position that it has replayed."""
    freshness = Freshness(4.0)
    assert freshness.is_due(1024)
    assert not freshness.is_fresh(1024, "1 1", 7)
    freshness.note(1024, "1 1", 100)
    freshness.note(1026, "1 1", 200)
    assert not freshness.is_due(1027)
    assert freshness.is_due(1028)
    assert [freshness.is_fresh(1026, "1 1", replayed) for replayed in (None, 99, 100, 250)] == [
        False,
        False,
        True,
        True,
    ]
    assert freshness.is_fresh(1028, "1 1", 100)
    assert not freshness.is_fresh(1029, "1 1", 199)
    assert freshness.is_fresh(1030, "1 1", 200)
    assert not freshness.is_fresh(1031, "1 1", 10_000)


def test_positions_of_another_timeline_say_nothing():
    """Whether a replica follows another server, or the primary is another one."""
    freshness = Freshness(4.0)
    freshness.note(1024, "1 1", 100)
    for timeline in ("1 2", "2 1", None):
        with pytest.raises(NotOfThePrimaryError, match="recovery" if timeline is None else "timeline"):
            freshness.is_fresh(1024, timeline, 100)
    freshness.note(1025, "1 2", 200)
    assert not freshness.is_fresh(1025, "1 2", 199)
    assert freshness.is_fresh(1025, "1 2", 200)


def diagnosed(primary: Server, read_uri: str) -> str:
    """Return what the doctor says of a replica."""
    found = doctor.run(connection_uri=primary.uri, engine_config=EngineConfig(read_uri=read_uri))
    (text,) = [one.text for one in found if one.topic == "replica"]
    return text


@pytest.mark.postgres
def test_the_doctor_looks_at_the_replica(pair: tuple[Server, StreamingReplica]):
    primary, behind = pair
    assert diagnosed(primary, behind.server.uri).endswith(
        f":{behind.server.port}/postgres follows this primary"
    )
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        said = diagnosed(primary, f"postgresql://postgres@127.0.0.1:{port}/postgres")
    assert said.startswith(f"cannot read postgresql://postgres@127.0.0.1:{port}/postgres: ")


def said_by(server: Server, expressions: str, role: str = "postgres") -> tuple[Any, ...]:
    with psycopg.connect(server.uri, autocommit=True) as connection:
        connection.execute(f"SET ROLE {role}")
        found = connection.execute(f"SELECT {expressions}").fetchone()
    assert found is not None
    return found


@pytest.mark.postgres
def test_an_ordinary_role_may_ask_for_timelines(pair: tuple[Server, StreamingReplica]):
    primary, behind = pair
    with psycopg.connect(primary.uri, autocommit=True) as connection:
        connection.execute("CREATE ROLE ordinary")
    behind.catch_up()
    written, position = said_by(primary, module.WRITTEN, "ordinary")
    behind.catch_up()
    replayed, reached = said_by(behind.server, ", ".join(module.REPLAYED), "ordinary")
    assert written == replayed
    assert written.endswith(" 1")
    assert position <= reached


@pytest.mark.postgres
def test_a_replica_that_was_promoted(
    pair: tuple[Server, StreamingReplica],
    start: Opener,
    watch: Stopwatch,
    caplog: pytest.LogCaptureFixture,
):
    """It knows nothing of what the primary does, however far its own log is; nor does what follows it."""
    primary, _ = pair
    with streaming_replica(primary) as former, streaming_replica(primary) as follower:
        cores = [following(primary, one, start) for one in (former, follower)]
        session = cores[0].create()
        for one, core in zip((former, follower), cores, strict=True):
            assert core.verify(session) == Verified()
            one.catch_up()
        former.promote()
        follower.follow(former.server)
        cores[0].sessions.revoke([session.handle])
        for _ in range(3):
            watch.advance(module.AWAY_FOR_S)
            for core in cores:
                assert isinstance(core.verify(session), Unauthorised)
        assert [diagnosed(primary, one.server.uri).partition(" ")[2] for one in (former, follower)] == [
            "is not in recovery, so it is not read from",
            "follows another system or timeline than the primary, so it is not read from",
        ]
    said = [record.getMessage().rpartition(": ")[2] for record in caplog.records]
    assert {"it is not in recovery", "it follows another system or timeline"} <= set(said)
