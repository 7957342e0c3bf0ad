"""Real faults: clients that go away, application code that raises, clocks that disagree, greenlets.

Elsewhere: databases that are gone, slow, full, locked or read-only (tests/engine/test_failures.py),
processes killed in mid-transaction (tests/engine/test_concurrency.py, tests/servers/test_crash.py), forks
(tests/engine/test_forks.py), SIGTERM and a lost database under load (tests/servers/test_trouble.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.engine.interface import IssuedSession, TokenTheft
from supertokens_py.recipe.session import InputErrorHandlers, InputOverrideConfig
from supertokens_py.recipe.session.claims import BooleanClaim
from tests.engine.driver import Driver
from tests.framework.clients.transport import AsgiClient
from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

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
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request is cancelled at any moment: the rotation is done or not, and the next refresh works."""
    site = Site(framework, sqlite_database.uri, clock).init()
    visitor = site.sign_in("header")
    client: Any = site.client
    assert isinstance(client, AsgiClient)
    database: Any = site.engine._database
    attempt = database._attempt

    def slow(*args: Any) -> Any:
        time.sleep(0.05)
        try:
            return attempt(*args)
        finally:
            time.sleep(0.05)

    async def cancelled() -> None:
        lines = [("authorization", f"Bearer {visitor.refresh_token}")]
        request = asyncio.ensure_future(client.send("POST", "/auth/session/refresh", lines))
        await asyncio.sleep(after_s)
        request.cancel()
        await asyncio.wait([request])

    with monkeypatch.context() as patch:
        patch.setattr(database, "_attempt", slow)
        client._runner.run(cancelled())
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

    client._runner.run(storm())
    assert visitor.refresh().status == 200
    assert visitor.get("/database").status == 200
    site.close()


# -- application code raises -----------------------------------------------------------------------


def broken(*args: Any, **kwargs: Any) -> Any:
    raise LookupError("a bug of the application")


async def broken_later(*args: Any, **kwargs: Any) -> Any:
    raise LookupError("a bug of the application")


def _functions(name: str, hook: Any) -> dict[str, Any]:
    def change(default: Any) -> Any:
        setattr(default, name, hook)
        return default

    return {"override": InputOverrideConfig(functions=change)}


def _apis(name: str, hook: Any) -> dict[str, Any]:
    def change(default: Any) -> Any:
        setattr(default, name, hook)
        return default

    return {"override": InputOverrideConfig(apis=change)}


def _handler(name: str, hook: Any) -> dict[str, Any]:
    return {"error_handlers": InputErrorHandlers(**{name: hook})}


def create(view: Any) -> Any:
    yield view.create("user-1")
    return {}


def merge(view: Any) -> Any:
    yield view.merge({"a": 1})
    return {}


def revoke(view: Any) -> Any:
    yield view.revoke()
    return {}


Act = Callable[[Site, Any], Any]
PLACES: dict[str, tuple[Callable[[Any], dict[str, Any]], Act]] = {
    "create_new_session": (
        lambda hook: _functions("create_new_session", hook),
        lambda site, visitor: site.post("/open", do=create),
    ),
    "get_session": (
        lambda hook: _functions("get_session", hook),
        lambda site, visitor: visitor.get("/protected"),
    ),
    "refresh_session": (
        lambda hook: _functions("refresh_session", hook),
        lambda site, visitor: visitor.refresh(),
    ),
    "revoke_session": (
        lambda hook: _functions("revoke_session", hook),
        lambda site, visitor: visitor.post("/protected", do=revoke),
    ),
    "get_global_claim_validators": (
        lambda hook: _functions("get_global_claim_validators", hook),
        lambda site, visitor: visitor.get("/protected"),
    ),
    "regenerate_access_token": (
        lambda hook: _functions("regenerate_access_token", hook),
        lambda site, visitor: visitor.post("/protected", do=merge),
    ),
    "refresh_post": (lambda hook: _apis("refresh_post", hook), lambda site, visitor: visitor.refresh()),
    "signout_post": (
        lambda hook: _apis("signout_post", hook),
        lambda site, visitor: visitor.post("/auth/signout"),
    ),
    "verify_session": (
        lambda hook: _apis("verify_session", hook),
        lambda site, visitor: visitor.get("/protected"),
    ),
    "get_token_transfer_method": (
        lambda hook: {"get_token_transfer_method": broken},
        lambda site, visitor: site.post("/open", do=create),
    ),
    "on_unauthorised": (
        lambda hook: _handler("on_unauthorised", hook),
        lambda site, visitor: site.get("/protected"),
    ),
    "on_try_refresh_token": (
        lambda hook: _handler("on_try_refresh_token", hook),
        lambda site, visitor: site.get("/protected", bearer=(visitor.access or "")[:-4] + "AAAA"),
    ),
}


@pytest.mark.parametrize("hook", [broken, broken_later])
@pytest.mark.parametrize("place", PLACES)
def test_an_exception_in_application_code(bare_site: Site, place: str, hook: Any) -> None:
    """A clear 500 that shows nothing, no tokens, nothing half-written: afterwards all is as before."""
    settings, act = PLACES[place]
    site = bare_site.init()
    visitor = site.sign_in("header")
    before = site.stored(visitor.handle)
    site.init(**settings(hook))
    try:
        reply = act(site, visitor)
    except LookupError:
        pass  # an SDK route under plain ASGI or WSGI: the server answers 500
    else:
        assert reply.status == 500
        assert reply.session_parts == []
        assert b"a bug of the application" not in reply.body
    site.init()
    assert site.stored(visitor.handle) == before
    assert site.handles() == [visitor.handle]
    assert visitor.refresh().status == 200
    assert visitor.get("/database").status == 200


@pytest.mark.parametrize("hook", [broken, broken_later])
def test_an_exception_in_the_theft_hook(bare_site: Site, hook: Any) -> None:
    """The session is over all the same: the engine revoked it before the hook was asked."""
    site = bare_site.init(**_handler("on_token_theft_detected", hook))
    visitor = site.sign_in("header")
    stolen = visitor.refresh_token
    visitor.refresh()
    site.clock.advance(minutes=5)
    visitor.refresh_token = stolen
    with contextlib.suppress(LookupError):
        assert visitor.refresh().status == 500
    assert site.stored(visitor.handle) is None


def test_an_exception_in_a_claim(site: Site) -> None:
    """A fetch or a validator that raises refuses the request, and the payload stays as it was."""
    visitor = site.sign_in("header")
    claim = BooleanClaim("admin", broken)
    site.world.validators = lambda given, session, context: [*given, claim.validators.is_true()]
    before = site.stored(visitor.handle)
    runs = site.world.runs
    assert visitor.get("/claims").status == 500
    assert (site.world.runs, site.stored(visitor.handle)) == (runs, before)
    site.world.validators = broken
    assert visitor.get("/claims").status == 500
    assert visitor.get("/protected").status == 200


# -- clocks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_s", [-25, -5, 5, 25])
def test_two_hosts_with_skewed_clocks(sqlite_database: TestDatabase, clock: Clock, skew_s: int) -> None:
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


def test_a_clock_that_jumps_back(sqlite_database: TestDatabase, clock: Clock) -> None:
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


def test_gevent(tmp_path: Any) -> None:
    """Twenty greenlets of one gevent server refresh the same token at once: one successor, no deadlock."""
    pytest.importorskip("gevent")
    program = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(GREEN), str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=55, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "green"), done.stderr[-2000:]
