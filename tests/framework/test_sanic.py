"""What only Sanic has: middleware by priority, handlers for exceptions, sync handlers, classes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from sanic import Blueprint, HTTPResponse, Request, json
from sanic.response import ResponseStream
from sanic.views import HTTPMethodView

from supertokens_py.exceptions import ConfigError, SuperTokensError
from supertokens_py.framework.sanic import setup
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework.sanic import verify_session
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .clients.sanic import Driver, new_app
from .site import Site
from .test_verify import UNAUTHORISED, assert_refused

ORIGIN = "https://example.com"


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """The Sanic site; `serve` puts an app of the test in place of the usual one."""
    made = Site("sanic", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


def serve(site: Site, app: Any) -> Site:
    """Serve another application, with a route that signs in."""

    @app.post("/open")
    async def open_(request: Request) -> HTTPResponse:
        session = await session_asyncio.create_new_session(request, "public", "user-1")
        return json({"handle": session.get_handle()})

    site.client.close()
    site.client = Driver().client(app)
    return site


@pytest.fixture
def app() -> Any:
    """An empty app with the adapter, and one guarded route."""
    made = new_app()
    setup(made)

    @made.get("/me")
    @verify_session()
    async def me(request: Request) -> HTTPResponse:
        return json({"user": request.ctx.supertokens.get_user_id()})

    return made


async def called(request: Request) -> HTTPResponse:
    """A handler that verifies by a call."""
    session = await session_asyncio.get_session(request)
    assert session is not None
    return json({"user": session.get_user_id()})


def test_sync_handlers_and_classes(site: Site, app: Any) -> None:
    """Both are guarded as functions are: in `decorators`, or method by method."""

    class Page(HTTPMethodView):
        decorators = [verify_session()]  # noqa: RUF012  as Sanic's manual has it

        def get(self, request: Request) -> HTTPResponse:
            return json({"user": request.ctx.supertokens.get_user_id()})

    class Other(HTTPMethodView):
        @verify_session()
        async def get(self, request: Request) -> HTTPResponse:
            return json({"user": request.ctx.supertokens.get_user_id()})

    @app.get("/sync/<name:str>")
    @verify_session()
    def sync(request: Request, name: str) -> HTTPResponse:
        return json({"user": request.ctx.supertokens.get_user_id(), "name": name})

    app.add_route(Page.as_view(), "/page")
    app.add_route(Other.as_view(), "/other")
    visitor = serve(site, app).sign_in()
    for path in ("/page", "/other"):
        assert_refused(site.get(path), UNAUTHORISED)
        assert visitor.get(path).json == {"user": "user-1"}
    assert visitor.get("/sync/x").json == {"user": "user-1", "name": "x"}


def test_cors_of_response_middleware(site: Site, app: Any) -> None:
    """It sees the responses of our routes and errors, and preflights of our routes."""

    @app.on_response
    async def cors(request: Request, response: HTTPResponse) -> None:
        response.headers["Access-Control-Allow-Origin"] = ORIGIN
        response.headers["Access-Control-Expose-Headers"] = "x-mine"

    visitor = serve(site, app).sign_in("header")
    preflight = site.request("OPTIONS", "/auth/session/refresh")
    assert (preflight.status, preflight.header("allow")) == (200, "POST, OPTIONS")
    replies = [preflight, visitor.refresh(), visitor.get("/me"), site.get("/me"), site.get("/nothing")]
    assert [reply.status for reply in replies] == [200, 200, 200, 401, 404]
    assert all(reply.header("access-control-allow-origin") == ORIGIN for reply in replies)
    assert {"x-mine", "front-token", "st-access-token"} <= set(replies[1].exposed)


def test_the_log_stays_empty(site: Site, app: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Sanic complains of bodies that nobody reads; our routes have no handler that would."""
    visitor = serve(site, app).sign_in()
    assert visitor.refresh(body=b"{}").status == 200
    assert visitor.refresh().status == 200
    assert visitor.post("/auth/signout", body=b"{}").status == 200
    # Its banner is INFO, which shows wherever another test has Sanic set its loggers up.
    said = [record for record in caplog.records if record.levelno > logging.INFO]
    assert [record.getMessage() for record in said if record.name.startswith("sanic")] == []


@pytest.mark.parametrize("status", [200, 500])
def test_response_middleware_that_answers_itself(site: Site, app: Any, status: int) -> None:
    """It ends the chain before ours; the tokens are on what it answers, unless that is a server error."""

    @app.post("/login")
    async def log_in(request: Request) -> HTTPResponse:
        await session_asyncio.create_new_session(request, "public", "user-2")
        return json({})

    @app.on_response
    async def wrap(request: Request, response: HTTPResponse) -> HTTPResponse | None:
        return json({"mine": True}, status) if request.path == "/login" else None

    reply = serve(site, app).post("/login", [("st-auth-mode", "cookie")])
    tokens = ["front-token", "sAccessToken", "sRefreshToken"] if status == 200 else []
    assert (reply.status, reply.json, reply.session_parts) == (status, {"mine": True}, tokens)
    assert len(site.handles("user-2")) == (1 if status == 200 else 0)


def test_request_middleware_that_verifies(site: Site, app: Any) -> None:
    """It comes after ours, which answers the refresh; its errors are answered."""

    @app.on_request
    async def guard(request: Request) -> None:
        if request.path != "/open":
            await session_asyncio.get_session(request)

    visitor = serve(site, app).sign_in()
    assert_refused(site.get("/me"), UNAUTHORISED)
    assert visitor.refresh().status == 200
    assert visitor.get("/me").json == {"user": "user-1"}


@pytest.mark.parametrize("where", ["app", "blueprint"])
@pytest.mark.parametrize("guarded", [True, False])
def test_handlers_for_other_exceptions_come_after_ours(site: Site, where: str, guarded: bool) -> None:
    """A handler for every `Exception` makes no 500 of a 401."""
    app, members = new_app(), Blueprint("members")
    setup(app)

    async def everything(request: Request, error: Exception) -> HTTPResponse:
        return json({"mine": type(error).__name__}, 500)

    async def fail(request: Request) -> HTTPResponse:
        raise LookupError("mine")

    async def handler(request: Request) -> HTTPResponse:
        return await called(request)

    members.add_route(verify_session()(handler) if guarded else handler, "/called", name="called")
    members.add_route(fail, "/fail")
    (app if where == "app" else members).exception(Exception)(everything)
    app.blueprint(members)
    serve(site, app)
    assert_refused(site.get("/called"), UNAUTHORISED)
    assert (site.get("/fail").status, site.get("/fail").json) == (500, {"mine": "LookupError"})


@pytest.mark.parametrize("kind", [SuperTokensError, UnauthorisedError])
def test_a_handler_of_the_application_for_our_errors(
    site: Site, app: Any, kind: type[SuperTokensError]
) -> None:
    """It stays, and Sanic does not complain of two."""

    @app.exception(kind)
    async def mine(request: Request, error: Exception) -> HTTPResponse:
        return json({"mine": type(error).__name__}, 401)

    reply = serve(site, app).get("/me")
    assert (reply.status, reply.json) == (401, {"mine": "UnauthorisedError"})
    assert reply.header("vary") == "Cookie, Authorization"


def test_streams(site: Site, app: Any) -> None:
    """Both kinds have the tokens in their headers."""

    @app.get("/stream")
    @verify_session()
    async def stream(request: Request) -> ResponseStream:
        await request.ctx.supertokens.merge_into_access_token_payload({"a": 1})

        async def parts(response: Any) -> None:
            await response.write("one ")
            await response.write("two")

        return ResponseStream(parts)

    reply = serve(site, app).sign_in().get("/stream")
    assert (reply.body, reply.front["up"]["a"]) == (b"one two", 1)


def test_the_body_is_left_to_the_handler(site: Site, app: Any) -> None:
    """Verification reads nothing of it."""

    @app.post("/echo", stream=True)
    @verify_session()
    async def echo(request: Request) -> HTTPResponse:
        parts = []
        while (part := await request.stream.read()) is not None:
            parts.append(part)
        return HTTPResponse(b"".join(parts))

    assert serve(site, app).sign_in().post("/echo", body=b"a" * 70_000).body == b"a" * 70_000


def test_head(site: Site, app: Any) -> None:
    @app.head("/head")
    @verify_session()
    async def head(request: Request) -> HTTPResponse:
        return HTTPResponse(headers={"x-user": request.ctx.supertokens.get_user_id()})

    assert serve(site, app).request("HEAD", "/head").status == 401
    reply = site.sign_in().request("HEAD", "/head")
    assert (reply.status, reply.header("x-user"), reply.header("vary")) == (
        200,
        "user-1",
        "Cookie, Authorization",
    )


@pytest.mark.parametrize("websocket", [True, False])
def test_a_guard_above_its_route(site: Site, websocket: bool) -> None:
    """The server does not start: the handler would be open."""
    app = new_app()
    setup(app)
    route = app.websocket("/mine") if websocket else app.get("/mine")

    @route
    async def mine(request: Request, *rest: Any) -> HTTPResponse:
        return json({})

    verify_session()(mine)
    with pytest.raises(ConfigError, match=r"\.mine is open .*Put @app\.get\(\.\.\.\) above @verify_session"):
        serve(site, app)


def test_without_setup(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a guard nor a log-in works; the log says what is missing."""
    app = new_app()
    app.add_route(verify_session()(lambda _: json({})), "/me", name="me")
    serve(site, app)
    for method, path in (("GET", "/me"), ("POST", "/open")):
        caplog.clear()
        assert site.request(method, path).status == 500
        assert "setup(app), of supertokens_py.framework.sanic" in caplog.text


def test_a_websocket_that_is_verified_before_it_is_accepted(site: Site, app: Any) -> None:
    """In a request middleware: its errors are responses of the handshake."""

    @app.on_request
    async def guard(request: Request) -> None:
        if request.path == "/socket":
            await session_asyncio.get_session(request)

    @app.websocket("/socket")
    async def socket(request: Request, ws: Any) -> None:
        await ws.send(request.ctx.supertokens.get_user_id())

    visitor = serve(site, app).sign_in()
    cookie = ("cookie", f"sAccessToken={visitor.access}")
    assert site.client.handshake("/socket", [cookie, ("origin", ORIGIN)]).message == "user-1"
    assert site.client.handshake("/socket", [cookie, ("origin", "https://evil.test")]).status == 401


def test_set_up_twice_and_no_handler(app: Any) -> None:
    before = len(app.request_middleware)
    setup(app)
    assert len(app.request_middleware) == before
    coroutine: Any = verify_session()(lambda: None)()
    with pytest.raises(ConfigError, match="guards handlers of Sanic"):
        coroutine.send(None)
