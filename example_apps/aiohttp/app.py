"""The smallest real aiohttp application with sessions. Run it: see README.md beside this file."""

import hmac
import json
import os
from pathlib import Path

from aiohttp import web

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.framework.aiohttp import SESSION, setup
from supertokens_py.recipe import session
from supertokens_py.recipe.session.asyncio import create_new_session, revoke_all_sessions_for_user
from supertokens_py.recipe.session.framework.aiohttp import verify_session

DOMAIN = os.environ.get("API_DOMAIN", "http://localhost:8000")
DATABASE = os.environ.get("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")
PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user
PAGE = Path(__file__).parent.parent / "page"

init(
    app_info=InputAppInfo(app_name="Example", api_domain=DOMAIN, website_domain=DOMAIN),
    supertokens_config=SupertokensConfig(connection_uri=DATABASE),
    recipe_list=[session.init()],
)

routes = web.RouteTableDef()


@routes.get("/")
async def page(request):
    return web.FileResponse(PAGE / "index.html")


@routes.post("/login")
async def login(request):
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {}
    user = body.get("user")
    user = user.strip() if isinstance(user, str) else ""
    if not (1 <= len(user) <= 64 and user.isprintable()):
        problem = {"message": "user: a name of 1 to 64 printable characters is needed"}
        return web.json_response(problem, status=400)
    if not hmac.compare_digest(str(body.get("password", "")).encode(), PASSWORD.encode()):
        # Not 401, which makes frontends refresh and try again.
        return web.json_response({"message": "wrong password"}, status=400)
    await create_new_session(request, "public", user, {"visits": 0})
    return web.json_response({"user": user})


@routes.get("/api/me")
@verify_session()
async def me(request):
    container = request[SESSION]
    return web.json_response(
        {
            "user": container.get_user_id(),
            "handle": container.get_handle(),
            "payload": container.get_access_token_payload(),
        }
    )


@routes.post("/api/visits")
@verify_session()
async def count_visit(request):
    visits = request[SESSION].get_access_token_payload().get("visits", 0) + 1
    await request[SESSION].merge_into_access_token_payload({"visits": visits})
    return web.json_response({"visits": visits})


@routes.get("/api/verified")
@verify_session(check_database=True)
async def verified(request):
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return web.json_response({"user": request[SESSION].get_user_id(), "checked": "database"})


@routes.post("/api/signout-everywhere")
@verify_session()
async def sign_out_everywhere(request):
    await request[SESSION].revoke_session()  # this one, so that the response clears its tokens
    others = await revoke_all_sessions_for_user(request[SESSION].get_user_id())
    return web.json_response({"ended": 1 + len(others)})


def make(argv=()):
    """What `python -m aiohttp.web` calls."""
    app = web.Application()
    app.add_routes([*routes, web.static("/", PAGE)])
    setup(app)  # answers /auth/session/refresh and /auth/signout
    return app
