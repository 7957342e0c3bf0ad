"""Flask under WSGI, with sync views."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, request
from flask import json as flask_json
from flask.signals import got_request_exception

from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe.session.framework.flask import verify_session
from tests.framework.script import METHODS, ROUTES, View, World, as_answer, options_of, run_blocking

from .transport import WsgiClient


def build(world: World) -> Flask:
    app = Flask(__name__)
    app.logger.disabled = True
    Middleware(app)
    for path in ROUTES:
        options = options_of(path, world.override)
        view = _view(world) if options is None else verify_session(**options)(_view(world))
        methods = ["POST"] if path.endswith("refresh") else METHODS
        app.add_url_rule(path, path, view, methods=methods, provide_automatic_options=False)
    return app


def client(world: World) -> WsgiClient:
    app = build(world)
    sender = WsgiClient(app)

    def note(_: Any, exception: BaseException, **extra: Any) -> None:
        sender.error = exception

    got_request_exception.connect(note, app, weak=False)
    return sender


def _view(world: World) -> Any:
    def view() -> Response:
        script = world.start(request.args.get("do"))
        answer = as_answer(run_blocking(script, View(request, g.get("supertokens"))))
        response = Response(flask_json.dumps(answer.body), answer.status, mimetype="application/json")
        for name, value in answer.headers:
            response.headers.add(name, value)
        return response

    return view
