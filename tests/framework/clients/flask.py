"""Flask under WSGI, with sync views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Flask, Response, g, request
from flask.signals import got_request_exception

from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe.session.framework.flask import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import Route, WsgiClient


class Driver(conformance.Driver):
    framework = "flask"
    mode = "wsgi"
    streams = True

    def build(self, routes: Sequence[Route]) -> WsgiClient:
        app = Flask(__name__)
        app.logger.disabled = True
        if self.middleware:
            Middleware(app)
        for route in routes:
            view = _view(route) if route.guard is None else verify_session(**route.guard)(_view(route))
            app.add_url_rule(
                route.path, route.path, view, methods=route.methods, provide_automatic_options=False
            )
        sender = self.client(app)

        def note(_: Any, exception: BaseException, **extra: Any) -> None:
            sender.error = exception

        got_request_exception.connect(note, app, weak=False)
        return sender

    def client(self, app: Flask) -> Any:
        return WsgiClient(app)


def _view(route: Route) -> Any:
    def view() -> Response:
        answer = route.blocking(request, g.get("supertokens"))
        body = iter(answer.chunks) if route.stream else answer.content
        response = Response(body, answer.status, mimetype="application/json")
        for name, value in answer.headers:
            response.headers.add(name, value)
        return response

    return view
