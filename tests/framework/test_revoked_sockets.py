"""Open WebSockets of sessions that are revoked (`session.init(instant_revocation=True)`)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar import WebSocket as LitestarSocket
from litestar import websocket as litestar_route
from litestar.exceptions import WebSocketDisconnect as LitestarDisconnect
from quart import Quart
from quart import websocket as quart_socket
from starlette.applications import Starlette
from starlette.routing import Mount, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.revoked_sessions import Revocation
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework import asgi, litestar, quart, starlette
from supertokens_py.framework.adapter import SessionCheck, are_revocations_watched
from supertokens_py.framework.asgi import AsgiRequest, Connection
from supertokens_py.framework.watched_sockets import WatchedSocket
from supertokens_py.recipe import session
from supertokens_py.recipe.session import on_revoked
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    get_session_without_request_response,
    revoke_session,
)
from tests.support.clock import Clock
from tests.support.databases import Sqlite

HEADERS = [(b"host", b"api.example.com"), (b"origin", b"https://example.com")]


@pytest.fixture(params=[True, False], ids=["on", "off"])
def is_on(request: pytest.FixtureRequest, sqlite_files: Sqlite, clock: Clock) -> Iterator[bool]:
    """An application with the feature, and one without."""
    Supertokens.reset()
    engine = EngineConfig(now_ms=clock, clean_up_interval=0, sqlite_synchronous="NORMAL")
    init(
        InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig(sqlite_files.create().uri, engine=engine),
        recipe_list=[session.init(instant_revocation=request.param)],
    )
    yield request.param
    Supertokens.reset()


class Client:
    """One WebSocket of an ASGI application; `sent` is what the application, or the SDK, sent."""

    def __init__(self, app: Any, path: str = "/ws") -> None:
        self._app = app
        self._path = path
        self.sent: asyncio.Queue[Any] = asyncio.Queue()
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()

    async def open(self, token: str) -> None:
        scope: dict[str, Any] = {
            "type": "websocket",
            "path": self._path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [*HEADERS, (b"authorization", b"Bearer " + token.encode())],
            "subprotocols": [],
            "scheme": "wss",
            "http_version": "1.1",
            "client": ("192.0.2.1", 1),
            "server": ("api.example.com", 443),
            "extensions": {},
            "asgi": {"version": "3.0", "spec_version": "2.4"},
        }
        await self.incoming.put({"type": "websocket.connect"})
        self.running = asyncio.ensure_future(self._app(scope, self.incoming.get, self.sent.put))

    async def answer(self) -> Any:
        message = await asyncio.wait_for(self.sent.get(), 20)
        return {name: value for name, value in message.items() if value not in (None, [], b"", "")}


# -- applications that echo, and note how their sockets end ---------------------------------------------

ENDED: list[int] = []


async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect as error:
        ENDED.append(error.code)


def of_starlette() -> Any:
    guarded = starlette.verify_session()(echo)
    app = Starlette(routes=[Mount("/", routes=[WebSocketRoute("/ws", guarded)])])
    app.add_middleware(starlette.SuperTokensMiddleware)
    return app


def of_litestar() -> Any:
    @litestar_route("/ws", guards=[litestar.verify_session()])
    async def handler(socket: LitestarSocket[Any, Any, Any]) -> None:
        await socket.accept()
        try:
            while True:
                await socket.send_text(await socket.receive_text())
        except LitestarDisconnect as error:
            ENDED.append(error.code)

    return Litestar([handler], plugins=[litestar.SuperTokensPlugin()])


def of_quart() -> Any:
    app = Quart("test")
    quart.Middleware(app)

    @app.websocket("/ws")
    @quart.verify_session()
    async def handler() -> None:
        await quart_socket.accept()
        try:
            while True:
                await quart_socket.send(await quart_socket.receive())
        except asyncio.CancelledError:
            ENDED.append(1008)
            raise

    return app


def of_asgi() -> Any:
    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        await SessionCheck().verify(AsgiRequest.of(Connection(scope, receive)))
        message = await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": message["text"]})
        ENDED.append(message["code"])

    return asgi.SuperTokensMiddleware(app)


APPLICATIONS = [of_starlette, of_litestar, of_quart, of_asgi]


@pytest.mark.parametrize("make", APPLICATIONS, ids=lambda make: make.__name__)
def test_an_open_socket_is_closed(is_on: bool, make: Callable[[], Any]) -> None:
    """CP-16: with 1008 and the reason of a refusal; the application sees a disconnect. Off: it stays open."""
    ENDED.clear()
    token = create_new_session_without_request_response("public", "user").get_access_token()
    found = get_session_without_request_response(token)
    assert found is not None

    async def visit() -> list[Any]:
        client = Client(make())
        await client.open(token)
        answers = [await client.answer()]
        await client.incoming.put({"type": "websocket.receive", "text": "hello"})
        answers.append(await client.answer())
        await asyncio.to_thread(revoke_session, found.get_handle())
        if is_on:
            answers.append(await client.answer())
        else:
            await client.incoming.put({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(client.running, 20)
        assert client.sent.empty()
        return answers

    close = {"type": "websocket.close", "code": 1008, "reason": "unauthorised"}
    expected = [{"type": "websocket.accept"}, {"type": "websocket.send", "text": "hello"}]
    assert asyncio.run(visit()) == expected + ([close] if is_on else [])
    assert len(ENDED) == 1
    if make is not of_quart:
        assert [1008 if is_on else 1001] == ENDED


@pytest.mark.parametrize("verifies", ["before", "after"])
def test_an_application_that_only_sends_is_told(is_on: bool, verifies: str) -> None:
    """CP-16: as by a server whose client is gone, whether it verifies before or after it accepts."""
    token = create_new_session_without_request_response("public", "user").get_access_token()
    found = get_session_without_request_response(token)
    assert found is not None
    failed: list[str] = []

    async def push(scope: Any, receive: Any, send: Any) -> None:
        if verifies == "before":
            await SessionCheck().verify(AsgiRequest.of(Connection(scope, receive)))
        await send({"type": "websocket.accept"})
        if verifies == "after":
            await SessionCheck().verify(AsgiRequest.of(Connection(scope, receive)))
            await send({"type": "websocket.send", "text": "welcome"})
        await asyncio.to_thread(revoke_session, found.get_handle())
        for _ in range(3):
            await asyncio.sleep(0)
        try:
            await send({"type": "websocket.send", "text": "news"})
        except ConnectionError as error:
            failed.append(str(error))

    async def visit() -> None:
        client = Client(asgi.SuperTokensMiddleware(push))
        await client.open(token)
        await asyncio.wait_for(client.running, 20)

    asyncio.run(visit())
    assert failed == (["the session of this WebSocket was revoked"] if is_on else [])


def test_the_socket_of_an_impersonation_ends_with_it(is_on: bool, clock: Clock) -> None:
    """With its access token; nobody revokes anything. One of the user themselves stays open."""

    async def visit(made: Any, *, is_ended: bool) -> list[str]:
        client = Client(of_asgi())
        await client.open(made.get_access_token())
        answers = [(await client.answer())["type"]]
        if is_ended:
            answers.append((await client.answer())["type"])
        else:
            await client.incoming.put({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait_for(client.running, 20)
        return answers

    created_ms = clock()
    acting, own = (
        create_new_session_without_request_response("public", "user", access_token_payload=payload)
        for payload in ({"act": {"sub": "support"}}, {})
    )
    for made, is_ended in ((own, False), (acting, is_on)):
        expires_ms = made.get_access_token_payload()["exp"] * 1000
        clock.advance(ms=expires_ms - clock() - 20)
        answers = asyncio.run(visit(made, is_ended=is_ended))
        assert answers == ["websocket.accept", *(["websocket.close"] if is_ended else [])]
        clock.advance(ms=created_ms - clock())


@pytest.mark.parametrize("is_on", [True], indirect=True)
def test_a_socket_that_ends_is_closed_once(is_on: bool, clock: Clock) -> None:
    """By whatever comes first, its end or a revocation, however long the application goes on."""
    made = create_new_session_without_request_response(
        "public", "user", access_token_payload={"act": {"sub": "support"}}
    )
    clock.advance(ms=made.get_access_token_payload()["exp"] * 1000 - clock() - 20)

    async def visit() -> list[Any]:
        sent: asyncio.Queue[Any] = asyncio.Queue()
        socket = WatchedSocket(asyncio.Event().wait, sent.put, lambda: made)  # type: ignore[arg-type]
        waiting = asyncio.ensure_future(socket.receive())
        await asyncio.sleep(0)
        await asyncio.to_thread(revoke_session, made.get_handle())
        message = await asyncio.wait_for(waiting, 20)
        await asyncio.sleep(0.03)
        await socket.end()
        return [message["type"], *(sent.get_nowait()["type"] for _ in range(sent.qsize()))]

    assert asyncio.run(visit()) == ["websocket.disconnect", "websocket.close"]


def test_an_application_may_stop_waiting_for_a_message() -> None:
    """The message that comes later is not lost; nobody has to be logged in."""

    async def visit() -> list[Any]:
        incoming: asyncio.Queue[Any] = asyncio.Queue()
        socket = WatchedSocket(incoming.get, incoming.put, lambda: None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.receive(), 0.001)
        await incoming.put({"type": "websocket.receive", "text": "hello"})
        message = await asyncio.wait_for(socket.receive(), 20)
        await socket.end()
        return [message["text"], incoming.qsize()]

    assert asyncio.run(visit()) == ["hello", 0]


def test_anything_else_can_be_told(is_on: bool) -> None:
    """CP-16: streams, sockets of other servers: once, under a loop in it, else in whichever thread."""
    made = create_new_session_without_request_response("public", "user")
    if not is_on:
        with pytest.raises(ConfigError, match=r"on_revoked needs session\.init\(instant_revocation=True\)"):
            on_revoked(made, print)
        return
    told: list[str] = []
    forget = on_revoked(made, lambda: told.append("forgotten"))
    on_revoked(made, lambda: told.append(threading.current_thread().name))
    forget()

    async def wait() -> None:
        event = asyncio.Event()
        on_revoked(made, event.set)
        await asyncio.to_thread(revoke_session, made.get_handle())
        await asyncio.wait_for(event.wait(), 20)

    asyncio.run(wait())
    assert len(told) == 1
    on_revoked(made, lambda: told.append("late"))
    assert told[1:] == ["late"]


def test_what_is_told_once_is_not_told_again(
    is_on: bool, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is an event loop that has ended: every session has to refresh after its own was revoked."""
    if not is_on:
        assert not are_revocations_watched()
        return
    made = create_new_session_without_request_response("public", "user")
    told: list[str] = []
    on_revoked(made, lambda: told.append("thread"))

    async def watch() -> None:
        on_revoked(made, lambda: told.append("loop"))

    asyncio.run(watch())
    revoke_session(made.get_handle())
    engine: Any = Supertokens.get_instance().engine
    engine.revocations.revoked.add([Revocation(handles=None, at_ms=clock(), until_ms=clock() + 1)])
    assert (told, caplog.messages) == (["thread"], [])


def test_before_init_nothing_is_watched() -> None:
    Supertokens.reset()
    assert not are_revocations_watched()
