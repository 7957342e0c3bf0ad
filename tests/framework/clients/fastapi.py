"""FastAPI under ASGI."""

from __future__ import annotations

from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response

from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe.session.framework.fastapi import verify_session
from tests.framework.script import METHODS, ROUTES, View, World, as_answer, options_of, run_async

from .transport import AsgiClient


def build(world: World) -> FastAPI:
    app = FastAPI(openapi_url=None)
    app.add_middleware(get_middleware())
    for path in ROUTES:
        methods = ["POST"] if path.endswith("refresh") else list(METHODS)
        app.add_api_route(path, _endpoint(world, options_of(path, world.override)), methods=methods)
    return app


def client(world: World) -> AsgiClient:
    return AsgiClient(build(world))


def _endpoint(world: World, options: dict[str, Any] | None) -> Any:
    async def run(request: Request, session: Any) -> Response:
        script = world.start(request.query_params.get("do"))
        answer = as_answer(await run_async(script, View(request, session)))
        response = JSONResponse(answer.body, answer.status)
        for name, value in answer.headers:
            response.headers.append(name, value)
        return response

    if options is None:

        async def plain(request: Request) -> Response:
            return await run(request, None)

        return plain
    dependency = Depends(verify_session(**options))

    async def guarded(request: Request, session: Any = dependency) -> Response:
        return await run(request, session)

    return guarded
