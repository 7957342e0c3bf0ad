"""The claims of the customer's documents (seed 2) in their Python spelling."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe import session
from supertokens_py.recipe.session.asyncio import get_session_information
from supertokens_py.recipe.session.claims import BooleanClaim, PrimitiveArrayClaim
from supertokens_py.recipe.session.exceptions import ClaimValidationError, raise_invalid_claims_exception
from supertokens_py.recipe.session.interfaces import RecipeInterface, SessionContainer
from tests.seeds.fixtures import Open, Start
from tests.seeds.sites import KINDS, Route, Visit

SecondFactorClaim = BooleanClaim(key="2fa-completed", fetch_value=lambda *_: False)
RolesClaim = PrimitiveArrayClaim[str](
    key="my-roles", fetch_value=lambda user_id, *_: ["admin"] * (user_id == "ada")
)


def require_second_factor(original: RecipeInterface) -> RecipeInterface:
    """Add a global validator, as the documents do."""

    def get_global_claim_validators(
        tenant_id: str,
        user_id: str,
        claim_validators_added_by_other_recipes: list[Any],
        user_context: dict[str, Any],
    ) -> list[Any]:
        return [*claim_validators_added_by_other_recipes, SecondFactorClaim.validators.is_true()]

    original.get_global_claim_validators = get_global_claim_validators  # type: ignore[method-assign]
    return original


def only_admins(
    global_validators: list[Any], session: SessionContainer, user_context: dict[str, Any]
) -> list[Any]:
    return [*global_validators, RolesClaim.validators.includes("admin")]


async def only_admins_async(*arguments: Any) -> list[Any]:
    return only_admins(*arguments)


async def log_in(visit: Visit) -> Any:
    return (await visit.log_in(visit.request.headers["x-user"])).get_handle()


async def page(visit: Visit) -> Any:
    return "ok"


async def complete(visit: Visit) -> Any:
    assert visit.session is not None
    if visit.blocking:
        visit.session.sync_set_claim_value(SecondFactorClaim, True)
    else:
        await visit.session.set_claim_value(SecondFactorClaim, True)
    return "ok"


FAILED = {
    "message": "invalid claim",
    "claimValidationErrors": [
        {
            "id": "2fa-completed",
            "reason": {"message": "wrong value", "expectedValue": True, "actualValue": False},
        }
    ],
}


@pytest.mark.parametrize("kind", KINDS)
async def test_custom_claim_with_a_global_validator(kind: str, start: Start, open_site: Open) -> None:
    """403 until the claim is true; the value that was fetched is stored, but a 403 carries no token."""
    start(override=session.InputOverrideConfig(functions=require_second_factor))
    no_global = {"override_global_claim_validators": lambda *_: []}
    routes = [
        Route("/login", log_in),
        Route("/page", page, verify={}),
        Route("/2fa", complete, verify=no_global),
    ]
    browser = open_site(kind, routes).browser(st_auth_mode="cookie", x_user="ada")
    handle = (await browser.post("/login")).json()
    answer = await browser.get("/page")
    assert (answer.status_code, answer.json()) == (403, FAILED)
    assert "set-cookie" not in answer.headers
    assert "front-token" not in answer.headers
    stored = await get_session_information(handle)
    assert stored is not None
    assert stored.custom_claims_in_access_token_payload["2fa-completed"]["v"] is False
    assert (await browser.get("/2fa")).status_code == 200
    assert (await browser.get("/page")).json() == "ok"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("override", [only_admins, only_admins_async])
async def test_validator_of_one_route(kind: str, override: Any, start: Start, open_site: Open) -> None:
    start()
    admin = {"override_global_claim_validators": override}
    site = open_site(kind, [Route("/login", log_in), Route("/admin", page, verify=admin)])
    for user, status in (("ada", 200), ("bob", 403)):
        browser = site.browser(st_auth_mode="header", x_user=user)
        browser.headers["authorization"] = (
            f"Bearer {(await browser.post('/login')).headers['st-access-token']}"
        )
        answer = await browser.get("/admin")
        assert answer.status_code == status, answer.text
        assert ("st-access-token" in answer.headers) == (status == 200)  # the refetched claim, or nothing


@pytest.mark.parametrize("kind", KINDS)
async def test_a_view_may_refuse_like_a_validator(kind: str, start: Start, open_site: Open) -> None:
    """A view may refuse by itself and answers like a validator."""
    start()

    async def admin_page(visit: Visit) -> Any:
        assert visit.session is not None
        roles = visit.session.get_access_token_payload().get("roles")
        if roles is None or "admin" not in roles:
            raise_invalid_claims_exception(
                "User is not an admin", [ClaimValidationError(RolesClaim.key, None)]
            )
        return "ok"

    site = open_site(kind, [Route("/login", log_in), Route("/admin", admin_page, verify={})])
    browser = site.browser(st_auth_mode="cookie", x_user="bob")
    await browser.post("/login")
    answer = await browser.get("/admin")
    assert answer.status_code == 403
    assert answer.json() == {"message": "invalid claim", "claimValidationErrors": [{"id": "my-roles"}]}
