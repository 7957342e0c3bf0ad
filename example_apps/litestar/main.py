"""The smallest real Litestar application with sessions. Run it: see README.md beside this file."""

import hmac
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.static_files import create_static_files_router

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.framework.litestar import SuperTokensPlugin
from supertokens_py.recipe import session
from supertokens_py.recipe.session.asyncio import create_new_session, revoke_all_sessions_for_user
from supertokens_py.recipe.session.framework.litestar import verify_session

DOMAIN = os.environ.get("API_DOMAIN", "http://localhost:8000")
DATABASE = os.environ.get("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")
PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user
PAGE = Path(__file__).parent.parent / "page"

init(
    app_info=InputAppInfo(app_name="Example", api_domain=DOMAIN, website_domain=DOMAIN),
    supertokens_config=SupertokensConfig(connection_uri=DATABASE),
    framework="litestar",
    recipe_list=[session.init()],
)


@dataclass
class Login:
    user: str
    password: str


@post("/login", status_code=200)
async def login(request: Request, data: Login) -> Response[dict[str, str]]:
    user = data.user.strip()
    if not (1 <= len(user) <= 64 and user.isprintable()):
        message = "user: a name of 1 to 64 printable characters is needed"
        return Response({"message": message}, status_code=400)
    if not hmac.compare_digest(data.password.encode(), PASSWORD.encode()):
        # Not 401, which makes frontends refresh.
        return Response({"message": "wrong password"}, status_code=400)
    await create_new_session(request, "public", user, {"visits": 0})
    return Response({"user": user})


@get("/api/me", guards=[verify_session()])
async def me(request: Request) -> dict[str, Any]:
    own = request.auth
    return {"user": request.user, "handle": own.get_handle(), "payload": own.get_access_token_payload()}


@post("/api/visits", status_code=200, guards=[verify_session()])
async def count_visit(request: Request) -> dict[str, int]:
    visits = request.auth.get_access_token_payload().get("visits", 0) + 1
    await request.auth.merge_into_access_token_payload({"visits": visits})
    return {"visits": visits}


@get("/api/verified", guards=[verify_session(check_database=True)])
async def verified(request: Request) -> dict[str, str]:
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return {"user": request.user, "checked": "database"}


@post("/api/signout-everywhere", status_code=200, guards=[verify_session()])
async def sign_out_everywhere(request: Request) -> dict[str, int]:
    user = request.user
    await request.auth.revoke_session()  # this one, so that the response clears its tokens
    others = await revoke_all_sessions_for_user(user)
    return {"ended": 1 + len(others)}


app = Litestar(
    [
        login,
        me,
        count_visit,
        verified,
        sign_out_everywhere,
        create_static_files_router("/", [PAGE], html_mode=True),
    ],
    plugins=[SuperTokensPlugin()],  # answers /auth/session/refresh and /auth/signout
)
