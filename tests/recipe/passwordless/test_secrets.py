"""Codes, links and device ids are in no variable of ours where a call fails, and in no log."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.recipe.passwordless import EmailDeliveryConfig, InputOverrideConfig
from supertokens_py.recipe.passwordless import syncio as functions
from tests.security.test_frames import failure, variables
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, HEADER, NUMBER, Browser, Outbox, Start, opened

OURS = "/supertokens_py/"
CODE, LINK, DEVICE = "c0de" * 3, "l1nk" * 10 + "abc", "QUFB" * 10 + "QUE="

USES: dict[str, Callable[[], Any]] = {
    "consume a code": lambda: functions.consume_code("public", "A" * 43, CODE, DEVICE),
    "consume a link": lambda: functions.consume_code("public", "A" * 43, link_code=LINK),
    "check": lambda: functions.check_code("public", "A" * 43, CODE, DEVICE),
    "create": lambda: functions.create_code("public", ADDRESS, user_input_code=CODE),
    "create again": lambda: functions.create_new_code_for_device("public", DEVICE, CODE),
    "list": lambda: functions.list_codes_by_device_id("public", DEVICE),
}


@pytest.mark.parametrize("use", USES)
def test_nothing_that_signs_in_is_in_a_variable(
    start: Start, sqlite_database: TestDatabase, use: str
) -> None:
    start()
    functions.list_codes_by_email("public", ADDRESS)
    sqlite_database.query("DROP TABLE passwordless_codes")
    sqlite_database.query("DROP TABLE passwordless_devices")
    error = failure(USES[use])
    assert error is not None
    shown = variables(error, of=OURS)
    assert [secret for secret in (CODE, LINK[:30], DEVICE[:30]) if secret in shown] == []


async def test_no_code_that_is_sent_is_in_a_variable(start: Start, browser: Browser, outbox: Outbox) -> None:
    """Where the service fails, and what follows fails, too."""
    sent: list[Any] = []

    def functions_(original: Any) -> Any:
        async def revoke_code(code_id: str, tenant_id: str, user_context: Any) -> Any:
            raise RuntimeError("no luck")

        original.revoke_code = revoke_code
        return original

    class Failing(Outbox):
        async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
            sent.append(template_vars)
            raise OSError("mail is down")

    start(
        email_delivery=EmailDeliveryConfig(Failing()),
        override=InputOverrideConfig(functions=functions_),
        get_custom_user_input_code=lambda *_: "c0de-xyz",  # six digits may be in any address of memory
    )
    with pytest.raises(RuntimeError, match="no luck") as caught:
        await browser.ask()
    shown = variables(caught.value, of="/supertokens_py/recipe/passwordless/")
    assert "template_vars" in shown or "CreateCodeOkResult" in shown
    given = opened(sent[0].url_with_link_code)
    assert sent[0].user_input_code == "c0de-xyz"
    assert [one for one in ("c0de-xyz", given["linkCode"]) if one in shown] == []


async def test_no_code_of_a_request_is_in_a_variable_or_a_log(
    start: Start, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """Of the recipe's frames, where code of the application fails; the framework has the request."""

    def apis(original: Any) -> Any:
        async def consume_code_post(**_: Any) -> None:
            raise RuntimeError("no luck")

        original.consume_code_post = consume_code_post
        return original

    start(override=InputOverrideConfig(apis=apis))
    body = {"preAuthSessionId": "A" * 43, "deviceId": DEVICE, "userInputCode": CODE}
    with caplog.at_level(logging.DEBUG), pytest.raises(RuntimeError, match="no luck") as caught:
        await browser.post("/signinup/code/consume", body)
    shown = variables(caught.value, of="/supertokens_py/recipe/passwordless/")
    for secret in (CODE, DEVICE[:30]):
        assert secret not in shown
        assert secret not in caplog.text


async def whole_life(browser: Browser, outbox: Outbox, clock: Clock) -> list[str]:
    """Ask, be wrong, ask again, sign in by code and by link; return every secret that there was."""
    browser.client.headers.update(HEADER)
    await browser.ask()
    secrets = [outbox.code, opened(outbox.link)["linkCode"], browser.device["deviceId"]]
    await browser.enter("wr0ng1")
    clock.advance(minutes=1)
    await browser.again()
    secrets += [outbox.code, opened(outbox.link)["linkCode"]]
    replies = [await browser.enter(outbox.code)]
    await browser.ask(None, phoneNumber=NUMBER)
    secrets += [outbox.code, opened(outbox.link)["linkCode"], browser.device["deviceId"]]
    replies.append(await browser.open(outbox.link))
    assert [reply.json()["status"] for reply in replies] == ["OK", "OK"]
    tokens = [reply.headers[name] for reply in replies for name in ("st-access-token", "st-refresh-token")]
    return [*secrets, "wr0ng1", *tokens]


async def test_no_secret_is_logged(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-73. Of anybody's code, link, device or token, at any level; nor whom it was sent to."""
    caplog.set_level(logging.DEBUG, logger="supertokens_py")
    caplog.set_level(logging.DEBUG, logger="com.supertokens")
    codes = iter(["c0de-A-1", "c0de-A-2", "c0de-A-3"])  # six digits may be in any time
    start(get_custom_user_input_code=lambda tenant_id, user_context: next(codes))
    secrets = await whole_life(browser, outbox, clock)
    said = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "user.signed_up" in said
    assert [secret for secret in [*secrets, ADDRESS, NUMBER] if secret in said] == []


async def test_nothing_leaves_this_machine(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SI-74. Messages go to the app's own services."""
    calls: list[Any] = []

    def refused(*arguments: Any, **_: Any) -> Any:
        calls.append(arguments)
        raise OSError("no connection is wanted")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "connect_ex", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    start()
    await whole_life(browser, outbox, clock)
    assert calls == []
