"""FastAPI under ASGI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, Response, StreamingResponse

from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe.session.framework.fastapi import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import Answer, AsgiClient, Route


class Driver(conformance.Driver):
    framework = "fastapi"
    streams = websockets = True

    def build(self, routes: Sequence[Route]) -> AsgiClient:
        app = FastAPI(openapi_url=None)
        if self.middleware:
            app.add_middleware(get_middleware())
        for route in routes:
            if route.websocket:
                app.add_api_websocket_route(route.path, _websocket(route))
            else:
                app.add_api_route(route.path, _endpoint(route), methods=list(route.methods))
        return self.client(app)

    def client(self, app: FastAPI) -> Any:
        return AsgiClient(app)


def _native(route: Route, answer: Answer) -> Response:
    response = JSONResponse(answer.body, answer.status)
    if route.stream:
        response = StreamingResponse(iter(answer.chunks), answer.status, media_type="application/json")
    for name, value in answer.headers:
        response.headers.append(name, value)
    return response


def _endpoint(route: Route) -> Any:
    if route.guard is None:

        async def plain(request: Request) -> Response:
            return _native(route, await route.run(request))

        return plain
    dependency = Depends(verify_session(**route.guard))

    async def guarded(request: Request, session: Any = dependency) -> Response:
        return _native(route, await route.run(request, session))

    return guarded


def _websocket(route: Route) -> Any:
    dependency = Depends(verify_session(**(route.guard or {})))

    async def endpoint(socket: WebSocket, session: Any = dependency) -> None:
        answer = await route.run(socket, session)
        await socket.accept()
        await socket.send_text(answer.body["user"])
        await socket.close()

    return endpoint
