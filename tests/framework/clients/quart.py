"""Quart under ASGI, with async views."""

from __future__ import annotations

import json
from typing import Any

from quart import Quart, Response, g, request
from quart.signals import got_request_exception

from supertokens_py.framework.quart import Middleware
from supertokens_py.recipe.session.framework.quart import verify_session
from tests.framework.script import METHODS, ROUTES, View, World, as_answer, options_of, run_async

from .transport import AsgiClient


def build(world: World) -> Quart:
    app = Quart(__name__)
    app.logger.disabled = True
    Middleware(app)
    for path in ROUTES:
        options = options_of(path, world.override)
        view = _view(world) if options is None else verify_session(**options)(_view(world))
        methods = ["POST"] if path.endswith("refresh") else list(METHODS)
        app.add_url_rule(path, path, view, methods=methods, provide_automatic_options=False)
    return app


def client(world: World) -> AsgiClient:
    app = build(world)
    sender = AsgiClient(app)

    async def note(_: Any, exception: BaseException, **extra: Any) -> None:
        sender.error = exception

    got_request_exception.connect(note, app, weak=False)
    return sender


def _view(world: World) -> Any:
    async def view() -> Response:
        script = world.start(request.args.get("do"))
        answer = as_answer(await run_async(script, View(request, g.get("supertokens"))))
        response = Response(json.dumps(answer.body), answer.status, content_type="application/json")
        for name, value in answer.headers:
            response.headers.add(name, value)
        return response

    return view
