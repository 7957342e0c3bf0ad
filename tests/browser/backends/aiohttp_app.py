"""The backend of the browser tests on aiohttp; what one session needs."""

from __future__ import annotations

import shared
from aiohttp import web

from supertokens_py.framework.aiohttp import SESSION, setup
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.framework.aiohttp import verify_session

shared.configure()
routes = web.RouteTableDef()


@routes.get("/pages/{name:.*}")
async def page(request: web.Request):
    found = shared.page_file(request.match_info["name"])
    return (
        web.Response(body=found[0], headers={"Content-Type": found[1]}) if found else web.Response(status=404)
    )


@routes.post("/login")
async def login(request: web.Request):
    body = await request.json()
    await create_new_session(request, "public", body["user"], body.get("payload", {}))
    return web.json_response({"user": body["user"]})


@routes.get("/me")
@routes.post("/me")
@verify_session()
async def me(request: web.Request):
    return web.json_response(shared.describe(request[SESSION]))


@routes.post("/merge")
@verify_session()
async def merge(request: web.Request):
    await request[SESSION].merge_into_access_token_payload(await request.json())
    return web.json_response(shared.describe(request[SESSION]))


app = web.Application()
app.add_routes(routes)
setup(app)
