# ruff: noqa: B018
"""The type of a payload flows from `verify_session(payload=)`; a session without one is as ever."""

from dataclasses import dataclass
from typing import Annotated, Any, TypedDict, assert_type

from django.http import HttpResponse
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from starlette.requests import Request

from supertokens_py.framework.django import SessionRequest
from supertokens_py.framework.fastapi import (
    CheckedSession,
    CurrentSession,
    Fresh,
    FreshSession,
    OptionalSession,
)
from supertokens_py.framework.flask import current_session, session_required
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session.asyncio import reauthenticate
from supertokens_py.recipe.session.framework.django.syncio import verify_session as verify_django
from supertokens_py.recipe.session.framework.fastapi import verify_session

app = FastAPI()


class Claims(TypedDict):
    plan: str


@dataclass
class Shop:
    plan: str


class Model(BaseModel):
    plan: str


@app.get("/me")
async def me(session: CurrentSession, stranger: OptionalSession) -> str:
    assert_type(session, SessionContainer)
    assert_type(session.payload, dict[str, Any])
    assert_type(stranger, SessionContainer | None)
    return stranger.get_user_id()  # error: reportOptionalMemberAccess; mypy: union-attr


@app.post("/email")
async def email(
    session: FreshSession, checked: CheckedSession, just: Annotated[SessionContainer, Fresh(60)]
) -> None:
    assert_type(session, SessionContainer)
    assert_type(checked, SessionContainer)
    assert_type(just, SessionContainer)


@app.get("/plan")
async def plan(session: Annotated[SessionContainer[Shop], Depends(verify_session(payload=Shop))]) -> str:
    assert_type(session.payload, Shop)
    session.payload.seats  # error: reportUnknownMemberType, reportAttributeAccessIssue; mypy: attr-defined
    await reauthenticate(session)
    return session.payload.plan


async def by_hand(request: Request, flag: bool) -> None:
    assert_type(await verify_session(payload=Shop)(request), SessionContainer[Shop])
    assert_type(await verify_session(payload=Model)(request), SessionContainer[Model])
    assert_type(await verify_session(payload=Claims)(request), SessionContainer[Claims])
    maybe = await verify_session(session_required=flag, payload=Shop)(request)
    assert_type(maybe, SessionContainer[Shop] | None)
    verify_session(payload="Shop")  # error: reportCallIssue, reportArgumentType; mypy: call-overload


@session_required
def in_flask() -> str:
    assert_type(current_session.payload_as(Shop), Shop)
    return current_session.payload_as(Claims)["plan"]


@verify_django(payload=Shop)
def in_django(request: SessionRequest[Shop]) -> HttpResponse:
    assert_type(request.supertokens.payload, Shop)
    return HttpResponse(request.supertokens.payload.plan)


def plain(request: SessionRequest) -> None:
    assert_type(request.supertokens.payload, dict[str, Any])
