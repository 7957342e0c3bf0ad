"""What only aiohttp has: middlewares around our answers, raised responses, sub-applications, classes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from http.client import IncompleteRead
from typing import Any

import pytest
from aiohttp import web

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.aiohttp import SESSION, AiohttpRequest, setup
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.session import InputErrorHandlers
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError, UnauthorisedError
from supertokens_py.recipe.session.framework.aiohttp import verify_session
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .clients.aiohttp import Driver
from .site import Site
from .test_verify import TRY_REFRESH, UNAUTHORISED, assert_refused

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ORIGIN = ("Access-Control-Allow-Origin", "https://example.com")


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """The aiohttp site; `serve` puts an app of the test in place of the usual one."""
    made = Site("aiohttp", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


def serve(site: Site, app: web.Application) -> Site:
    """Serve another application, with a route that signs in."""

    async def open_(request: web.Request) -> web.Response:
        session = await session_asyncio.create_new_session(request, "public", "user-1")
        return web.json_response({"handle": session.get_handle()})

    app.router.add_post("/open", open_)
    site.client.close()
    site.client = Driver().client(app)
    return site


@verify_session()
async def me(request: web.Request) -> web.Response:
    """The usual guarded handler."""
    return web.json_response({"user": request[SESSION].get_user_id()})


async def called(request: web.Request) -> web.Response:
    """A handler that verifies by a call."""
    session = await session_asyncio.get_session(request)
    assert session is not None
    return web.json_response({"user": session.get_user_id()})


@web.middleware
async def cors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What applications write for pages of another origin."""
    response = web.Response() if request.method == "OPTIONS" else await handler(request)
    response.headers[ORIGIN[0]] = ORIGIN[1]
    response.headers["Access-Control-Expose-Headers"] = "x-mine"
    return response


@web.middleware
async def catch_all(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What applications write to answer every error in their own words."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:
        return web.json_response({"mine": type(error).__name__}, status=500)


def test_a_cors_middleware_sees_our_responses(site: Site) -> None:
    """Those of the routes, of errors, and of the application."""
    app = web.Application(middlewares=[cors])
    setup(app)
    app.router.add_get("/me", me)
    serve(site, app)
    visitor = site.sign_in("header")
    preflight = site.request("OPTIONS", "/auth/session/refresh")
    assert (preflight.status, preflight.header("access-control-allow-origin")) == (200, ORIGIN[1])
    replies = [visitor.refresh(), visitor.get("/me"), site.get("/me"), site.post("/auth/session/refresh")]
    assert [reply.status for reply in replies] == [200, 200, 401, 401]
    assert all(reply.header("access-control-allow-origin") == ORIGIN[1] for reply in replies)
    assert {"x-mine", "front-token", "st-access-token"} <= set(replies[0].exposed)


@pytest.mark.parametrize("before", [True, False])
def test_a_middleware_that_catches_everything(site: Site, before: bool) -> None:
    """It makes no 500 of a 401, whether it was there before `setup` or came later."""
    app = web.Application(middlewares=[catch_all] if before else [])
    setup(app)
    if not before:
        app.middlewares.append(catch_all)

    @verify_session()
    async def fail(request: web.Request) -> web.Response:
        raise LookupError("mine")

    app.router.add_get("/me", me)
    app.router.add_get("/fail", fail)
    app.router.add_get("/called", called)
    serve(site, app)
    assert_refused(site.get("/me"), UNAUTHORISED)
    reply = site.sign_in().get("/fail")
    assert (reply.status, reply.json) == (500, {"mine": "LookupError"})
    assert_refused(site.get("/called"), UNAUTHORISED)


def test_a_middleware_that_verifies(site: Site) -> None:
    """Its errors are answered as well, wherever it stands; the SDK's routes are its own affair."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(("/auth/", "/open")):
            await session_asyncio.get_session(request)
        return await handler(request)

    app = web.Application(middlewares=[guard])
    setup(app)
    app.router.add_get("/called", called)
    serve(site, app)
    assert_refused(site.get("/called"), UNAUTHORISED)
    visitor = site.sign_in()
    assert visitor.get("/called").json == {"user": "user-1"}
    assert visitor.refresh().status == 200


def test_an_answer_of_the_application(site: Site) -> None:
    """A middleware that knows our errors has the first word where it is called first."""

    @web.middleware
    async def mine(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except UnauthorisedError:
            return web.json_response({"mine": True}, status=401)

    app = web.Application()
    setup(app)
    app.middlewares.append(mine)
    app.router.add_get("/called", called)
    reply = serve(site, app).get("/called")
    assert (reply.status, reply.json, reply.header("vary")) == (401, {"mine": True}, "Cookie, Authorization")


@pytest.mark.parametrize("status", [302, 403, 500])
def test_a_raised_response(site: Site, status: int) -> None:
    """It delivers tokens and cookies as a returned one does; a server error does not."""

    async def log_in(request: web.Request) -> web.Response:
        await session_asyncio.create_new_session(request, "public", "user-2")
        kinds: dict[int, Any] = {302: web.HTTPFound, 403: web.HTTPForbidden, 500: web.HTTPInternalServerError}
        error = kinds[status]("/next") if status == 302 else kinds[status]()
        error.set_cookie("mine", "1")
        raise error

    app = web.Application()
    setup(app)
    app.router.add_post("/login", log_in)
    reply = serve(site, app).post("/login", [("st-auth-mode", "cookie")])
    own = [] if status == 500 else ["sAccessToken", "sRefreshToken"]
    assert (reply.status, reply.cookie_names) == (status, sorted(["mine", *own]))
    assert len(site.handles("user-2")) == (0 if status == 500 else 1)


def test_a_stream_that_breaks(site: Site) -> None:
    """Its headers are gone: nothing of ours is sent into the body."""

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"one ")
        raise UnauthorisedError("late")

    app = web.Application()
    setup(app)
    app.router.add_get("/called", stream)
    app.router.add_get("/guarded", verify_session(session_required=False)(stream))
    serve(site, app)
    for path in ("/called", "/guarded"):
        with pytest.raises(IncompleteRead) as broken:
            site.get(path)
        assert broken.value.partial == b"one "


def test_a_stream_that_looks_for_the_session_late(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Its headers are gone: a change is stored, and the log says that the client does not get it yet."""

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        session = await session_asyncio.get_session(request)
        assert session is not None
        await session.merge_into_access_token_payload({"late": 1})
        await response.write(session.get_user_id().encode())
        return response

    app = web.Application()
    setup(app)
    app.router.add_get("/stream", stream)
    visitor = serve(site, app).sign_in()
    reply = visitor.get("/stream")
    assert (reply.status, reply.body, reply.session_parts) == (200, b"user-1", [])
    assert "after its response was sent" in caplog.text
    assert site.stored(visitor.handle).payload["late"] == 1


def test_a_hook_that_refuses_in_another_way(site: Site) -> None:
    """On the SDK's routes, the session error that it raises is answered in the place of the first one."""

    async def refresh_first(*_: Any) -> Any:
        raise TryRefreshTokenError("mine")

    site.init(error_handlers=InputErrorHandlers(on_unauthorised=refresh_first))
    reply = site.post("/auth/session/refresh")
    assert (reply.status, reply.json) == (401, TRY_REFRESH)


def test_sub_applications_and_classes(site: Site) -> None:
    """`setup` on the outermost one serves all; methods are guarded as functions are."""

    class Page(web.View):
        @verify_session()
        async def get(self) -> web.Response:
            return web.json_response({"user": self.request[SESSION].get_user_id()})

    class Handlers:
        @verify_session()
        async def page(self, request: web.Request) -> web.Response:
            return web.json_response({"user": request[SESSION].get_user_id()})

    inner, app = web.Application(), web.Application()
    setup(app)
    setup(app)
    inner.router.add_view("/view", Page)
    inner.router.add_get("/method", Handlers().page)
    app.add_subapp("/inner", inner)
    serve(site, app)
    visitor = site.sign_in()
    for path in ("/inner/view", "/inner/method"):
        assert_refused(site.get(path), UNAUTHORISED)
        assert visitor.get(path).json == {"user": "user-1"}


def test_the_body_and_a_clone_are_left_to_the_handler(site: Site) -> None:
    """Verification reads nothing, and a clone is the same request."""

    @verify_session()
    async def echo(request: web.Request) -> web.Response:
        assert as_base_request(request.clone(method="PUT")) is as_base_request(request)
        assert isinstance(as_base_request(request), AiohttpRequest)
        return web.Response(body=await request.content.read())

    app = web.Application()
    setup(app)
    app.router.add_post("/echo", echo)
    assert serve(site, app).sign_in().post("/echo", body=b"a" * 70_000).body == b"a" * 70_000


def test_head(site: Site) -> None:
    app = web.Application()
    setup(app)
    app.router.add_get("/me", me)
    serve(site, app)
    assert site.request("HEAD", "/me").status == 401
    reply = site.sign_in().request("HEAD", "/me")
    assert (reply.status, reply.body, reply.header("vary")) == (200, b"", "Cookie, Authorization")


def test_a_guard_above_its_route(site: Site) -> None:
    """The server does not start: the handler would be open."""
    app, routes = web.Application(), web.RouteTableDef()
    setup(app)

    @verify_session()
    @routes.get("/mine")
    async def mine(request: web.Request) -> web.Response:
        return web.Response()

    app.add_routes(routes)
    message = r"the view mine of \w+ /mine is open .*Put @routes\.get\(\.\.\.\) above @verify_session\(\)"
    with pytest.raises(ConfigError, match=message):
        serve(site, app)


def test_without_setup(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a guard nor a log-in works; the log says what is missing."""
    app = web.Application()
    app.router.add_get("/me", me)
    serve(site, app)
    for method, path in (("GET", "/me"), ("POST", "/open")):
        caplog.clear()
        assert site.request(method, path).status == 500
        assert "setup(app), of supertokens_py.framework.aiohttp" in caplog.text


def test_no_handler() -> None:
    async def nothing() -> None:
        return None

    coroutine = verify_session()(nothing)()
    with pytest.raises(ConfigError, match="guards handlers of aiohttp"):
        coroutine.send(None)  # type: ignore[attr-defined]
