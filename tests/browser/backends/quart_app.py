"""The backend of the browser tests on Quart; what one session needs."""

from __future__ import annotations

import shared
from quart import Quart, Response, g, request

from supertokens_py.framework.quart import Middleware
from supertokens_py.recipe.session.asyncio import create_new_session
from supertokens_py.recipe.session.framework.quart import verify_session

shared.configure()
app = Quart(__name__, static_folder=None)
Middleware(app)


@app.get("/pages/<path:name>")
async def page(name: str):
    found = shared.page_file(name)
    return Response(found[0], content_type=found[1]) if found else Response(b"", 404)


@app.post("/login")
async def login():
    body = await request.get_json()
    await create_new_session(request, "public", body["user"], body.get("payload", {}))
    return {"user": body["user"]}


@app.route("/me", methods=["GET", "POST"])
@verify_session()
async def me():
    return shared.describe(g.supertokens)


@app.post("/merge")
@verify_session()
async def merge():
    await g.supertokens.merge_into_access_token_payload(await request.get_json())
    return shared.describe(g.supertokens)
