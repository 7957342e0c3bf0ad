"""Sanic on its own server."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sanic import HTTPResponse, Request, Sanic

from supertokens_py.framework.sanic import setup
from supertokens_py.recipe.session.framework.sanic import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import Route, SocketClient
from supertokens_py.testing.conformance.sockets import Serve

_numbers = itertools.count(1)  # a process may have one application of a name


def new_app() -> Any:
    """Return an empty application."""
    app: Any = Sanic(f"tests-{next(_numbers)}", configure_logging=False)
    app.config.TOUCHUP = False  # rewrites methods of the class for the first application
    return app


def serving(app: Any) -> Serve:
    """Return what serves an application on a socket."""

    @asynccontextmanager
    async def serve(listener: socket.socket) -> AsyncIterator[None]:
        app.config.ACCESS_LOG = False
        server = await app.create_server(sock=listener, return_asyncio_server=True)
        await server.startup()
        await server.before_start()
        await server.after_start()
        yield
        await server.before_stop()
        await server.close()
        await server.after_stop()
        Sanic.unregister_app(app)

    return serve


class Driver(conformance.Driver):
    framework = "sanic"
    streams = websockets = accepts_first = True

    def build(self, routes: Sequence[Route]) -> SocketClient:
        app = new_app()
        if self.middleware:
            setup(app)
        for number, route in enumerate(routes):
            handler = _socket(route) if route.websocket else _handler(route)
            if route.guard is not None:
                handler = verify_session(**route.guard)(handler)
            if route.websocket:
                app.add_websocket_route(handler, route.path, name=f"r{number}")
            else:
                methods = [method for method in route.methods if method != "TRACE"]
                app.add_route(handler, route.path, methods=methods, name=f"r{number}")
        return self.client(app)

    def client(self, app: Any) -> SocketClient:
        return SocketClient(serving(app))


def _handler(route: Route) -> Any:
    async def handler(request: Request) -> HTTPResponse | None:
        answer = await route.run(request, getattr(request.ctx, "supertokens", None))
        if route.stream:
            response = await request.respond(status=answer.status, content_type="application/json")
            for chunk in answer.chunks:
                await response.send(chunk)
            await response.eof()
            return None
        response = HTTPResponse(json.dumps(answer.body), answer.status, content_type="application/json")
        for name, value in answer.headers:
            response.headers.add(name, value)
        return response

    return handler


def _socket(route: Route) -> Any:
    async def handler(request: Request, ws: Any) -> None:
        answer = await route.run(request, getattr(request.ctx, "supertokens", None))
        await ws.send(answer.body["user"])

    return handler
