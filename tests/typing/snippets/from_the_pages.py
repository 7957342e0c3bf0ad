# ruff: noqa: B008, B018, RUF005
"""Code as the pages show it, lambdas included: a strict checker knows every type in it."""

from typing import Any, assert_type

from django.http import HttpRequest, HttpResponse
from fastapi import Depends, FastAPI
from starlette.requests import Request

from supertokens_py.framework.django import SessionRequest
from supertokens_py.recipe import session
from supertokens_py.recipe.session import SessionContainer, asyncio, syncio
from supertokens_py.recipe.session.asyncio import create_new_session_without_request_response as create_alone
from supertokens_py.recipe.session.asyncio import revoke_all_sessions_for_user as revoke_all
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.recipe.session.framework.django import asyncio as django_async
from supertokens_py.recipe.session.framework.django import syncio as django_sync
from supertokens_py.recipe.session.framework.fastapi import verify_session
from supertokens_py.recipe.session.framework.flask import verify_session as flask_verify_session
from supertokens_py.recipe.session.interfaces import APIInterface, RecipeInterface, SessionClaimValidator
from supertokens_py.recipe.userroles import UserRoleClaim

app = FastAPI()
SecondFactorClaim = BooleanClaim("2fa", lambda user_id, tenant_id, user_context: False)


# -- validators of a route -------------------------------------------------------------------------


@app.get("/admin")
async def admin(
    session: SessionContainer = Depends(
        verify_session(
            override_global_claim_validators=lambda global_validators, session, user_context: (
                global_validators + [UserRoleClaim.validators.includes("admin")]
            )
        )
    ),
) -> str:
    return session.get_user_id()


@flask_verify_session(
    override_global_claim_validators=lambda given, session, user_context: (
        [] if session.get_tenant_id() == "public" else [*given, SecondFactorClaim.validators.is_true()]
    )
)
def guarded() -> str:
    return ""


def wrong(global_validators: list[SessionClaimValidator]) -> list[SessionClaimValidator]:
    return global_validators


flask_verify_session(override_global_claim_validators=wrong)  # error: reportArgumentType; mypy: arg-type


# -- overrides -------------------------------------------------------------------------------------


def functions(original: RecipeInterface) -> RecipeInterface:
    return original


session.init(
    get_token_transfer_method=lambda request, creating, user_context: (
        "header" if request.get_header("x-client") == "cli" else "any"
    ),
    override=session.InputOverrideConfig(
        functions=lambda original: functions(original),
        apis=lambda original: without_sign_out(original),
    ),
)


def without_sign_out(original: APIInterface) -> APIInterface:
    original.disable_signout_post = True
    return original


def forgets(original: RecipeInterface) -> None:
    original.revoke_session


session.InputOverrideConfig(functions=forgets)  # error: reportArgumentType; mypy: arg-type
session.InputOverrideConfig(functions={})  # error: reportArgumentType; mypy: arg-type


# -- sessions --------------------------------------------------------------------------------------


async def use(request: Request, flag: bool) -> None:
    assert_type(await asyncio.get_session(request), SessionContainer)
    assert_type(await asyncio.get_session(request, True), SessionContainer)
    assert_type(await asyncio.get_session(request, session_required=False), SessionContainer | None)
    assert_type(await asyncio.get_session(request, flag), SessionContainer | None)
    found = await asyncio.get_session(
        request, override_global_claim_validators=lambda validators, session, user_context: validators
    )
    assert_type(found, SessionContainer)
    assert_type(await asyncio.get_session_without_request_response("token"), SessionContainer)
    optional = await asyncio.get_session_without_request_response("token", session_required=False)
    assert_type(optional, SessionContainer | None)
    await asyncio.create_new_session(request, "public", "ada", {"a": 1})
    await asyncio.create_new_session(request, "public", recipe_user_id="ada")
    await asyncio.create_new_session(request, "public")  # error: reportCallIssue; mypy: call-overload
    await asyncio.create_new_session(1, "public", None)  # error: reportArgumentType; mypy: call-overload
    await create_alone("public", "ada", disable_anti_csrf=True)
    await create_alone("public")  # error: reportCallIssue; mypy: call-overload
    assert_type(await asyncio.get_all_session_handles_for_user("ada"), list[str])
    assert_type(await asyncio.get_all_session_handles_for_user("ada", "t1", {}), list[str])
    assert_type(await revoke_all("ada", tenant_id="t1"), list[str])
    await revoke_all("ada", True, "t1", {})
    await revoke_all("ada", 5)  # error: reportCallIssue, reportArgumentType; mypy: call-overload
    await asyncio.validate_claims_for_session_handle(
        "handle", lambda validators, information, user_context: [] if information.tenant_id else validators
    )
    await asyncio.validate_claims_in_jwt_payload(
        "public", "ada", {}, lambda validators, user_id, user_context: [] if user_id.upper() else validators
    )


def use_blocking(request: HttpRequest, flag: bool) -> None:
    assert_type(syncio.get_session(request), SessionContainer)
    assert_type(syncio.get_session(request, session_required=False), SessionContainer | None)
    assert_type(syncio.get_session(request, flag), SessionContainer | None)
    assert_type(syncio.create_new_session(request, "public", "ada"), SessionContainer)
    syncio.create_new_session(request, "public")  # error: reportCallIssue; mypy: call-overload
    assert_type(syncio.get_all_session_handles_for_user("ada", "t1"), list[str])


# -- Django ----------------------------------------------------------------------------------------


@django_async.verify_session()
async def me(request: SessionRequest) -> HttpResponse:
    await request.supertokens.merge_into_access_token_payload({"seen": request.method})
    return HttpResponse(request.supertokens.get_user_id())


@django_sync.verify_session(
    override_global_claim_validators=lambda given, session, context: [
        *given,
        SecondFactorClaim.validators.is_true(),
    ]
)
def count_visit(request: SessionRequest) -> HttpResponse:
    assert_type(request.supertokens, SessionContainer)
    visits: Any = request.supertokens.get_access_token_payload().get("visits", 0)
    return HttpResponse(str(visits))
