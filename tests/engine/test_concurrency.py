"""Several real processes on one database."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from itertools import chain
from typing import Any

import pytest

from supertokens_py.engine.code_records import NewCode, PresentedCode, RestartFlow
from supertokens_py.engine.records import IssuedSession, TokenTheft, Unauthorised
from supertokens_py.engine.session_records import Limit, WhenReached
from supertokens_py.engine.user_records import EmailTaken, UserQuery
from tests.engine import processes
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, header
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

# Each process is forked from one that has imported everything and opened nothing.
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload([processes.__name__])

pytestmark = pytest.mark.timeout(240)


def test_16_parallel_refreshes_from_4_processes(shared_database: TestDatabase, start: Opener):
    """CS-53: every client gets the same token, and it is the live one."""
    core = start(shared_database.uri)
    session = core.create()
    arguments = [(shared_database.uri, session.refresh_token.text, 4, {})] * 4
    answers = list(chain.from_iterable(processes.run_all(CONTEXT, processes.refresh_many, arguments)))
    assert len(answers) == 16
    assert len(set(answers)) == 1
    assert core.refresh(answers[0]).handle == session.handle


def test_parallel_refreshes_without_a_window(shared_database: TestDatabase, start: Opener):
    """CS-54: exactly one OK, everybody else is reuse or too late, and the session is gone."""
    core = start(shared_database.uri)
    session = core.create()
    settings = {"refresh_token_rotation_grace_period": 0}
    arguments = [(shared_database.uri, session.refresh_token.text, 3, settings)] * 2
    answers = list(chain.from_iterable(processes.run_all(CONTEXT, processes.refresh_many, arguments)))
    assert len([text for text in answers if text.endswith(".V2")]) == 1
    assert len([text for text in answers if "reuse='RECENT_PREV'" in text]) == 1
    assert len([text for text in answers if text.startswith("Unauthorised")]) == 4
    assert core.row(session.handle) is None


def test_8_processes_start_at_once(empty_database: TestDatabase, start: Opener):
    """CS-71: one schema, one master key, one dynamic and one static key; all tokens are good."""
    uri = empty_database.uri
    results: list[tuple[str, str]] = processes.run_all(CONTEXT, processes.first_start, [(uri,)] * 8)
    assert empty_database.query("SELECT count(*) FROM key_value WHERE name = 'refresh_token_key'") == [(1,)]
    assert empty_database.query("SELECT count(*) FROM session_access_token_signing_keys") == [(1,)]
    assert empty_database.query("SELECT count(*) FROM jwt_signing_keys") == [(1,)]
    assert len({kid for _, kid in results}) == 1
    core = start(uri)
    assert len({core.refresh(token).handle for token, _ in results}) == 8


def test_64_clients_of_4_processes_sign_up_one_address(fresh_shared: TestDatabase, start: Opener):
    """SI-12: one user, whose password is that of the client that was answered with it."""
    core = start(fresh_shared.uri, keeps_users=True, argon2_memory_kb=1024, argon2_parallelism=1)
    assert core.users.count(tenant_id=None) == 0
    arguments = [(fresh_shared.uri, "ada@example.com", 16, number) for number in range(4)]
    results = processes.run_all(CONTEXT, processes.sign_up_many, arguments)
    (password,) = chain.from_iterable(made for made, _ in results)
    assert list(chain.from_iterable(others for _, others in results)) == [EmailTaken()] * 63
    assert core.users.count(tenant_id=None) == 1
    assert core.email_password.verify("public", "ada@example.com", password).emails == ["ada@example.com"]


def test_64_clients_of_4_processes_use_one_code(fresh_shared: TestDatabase, start: Opener):
    """SI-43: by code and by link, over two devices; one signs in, and there is one user."""
    core = start(fresh_shared.uri, keeps_users=True)
    made = [core.passwordless.create_code("public", NewCode(email="ada@example.com")) for _ in range(2)]
    ways = [
        PresentedCode(pre_auth_session_id=one.pre_auth_session_id, **way)
        for one in made
        for way in (
            {"link_code": one.link_code},
            {"device_id": one.device_id, "user_input_code": one.user_input_code},
        )
    ]
    arguments = [(fresh_shared.uri, ways, 16, {})] * 4
    answers = list(chain.from_iterable(processes.run_all(CONTEXT, processes.consume_many, arguments)))
    assert len(answers) == 64
    assert answers.count(RestartFlow()) == 63
    (user,) = core.users.page("public", UserQuery()).users
    assert user.id in answers


@pytest.mark.parametrize("when_reached", ["end_oldest", "refuse"])
def test_64_log_ins_of_4_processes_at_a_limit(
    shared_database: TestDatabase, start: Opener, when_reached: WhenReached
):
    """CP-15: three sessions live at the end, and no more at any moment; of refused ones there is no trace."""
    limit = Limit(max_sessions=3, when_reached=when_reached)
    arguments = [(shared_database.uri, 16, limit)] * 4
    results = processes.run_all(CONTEXT, processes.log_in_many, arguments)
    handles = list(chain.from_iterable(handles for handles, _, _ in results))
    refusals = list(chain.from_iterable(refusals for _, refusals, _ in results))
    assert max(chain.from_iterable(seen for _, _, seen in results)) == 3
    assert len(handles) == (64 if when_reached == "end_oldest" else 3)
    core = start(shared_database.uri)
    live = core.sessions.user_handles("ada", tenant_id=None)
    assert len(live) == 3
    assert set(live) <= set(handles)
    assert {(one.max_sessions, frozenset(one.handles)) for one in refusals} == (
        set() if when_reached == "end_oldest" else {(3, frozenset(live))}
    )
    assert shared_database.query("SELECT count(*) FROM session_info") == [(3,)]


def test_merges_of_different_keys_all_survive(shared_database: TestDatabase, start: Opener):
    """Under the lock of the row, across processes (engine: Changing a payload)."""
    core = start(shared_database.uri)
    session = core.create(payload={"kept": True})
    arguments = [
        (shared_database.uri, session.access_token.text, session.handle, number) for number in range(4)
    ]
    assert sum(processes.run_all(CONTEXT, processes.merge_keys, arguments)) == 40
    payload = core.sessions.information(session.handle).payload
    assert payload.keys() == {"kept"} | {
        f"{way}-{number}-{index}"
        for way in ("merge", "regenerate")
        for number in range(4)
        for index in range(5)
    }


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no kill -9")
def test_a_killed_writer_loses_nothing_that_it_acknowledged(shared_database: TestDatabase, start: Opener):
    """Every token that a client holds still refreshes, or its successor does."""
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(
        target=processes.write_until_killed, args=(sender, shared_database.uri), daemon=True
    )
    process.start()
    sender.close()
    tokens: dict[str, list[str]] = {}
    deadline = time.monotonic() + 40
    try:
        while len(tokens) < 60 and time.monotonic() < deadline:
            handle, token = receiver.recv()
            tokens.setdefault(handle, []).append(token)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        while True:
            handle, token = receiver.recv()
            tokens.setdefault(handle, []).append(token)
    except EOFError:
        pass
    process.join(40)
    receiver.close()
    assert len(tokens) >= 60
    core = start(shared_database.uri, sqlite_synchronous="NORMAL")
    for handle, held in tokens.items():
        assert core.refresh(held[-1]).handle == handle


def race(core: Driver, session: IssuedSession) -> tuple[Any, float, list[str], float]:
    """Refresh and revoke at once; return both answers and when each had come."""
    done: dict[str, Any] = {}
    barrier = threading.Barrier(2)

    def refresh() -> None:
        barrier.wait()
        done["began"] = time.monotonic()
        done["refreshed"] = core.refresh(session)

    def revoke() -> None:
        barrier.wait()
        done["revoked"] = core.sessions.revoke([session.handle])
        done["ended"] = time.monotonic()

    threads = [threading.Thread(target=work) for work in (refresh, revoke)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done["refreshed"], done["began"], done["revoked"], done["ended"]


def test_a_refresh_racing_a_revoke(shared_database: TestDatabase, start: Opener):
    """CS-55: never an answer after the revoke returned, and never a row."""
    core = start(shared_database.uri, sqlite_synchronous="NORMAL")
    seen: set[str] = set()
    for _ in range(40):
        session = core.create()
        refreshed, began, revoked, ended = race(core, session)
        seen.add(type(refreshed).__name__)
        assert revoked == [session.handle]
        assert core.row(session.handle) is None
        if isinstance(refreshed, IssuedSession):
            assert began < ended
            assert core.refresh(refreshed) == Unauthorised("Session does not exist.", "session_gone")
        else:
            assert refreshed == Unauthorised("Session does not exist.", "session_gone")
    assert seen <= {"IssuedSession", "Unauthorised"}


def test_a_chain_of_refreshes_by_racing_tabs(shared_database: TestDatabase, start: Opener):
    """Eight tabs that always refresh with the newest token they know are never logged out."""
    clock = Clock()
    core = start(shared_database.uri, now_ms=clock, sqlite_synchronous="NORMAL", sqlite_busy_timeout=60)
    session = core.create()
    known = [session.refresh_token.text]
    answers: list[Any] = []

    def tab(barrier: threading.Barrier) -> None:
        barrier.wait()
        answers.append(core.refresh(known[-1]))

    for _ in range(10):
        barrier = threading.Barrier(8)
        tabs = [threading.Thread(target=tab, args=(barrier,)) for _ in range(8)]
        for each in tabs:
            each.start()
        for each in tabs:
            each.join()
        texts = {answer.refresh_token.text for answer in answers}
        assert len(texts) == 1
        known.append(texts.pop())
        answers.clear()
        clock.advance(s=31)
    assert len(set(known)) == 11


def test_theft_is_found_by_another_process(shared_database: TestDatabase, start: Opener):
    """The state is in the database only: what one engine rotated, the other judges."""
    clock = Clock()
    one = start(shared_database.uri, now_ms=clock)
    other = start(shared_database.uri, now_ms=clock)
    session = one.create()
    stolen = session.refresh_token.text
    newest = one.refresh(session)
    clock.advance(s=31)
    newest = other.refresh(newest)
    assert one.refresh(stolen) == TokenTheft(
        handle=session.handle, user_id="user", recipe_user_id="user", reuse="STALE_LINEAGE"
    )
    assert other.refresh(newest) == Unauthorised("Session does not exist.", "session_gone")
    assert header(newest.access_token.text)["kid"] in one.engine.keys.key_set().keys
