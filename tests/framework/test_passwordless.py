"""A whole log-in with a code and with a link, in every framework."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.recipe import passwordless
from supertokens_py.recipe.passwordless import (
    ContactEmailOrPhoneConfig,
    EmailDeliveryConfig,
    EmailDeliveryInterface,
    EmailTemplateVars,
    SMSDeliveryConfig,
    SMSDeliveryInterface,
    SMSTemplateVars,
)
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from tests.support.clock import Clock

from .sign_in import also_on_postgres, site_with_users
from .site import DRIVERS, SERVED, Site

ADDRESS, NUMBER = "ada@example.com", "+16502530000"
EACH = [*DRIVERS, *SERVED]


@pytest.fixture(params=EACH)
def bare_site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    """An application of each framework in turn, those with servers of their own among them."""
    yield from site_with_users(request, clock)


class AsyncOutbox(EmailDeliveryInterface[EmailTemplateVars], SMSDeliveryInterface[SMSTemplateVars]):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.sent: list[EmailTemplateVars | SMSTemplateVars] = []

    async def send_email(self, template_vars: EmailTemplateVars, user_context: dict[str, Any]) -> None:
        self.sent.append(template_vars)

    async def send_sms(self, template_vars: SMSTemplateVars, user_context: dict[str, Any]) -> None:
        self.sent.append(template_vars)


class BlockingOutbox(AsyncOutbox):
    """The same, as plain functions."""

    def send_email(self, template_vars: EmailTemplateVars, user_context: dict[str, Any]) -> None:  # type: ignore[override]
        self.sent.append(template_vars)

    def send_sms(self, template_vars: SMSTemplateVars, user_context: dict[str, Any]) -> None:  # type: ignore[override]
        self.sent.append(template_vars)


def recipe(outbox: AsyncOutbox) -> Any:
    return passwordless.init(
        ContactEmailOrPhoneConfig(),
        "USER_INPUT_CODE_AND_MAGIC_LINK",
        email_delivery=EmailDeliveryConfig(outbox),
        sms_delivery=SMSDeliveryConfig(outbox),
    )


def send(visitor: Visitor, path: str, **body: Any) -> Reply:
    headers = (("content-type", "application/json"), ("rid", "passwordless"), ("fdi-version", "3.1,4.0"))
    return visitor.post(f"/auth/signinup/code{path}", headers=headers, body=json.dumps(body).encode())


@pytest.mark.pairwise
@also_on_postgres(EACH, "flask", "django_async")
@pytest.mark.parametrize("make_outbox", [AsyncOutbox, BlockingOutbox], ids=["async", "blocking"])
def test_a_whole_log_in(bare_site: Site, mode: str, make_outbox: type[AsyncOutbox]) -> None:
    """Ask for a code, get it wrong, sign in, sign out, and come back by a link."""
    outbox = make_outbox()
    site = bare_site.init(recipes=[recipe(outbox)])
    visitor = Visitor(site, mode)

    assert visitor.get(f"/auth/passwordless/email/exists?email={ADDRESS}").json == {
        "status": "OK",
        "exists": False,
    }
    asked = send(visitor, "", email=ADDRESS)
    assert (asked.status, asked.json["status"], visitor.access) == (200, "OK", None)
    device = {name: asked.json[name] for name in ("deviceId", "preAuthSessionId")}
    wrong = send(visitor, "/consume", **device, userInputCode="x")
    assert wrong.json == {
        "status": "INCORRECT_USER_INPUT_CODE_ERROR",
        "failedCodeInputAttemptCount": 1,
        "maximumCodeInputAttempts": 5,
    }
    assert visitor.access is None
    up = send(visitor, "/consume", **device, userInputCode=outbox.sent[0].user_input_code)
    assert (up.json["status"], up.json["createdNewRecipeUser"]) == ("OK", True)
    user_id = up.json["user"]["id"]
    assert visitor.get("/protected").json == {"user": user_id}
    assert visitor.refresh().status == 200
    assert visitor.post("/auth/signout").json == {"status": "OK"}
    assert send(visitor, "/resend", **device).json == {"status": "RESTART_FLOW_ERROR"}

    soon = send(visitor, "", email=ADDRESS)
    assert (soon.status, soon.json["status"], soon.header("retry-after")) == (200, "GENERAL_ERROR", "15")
    phone = send(visitor, "", phoneNumber="+1 (650) 253-0000")
    assert phone.json["status"] == "OK"
    link = outbox.sent[1].url_with_link_code
    assert link is not None
    assert link.startswith("https://example.com/auth/verify?preAuthSessionId=")
    opened = {"preAuthSessionId": phone.json["preAuthSessionId"], "linkCode": link.partition("#")[2]}
    into = send(visitor, "/consume", **opened)
    assert into.json["user"]["phoneNumbers"] == [NUMBER]
    assert visitor.get("/protected").json == {"user": into.json["user"]["id"]}
    assert site.handles(into.json["user"]["id"]) != []


def test_malformed_requests_are_400_in_every_framework(bare_site: Site) -> None:
    site = bare_site.init(recipes=[recipe(AsyncOutbox())])
    for path in ("", "/resend", "/consume"):
        for body in (b"", b"{", b"[]", b"\xff", b'{"email": 1, "preAuthSessionId": 1}'):
            reply = site.post(
                f"/auth/signinup/code{path}", (("content-type", "application/json"),), body=body
            )
            assert reply.status == 400, (path, body)
            assert set(reply.json) == {"message"}
