"""Tokens are in no variable of ours where a call fails, and in no log."""

from __future__ import annotations

import asyncio
import logging
import socket
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


async def whole_life(browser: Browser, outbox: Outbox) -> list[str]:
    """Sign up, use a wrong link and the right one, and ask again; return every secret that there was."""
    await browser.sign_up()
    cookies = [dict(browser.client.cookies)]
    assert (await browser.ask()).json() == {"status": "OK"}
    wrong = "wr0ng" * 20
    assert (await browser.verify(wrong)).json() == {"status": "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"}
    assert (await browser.verify(outbox.token)).json() == {"status": "OK"}
    cookies.append(dict(browser.client.cookies))
    assert (await browser.is_verified()).json() == {"status": "OK", "isVerified": True}
    assert (await browser.ask()).json() == {"status": "EMAIL_ALREADY_VERIFIED_ERROR"}
    return [outbox.token, wrong, *(value for one in cookies for value in one.values())]


async def test_no_secret_is_logged(
    start: Start, browser: Browser, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-73. Of anybody's link or session, at any level, nor in what records carry besides their text."""
    caplog.set_level(logging.DEBUG)
    start()
    secrets = await whole_life(browser, outbox)
    assert len(set(secrets)) == 5  # the refresh token is the same twice
    said = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "user.email_verified" in said
    assert [secret for secret in secrets if secret in said] == []


async def test_nothing_leaves_this_machine(
    start: Start, browser: Browser, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SI-74. Letters go to the app's own service, and addresses are not looked up."""

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("somebody was asked")

    for owner, name in ((socket.socket, "connect"), (socket.socket, "connect_ex"), (socket, "getaddrinfo")):
        monkeypatch.setattr(owner, name, refused)
    start()
    await whole_life(browser, outbox)
    assert (await browser.client.get("/auth/loginmethods")).status_code == 200
    assert len(outbox.sent) == 1
