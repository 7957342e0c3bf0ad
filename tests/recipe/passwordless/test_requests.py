"""Signing in with codes and links, as frontends see it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.events import Event, SignInFailed, UserSignedIn, UserSignedUp, subscribe
from supertokens_py.recipe import emailverification
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.passwordless import (
    ContactEmailOrPhoneConfig,
    InputOverrideConfig,
)
from supertokens_py.recipe.passwordless.asyncio import (
    create_code,
    get_user_by_email,
    list_codes_by_email,
    list_codes_by_pre_auth_session_id,
)
from supertokens_py.recipe.session.asyncio import (
    get_all_session_handles_for_user,
    get_session_without_request_response,
)
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, BOTH, HEADER, NUMBER, RESTART, Browser, Outbox, Start, claims_of, opened

LOCAL = {"website_domain": "http://localhost"}  # where other recipes need no service for their e-mails


def wrong(count: int, status: str = "INCORRECT_USER_INPUT_CODE_ERROR") -> dict[str, Any]:
    return {"status": status, "failedCodeInputAttemptCount": count, "maximumCodeInputAttempts": 5}


def other_than(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_a_code_signs_up_and_then_in(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase, clock: Clock
) -> None:
    """SI-4, SI-44: one session each, and the address is verified."""
    found: list[Event] = []
    start(uri=each_database.uri)
    browser.client.headers.update(HEADER)
    unsubscribe = subscribe(found.append)
    asked = await browser.ask(" Ada@example.com ")
    assert (asked.status_code, asked.json()) == (200, {"status": "OK", **browser.device, "flowType": BOTH})
    assert "st-access-token" not in asked.headers
    letter = outbox.letters[0]
    assert (letter.email, letter.tenant_id, letter.code_life_time) == ("Ada@example.com", "public", 600_000)
    up = await browser.enter(outbox.code)
    user = up.json()["user"]
    assert up.json() == {"status": "OK", "user": user, "createdNewRecipeUser": True}
    assert (user["emails"], user["loginMethods"][0]["verified"]) == ([ADDRESS], True)
    assert claims_of(up)["sub"] == claims_of(up)["rsub"] == user["id"]
    clock.advance(minutes=1)
    await browser.ask("ADA@example.com")
    into = await browser.open(outbox.link)
    assert into.json() == {"status": "OK", "user": user, "createdNewRecipeUser": False}
    assert len(await get_all_session_handles_for_user(user["id"])) == 2
    session = await get_session_without_request_response(into.headers["st-access-token"], check_database=True)
    assert session.get_user_id() == user["id"]
    unsubscribe()
    kinds = [type(event) for event in found if isinstance(event, UserSignedUp | UserSignedIn)]
    assert kinds == [UserSignedUp, UserSignedIn, UserSignedIn]


async def test_a_phone_number_signs_in(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase, clock: Clock
) -> None:
    """SI-34, SI-44, SI-47: however it is written; who has no address counts as verified."""
    start(emailverification.init("REQUIRED"), uri=each_database.uri, info=LOCAL)
    browser.client.headers.update(HEADER)
    await browser.ask(None, phoneNumber="+1 (650) 253-0000")
    assert outbox.messages[0].phone_number == NUMBER
    into = await browser.enter(outbox.code)
    assert into.json()["user"]["phoneNumbers"] == [NUMBER]
    assert claims_of(into)["st-ev"]["v"] is True
    bearer = {"authorization": f"Bearer {into.headers['st-access-token']}"}
    known = await browser.client.get("/auth/user/email/verify", headers=bearer)
    assert known.json() == {"status": "OK", "isVerified": True}
    clock.advance(minutes=1)
    await browser.ask(None, phoneNumber="+1 650 253 0000")
    again = await browser.open(outbox.link)
    assert again.json() == {**into.json(), "createdNewRecipeUser": False}


async def test_an_address_that_signed_in_is_verified(start: Start, browser: Browser, outbox: Outbox) -> None:
    """SI-34: `emailverification` asks nobody for it again."""
    start(emailverification.init("REQUIRED"), info=LOCAL)
    browser.client.headers.update(HEADER)
    await browser.ask()
    assert claims_of(await browser.open(outbox.link))["st-ev"]["v"] is True


@pytest.mark.parametrize(
    ("fdi", "is_full"), [("", True), ("3.1,4.0", True), ("1.18", True), ("1.17,2.0", False)]
)
async def test_users_have_the_shape_of_the_frontends_version(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock, fdi: str, is_full: bool
) -> None:
    """SI-2, SI-3."""
    start()
    await browser.ask()
    reply = await browser.enter(outbox.code, fdi=fdi)
    body, user = reply.json(), reply.json()["user"]
    assert "time_joined" not in reply.text
    if is_full:
        assert body == {"status": "OK", "user": user, "createdNewRecipeUser": True}
        assert user["loginMethods"][0]["recipeId"] == "passwordless"
        assert user["timeJoined"] == user["loginMethods"][0]["timeJoined"] == clock()
    else:
        shape = {"id": user["id"], "email": ADDRESS, "timeJoined": clock()}
        assert body == {"status": "OK", "user": shape, "createdNewUser": True}


# -- wrong, old and used codes -----------------------------------------------------------------------


async def test_wrong_codes_are_counted(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase
) -> None:
    """SI-1, SI-4, SI-39."""
    start(uri=each_database.uri)
    browser.client.headers.update(HEADER)
    await browser.ask()
    bad = other_than(outbox.code)
    for count in range(1, 5):
        reply = await browser.enter(bad)
        assert (reply.status_code, reply.json()) == (200, wrong(count))
        assert "st-access-token" not in reply.headers
    assert (await browser.enter(bad)).json() == RESTART
    session_id = browser.device["preAuthSessionId"]
    assert await list_codes_by_pre_auth_session_id("public", session_id) is None
    for reply in (await browser.enter(outbox.code), await browser.open(outbox.link), await browser.again()):
        assert reply.json() == RESTART
    assert await get_user_by_email("public", ADDRESS) is None


async def test_old_codes_are_expired(start: Start, browser: Browser, outbox: Outbox, clock: Clock) -> None:
    """SI-40: after ten minutes."""
    start()
    await browser.ask()
    clock.advance(minutes=10)
    assert (await browser.open(outbox.link)).json()["status"] == "OK"
    clock.advance(minutes=1)
    await browser.ask()
    clock.advance(minutes=11)
    assert (await browser.enter(outbox.code)).json() == wrong(1, "EXPIRED_USER_INPUT_CODE_ERROR")
    assert (await browser.open(outbox.link)).json() == RESTART


async def test_a_resend_keeps_the_first_code(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    """SI-41."""
    start()
    await browser.ask()
    first = outbox.code
    clock.advance(minutes=1)
    assert (await browser.again()).json() == {"status": "OK"}
    assert len({letter.pre_auth_session_id for letter in outbox.letters}) == 1
    assert len(outbox.letters) == 2
    assert (await browser.enter(first)).json()["status"] == "OK"
    for reply in (await browser.enter(outbox.code), await browser.again(), await browser.open(outbox.link)):
        assert reply.json() == RESTART


async def test_signing_in_ends_every_code_of_the_contact(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase
) -> None:
    """SI-42: of this tenant, and none of another one."""
    start(uri=each_database.uri)
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=None))
    await browser.ask()
    other = await create_code("public", email=ADDRESS)
    elsewhere = await create_code("t1", email=ADDRESS)
    assert (await browser.enter(outbox.code)).json()["status"] == "OK"
    assert await list_codes_by_email("public", ADDRESS) == []
    (kept,) = await list_codes_by_email("t1", ADDRESS)
    assert kept.pre_auth_session_id == elsewhere.pre_auth_session_id
    body = {"preAuthSessionId": other.pre_auth_session_id, "linkCode": other.link_code}
    assert (await browser.post("/signinup/code/consume", body)).json() == RESTART
    body = {"preAuthSessionId": elsewhere.pre_auth_session_id, "linkCode": elsewhere.link_code}
    assert (await browser.post("/signinup/code/consume", body)).json() == RESTART  # of another tenant
    assert (await browser.post("/t1/signinup/code/consume", body)).json()["createdNewRecipeUser"] is True


async def test_of_parallel_uses_one_signs_in(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase
) -> None:
    """SI-43: by 64 clients: there is one user, and one session."""
    start(uri=each_database.uri)
    await browser.ask()
    calls = [browser.enter(outbox.code) if n % 2 else browser.open(outbox.link) for n in range(64)]
    statuses = [reply.json()["status"] for reply in await asyncio.gather(*calls)]
    assert sorted(statuses) == ["OK", *["RESTART_FLOW_ERROR"] * 63]
    user = await get_user_by_email("public", ADDRESS)
    assert user is not None
    assert len(await get_all_session_handles_for_user(user.id)) == 1


async def test_ids_of_two_devices_do_not_go_together(start: Start, browser: Browser, outbox: Outbox) -> None:
    """SI-45."""
    start()
    await browser.ask("eve@example.com")
    other = browser.device["preAuthSessionId"]
    await browser.ask()
    refused = await browser.enter(outbox.code, preAuthSessionId=other)
    mismatch = {"message": "preAuthSessionId and deviceId doesn't match"}
    assert (refused.status_code, refused.json()) == (400, mismatch)
    body = {**opened(outbox.link), "preAuthSessionId": other}
    assert (await browser.post("/signinup/code/consume", body)).status_code == 400
    body = {**browser.device, "preAuthSessionId": other}
    assert (await browser.post("/signinup/code/resend", body)).json() == RESTART
    assert (await browser.enter(outbox.code, preAuthSessionId="A" * 43)).json() == RESTART
    padded = browser.device["preAuthSessionId"] + "="
    assert (await browser.enter(outbox.code, preAuthSessionId=padded)).json()["status"] == "OK"


async def test_a_user_who_changes_while_signing_in_gets_no_session(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """Whoever took the address away has ended the sessions by then, and would not see this one."""
    found: list[Event] = []

    def functions(original: Any) -> Any:
        consume_code = original.consume_code

        async def slow(*args: Any, **kwargs: Any) -> Any:
            result = await consume_code(*args, **kwargs)
            users = Supertokens.get_instance().engine.passwordless
            await asyncio.to_thread(users.update, str(result.recipe_user_id), email="new@example.com")
            return result

        original.consume_code = slow
        return original

    start(override=InputOverrideConfig(functions=functions))
    await browser.ask()
    unsubscribe = subscribe(found.append)
    reply = await browser.enter(outbox.code)
    unsubscribe()
    assert reply.json() == {
        "status": "GENERAL_ERROR",
        "message": "This account was changed meanwhile. Please sign in again.",
    }
    user = await get_user_by_email("public", "new@example.com")
    assert user is not None
    assert await get_all_session_handles_for_user(user.id) == []
    assert [event.user_id for event in found if isinstance(event, SignInFailed)] == [user.id]
    assert [event for event in found if isinstance(event, UserSignedIn)] == []


async def test_no_get_changes_anything(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase
) -> None:
    """SI-49: scanners open links, with whatever is in them."""
    start(uri=each_database.uri)
    await browser.ask()
    before = await list_codes_by_email("public", ADDRESS)
    for path in ("/signinup/code", "/signinup/code/resend", "/signinup/code/consume"):
        for params in ({"email": ADDRESS}, browser.device, opened(outbox.link)):
            assert (await browser.client.get(f"/auth{path}", params=params)).status_code == 404
            assert (await browser.client.head(f"/auth{path}", params=params)).status_code == 404
    await browser.client.get("/auth/passwordless/email/exists", params={"email": ADDRESS})
    assert await list_codes_by_email("public", ADDRESS) == before
    assert await get_user_by_email("public", ADDRESS) is None
    assert len(outbox.letters) == 1
    assert (await browser.open(outbox.link)).json()["status"] == "OK"


# -- what an application's check lets pass ----------------------------------------------------------------


def starts_with_49(value: str, tenant_id: str) -> str | None:
    return None if value.startswith("+49") else "Please use a German number"


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("+49 (0)30 901820", "+4930901820"),
        ("+49 12", "+49 12"),  # no number, but the check's to judge
        (" +1 650 253 0000 ", "Please use a German number"),
        ("+49tel:2530000;phone-context=+1650", "Phone number is invalid"),
        ("+49 TEL:2530000;Phone-Context=+1650", "Phone number is invalid"),
        ("+49,+16502530000", "Phone number is invalid"),
        ("+49\n+16502530000", "Phone number is invalid"),
    ],
)
async def test_the_number_that_is_checked_gets_the_message(
    start: Start, browser: Browser, outbox: Outbox, typed: str, sent: str
) -> None:
    """SI-47."""
    checked: list[str] = []

    def check(value: str, tenant_id: str) -> str | None:
        checked.append(value)
        return starts_with_49(value, tenant_id)

    start(contact=ContactEmailOrPhoneConfig(validate_phone_number=check))
    reply = (await browser.post("/signinup/code", {"phoneNumber": typed})).json()
    if sent.startswith("+"):
        assert reply["status"] == "OK"
        assert [message.phone_number for message in outbox.messages] == checked == [sent]
    else:
        assert (reply, outbox.messages) == ({"status": "GENERAL_ERROR", "message": sent}, [])


@pytest.mark.parametrize(
    "email", ["a@evil.example, b@corp", '"x" <a@evil.example> b@corp', "mi\u212ae@corp", "corp"]
)
async def test_an_own_check_lets_pass_one_recipient(
    start: Start, browser: Browser, outbox: Outbox, email: str
) -> None:
    start(contact=ContactEmailOrPhoneConfig(validate_email_address=lambda value, tenant_id: None))
    reply = (await browser.ask(email)).json()
    assert (reply, outbox.letters) == ({"status": "GENERAL_ERROR", "message": "Email is invalid"}, [])
    assert (await browser.ask("Ada@corp")).json()["status"] == "OK"
    assert [letter.email for letter in outbox.letters] == ["Ada@corp"]


@pytest.mark.parametrize("email", ["mi\u212ae@example.com", '"mike"@example.com'])
async def test_no_spelling_signs_in_as_another_mailbox(
    start: Start, browser: Browser, outbox: Outbox, email: str
) -> None:
    start()
    reply = (await browser.ask(email)).json()
    assert (reply, outbox.letters) == ({"status": "GENERAL_ERROR", "message": "Email is invalid"}, [])
