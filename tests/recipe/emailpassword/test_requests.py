"""The routes, as frontends see them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.events import EmailDropped, Event, subscribe
from supertokens_py.recipe import multitenancy
from supertokens_py.recipe.emailpassword import (
    InputFormField,
    InputOverrideConfig,
    InputSignUpFeature,
    PasswordPolicy,
)
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.session.asyncio import (
    get_all_session_handles_for_user,
    get_session_without_request_response,
)
from supertokens_py.runtime import deferred_work
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from .conftest import ADDRESS, PASSWORD, Browser, Outbox, Start, tokens_of

TAKEN = {
    "status": "FIELD_ERROR",
    "formFields": [{"id": "email", "error": "This email already exists. Please sign in instead."}],
}
WRONG = {"status": "WRONG_CREDENTIALS_ERROR"}
INVALID_TOKEN = {"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"}


def field_error(name: str, error: str) -> dict[str, Any]:
    return {"status": "FIELD_ERROR", "formFields": [{"id": name, "error": error}]}


def claims_of(reply: Any) -> dict[str, Any]:
    token = parse_access_token(reply.headers["st-access-token"])
    assert token is not None
    return token.payload


HEADER = {"st-auth-mode": "header"}


async def test_sign_up_and_sign_in_create_a_session_each(
    start: Start, browser: Browser, each_database: TestDatabase
) -> None:
    """SI-4, SI-11."""
    start(uri=each_database.uri)
    browser.client.headers.update(HEADER)
    up = await browser.sign_up(" Ada@example.com ")
    user = up.json()["user"]
    assert (up.status_code, up.json()["status"]) == (200, "OK")
    assert claims_of(up)["sub"] == claims_of(up)["rsub"] == user["id"]
    into = await browser.sign_in("ADA@example.com")
    assert into.json() == {"status": "OK", "user": user}
    assert claims_of(into)["sub"] == user["id"]
    assert len(await get_all_session_handles_for_user(user["id"])) == 2
    session = await get_session_without_request_response(into.headers["st-access-token"], check_database=True)
    assert session.get_user_id() == user["id"]


async def test_refusals_are_200_and_create_no_session(start: Start, browser: Browser, outbox: Outbox) -> None:
    """SI-1, SI-4, SI-11."""
    start()
    browser.client.headers.update(HEADER)
    user_id = (await browser.sign_up()).json()["user"]["id"]
    replies = {
        "taken": (await browser.sign_up(" ADA@example.com"), TAKEN),
        "wrong": (await browser.sign_in(password="wrong horse 1"), WRONG),
        "unknown": (await browser.sign_in("eve@example.com"), WRONG),
        "blank": (await browser.sign_in(password=f" {PASSWORD}"), WRONG),
        "weak": (await browser.sign_up("eve@example.com", "short1"), None),
        "reset": (await browser.reset("nothing"), INVALID_TOKEN),
        "made up": (await browser.sign_in("x@stfakeemail.supertokens.com"), WRONG),
        "made up, new": (await browser.sign_up("x.fakeemail.com@a.fakeemail.com"), TAKEN),
    }
    for name, (reply, body) in replies.items():
        assert reply.status_code == 200, name
        assert body is None or reply.json() == body, name
        assert "st-access-token" not in reply.headers, name
    assert len(await get_all_session_handles_for_user(user_id)) == 1


@pytest.mark.parametrize(
    ("fdi", "is_full"),
    [
        ("", True),
        ("3.1,4.0,4.1,4.2", True),
        ("3.0", True),
        ("1.18", True),
        ("1.17,2.0", False),
        ("2.0", False),
    ],
)
async def test_users_have_the_shape_of_the_frontends_version(
    start: Start, browser: Browser, clock: Clock, fdi: str, is_full: bool
) -> None:
    """SI-2, SI-3."""
    start()
    up, into = await browser.sign_up(fdi=fdi), await browser.sign_in(fdi=fdi)
    for reply in (up, into):
        user = reply.json()["user"]
        assert reply.json() == {"status": "OK", "user": user}
        assert "time_joined" not in reply.text
        if is_full:
            assert "loginMethods" in user
            assert user["emails"] == [ADDRESS]
            assert user["timeJoined"] == user["loginMethods"][0]["timeJoined"] == clock()
        else:
            assert user == {"id": user["id"], "email": ADDRESS, "timeJoined": clock()}


@pytest.mark.parametrize(
    ("password", "error"),
    [
        ("abcdef7", "Password must contain at least 8 characters, including a number"),
        ("x" * 99 + "1", "Password's length must be lesser than 100 characters"),
        (
            "12345678901",
            "Password must contain at least one alphabet",
        ),
        ("abcdefgh", "Password must contain at least one number"),
        ("Trustno1", "This is one of the most common"),
        ("😀 abc 12", None),
        ("abcdefg8", None),
        ("y" * 98 + "1", None),
    ],
)
async def test_the_usual_rule_for_passwords(
    start: Start, browser: Browser, password: str, error: str | None
) -> None:
    """SI-15."""
    start()
    body = (await browser.sign_up(password=password)).json()
    if error is None:
        assert body["status"] == "OK"
    else:
        assert body["formFields"][0]["id"] == "password"
        assert body["formFields"][0]["error"].startswith(error)


async def test_a_policy_of_ones_own(start: Start, browser: Browser) -> None:
    """SI-15."""
    start(password_policy=PasswordPolicy.nist())
    assert (await browser.sign_up(password="correct horse battery staple" * 7)).json()["status"] == "OK"
    reply = await browser.sign_up("eve@example.com", password="fourteen chars")
    assert reply.json() == field_error("password", "Password must contain at least 15 characters")


async def test_no_rule_lets_pass_what_cannot_be_hashed(start: Start, browser: Browser) -> None:
    async def anything(value: str, tenant_id: str) -> None:
        return None

    start(sign_up_feature=InputSignUpFeature([InputFormField("password", validate=anything)]))
    assert (await browser.sign_up(password="ß" * 512)).json()["status"] == "OK"
    assert (await browser.sign_in(password="ß" * 512)).json()["status"] == "OK"
    reply = await browser.sign_up("eve@example.com", password="ß" * 513)
    assert reply.json() == field_error("password", "Password must not be longer than 1024 bytes")
    assert (await browser.sign_in(password="ß" * 513)).json() == WRONG
    lone = (
        b'{"formFields": [{"id": "email", "value": "a@example.com"}, {"id": "password", "value": "\\ud800"}]}'
    )
    reply = await browser.client.post("/auth/signup", content=lone)
    assert reply.json() == field_error("password", "Password must not contain half characters")
    assert (await browser.client.post("/auth/signin", content=lone)).json() == WRONG


@pytest.mark.parametrize(
    ("email", "ok"),
    [
        ("ada@corp", True),
        ("ada", True),
        ("Ada Lovelace", True),
        ("eve@evil.example, ada@corp", False),
        ("<eve@evil.example> ada@corp", False),
        ("mi\u212ae", False),
        ("mi\u212ae@corp", False),
    ],
)
async def test_an_own_check_lets_pass_one_recipient_or_a_name(
    start: Start, browser: Browser, email: str, ok: bool
) -> None:
    """Names, too: applications sign people in by one, and know their address elsewhere."""

    async def anything(value: str, tenant_id: str) -> None:
        return None

    start(sign_up_feature=InputSignUpFeature([InputFormField("email", validate=anything)]))
    reply = (await browser.sign_up(email)).json()
    if ok:
        assert reply["user"]["emails"] == [email.lower()]
    else:
        assert reply == field_error("email", "Email is not valid")


@pytest.mark.parametrize(
    "email",
    [
        "nobody",
        "a@localhost",
        "a@b",
        "a b@example.com",
        "@example.com",
        "a@example.com\n.evil",
        "a" * 251 + "@b.com",
    ],
)
async def test_what_is_no_address_is_told_so(start: Start, browser: Browser, email: str) -> None:
    start()
    wrong = field_error("email", "Email is not valid")
    assert (await browser.sign_up(email)).json() == wrong
    assert (await browser.sign_in(email)).json() == wrong
    assert (await browser.ask_for_reset(email)).json() == wrong


async def test_exists(start: Start, browser: Browser) -> None:
    """SI-17."""
    start()
    await browser.sign_up()
    for path in (
        "/auth/emailpassword/email/exists",
        "/auth/signup/email/exists",
        "/auth/public/signup/email/exists",
    ):
        for email, exists in (
            (ADDRESS, True),
            (" ADA@example.com", True),
            ("eve@example.com", False),
            ("", False),
        ):
            reply = await browser.client.get(path, params={"email": email})
            assert reply.json() == {"status": "OK", "exists": exists}
    missing = await browser.client.get("/auth/signup/email/exists")
    assert (missing.status_code, missing.json()) == (
        400,
        {"message": "Please provide the email as a GET param"},
    )


# -- the form ----------------------------------------------------------------------------------------

NO_FIELD = "All elements of formFields must contain an 'id' and 'value' field"


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Please provide a JSON body"),
        (b"{", "Please provide a JSON body"),
        (b"[]", "Please provide a JSON body"),
        (b"[" * 100_000, "Please provide a JSON body"),
        (b"{}", "Missing input param: formFields"),
        (b'{"formFields": null}', "Missing input param: formFields"),
        (b'{"formFields": {}}', "formFields must be an array"),
        (b'{"formFields": [1]}', NO_FIELD),
        (
            b'{"formFields": [{"id": "email"}]}',
            NO_FIELD,
        ),
        (
            b'{"formFields": [{"id": 1, "value": 1}]}',
            NO_FIELD,
        ),
        (b'{"formFields": [{"id": "email", "value": 1}]}', "email value must be a string"),
        (b'{"formFields": [{"id": "password", "value": {}}]}', "password value must be a string"),
        (
            b'{"formFields": [{"id": "email", "value": "a"}, {"id": "email", "value": "b"}]}',
            "formFields must not name a field twice",
        ),
        (
            b'{"formFields": [{"id": "a", "value": 1}, {"id": "b", "value": 1}, {"id": "c", "value": 1}]}',
            "Are you sending too many formFields?",
        ),
        (b'{"formFields": [{"id": "role", "value": "admin"}]}', "Are you sending too many formFields?"),
    ],
)
@pytest.mark.parametrize("path", ["/auth/signup", "/auth/signin"])
async def test_what_is_no_form_is_400(
    start: Start, browser: Browser, path: str, content: bytes, message: str
) -> None:
    """SI-10, SI-18."""
    start()
    reply = await browser.client.post(path, content=content, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()) == (400, {"message": message})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "Please provide the password reset token"),
        ({"token": 1}, "The password reset token must be a string"),
        ({"token": "x" * 1000}, "The password reset token must be a string"),
    ],
)
async def test_what_is_no_token_is_400(start: Start, browser: Browser, more: Any, message: str) -> None:
    """SI-10."""
    start()
    reply = await browser.form("/user/password/reset", password=PASSWORD, more=more)
    assert (reply.status_code, reply.json()) == (400, {"message": message})


async def test_further_fields_reach_the_application(start: Start, browser: Browser) -> None:
    """SI-18."""
    seen: list[Any] = []

    def adult(value: Any, tenant_id: str) -> str | None:
        seen.append((value, tenant_id))
        return None if value >= 18 else "Too young"

    def apis(original: Any) -> Any:
        sign_up_post = original.sign_up_post

        async def with_fields(form_fields: Any, tenant_id: Any, api_options: Any, user_context: Any) -> Any:
            seen.append([(field.id, field.value) for field in form_fields])
            return await sign_up_post(form_fields, tenant_id, api_options, user_context)

        original.sign_up_post = with_fields
        return original

    start(
        sign_up_feature=InputSignUpFeature(
            [InputFormField("age", validate=adult), InputFormField("city", optional=True)]
        ),
        override=InputOverrideConfig(apis=apis),
    )
    young = await browser.form("/signup", email=ADDRESS, password=PASSWORD, age=17)
    assert young.json() == field_error("age", "Too young")
    missing = await browser.form("/signup", email=ADDRESS, password=PASSWORD)
    assert missing.json() == field_error("age", "Field is not optional")
    for city in (None, "", "Turin"):
        seen.clear()
        email = f"{city or id(city)}@example.com"
        reply = await browser.form("/signup", email=email, password=PASSWORD, age=18, city=city)
        assert reply.json()["status"] == "OK"
        assert seen == [
            (18, "public"),
            [
                ("email", email.lower() if city is None else email),
                ("password", PASSWORD),
                ("age", 18),
                ("city", city or ""),
            ],
        ]


# -- password reset ----------------------------------------------------------------------------------


async def test_a_forgotten_password_is_reset(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock, each_database: TestDatabase
) -> None:
    """SI-20, SI-21, SI-22, SI-23."""
    start(uri=each_database.uri)
    user_id = (await browser.sign_up()).json()["user"]["id"]
    first = await browser.ask_for_reset()
    first_token = outbox.token
    clock.advance(s=15)
    reply = await browser.ask_for_reset(" ADA@example.com")
    assert (first.json(), reply.json()) == ({"status": "OK"}, {"status": "OK"})
    (_, sent) = outbox.sent
    assert (sent.user.id, sent.user.email, sent.user.recipe_user_id) == (user_id, ADDRESS, user_id)
    assert sent.password_reset_link == (
        f"http://example.com/auth/reset-password?token={outbox.token}&tenantId=public"
    )
    weak = await browser.reset(outbox.token, "weak")
    assert weak.json()["formFields"][0]["id"] == "password"
    done = await browser.reset(outbox.token)
    assert (done.json(), tokens_of(done)) == ({"status": "OK"}, [])
    assert (await browser.reset(outbox.token)).json() == INVALID_TOKEN
    assert (await browser.reset(first_token)).json() == INVALID_TOKEN
    assert await get_all_session_handles_for_user(user_id) == []
    assert (await browser.sign_in()).json() == WRONG
    assert (await browser.sign_in(password="another horse 2")).json()["status"] == "OK"


async def test_parallel_uses_of_a_link_succeed_once(start: Start, browser: Browser, outbox: Outbox) -> None:
    """SI-21."""
    start()
    await browser.sign_up()
    await browser.ask_for_reset()
    replies = await asyncio.gather(*(browser.reset(outbox.token, f"horse number {n}") for n in range(6)))
    assert sorted(reply.json()["status"] for reply in replies) == ["OK", *[INVALID_TOKEN["status"]] * 5]


async def test_an_expired_link_is_invalid(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    """SI-24."""
    start()
    await browser.sign_up()
    await browser.ask_for_reset()
    clock.advance(minutes=60, ms=1)
    assert (await browser.reset(outbox.token)).json() == INVALID_TOKEN


async def test_sessions_may_outlive_a_reset(start: Start, browser: Browser, outbox: Outbox) -> None:
    start(revoke_sessions_on_password_reset=False)
    user_id = (await browser.sign_up()).json()["user"]["id"]
    await browser.ask_for_reset()
    assert (await browser.reset(outbox.token)).json() == {"status": "OK"}
    assert len(await get_all_session_handles_for_user(user_id)) == 1


async def test_nothing_tells_whether_an_address_is_known(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-19. Neither an unknown address nor a mail server that fails shows; an earlier link works still."""
    start()
    await browser.sign_up()
    unknown = await browser.ask_for_reset("eve@example.com")
    assert outbox.sent == []
    await browser.ask_for_reset()
    clock.advance(s=15)
    outbox.error = OSError("no route to mail.example.com")
    failed = await browser.ask_for_reset()
    assert (
        (unknown.status_code, unknown.json())
        == (failed.status_code, failed.json())
        == (200, {"status": "OK"})
    )
    assert "no link to reset a password was sent" in caplog.text
    assert ADDRESS not in caplog.text
    unknown_tenant = await browser.form("/nowhere/user/password/reset/token", email=ADDRESS)
    assert unknown_tenant.json() == {"status": "OK"}
    assert (await browser.reset(outbox.token)).json() == {"status": "OK"}


async def test_an_address_gets_no_flood_of_links(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock, each_database: TestDatabase
) -> None:
    """Whoever asks is answered as ever; another address, and later the same one, get theirs."""
    dropped: list[Event] = []
    unsubscribe = subscribe(dropped.append)
    start(uri=each_database.uri)
    await browser.sign_up()
    await browser.sign_up("bob@example.com")
    for _ in range(3):
        assert (await browser.ask_for_reset()).json() == {"status": "OK"}
    assert len(outbox.sent) == 1
    assert (await browser.ask_for_reset("bob@example.com")).json() == {"status": "OK"}
    assert [sent.user.email for sent in outbox.sent] == [ADDRESS, "bob@example.com"]
    for _ in range(6):
        clock.advance(s=15)
        await browser.ask_for_reset()
    assert len(outbox.sent) == 8
    for _ in range(4):
        clock.advance(s=15)
        await browser.ask_for_reset()
    assert len(outbox.sent) == 11  # ten for the address
    clock.advance(minutes=36)
    assert (await browser.ask_for_reset(" ADA@example.com ")).json() == {"status": "OK"}
    assert len(outbox.sent) == 12
    unsubscribe()
    reasons = [vars(event) for event in dropped if isinstance(event, EmailDropped)]
    assert reasons == [{"recipe_id": "emailpassword", "tenant_id": "public", "reason": "address"}] * 3


async def test_nobody_keeps_an_owner_from_resetting_a_password(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    """However often somebody who knows the address asks, from one place or another."""
    start(client_ip=lambda request: request.get_header("x-real-ip"))
    await browser.sign_up()
    for _ in range(48):
        clock.advance(minutes=10)
        await browser.form_from("198.51.100.9", "/user/password/reset/token", email=ADDRESS)
    sent = len(outbox.sent)
    assert sent < 20
    clock.advance(s=15)
    await browser.form_from("192.0.2.7", "/user/password/reset/token", email=ADDRESS)
    assert len(outbox.sent) == sent + 1
    assert (await browser.reset(outbox.token)).json() == {"status": "OK"}


async def test_a_link_that_was_not_sent_is_sent_when_asked_for_again(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    start()
    await browser.sign_up()
    outbox.error = OSError("mail is down")
    await browser.ask_for_reset()
    outbox.error = None
    await browser.ask_for_reset()
    assert len(outbox.sent) == 1


async def test_more_than_can_wait_is_dropped_and_answered_alike(
    start: Start, browser: Browser, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[Event] = []
    unsubscribe = subscribe(dropped.append)
    start()
    await browser.sign_up()
    monkeypatch.setattr(deferred_work, "MOST_WAITING_BYTES", 10)
    assert (await browser.ask_for_reset()).json() == {"status": "OK"}
    unsubscribe()
    assert outbox.sent == []
    (event,) = (event for event in dropped if isinstance(event, EmailDropped))
    assert event.reason == "queue"


async def test_the_link_is_of_the_configured_website(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    """SI-20."""
    start()
    await browser.sign_up()
    for headers in (
        {"host": "evil.example"},
        {"origin": "https://evil.example"},
        {"x-forwarded-host": "evil.example"},
    ):
        clock.advance(minutes=15)
        body = {"formFields": [{"id": "email", "value": ADDRESS}]}
        await browser.post("/user/password/reset/token", body, **headers)
        assert outbox.sent[-1].password_reset_link.startswith("http://example.com/auth/reset-password?")


async def test_guessing_is_slowed_down_in_words(start: Start, browser: Browser, clock: Clock) -> None:
    """A 200, since frontends show nothing of a 429; once the time has passed the password works again."""
    start()
    await browser.sign_up()
    for _ in range(10):
        assert (await browser.sign_in(password="wrong")).json() == WRONG
    refused = await browser.sign_in()
    assert (refused.status_code, refused.headers["retry-after"]) == (200, "1")
    message = "Too many attempts. Please try again in 1 second"
    assert refused.json() == {"status": "GENERAL_ERROR", "message": message}
    unknown = [await browser.sign_in("eve@example.com") for _ in range(11)]
    assert [reply.json()["status"] for reply in unknown[9:]] == [WRONG["status"], "GENERAL_ERROR"]
    clock.advance(s=1)
    assert (await browser.sign_in()).json()["status"] == "OK"


# -- tenants and first factors -----------------------------------------------------------------------


async def test_a_tenant_has_its_own_users(start: Start, browser: Browser, outbox: Outbox) -> None:
    """SI-7."""
    start()
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=None))
    browser.client.headers.update(HEADER)
    public = (await browser.sign_up()).json()["user"]
    reply = await browser.form("/t1/signup", email=ADDRESS, password="another horse 2")
    user = reply.json()["user"]
    assert (user["tenantIds"], claims_of(reply)["tId"]) == (["t1"], "t1")
    assert user["id"] != public["id"]
    assert (await browser.form("/t1/signin", email=ADDRESS, password=PASSWORD)).json() == WRONG
    await browser.form("/t1/user/password/reset/token", email=ADDRESS)
    assert outbox.sent[-1].password_reset_link.endswith("&tenantId=t1")


async def test_a_password_fulfils_the_rule_of_the_users_own_tenant(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """The path of another tenant, or of none, does not spare anybody from it."""

    async def strict_in_t1(value: str, tenant_id: str) -> str | None:
        return "too weak" if tenant_id == "t1" and len(value) < 12 else None

    rule = InputFormField("password", validate=strict_in_t1)
    start(sign_up_feature=InputSignUpFeature([rule]))
    for tenant in ("t1", "t2"):
        await create_or_update_tenant(tenant, TenantConfigCreateOrUpdate(first_factors=None))
    assert (await browser.form("/t1/signup", email=ADDRESS, password=PASSWORD)).json()["status"] == "OK"
    await browser.form("/t1/user/password/reset/token", email=ADDRESS)
    fields = [{"id": "password", "value": "weak"}]
    body = {"formFields": fields, "token": outbox.token, "method": "token"}
    for path in ("", "/public", "/t2", "/nowhere"):
        refused = await browser.post(f"{path}/user/password/reset", body)
        assert (refused.status_code, refused.json()) == (
            200,
            {"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"},
        )
    weak = await browser.post("/t1/user/password/reset", body)
    assert weak.json()["status"] == "FIELD_ERROR"
    fields[0]["value"] = "another horse 2"
    assert (await browser.post("/t1/user/password/reset", body)).json() == {"status": "OK"}


async def test_a_tenant_without_this_factor_signs_nobody_in(start: Start, browser: Browser) -> None:
    start()
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["thirdparty", "custom"]))
    for path in ("/t1/signup", "/t1/signin"):
        reply = await browser.form(path, email=ADDRESS, password=PASSWORD)
        assert reply.status_code == 401
    reply = await browser.form("/nowhere/signin", email=ADDRESS, password=PASSWORD)
    assert (reply.status_code, reply.json()) == (400, {"message": "Tenant not found"})


async def test_login_methods_are_those_of_the_app(start: Start, browser: Browser) -> None:
    """SI-72. The frontend shows an empty page where it is told of a method that it has no screen for."""
    start()
    only = {
        "status": "OK",
        "emailPassword": {"enabled": True},
        "passwordless": {"enabled": False},
        "thirdParty": {"enabled": False, "providers": []},
        "webauthn": {"enabled": False},
        "firstFactors": ["emailpassword"],
    }
    assert (await browser.client.get("/auth/loginmethods")).json() == only
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["thirdparty", "custom"]))
    assert (await browser.client.get("/auth/t1/loginmethods")).json() == {
        **only,
        "emailPassword": {"enabled": False},
        "firstFactors": ["custom"],
    }


async def test_multitenancy_may_be_listed_as_well(start: Start, browser: Browser) -> None:
    start(multitenancy.init())
    assert (await browser.client.get("/auth/loginmethods")).json()["firstFactors"] == ["emailpassword"]


# -- sessions of the request -------------------------------------------------------------------------


async def test_linking_is_refused_and_sessions_are_not_looked_at(start: Start, browser: Browser) -> None:
    """SI-5, SI-6."""
    start()
    linking = {"shouldTryLinkingWithSessionUser": True}
    await browser.sign_up()
    reply = await browser.form("/signin", email=ADDRESS, password=PASSWORD, more=linking)
    assert reply.status_code == 401
    up = await browser.form(
        "/signup", email="eve@example.com", password=PASSWORD, more={"shouldTryLinkingWithSessionUser": False}
    )
    assert up.json()["status"] == "OK"
    browser.client.headers.update(HEADER)
    token = (await browser.sign_in()).headers["st-access-token"]
    browser.client.headers["authorization"] = f"Bearer {token}"
    reply = await browser.form("/signin", email=ADDRESS, password=PASSWORD, more=linking)
    assert (reply.status_code, reply.json()["message"][:26]) == (400, "Accounts cannot be linked:")
    reply = await browser.form("/signin", email=ADDRESS, password=PASSWORD, more=linking, fdi="3.0")
    assert reply.json()["status"] == "OK"
    reply = await browser.form(
        "/signin", email=ADDRESS, password=PASSWORD, more={"shouldTryLinkingWithSessionUser": 1}
    )
    assert reply.status_code == 400
    browser.client.headers["authorization"] = "Bearer nonsense"
    reply = await browser.form(
        "/signin", email=ADDRESS, password=PASSWORD, more={"shouldTryLinkingWithSessionUser": False}
    )
    assert reply.json()["status"] == "OK"


# -- flags -------------------------------------------------------------------------------------------

ROUTES = [
    ("sign_up_post", "POST", "/signup"),
    ("sign_in_post", "POST", "/signin"),
    ("email_exists_get", "GET", "/signup/email/exists"),
    ("email_exists_get", "GET", "/emailpassword/email/exists"),
    ("generate_password_reset_token_post", "POST", "/user/password/reset/token"),
    ("password_reset_post", "POST", "/user/password/reset"),
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
    assert Supertokens.get_instance().has_recipe("emailpassword")
