"""`EmailVerificationClaim` and its validators."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe import session
from supertokens_py.recipe.emailverification import EmailVerificationClaim
from supertokens_py.recipe.emailverification import asyncio as verification
from supertokens_py.recipe.session.asyncio import create_new_session_without_request_response
from supertokens_py.recipe.session.claim_base_classes.timed_claim import TimedValidator, is_built_in
from supertokens_py.recipe.session.exceptions import InvalidClaimsError
from supertokens_py.recipe.session.interfaces import SessionContainer
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.types import RecipeUserId
from tests.support.clock import Clock

from .conftest import ADDRESS, Browser, Start

VALIDATORS = EmailVerificationClaim.validators


@pytest.fixture
def app(start: Start) -> None:
    from supertokens_py.recipe.emailverification.interfaces import GetEmailForUserIdOkResult

    start("REQUIRED", recipes=[], get_email_for_user_id=lambda *_: GetEmailForUserIdOkResult(ADDRESS))


async def a_session() -> SessionContainer:
    return await create_new_session_without_request_response("public", RecipeUserId("ada"))


async def verify() -> None:
    made = await verification.create_email_verification_token("public", "ada", ADDRESS)
    await verification.verify_email_using_token("public", made.token)  # type: ignore[union-attr]


async def refused(found: SessionContainer, *validators: Any) -> list[Any]:
    """Return the reasons for which validators refuse a session."""
    try:
        await found.assert_claims(list(validators))
    except InvalidClaimsError as error:
        return [one.reason for one in error.payload]
    return []


WRONG = {"message": "wrong value", "expectedValue": True, "actualValue": False}


@pytest.mark.usefixtures("app")
async def test_not_verified_is_asked_again_after_a_while(clock: Clock) -> None:
    """After ten seconds, or as the validator says; verified is believed for as long as it says."""
    found = await a_session()
    await verify()
    clock.advance(ms=10_000)
    assert await refused(found, VALIDATORS.is_verified()) == [WRONG]
    assert await refused(found, VALIDATORS.is_verified(refetch_time_on_false_in_seconds=60)) == [WRONG]
    clock.advance(ms=1)
    assert await refused(found, VALIDATORS.is_verified()) == []
    assert await found.get_claim_value(EmailVerificationClaim) is True
    await verification.unverify_email("ada", ADDRESS)
    clock.advance(s=300)
    assert await refused(found, VALIDATORS.is_verified()) == []
    assert await refused(found, VALIDATORS.is_verified(max_age_in_seconds=300)) == []
    clock.advance(ms=1)
    assert await refused(found, VALIDATORS.is_verified(10, 300)) == [WRONG]
    assert await refused(found, VALIDATORS.is_verified(0)) == [WRONG]
    await verify()
    clock.advance(ms=1)
    assert await refused(found, VALIDATORS.is_verified(0)) == []


@pytest.mark.usefixtures("app")
async def test_a_missing_claim_is_fetched() -> None:
    """Of sessions that were created before the recipe was listed."""
    found = await a_session()
    await found.remove_claim(EmailVerificationClaim)
    assert await refused(found, VALIDATORS.is_verified()) == [WRONG]
    await found.remove_claim(EmailVerificationClaim)
    await verify()
    assert await refused(found, VALIDATORS.is_verified()) == []


@pytest.mark.usefixtures("app")
async def test_the_usual_validators_are_there_too(clock: Clock) -> None:
    found = await a_session()
    assert await found.get_claim_value(EmailVerificationClaim) is False
    assert found.get_access_token_payload()["st-ev"] == {"v": False, "t": clock()}
    assert await refused(found, VALIDATORS.is_false(), VALIDATORS.has_value(False)) == []
    assert await refused(found, VALIDATORS.is_true()) == [WRONG]
    assert VALIDATORS.is_verified().id == "st-ev"
    assert VALIDATORS.is_verified(id_="mine").id == "mine"


@pytest.mark.usefixtures("app")
async def test_the_claim_belongs_to_the_session_recipe() -> None:
    """It is in every new session, and evaluated in every verification, where verification is required."""
    recipe = SessionRecipe.get_instance()
    assert recipe.get_claims_added_by_other_recipes() == [EmailVerificationClaim]
    (validator,) = recipe.get_claim_validators_added_by_other_recipes()
    assert (validator.id, validator.claim) == ("st-ev", EmailVerificationClaim)


def test_a_verified_session_costs_nothing(clock: Clock) -> None:
    """No code of the application takes part, so the payload is only read."""
    validator = VALIDATORS.is_verified()
    assert is_built_in(validator)
    assert isinstance(validator, TimedValidator)
    assert validator.passes({"st-ev": {"v": True, "t": 1}})
    assert not validator.passes({"st-ev": {"v": False, "t": clock()}})
    for value in (1, "true", None, [True], {"v": True}):
        assert not validator.passes({"st-ev": {"v": value, "t": 1}})
    assert not validator.passes({"st-ev": True})
    assert not validator.passes({})
    verified = {"st-ev": {"v": True, "t": clock() - 60_000}}
    assert not validator.should_refetch(verified, {})
    assert VALIDATORS.is_verified(max_age_in_seconds=59).should_refetch(verified, {})


async def test_optional_is_a_claim_without_validator(start: Start) -> None:
    start("OPTIONAL")
    recipe = SessionRecipe.get_instance()
    assert recipe.get_claims_added_by_other_recipes() == [EmailVerificationClaim]
    assert recipe.get_claim_validators_added_by_other_recipes() == []


async def test_a_route_leaves_the_validator_out(start: Start, browser: Browser) -> None:
    """By an override of the validators of every verification."""

    def functions(original: Any) -> Any:
        def some(tenant_id: str, user_id: str, added: list[Any], user_context: dict[str, Any]) -> list[Any]:
            return [one for one in added if one.id != EmailVerificationClaim.key]

        original.get_global_claim_validators = some
        return original

    start("REQUIRED", sessions=session.init(override=session.InputOverrideConfig(functions=functions)))
    user_id = await browser.sign_up()
    assert (await browser.page()).json() == user_id
