"""Blocking code of WebSockets, as dependencies are: it runs in a thread, and its async hooks on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from fastapi import WebSocket as FastApiSocket
from litestar import Litestar
from litestar import WebSocket as LitestarSocket
from litestar import websocket as litestar_route
from litestar.di import NamedDependency, Provide
from quart import Quart
from quart import websocket as quart_socket
from quart.utils import run_sync
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from supertokens_py.framework import litestar, quart, starlette
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from tests.seeds.fixtures import start

__all__ = ["start"]

Blocking = Callable[[], str]


def of_fastapi(work: Blocking) -> Any:
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.websocket("/ws")
    async def handler(socket: FastApiSocket, done: str = Depends(work)) -> None:
        await socket.accept()
        await socket.send_text(done)

    return app


def of_starlette(work: Blocking) -> Any:
    async def handler(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(await run_in_threadpool(work))

    app = Starlette(routes=[WebSocketRoute("/ws", handler)])
    app.add_middleware(starlette.SuperTokensMiddleware)
    return app


def of_quart(work: Blocking) -> Any:
    app = Quart("test")
    quart.Middleware(app)

    @app.websocket("/ws")
    async def handler() -> None:
        await quart_socket.accept()
        await quart_socket.send(await run_sync(work)())

    return app


def of_litestar(work: Blocking) -> Any:
    @litestar_route("/ws", dependencies={"done": Provide(work, sync_to_thread=True)})
    async def handler(socket: LitestarSocket[Any, Any, Any], done: NamedDependency[str]) -> None:
        await socket.accept()
        await socket.send_text(done)

    return Litestar([handler], plugins=[litestar.SuperTokensPlugin()], openapi_config=None)


async def said(app: Any) -> Any:
    """Open a WebSocket, and return what the application sends."""
    incoming = [{"type": "websocket.connect"}]
    texts: list[Any] = []

    async def receive() -> Any:
        return incoming.pop() if incoming else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        if message["type"] == "websocket.send":
            texts.append(message["text"])

    more: dict[str, Any] = {"subprotocols": [], "extensions": {}, "asgi": {"version": "3.0"}}
    scope = {"type": "websocket", "path": "/ws", "raw_path": b"/ws", "root_path": "", "query_string": b""}
    await app({**scope, "headers": [(b"host", b"api.example.com")], "scheme": "wss", **more}, receive, send)
    return texts


@pytest.mark.parametrize(
    "make", [of_fastapi, of_starlette, of_quart, of_litestar], ids=lambda make: make.__name__
)
def test_async_hooks_of_blocking_code_run_on_the_loop_of_the_socket(
    start: Callable[..., Any], make: Callable[[Blocking], Any]
) -> None:
    """It may hold locks of that loop, as the code of requests may."""
    start()
    loops: list[Any] = []

    async def fetch(user_id: str, tenant_id: str, context: Any) -> str:
        loops.append(asyncio.get_running_loop())
        return user_id

    claim: Any = PrimitiveClaim("name", fetch)

    def work() -> str:
        made = syncio.create_new_session_without_request_response("public", "ada")
        made.sync_fetch_and_set_claim(claim)
        return made.get_user_id()

    async def visit() -> None:
        assert await said(make(work)) == ["ada"]
        assert loops == [asyncio.get_running_loop()]

    asyncio.run(visit())
