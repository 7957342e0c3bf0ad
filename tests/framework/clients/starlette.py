"""Starlette under ASGI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route as StarletteRoute
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from supertokens_py.framework.starlette import SuperTokensMiddleware
from supertokens_py.recipe.session.framework.starlette import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import AsgiClient, Route


class Driver(conformance.Driver):
    framework = "starlette"
    streams = websockets = True

    def build(self, routes: Sequence[Route]) -> Any:
        app = Starlette(routes=[_route(route) for route in routes])
        if self.middleware:
            app.add_middleware(SuperTokensMiddleware)
        return self.client(app)

    def client(self, app: Starlette) -> Any:
        return AsgiClient(app)


def _route(route: Route) -> Any:
    endpoint = _websocket(route) if route.websocket else _endpoint(route)
    if route.guard is not None:
        endpoint = verify_session(**route.guard)(endpoint)
    if route.websocket:
        return WebSocketRoute(route.path, endpoint)
    return StarletteRoute(route.path, endpoint, methods=list(route.methods))


def _session(connection: Any) -> Any:
    return getattr(connection.state, "supertokens", None)


def _endpoint(route: Route) -> Any:
    async def endpoint(request: Request) -> Response:
        answer = await route.run(request, _session(request))
        response = JSONResponse(answer.body, answer.status)
        if route.stream:
            response = StreamingResponse(iter(answer.chunks), answer.status, media_type="application/json")
        for name, value in answer.headers:
            response.headers.append(name, value)
        return response

    return endpoint


def _websocket(route: Route) -> Any:
    async def endpoint(socket: WebSocket) -> None:
        answer = await route.run(socket, _session(socket))
        await socket.accept()
        await socket.send_text(answer.body["user"])
        await socket.close()

    return endpoint
