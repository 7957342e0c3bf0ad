"""What holds for every call: equal work for known and unknown addresses, no secret in logs, no other host."""

from __future__ import annotations

import logging
import re
import socket
from typing import Any

import pytest

from supertokens_py.engine.embedded.signin import passwords
from supertokens_py.engine.embedded.signin.passwords import Passwords
from tests.support.clock import Clock

from .conftest import ADDRESS, PASSWORD, Browser, Outbox, Start

WRONG = {"status": "WRONG_CREDENTIALS_ERROR"}
NEW = "another horse 2"


async def whole_life(browser: Browser, outbox: Outbox) -> list[str]:
    """Sign up, in wrongly and rightly, reset the password; return every secret that there was."""
    replies = [
        await browser.sign_up(),
        await browser.sign_in(password="wrong horse 3"),
        await browser.sign_in(),
        await browser.ask_for_reset(),
    ]
    replies += [await browser.reset(outbox.token, NEW), await browser.sign_in(password=NEW)]
    tokens = [
        reply.headers[name]
        for reply in replies
        for name in ("st-access-token", "st-refresh-token")
        if name in reply.headers
    ]
    assert len(tokens) == 6
    return [PASSWORD, "wrong horse 3", NEW, outbox.token, *tokens]


async def test_no_secret_is_logged(
    start: Start, browser: Browser, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-73. Of anybody's password, token, link or hash, at any level."""
    caplog.set_level(logging.DEBUG)
    start()
    browser.client.headers["st-auth-mode"] = "header"
    secrets = await whole_life(browser, outbox)
    said = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "user.signed_up" in said
    assert [secret for secret in secrets if secret in said] == []
    assert re.search(r"\$argon2|\$2[aby]\$", said) is None


async def test_nothing_leaves_this_machine(
    start: Start, browser: Browser, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SI-74. Nobody is asked, and nobody looked up: e-mails go to the app's own service."""
    calls: list[Any] = []

    def refused(*arguments: Any, **_: Any) -> Any:
        calls.append(arguments)
        raise OSError("no connection is wanted")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket.socket, "connect_ex", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    start()
    browser.client.headers["st-auth-mode"] = "header"
    await whole_life(browser, outbox)
    assert (await browser.client.get("/auth/loginmethods")).status_code == 200
    assert calls == []


async def test_a_wrong_password_and_an_unknown_address_cost_the_same(
    start: Start, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SI-13. The same answer after the same work: one hash with the configured parameters."""
    start()
    await browser.sign_up()
    work: list[tuple[int, int, int]] = []
    slowly = Passwords._slowly  # pyright: ignore[reportPrivateUsage]

    def counted(self: Passwords, compute: Any, **lanes: int) -> Any:
        wanted = self._settings  # pyright: ignore[reportPrivateUsage]
        work.append((wanted.argon2_memory_kb, wanted.argon2_iterations, wanted.argon2_parallelism))
        return slowly(self, compute, **lanes)

    monkeypatch.setattr(passwords.Passwords, "_slowly", counted)
    replies, costs = [], []
    for email in (ADDRESS, "eve@example.com"):
        work.clear()
        replies.append(await browser.sign_in(email, "wrong horse 3"))
        costs.append(list(work))
    known, unknown = replies
    assert known.json() == unknown.json() == WRONG
    assert known.headers.keys() == unknown.headers.keys()
    assert costs == [[(1024, 1, 1)], [(1024, 1, 1)]]


@pytest.mark.parametrize(
    ("password", "others"),
    [
        (" abcdefg1", ["abcdefg1", "abcdefg1 ", "  abcdefg1"]),
        ("abcdefg1 ", ["abcdefg1", " abcdefg1"]),
        ("a1" + "x" * 71 + "y", ["a1" + "x" * 71 + "z", "a1" + "x" * 70, "a1" + "x" * 71]),
    ],
    ids=["blank before", "blank after", "after 72 bytes"],
)
async def test_a_password_is_taken_as_it_is(
    start: Start, browser: Browser, clock: Clock, password: str, others: list[str]
) -> None:
    """SI-14, SI-16. Nothing is trimmed or cut."""
    start()
    assert (await browser.sign_up(password=password)).json()["status"] == "OK"
    for other in others:
        assert (await browser.sign_in(password=other)).json() == WRONG
    assert (await browser.sign_in(password=password)).json()["status"] == "OK"


async def test_a_large_field_is_refused(start: Start, browser: Browser) -> None:
    """SI-10. A megabyte is no address and no password, and no failure of the server."""
    start()
    large = "x" * 1_000_000
    for reply in (
        await browser.sign_up(large),
        await browser.sign_up(password=large),
        await browser.sign_in(large),
        await browser.sign_in(password=large),
        await browser.ask_for_reset(large),
    ):
        assert reply.status_code in (200, 400, 413)
        assert reply.json().get("status") in ("FIELD_ERROR", "WRONG_CREDENTIALS_ERROR", None)
    reply = await browser.client.get("/auth/emailpassword/email/exists", params={"email": "x" * 60_000})
    assert reply.json() == {"status": "OK", "exists": False}
