"""Tornado on its own server."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from supertokens_py.framework import tornado
from supertokens_py.framework.tornado import SuperTokensMixin, setup
from supertokens_py.recipe.session.framework.tornado import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import Reply, Route, SocketClient
from supertokens_py.testing.conformance.sockets import Serve


def serving(app: Application) -> Serve:
    """Return what serves an application on a socket."""

    @asynccontextmanager
    async def serve(listener: socket.socket) -> AsyncIterator[None]:
        listener.setblocking(False)
        server = HTTPServer(app)
        server.add_sockets([listener])
        yield
        server.stop()
        await server.close_all_connections()

    return serve


class Client(SocketClient):
    async def send(self, *args: Any, **kwargs: Any) -> Reply:
        """Wait for what goes on after the response, too."""
        reply = await super().send(*args, **kwargs)
        await asyncio.gather(*tornado._tasks)
        return reply


class Driver(conformance.Driver):
    framework = "tornado"
    streams = websockets = True

    def build(self, routes: Sequence[Route]) -> SocketClient:
        handlers = [
            (re.escape(quote(route.path)), _socket(route) if route.websocket else _handler(route))
            for route in routes
        ]
        app = Application(handlers)
        if self.middleware:
            setup(app)
        return self.client(app)

    def client(self, app: Application) -> SocketClient:
        return Client(serving(app))


def _handler(route: Route) -> type[RequestHandler]:
    class Handler(SuperTokensMixin, RequestHandler):
        async def run(self) -> None:
            answer = await route.run(self.request, getattr(self.request, "supertokens", None))
            self.set_status(answer.status)
            self.set_header("Content-Type", "application/json")
            for name, value in answer.headers:
                self.add_header(name, value)
            for chunk in answer.chunks if route.stream else [answer.content]:
                self.write(chunk)
                if route.stream:
                    await self.flush()

    method = Handler.run if route.guard is None else verify_session(**route.guard)(Handler.run)
    for name in route.methods:
        setattr(Handler, name.lower(), method)
    return Handler


def _socket(route: Route) -> type[WebSocketHandler]:
    class Handler(WebSocketHandler):
        def check_origin(self, origin: str) -> bool:
            return True  # verification looks at it

        @verify_session(**(route.guard or {}))
        async def prepare(self) -> None:
            pass

        async def open(self, *args: str, **kwargs: str) -> None:
            answer = await route.run(self.request, getattr(self.request, "supertokens", None))
            await self.write_message(answer.body["user"])
            self.close()

    return Handler
