"""What only Tornado has: handlers as classes, blocking error hooks, default headers, XSRF cookies, files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.web import Application, HTTPError, RequestHandler, StaticFileHandler
from tornado.websocket import WebSocketHandler

from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.framework.tornado import SuperTokensMixin, setup
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework.tornado import verify_session
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .clients.tornado import Driver
from .site import Site
from .test_verify import UNAUTHORISED, assert_refused

ORIGIN = "https://example.com"


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """The Tornado site; `serve` puts an app of the test in place of the usual one."""
    made = Site("tornado", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


class Open(RequestHandler):
    """Signs in."""

    async def post(self) -> None:
        session = await session_asyncio.create_new_session(self.request, "public", "user-1")
        self.write({"handle": session.get_handle()})


class Me(RequestHandler):
    """The usual guarded handler."""

    @verify_session()
    def get(self) -> None:
        self.write({"user": self.request.supertokens.get_user_id()})  # type: ignore[attr-defined]

    head = get


def serve(
    site: Site, *handlers: Any, base: Any = RequestHandler, ready: bool = True, **settings: Any
) -> Site:
    """Serve another application."""
    app = Application([*handlers, ("/open", Open), ("/me", Me)], **settings)
    if ready:
        setup(app, base)
    site.client.close()
    site.client = Driver().client(app)
    return site


def test_sync_methods(site: Site) -> None:
    """They are guarded as coroutines are; no mixin is needed for that."""
    serve(site)
    assert_refused(site.get("/me"), UNAUTHORISED)
    assert site.sign_in().get("/me").json == {"user": "user-1"}
    assert site.request("HEAD", "/me").status == 401


@pytest.mark.parametrize("mixin", [True, False])
def test_errors_of_unguarded_handlers(site: Site, mixin: bool, caplog: pytest.LogCaptureFixture) -> None:
    """The mixin answers them, from `prepare` and from methods, without a traceback; else they are 500."""

    class Called(*((SuperTokensMixin,) if mixin else ()), RequestHandler):  # type: ignore[misc]
        async def prepare(self) -> None:
            if self.request.path == "/prepared":
                await session_asyncio.get_session(self.request)

        async def get(self) -> None:
            await session_asyncio.get_session(self)

    serve(site, ("/called", Called), ("/prepared", Called))
    for path in ("/called", "/prepared"):
        caplog.clear()
        reply = site.get(path)
        if mixin:
            assert_refused(reply, UNAUTHORISED)
            assert "Traceback" not in caplog.text
        else:
            assert reply.status == 500
            assert "UnauthorisedError" in caplog.text


def test_errors_of_the_application(site: Site) -> None:
    """They are answered as ever, by `write_error`; what was created is revoked."""

    class Login(SuperTokensMixin, RequestHandler):
        async def post(self) -> None:
            await session_asyncio.create_new_session(self.request, "public", "user-2")
            raise HTTPError(502)

        def write_error(self, status_code: int, **kwargs: Any) -> None:
            self.finish({"mine": status_code})

    reply = serve(site, ("/login", Login)).post("/login")
    assert (reply.status, reply.json, reply.session_parts) == (502, {"mine": 502}, [])
    assert site.handles("user-2") == []


def test_an_error_hook_that_fails(site: Site) -> None:
    """Tornado's own 500 is the answer, and nothing waits for ever."""

    class Called(SuperTokensMixin, RequestHandler):
        async def get(self) -> None:
            await session_asyncio.get_session(self.request)

    from supertokens_py.recipe.session import InputErrorHandlers

    async def fail(*_: Any) -> Any:
        raise LookupError("mine")

    site.init(error_handlers=InputErrorHandlers(on_unauthorised=fail))
    assert serve(site, ("/called", Called)).get("/called").status == 500


def test_tokens_on_an_error_page(site: Site) -> None:
    """`send_error` drops the headers that a handler has set; ours are added later."""

    class Login(RequestHandler):
        async def post(self) -> None:
            await session_asyncio.create_new_session(self.request, "public", "user-2")
            raise HTTPError(403)

    reply = serve(site, ("/login", Login)).post("/login", [("st-auth-mode", "cookie")])
    assert (reply.status, reply.session_parts) == (403, ["front-token", "sAccessToken", "sRefreshToken"])


def test_two_cookies_of_one_name(site: Site) -> None:
    """The handler's own cookie is kept beside ours, and may have the name of another."""

    class Login(RequestHandler):
        async def post(self) -> None:
            await session_asyncio.create_new_session(self.request, "public", "user-2")
            self.set_cookie("mine", "1")
            self.add_header("Set-Cookie", "mine=2; Path=/b")

    reply = serve(site, ("/login", Login)).post("/login", [("st-auth-mode", "cookie")])
    assert reply.cookie_names == ["mine", "mine", "sAccessToken", "sRefreshToken"]


def test_cors_of_a_base_handler(site: Site) -> None:
    """Its default headers are on the SDK's routes, preflights, errors; XSRF cookies are no matter there."""

    class Base(SuperTokensMixin, RequestHandler):
        def set_default_headers(self) -> None:
            self.set_header("Access-Control-Allow-Origin", ORIGIN)
            self.set_header("Access-Control-Expose-Headers", "x-mine")

        async def prepare(self) -> None:
            await session_asyncio.get_session(self.request)

    class Mine(Base):
        async def get(self) -> None:
            self.write({})

    visitor = serve(site, ("/mine", Mine), base=Base).sign_in("header")
    preflight = site.request("OPTIONS", "/auth/session/refresh")
    assert (preflight.status, preflight.header("allow")) == (204, "POST, OPTIONS")
    replies = [preflight, visitor.refresh(), visitor.get("/mine"), site.get("/mine")]
    assert [reply.status for reply in replies[1:]] == [200, 200, 401]
    assert all(reply.header("access-control-allow-origin") == ORIGIN for reply in replies)
    assert {"x-mine", "front-token", "st-access-token"} <= set(replies[1].exposed)


def test_xsrf_cookies(site: Site) -> None:
    """Tornado's own check is left out for the SDK's routes, which have theirs."""
    visitor = serve(site).sign_in()
    serve(site, xsrf_cookies=True)
    assert visitor.refresh().status == 200
    assert site.post("/me").status == 403


def test_files_and_other_methods(site: Site, tmp_path: Path) -> None:
    """Files are guarded by a subclass; other methods of our paths, and other paths, are the application's."""
    (tmp_path / "report.txt").write_text("secret")

    class Files(StaticFileHandler):
        @verify_session()
        async def get(self, path: str, include_body: bool = True) -> None:
            await super().get(path, include_body)

    serve(site, ("/files/(.*)", Files, {"path": str(tmp_path)}))
    assert_refused(site.get("/files/report.txt"), UNAUTHORISED)
    reply = site.sign_in().get("/files/report.txt")
    assert (reply.body, reply.header("vary")) == (b"secret", "Cookie, Authorization")
    assert [site.get(path).status for path in ("/auth/session/refresh", "/auth/nothing")] == [404, 404]


def test_a_stream_that_breaks(site: Site) -> None:
    """Its headers are gone: nothing of ours is sent into the body."""

    class Stream(SuperTokensMixin, RequestHandler):
        async def get(self) -> None:
            self.write("one ")
            await self.flush()
            raise UnauthorisedError("late")

        post = verify_session(session_required=False)(get)

    serve(site, ("/stream", Stream))
    for method in ("GET", "POST"):
        assert site.request(method, "/stream").body == b"one "


def test_the_body_is_left_to_the_handler(site: Site) -> None:
    """Verification reads nothing of it; the handler and its request are one."""

    class Echo(RequestHandler):
        @verify_session()
        async def post(self) -> None:
            assert as_base_request(self) is as_base_request(self.request)
            self.write(self.request.body)

    reply = serve(site, ("/echo", Echo)).sign_in().post("/echo", body=b"a" * 70_000)
    assert reply.body == b"a" * 70_000


def test_a_websocket_is_verified_in_prepare(site: Site) -> None:
    """Refusals are HTTP responses, whatever `check_origin` would say later."""

    class Socket(WebSocketHandler):
        @verify_session()
        async def prepare(self) -> None:
            pass

        def check_origin(self, origin: str) -> bool:
            return True

        def open(self, *args: str, **kwargs: str) -> None:
            self.write_message(self.request.supertokens.get_user_id())  # type: ignore[attr-defined]

    visitor = serve(site, ("/socket", Socket)).sign_in()
    cookie = ("cookie", f"sAccessToken={visitor.access}")
    assert site.client.handshake("/socket", [cookie, ("origin", ORIGIN)]).message == "user-1"
    for headers in ([cookie, ("origin", "https://evil.test")], []):
        assert site.client.handshake("/socket", headers).status == 401


def test_without_setup(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a guard nor a log-in works; the log says what is missing."""
    serve(site, ready=False)
    for method, path in (("GET", "/me"), ("POST", "/open")):
        caplog.clear()
        assert site.request(method, path).status == 500
        assert "setup(app), of supertokens_py.framework.tornado" in caplog.text
