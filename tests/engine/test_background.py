"""Work off the request path: activity, clean-ups, and the thread that does them."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest

from supertokens_py.engine.embedded import background, cleanup
from supertokens_py.engine.embedded.background import BackgroundThread, Pace
from supertokens_py.engine.embedded.cleanup import CleanedUp, Cleaner
from supertokens_py.engine.embedded.session_state import activity
from supertokens_py.engine.embedded.session_state.session_rows import SESSIONS
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock, Stopwatch
from tests.support.databases import Sqlite, TestDatabase
from tests.support.threads import no_new_threads
from tests.support.units import before_each_statement, refused_units

MONTHS_MS = 144_000 * 60_000


#: The thread starts with the first write, and hardly waits for more.
IMPATIENT = Pace(start_s=0, batch_s=0.01)


def until(condition: object, patience_s: float = 40) -> bool:
    deadline = time.monotonic() + patience_s
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def background_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "supertokens-background"}


def test_a_clean_up_deletes_what_has_expired(core: Driver, clock: Clock):
    """14: `exp <= now`, and nothing that still lives."""
    old = core.create()
    clock.advance(ms=1)
    new = core.create()
    clock.advance(ms=MONTHS_MS - 1)
    core.clean_up()
    assert core.row(old.handle) is None
    assert core.row(new.handle) is not None
    assert core.clean_up() == CleanedUp(sessions=0, keys=0)


def test_a_clean_up_works_in_batches(core: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """However many rows there are."""
    monkeypatch.setattr(cleanup, "BATCH", 100)
    rows = [
        {"session_handle": f"h{n}", "user_id": "u", "refresh_token_hash_2": "x", "session_data": "{}",
         "jwt_user_payload": "{}", "expires_at": clock(), "created_at_time": n, "use_static_key": False}
        for n in range(1234)
    ]  # fmt: skip
    core.seed({"session_info": rows})
    assert core.clean_up().sessions == 1234
    assert core.count("session_info") == 0


def test_a_clean_up_that_fails_in_part_deletes_sessions_and_keys(
    core: Driver, clock: Clock, caplog: pytest.LogCaptureFixture
):
    """And says what failed, to whoever asked for it."""
    core.create()
    clock.advance(ms=MONTHS_MS)
    cleaner = Cleaner(core.database, core.ring, core.settings)
    for name in ("one", "two"):
        cleaner.also(lambda _, name=name: {}[name])
    with pytest.raises(KeyError, match="one"):
        cleaner.clean_up()
    assert core.count("session_info") == 0
    assert core.count("session_access_token_signing_keys") == 0
    assert "another part of the clean-up failed: 'two'" in caplog.messages


def test_one_process_sweeps_per_interval(shared_database: TestDatabase, start: Opener, clock: Clock):
    """Whoever gets there first; the first interval begins with the database."""
    one = start(shared_database.uri, now_ms=clock, clean_up_interval=12)
    other = start(shared_database.uri, now_ms=clock, clean_up_interval=12)
    one.create("old")
    one.clean_up_if_first()
    clock.advance(days=101)
    before = one.count("session_info")
    other.clean_up_if_first()
    assert one.count("session_info") == before - 1
    one.create("x")
    one.change_row(one.sessions.user_handles("x", tenant_id=None)[0], expires_at=clock())
    one.clean_up_if_first()
    clock.advance(hours=11.9)
    other.clean_up_if_first()
    assert one.count("session_info") == 1
    clock.advance(hours=0.1)
    one.clean_up_if_first()
    assert one.count("session_info") == 0


def test_a_clean_up_passes_over_locked_rows(postgres_database: TestDatabase, start: Opener, clock: Clock):
    """A row that a refresh holds is not waited for."""
    core = start(postgres_database.uri, now_ms=clock)
    held, free = core.create(), core.create()
    clock.advance(ms=MONTHS_MS)
    database = core.database
    table = database.tables[SESSIONS]

    def unit(connection: object) -> None:
        row = table.select().where(table.c.session_handle == held.handle).with_for_update()
        connection.execute(row).first()  # type: ignore[attr-defined]
        assert core.clean_up().sessions == 1

    database.write(unit)
    assert core.row(free.handle) is None
    assert core.row(held.handle) is not None


def test_activity_is_throttled_and_counted(database: TestDatabase, start: Opener, clock: Clock):
    """CS-106: create and refresh within five minutes are one write; nobody is active in the future."""
    stopwatch = Stopwatch()
    core = start(database.uri, now_ms=clock, monotonic_s=stopwatch)
    began = clock()
    core.refresh(core.create("a"))
    clock.advance(ms=5)
    core.create("b")
    assert core.users.count_active(began) == 2
    assert core.users.count_active(began + 5) == 1
    assert core.users.count_active(began + 6) == 0
    clock.advance(ms=5)
    stopwatch.advance(299)
    core.create("a")
    assert core.users.count_active(began + 6) == 0
    stopwatch.advance(1)
    core.create("a")
    assert core.users.count_active(began + 6) == 1


def test_the_memory_of_activity_is_bounded(core: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """Beyond its size it starts anew: nobody is forgotten who was not written, some are written again."""
    monkeypatch.setattr(activity, "MAX_REMEMBERED", 3)
    began = clock()
    for user in "abcd":
        core.create(user)
    assert core.users.count_active(began) == 4
    clock.advance(ms=5)
    core.create("d")
    assert core.users.count_active(began + 5) == 0
    core.create("a")
    assert core.users.count_active(began + 5) == 1


def test_activity_is_written_by_itself(database: TestDatabase, start: Opener):
    """21: off the request path, in batches."""
    core = start(database.uri, pace=IMPATIENT)
    core.create("a")
    core.sessions.revoke_user("b", tenant_id=None)
    assert until(lambda: core.count("user_last_active") == 2)


def test_closing_writes_what_is_pending(shared_database: TestDatabase, start: Opener, clock: Clock):
    """Nothing waits for the batch when the process ends in order; the engine can go on afterwards."""
    core, before = start(shared_database.uri, now_ms=clock, pace=Pace(start_s=0)), background_threads()
    core.create("a")
    core.close()
    assert background_threads() <= before
    assert shared_database.query("SELECT user_id, last_active_time FROM user_last_active") == [("a", clock())]
    core.create("b")
    core.close()
    assert core.count("user_last_active") == 2


def test_a_failing_flush_hurts_nobody(
    sqlite_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
):
    """21: failures are swallowed."""
    core = start(sqlite_database.uri, pace=IMPATIENT)

    def refuse() -> None:
        raise EngineUnavailableError("the disk is gone")

    with before_each_statement(core.database, "INTO user_last_active", refuse), caplog.at_level("INFO"):
        core.create("a")
        core.close()
    assert "activity of 1 users was not recorded: the disk is gone" in caplog.messages


def test_uses_of_sessions_that_cannot_be_written_hurt_nobody(
    sqlite_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
):
    core = start(sqlite_database.uri, features=SessionFeatures(details=True))
    core.sessions.seen(core.create().handle)
    with refused_units(core.database, "the disk is gone"), caplog.at_level("INFO"):
        core.engine.flush()
    assert "the use of 1 sessions was not recorded: the disk is gone" in caplog.messages


def test_the_thread_ends_with_its_engine(sqlite_files: Sqlite):
    """An engine that nobody refers to is collected, and its thread with it."""
    gc.freeze()  # what other tests left is no part of it, and would make each collection slow
    before = background_threads()
    driver = Driver(sqlite_files.create().uri, pace=IMPATIENT)
    driver.create()
    own = background_threads() - before
    assert len(own) == 1
    gone = weakref.ref(driver.engine)
    driver.database.close()
    del driver
    assert until(lambda: gc.collect() >= 0 and gone() is None)
    assert until(lambda: gc.collect() >= 0 and not own & background_threads())
    gc.unfreeze()


def test_an_owner_that_is_dropped_during_its_own_work():
    """Its thread holds the last reference then, and ends without waiting for itself."""
    running, go_on = threading.Event(), threading.Event()

    def flush() -> None:
        running.set()
        assert go_on.wait(40)

    keeper = BackgroundThread(
        flush=flush, clean_up=lambda: None, clean_up_every_s=0, pace=Pace(start_s=0, batch_s=0)
    )
    before = background_threads()
    keeper.wake()
    (thread,) = background_threads() - before
    assert running.wait(40)
    gone = weakref.ref(keeper)
    del keeper
    assert gone() is not None
    go_on.set()
    thread.join(40)
    assert gone() is None
    assert not thread.is_alive()


def test_the_thread_does_not_keep_the_interpreter(sqlite_database: TestDatabase):
    """A script that forgets to close ends at once, without a word."""
    script = (
        "from supertokens_py.engine.embedded.background import Pace\n"
        "from tests.engine.driver import Driver\n"
        f"core = Driver({sqlite_database.uri!r}, pace=Pace(start_s=0))\ncore.create('a')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True, timeout=50
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_the_clean_up_is_run_when_it_is_due():
    """The thread asks once after a while, then every interval, an hour at most between the questions."""
    done: list[str] = []
    keeper = BackgroundThread(
        flush=lambda: done.append("flush"),
        clean_up=lambda: done.append("clean-up"),
        clean_up_every_s=7200,
        pace=Pace(first_clean_up_s=0),
    )
    assert keeper.run_due() == 3600
    assert done == ["flush", "clean-up"]
    assert 3540 < keeper.run_due() < 3600
    assert done == ["flush", "clean-up", "flush"]
    never = BackgroundThread(flush=lambda: None, clean_up=lambda: done.append("never"), clean_up_every_s=0)
    assert never.run_due() == 3600
    assert "never" not in done


def test_without_room_for_a_thread_requests_do_the_work(caplog: pytest.LogCaptureFixture):
    """Their own work is done: they must not fail. A thread takes over as soon as there is room."""
    flushed: list[threading.Thread] = []
    keeper = BackgroundThread(
        flush=lambda: flushed.append(threading.current_thread()),
        clean_up=lambda: None,
        clean_up_every_s=0,
        pace=Pace(start_s=0, batch_s=0),
    )
    with no_new_threads():
        keeper.wake()
        keeper.wake()
    assert flushed == [threading.current_thread()] * 2
    assert "background work is done by requests: can't start new thread" in caplog.messages
    keeper.wake()
    assert until(lambda: flushed[-1].name == "supertokens-background")
    keeper.stop()


def test_whoever_wakes_it_at_the_same_time_starts_one_thread(monkeypatch: pytest.MonkeyPatch):
    before = background_threads()
    keeper = BackgroundThread(
        flush=lambda: None, clean_up=lambda: None, clean_up_every_s=0, pace=Pace(start_s=0, batch_s=0)
    )
    others = iter([keeper.wake])

    class Time:
        @staticmethod
        def monotonic() -> float:
            next(others, lambda: None)()  # is first
            return time.monotonic()

    monkeypatch.setattr(background, "time", Time)
    keeper.wake()
    assert len(background_threads() - before) == 1
    keeper.stop()


@pytest.mark.parametrize("error", [EngineUnavailableError("away"), RuntimeError("defect")])
def test_background_work_survives_errors(error: Exception, caplog: pytest.LogCaptureFixture):
    """What fails is logged and tried again next time."""

    def fail() -> None:
        raise error

    with caplog.at_level("INFO"):
        BackgroundThread(flush=fail, clean_up=fail, clean_up_every_s=0).run_due()
    assert caplog.messages[0].startswith("background work")


def test_closing_waits_for_running_work(sqlite_database: TestDatabase):
    """No connection is left open behind a close: the unit that has one is given time to end first."""
    database = Driver(sqlite_database.uri).database
    closed, ended = threading.Event(), list[str]()

    def unit(_connection: object) -> None:
        threads[1].start()
        closed.wait(0.1)  # a close that did not wait would be through by now
        ended.append("unit")

    def close() -> None:
        database.close()
        ended.append("close")
        closed.set()

    threads = [threading.Thread(target=database.read, args=[unit]), threading.Thread(target=close)]
    threads[0].start()
    assert closed.wait(40)
    for thread in threads:
        thread.join(40)
    assert ended == ["unit", "close"]


@pytest.mark.parametrize("statement", ["", "del core"])
def test_an_engine_that_nobody_closes_warns_of_nothing(sqlite_database: TestDatabase, statement: str):
    """Python 3.13 warns of a SQLite connection that is dropped: ours are closed with their engine."""
    script = (
        f"import gc\nfrom tests.engine.driver import Driver\ncore = Driver({sqlite_database.uri!r})\n"
        f"core.sessions.user_handles('a', tenant_id=None)\n{statement}\ngc.collect()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
