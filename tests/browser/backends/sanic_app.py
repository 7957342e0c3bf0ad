"""The backend of the browser tests on Sanic; what one session needs."""

from __future__ import annotations

import shared
from sanic import HTTPResponse, Request, Sanic, json

from supertokens_py.framework.sanic import setup
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.framework.sanic import verify_session

shared.configure()
app = Sanic("browser")
setup(app)


@app.get("/pages/<name:path>")
async def page(request: Request, name: str):
    found = shared.page_file(name)
    return HTTPResponse(found[0], content_type=found[1]) if found else HTTPResponse(status=404)


@app.post("/login")
async def login(request: Request):
    body = request.json
    await create_new_session(request, "public", body["user"], body.get("payload", {}))
    return json({"user": body["user"]})


@app.route("/me", methods=["GET", "POST"])
@verify_session()
async def me(request: Request):
    return json(shared.describe(request.ctx.supertokens))


@app.post("/merge")
@verify_session()
async def merge(request: Request):
    await request.ctx.supertokens.merge_into_access_token_payload(request.json)
    return json(shared.describe(request.ctx.supertokens))
