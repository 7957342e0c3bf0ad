"""The API; every operation asks for a session but the log-in."""

import hmac
import os
from typing import Annotated

from ninja import NinjaAPI, Schema
from pydantic import StringConstraints

from supertokens_py.framework.django.ninja import SessionAuth, setup
from supertokens_py.recipe.session.asyncio import create_new_session, revoke_all_sessions_for_user

PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user

api = NinjaAPI(auth=SessionAuth())
setup(api)


class Credentials(Schema):
    user: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    password: str


@api.post("/login", auth=None, response={200: dict, 400: dict})
async def login(request, given: Credentials):
    if not hmac.compare_digest(given.password.encode(), PASSWORD.encode()):
        return 400, {"message": "wrong password"}  # not 401, which makes frontends refresh and try again
    await create_new_session(request, "public", given.user, {"visits": 0})
    return {"user": given.user}


@api.get("/api/me")
async def me(request):
    session = request.auth
    return {
        "user": session.get_user_id(),
        "handle": session.get_handle(),
        "payload": session.get_access_token_payload(),
    }


@api.post("/api/visits")
async def count_visit(request):
    visits = request.auth.get_access_token_payload().get("visits", 0) + 1
    await request.auth.merge_into_access_token_payload({"visits": visits})
    return {"visits": visits}


@api.get("/api/verified", auth=SessionAuth(check_database=True))
def verified(request):
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return {"user": request.auth.get_user_id(), "checked": "database"}


@api.post("/api/signout-everywhere")
async def sign_out_everywhere(request):
    await request.auth.revoke_session()  # this one, so that the response clears its tokens
    others = await revoke_all_sessions_for_user(request.auth.get_user_id())
    return {"ended": 1 + len(others)}
