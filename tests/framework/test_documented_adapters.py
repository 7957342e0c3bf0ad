"""The adapters in docs/writing-an-adapter.md, which others write after, on the published suite."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import bottle
import falcon
import falcon.asgi

from supertokens_py.testing.conformance import AsgiClient, Conformance, Driver, Route, WsgiClient
from tests.docs.blocks import DOCS, modules
from tests.support.pyramid import Configurator, Response


def documented(framework: str) -> Any:
    """Run the block that imports a framework, and return its names."""
    for module in modules(DOCS / "writing-an-adapter.md"):
        line, text, _ = module.parts[0]
        if f"import {framework}" in text or f"from {framework}" in text:
            assert 36 <= len(text.splitlines()) <= 62, f"the adapter of {framework}"
            made = sys.modules["documented"] = ModuleType("documented")  # Pyramid looks for it
            exec(compile("\n" * (line - 1) + text, str(module.page), "exec", dont_inherit=True), vars(made))
            return made
    raise AssertionError(f"no block for {framework}")


class FalconDriver(Driver):
    streams = websockets = True

    def build(self, routes: Sequence[Route]) -> AsgiClient:
        adapter = documented("falcon")
        app = falcon.asgi.App()
        for route in routes:
            app.add_route(route.path, self.resource(route, adapter))
        return AsgiClient(adapter.install(app) if self.middleware else app)

    def resource(self, route: Route, adapter: Any) -> Any:
        async def respond(resource: Any, req: Any, resp: Any) -> None:
            answer = await route.run(req, getattr(req.context, "session", None))
            resp.status = answer.status
            resp.content_type = "application/json"
            resp.data = answer.content
            if route.stream:
                resp.data = None
                resp.stream = slowly(answer.chunks)
            for name, value in answer.headers:
                resp.append_header(name, value)

        async def connect(resource: Any, req: Any, ws: Any) -> None:
            answer = await route.run(req, req.context.session)
            await ws.accept()
            await ws.send_text(answer.body["user"])
            await ws.close()

        view: Any = connect if route.websocket else respond
        if route.guard is not None:
            view = falcon.before(adapter.verify_session(**route.guard))(view)
        methods = ["websocket"] if route.websocket else [method.lower() for method in route.methods]
        return type("Resource", (), {f"on_{method}": view for method in methods})()


async def slowly(chunks: list[bytes]) -> Any:
    for chunk in chunks:
        yield chunk


class PyramidDriver(Driver):
    mode = "wsgi"
    streams = True

    def build(self, routes: Sequence[Route]) -> WsgiClient:
        adapter = documented("pyramid.request")
        config = Configurator()
        config.include(adapter.includeme)
        for route in routes:
            config.add_route(route.path, route.path)
            guard = None if route.guard is None else adapter.verify_session(**route.guard)
            config.add_view(
                self.view(route), route_name=route.path, request_method=route.methods, session=guard
            )
        app = config.make_wsgi_app()
        return WsgiClient(adapter.SuperTokensMiddleware(app) if self.middleware else app)

    def view(self, route: Route) -> Any:
        def view(request: Any) -> Response:
            answer = route.blocking(request, request.supertokens)
            response = Response(answer.content, status=answer.status, content_type="application/json")
            if route.stream:
                response.app_iter = answer.chunks
            for name, value in answer.headers:
                response.headers.add(name, value)
            return response

        return view


class BottleDriver(Driver):
    mode = "wsgi"
    streams = True

    def build(self, routes: Sequence[Route]) -> WsgiClient:
        adapter = documented("bottle")
        app = bottle.Bottle()
        app.install(adapter.Plugin())
        for route in routes:
            view = self.view(route, adapter)
            if route.guard is not None:
                view = adapter.verify_session(**route.guard)(view)
            app.route(route.path, list(route.methods), view)
        return WsgiClient(adapter.SuperTokensMiddleware(app) if self.middleware else app)

    def view(self, route: Route, adapter: Any) -> Any:
        def view() -> Any:
            answer = route.blocking(bottle.request, adapter.current_session())
            body = iter(answer.chunks) if route.stream else answer.content
            response = bottle.HTTPResponse(body, answer.status, [("Content-Type", "application/json")])
            for name, value in answer.headers:
                response.add_header(name, value)
            return response

        return view


class TestFalcon(Conformance):
    driver = FalconDriver


class TestPyramid(Conformance):
    driver = PyramidDriver


class TestBottle(Conformance):
    driver = BottleDriver
