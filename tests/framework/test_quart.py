"""What only Quart has: sync views in threads, blueprints, hooks, proxies, WebSockets, app contexts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from quart import Blueprint, Quart, Response, g, got_websocket_exception, request, websocket
from quart.typing import TestClientProtocol as Client

from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError, SuperTokensError
from supertokens_py.framework.quart import Middleware, QuartRequest
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework.quart import verify_session
from supertokens_py.testing.conformance import AsgiClient
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import Site
from .test_verify import UNAUTHORISED, assert_refused


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """The Quart site; a test may put an app of its own in place of the usual one."""
    made = Site("quart", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


@pytest.fixture
def app(site: Site) -> Quart:
    """An empty app with the middleware, already in the site's place."""
    made = Quart(__name__)
    made.logger.disabled = True
    Middleware().init_app(made)

    @made.post("/open")
    async def open_() -> dict[str, str]:
        session = await session_asyncio.create_new_session(request, "public", "user-1")
        return {"handle": session.get_handle()}

    site.client = AsgiClient(made)
    return made


def test_sync_views_run_in_threads(site: Site, app: Quart, mode: str) -> None:
    """They call the `sync_` methods; the session is in `g` there as well."""

    @app.post("/count")
    @verify_session()
    def count() -> dict[str, str]:
        g.supertokens.sync_merge_into_access_token_payload({"a": 1})
        again = session_syncio.get_session(request)
        assert again is not None
        return {"user": again.get_user_id()}

    reply = site.sign_in(mode).post("/count")
    assert (reply.json, reply.front["up"]["a"]) == ({"user": "user-1"}, 1)


def test_an_async_override_in_a_sync_view_runs_on_the_loop_of_the_application(site: Site, app: Quart) -> None:
    """It may use what belongs to that loop."""
    loops: list[Any] = []

    async def validators(given: Any, session: Any, context: Any) -> Any:
        loops.append(asyncio.get_running_loop())
        return given

    @app.get("/sync")
    def view() -> dict[str, str]:
        session = session_syncio.get_session(request, override_global_claim_validators=validators)
        assert session is not None
        return {"user": session.get_user_id()}

    @app.get("/loop")
    async def loop() -> dict[str, str]:
        loops.append(asyncio.get_running_loop())
        return {}

    visitor = site.sign_in()
    assert visitor.get("/sync").json == {"user": "user-1"}
    visitor.get("/loop")
    assert loops[0] is loops[1]


def test_blueprints_and_before_request(site: Site, app: Quart) -> None:
    """A guard for a whole blueprint; returning nothing lets the request pass."""
    account = Blueprint("account", __name__, url_prefix="/account")

    @account.before_request
    @verify_session()
    async def require_a_session() -> None:
        return None

    @account.get("/orders")
    async def orders() -> dict[str, str]:
        return {"user": g.supertokens.get_user_id()}

    app.register_blueprint(account)
    assert_refused(site.get("/account/orders"), UNAUTHORISED)
    assert site.sign_in().get("/account/orders").json == {"user": "user-1"}


@pytest.mark.parametrize("where", ["app", "blueprint"])
def test_handlers_for_other_exceptions_come_after_ours(site: Site, app: Quart, where: str) -> None:
    """A handler for every `Exception` makes no 500 of a 401."""
    members = Blueprint("members", __name__)

    @members.get("/me")
    @verify_session()
    async def me() -> dict[str, str]:
        raise LookupError("mine")

    async def everything(error: Exception) -> tuple[dict[str, str], int]:
        return {"mine": type(error).__name__}, 500

    (app if where == "app" else members).register_error_handler(Exception, everything)
    app.register_blueprint(members)
    assert_refused(site.get("/me"), UNAUTHORISED)
    reply = site.sign_in().get("/me")
    assert (reply.status, reply.json) == (500, {"mine": "LookupError"})


@pytest.mark.parametrize("kind", [SuperTokensError, UnauthorisedError])
def test_a_handler_of_the_application_for_our_errors(
    site: Site, app: Quart, kind: type[SuperTokensError]
) -> None:
    """It stays, whether it was registered before or after the middleware."""

    @app.get("/me")
    @verify_session()
    async def me() -> dict[str, str]:
        return {}

    @app.errorhandler(kind)
    async def mine(error: Exception) -> tuple[dict[str, str], int]:
        return {"mine": type(error).__name__}, 401

    reply = site.get("/me")
    assert (reply.status, reply.json) == (401, {"mine": "UnauthorisedError"})
    assert reply.header("vary") == "Cookie, Authorization"


@pytest.mark.parametrize("propagate", [True, False])
def test_an_error_of_the_application(site: Site, app: Quart, propagate: bool) -> None:
    """Answered by Quart or let out to the server: the session that was created is revoked."""
    app.config["PROPAGATE_EXCEPTIONS"] = propagate

    @app.post("/fail")
    async def fail() -> dict[str, str]:
        await session_asyncio.create_new_session(request, "public", "user-2")
        raise LookupError("mine")

    with suppress(LookupError):  # Quart 0.20 answers what later releases let out
        reply = site.post("/fail")
        assert (reply.status, reply.session_parts) == (500, [])
    assert site.handles("user-2") == []


def test_a_status_that_a_later_hook_decides(site: Site, app: Quart) -> None:
    """What counts is the response that goes out."""

    @app.post("/late")
    async def late() -> dict[str, str]:
        await session_asyncio.create_new_session(request, "public", "user-2")
        return {}

    @app.after_request
    async def fail(response: Response) -> Response:
        response.status_code = 503 if request.path == "/late" else response.status_code
        return response

    reply = site.post("/late")
    assert (reply.status, reply.session_parts) == (503, [])
    assert site.handles("user-2") == []


def test_a_stream_after_a_merge(site: Site, app: Quart, mode: str) -> None:
    """The tokens are in the headers, which go out before the first part."""

    @app.get("/stream")
    @verify_session()
    async def stream() -> Response:
        await g.supertokens.merge_into_access_token_payload({"a": 1})

        async def parts() -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two"

        return Response(parts())

    reply = site.sign_in(mode).get("/stream")
    assert (reply.body, reply.front["up"]["a"]) == (b"one two", 1)


def test_cors_of_an_extension(site: Site, app: Quart) -> None:
    """Extensions add their headers after each request, also to ours, and to preflights of our routes."""

    @app.after_request
    async def cors(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "https://example.com"
        response.headers["Access-Control-Expose-Headers"] = "x-mine"
        return response

    visitor = site.sign_in("header")
    preflight = site.request("OPTIONS", "/auth/session/refresh", [("origin", "https://example.com")])
    assert (preflight.status, preflight.header("allow")) == (200, "POST, OPTIONS")
    reply = visitor.refresh()
    for each in (preflight, reply):
        assert each.header("access-control-allow-origin") == "https://example.com"
    assert {"x-mine", "front-token", "st-access-token"} <= set(reply.exposed)


def test_the_body_is_left_to_the_view(site: Site, app: Quart) -> None:
    """Verification reads none of it."""

    @app.post("/echo")
    @verify_session()
    async def echo() -> bytes:
        return b"".join([part async for part in request.body])

    assert site.sign_in().post("/echo", body=b"a" * 70_000).body == b"a" * 70_000


def test_head(site: Site, app: Quart) -> None:
    """Quart answers it by the view for GET; servers leave the body out."""

    @app.get("/me")
    @verify_session()
    async def me() -> str:
        return g.supertokens.get_user_id()

    assert site.request("HEAD", "/me").status == 401
    reply = site.sign_in().request("HEAD", "/me")
    assert (reply.status, reply.header("content-length")) == (200, "6")


def test_a_guard_above_its_route(site: Site, app: Quart) -> None:
    """The first request, or the start of a server that has lifespans, says so: the view would be open."""

    @verify_session()
    @app.get("/me")
    async def me() -> dict[str, str]:
        return {}

    message = r"the view me is open to everybody: .* Put @app\.route\(\.\.\.\) above @verify_session\(\)"
    for _ in range(2):
        with pytest.raises(ConfigError, match=message):
            site.get("/me")


def test_without_the_middleware(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a guard nor a log-in works; the log says what is missing."""
    bare = Quart("bare")

    @bare.get("/me")
    @verify_session()
    async def me() -> dict[str, str]:
        return {}

    @bare.get("/login")
    async def login() -> dict[str, str]:
        await session_asyncio.create_new_session(request, "public", "ada")
        return {}

    site.client = AsgiClient(bare)
    for path in ("/me", "/login"):
        caplog.clear()
        assert site.get(path).status == 500
        assert "Middleware(app), of supertokens_py.framework.quart" in caplog.text


def test_another_application() -> None:
    """`app.asgi_app` is no application for it."""
    with pytest.raises(ConfigError, match=r"Middleware\(app\), not method"):
        Middleware(Quart(__name__).asgi_app)  # type: ignore[arg-type]


def test_put_into_an_app_twice(app: Quart) -> None:
    """The second time changes nothing."""
    before = app.asgi_app
    Middleware(app)
    assert app.asgi_app is before


def test_a_pushed_app_context(site: Site, app: Quart) -> None:
    """`g` then is the same for all requests; none finds the session of another."""

    @app.get("/me")
    @verify_session()
    async def me() -> dict[str, str]:
        return {"user": g.supertokens.get_user_id()}

    @app.get("/anybody")
    async def anybody() -> dict[str, bool]:
        return {"session": "supertokens" in g}

    visitor = site.sign_in()

    async def talk() -> list[Any]:
        async with app.app_context():
            client: Client = app.test_client()
            headers = dict(visitor.credentials("/me"))
            first = await client.get("/me", headers=headers)
            return [await first.get_json(), await (await client.get("/anybody")).get_json()]

    assert site.client.run(talk()) == [{"user": "user-1"}, {"session": False}]


def test_a_request_and_its_proxy_are_one(site: Site, app: Quart) -> None:
    @app.get("/same")
    async def same() -> dict[str, bool]:
        own = request._get_current_object()  # type: ignore[attr-defined]
        known = as_base_request(request)
        return {"same": known is as_base_request(own) is QuartRequest.of(own), "own": known.request is own}

    assert site.get("/same").json == {"same": True, "own": True}


# -- WebSockets --------------------------------------------------------------------------------------


def talk(site: Site, path: str, headers: list[tuple[str, str]]) -> list[Any]:
    """Open a WebSocket and return what the application sends."""
    sent: list[Any] = []
    incoming = [{"type": "websocket.connect"}]

    async def receive() -> Any:
        if incoming:
            return incoming.pop(0)
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in headers]
    scope = {"type": "websocket", "path": path, "query_string": b"", "root_path": "", "headers": lines}
    scope |= {"scheme": "wss", "subprotocols": [], "extensions": {}, "asgi": {"spec_version": "2.3"}}
    site.client.run(site.client.app(scope, receive, send))
    return sent


@pytest.fixture
def sockets(app: Quart) -> Quart:
    @app.websocket("/guarded")
    @verify_session()
    async def guarded() -> None:
        await websocket.send(g.supertokens.get_user_id())

    @app.websocket("/late")
    async def late() -> None:
        await websocket.accept()
        session = await session_asyncio.get_session(websocket)
        assert session is not None
        await websocket.send(session.get_user_id())

    return app


@pytest.mark.usefixtures("sockets")
@pytest.mark.parametrize("path", ["/guarded", "/late"])
def test_websockets(site: Site, path: str) -> None:
    """Our origin or none is let in; a page of another one is refused, unless it has the token itself."""
    cookie = ("cookie", f"sAccessToken={site.sign_in().access}")
    bearer = ("authorization", f"Bearer {site.sign_in('header').access}")
    own, foreign = ("origin", "https://example.com"), ("origin", "https://evil.test")
    for headers in ([cookie, own], [cookie], [bearer], [bearer, foreign]):
        sent = talk(site, path, headers)
        assert [message.get("text") for message in sent if message["type"] == "websocket.send"] == ["user-1"]
    for headers in ([cookie, foreign], [own], [], [("cookie", "sAccessToken=garbage")]):
        sent = talk(site, path, headers)
        assert [(message["type"], message.get("code")) for message in sent] == [
            *([("websocket.accept", None)] if path == "/late" else []),
            ("websocket.close", 1008),
        ]


def test_a_mistake_in_a_websocket_is_no_refusal(site: Site, app: Quart) -> None:
    """It is the application's to learn of, and Quart's to end the conversation."""
    seen: list[Exception] = []

    def note(_: Any, exception: Exception, **__: Any) -> None:
        seen.append(exception)

    @app.websocket("/mistake")
    async def mistake() -> None:
        raise BadInputError("mine")

    got_websocket_exception.connect(note, app)
    sent = talk(site, "/mistake", [])
    assert [(message["type"], message.get("code")) for message in sent] == [("websocket.close", 1000)]
    assert [(type(one), str(one)) for one in seen] == [(BadInputError, "mine")]


@pytest.mark.usefixtures("sockets")
def test_a_websocket_while_the_store_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """1013: try again later."""

    async def away(*_: Any, **__: Any) -> Any:
        raise EngineUnavailableError("away")

    monkeypatch.setattr(session_asyncio, "get_session", away)
    assert talk(site, "/late", [])[-1]["code"] == 1013
