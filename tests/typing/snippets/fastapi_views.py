# ruff: noqa: B008
"""FastAPI: the dependency says whether there may be no session."""

from typing import Annotated, Any, assert_type

from fastapi import Depends, FastAPI
from starlette.requests import Request

from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session.asyncio import create_new_session, get_session, refresh_session
from supertokens_py.recipe.session.framework.fastapi import session_exception_handler, verify_session
from supertokens_py.recipe.session.interfaces import SessionClaimValidator
from supertokens_py.recipe.userroles import UserRoleClaim

app = FastAPI()
app.add_middleware(get_middleware())


def admins(
    global_validators: list[SessionClaimValidator], session: SessionContainer, user_context: dict[str, Any]
) -> list[SessionClaimValidator]:
    return [*global_validators, UserRoleClaim.validators.includes("admin")]


async def admins_later(
    global_validators: list[SessionClaimValidator], session: SessionContainer, user_context: dict[str, Any]
) -> list[SessionClaimValidator]:
    return admins(global_validators, session, user_context)


@app.get("/required")
async def required(session: SessionContainer = Depends(verify_session())) -> str:
    return session.get_user_id()


@app.get("/annotated")
def annotated(session: Annotated[SessionContainer, Depends(verify_session(check_database=True))]) -> str:
    return session.get_user_id()


@app.get("/optional")
async def optional(
    session: SessionContainer | None = Depends(verify_session(session_required=False)),
) -> str:
    return session.get_user_id()  # error: reportOptionalMemberAccess; mypy: union-attr


@app.get("/admins")
async def only_admins(
    session: SessionContainer = Depends(verify_session(override_global_claim_validators=admins)),
    again: SessionContainer = Depends(verify_session(override_global_claim_validators=admins_later)),
) -> str:
    return session.get_user_id()


async def by_hand(request: Request, flag: bool) -> None:
    assert_type(await verify_session()(request), SessionContainer)
    assert_type(await verify_session(session_required=True)(request), SessionContainer)
    assert_type(await verify_session(session_required=False)(request), SessionContainer | None)
    assert_type(await verify_session(session_required=flag)(request), SessionContainer | None)
    assert_type(await get_session(request), SessionContainer)
    assert_type(await refresh_session(request), SessionContainer)
    made = await create_new_session(request, "public", "ada", {"a": 1}, user_context={})
    assert_type(made, SessionContainer)
    await session_exception_handler(request, ValueError())
    await session_exception_handler(request, "error")  # error: reportArgumentType; mypy: arg-type
    verify_session(unknown=True)  # error: reportCallIssue; mypy: call-overload
