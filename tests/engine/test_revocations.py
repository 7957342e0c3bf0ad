"""The log of revoked sessions: what every process learns, when, and what it forgets (instant revocation)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from supertokens_py.engine import revoked_sessions
from supertokens_py.engine.embedded.background import USUAL_PACE, Pace
from supertokens_py.engine.embedded.revocation import revocation_log
from supertokens_py.engine.embedded.revocation.revocation_log import RevocationLog
from supertokens_py.engine.embedded.revocation.revocation_rows import (
    GAP_PATIENCE_S,
    Position,
    RevocationStatements,
)
from supertokens_py.engine.embedded.revocation.revocation_threads import Poller
from supertokens_py.engine.embedded.storage.tables import Tables
from supertokens_py.engine.embedded.storage.url import locate
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.engine.revoked_sessions import Revocation
from supertokens_py.engine.session_records import Limit, Replaces, SessionFeatures
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.engine.test_background import until
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.forks import in_child
from tests.support.pooler_relay import pooler_relay
from tests.support.statements import logged_statements
from tests.support.threads import no_new_threads
from tests.support.units import refused_units

ON = SessionFeatures(revocations=True)
LIFE_S = 3600
#: Nothing is read unless a test has it read, or word of a revocation arrives.
ONLY_WORDS = Pace(poll_s=3600, gather_s=0)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `catch_up` wait for a thread that reads already, for as long as that takes on a busy machine."""
    monkeypatch.setattr(revocation_log, "PATIENCE_S", 30.0)


@pytest.fixture
def pair(fresh_shared: TestDatabase, start: Opener, clock: Clock) -> tuple[Driver, Driver]:
    """Two processes, as far as their engines go, which only read when they are asked to."""
    one, other = (
        start(fresh_shared.uri, now_ms=clock, features=ON, pace=Pace(poll_s=3600, listen_again_s=3600))
        for _ in range(2)
    )
    return one, other


def log_of(core: Driver) -> RevocationLog:
    log = core.engine.revocations
    assert log is not None
    return log


def known_to(core: Driver) -> set[str]:
    """Return the revoked sessions that a process knows of once it has read."""
    log_of(core).poll()
    return set(log_of(core).revoked.handles)


def test_without_the_feature_there_is_no_table(core: Driver):
    """CP-1."""
    core.create()
    assert core.engine.revocations is None
    assert "supertokens_py_revocations" not in {table.name for table in core.database.tables.all()}


ENDS: list[tuple[str, Callable[[Driver, str], object]]] = [
    ("by handle", lambda core, handle: core.engine.sessions.revoke([handle])),
    ("of a user", lambda core, handle: core.engine.sessions.revoke_user("user", tenant_id=None)),
    ("user removed", lambda core, handle: core.engine.users.remove("user")),
    ("tenant removed", lambda core, handle: core.engine.tenants.delete("t1")),
    ("with the others of a guest", lambda core, handle: _upgraded(core)),
]


def _upgraded(core: Driver) -> object:
    """Put a session in the place of one of a user, with whom all others of that user end."""
    one = core.create("user").handle
    return core.create("another", replaces=Replaces(handle=one, with_others=True))


@pytest.mark.parametrize("end", [end for _, end in ENDS], ids=[name for name, _ in ENDS])
def test_every_ending_is_seen_by_the_others(
    pair: tuple[Driver, Driver], end: Callable[[Driver, str], object]
):
    """CP-16: in one's own process before the call returns."""
    one, other = pair
    one.engine.tenants.put("t1", {})
    handle = one.create(tenant_id="t1").handle
    assert known_to(other) == set()
    end(one, handle)
    assert handle in log_of(one).revoked.handles
    assert handle in known_to(other)
    assert known_to(other) == set(log_of(one).revoked.handles)


def test_a_process_reads_every_second():
    """CP-16: where no word arrives; of the five seconds that are promised the others are for trouble."""
    assert USUAL_PACE.poll_s == 1


def test_a_reused_token_ends_the_session_everywhere(pair: tuple[Driver, Driver], clock: Clock):
    """CP-16: a theft as well."""
    one, other = pair
    stolen = one.create()
    one.refresh(one.refresh(stolen))
    clock.advance(minutes=1)
    one.refresh(stolen)
    assert known_to(other) == {stolen.handle}


def test_sessions_that_expire_are_not_remembered(pair: tuple[Driver, Driver], clock: Clock):
    """Their access tokens have expired, too."""
    one, other = pair
    one.create()
    clock.advance(days=101)
    assert one.engine.clean_up().sessions == 1
    assert known_to(one) == known_to(other) == set()


def test_what_was_rolled_back_is_not_recorded(pair: tuple[Driver, Driver]):
    """The row belongs to the transaction."""
    one, other = pair
    session = one.create()
    log = log_of(one)
    record = log.ended

    def fail(*given: Any) -> None:
        record(*given)
        raise EngineUnavailableError("in the middle")

    log.ended = fail  # type: ignore[method-assign]
    with pytest.raises(EngineUnavailableError):
        one.engine.sessions.revoke([session.handle])
    assert known_to(one) == known_to(other) == set()


def test_a_start_reads_what_is_live_and_a_life_later_nothing_is_left(
    pair: tuple[Driver, Driver], start: Opener, clock: Clock
):
    """CP-20: with a minute for clocks that are apart."""
    one, other = pair
    handle = one.create().handle
    one.engine.sessions.revoke([handle])
    clock.advance(s=LIFE_S + 60)
    late = start(one.uri, now_ms=clock, features=ON)
    assert known_to(one) == known_to(other) == known_to(late) == {handle}
    clock.advance(ms=1)
    assert known_to(one) == known_to(other) == known_to(late) == set()
    assert known_to(start(one.uri, now_ms=clock, features=ON)) == set()
    clock.advance(hours=48)
    assert one.count("supertokens_py_revocations") == 1
    one.engine.clean_up()
    assert one.count("supertokens_py_revocations") == 0


def test_a_start_leaves_old_rows_alone(pair: tuple[Driver, Driver], start: Opener, clock: Clock):
    """They are kept for two days, and reading goes on behind them."""
    one, _ = pair
    for _ in range(3):
        one.engine.sessions.revoke([one.create().handle])
    clock.advance(hours=2)
    late = start(one.uri, now_ms=clock, features=ON)
    assert known_to(late) == set()
    assert log_of(late).position.last == 3
    handle = one.create().handle
    one.engine.sessions.revoke([handle])
    assert known_to(late) == {handle}


def test_a_command_that_does_not_know_the_life_of_tokens(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
):
    """The process that reads goes by its own setting, the longer of both."""
    command = start(fresh_shared.uri, now_ms=clock, features=ON, access_token_validity=60)
    reader = start(fresh_shared.uri, now_ms=clock, features=ON)
    handle = command.create().handle
    command.engine.sessions.revoke([handle])
    clock.advance(s=LIFE_S)
    assert known_to(start(fresh_shared.uri, now_ms=clock, features=ON)) == known_to(reader) == {handle}


def test_a_token_that_lives_longer_than_was_known_while_the_log_is_read(pair: tuple[Driver, Driver]):
    """What was forgotten too early is read again, by the next request."""
    log = log_of(pair[0])
    read = log.statements.read

    def meanwhile(*given: Any) -> Any:
        log.remember(2 * LIFE_S * 1000)
        return read(*given)

    log.statements.read = meanwhile  # type: ignore[method-assign]
    assert log.catch_up()
    assert log.revoked.fresh_until_ms == 0
    assert log.catch_up()
    assert log.revoked.fresh_until_ms > 0


def test_a_log_that_cannot_be_read_while_it_is_fresh_is_no_news(
    pair: tuple[Driver, Driver], caplog: pytest.LogCaptureFixture
):
    """Nothing that it does not know can have been missed yet."""
    log = log_of(pair[0])
    assert log.catch_up()
    with refused_units(pair[0].database, "the database is down"):
        log.poll()
    assert caplog.messages == []
    assert log.revoked.fresh_until_ms > 0


def test_a_database_in_memory_is_never_behind(start: Opener, clock: Clock):
    """Nobody else can revoke anything in it: what this process knows stays true, and nothing is read."""
    core = start("sqlite://", features=ON, now_ms=clock)
    assert log_of(core).catch_up()
    handle = core.create().handle
    core.engine.sessions.revoke([handle])
    assert set(log_of(core).revoked.handles) == {handle}
    clock.advance(days=10_000)
    assert log_of(core).revoked.fresh_until_ms >= clock()


def test_ten_thousand_revocations_in_one_call(pair: tuple[Driver, Driver]):
    """Twenty rows; the others know all of them."""
    one, other = pair
    assert known_to(other) == set()
    rows = [
        {"session_handle": f"h{n}", "user_id": "u", "refresh_token_hash_2": "x", "session_data": "{}",
         "jwt_user_payload": "{}", "expires_at": 2**50, "created_at_time": n, "use_static_key": False}
        for n in range(10_000)
    ]  # fmt: skip
    one.seed({"session_info": rows})
    handles = [str(row["session_handle"]) for row in rows]
    assert len(one.engine.sessions.revoke(handles)) == 10_000
    assert known_to(other) == set(handles) == set(log_of(one).revoked.handles)
    assert one.count("supertokens_py_revocations") == 20


def test_too_many_to_remember_become_one_time(
    pair: tuple[Driver, Driver],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """Everybody refreshes once: written as one row where one call ends them, folded where many do."""
    monkeypatch.setattr(revoked_sessions, "MAX_REMEMBERED", 3)
    monkeypatch.setattr("supertokens_py.engine.embedded.revocation.revocation_rows.MAX_REMEMBERED", 3)
    one, other = pair
    at_ms = clock()
    one.engine.sessions.revoke([one.create().handle for _ in range(4)])
    clock.advance(s=1)
    one.engine.sessions.revoke([one.create().handle for _ in range(2)])
    assert known_to(other) == set(log_of(other).revoked.handles)
    assert log_of(other).revoked.cut_off_ms == log_of(one).revoked.cut_off_ms == at_ms
    one.engine.sessions.revoke([one.create().handle for _ in range(2)])
    assert known_to(one) == set()
    assert log_of(one).revoked.cut_off_ms == clock()
    assert "4 sessions were revoked: every session has to refresh once" in caplog.text
    clock.advance(s=LIFE_S + 61)
    log_of(one).poll()
    assert log_of(one).revoked.cut_off_ms == -1


def test_keys_that_are_renewed_end_every_session_everywhere(
    fresh_shared: TestDatabase, pair: tuple[Driver, Driver], start: Opener, clock: Clock
):
    """CP-16: one row says so, whoever renews them; a kept key ends nothing."""
    one, other = pair
    one.create()
    command = start(fresh_shared.uri, now_ms=clock, features=ON)
    command.keys.renew(RenewalOrder(master=True, keep_sessions_ms=1000))
    log_of(other).poll()
    assert log_of(other).revoked.cut_off_ms == log_of(command).revoked.cut_off_ms == -1
    clock.advance(s=1)
    command.keys.renew(RenewalOrder(master=True))
    assert log_of(command).revoked.cut_off_ms == clock()
    assert known_to(one) == known_to(other) == set()
    assert log_of(one).revoked.cut_off_ms == log_of(other).revoked.cut_off_ms == clock()
    assert one.count("supertokens_py_revocations") == 1


@pytest.mark.postgres
def test_a_row_that_is_committed_later_under_a_lower_number(
    fresh_postgres_database: TestDatabase, start: Opener
):
    """CP-17: numbers are given out before the commit."""
    core = start(fresh_postgres_database.uri, features=ON)
    assert known_to(core) == set()
    now_ms = core.settings.now_ms()
    sql = "INSERT INTO supertokens_py_revocations (at_ms, handles, until_ms) VALUES (%s, %s, %s)"
    with psycopg.connect(core.uri) as slow, psycopg.connect(core.uri) as fast:
        slow.execute(sql, (now_ms, '["first"]', now_ms + 60_000))
        fast.execute(sql, (now_ms, '["second"]', now_ms + 60_000))
        fast.commit()
        assert known_to(core) == {"second"}
        slow.commit()
        assert known_to(core) == {"first", "second"}
    assert log_of(core).position.gaps == {}


def test_numbers_that_never_appear_are_given_up():
    """Their transactions were rolled back. At a start only the last ones are looked for."""
    position = Position()
    position.passed([5000], now_s=0)
    assert list(position.gaps) == list(range(4901, 5000))
    position.passed([4999, 5003], now_s=1)
    assert position.last == 5003
    assert list(position.gaps) == [*range(4901, 4999), 5001, 5002]
    position.passed([], now_s=GAP_PATIENCE_S)
    assert list(position.gaps) == [5001, 5002]
    position.passed([5002], now_s=GAP_PATIENCE_S + 1)
    assert (position.last, position.gaps) == (5003, {})
    position.passed([9000], now_s=0)
    assert (min(position.gaps), len(position.gaps)) == (8000, 1000)
    position.passed([9002], now_s=0)
    assert (min(position.gaps), max(position.gaps), len(position.gaps)) == (8001, 9001, 1000)


@pytest.mark.postgres
def test_after_a_lost_connection_everything_is_read_again(
    fresh_postgres_database: TestDatabase, start: Opener
):
    """It may lead to another server, which has given other numbers out."""
    core = start(fresh_postgres_database.uri, features=ON)
    core.engine.sessions.revoke([core.create().handle])
    assert len(known_to(core)) == 1
    other = start(core.uri, features=ON)
    log_of(core).position.last = 1000
    other.engine.sessions.revoke([other.create().handle])
    assert len(known_to(core)) == 1
    mine = "datname = current_database() AND pid <> pg_backend_pid()"
    fresh_postgres_database.query(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {mine}")
    assert until(lambda: len(known_to(core)) == 2)


def test_a_session_that_was_revoked_twice_is_remembered_until_the_later_time():
    revoked = revoked_sessions.RevokedSessions()
    revoked.add([Revocation(handles=["h"], at_ms=1, until_ms=until_ms) for until_ms in (10, 20)])
    revoked.forget(15)
    assert revoked.handles == {"h": 20}
    revoked.forget(21)
    assert revoked.handles == {}


def test_who_watches_a_session_is_told_whatever_the_others_do(caplog: pytest.LogCaptureFixture):
    """A watcher that fails is logged; who does not watch any more, and says so twice, is not called."""
    revoked, told = revoked_sessions.RevokedSessions(), list[str]()

    def fail() -> None:
        raise ValueError

    revoked.watch("h", fail)
    unwatch = revoked.watch("h", lambda: told.append("former"))
    unwatch()
    unwatch()
    revoked.watch("h", lambda: told.append("watcher"))
    revoked.add([Revocation(handles=["h"], at_ms=1, until_ms=10)])
    assert told == ["watcher"]
    assert caplog.messages == ["what was to happen to a revoked session failed"]


# -- being told -----------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_a_word_wakes_the_other_process(fresh_postgres_database: TestDatabase, start: Opener):
    """CP-16: long before the next reading."""
    one, other = (start(fresh_postgres_database.uri, features=ON, pace=ONLY_WORDS) for _ in range(2))
    assert log_of(other).catch_up()
    for _ in range(3):
        handle = one.create().handle
        one.engine.sessions.revoke([handle])
        assert until(lambda handle=handle: handle in log_of(other).revoked.handles)


@pytest.mark.postgres
def test_what_was_revoked_while_nobody_listened(fresh_postgres_database: TestDatabase, start: Opener):
    """CP-17: the connection that listens is killed; everything is read once there is another one."""
    pace = Pace(poll_s=3600, gather_s=0, listen_again_s=0.05)
    one = start(fresh_postgres_database.uri, features=ON, pace=ONLY_WORDS)
    other = start(fresh_postgres_database.uri, features=ON, pace=pace)
    listening = (
        "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = current_database()"
    )
    assert log_of(other).catch_up()
    assert until(lambda: fresh_postgres_database.query(listening))
    handle = one.create().handle
    fresh_postgres_database.query(f"SELECT pg_terminate_backend(pid) FROM ({listening}) listeners")
    one.engine.sessions.revoke([handle])
    assert until(lambda: handle in log_of(other).revoked.handles)
    after = one.create().handle
    assert until(lambda: fresh_postgres_database.query(listening))
    one.engine.sessions.revoke([after])
    assert until(lambda: after in log_of(other).revoked.handles)


EVERYTHING = SessionFeatures(
    details=True, events=True, revocations=True, limits=True, device_keys=True, events_of_refreshes=True
)


@pytest.mark.postgres
@pytest.mark.parametrize("features", [ON, EVERYTHING], ids=["alone", "with every feature"])
def test_only_revocations_announce_anything(
    fresh_postgres_database: TestDatabase, start: Opener, features: SessionFeatures
):
    """CP-18: a transaction with NOTIFY waits for every other one that has it."""
    core = start(fresh_postgres_database.uri, features=features, pace=ONLY_WORDS)
    limit = Limit(max_sessions=2, when_reached="end_oldest") if features.limits else None
    core.create()
    with logged_statements(core.database) as log:
        session = core.create("ada", limit=limit)
        session = core.refresh(session)
        core.engine.sessions.regenerate(session.access_token.text, payload={"a": 1})
        assert _verbs(log) >= {"INSERT", "UPDATE"}
        assert _announcements(log) == 0
        core.engine.sessions.revoke([session.handle])
        assert _announcements(log) == 1


@pytest.mark.postgres
def test_sessions_that_end_for_new_ones_are_announced(fresh_postgres_database: TestDatabase, start: Opener):
    """CP-18: a log-in that ends another session is a revocation as well."""
    core = start(fresh_postgres_database.uri, features=EVERYTHING, pace=ONLY_WORDS)
    first, bob = core.create("ada"), core.create("bob")
    with logged_statements(core.database) as log:
        core.create("ada", limit=Limit(max_sessions=1, when_reached="end_oldest"))
        assert _announcements(log) == 1
        log.clear()
        core.create("bob", replaces=Replaces(handle=bob.handle))
        assert _announcements(log) == 1
    assert core.row(first.handle) is None


def _announcements(log: list[str]) -> int:
    return sum("notify" in one.lower() for one in log)


def _verbs(log: list[str]) -> set[str]:
    return {one.partition(" ")[0].upper() for one in log}


@pytest.mark.postgres
def test_a_process_that_is_told_nothing_says_so_once(
    fresh_postgres_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
):
    """It sends itself a word now and then; here the channel is another one."""
    pace = Pace(poll_s=0.01, gather_s=0, self_test_s=0.01, heard_within_s=0.01)
    core = start(fresh_postgres_database.uri, features=ON, pace=pace)
    log = log_of(core)
    send = log.statements.send
    sent: list[str] = []

    def lose(connection: Any, word: str) -> None:
        sent.append(word)

    log.statements.send = lose  # type: ignore[method-assign]
    assert log.catch_up()
    assert until(lambda: len(sent) >= 3)
    warnings = [record.message for record in caplog.records if "does not tell" in record.message]
    assert len(warnings) == 1
    assert "listen_uri" in warnings[0]
    log.statements.send = send  # type: ignore[method-assign]
    handle = core.create().handle
    other = start(fresh_postgres_database.uri, features=ON)
    other.engine.sessions.revoke([handle])
    assert until(lambda: handle in log.revoked.handles)


@pytest.mark.postgres
@pytest.mark.parametrize("room_for", [None, "supertokens-revocations"], ids=["no thread", "one of two"])
def test_without_room_for_threads_requests_read_themselves(
    fresh_postgres_database: TestDatabase,
    start: Opener,
    caplog: pytest.LogCaptureFixture,
    room_for: str | None,
):
    """CP-16: none fails, no half of the threads stays, and both run as soon as there is room."""
    one, other = (start(fresh_postgres_database.uri, features=ON, pace=ONLY_WORDS) for _ in range(2))
    before = {thread for thread in threading.enumerate() if thread.name == "supertokens-revocations"}
    first, second = (one.create().handle for _ in range(2))
    one.engine.sessions.revoke([first])
    log = log_of(other)
    with no_new_threads(but=room_for):
        assert log.catch_up()
    assert set(log.revoked.handles) == {first}
    assert not log.is_running()
    assert "requests read revoked sessions themselves: can't start new thread" in caplog.messages
    after = {thread for thread in threading.enumerate() if thread.name == "supertokens-revocations"}
    assert after - before == set()
    assert log.catch_up()
    one.engine.sessions.revoke([second])
    assert until(lambda: second in log.revoked.handles)


@pytest.mark.postgres
def test_behind_a_pooler_it_polls_and_says_so_once(
    postgres_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
):
    """CP-18: what a pooler accepts to listen to arrives nowhere, or at somebody else's."""
    pace = Pace(poll_s=0.01, gather_s=0, listen_again_s=0)
    with pooler_relay(postgres_database.uri) as uri:
        core = start(postgres_database.uri, features=ON, pace=pace, listen_uri=uri)
        log = log_of(core)
        assert log.catch_up()
        handle = core.create().handle
        core.engine.sessions.revoke([handle])
        assert until(lambda: handle in log.revoked.handles)
        assert until(lambda: not named("supertokens-listener"))
        (said,) = (one for one in caplog.messages if "pooler" in one)
        assert said.startswith(f"{locate(uri).name} is a pooler, which tells nobody of revocations: ")
        assert said.endswith("Set EngineConfig(listen_uri=...) to a direct connection for less")


def named(name: str) -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == name}


@pytest.mark.postgres
def test_failures_of_our_own_end_no_thread(
    fresh_postgres_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
):
    """CP-16: they are logged with their trace; reading and listening begin anew."""
    core = start(fresh_postgres_database.uri, features=ON, pace=ONLY_WORDS)
    owner = Owner(core, Pace(poll_s=0.01, gather_s=0, listen_again_s=0.01), fails_first=True)
    poller = Poller(owner, listens=True)
    poller.start()
    assert until(lambda: owner.polls >= 2 and owner.statements.sent >= 2)
    poller.stop()
    assert sorted(caplog.messages) == [
        "listening for revocations failed",
        "reading revoked sessions failed",
    ]


@pytest.mark.postgres
def test_the_threads_end_with_their_log(fresh_postgres_database: TestDatabase, start: Opener):
    """Nobody has to stop them."""
    core = start(fresh_postgres_database.uri, features=ON, pace=ONLY_WORDS)
    before = set(threading.enumerate())
    owner = Owner(core, Pace(poll_s=3600, gather_s=0, listen_again_s=0, self_test_s=0.01))
    poller = Poller(owner, listens=True)
    poller.start()
    statements = owner.statements
    assert until(lambda: statements.sent >= 1)
    del owner
    assert until(lambda: not set(threading.enumerate()) - before)
    poller.stop()
    poller.start()
    assert not poller.is_running()


def test_without_room_for_the_thread_nothing_runs(
    sqlite_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
):
    """CP-16: on SQLite there is one, which reads."""
    owner = Owner(start(sqlite_database.uri, features=ON, pace=ONLY_WORDS), ONLY_WORDS)
    poller = Poller(owner, listens=False)
    with no_new_threads():
        poller.start()
    assert not poller.is_running()
    assert caplog.messages == ["requests read revoked sessions themselves: can't start new thread"]


class Owner:
    """A log that threads run for, which counts how often they read."""

    def __init__(self, core: Driver, pace: Pace, *, fails_first: bool = False) -> None:
        self.database, self.pace = core.database, pace
        self.statements = Counted(core.database.tables, fails_first=fails_first)
        self._fails_first = fails_first
        self.polls = 0

    def poll(self) -> None:
        self.polls += 1
        if self._fails_first and self.polls == 1:
            raise ValueError("of reading")


class Counted(RevocationStatements):
    """Counts the words that a process sends itself."""

    def __init__(self, tables: Tables, *, fails_first: bool) -> None:
        super().__init__(tables)
        self._fails_first = fails_first
        self.sent = 0

    def send(self, connection: Connection, word: str) -> None:
        self.sent += 1
        if self._fails_first and self.sent == 1:
            raise ValueError("of sending")
        super().send(connection, word)


def test_a_forked_child_reads_and_listens_itself(fresh_shared: TestDatabase, start: Opener):
    """CP-16: with the first request; the parent goes on listening."""
    one = start(fresh_shared.uri, features=ON)
    pace = Pace(poll_s=0.02, gather_s=0) if fresh_shared.kind != "postgresql" else ONLY_WORDS
    forking = start(fresh_shared.uri, features=ON, pace=pace)
    first, second, third = (one.create().handle for _ in range(3))
    log = log_of(forking)
    assert log.catch_up()
    one.engine.sessions.revoke([first])
    assert until(lambda: first in log.revoked.handles)

    def child() -> None:
        assert log.revoked.fresh_until_ms == 0
        assert log.catch_up()
        one.engine.sessions.revoke([second])
        assert until(lambda: second in log.revoked.handles)
        names = {thread.name for thread in threading.enumerate()}
        assert "supertokens-revocations" in names
        forking.close()

    assert in_child(child) == "None"
    assert until(lambda: second in log.revoked.handles)
    one.engine.sessions.revoke([third])
    assert until(lambda: third in log.revoked.handles)
