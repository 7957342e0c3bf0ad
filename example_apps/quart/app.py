"""The smallest real Quart application with sessions. Run it: see README.md beside this file."""

import hmac
import os
from pathlib import Path

from quart import Quart, g, request

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.framework.quart import Middleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session.asyncio import create_new_session, revoke_all_sessions_for_user
from supertokens_py.recipe.session.framework.quart import verify_session

DOMAIN = os.environ.get("API_DOMAIN", "http://localhost:8000")
DATABASE = os.environ.get("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")
PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user

init(
    app_info=InputAppInfo(app_name="Example", api_domain=DOMAIN, website_domain=DOMAIN),
    supertokens_config=SupertokensConfig(connection_uri=DATABASE),
    recipe_list=[session.init()],
)

app = Quart(__name__, static_folder=Path(__file__).parent.parent / "page", static_url_path="")
Middleware(app)  # answers /auth/session/refresh and /auth/signout


@app.get("/")
async def page():
    return await app.send_static_file("index.html")


@app.post("/login")
async def login():
    body = await request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    user = body.get("user")
    user = user.strip() if isinstance(user, str) else ""
    if not (1 <= len(user) <= 64 and user.isprintable()):
        return {"message": "user: a name of 1 to 64 printable characters is needed"}, 400
    if not hmac.compare_digest(str(body.get("password", "")).encode(), PASSWORD.encode()):
        return {"message": "wrong password"}, 400  # not 401, which makes frontends refresh and try again
    await create_new_session(request, "public", user, {"visits": 0})
    return {"user": user}


@app.get("/api/me")
@verify_session()
async def me():
    return {
        "user": g.supertokens.get_user_id(),
        "handle": g.supertokens.get_handle(),
        "payload": g.supertokens.get_access_token_payload(),
    }


@app.post("/api/visits")
@verify_session()
async def count_visit():
    visits = g.supertokens.get_access_token_payload().get("visits", 0) + 1
    await g.supertokens.merge_into_access_token_payload({"visits": visits})
    return {"visits": visits}


@app.get("/api/verified")
@verify_session(check_database=True)
async def verified():
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return {"user": g.supertokens.get_user_id(), "checked": "database"}


@app.post("/api/signout-everywhere")
@verify_session()
async def sign_out_everywhere():
    await g.supertokens.revoke_session()  # this one, so that the response clears its tokens
    others = await revoke_all_sessions_for_user(g.supertokens.get_user_id())
    return {"ended": 1 + len(others)}
