"""Real faults: clients that go away, clocks that disagree, greenlets.

Elsewhere: application code that raises (test_hooks.py), servers killed and databases taken away under load
(test_storms.py), databases that are gone, full, locked or read-only (tests/engine/storage/test_database.py),
forks (tests/engine/test_forks.py), SIGTERM (tests/servers/test_trouble.py).
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest

from supertokens_py.engine.records import IssuedSession, TokenTheft, Unauthorised, Verified
from supertokens_py.testing.conformance import AsgiClient
from tests.engine.driver import Driver
from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.units import after_each_unit, before_each_unit

# -- the client is gone ----------------------------------------------------------------------------


# Django leaves the spooled body of a cancelled request to the garbage collector, which warns.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("framework", ["fastapi", "django_async"])
@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.05, 0.15])
def test_a_client_that_goes_away_while_it_refreshes(
    sqlite_database: TestDatabase,
    clock: Clock,
    framework: str,
    after_s: float,
) -> None:
    """The request is cancelled at any moment: the rotation is done or not, and the next refresh works."""
    site = Site(framework, sqlite_database.uri, clock).init()
    visitor = site.sign_in("header")
    client: Any = site.client
    assert isinstance(client, AsgiClient)
    database = site.engine.database

    def pause() -> None:
        time.sleep(0.05)

    async def cancelled() -> None:
        lines = [("authorization", f"Bearer {visitor.refresh_token}")]
        request = asyncio.ensure_future(client.send("POST", "/auth/session/refresh", lines))
        await asyncio.sleep(after_s)
        request.cancel()
        await asyncio.wait([request])

    with before_each_unit(database, pause), after_each_unit(database, pause):
        client.run(cancelled())
        time.sleep(0.15)  # a unit of work that had begun goes on without its request
    assert site.handles() == [visitor.handle]
    assert visitor.refresh().status == 200
    assert visitor.get("/database").json == {"user": "user-1"}
    assert visitor.refresh().status == 200
    site.close()
    gc.collect()


def test_clients_that_all_go_away(sqlite_database: TestDatabase, clock: Clock) -> None:
    """A hundred cancelled refreshes of one token, at random moments, log nobody out."""
    site = Site("fastapi", sqlite_database.uri, clock).init()
    visitor = site.sign_in("header")
    client: Any = site.client

    async def storm() -> None:
        lines = [("authorization", f"Bearer {visitor.refresh_token}")]
        requests = [
            asyncio.ensure_future(client.send("POST", "/auth/session/refresh", lines)) for _ in range(100)
        ]
        for request in requests:
            await asyncio.sleep(0.0005)
            request.cancel()
        await asyncio.wait(requests)

    client.run(storm())
    assert visitor.refresh().status == 200
    assert visitor.get("/database").status == 200
    site.close()


# -- clocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_s", [-25, -5, 5, 25])
def test_hosts_with_skewed_clocks_log_nobody_out(
    sqlite_database: TestDatabase, clock: Clock, skew_s: int
) -> None:
    """Skew below the grace window: tabs that refresh at two hosts at once, and in turn, stay logged in."""
    here = Driver(sqlite_database.uri, now_ms=clock)
    there = Driver(sqlite_database.uri, now_ms=lambda: clock() + skew_s * 1000)
    session = here.create()
    for _ in range(6):
        first, second = here.refresh(session), there.refresh(session)
        assert isinstance(first, IssuedSession)
        assert isinstance(second, IssuedSession)
        assert first.refresh_token.text == second.refresh_token.text
        clock.advance(minutes=10)
        session = first
        here, there = there, here
    here.close()
    there.close()


def test_skew_beyond_the_window_is_never_a_longer_one_than_documented(
    sqlite_database: TestDatabase, clock: Clock
) -> None:
    """A host that is behind by s sees the window s longer, one that is ahead sees it s shorter; no more."""
    here = Driver(sqlite_database.uri, now_ms=clock)
    behind = Driver(sqlite_database.uri, now_ms=lambda: clock() - 60_000)
    session = here.create()
    here.refresh(session)
    clock.advance(s=89)
    assert isinstance(behind.refresh(session), IssuedSession)
    clock.advance(s=2)
    assert isinstance(behind.refresh(session), TokenTheft)
    here.close()
    behind.close()


def test_sessions_outlive_a_clock_that_jumps_back(sqlite_database: TestDatabase, clock: Clock) -> None:
    """By an hour: sessions live on, refreshes work, and no key is made that older ones outlive."""
    core = Driver(sqlite_database.uri, now_ms=clock)
    session = core.create()
    clock.advance(hours=-1)
    refreshed = core.refresh(session)
    assert isinstance(refreshed, IssuedSession)
    assert isinstance(core.refresh(session), IssuedSession)
    clock.advance(hours=2)
    assert isinstance(core.refresh(refreshed), IssuedSession)
    core.close()


def test_sessions_outlive_a_clock_that_jumps_ahead(sqlite_database: TestDatabase, clock: Clock) -> None:
    """By half a year and back: what was signed and rotated meanwhile holds, and nobody needs a restart."""
    core = Driver(sqlite_database.uri, now_ms=clock)
    session, resting = core.create(), core.create()
    clock.advance(days=50)  # half of a session's life
    refreshed = core.refresh(session)
    assert isinstance(refreshed, IssuedSession)
    clock.advance(days=-50)
    assert isinstance(core.verify(refreshed), Verified)
    again = core.refresh(refreshed)
    assert isinstance(again, IssuedSession)
    assert isinstance(core.refresh(resting), IssuedSession)
    clock.advance(days=180)  # beyond it
    assert core.refresh(again) == Unauthorised("Session does not exist.", "session_gone")
    assert isinstance(core.refresh(core.create()), IssuedSession)
    core.close()


# -- rows that somebody else spoiled ---------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
@pytest.mark.parametrize(
    ("column", "value", "status"),
    [
        ("jwt_user_payload", "{", 500),
        ("jwt_user_payload", "[]", 500),
        ("jwt_user_payload", "\N{REPLACEMENT CHARACTER}", 500),
        ("session_data", "{", 200),  # a refresh does not look at it
        ("refresh_token_hash_2", "no hash", 401),
        ("expires_at", -1, 401),
    ],
)
def test_a_corrupted_row_costs_its_own_session_only(
    request: pytest.FixtureRequest, clock: Clock, kind: str, column: str, value: Any, status: int
) -> None:
    """It costs its own session at most: no tokens for what cannot be read, and everybody else goes on."""
    database: TestDatabase = request.getfixturevalue(f"{kind}_database")
    site = Site("flask", database.uri, clock).init()
    visitor, other = site.sign_in("header"), site.sign_in("header", "other")
    (kept,) = database.query(f"SELECT {column} FROM session_info WHERE session_handle = %s", visitor.handle)
    spoil = f"UPDATE session_info SET {column} = %s WHERE session_handle = %s"
    database.query(spoil, value, visitor.handle)
    reply = visitor.refresh()
    assert reply.status == status
    if status == 500:
        assert reply.session_parts == []
        database.query(spoil, kept[0], visitor.handle)  # mended: the tokens that it kept work
        assert visitor.refresh().status == 200
        assert visitor.get("/database").status == 200
    assert other.refresh().status == 200
    assert other.get("/database").json == {"user": "other"}
    site.engine.sessions.revoke([visitor.handle])
    assert site.handles() == []
    site.close()


# -- greenlets -------------------------------------------------------------------------------------

GREEN = """
    from gevent import monkey
    monkey.patch_all()
    import gevent, sys
    from gevent.pywsgi import WSGIServer
    import http.client
    from tests.framework.site import Site
    from tests.support.clock import Clock
    from tests.support.databases import fill

    uri = f"sqlite:///{sys.argv[1]}/green.db"
    fill(uri)
    site = Site("flask", uri, Clock()).init()
    server = WSGIServer(("127.0.0.1", 0), site.client.app, log=None)
    server.start()

    def ask(path, token):
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.request("POST", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("st-refresh-token"), answer.headers.get("st-access-token")

    visitor = site.sign_in("header")
    token = visitor.refresh_token
    for _ in range(5):
        jobs = [gevent.spawn(ask, "/auth/session/refresh", token) for _ in range(20)]
        gevent.joinall(jobs, timeout=30, raise_error=True)
        assert {job.value[0] for job in jobs} == {200}, [job.value for job in jobs]
        (token,) = {job.value[1] for job in jobs}
        checks = [gevent.spawn(ask, "/database", jobs[0].value[2]) for _ in range(20)]
        gevent.joinall(checks, timeout=30, raise_error=True)
        assert {check.value[0] for check in checks} == {200}
    server.stop()
    site.close()
    print("green")
"""


def test_greenlets_of_gevent_get_one_successor(tmp_path: Any) -> None:
    """Twenty greenlets of one gevent server refresh the same token at once: one successor, no deadlock."""
    pytest.importorskip("gevent")
    program = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(GREEN), str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=170, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "green"), done.stderr[-2000:]
