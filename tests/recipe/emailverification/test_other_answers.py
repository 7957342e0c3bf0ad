"""What routes and the claim say where something of the application answers otherwise, or fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import EngineUnavailableError, GeneralError
from supertokens_py.recipe import emailpassword, session
from supertokens_py.recipe.emailpassword import EmailDeliveryConfig
from supertokens_py.recipe.emailpassword import asyncio as users
from supertokens_py.recipe.emailverification import EmailVerificationClaim, InputOverrideConfig
from supertokens_py.recipe.emailverification import asyncio as verification
from supertokens_py.recipe.emailverification.interfaces import (
    CreateEmailVerificationTokenEmailAlreadyVerifiedError,
    CreateEmailVerificationTokenOkResult,
    EmailDoesNotExistError,
    RecipeInterface,
)
from supertokens_py.recipe.emailverification.recipe import EmailVerificationRecipe
from supertokens_py.recipe.session import asyncio as sessions
from supertokens_py.recipe.session.exceptions import InvalidClaimsError
from supertokens_py.types import RecipeUserId
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, Browser, Outbox, Start

OK = {"status": "OK"}
ALREADY = {"status": "EMAIL_ALREADY_VERIFIED_ERROR"}


def creating(answer: Callable[[], Any]) -> InputOverrideConfig:
    """Replace the function that makes tokens."""

    def functions(original: RecipeInterface) -> RecipeInterface:
        async def create_email_verification_token(
            recipe_user_id: RecipeUserId, email: str, tenant_id: str, user_context: Any
        ) -> Any:
            return answer()

        original.create_email_verification_token = create_email_verification_token  # type: ignore[method-assign]
        return original

    return InputOverrideConfig(functions=functions)


def keeping_sessions() -> Any:
    """Return the recipe of passwords with sessions that outlive a reset."""
    letters: EmailDeliveryConfig[Any] = EmailDeliveryConfig(Outbox())
    return emailpassword.init(email_delivery=letters, revoke_sessions_on_password_reset=False)


async def reset(browser: Browser, user_id: str) -> Any:
    """Set a new password by a link."""
    made = await users.create_reset_password_token("public", user_id, ADDRESS)
    body = {
        "formFields": [{"id": "password", "value": "another horse 2"}],
        "token": made.token,  # type: ignore[union-attr]
        "method": "token",
    }
    return (await browser.client.post("/auth/user/password/reset", json=body)).json()


async def test_an_override_may_call_an_address_verified(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """No link is sent; a reset does not verify the address behind its back."""
    start("REQUIRED", override=creating(CreateEmailVerificationTokenEmailAlreadyVerifiedError))
    user_id = await browser.sign_up()
    assert (await browser.ask()).json() == ALREADY
    assert outbox.sent == []
    assert await reset(browser, user_id) == OK
    assert not await verification.is_email_verified(user_id)


async def test_a_reset_is_done_where_verifying_fails(
    start: Start, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """The password is changed; the user verifies the address by a link of its own."""

    def fail() -> Any:
        raise LookupError("mine")

    start("REQUIRED", override=creating(fail))
    user_id = await browser.sign_up()
    with caplog.at_level(logging.ERROR):
        assert await reset(browser, user_id) == OK
    assert [one.getMessage() for one in caplog.records] == [
        "the address of a password reset was not verified"
    ]
    reply = await browser.form("/signin", email=ADDRESS, password="another horse 2")
    assert reply.json()["status"] == "OK"


@pytest.mark.parametrize(("verified", "left"), [(False, 0), (True, 1)])
async def test_a_reset_ends_what_a_stranger_began(
    start: Start, browser: Browser, outbox: Outbox, *, verified: bool, left: int
) -> None:
    """Whoever signed up with an address that was not verified; sessions of its owner may go on."""
    start("REQUIRED", recipes=[keeping_sessions()])
    user_id = await browser.sign_up()
    if verified:
        await browser.ask()
        await browser.verify(outbox.token)
    assert await reset(browser, user_id) == OK
    assert len(await sessions.get_all_session_handles_for_user(user_id)) == left
    assert await verification.is_email_verified(user_id)


async def test_a_reset_is_done_where_nobody_knows_what_was_verified(
    start: Start, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """Its token is used up. Sessions end, to be on the safe side."""

    def functions(original: RecipeInterface) -> RecipeInterface:
        async def is_email_verified(recipe_user_id: RecipeUserId, email: str, user_context: Any) -> Any:
            raise LookupError("mine")

        original.is_email_verified = is_email_verified  # type: ignore[method-assign]
        return original

    start("OPTIONAL", recipes=[keeping_sessions()])
    user_id = await browser.sign_up()
    functions(EmailVerificationRecipe.get_instance().recipe_implementation)
    assert await reset(browser, user_id) == OK
    assert await sessions.get_all_session_handles_for_user(user_id) == []
    assert "whether the address of a password reset was verified is not known" in caplog.text


@pytest.mark.parametrize("error", [EngineUnavailableError("busy"), asyncio.CancelledError()])
async def test_a_request_that_fails_keeps_no_other_from_sending(
    start: Start, browser: Browser, outbox: Outbox, error: BaseException
) -> None:
    """Of two at once one sends nothing, since the other does; whoever asks again gets the link at once."""
    failing = [error]

    def fail_once() -> Any:
        if failing:
            raise failing.pop()
        return CreateEmailVerificationTokenOkResult("token")

    start("REQUIRED", override=creating(fail_once))
    await browser.sign_up()
    if isinstance(error, Exception):
        assert (await browser.ask()).status_code == 503
    else:
        with pytest.raises(asyncio.CancelledError):
            await browser.ask()
    assert outbox.sent == []
    assert (await browser.ask()).json() == OK
    assert (await browser.ask()).json() == OK
    assert len(outbox.sent) == 1


async def test_who_has_no_address_gets_no_link(start: Start, browser: Browser, outbox: Outbox) -> None:
    """Users of the application's own, for example; there is nothing that they could verify."""

    def address_of(*_: Any) -> Any:
        return EmailDoesNotExistError()

    start("REQUIRED", get_email_for_user_id=address_of)
    await browser.sign_up()
    assert (await browser.ask()).json() == ALREADY
    assert outbox.sent == []


async def test_verified_is_looked_up_again_after_a_while_where_a_route_wants_it(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    """Unverified meanwhile: the session that says otherwise is believed for so many seconds."""
    start("REQUIRED")
    user_id = await browser.sign_up()
    await browser.ask()
    await browser.verify(outbox.token)
    found = await sessions.get_session_without_request_response(browser.client.cookies["sAccessToken"])
    assert found is not None
    await verification.unverify_email(user_id)
    validator = EmailVerificationClaim.validators.is_verified(max_age_in_seconds=60)
    clock.advance(s=60)
    await found.assert_claims([validator])
    clock.advance(ms=1)
    with pytest.raises(InvalidClaimsError):
        await found.assert_claims([validator])


async def test_the_claim_can_be_fetched_by_its_function(start: Start, browser: Browser) -> None:
    """As claims of the application's own can; without the recipe, an error says what is missing."""
    start("REQUIRED")
    user_id = await browser.sign_up()
    arguments = (user_id, user_id, "public", {}, {})
    assert await EmailVerificationClaim.fetch_value(*arguments) is False
    await verification.verify_email_using_token(
        "public",
        (await verification.create_email_verification_token("public", user_id)).token,  # type: ignore[union-attr]
    )
    assert await EmailVerificationClaim.fetch_value(*arguments) is True


async def test_without_the_recipe_the_claim_says_so(sqlite_database: TestDatabase) -> None:
    Supertokens.reset()
    try:
        init(
            app_info=InputAppInfo("Tests", "http://localhost:8000", website_domain="http://localhost:8000"),
            supertokens_config=SupertokensConfig(sqlite_database.uri),
            recipe_list=[session.init(), emailpassword.init()],
        )
        made = await sessions.create_new_session_without_request_response("public", RecipeUserId("ada"))
        with pytest.raises(GeneralError, match=r"emailverification\.init"):
            await made.fetch_and_set_claim(EmailVerificationClaim)
    finally:
        Supertokens.reset()
