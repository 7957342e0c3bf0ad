"""The backend of the browser tests on Litestar; what one session needs."""

from __future__ import annotations

from typing import Any

import shared
from litestar import HttpMethod, Litestar, Request, Response, get, post, route

from supertokens_py.framework.litestar import SuperTokensPlugin
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.framework.litestar import verify_session

shared.configure()


@get("/pages/{name:path}")
async def page(request: Request[Any, Any, Any]) -> Response[bytes]:
    found = shared.page_file(str(request.path_params["name"]).lstrip("/"))
    if found is None:
        return Response(b"", status_code=404)
    return Response(found[0], media_type=found[1])


@post("/login", status_code=200)
async def login(request: Request[Any, Any, Any]) -> dict[str, Any]:
    body = await request.json()
    await create_new_session(request, "public", body["user"], body.get("payload", {}))
    return {"user": body["user"]}


@route("/me", http_method=[HttpMethod.GET, HttpMethod.POST], status_code=200, guards=[verify_session()])
async def me(request: Request[Any, Any, Any]) -> dict[str, Any]:
    return shared.describe(request.auth)


@post("/merge", status_code=200, guards=[verify_session()])
async def merge(request: Request[Any, Any, Any]) -> dict[str, Any]:
    await request.auth.merge_into_access_token_payload(await request.json())
    return shared.describe(request.auth)


app = Litestar([page, login, me, merge], plugins=[SuperTokensPlugin()])
