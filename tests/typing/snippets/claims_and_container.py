# ruff: noqa: B018
"""Claims carry the type of their value through the session's methods."""

from typing import Any, assert_type

from supertokens_py import RecipeUserId
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session.asyncio import (
    get_all_session_handles_for_user,
    get_claim_value,
    get_session_information,
)
from supertokens_py.recipe.session.claims import BooleanClaim, PrimitiveArrayClaim, PrimitiveClaim
from supertokens_py.recipe.session.exceptions import ClaimValidationError, raise_invalid_claims_exception
from supertokens_py.recipe.session.interfaces import (
    ClaimValidationResult,
    GetClaimValueOkResult,
    SessionClaimValidator,
    SessionDoesNotExistError,
    SessionInformationResult,
)
from supertokens_py.recipe.session.syncio import get_session_information as get_session_information_blocking
from supertokens_py.recipe.userroles import PermissionClaim, UserRoleClaim


async def fetch_plan(user_id: str, tenant_id: str, user_context: dict[str, Any]) -> str | None:
    return "free" if tenant_id == "public" else None


def fetch_teams(
    user_id: str,
    recipe_user_id: RecipeUserId,
    tenant_id: str,
    current_payload: dict[str, Any],
    user_context: dict[str, Any],
) -> list[str]:
    return []


def fetch_wrongly(user_id: str) -> str:
    return user_id


SecondFactorClaim = BooleanClaim(key="2fa-completed", fetch_value=lambda _, __, ___: False)
PlanClaim = PrimitiveClaim("plan", fetch_plan)
TeamClaim = PrimitiveArrayClaim("teams", fetch_teams, default_max_age_in_sec=60)
PrimitiveClaim[str]("w", fetch_wrongly)  # error: reportArgumentType, reportCallIssue; mypy: arg-type


class IsPaying(SessionClaimValidator):
    def __init__(self) -> None:
        super().__init__("paying")
        self.claim = PlanClaim

    async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> ClaimValidationResult:
        paying = PlanClaim.get_value_from_payload(payload) != "free"
        return ClaimValidationResult(paying, {"message": "free plan"})


async def use(session: SessionContainer) -> None:
    assert_type(await session.get_claim_value(SecondFactorClaim), bool | None)
    assert_type(await session.get_claim_value(PlanClaim), str | None)  # mypy: assert-type
    assert_type(await session.get_claim_value(TeamClaim), list[str] | None)
    assert_type(await session.get_claim_value(UserRoleClaim), list[str] | None)
    await session.set_claim_value(SecondFactorClaim, True)
    await session.set_claim_value(TeamClaim, ["a"])
    await session.set_claim_value(TeamClaim, [1])  # error: reportArgumentType; mypy: misc
    await session.assert_claims(
        [
            SecondFactorClaim.validators.is_true(),
            SecondFactorClaim.validators.is_false(max_age=5, id_="x"),
            PlanClaim.validators.has_value("pro", 60),
            TeamClaim.validators.includes_any(["a", "b"]),
            PermissionClaim.validators.excludes("write"),
            IsPaying(),
        ]
    )
    await session.fetch_and_set_claim(TeamClaim)
    await session.remove_claim(PlanClaim)
    await session.assert_claims([TeamClaim])  # error: reportArgumentType; mypy: list-item
    raise_invalid_claims_exception("no", [ClaimValidationError(UserRoleClaim.key, None)])


async def read(session: SessionContainer) -> None:
    assert_type(session.get_user_id(), str)
    assert_type(session.get_recipe_user_id(), RecipeUserId)
    assert_type(session.get_tenant_id(), str)
    assert_type(session.get_handle(), str)
    assert_type(session.get_access_token(), str)
    assert_type(session.get_access_token_payload(), dict[str, Any])
    assert_type(session.get_all_session_tokens_dangerously()["refreshToken"], str | None)
    assert_type(await session.get_expiry(), int)
    assert_type(await session.get_session_data_from_database(), dict[str, Any])
    assert_type(await session.merge_into_access_token_payload({"a": None}), None)
    assert_type(session.sync_get_time_created(), int)
    assert_type(session.sync_get_claim_value(UserRoleClaim), list[str] | None)
    assert_type(session.sync_revoke_session(), None)
    session.sync_merge_into_access_token_payload("a")  # error: reportArgumentType; mypy: arg-type


async def by_handle() -> None:
    (handle,) = await get_all_session_handles_for_user("ada")
    information = await get_session_information(handle)
    assert_type(information, SessionInformationResult | None)
    assert_type(get_session_information_blocking(handle), SessionInformationResult | None)
    information.expiry  # error: reportOptionalMemberAccess; mypy: union-attr
    value = await get_claim_value(handle, TeamClaim)
    if isinstance(value, SessionDoesNotExistError):
        return
    assert_type(value, GetClaimValueOkResult[list[str]])
    assert_type(value.value, list[str] | None)
