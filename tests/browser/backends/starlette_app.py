"""The backend of the browser tests on Starlette; what one session needs."""

from __future__ import annotations

import shared
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from supertokens_py.framework.starlette import SuperTokensMiddleware
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.framework.starlette import verify_session

shared.configure()


async def page(request: Request) -> Response:
    found = shared.page_file(request.path_params["name"])
    return Response(found[0], media_type=found[1]) if found else Response(b"", 404)


async def login(request: Request) -> Response:
    body = await request.json()
    await create_new_session(request, "public", body["user"], body.get("payload", {}))
    return JSONResponse({"user": body["user"]})


@verify_session()
async def me(request: Request) -> Response:
    return JSONResponse(shared.describe(request.state.supertokens))


@verify_session()
async def merge(request: Request) -> Response:
    await request.state.supertokens.merge_into_access_token_payload(await request.json())
    return JSONResponse(shared.describe(request.state.supertokens))


app = Starlette(
    routes=[
        Route("/pages/{name:path}", page),
        Route("/login", login, methods=["POST"]),
        Route("/me", me, methods=["GET", "POST"]),
        Route("/merge", merge, methods=["POST"]),
    ]
)
app.add_middleware(SuperTokensMiddleware)
