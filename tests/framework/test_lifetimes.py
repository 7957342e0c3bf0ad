"""Lifetimes of single sessions and limits of their number, as clients of each framework meet them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from supertokens_py import Supertokens, get_request_from_user_context
from supertokens_py.events import Event, SessionRefused, subscribe
from supertokens_py.recipe import emailpassword
from supertokens_py.recipe.session import (
    InputErrorHandlers,
    InputOverrideConfig,
    SessionLifetime,
    SessionLimit,
    SessionLimitError,
)
from supertokens_py.testing.conformance import EPOCH, Reply
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import ASGI_AND_WSGI, CORE_DRIVERS, DRIVERS, SERVED, Site, Visitor
from .test_email_password import ADDRESS, PASSWORD, QUICK, AsyncOutbox, EmailDeliveryConfig, send

ALL = [*DRIVERS, *SERVED, "starlette", pytest.param("litestar", marks=pytest.mark.real)]


@pytest.fixture(params=ALL)
def everywhere(request: pytest.FixtureRequest, sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """An application of each framework that writes cookies in a way of its own."""
    site = Site(request.param, sqlite_files.create().uri, clock)
    yield site
    site.close()


def _ends(reply: Reply) -> dict[str, tuple[str | None, str | None]]:
    """Return `Expires` and `Max-Age` of each token cookie of a response."""
    assert reply.status == 200, reply.body
    return {
        cookie.name: (cookie.attributes.get("expires"), cookie.attributes.get("max-age"))
        for cookie in reply.set_cookies
    }


def _merge(view: Any) -> Any:
    yield view.merge({"plan": "pro"})


def _creating(user_id: str) -> Any:
    def script(view: Any) -> Any:
        yield view.create(user_id)

    return script


def test_cookies_that_end_with_the_browser(everywhere: Site) -> None:
    """CP-11: at sign-in, refresh and change of the payload; a sign-out deletes them with the epoch."""
    visitor = everywhere.init(lifetime=SessionLifetime(persistent=False)).sign_in()
    both = {"sAccessToken": (None, None), "sRefreshToken": (None, None)}
    assert _ends(visitor.first) == both
    assert _ends(visitor.post("/protected", do=_merge)) == {"sAccessToken": (None, None)}
    everywhere.clock.advance(minutes=5)
    assert _ends(visitor.refresh()) == both
    assert _ends(visitor.post("/protected", do=_merge)) == {"sAccessToken": (None, None)}
    assert _ends(visitor.post("/auth/signout")) == dict.fromkeys(both, (EPOCH, "0"))


def test_a_payload_that_changes_as_the_session_is_created(bare_site: Site) -> None:
    """CP-11: whether its cookies end with the browser is known from the creation, too."""
    bare_site.init(lifetime=SessionLifetime())

    def script(view: Any) -> Any:
        made = yield view.create("ada", lifetime=SessionLifetime(persistent=False))
        yield view.merge({"plan": "pro"}, made)

    reply = bare_site.post("/open", [("st-auth-mode", "cookie")], do=script)
    assert _ends(reply) == {"sAccessToken": (None, None), "sRefreshToken": (None, None)}
    assert reply.front["up"]["plan"] == "pro"


@ASGI_AND_WSGI
def test_other_cookies_stay_as_they_are(bare_site: Site) -> None:
    """A session that is persistent, beside one that is not: the cookies of each are its own."""
    bare_site.init(lifetime=SessionLifetime())
    for persistent in (True, False, True):
        visitor = bare_site.sign_in(lifetime=SessionLifetime(persistent=persistent))
        for reply in (visitor.first, visitor.post("/protected", do=_merge), visitor.refresh()):
            assert [expires is not None for expires, _ in _ends(reply).values()] == [persistent] * len(
                reply.set_cookies
            )
            assert [age is not None for _, age in _ends(reply).values()] == [persistent] * len(
                reply.set_cookies
            )


@ASGI_AND_WSGI
def test_overrides_change_nothing_of_it(bare_site: Site) -> None:
    """CP-11: functions of 0.24, which know nothing of lifetimes, in the place of ours."""

    def functions(original: Any) -> Any:
        create, regenerate = original.create_new_session, original.regenerate_access_token

        async def create_new_session(
            user_id: str, payload: Any, data: Any, disable: Any, tenant_id: str, user_context: Any
        ) -> Any:
            return await create(user_id, payload, data, disable, tenant_id, user_context)

        async def regenerate_access_token(token: str, payload: Any, user_context: Any) -> Any:
            return await regenerate(token, payload, user_context)

        original.create_new_session = create_new_session
        original.regenerate_access_token = regenerate_access_token
        return original

    bare_site.init(lifetime=SessionLifetime(), override=InputOverrideConfig(functions=functions))
    visitor = bare_site.sign_in(lifetime=SessionLifetime(persistent=False))
    both = {"sAccessToken": (None, None), "sRefreshToken": (None, None)}
    assert _ends(visitor.first) == both
    assert _ends(visitor.post("/protected", do=_merge)) == {"sAccessToken": (None, None)}
    assert _ends(visitor.refresh()) == both


@ASGI_AND_WSGI
def test_an_idle_session_is_refused_with_its_reason(bare_site: Site) -> None:
    """CP-9: a refresh at the last millisecond of its idle time keeps it; a millisecond later it is over."""
    bare_site.init(lifetime=SessionLifetime(idle=timedelta(minutes=20)))
    Supertokens.get_instance().debug = True
    visitor = bare_site.sign_in()
    for _ in range(3):
        bare_site.clock.advance(minutes=20)
        assert visitor.refresh().status == 200
    bare_site.clock.advance(minutes=20, ms=1)
    reply = visitor.refresh()
    assert (reply.status, reply.json) == (401, {"message": "unauthorised"})
    assert reply.header("supertokens-reason") == "session_expired_idle"
    assert reply.header("front-token") == "remove"
    assert bare_site.handles() == []


@ASGI_AND_WSGI
def test_a_session_has_an_end_whatever_is_refreshed(bare_site: Site) -> None:
    """CP-8: the access token ends with the session, and the refresh after it is refused."""
    bare_site.init(lifetime=SessionLifetime(absolute=timedelta(minutes=90)))
    visitor = bare_site.sign_in()
    end_s = (bare_site.clock.now_ms + 90 * 60_000) / 1000
    bare_site.clock.advance(minutes=59)
    assert visitor.refresh().front["up"]["exp"] <= end_s
    bare_site.clock.advance(minutes=31, ms=-1)
    assert visitor.refresh().front["up"]["exp"] <= end_s
    bare_site.clock.advance(ms=1)
    Supertokens.get_instance().debug = True
    assert visitor.refresh().header("supertokens-reason") == "session_expired_absolute"
    assert visitor.get("/protected").status == 401


@ASGI_AND_WSGI
@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_remember_me(bare_site: Site, mode: str) -> None:
    """A function looks at the request, which is in the user context; header mode has the idle limit only."""

    def lifetime(user_id: str, tenant_id: str, user_context: Any) -> SessionLifetime:
        request = get_request_from_user_context(user_context)
        assert request is not None
        return SessionLifetime(persistent=request.get_header("x-remember-me") == "yes")

    bare_site.init(lifetime=lifetime)

    def sign_in(remember: str) -> Reply:
        headers = [("st-auth-mode", mode), ("x-remember-me", remember)]
        reply = bare_site.post("/open", headers, do=_creating("ada"))
        assert reply.status == 200, reply.body
        return reply

    if mode == "cookie":
        assert [expires is None for expires, _ in _ends(sign_in("no")).values()] == [True, True]
        assert [expires is None for expires, _ in _ends(sign_in("yes")).values()] == [False, False]
    else:
        assert _ends(sign_in("no")) == {}
        bare_site.clock.advance(hours=12, ms=1)
        assert bare_site.handles("ada") == []


@pytest.mark.parametrize("bare_site", [*CORE_DRIVERS, "django_sync"], indirect=True)
def test_a_log_in_form_with_remember_me(bare_site: Site) -> None:
    """An asynchronous function reads the body of the sign-in, under ASGI and WSGI."""

    async def lifetime(user_id: str, tenant_id: str, user_context: Any) -> SessionLifetime:
        request = get_request_from_user_context(user_context)
        body = await request.json() if request else None
        return SessionLifetime(persistent=isinstance(body, dict) and body.get("rememberMe") is True)

    mails = EmailDeliveryConfig(AsyncOutbox())
    bare_site.init(engine=QUICK, recipes=[emailpassword.init(email_delivery=mails)], lifetime=lifetime)
    visitor = Visitor(bare_site)
    up = send(visitor, "/signup", email=ADDRESS, password=PASSWORD)
    assert [expires is None for expires, _ in _ends(up).values()] == [True, True]
    for remember in (True, False):
        reply = send(visitor, "/signin", {"rememberMe": remember}, email=ADDRESS, password=PASSWORD)
        assert [expires is not None for expires, _ in _ends(reply).values()] == [remember] * 2


# -- limits ------------------------------------------------------------------------------------------


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What is emitted."""
    found: list[Event] = []
    unsubscribe = subscribe(found.append)
    yield found
    unsubscribe()


@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_a_sign_in_beyond_the_limit_is_refused(everywhere: Site, events: list[Event], mode: str) -> None:
    """CP-15: 409 in every framework; no row, no token, no event but the refusal."""
    everywhere.init(limit=SessionLimit(max_sessions=2, when_reached="refuse"))
    visitors = [everywhere.sign_in(mode) for _ in range(2)]
    events.clear()
    reply = everywhere.post("/open", [("st-auth-mode", mode)], do=_creating("user-1"))
    assert (reply.status, reply.json) == (409, {"message": "session limit reached"})
    assert reply.set_cookies == []
    assert [reply.header(name) for name in ("front-token", "st-access-token", "st-refresh-token")] == [
        None
    ] * 3
    assert events == [SessionRefused(code="session_limit", may_refresh=False)]
    assert sorted(everywhere.handles()) == sorted(visitor.handle for visitor in visitors)
    assert everywhere.sign_in(mode, "user-2").first.status == 200
    visitors[0].post("/auth/signout")
    assert everywhere.sign_in(mode).first.status == 200


@ASGI_AND_WSGI
def test_the_tokens_of_a_refused_client_stay(bare_site: Site) -> None:
    """Who has a session already keeps it, though another sign-in in the same browser is refused."""
    bare_site.init(limit=SessionLimit(max_sessions=1, when_reached="refuse"))
    visitor = bare_site.sign_in()
    bare_site.sign_in(user_id="user-2")
    reply = visitor.post("/open", do=_creating("user-2"))
    assert (reply.status, reply.set_cookies, reply.header("front-token")) == (409, [], None)
    assert visitor.get("/protected").json == {"user": "user-1"}


@ASGI_AND_WSGI
def test_a_view_may_answer_a_refused_sign_in(bare_site: Site) -> None:
    """`SessionLimitError` says how many there may be, and which there are."""
    bare_site.init(limit=SessionLimit(max_sessions=1, when_reached="refuse"))
    handle = bare_site.sign_in().handle

    def script(view: Any) -> Any:
        try:
            yield view.create("user-1")
        except SessionLimitError as error:
            return {"limit": error.limit, "sessions": error.sessions, "code": error.code}

    reply = bare_site.post("/open", [("st-auth-mode", "cookie")], do=script)
    assert reply.json == {"limit": 1, "sessions": [handle], "code": "session_limit"}
    assert reply.set_cookies == []


@ASGI_AND_WSGI
@pytest.mark.parametrize("is_async", [False, True])
def test_a_hook_writes_the_answer(bare_site: Site, is_async: bool) -> None:
    """`on_session_limit_reached` gets the error, and its response is the one that is sent."""

    def hook(request: Any, error: SessionLimitError, response: Any) -> Any:
        response.set_status_code(403)
        response.set_json_content({"devices": len(error.sessions), "path": request.get_path()})
        return response

    async def hook_later(*arguments: Any) -> Any:
        return hook(*arguments)

    handlers = InputErrorHandlers(on_session_limit_reached=hook_later if is_async else hook)
    bare_site.init(limit=SessionLimit(max_sessions=1, when_reached="refuse"), error_handlers=handlers)
    bare_site.sign_in()
    reply = bare_site.post("/open", do=_creating("user-1"))
    assert (reply.status, reply.json) == (403, {"devices": 1, "path": "/open"})


@ASGI_AND_WSGI
@pytest.mark.parametrize("is_async", [False, True])
def test_the_least_recently_seen_session_ends(bare_site: Site, is_async: bool) -> None:
    """A hook is told which; its tokens are worth nothing any more."""
    told: list[Any] = []

    async def later(*arguments: Any) -> None:
        told.append(arguments[:3])

    def hook(*arguments: Any) -> None:
        told.append(arguments[:3])

    bare_site.init(limit=SessionLimit(max_sessions=2, on_sessions_evicted=later if is_async else hook))
    first, second = bare_site.sign_in(), bare_site.sign_in()
    bare_site.clock.advance(minutes=1)
    third = bare_site.sign_in()
    assert len(told) == 1
    (evicted,) = told[0][2]
    assert told == [("user-1", "public", [evicted])]
    assert evicted in (first.handle, second.handle)
    assert sorted(bare_site.handles()) == sorted({first.handle, second.handle, third.handle} - {evicted})
    loser = first if evicted == first.handle else second
    assert loser.get("/database").status == 401
    assert loser.refresh().status == 401


@ASGI_AND_WSGI
@pytest.mark.parametrize("details", [False, True])
def test_a_session_that_is_used_outlives_a_newer_one(bare_site: Site, details: bool) -> None:
    """What counts is the last refresh, whether or not a feature keeps more of sessions."""
    more: dict[str, Any] = {"lifetime": SessionLifetime()} if details else {}
    bare_site.init(limit=SessionLimit(max_sessions=2), **more)
    used = bare_site.sign_in()
    bare_site.clock.advance(minutes=1)
    unused = bare_site.sign_in()
    bare_site.clock.advance(minutes=1)
    assert used.refresh().status == 200
    bare_site.clock.advance(minutes=1)
    new = bare_site.sign_in()
    assert sorted(bare_site.handles()) == sorted([used.handle, new.handle])
    assert unused.refresh().status == 401


@ASGI_AND_WSGI
def test_a_hook_that_fails_stops_no_sign_in(bare_site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The sessions are gone and the new one is there, whatever the hook does."""

    def fail(*_: Any) -> None:
        raise RuntimeError("no mail today")

    bare_site.init(limit=SessionLimit(max_sessions=1, on_sessions_evicted=fail))
    bare_site.sign_in()
    with caplog.at_level(logging.ERROR, "supertokens_py"):
        assert bare_site.sign_in().get("/protected").status == 200
    assert [record.message for record in caplog.records] == [
        "SessionLimit.on_sessions_evicted failed; the sign-in goes on"
    ]


@ASGI_AND_WSGI
def test_a_limit_may_depend_on_the_user(bare_site: Site) -> None:
    """By plan, say; None is no limit."""

    def by_plan(user_id: str, tenant_id: str, user_context: Any) -> SessionLimit | None:
        return None if user_id == "paying" else SessionLimit(max_sessions=1)

    bare_site.init(limit=by_plan)
    for user_id in ("paying", "paying", "other", "other"):
        bare_site.sign_in(user_id=user_id)
    assert [len(bare_site.handles(user_id)) for user_id in ("paying", "other")] == [2, 1]
