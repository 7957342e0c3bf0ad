"""aiohttp on its own server."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from supertokens_py.framework.aiohttp import SESSION, setup
from supertokens_py.recipe.session.framework.aiohttp import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import Route, SocketClient
from supertokens_py.testing.conformance.sockets import Serve


def serving(app: web.Application) -> Serve:
    """Return what serves an application on a socket."""

    @asynccontextmanager
    async def serve(listener: socket.socket) -> AsyncIterator[None]:
        runner = web.AppRunner(app, access_log=None)
        try:
            await runner.setup()
            await web.SockSite(runner, listener).start()
            yield
        finally:
            await runner.cleanup()

    return serve


class Driver(conformance.Driver):
    framework = "aiohttp"
    streams = websockets = True

    def build(self, routes: Sequence[Route]) -> SocketClient:
        app = web.Application()
        if self.middleware:
            setup(app)
        for route in routes:
            handler = _socket(route) if route.websocket else _handler(route)
            if route.guard is not None:
                handler = verify_session(**route.guard)(handler)
            for method in route.methods:
                app.router.add_route(method, route.path, handler)
        return self.client(app)

    def client(self, app: web.Application) -> SocketClient:
        return SocketClient(serving(app))


def _handler(route: Route) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = await route.run(request, request.get(SESSION))
        headers = [("Content-Type", "application/json"), *answer.headers]
        if not route.stream:
            return web.Response(body=answer.content, status=answer.status, headers=headers)
        response = web.StreamResponse(status=answer.status, headers=dict(headers))
        await response.prepare(request)
        for chunk in answer.chunks:
            await response.write(chunk)
        return response

    return handler


def _socket(route: Route) -> Any:
    async def handler(request: web.Request) -> web.WebSocketResponse:
        answer = await route.run(request, request.get(SESSION))
        response = web.WebSocketResponse()
        await response.prepare(request)
        await response.send_str(answer.body["user"])
        await response.close()
        return response

    return handler
