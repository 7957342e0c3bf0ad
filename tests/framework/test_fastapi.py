"""What only FastAPI and Starlette have: WebSockets, exception handlers, mounts, background tasks, OpenAPI."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, Response, WebSocket
from fastapi.concurrency import run_in_threadpool
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import StreamingResponse
from starlette.datastructures import FormData

from supertokens_py.exceptions import (
    ConfigError,
    EngineUnavailableError,
    PayloadTooLargeError,
    SuperTokensError,
)
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.session import SessionContainer, SessionRecipe
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework.fastapi import session_exception_handler, verify_session
from supertokens_py.testing.conformance import AsgiClient
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import Site
from .test_verify import UNAUTHORISED, assert_refused

Session = Annotated[SessionContainer, Depends(verify_session())]


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """The FastAPI site; a test may put an app of its own in place of the usual one."""
    made = Site("fastapi", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


def use(site: Site, app: Any) -> None:
    site.client.close()
    site.client = AsgiClient(app)


def test_a_server_error_after_a_session_error_that_was_handled_stays_one(site: Site) -> None:
    """A view, or a helper of it, that asks a guard and goes on without a session has done with its error."""
    app, check = FastAPI(), verify_session()
    app.add_middleware(get_middleware())

    async def visitor(request: Request) -> SessionContainer | None:
        with contextlib.suppress(UnauthorisedError):
            return await check(request)
        return None

    @app.get("/order")
    async def order(request: Request) -> Response:
        with contextlib.suppress(UnauthorisedError):
            await check(request)
        return Response("backend down", 502)

    visiting = Depends(visitor)

    @app.get("/helped")
    async def helped(session: Any = visiting) -> Response:
        return Response("backend down", 502 if session is None else 200)

    use(site, app)
    for path in ("/order", "/helped"):
        reply = site.client.request("GET", path, [])
        assert (reply.status, reply.body) == (502, b"backend down"), path


# -- WebSockets ------------------------------------------------------------------------------------


def socket_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.websocket("/ws")
    async def ws(socket: WebSocket, session: Session) -> None:
        await socket.accept()
        await socket.send_text(session.get_user_id())
        await socket.close()

    @app.websocket("/merge")
    async def merge(socket: WebSocket, session: Session) -> None:
        await socket.accept()
        await session.merge_into_access_token_payload({"a": 1})
        await socket.close()

    @app.websocket("/optional")
    async def optional(
        socket: WebSocket,
        session: Annotated[SessionContainer | None, Depends(verify_session(session_required=False))],
    ) -> None:
        await socket.accept()
        await socket.send_text("nobody" if session is None else session.get_user_id())
        await socket.close()

    return app


def connect(path: str, headers: dict[str, str]) -> list[Any]:
    """Open a WebSocket and return what the application did."""
    sent: list[Any] = []

    async def run() -> None:
        incoming = [{"type": "websocket.connect"}]

        async def receive() -> Any:
            return incoming.pop(0) if incoming else {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "wss",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
            "subprotocols": [],
            "extensions": {},
        }
        await socket_app()(scope, receive, send)

    asyncio.run(run())
    return sent


def refused(sent: list[Any]) -> bool:
    return [message["type"] for message in sent] == ["websocket.close"] and sent[0]["code"] == 1008


def test_a_websocket_verifies_by_header_or_cookie(site: Site) -> None:
    """FP-41: the dependency works on WebSockets, with either transfer method."""
    access = site.sign_in("header").access or ""
    for headers in ({"Authorization": f"Bearer {access}"}, {"Cookie": f"sAccessToken={access}"}):
        sent = connect("/ws", headers)
        assert [message.get("text") for message in sent if message["type"] == "websocket.send"] == ["user-1"]


def test_a_websocket_while_the_store_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told to come back later (1013), and nobody's log gets a traceback."""
    access = site.sign_in("header").access or ""

    async def away(*_: Any, **__: Any) -> Any:
        raise EngineUnavailableError("away")

    monkeypatch.setattr(SessionRecipe.get_instance(), "verify", away)
    (closed,) = connect("/ws", {"Authorization": f"Bearer {access}"})
    assert (closed["type"], closed["code"]) == ("websocket.close", 1013)


def test_a_websocket_cannot_deliver_tokens(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """FP-93: a payload changed over a WebSocket is stored, and a warning says when the client gets it."""
    visitor = site.sign_in("header")
    sent = connect("/merge", {"Authorization": f"Bearer {visitor.access}"})
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
    assert site.stored(visitor.handle).payload["a"] == 1
    assert "after its response was sent" in caplog.text


def test_a_websocket_without_a_session_is_refused(site: Site) -> None:
    """FP-41: close code 1008 before accepting; an optional session lets the visitor in."""
    assert refused(connect("/ws", {}))
    assert refused(connect("/ws", {"Authorization": "Bearer garbage"}))
    expired = site.sign_in("header").access or ""
    site.clock.advance(hours=2)
    assert refused(connect("/ws", {"Authorization": f"Bearer {expired}"}))
    assert connect("/optional", {})[1]["text"] == "nobody"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://example.com", True),
        ("https://api.example.com", True),
        ("HTTPS://EXAMPLE.COM", True),
        ("https://evil.test", False),
        ("http://example.com", False),
        ("null", False),
        ("", False),
        (None, True),
    ],
)
def test_a_websocket_of_a_foreign_page_is_refused(site: Site, origin: str | None, allowed: bool) -> None:
    """FP-52: browsers send cookies with WebSockets of any page, so with a cookie the origin must be ours."""
    access = site.sign_in("header").access or ""
    headers = {"Cookie": f"sAccessToken={access}"} | ({} if origin is None else {"Origin": origin})
    for path in ("/ws", "/optional"):
        assert refused(connect(path, headers)) is not allowed
    by_header = {"Authorization": f"Bearer {access}"} | ({} if origin is None else {"Origin": origin})
    assert not refused(connect("/ws", by_header))


# -- exception handlers, middleware ----------------------------------------------------------------


def test_the_exception_handler_keeps_tokens_without_the_middleware(site: Site) -> None:
    """FP-91: the helper keeps Set-Cookie and front-token."""
    app = FastAPI()
    app.add_exception_handler(SuperTokensError, session_exception_handler)

    @app.post("/clear")
    async def clear(session: Session) -> None:
        raise UnauthorisedError("x")

    access = site.sign_in("header").access
    use(site, app)
    reply = site.post("/clear", bearer=access)
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")
    assert_refused(site.post("/clear"), UNAUTHORISED)


def test_the_exception_handler_and_the_middleware_answer_once(site: Site) -> None:
    """FP-86, FP-91: both together answer once, and no created token survives a clearing."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    app.add_exception_handler(SuperTokensError, session_exception_handler)

    @app.post("/login")
    async def login(request: Request) -> None:
        await session_asyncio.create_new_session(request, "public", "user-2")
        raise UnauthorisedError("x")

    use(site, app)
    reply = site.post("/login", [("st-auth-mode", "cookie")])
    assert reply.status == 401
    reply.assert_cleared("cookie", "header")
    assert site.handles("user-2") == []


def test_forgetting_the_middleware_is_an_error_that_names_it(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """FP-41: forgetting the middleware is an error that names it, not a login without tokens."""
    app = FastAPI()

    @app.post("/login")
    async def login(request: Request) -> dict[str, bool]:
        await session_asyncio.create_new_session(request, "public", "user-2")
        return {"ok": True}

    @app.get("/me")
    async def me(session: Session) -> dict[str, str]:
        return {"user": session.get_user_id()}

    @app.post("/merge")
    async def merge(session: Session) -> dict[str, bool]:
        await session.merge_into_access_token_payload({"a": 1})
        return {"ok": True}

    visitor = site.sign_in("header")
    use(site, app)
    reply = visitor.get("/me")
    assert reply.json == {"user": "user-1"}  # a plain verification delivers nothing
    assert (reply.header("vary"), reply.header("cache-control")) == ("Cookie, Authorization", "private")
    for method, path in (("GET", "/me"), ("POST", "/login")):
        reply = site.request(method, path)
        assert (reply.status, reply.session_parts) == (500, [])
        assert isinstance(site.client.error, ConfigError)
        assert "app.add_middleware(get_middleware())" in str(site.client.error)
    assert site.handles("user-2") == []
    assert visitor.post("/merge").json == {"ok": True}
    assert "the SuperTokens middleware is missing" in caplog.text


@pytest.mark.parametrize("expose", [[], ["X-Total", "front-token", "st-access-token", "st-refresh-token"]])
def test_a_cors_layer_outside_keeps_our_names_exposed(site: Site, expose: list[str]) -> None:
    """FP-15: with Starlette's CORS layer outside, our names stay exposed, and 401s get CORS headers."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["https://example.com"],
        allow_credentials=True,
        allow_methods=["*"],
        allow_headers=["content-type"],
        expose_headers=expose,
    )

    @app.get("/me")
    async def me(session: Session) -> None: ...

    use(site, app)
    origin = ("origin", "https://example.com")
    reply = site.post("/auth/session/refresh", [origin])
    assert {"front-token", "st-access-token", "st-refresh-token"} <= {name.lower() for name in reply.exposed}
    assert reply.header("access-control-allow-origin") == "https://example.com"
    assert site.get("/me", [origin]).header("access-control-allow-origin") == "https://example.com"


# -- mounts ----------------------------------------------------------------------------------------


def test_a_mounted_app_counts_its_mount_path(site: Site, mode: str) -> None:
    """FP-107: below `app.mount("/api", …)` the base path counts the mount path, as browsers do."""
    site.init(info={"api_base_path": "/api/auth"})
    outer = FastAPI()
    outer.mount("/api", site.client.app)
    use(site, outer)
    visitor = site.sign_in(mode, prefix="/api")
    assert visitor.post("/api/auth/session/refresh").status == 200
    assert visitor.get("/api/protected").json == {"user": "user-1"}
    assert visitor.post("/api/auth/signout").json == {"status": "OK"}


def test_the_middleware_may_sit_on_the_outer_app(site: Site) -> None:
    """FP-107: the middleware may sit on the outer app, with views in the mounted one."""
    site.init(info={"api_base_path": "/auth"})
    inner = FastAPI()

    @inner.get("/me")
    async def me(session: Session) -> dict[str, str]:
        await session.merge_into_access_token_payload({"a": 1})
        return {"user": session.get_user_id()}

    visitor = site.sign_in("header")
    outer = FastAPI()
    outer.add_middleware(get_middleware())
    outer.mount("/api", inner)
    use(site, outer)
    reply = visitor.get("/api/me")
    assert reply.json == {"user": "user-1"}
    assert reply.front["up"]["a"] == 1
    assert visitor.post("/auth/session/refresh").status == 200


def test_a_middleware_without_parentheses_is_refused_at_the_start(site: Site) -> None:
    """FP-41: said when the application starts."""
    app = FastAPI()
    app.add_middleware(get_middleware)  # type: ignore[arg-type]
    use(site, app)
    with pytest.raises(ConfigError) as raised:
        site.get("/")
    assert str(raised.value) == (
        "get_middleware has to be called: write app.add_middleware(get_middleware()), with parentheses"
    )


def test_a_view_mounted_below_the_middleware_is_no_mistake(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """FP-107: the SDK's routes are where the middleware is, so a view mounted deeper is no mistake."""
    inner, outer = FastAPI(), FastAPI()

    @inner.post("/login")
    async def login(request: Request) -> None:
        await session_asyncio.create_new_session(request, "public", "user-1")

    outer.add_middleware(get_middleware())
    outer.mount("/api", inner)
    use(site, outer)
    assert site.post("/api/login").status == 200
    assert caplog.messages == []


def test_a_root_path_that_nobody_names(
    site: Site, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FP-107: behind a proxy that strips the prefix, the gateway path is what is missing."""
    monkeypatch.setattr(site.client.app, "root_path", "/svc")
    site.sign_in("cookie")
    (told,) = caplog.messages
    assert 'Set api_gateway_path="/svc" in InputAppInfo, and the same in the frontend.' in told


def test_a_root_path_behind_a_stripping_proxy_is_put_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FP-107: `FastAPI(root_path="/svc")` behind a proxy that strips: the gateway path is put back."""
    site.init(info={"api_gateway_path": "/svc"})
    monkeypatch.setattr(site.client.app, "root_path", "/svc")
    visitor = site.sign_in("cookie")
    assert visitor.first.cookie("sRefreshToken").attributes["path"] == "/svc/auth/session/refresh"
    assert visitor.refresh().status == 200


# -- sync views, streams, background tasks ---------------------------------------------------------


def test_sync_views_and_the_clear_error(site: Site) -> None:
    """FP-50: `def` views may use `syncio`; inside `async def` it says what to do instead."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.post("/sync")
    def sync_view(request: Request) -> dict[str, str]:
        made = session_syncio.create_new_session(request, "public", "user-2", {"a": 1})
        made.sync_merge_into_access_token_payload({"b": 2})
        return {"user": made.get_user_id()}

    @app.post("/async")
    async def async_view(request: Request) -> None:
        session_syncio.create_new_session(request, "public", "user-3")

    use(site, app)
    reply = site.post("/sync")
    assert reply.json == {"user": "user-2"}
    assert reply.front["up"]["b"] == 2
    assert site.post("/async").status == 500
    error = site.client.error
    assert isinstance(error, RuntimeError)
    assert "Await its async twin instead" in str(error)
    assert "create_new_session" in str(error)
    assert site.handles("user-3") == []


@pytest.mark.parametrize("own_thread", [False, True])
def test_async_hooks_of_sync_views_run_on_the_applications_loop(site: Site, own_thread: bool) -> None:
    """On the application's loop, whose locks they may hold; in a thread of its own, on its own."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    loops: list[Any] = []
    lock = asyncio.Lock()

    async def slow(user_id: str, tenant_id: str, context: Any) -> str:
        loops.append(asyncio.get_running_loop())
        if not own_thread:
            async with lock:
                await asyncio.sleep(0)
        return user_id

    claim: Any = PrimitiveClaim("name", slow)

    def make() -> None:
        session_syncio.create_new_session_without_request_response(
            "public", "user-1"
        ).sync_fetch_and_set_claim(claim)

    @app.get("/loop")
    async def loop() -> None:
        loops.append(asyncio.get_running_loop())

    @app.get("/sync")
    def view() -> None:
        if own_thread:
            thread = threading.Thread(target=contextvars.copy_context().run, args=(make,))
            thread.start()
            thread.join()
        else:
            make()

    use(site, app)
    site.get("/loop")
    replies = site.client.together([("GET", "/sync", [])] * 6)
    assert [reply.status for reply in replies] == [200] * 6
    main, *others = loops
    assert len(others) == 6
    assert all((other is main) is not own_thread for other in others)


def test_an_async_hook_that_fails_in_a_sync_view(site: Site) -> None:
    """Its own RuntimeError is its own, and it runs once."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    runs: list[int] = []

    async def fails(user_id: str, tenant_id: str, context: Any) -> str:
        runs.append(1)
        raise RuntimeError("of the hook")

    claim: Any = PrimitiveClaim("name", fails)

    @app.get("/sync")
    def view() -> str:
        session = session_syncio.create_new_session_without_request_response("public", "user-1")
        with pytest.raises(RuntimeError, match="of the hook"):
            session.sync_fetch_and_set_claim(claim)
        return "ok"

    use(site, app)
    assert (site.get("/sync").json, runs) == ("ok", [1])


def test_a_merge_in_a_background_task_is_stored_and_warned_about(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """FP-93: a task that merges after the response is stored, and warned about."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.post("/later")
    async def later(session: Session, tasks: BackgroundTasks) -> dict[str, bool]:
        tasks.add_task(session.merge_into_access_token_payload, {"late": 1})
        return {"ok": True}

    visitor = site.sign_in("header")
    use(site, app)
    with caplog.at_level(logging.WARNING):
        reply = visitor.post("/later")
    assert (reply.json, reply.session_parts) == ({"ok": True}, [])
    assert "after its response was sent" in caplog.text
    assert site.stored(visitor.handle).payload["late"] == 1


def test_a_background_task_cannot_store_what_no_cookie_holds(site: Site) -> None:
    """The next refresh would send a cookie that browsers drop."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    caught: list[Exception] = []

    async def grow(session: SessionContainer) -> None:
        try:
            await session.merge_into_access_token_payload({"big": "x" * 6000})
        except Exception as error:
            caught.append(error)

    @app.post("/later")
    async def later(session: Session, tasks: BackgroundTasks) -> dict[str, bool]:
        tasks.add_task(grow, session)
        return {"ok": True}

    visitor = site.sign_in("cookie")
    use(site, app)
    assert visitor.post("/later").json == {"ok": True}
    assert [type(error) for error in caught] == [PayloadTooLargeError]
    assert "big" not in site.stored(visitor.handle).payload


def test_a_stream_keeps_flowing_chunk_by_chunk(site: Site) -> None:
    """FP-88: a stream keeps flowing chunk by chunk, with the changes in its headers."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.get("/stream")
    async def stream(session: Session) -> StreamingResponse:
        await session.merge_into_access_token_payload({"a": 1})
        return StreamingResponse(iter([b"one", b"two"]))

    visitor = site.sign_in("cookie")
    use(site, app)
    reply = visitor.get("/stream")
    assert reply.body == b"onetwo"
    assert reply.front["up"]["a"] == 1


def test_a_session_lets_go_of_its_request_when_the_response_starts(site: Site) -> None:
    """Nothing can be added to it any more, and whatever keeps the session is not to keep the request."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.get("/stream")
    async def stream(session: Session) -> StreamingResponse:
        assert session.req_res_info is not None
        return StreamingResponse(repr(session.req_res_info) for _ in range(1))

    visitor = site.sign_in("cookie")
    use(site, app)
    assert visitor.get("/stream").body == b"None"


def test_a_stream_that_breaks_is_followed_by_no_other_answer(site: Site) -> None:
    """FP-88: an answer that has begun is not followed by another; the server learns of the error."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    def chunks() -> Iterator[bytes]:
        yield b"one"
        raise UnauthorisedError("too late")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(chunks())

    use(site, app)
    reply = site.get("/stream")
    assert (reply.status, reply.body, reply.session_parts) == (200, b"one", [])
    error = site.client.error  # Starlette's own, since a handler that was made for ours came too late
    assert error is not None
    assert "too late" in repr(error.__cause__)


def test_a_form_that_the_route_has_read(site: Site) -> None:
    """A hook that looks at the form afterwards sees it as well: the route's own parsing remembers it."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.post("/form")
    async def form(request: Request) -> dict[str, Any]:
        assert [chunk async for chunk in request.stream()] == [b"a=1&a=2", b""]
        request._form = FormData([("a", "1"), ("a", "2")])  # what `await request.form()` leaves behind
        return await as_base_request(request).form_data()

    use(site, app)
    assert site.post("/form", body=b"a=1&a=2").json == {"a": "2"}


def test_the_session_is_on_the_state(site: Site) -> None:
    """FP-93: `request.state.supertokens` holds the session, as in the incumbent."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.get("/me", dependencies=[Depends(verify_session())])
    async def me(request: Request) -> dict[str, str]:
        return {"user": request.state.supertokens.get_user_id()}

    @app.get("/anyone", dependencies=[Depends(verify_session(session_required=False))])
    async def anyone(request: Request) -> dict[str, bool]:
        return {"none": request.state.supertokens is None}

    visitor = site.sign_in("header")
    use(site, app)
    assert visitor.get("/me").json == {"user": "user-1"}
    assert site.get("/anyone").json == {"none": True}


def test_two_dependencies_verify_the_same_request(site: Site) -> None:
    """FP-92: a router's dependency and a route's own one share the request's session and changes."""
    app = FastAPI(dependencies=[Depends(verify_session(session_required=False))])
    app.add_middleware(get_middleware())

    @app.get("/me")
    async def me(session: Session) -> dict[str, str]:
        await session.merge_into_access_token_payload({"a": 1})
        return {"user": session.get_user_id()}

    visitor = site.sign_in("header")
    use(site, app)
    assert visitor.get("/me").front["up"]["a"] == 1


def test_guards_can_be_overridden_in_tests(site: Site) -> None:
    """`app.dependency_overrides`: of one guard by its arguments, or of all of them by `verify_session`."""

    def validators(given: Any, session: Any, context: Any) -> Any:
        return given

    app = FastAPI()
    app.add_middleware(get_middleware())
    guards = {
        "/plain": (lambda: verify_session(), 401),
        "/database": (lambda: verify_session(check_database=True), 401),
        "/claims": (lambda: verify_session(override_global_claim_validators=validators), 401),
        "/context": (lambda: verify_session(user_context={"a": [1]}), 401),
        "/optional": (lambda: verify_session(session_required=False), 200),
    }
    for path, (make, _) in guards.items():

        @app.get(path)
        async def view(session: Any = Depends(make())) -> Any:  # noqa: B008
            return session if isinstance(session, str) else None

    use(site, app)
    for overridden, (make, _) in guards.items():
        app.dependency_overrides = {make(): lambda: "of the test"}
        for path, (_, status) in guards.items():
            assert site.get(path).status == (200 if path == overridden else status)
        assert site.get(overridden).json == "of the test"
    app.dependency_overrides = {verify_session: lambda: "of the test"}
    assert [site.get(path).json for path in guards] == ["of the test"] * len(guards)
    assert verify_session() != "verify_session"


def test_two_guards_of_the_same_kind_are_one(site: Site) -> None:
    """FastAPI verifies once, so both parameters are the same session."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.post("/two")
    async def two(first: Session, second: Annotated[Any, Depends(verify_session())]) -> Any:
        await second.merge_into_access_token_payload({"plan": "pro"})
        return [first is second, first.get_access_token_payload()["plan"]]

    visitor = site.sign_in("header")
    use(site, app)
    assert visitor.post("/two").json == [True, "pro"]


def test_openapi_shows_the_scheme(site: Site) -> None:
    """FP-41: protected routes carry a security scheme in the OpenAPI document."""
    app = FastAPI()

    @app.get("/me")
    async def me(session: Session) -> None: ...

    document = app.openapi()
    assert document["paths"]["/me"]["get"]["security"] == [{"SuperTokens": []}]
    scheme = document["components"]["securitySchemes"]["SuperTokens"]
    assert (scheme["type"], scheme["scheme"], scheme["bearerFormat"]) == ("http", "bearer", "JWT")
    assert "WWW-Authenticate: Bearer" in scheme["description"]
    assert "parameters" not in document["paths"]["/me"]["get"]


def test_lifespan_passes_through(site: Site) -> None:
    """FP-41: the middleware leaves other scope types alone."""
    from contextlib import asynccontextmanager

    events: list[str] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> Any:
        events.append("up")
        yield
        events.append("down")

    app = FastAPI(lifespan=lifespan)
    app.add_middleware(get_middleware())

    async def run() -> None:
        incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> Any:
            return incoming.pop(0)

        async def send(message: Any) -> None:
            events.append(message["type"])

        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    asyncio.run(run())
    assert events == ["up", "lifespan.startup.complete", "down", "lifespan.shutdown.complete"]


def test_a_dependency_without_parentheses_is_refused_at_the_route() -> None:
    """`Depends(verify_session)` would protect nothing; it is refused where the route is written."""

    async def view() -> str:
        return "open"

    forgotten = Depends(verify_session)
    for refused in (
        lambda: FastAPI().get("/", dependencies=[forgotten])(view),
        lambda: FastAPI().websocket("/", dependencies=[forgotten])(view),
        lambda: APIRouter(dependencies=[forgotten]).get("/")(view),
        lambda: FastAPI(dependencies=[forgotten]).get("/")(view),
    ):
        with pytest.raises(ConfigError, match=r"Depends\(verify_session\(\)\)"):
            refused()


def test_a_guard_without_depends_guards_all_the_same(site: Site) -> None:
    """It guards all the same: as a query parameter's default it would leave the route open."""
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.get("/plain")
    async def plain(session=verify_session()) -> str:  # type: ignore[no-untyped-def]  # noqa: B008
        return session.get_user_id()

    @app.get("/typed")
    async def typed(session: SessionContainer = verify_session()) -> str:  # type: ignore[assignment]  # noqa: B008
        return session.get_user_id()

    visitor = site.sign_in("header")
    use(site, app)
    for path in ("/plain", "/typed"):
        assert visitor.get(path).json == "user-1"
        for query in ("", "?session=x"):
            assert_refused(site.get(path + query), UNAUTHORISED)
    assert app.openapi()["paths"]["/plain"]["get"]["security"] == [{"SuperTokens": []}]


def test_a_dependency_called_in_a_thread_opens_nothing() -> None:
    """A caller that takes it for a sync function would take the coroutine for a session."""
    request = Request({"type": "http", "headers": []})

    async def as_a_sync_dependency() -> None:
        await run_in_threadpool(verify_session(), request)

    with pytest.raises(ConfigError, match="await it in an event loop"):
        asyncio.run(as_a_sync_dependency())


def test_a_dependency_is_no_decorator() -> None:
    """Above the route it would protect nothing, below it FastAPI would speak of coroutines."""

    def decorated_twice() -> None:
        @verify_session()
        @FastAPI().get("/")
        async def view() -> str:
            return "open"

    def decorated() -> None:
        @FastAPI().get("/")
        @verify_session()
        def view() -> str:
            return "open"

    for refused in (decorated_twice, decorated):
        with pytest.raises(ConfigError, match=r"no decorator in FastAPI.*= Depends\(verify_session\(\)\)"):
            refused()
