"""The routes, as the official frontends use them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py import asyncio as app
from supertokens_py.events import EmailDropped, Event, subscribe
from supertokens_py.recipe.emailpassword import asyncio as users
from supertokens_py.recipe.emailpassword.interfaces import UpdateEmailOrPasswordOkResult
from supertokens_py.recipe.emailverification import InputOverrideConfig
from supertokens_py.recipe.emailverification import asyncio as verification
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.session import asyncio as sessions
from supertokens_py.types.response import GeneralErrorResponse
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, API, NEW, Browser, Outbox, Start

OK = {"status": "OK"}
INVALID = {"status": "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"}
ALREADY = {"status": "EMAIL_ALREADY_VERIFIED_ERROR"}
REFUSED = {
    "message": "invalid claim",
    "claimValidationErrors": [
        {"id": "st-ev", "reason": {"message": "wrong value", "expectedValue": True, "actualValue": False}}
    ],
}

Open = Callable[[], Browser]


async def test_a_user_signs_up_verifies_and_gets_in(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase, clock: Clock
) -> None:
    """SI-28, SI-30, SI-33.

    Sign-up sends nothing: the frontend asks for the link. The answer to the link lets the session in.
    """
    start("REQUIRED", uri=each_database.uri)
    user_id = await browser.sign_up()
    assert browser.claim == {"v": False, "t": clock()}
    refused = await browser.page()
    assert (refused.status_code, refused.json()) == (403, REFUSED)
    assert outbox.sent == []
    assert (await browser.is_verified()).json() == {"status": "OK", "isVerified": False}
    assert (await browser.ask()).json() == OK
    (mail,) = outbox.sent
    assert (mail.user.id, mail.user.recipe_user_id, mail.user.email) == (user_id, user_id, ADDRESS)
    assert mail.tenant_id == "public"
    assert mail.email_verify_link == (
        f"http://example.com/auth/verify-email?token={outbox.token}&tenantId=public"
    )
    assert (await browser.verify(outbox.token)).json() == OK
    assert browser.claim == {"v": True, "t": clock()}
    assert (await browser.page()).json() == user_id
    found = await app.get_user(user_id)
    assert found is not None
    assert found.login_methods[0].verified
    assert (await browser.ask()).json() == ALREADY
    assert len(outbox.sent) == 1


async def test_an_optional_verification_refuses_nobody(start: Start, browser: Browser, clock: Clock) -> None:
    """SI-28."""
    start("OPTIONAL")
    user_id = await browser.sign_up()
    assert browser.claim == {"v": False, "t": clock()}
    assert (await browser.page()).json() == user_id


async def test_a_link_is_opened_in_another_browser(
    start: Start, browser: Browser, open_browser: Open, outbox: Outbox, clock: Clock
) -> None:
    """SI-31. It gets no session there; the first browser's session learns of it within ten seconds."""
    start("REQUIRED")
    user_id = await browser.sign_up()
    await browser.ask()
    other = open_browser()
    reply = await other.verify(outbox.token)
    assert (reply.json(), reply.headers.get_list("set-cookie")) == (OK, [])
    assert "front-token" not in reply.headers
    clock.advance(ms=10_000)
    assert (await browser.page()).status_code == 403
    clock.advance(ms=1)
    assert (await browser.page()).json() == user_id
    assert browser.claim == {"v": True, "t": clock()}


async def test_asking_updates_the_session(
    start: Start, browser: Browser, open_browser: Open, outbox: Outbox, clock: Clock
) -> None:
    """SI-31, SI-33.

    Whether the address is verified, or another link is wanted; the answer brings a new access token.
    """
    start("REQUIRED")
    user_id = await browser.sign_up()
    await browser.ask()
    await open_browser().verify(outbox.token)
    assert (await browser.is_verified()).json() == {"status": "OK", "isVerified": True}
    assert browser.claim == {"v": True, "t": clock()}
    await verification.unverify_email(user_id)
    assert (await browser.page()).status_code == 200  # a session that says "verified" is believed
    clock.advance(s=15)
    assert (await browser.ask()).json() == OK
    assert browser.claim == {"v": False, "t": clock()}
    await open_browser().verify(outbox.token)
    assert (await browser.ask()).json() == ALREADY
    assert browser.claim == {"v": True, "t": clock()}


async def test_links_are_sent_now_and_then(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    """SI-29.

    A second request within fifteen seconds, as of React's StrictMode, sends nothing and is answered OK; what
    was not sent is an event.
    """
    start("REQUIRED")
    await browser.sign_up()
    found: list[Event] = []
    unsubscribe = subscribe(found.append)
    assert [(await browser.ask()).json() for _ in range(2)] == [OK, OK]
    assert len(outbox.sent) == 1
    clock.advance(s=15)
    assert (await browser.ask()).json() == OK
    assert len(outbox.sent) == 2
    unsubscribe()
    dropped = EmailDropped(recipe_id="emailverification", tenant_id="public", reason="address")
    assert [event for event in found if isinstance(event, EmailDropped)] == [dropped]


@pytest.mark.parametrize("path", ["/user/email/verify/token", "/user/email/verify"])
async def test_who_is_nobody_must_sign_in(start: Start, browser: Browser, path: str) -> None:
    start("REQUIRED")
    method = "POST" if path.endswith("token") else "GET"
    reply = await browser.client.request(method, f"/auth{path}")
    assert (reply.status_code, reply.json()) == (401, {"message": "unauthorised"})


async def test_a_link_is_used_once(start: Start, browser: Browser, outbox: Outbox, clock: Clock) -> None:
    """SI-32. And no longer than a day; a wrong one is answered the same."""
    start("REQUIRED")
    user_id = await browser.sign_up()
    await browser.ask()
    used = outbox.token
    assert (await browser.verify(used)).json() == OK
    await verification.unverify_email(user_id)
    for token in (used, "x", "x" * 512):
        assert (await browser.verify(token)).json() == INVALID
    clock.advance(s=15)
    await browser.ask()
    clock.advance(ms=24 * 3_600_000 + 1)
    assert (await browser.verify(outbox.token)).status_code == 401  # the session's access token has expired
    assert (await browser.client.post("/auth/session/refresh")).status_code == 200
    assert (await browser.verify(outbox.token)).json() == INVALID


async def test_opening_a_link_with_get_uses_nothing(
    start: Start, browser: Browser, open_browser: Open, outbox: Outbox
) -> None:
    """Mail scanners do."""
    start("REQUIRED")
    await browser.sign_up()
    await browser.ask()
    other = open_browser()
    for method in ("GET", "HEAD"):
        await other.client.request(method, f"/auth/user/email/verify?token={outbox.token}&tenantId=public")
    assert (await browser.verify(outbox.token)).json() == OK


async def test_a_link_verifies_its_own_user_whoever_opens_it(
    start: Start, browser: Browser, open_browser: Open, outbox: Outbox
) -> None:
    """The session of another user gains nothing by it."""
    start("REQUIRED")
    await browser.sign_up()
    await browser.ask()
    of_ada = outbox.token
    other = open_browser()
    bob = await other.sign_up("bob@example.com")
    before = other.claim
    reply = await other.verify(of_ada)
    assert (reply.json(), reply.headers.get_list("set-cookie")) == (OK, [])
    assert other.claim == before
    assert not await verification.is_email_verified(bob)
    assert (await browser.is_verified()).json()["isVerified"] is True
    assert (await other.page()).status_code == 403


async def test_a_link_to_a_former_address_verifies_nothing(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    """SI-36.

    And a verified one is unverified once the address is another; one that was verified before is not.
    """
    start("REQUIRED")
    user_id = await browser.sign_up()
    await browser.ask()
    changed = await users.update_email_or_password(user_id, email=NEW)
    assert isinstance(changed, UpdateEmailOrPasswordOkResult)
    assert (await browser.verify(outbox.token)).json() == INVALID
    assert (await browser.ask()).json() == OK
    assert outbox.sent[-1].user.email == NEW
    assert (await browser.verify(outbox.token)).json() == OK
    await users.update_email_or_password(user_id, email=ADDRESS)
    assert (await browser.is_verified()).json()["isVerified"] is False
    link = await verification.create_email_verification_token("public", user_id, NEW)
    assert (await browser.verify(link.token)).json() == OK  # type: ignore[union-attr]
    assert browser.claim == {"v": False, "t": clock()}  # it is not the address of the user yet
    await users.update_email_or_password(user_id, email=NEW)
    assert (await browser.is_verified()).json()["isVerified"] is True


async def test_a_password_reset_verifies_the_address_of_the_link(
    start: Start, browser: Browser, open_browser: Open
) -> None:
    """It went to that address only. A function that is called without a request proves nothing."""
    start("REQUIRED")
    user_id = await browser.sign_up()
    made = await users.create_reset_password_token("public", user_id, ADDRESS)
    await users.reset_password_using_token("public", made.token, "another horse 2")  # type: ignore[union-attr]
    assert not await verification.is_email_verified(user_id)
    made = await users.create_reset_password_token("public", user_id, ADDRESS)
    body = {
        "formFields": [{"id": "password", "value": "third horse 3"}],
        "token": made.token,  # type: ignore[union-attr]
        "method": "token",
    }
    reply = await open_browser().client.post("/auth/user/password/reset", json=body)
    assert reply.json() == OK
    assert await verification.is_email_verified(user_id)


async def test_a_removed_user_is_refused(
    start: Start, browser: Browser, open_browser: Open, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-35. The access token is valid still: routes that need a session answer 401 and end it.

    A link is what it is, whoever opens it.
    """
    caplog.set_level(logging.DEBUG, "supertokens_py.recipe.session.responses.errors")
    start("REQUIRED")
    user_id = await browser.sign_up()
    await browser.ask()
    other = open_browser()
    await other.sign_in()
    stranger = open_browser()
    await stranger.sign_up(NEW)
    link = outbox.token
    await stranger.ask()
    await app.delete_user(user_id)
    assert (await other.verify(link)).json() == INVALID
    assert (await other.verify(outbox.token)).json() == OK
    assert (await stranger.is_verified()).json() == {"status": "OK", "isVerified": True}
    for reply in (await browser.ask(), await other.is_verified()):
        assert (reply.status_code, reply.json()) == (401, {"message": "unauthorised"})
    refusals: list[Any] = [record for record in caplog.records if record.name.endswith("responses.errors")]
    assert [record.code for record in refusals] == ["user_unknown"] * 2
    assert [one.client.cookies.get("sAccessToken") for one in (browser, other)] == [None, None]
    assert (await browser.verify(link)).json() == INVALID


async def test_links_belong_to_a_tenant(
    start: Start, browser: Browser, open_browser: Open, outbox: Outbox
) -> None:
    """SI-32. The session's own, whatever the path of the request says; unknown tenants know no link."""
    start("REQUIRED")
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["emailpassword"]))
    reply = await browser.form("/t1/signup", email=ADDRESS, password="correct horse 1")
    assert reply.json()["status"] == "OK"
    assert (await browser.ask()).json() == OK
    assert outbox.sent[-1].email_verify_link.endswith("&tenantId=t1")
    other = open_browser()
    for tenant in ("", "/public", "/t2"):
        assert (await other.verify(outbox.token, tenant)).json() == INVALID
    assert (await other.verify(outbox.token, "/t1")).json() == OK


async def test_a_mail_server_that_fails_is_logged(
    start: Start, browser: Browser, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-73. The user may ask again at once; the log has neither token nor link."""
    start("REQUIRED")
    await browser.sign_up()
    outbox.error = OSError("mail is down")
    with caplog.at_level(logging.DEBUG):
        assert (await browser.ask()).json() == OK
    (record,) = (one for one in caplog.records if one.levelno == logging.ERROR)
    assert record.getMessage() == "no link to verify an e-mail address was sent"
    assert "token=" not in caplog.text
    outbox.error = None
    assert (await browser.ask()).json() == OK
    assert (await browser.verify(outbox.token)).json() == OK


async def test_older_frontends_are_answered_in_their_form(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """SI-2."""
    start("REQUIRED")
    user_id = await browser.sign_up()
    await browser.ask()
    reply = await browser.verify(outbox.token, fdi="1.17,2.0")
    assert reply.json() == {"status": "OK", "user": {"id": user_id, "email": ADDRESS}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Please provide a JSON body"),
        (b"{", "Please provide a JSON body"),
        (b"[]", "Please provide a JSON body"),
        (b"\xff", "Please provide a JSON body"),
        (b"[" * 10_000, "Please provide a JSON body"),
        (b"{}", "Please provide the email verification token"),
        (b'{"token": null}', "Please provide the email verification token"),
        (b'{"token": 1}', "The email verification token must be a string"),
        (b'{"token": ["x"]}', "The email verification token must be a string"),
        (json.dumps({"token": "x" * 513}).encode(), "The email verification token must be a string"),
    ],
)
async def test_malformed_requests_are_400(start: Start, browser: Browser, body: bytes, message: str) -> None:
    """SI-10."""
    start("REQUIRED")
    headers = {"content-type": "application/json"}
    reply = await browser.client.post("/auth/user/email/verify", content=body, headers=headers)
    assert (reply.status_code, reply.json()) == (400, {"message": message})


@pytest.mark.parametrize("token", ["\\ud800", "\\u0000", "%00", "' OR 1=1 --", ""])
async def test_any_text_may_be_a_token(start: Start, browser: Browser, token: str) -> None:
    start("REQUIRED")
    body = f'{{"token": "{token}"}}'.encode()
    headers = {"content-type": "application/json"}
    reply = await browser.client.post("/auth/user/email/verify", content=body, headers=headers)
    assert reply.json() == INVALID


async def test_a_session_that_is_no_more_gets_no_claim(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """Of a revoked session whose access token is valid still; the address is verified all the same."""
    start("REQUIRED")
    user_id = await browser.sign_up()
    await browser.ask()
    await sessions.revoke_all_sessions_for_user(user_id)
    assert (await browser.verify(outbox.token)).status_code == 401
    assert await verification.is_email_verified(user_id)


@pytest.mark.parametrize(
    ("flag", "method", "path"),
    [
        ("disable_generate_email_verify_token_post", "POST", "/user/email/verify/token"),
        ("disable_email_verify_post", "POST", "/user/email/verify"),
        ("disable_is_email_verified_get", "GET", "/user/email/verify"),
    ],
)
async def test_a_disabled_route_is_the_applications(
    start: Start, browser: Browser, flag: str, method: str, path: str
) -> None:
    """SI-8."""

    def disable(apis: Any) -> Any:
        setattr(apis, flag, True)
        return apis

    start("REQUIRED", override=InputOverrideConfig(apis=disable))
    assert (await browser.client.request(method, f"/auth{path}", json={})).status_code == 404


async def test_an_override_refuses_in_its_own_words(start: Start, browser: Browser) -> None:
    def refuse(apis: Any) -> Any:
        async def no(*_: Any, **__: Any) -> GeneralErrorResponse:
            return GeneralErrorResponse("Not today.")

        for name in ("generate_email_verify_token_post", "email_verify_post", "is_email_verified_get"):
            setattr(apis, name, no)
        return apis

    start("REQUIRED", override=InputOverrideConfig(apis=refuse))
    await browser.sign_up()
    for reply in (await browser.ask(), await browser.verify("x"), await browser.is_verified()):
        assert reply.json() == {"status": "GENERAL_ERROR", "message": "Not today."}


async def test_a_forged_host_is_in_no_link(start: Start, browser: Browser, outbox: Outbox) -> None:
    """SI-20."""
    start("REQUIRED")
    await browser.sign_up()
    headers = {"host": "evil.example", "origin": API, "x-forwarded-host": "evil.example"}
    await browser.client.post("/auth/user/email/verify/token", json={}, headers=headers)
    assert outbox.sent[-1].email_verify_link.startswith("http://example.com/auth/verify-email?")
