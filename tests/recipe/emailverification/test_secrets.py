"""Tokens are in no variable of ours where a call fails, and in no log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryConfig
from supertokens_py.recipe.emailverification import OverrideConfig
from supertokens_py.recipe.emailverification import asyncio as awaited
from supertokens_py.recipe.emailverification import syncio as verification
from supertokens_py.recipe.emailverification.interfaces import GetEmailForUserIdOkResult
from supertokens_py.types import RecipeUserId
from tests.security.test_frames import failure, variables
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, Browser, Outbox, Start

OURS = "/supertokens_py/"
ADA = RecipeUserId("ada")


async def used_async(token: str) -> Any:
    return await awaited.verify_email_using_token("public", token)


USES: dict[str, Callable[[str], Any]] = {
    "blocking": lambda token: verification.verify_email_using_token("public", token),
    "async": lambda token: asyncio.run(used_async(token)),
}


@pytest.mark.parametrize("way", USES)
def test_no_token_that_is_used_is_in_a_variable(
    start: Start, sqlite_database: TestDatabase, way: str
) -> None:
    start(recipes=[])
    token = "t0ken" * 20
    verification.is_email_verified("ada", ADDRESS)
    sqlite_database.query("DROP TABLE emailverification_tokens")
    error = failure(lambda: USES[way](token))
    assert error is not None
    assert token[8:40] not in variables(error, of=OURS)


def test_no_link_is_in_a_variable_of_ours(start: Start, outbox: Outbox) -> None:
    """Where the service fails; its own variables are its own."""

    class Failing(Outbox):
        async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
            outbox.sent.append(template_vars)
            raise OSError("mail is down")

    start(
        recipes=[],
        email_delivery=EmailDeliveryConfig(Failing()),
        get_email_for_user_id=lambda *_: GetEmailForUserIdOkResult(ADDRESS),
    )
    error = failure(lambda: verification.send_email_verification_email("public", "ada", ADA))
    assert isinstance(error, OSError)
    assert outbox.token[8:40] not in variables(error, of=OURS)


async def test_no_token_of_a_request_is_in_a_variable_or_a_log(
    start: Start, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """Of the recipe's frames, where code of the application fails; the framework has the request."""

    def functions(original: Any) -> Any:
        async def verify_email_using_token(**_: Any) -> None:
            raise RuntimeError("no luck")

        original.verify_email_using_token = verify_email_using_token
        return original

    start(override=OverrideConfig(functions=functions))
    await browser.sign_up()
    token = "t0ken" * 20
    with caplog.at_level(logging.DEBUG), pytest.raises(RuntimeError, match="no luck") as caught:
        await browser.verify(token)
    shown = variables(caught.value, of="/supertokens_py/recipe/emailverification/")
    assert "'***'" in shown
    assert token[8:40] not in shown
    assert token[8:40] not in caplog.text
