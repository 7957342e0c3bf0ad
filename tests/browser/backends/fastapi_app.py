"""The backend of the browser tests on FastAPI."""

from __future__ import annotations

from typing import Annotated, Any

import shared
from fastapi import Body, Depends, FastAPI, Request, Response, WebSocket
from starlette.middleware.cors import CORSMiddleware

from supertokens_py import get_all_cors_headers
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session.asyncio import create_new_session, revoke_session
from supertokens_py.recipe.session.framework.fastapi import verify_session
from supertokens_py.recipe.userroles import PermissionClaim, UserRoleClaim
from supertokens_py.recipe.userroles.asyncio import add_role_to_user, create_new_role_or_add_permissions

shared.configure()
app = FastAPI()
app.add_middleware(get_middleware())
app.add_middleware(
    CORSMiddleware,
    allow_origins=shared.ALLOWED_ORIGINS,
    allow_credentials=True,
    allow_methods=["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"],
    allow_headers=["content-type", *get_all_cors_headers()],
)
app.add_middleware(shared.Refusing)

Session = Annotated[SessionContainer, Depends(verify_session())]
OptionalSession = Annotated[SessionContainer | None, Depends(verify_session(session_required=False))]
CheckedSession = Annotated[SessionContainer, Depends(verify_session(check_database=True))]
UncheckedSession = Annotated[SessionContainer, Depends(verify_session(anti_csrf_check=False))]
SecondFactorSession = Annotated[
    SessionContainer, Depends(verify_session(override_global_claim_validators=shared.require_second_factor))
]
AdminSession = Annotated[
    SessionContainer, Depends(verify_session(override_global_claim_validators=shared.require_admin))
]


@app.get("/pages/{name:path}")
async def page(name: str):
    found = shared.page_file(name)
    return Response(found[0], media_type=found[1]) if found else Response(status_code=404)


@app.post("/login")
async def login(request: Request, body: Annotated[dict[str, Any], Body()]):
    await create_new_session(request, "public", body["user"], body.get("payload", {}))
    return {"user": body["user"]}


@app.get("/public")
async def public():
    return {"public": True}


@app.get("/optional")
async def optional(session: OptionalSession):
    return {"user": session.get_user_id() if session else None}


@app.get("/me")
async def me(session: Session):
    return shared.describe(session)


@app.post("/me")
async def post_me(session: Session):
    return shared.describe(session)


@app.get("/checked")
async def checked(session: CheckedSession):
    return shared.describe(session)


@app.post("/merge")
async def merge(session: Session, body: Annotated[dict[str, Any], Body()]):
    await session.merge_into_access_token_payload(body)
    return shared.describe(session)


@app.post("/replace-me")
async def replace_me(request: Request, session: Session):
    await create_new_session(request, "public", session.get_user_id(), replaces=session)
    return {}


@app.post("/revoke-me")
async def revoke_me(session: Session):
    await session.revoke_session()
    return {}


@app.get("/second-factor")
async def second_factor(session: SecondFactorSession):
    return shared.describe(session)


@app.post("/second-factor/complete")
async def complete_second_factor(session: Session):
    """The user has shown the second factor; the session does not know yet."""
    shared.second_factor_done[session.get_user_id()] = True
    return {}


@app.post("/second-factor/refetch")
async def refetch_second_factor(session: Session):
    await session.fetch_and_set_claim(shared.SecondFactorClaim)
    return {}


@app.get("/admin")
async def admin(session: AdminSession):
    return shared.describe(session)


@app.post("/become-admin")
async def become_admin(session: Session):
    await create_new_role_or_add_permissions("admin", ["write"])
    await add_role_to_user("public", session.get_user_id(), "admin")
    await session.fetch_and_set_claim(UserRoleClaim)
    await session.fetch_and_set_claim(PermissionClaim)
    return {}


@app.get("/forbidden")
async def forbidden(_: Session):
    """The application's own 403, which is no claim failure."""
    return Response(status_code=403)


@app.post("/form")
async def form(session: Session):
    shared.accepted_posts.append(session.get_user_id())
    return {}


@app.post("/form-without-check")
async def form_without_check(session: UncheckedSession):
    shared.accepted_posts.append(session.get_user_id())
    return {}


@app.get("/test/accepted-posts")
async def accepted_posts():
    return shared.accepted_posts


@app.post("/test/revoke")
async def revoke(handle: str):
    return {"revoked": await revoke_session(handle)}


@app.post("/test/refuse")
async def refuse(path: str = ""):
    shared.Refusing.path = path
    return {}


@app.websocket("/socket")
async def socket(websocket: WebSocket, session: Session):
    await websocket.accept()
    await websocket.send_text(session.get_user_id())
    await websocket.close()
