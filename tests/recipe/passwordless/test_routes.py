"""What tenants allow, which contacts there are, and what is no request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.recipe import emailpassword
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.passwordless import (
    ContactEmailOnlyConfig,
    ContactPhoneOnlyConfig,
    InputOverrideConfig,
)
from supertokens_py.recipe.passwordless.asyncio import create_code, get_user_by_email
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, BOTH, HEADER, NUMBER, Browser, Outbox, Start, claims_of

# -- what a tenant allows ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factors", "flow"),
    [
        (["otp-email"], "USER_INPUT_CODE"),
        (["link-email", "otp-phone"], "MAGIC_LINK"),
        (["otp-email", "link-email", "emailpassword"], BOTH),
        (None, BOTH),
    ],
)
async def test_a_tenant_narrows_what_is_sent(
    start: Start, browser: Browser, outbox: Outbox, factors: Any, flow: str
) -> None:
    """SI-46."""
    start()
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=factors))
    assert (await browser.ask(tenant="/t1")).json()["flowType"] == flow
    (letter,) = outbox.letters
    assert (letter.user_input_code is None) == (flow == "MAGIC_LINK")
    assert (letter.url_with_link_code is None) == (flow == "USER_INPUT_CODE")
    assert letter.tenant_id == "t1"


async def test_a_factor_that_the_tenant_does_not_have_is_refused(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """SI-46: where codes are off, they are refused even to whoever knows one."""
    start()
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["link-email"]))
    made = await create_code("t1", email=ADDRESS)
    session_id = made.pre_auth_session_id
    for named in (session_id, f"{session_id}="):
        body = {"deviceId": made.device_id, "userInputCode": made.user_input_code, "preAuthSessionId": named}
        refused = await browser.post("/t1/signinup/code/consume", body)
        assert (refused.status_code, refused.json()) == (401, {"message": "unauthorised"})
    assert (await browser.ask(None, phoneNumber=NUMBER, tenant="/t1")).status_code == 401
    body = {"preAuthSessionId": session_id, "linkCode": made.link_code}
    assert (await browser.post("/t1/signinup/code/consume", body)).json()["status"] == "OK"
    await create_or_update_tenant("t2", TenantConfigCreateOrUpdate(first_factors=["emailpassword"]))
    assert (await browser.ask(tenant="/t2")).status_code == 401
    assert (await browser.ask(tenant="/nobody")).status_code == 400
    assert outbox.letters == outbox.messages == []


async def test_login_methods_name_what_is_configured(start: Start, browser: Browser) -> None:
    """SI-72."""
    start(contact=ContactEmailOnlyConfig(), flow="MAGIC_LINK")
    body = (await browser.client.get("/auth/loginmethods")).json()
    assert body["passwordless"] == {"enabled": True}
    assert (body["firstFactors"], body["emailPassword"]) == (["link-email"], {"enabled": False})
    Supertokens.reset()
    start()
    body = (await browser.client.get("/auth/loginmethods")).json()
    assert body["firstFactors"] == ["otp-email", "link-email", "otp-phone", "link-phone"]
    Supertokens.reset()
    start(contact=ContactPhoneOnlyConfig(), flow="USER_INPUT_CODE")
    assert (await browser.client.get("/auth/loginmethods")).json()["firstFactors"] == ["otp-phone"]


async def test_a_user_of_a_tenant_is_one_of_that_tenant_only(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """SI-7."""
    start()
    browser.client.headers.update(HEADER)
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=None))
    await browser.ask(tenant="/t1")
    assert "tenantId=t1" in outbox.link
    into = await browser.open(outbox.link, tenant="/t1")
    assert (into.json()["user"]["tenantIds"], claims_of(into)["tId"]) == (["t1"], "t1")
    assert await get_user_by_email("public", ADDRESS) is None
    assert await get_user_by_email("t1", ADDRESS) is not None


# -- contacts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contact", "message"),
    [
        ({"email": "nobody"}, "Email is invalid"),
        ({"email": "a@localhost"}, "Email is invalid"),
        ({"email": "a@b.com, c@d.com"}, "Email is invalid"),
        ({"email": "x" * 400 + "@b.com"}, "Email is invalid"),
        ({"phoneNumber": "6502530000"}, "Phone number is invalid"),
        ({"phoneNumber": "+1"}, "Phone number is invalid"),
    ],
)
async def test_what_is_no_contact_is_said(
    start: Start, browser: Browser, outbox: Outbox, contact: Any, message: str
) -> None:
    """SI-1, SI-47."""
    start()
    reply = await browser.post("/signinup/code", contact)
    assert (reply.status_code, reply.json()) == (200, {"status": "GENERAL_ERROR", "message": message})
    assert outbox.letters == outbox.messages == []


async def test_checks_of_ones_own(start: Start, browser: Browser, outbox: Outbox) -> None:
    seen: list[Any] = []

    def only_ours(value: str, tenant_id: str) -> str | None:
        seen.append((value, tenant_id))
        return None if value.endswith("@example.com") else "Use your work address"

    async def any_number(value: str, tenant_id: str) -> None:
        seen.append(value)

    start(contact=ContactEmailOnlyConfig(only_ours))
    assert (await browser.ask("ada@other.example")).json()["message"] == "Use your work address"
    assert (await browser.ask(" ada@example.com")).json()["status"] == "OK"
    assert seen == [("ada@other.example", "public"), (ADDRESS, "public")]
    Supertokens.reset()
    start(contact=ContactPhoneOnlyConfig(any_number))
    assert (await browser.ask(None, phoneNumber=" 12345 ")).json()["status"] == "OK"
    assert outbox.messages[-1].phone_number == "12345"


async def test_exists(start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase) -> None:
    """SI-17."""
    start(uri=each_database.uri)
    for email, more in ((ADDRESS, {}), (None, {"phoneNumber": NUMBER})):
        await browser.ask(email, **more)
        await browser.open(outbox.link)
    for path, name, known in (
        ("/passwordless/email/exists", "email", " ADA@example.com"),
        ("/signup/email/exists", "email", ADDRESS),
        ("/public/signup/email/exists", "email", ADDRESS),
        ("/passwordless/phonenumber/exists", "phoneNumber", "+1 650 253 0000"),
        ("/signup/phonenumber/exists", "phonenumber", NUMBER),
    ):
        for value, exists in ((known, True), ("eve@example.com", False), ("+390669821", False), ("", False)):
            reply = await browser.client.get(f"/auth{path}", params={name: value})
            assert reply.json() == {"status": "OK", "exists": exists}, (path, value)
    for kind, name in (("email", "email"), ("phonenumber", "phoneNumber")):
        reply = await browser.client.get(f"/auth/passwordless/{kind}/exists")
        missing = {"message": f"Please provide the {name} as a GET param"}
        assert (reply.status_code, reply.json()) == (400, missing)


async def test_a_client_asks_about_many_contacts(start: Start, browser: Browser) -> None:
    """Addresses and numbers count together."""
    start(
        client_ip=lambda request: request.get_header("x-real-ip"), engine={"lookups_per_client_and_hour": 2}
    )

    async def exists(client: str, kind: str, name: str, value: str) -> Any:
        headers, asked = {"x-real-ip": client}, {name: value}
        path = f"/auth/passwordless/{kind}/exists"
        return (await browser.client.get(path, params=asked, headers=headers)).json()["status"]

    answers = [
        await exists("192.0.2.7", "email", "email", ADDRESS),
        await exists("192.0.2.7", "phonenumber", "phoneNumber", NUMBER),
        await exists("192.0.2.7", "email", "email", "bob@example.com"),
        await exists("192.0.2.7", "phonenumber", "phoneNumber", NUMBER),
        await exists("192.0.2.8", "email", "email", ADDRESS),
    ]
    assert answers == ["OK", "OK", "GENERAL_ERROR", "GENERAL_ERROR", "OK"]


async def test_the_rid_says_whose_users_are_asked_for(start: Start, browser: Browser, outbox: Outbox) -> None:
    """Without it they are those of `emailpassword`, whatever the order of the recipes."""
    start(emailpassword.init(), info={"website_domain": "http://localhost"})
    await browser.ask()
    await browser.enter(outbox.code)
    for rid, exists in (("", False), ("emailpassword", False), ("passwordless", True)):
        headers = {"rid": rid} if rid else {}
        reply = await browser.client.get(
            "/auth/signup/email/exists", params={"email": ADDRESS}, headers=headers
        )
        assert reply.json()["exists"] is exists, rid


# -- malformed, and sessions in the request ----------------------------------------------------------

POSTS = ["/signinup/code", "/signinup/code/resend", "/signinup/code/consume"]


@pytest.mark.parametrize("path", POSTS)
async def test_what_is_no_request_is_400(start: Start, browser: Browser, path: str) -> None:
    """SI-10: never 500."""
    start()
    for content in (b"", b"{", b"[]", b"\xff", b"null", b"{}", b'{"email": {}}', b'{"preAuthSessionId": 1}'):
        reply = await browser.client.post(f"/auth{path}", content=content)
        assert reply.status_code == 400, content
        assert set(reply.json()) == {"message"}
    for odd in ("\ud800", "\0", "ä" * 43, "x"):
        bodies = (
            {"preAuthSessionId": odd, "linkCode": odd},
            {"preAuthSessionId": odd, "deviceId": odd, "userInputCode": odd},
            {"phoneNumber": odd},
            {"email": f"{odd} @example.com"},
        )
        for body in bodies:
            reply = await browser.client.post(f"/auth{path}", content=json.dumps(body).encode())
            assert reply.status_code in (200, 400), body


@pytest.mark.parametrize("path", POSTS)
async def test_linking(start: Start, browser: Browser, path: str) -> None:
    """SI-5, SI-6: accounts are not linked; what says so is accepted from frontends that know of it."""
    start()
    made = await create_code("public", email=ADDRESS)
    named = {"preAuthSessionId": made.pre_auth_session_id}
    body: dict[str, Any] = {
        "/signinup/code": {"email": ADDRESS},
        "/signinup/code/resend": {**named, "deviceId": made.device_id},
        "/signinup/code/consume": {**named, "linkCode": made.link_code},
    }[path]
    reply = await browser.post(path, {**body, "shouldTryLinkingWithSessionUser": True})
    assert (reply.status_code, reply.json()) == (401, {"message": "unauthorised"})
    reply = await browser.post(path, {**body, "shouldTryLinkingWithSessionUser": 1})
    assert reply.status_code == 400
    browser.client.headers["authorization"] = "Bearer nonsense"
    reply = await browser.post(path, {**body, "shouldTryLinkingWithSessionUser": False})
    assert reply.json()["status"] == "OK"


ROUTES = [
    ("create_code_post", "POST", "/signinup/code"),
    ("resend_code_post", "POST", "/signinup/code/resend"),
    ("consume_code_post", "POST", "/signinup/code/consume"),
    ("email_exists_get", "GET", "/signup/email/exists"),
    ("email_exists_get", "GET", "/passwordless/email/exists"),
    ("phone_number_exists_get", "GET", "/signup/phonenumber/exists"),
    ("phone_number_exists_get", "GET", "/passwordless/phonenumber/exists"),
]


@pytest.mark.parametrize(("name", "method", "path"), ROUTES)
async def test_a_disabled_route_is_left_to_the_application(
    start: Start, browser: Browser, name: str, method: str, path: str
) -> None:
    """SI-8."""

    def apis(original: Any) -> Any:
        setattr(original, f"disable_{name}", True)
        return original

    start(override=InputOverrideConfig(apis=apis))
    assert (await browser.client.request(method, f"/auth{path}")).status_code == 404
