"""What is sent, how often, and what happens where it cannot be."""

from __future__ import annotations

import email
import email.policy
import logging
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from supertokens_py.events import (
    ClientRefused,
    ContactRefused,
    Event,
    SignInRefused,
    TextMessageRefused,
    subscribe,
)
from supertokens_py.exceptions import ConfigError
from supertokens_py.ingredients.emaildelivery import LoggingEmailService
from supertokens_py.ingredients.emaildelivery.types import SMTPSettings, SMTPSettingsFrom
from supertokens_py.ingredients.smsdelivery import LoggingSMSService
from supertokens_py.ingredients.smsdelivery.types import TwilioSettings
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.passwordless import (
    ContactEmailOnlyConfig,
    ContactPhoneOnlyConfig,
    EmailDeliveryConfig,
    SMSDeliveryConfig,
    SMTPService,
    TwilioService,
)
from supertokens_py.recipe.passwordless.asyncio import (
    create_code,
    list_codes_by_email,
    send_email,
    send_sms,
)
from supertokens_py.recipe.passwordless.types import (
    PasswordlessLoginEmailTemplateVars,
    PasswordlessLoginSMSTemplateVars,
)
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.twilio import FakeTwilio

from .conftest import ADDRESS, NUMBER, RESTART, Browser, Outbox, Start

LOCAL = {"website_domain": "http://localhost"}
NOT_SENT = {"status": "GENERAL_ERROR", "message": "The message could not be sent. Please try again later"}


def wait(text: str) -> dict[str, str]:
    return {"status": "GENERAL_ERROR", "message": f"Too many attempts. Please try again in {text}"}


# -- what they say -----------------------------------------------------------------------------------


class Inbox:
    """A mail server's handler that keeps what comes."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def smtp(inbox: Inbox) -> Iterator[SMTPSettings]:
    """A mail server."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield SMTPSettings("localhost", port, SMTPSettingsFrom("Shop", "shop@example.com"))
    controller.stop()


@pytest.fixture
def twilio(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTwilio]:
    """A server that is like Twilio's."""
    monkeypatch.setenv("NO_PROXY", "localhost")
    fake = FakeTwilio()
    yield fake
    fake.close()


@pytest.mark.parametrize("flow", ["USER_INPUT_CODE", "MAGIC_LINK", "USER_INPUT_CODE_AND_MAGIC_LINK"])
async def test_a_letter_arrives(
    start: Start, browser: Browser, smtp: SMTPSettings, inbox: Inbox, flow: str
) -> None:
    """In HTML, light and dark, and in plain text, to the address as it was typed."""
    start(flow=flow, email_delivery=EmailDeliveryConfig(SMTPService(smtp)), info={"app_name": "Shop <&>"})
    assert (await browser.ask(" Ada@example.com ")).json()["flowType"] == flow
    (letter,) = inbox.letters
    assert (letter["To"], letter["Subject"]) == ("Ada@example.com", "Login to your account")
    plain, rich = (letter.get_body([kind]) for kind in ("plain", "html"))
    assert plain is not None
    assert rich is not None
    text, page = plain.get_content(), rich.get_content()
    assert "10 minutes" in text
    assert "Shop <&>" in text
    assert "Shop &lt;&amp;&gt;" in page
    assert "prefers-color-scheme: dark" in page
    link = "http://example.com/auth/verify?preAuthSessionId="
    assert (link in text) == (link in page) == (flow != "USER_INPUT_CODE")
    lines = [line for line in text.splitlines() if line.isdecimal() and len(line) == 6]
    assert len(lines) == (0 if flow == "MAGIC_LINK" else 1)
    if lines:
        assert f">{lines[0]}</p>" in page
        assert (await browser.enter(lines[0])).json()["status"] == "OK"


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        ("USER_INPUT_CODE", "OTP to login is {code} for Tests\nThis is valid for 10 minutes."),
        ("MAGIC_LINK", "Click {link} to login to Tests\nThis is valid for 10 minutes."),
        (
            "USER_INPUT_CODE_AND_MAGIC_LINK",
            "OTP to login is {code} for Tests\nOr click {link} to login.\nThis is valid for 10 minutes.",
        ),
    ],
)
async def test_a_text_message_arrives(
    start: Start, browser: Browser, twilio: FakeTwilio, flow: str, said: str
) -> None:
    import re

    settings = TwilioSettings("AC1", "secret", "+15550100", opts={"base_url": twilio.url})
    start(flow=flow, sms_delivery=SMSDeliveryConfig(TwilioService(settings)))
    assert (await browser.ask(None, phoneNumber="+1 (650) 253-0000")).json()["flowType"] == flow
    (message,) = twilio.messages
    assert (message["To"], message["From"]) == (NUMBER, "+15550100")
    body = message["Body"]
    code = re.search(r"\b\d{6}\b", body) if "{code}" in said else None
    link = re.search(r"http://example\.com/auth/verify\S+#\S+", body)
    given = {"code": code[0] if code else "", "link": link[0] if link else ""}
    assert body == said.format(**given)
    into = await (browser.enter(given["code"]) if code else browser.open(given["link"]))
    assert into.json()["status"] == "OK"


async def test_the_link_is_the_configured_websites(start: Start, browser: Browser, outbox: Outbox) -> None:
    """SI-20: whatever the request says of its host. The code is in the fragment, which no log has."""
    start()
    browser.client.headers.update({"host": "evil.example", "origin": "http://evil.example"})
    await browser.ask()
    page, _, code = outbox.link.partition("#")
    session_id = browser.device["preAuthSessionId"]
    assert page == f"http://example.com/auth/verify?preAuthSessionId={session_id}&tenantId=public"
    assert len(code) == 43


async def test_codes_of_ones_own(start: Start, browser: Browser, outbox: Outbox, clock: Clock) -> None:
    """A device never has one twice: after three tries it is said to be none."""
    codes = iter(["hello", "hello", "hello", "world", "world", "world", "world"])
    asked: list[Any] = []

    def make(tenant_id: str, user_context: dict[str, Any]) -> str:
        asked.append((tenant_id, user_context["_default"]["request"] is not None))
        return next(codes)

    start(get_custom_user_input_code=make)
    await browser.ask()
    assert (outbox.code, asked) == ("hello", [("public", True)])
    clock.advance(minutes=1)
    assert (await browser.again()).json() == {"status": "OK"}
    assert outbox.code == "world"
    clock.advance(minutes=1)
    assert (await browser.again()).json() == {
        "status": "GENERAL_ERROR",
        "message": "Failed to generate a one time code. Please try again",
    }
    assert (await browser.enter("hello")).json()["status"] == "OK"


async def test_a_code_of_ones_own_is_a_text(start: Start, browser: Browser) -> None:
    start(get_custom_user_input_code=lambda tenant_id, user_context: 123456)
    with pytest.raises(ConfigError, match="get_custom_user_input_code must return a string"):
        await browser.ask()


async def test_messages_may_be_sent_by_hand(start: Start, outbox: Outbox) -> None:
    start()
    letter = PasswordlessLoginEmailTemplateVars("public", 1000, "id", ADDRESS, user_input_code="1")
    message = PasswordlessLoginSMSTemplateVars("public", 1000, "id", NUMBER, url_with_link_code="http://a#b")
    await send_email(letter)
    await send_sms(message)
    assert (outbox.letters, outbox.messages) == ([letter], [message])
    assert "a#b" not in repr(message)


# -- where there is no service -----------------------------------------------------------------------


async def test_in_development_codes_are_in_the_log(
    start: Start, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    start(info=LOCAL, email_delivery=None, sms_delivery=None)
    with caplog.at_level(logging.WARNING):
        await browser.ask()
        assert f"To {ADDRESS}: Login to your account" in caplog.text
        assert "http://localhost/auth/verify?preAuthSessionId=" in caplog.text
        await browser.ask(None, phoneNumber=NUMBER)
        assert f"To {NUMBER}:\nOTP to login is " in caplog.text


async def test_elsewhere_init_wants_the_services_that_are_needed(
    start: Start, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    """SI-74: nothing is sent anywhere unless the application says where to."""
    with pytest.raises(ConfigError, match=r"email_delivery=passwordless\.EmailDeliveryConfig"):
        start(email_delivery=None)
    with pytest.raises(ConfigError, match=r"sms_delivery=passwordless\.SMSDeliveryConfig"):
        start(sms_delivery=None)
    start(contact=ContactPhoneOnlyConfig(), email_delivery=None)
    start_again(start, contact=ContactEmailOnlyConfig(), sms_delivery=None)
    start_again(
        start,
        email_delivery=EmailDeliveryConfig(LoggingEmailService()),
        sms_delivery=SMSDeliveryConfig(LoggingSMSService()),
    )
    await browser.ask()
    assert "http://example.com/auth/verify" in caplog.text


def start_again(start: Start, **settings: Any) -> None:
    from supertokens_py import Supertokens

    Supertokens.reset()
    start(**settings)


async def test_a_message_that_cannot_be_sent_is_said(
    start: Start, browser: Browser, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Its code ends, the next one may be sent at once, and the log does not have it."""
    start()
    outbox.error = OSError("no route to the mail server")
    reply = await browser.ask()
    assert (reply.status_code, reply.json()) == (200, NOT_SENT)
    assert "no route to the mail server" in caplog.text
    assert await list_codes_by_email("public", ADDRESS) == []
    outbox.error = None
    assert (await browser.ask()).json()["status"] == "OK"


async def test_a_resend_that_fails_leaves_the_first_code(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    start()
    await browser.ask()
    outbox.error = OSError("no route")
    clock.advance(minutes=1)
    assert (await browser.again()).json() == NOT_SENT
    assert (await browser.enter(outbox.code)).json()["status"] == "OK"


# -- limits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", [{"email": ADDRESS}, {"phoneNumber": NUMBER}])
async def test_a_contact_is_not_flooded(
    start: Start, browser: Browser, outbox: Outbox, each_database: TestDatabase, clock: Clock, contact: Any
) -> None:
    """By whoever asks, however it is written, for a new code or for another one; each refusal is an event."""
    start(uri=each_database.uri)
    found: list[Event] = []
    unsubscribe = subscribe(found.append)
    assert (await browser.post("/signinup/code", contact)).json()["status"] == "OK"
    refused = await browser.ask(
        " ADA@example.com" if "email" in contact else None,
        **({} if "email" in contact else {"phoneNumber": "+1 650 253 0000"}),
    )
    assert (refused.status_code, refused.json()) == (200, wait("15 seconds"))
    assert refused.headers["retry-after"] == "15"
    clock.advance(minutes=1)
    browser.device = {}
    made = (await browser.post("/signinup/code", contact)).json()
    browser.device = {name: made[name] for name in ("deviceId", "preAuthSessionId")}
    assert (await browser.again()).json() == wait("15 seconds")
    assert len([*outbox.letters, *outbox.messages]) == 2
    unsubscribe()
    kind = "email" if "email" in contact else "phone"
    refusal = ContactRefused(kind=kind, tenant_id="public", retry_after_ms=15_000)
    assert [event for event in found if isinstance(event, ContactRefused)] == [refusal] * 2
    await create_code("public", email=ADDRESS)  # a call of the application's is not limited
    await create_code("public", email=ADDRESS)


async def test_a_tenants_text_messages_are_limited(start: Start, browser: Browser, outbox: Outbox) -> None:
    """Numbers that an attacker earns with cost no more than this; e-mails go on."""
    found: list[Event] = []
    start(engine={"passwordless_text_messages_per_hour": 2})
    unsubscribe = subscribe(found.append)
    numbers = [f"+1650253000{number}" for number in range(3)]
    statuses = [(await browser.ask(None, phoneNumber=number)).json()["status"] for number in numbers]
    unsubscribe()
    assert statuses == ["OK", "OK", "GENERAL_ERROR"]
    assert len(outbox.messages) == 2
    assert [event.tenant_id for event in found if isinstance(event, TextMessageRefused)] == ["public"]
    assert (await browser.ask()).json()["status"] == "OK"


async def test_a_text_message_that_is_not_delivered_costs_a_tenant_nothing(
    start: Start, browser: Browser, outbox: Outbox
) -> None:
    """Numbers that a gateway refuses use up nobody's messages."""
    start(engine={"passwordless_text_messages_per_hour": 2})
    outbox.error = OSError("no mobile number")
    for number in range(4):
        assert (await browser.ask(None, phoneNumber=f"+1650253000{number}")).json()["status"] == (
            "GENERAL_ERROR"
        )
    outbox.error = None
    asked = [(await browser.ask(None, phoneNumber=f"+1650253001{n}")).json()["status"] for n in range(3)]
    assert asked == ["OK", "OK", "GENERAL_ERROR"]


async def test_a_contacts_wrong_codes_are_limited(
    start: Start, browser: Browser, each_database: TestDatabase, clock: Clock
) -> None:
    """SI-50: over several devices, with the link as a way in for the owner."""
    found: list[Event] = []
    start(uri=each_database.uri)
    statuses: list[str] = []
    unsubscribe = subscribe(found.append)
    for _ in range(6):
        made = await create_code("public", email=ADDRESS, user_input_code="123456")
        for _ in range(4):
            body = {"preAuthSessionId": made.pre_auth_session_id, "deviceId": made.device_id}
            reply = await browser.post("/signinup/code/consume", {**body, "userInputCode": "000000"})
            statuses.append(reply.json()["status"])
    assert statuses == ["INCORRECT_USER_INPUT_CODE_ERROR"] * 20 + ["GENERAL_ERROR"] * 4
    refused = await browser.post("/signinup/code/consume", {**body, "userInputCode": "123456"})
    unsubscribe()
    assert (refused.status_code, refused.json()) == (200, wait("3 minutes"))
    assert refused.headers["retry-after"] == "180"
    assert len([event for event in found if isinstance(event, SignInRefused)]) == 5
    link = {"preAuthSessionId": made.pre_auth_session_id, "linkCode": made.link_code}
    assert (await browser.post("/signinup/code/consume", link)).json()["status"] == "OK"


async def test_a_client_asks_for_many_contacts(start: Start, browser: Browser, outbox: Outbox) -> None:
    found: list[Event] = []
    start(
        client_ip=lambda request: request.get_header("x-real-ip"),
        engine={"code_requests_per_client_and_hour": 2, "sign_in_failures_per_client_and_hour": 2},
    )
    home, elsewhere = {"x-real-ip": "192.0.2.7"}, {"x-real-ip": "192.0.2.8"}
    unsubscribe = subscribe(found.append)
    statuses = [(await browser.ask(f"a{n}@example.com", **home)).json()["status"] for n in range(3)]
    assert statuses == ["OK", "OK", "GENERAL_ERROR"]
    assert (await browser.ask("b@example.com", **elsewhere)).json()["status"] == "OK"
    body = {**browser.device, "userInputCode": outbox.code}
    for code, status in (("x", "INCORRECT_USER_INPUT_CODE_ERROR"), ("y", "INCORRECT_USER_INPUT_CODE_ERROR")):
        reply = await browser.post("/signinup/code/consume", {**body, "userInputCode": code}, **home)
        assert reply.json()["status"] == status
    assert (await browser.post("/signinup/code/consume", body, **home)).json() == wait("30 minutes")
    assert (await browser.post("/signinup/code/consume", body, **elsewhere)).json()["status"] == "OK"
    unsubscribe()
    kinds = [event.kind for event in found if isinstance(event, ClientRefused)]
    assert kinds == ["code", "sign_in"]


async def test_signing_in_gives_the_clients_try_back(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock
) -> None:
    start(client_ip=lambda request: "192.0.2.7", engine={"sign_in_failures_per_client_and_hour": 1})
    for _ in range(3):
        await browser.ask()
        assert (await browser.enter(outbox.code)).json()["status"] == "OK"
        clock.advance(minutes=1)
    assert (await browser.enter(outbox.code)).json() == RESTART
    assert (await browser.enter(outbox.code)).json()["status"] == "GENERAL_ERROR"


@pytest.mark.parametrize("tenant", ["", "/t1"])
async def test_a_stranger_keeps_no_known_client_out(
    start: Start, browser: Browser, outbox: Outbox, clock: Clock, tenant: str
) -> None:
    """Neither by asking for every message nor by guessing: the owner's client has some of its own."""
    start(flow="USER_INPUT_CODE", client_ip=lambda request: request.get_header("x-real-ip"))
    await create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=["otp-email"]))
    for _ in range(5):
        for stranger in ("192.0.2.1", "192.0.2.2"):
            asked = await browser.ask(tenant=tenant, **{"x-real-ip": stranger})
            assert asked.json()["status"] == "OK"
            guess = {**browser.device, "userInputCode": "x"}
            for _ in range(4):
                await browser.post(f"{tenant}/signinup/code/consume", guess, **{"x-real-ip": stranger})
            clock.advance(ms=15_000)
    for stranger in ("192.0.2.1", "192.0.2.2"):
        refused = await browser.post(f"{tenant}/signinup/code/consume", guess, **{"x-real-ip": stranger})
        assert refused.json()["status"] == "GENERAL_ERROR"
        assert (await browser.ask(**{"x-real-ip": stranger})).json()["status"] == "GENERAL_ERROR"
    owner = {"x-real-ip": "198.51.100.9"}
    assert (await browser.ask(**owner)).json()["status"] == "OK"
    body = {**browser.device, "userInputCode": "x"}
    wrong = await browser.post("/signinup/code/consume", body, **owner)
    assert wrong.json()["status"] == "INCORRECT_USER_INPUT_CODE_ERROR"
    body["userInputCode"] = outbox.code
    assert (await browser.post("/signinup/code/consume", body, **owner)).json()["status"] == "OK"
