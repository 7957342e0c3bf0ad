"""The smallest real Starlette application with sessions. Run it: see README.md beside this file."""

import hmac
import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.framework.starlette import SuperTokensMiddleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session.asyncio import create_new_session, revoke_all_sessions_for_user
from supertokens_py.recipe.session.framework.starlette import verify_session

DOMAIN = os.environ.get("API_DOMAIN", "http://localhost:8000")
DATABASE = os.environ.get("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")
PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user
PAGE = Path(__file__).parent.parent / "page"

init(
    app_info=InputAppInfo(app_name="Example", api_domain=DOMAIN, website_domain=DOMAIN),
    supertokens_config=SupertokensConfig(connection_uri=DATABASE),
    framework="starlette",
    recipe_list=[session.init()],
)


async def login(request: Request) -> JSONResponse:
    try:
        body = await request.json()
        user, password = body["user"].strip(), body["password"].encode()
    except (ValueError, TypeError, KeyError, AttributeError):
        return JSONResponse({"message": "user and password are needed, as JSON"}, 400)
    if not (1 <= len(user) <= 64 and user.isprintable()):
        return JSONResponse({"message": "user: a name of 1 to 64 printable characters is needed"}, 400)
    if not hmac.compare_digest(password, PASSWORD.encode()):
        return JSONResponse({"message": "wrong password"}, 400)  # not 401, which makes frontends refresh
    await create_new_session(request, "public", user, {"visits": 0})
    return JSONResponse({"user": user})


@verify_session()
async def me(request: Request) -> JSONResponse:
    own = request.state.supertokens
    payload = own.get_access_token_payload()
    return JSONResponse({"user": own.get_user_id(), "handle": own.get_handle(), "payload": payload})


@verify_session()
async def count_visit(request: Request) -> JSONResponse:
    visits = request.state.supertokens.get_access_token_payload().get("visits", 0) + 1
    await request.state.supertokens.merge_into_access_token_payload({"visits": visits})
    return JSONResponse({"visits": visits})


@verify_session(check_database=True)
async def verified(request: Request) -> JSONResponse:
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return JSONResponse({"user": request.state.supertokens.get_user_id(), "checked": "database"})


@verify_session()
async def sign_out_everywhere(request: Request) -> JSONResponse:
    own = request.state.supertokens
    await own.revoke_session()  # this one, so that the response clears its tokens
    others = await revoke_all_sessions_for_user(own.get_user_id())
    return JSONResponse({"ended": 1 + len(others)})


app = Starlette(
    routes=[
        Route("/login", login, methods=["POST"]),
        Route("/api/me", me),
        Route("/api/visits", count_visit, methods=["POST"]),
        Route("/api/verified", verified),
        Route("/api/signout-everywhere", sign_out_everywhere, methods=["POST"]),
        Mount("/", StaticFiles(directory=PAGE, html=True)),
    ]
)
app.add_middleware(SuperTokensMiddleware)  # answers /auth/session/refresh and /auth/signout
