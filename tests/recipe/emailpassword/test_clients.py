"""Limits per client, whichever addresses it names: off until the application says whom requests come from."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.events import ClientRefused, Event, subscribe
from tests.support.clock import Clock

from .conftest import ADDRESS, Browser, Start

WAIT = {"status": "GENERAL_ERROR", "message": "Too many attempts. Please try again in 30 minutes"}
LIMITS = {
    "sign_in_failures_per_client_and_hour": 2,
    "sign_ups_per_client_and_hour": 2,
    "password_resets_per_client_and_hour": 2,
}


def from_header(request: Any) -> str | None:
    """Say what a proxy of one's own says."""
    return request.get_header("x-real-ip")


async def failing(browser: Browser, number: int, client: str = "192.0.2.7") -> Any:
    reply = await browser.form_from(client, "/signin", email=f"eve{number}@example.com", password="wrong 1")
    return reply.json()["status"]


async def test_a_client_guesses_at_many_addresses(start: Start, browser: Browser, clock: Clock) -> None:
    """It is told in words when to try again; signing in to an account of its own gives back one try only."""
    found: list[Event] = []
    unsubscribe = subscribe(found.append)
    start(client_ip=from_header, engine=LIMITS)
    await browser.sign_up()
    assert [await failing(browser, number) for number in range(2)] == ["WRONG_CREDENTIALS_ERROR"] * 2
    refused = await browser.form_from("192.0.2.7", "/signin", email=ADDRESS, password="correct horse 1")
    assert (refused.status_code, refused.json()) == (200, WAIT)
    assert refused.headers["retry-after"] == "1800"
    assert await failing(browser, 9, "192.0.2.8") == "WRONG_CREDENTIALS_ERROR"
    clock.advance(minutes=30)
    into = await browser.form_from("192.0.2.7", "/signin", email=ADDRESS, password="correct horse 1")
    assert into.json()["status"] == "OK"
    assert [await failing(browser, number) for number in (3, 4)] == [
        "WRONG_CREDENTIALS_ERROR",
        "GENERAL_ERROR",
    ]
    unsubscribe()
    refusals = [vars(event) for event in found if isinstance(event, ClientRefused)]
    assert refusals == [{"kind": "sign_in", "retry_after_ms": 1_800_000}] * 2


async def test_the_addresses_of_one_ipv6_network_are_one_client(start: Start, browser: Browser) -> None:
    start(client_ip=from_header, engine=LIMITS)
    tried = [await failing(browser, number, f"2001:db8:0:1::{number}") for number in range(3)]
    assert tried == [*["WRONG_CREDENTIALS_ERROR"] * 2, "GENERAL_ERROR"]
    assert await failing(browser, 1, "2001:db8:0:2::1") == "WRONG_CREDENTIALS_ERROR"


async def test_sign_ups_and_resets_have_limits_of_their_own(start: Start, browser: Browser) -> None:
    """A form that is refused for what is in it counts nothing."""
    start(client_ip=from_header, engine=LIMITS)
    client = "192.0.2.7"
    for _ in range(3):
        weak = await browser.form_from(client, "/signup", email=ADDRESS, password="weak")
        assert weak.json()["status"] == "FIELD_ERROR"
    ups = [
        await browser.form_from(client, "/signup", email=f"a{n}@example.com", password="correct horse 1")
        for n in range(3)
    ]
    assert [up.json()["status"] for up in ups] == ["OK", "OK", "GENERAL_ERROR"]
    resets = [
        await browser.form_from(client, "/user/password/reset/token", email=f"b{n}@example.com")
        for n in range(3)
    ]
    assert [reset.json()["status"] for reset in resets] == ["OK", "OK", "GENERAL_ERROR"]


@pytest.mark.parametrize("client_ip", [None, lambda request: None])
async def test_no_header_counts_by_itself(start: Start, browser: Browser, client_ip: Any) -> None:
    """Whoever may write it could have others refused, or be somebody else with each request."""
    start(client_ip=client_ip, engine=LIMITS)
    browser.client.headers.update({"x-forwarded-for": "192.0.2.7", "forwarded": "for=192.0.2.7"})
    assert [await failing(browser, number) for number in range(4)] == ["WRONG_CREDENTIALS_ERROR"] * 4


async def test_a_client_asks_about_many_addresses(start: Start, browser: Browser) -> None:
    start(client_ip=from_header, engine={"lookups_per_client_and_hour": 2})

    async def exists(client: str, path: str = "/emailpassword/email/exists") -> Any:
        headers = {"x-real-ip": client}
        return await browser.client.get(f"/auth{path}?email={ADDRESS}", headers=headers)

    for path in ("/signup/email/exists", "/emailpassword/email/exists"):
        assert (await exists("192.0.2.7", path)).json() == {"status": "OK", "exists": False}
    refused = await exists("192.0.2.7")
    assert (refused.status_code, refused.json()) == (200, WAIT)
    assert refused.headers["retry-after"] == "1800"
    assert (await exists("192.0.2.8")).json()["status"] == "OK"
