"""Verification of an e-mail address, in frameworks with an event loop and without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.recipe import emailpassword, emailverification
from supertokens_py.recipe.emailverification import EmailDeliveryConfig, EmailDeliveryInterface
from supertokens_py.recipe.emailverification.types import EmailTemplateVars
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from tests.support.clock import Clock

from .sign_in import FRAMEWORKS, also_on_postgres, site_with_users
from .site import Site

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADDRESS, PASSWORD = "ada@example.com", "correct horse 1"


@pytest.fixture(params=FRAMEWORKS)
def bare_site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    yield from site_with_users(request, clock)


class Outbox(EmailDeliveryInterface[Any]):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.links: list[str] = []

    async def send_email(self, template_vars: EmailTemplateVars, user_context: dict[str, Any]) -> None:
        self.links.append(template_vars.email_verify_link)


def post(visitor: Visitor, path: str, body: dict[str, Any]) -> Reply:
    headers = (("content-type", "application/json"), ("rid", "emailverification"), ("fdi-version", "3.1,4.0"))
    return visitor.post(f"/auth{path}", headers=headers, body=json.dumps(body).encode())


@also_on_postgres(FRAMEWORKS, "flask", "django_async")
def test_an_address_is_verified(bare_site: Site, mode: str) -> None:
    """Refused, asked for a link, used it in another browser, asked again, and in."""
    outbox = Outbox()
    site = bare_site.init(
        engine=QUICK,
        recipes=[
            emailpassword.init(email_delivery=EmailDeliveryConfig(outbox)),
            emailverification.init("REQUIRED", EmailDeliveryConfig(outbox)),
        ],
    )
    visitor, other = Visitor(site, mode), Visitor(site, mode)
    fields = [{"id": "email", "value": ADDRESS}, {"id": "password", "value": PASSWORD}]
    user_id = post(visitor, "/signup", {"formFields": fields}).json["user"]["id"]
    refused = visitor.get("/protected")
    assert (refused.status, refused.json["claimValidationErrors"][0]["id"]) == (403, "st-ev")
    assert post(visitor, "/user/email/verify/token", {}).json == {"status": "OK"}
    (link,) = outbox.links
    token = link.partition("token=")[2].partition("&")[0]
    done = post(other, "/user/email/verify", {"method": "token", "token": token})
    assert (done.status, done.json, done.set_cookies, other.access) == (200, {"status": "OK"}, [], None)
    assert visitor.get("/protected").status == 403
    assert visitor.get("/auth/user/email/verify").json == {"status": "OK", "isVerified": True}
    assert visitor.get("/protected").json == {"user": user_id}
    again = post(visitor, "/user/email/verify", {"method": "token", "token": token})
    assert again.json == {"status": "EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"}
    assert other.get("/auth/user/email/verify").status == 401
