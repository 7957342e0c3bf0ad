"""Quart under ASGI, with async views."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import hypercorn.asyncio as hypercorn
from hypercorn.config import Config
from quart import Quart, Response, g, request, websocket
from quart.signals import got_request_exception

from supertokens_py.framework.quart import Middleware
from supertokens_py.recipe.session.framework.quart import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import AsgiClient, Route, SocketClient
from supertokens_py.testing.conformance.sockets import Serve


def serving(app: Quart) -> Serve:
    """Return what serves an application on a socket."""

    @asynccontextmanager
    async def serve(listener: socket.socket) -> AsyncIterator[None]:
        config = Config()
        config.bind = [f"fd://{listener.fileno()}"]
        config.accesslog = config.errorlog = None
        end = asyncio.Event()
        server = asyncio.create_task(hypercorn.serve(app, config, shutdown_trigger=end.wait))
        yield
        end.set()
        await server
        listener.detach()  # it has been closed

    return serve


class Driver(conformance.Driver):
    framework = "quart"
    streams = websockets = True

    def build(self, routes: Sequence[Route]) -> AsgiClient:
        app = Quart(__name__)
        app.logger.disabled = True
        if self.middleware:
            Middleware(app)
        for route in routes:
            view = _socket(route) if route.websocket else _view(route)
            if route.guard is not None:
                view = verify_session(**route.guard)(view)
            if route.websocket:
                app.add_websocket(route.path, route.path, view)
            else:
                methods = list(route.methods)
                app.add_url_rule(
                    route.path, route.path, view, methods=methods, provide_automatic_options=False
                )
        sender = self.client(app)

        async def note(_: Any, exception: BaseException, **extra: Any) -> None:
            sender.error = exception

        got_request_exception.connect(note, app, weak=False)
        return sender

    def client(self, app: Quart) -> Any:
        return AsgiClient(app)


class OnHypercorn(Driver):
    """The same on the server that Quart brings."""

    def client(self, app: Quart) -> SocketClient:
        return SocketClient(serving(app))


def _view(route: Route) -> Any:
    async def view() -> Response:
        answer = await route.run(request, g.get("supertokens"))
        body: Any = _slowly(answer.chunks) if route.stream else answer.content
        response = Response(body, answer.status, content_type="application/json")
        for name, value in answer.headers:
            response.headers.add(name, value)
        return response

    return view


async def _slowly(chunks: list[bytes]) -> Any:
    for chunk in chunks:
        yield chunk


def _socket(route: Route) -> Any:
    async def view() -> None:
        answer = await route.run(websocket, g.get("supertokens"))
        await websocket.accept()
        await websocket.send(answer.body["user"])

    return view
