"""Litestar under ASGI."""

from __future__ import annotations

from collections.abc import Sequence
from http.cookies import SimpleCookie
from typing import Any

from litestar import Litestar, Request, WebSocket, route, websocket
from litestar.datastructures import Cookie
from litestar.response import Response, Stream

from supertokens_py.framework.litestar import SuperTokensPlugin
from supertokens_py.recipe.session.framework.litestar import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import AsgiClient, Route


class Driver(conformance.Driver):
    framework = "litestar"
    streams = websockets = True

    def build(self, routes: Sequence[Route]) -> Any:
        handlers = [_websocket(each) if each.websocket else _handler(each) for each in routes]
        plugins = [SuperTokensPlugin()] if self.middleware else []
        app = Litestar(handlers, plugins=plugins, openapi_config=None, logging_config=None)
        sender = self.client(app)

        async def note(error: BaseException, scope: Any) -> None:
            sender.error = error

        app.after_exception.append(note)
        return sender

    def client(self, app: Litestar) -> Any:
        return AsgiClient(app)


def _guards(each: Route) -> list[Any]:
    return [] if each.guard is None else [verify_session(**each.guard)]


def _handler(each: Route) -> Any:
    # Litestar has no route for TRACE and answers OPTIONS itself.
    methods = [method for method in each.methods if method not in ("OPTIONS", "TRACE")]

    async def handler(request: Request[Any, Any, Any]) -> Response[Any]:
        answer = await each.run(request, request.scope.get("auth"))
        response: Any = Response(answer.content, status_code=answer.status, media_type="application/json")
        if each.stream:
            response = Stream(answer.chunks, status_code=answer.status, media_type="application/json")
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                (morsel,) = SimpleCookie(value).values()
                response.cookies.append(Cookie(morsel.key, value=morsel.value, path=morsel["path"]))
            else:
                response.headers[name] = value
        return response

    return route(each.path, http_method=methods, guards=_guards(each), status_code=200)(handler)


def _websocket(each: Route) -> Any:
    async def handler(socket: WebSocket[Any, Any, Any]) -> None:
        answer = await each.run(socket, socket.scope.get("auth"))
        await socket.accept()
        await socket.send_text(answer.body["user"])
        await socket.close()

    return websocket(each.path, guards=_guards(each))(handler)
