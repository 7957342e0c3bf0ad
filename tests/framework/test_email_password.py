"""A whole log-in with e-mail address and password, in every framework."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.recipe import emailpassword
from supertokens_py.recipe.emailpassword import EmailDeliveryConfig, EmailDeliveryInterface
from supertokens_py.recipe.emailpassword.types import EmailTemplateVars
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from tests.support.clock import Clock
from tests.support.deferred_work import finish_before_answers

from .sign_in import also_on_postgres, site_with_users
from .site import DRIVERS, SERVED, Site

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADDRESS, PASSWORD = "ada@example.com", "correct horse 1"
EACH = [*DRIVERS, *SERVED]


@pytest.fixture(params=EACH)
def bare_site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    """An application of each framework in turn, those with servers of their own among them."""
    yield from site_with_users(request, clock)


@pytest.fixture(autouse=True)
def _everything_is_sent_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is; that it goes on by itself is tested with `DedicatedPool`."""
    finish_before_answers(monkeypatch)


class AsyncOutbox(EmailDeliveryInterface[EmailTemplateVars]):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.links: list[str] = []

    async def send_email(self, template_vars: EmailTemplateVars, user_context: dict[str, Any]) -> None:
        self.links.append(template_vars.password_reset_link)


class BlockingOutbox(AsyncOutbox):
    """The same, as a plain function."""

    def send_email(self, template_vars: EmailTemplateVars, user_context: dict[str, Any]) -> None:  # type: ignore[override]
        self.links.append(template_vars.password_reset_link)


def send(visitor: Visitor, path: str, more: dict[str, Any] | None = None, **fields: str) -> Reply:
    form = {"formFields": [{"id": name, "value": value} for name, value in fields.items()], **(more or {})}
    headers = (("content-type", "application/json"), ("rid", "emailpassword"), ("fdi-version", "3.1,4.0"))
    return visitor.post(f"/auth{path}", headers=headers, body=json.dumps(form).encode())


@pytest.mark.pairwise
@also_on_postgres(EACH, "flask", "django_sync")
@pytest.mark.parametrize("make_outbox", [AsyncOutbox, BlockingOutbox], ids=["async", "blocking"])
def test_a_whole_log_in(bare_site: Site, mode: str, make_outbox: type[AsyncOutbox]) -> None:
    """Sign up, see a protected page, sign out, forget the password, set another one, sign in."""
    outbox = make_outbox()
    site = bare_site.init(
        engine=QUICK, recipes=[emailpassword.init(email_delivery=EmailDeliveryConfig(outbox))]
    )
    visitor = Visitor(site, mode)

    exists = visitor.get(f"/auth/emailpassword/email/exists?email={ADDRESS}")
    assert exists.json == {"status": "OK", "exists": False}
    up = send(visitor, "/signup", email=ADDRESS, password=PASSWORD)
    assert (up.status, up.json["status"], up.header("content-type")) == (
        200,
        "OK",
        "application/json; charset=utf-8",
    )
    user_id = up.json["user"]["id"]
    assert visitor.get("/protected").json == {"user": user_id}
    assert visitor.refresh().status == 200
    assert visitor.post("/auth/signout").json == {"status": "OK"}

    assert send(visitor, "/signin", email=ADDRESS, password="wrong").json == {
        "status": "WRONG_CREDENTIALS_ERROR"
    }
    assert visitor.access is None
    assert send(visitor, "/user/password/reset/token", email=ADDRESS).json == {"status": "OK"}
    link = outbox.links[-1]
    assert link.startswith("https://example.com/auth/reset-password?token=")
    token = link.partition("token=")[2].partition("&")[0]
    done = send(visitor, "/user/password/reset", {"token": token}, password="another horse 2")
    assert (done.json, done.set_cookies, visitor.access) == ({"status": "OK"}, [], None)

    assert send(visitor, "/signin", email=ADDRESS, password=PASSWORD).json["status"] != "OK"
    into = send(visitor, "/signin", email=ADDRESS, password="another horse 2")
    assert into.json["user"]["id"] == user_id
    assert visitor.get("/protected").json == {"user": user_id}
    assert site.handles(user_id) != []


def test_malformed_requests_are_400_in_every_framework(bare_site: Site) -> None:
    site = bare_site.init(
        engine=QUICK, recipes=[emailpassword.init(email_delivery=EmailDeliveryConfig(AsyncOutbox()))]
    )
    for body in (b"", b"{", b"[]", b"\xff", b'{"formFields": 1}'):
        reply = site.post("/auth/signup", (("content-type", "application/json"),), body=body)
        assert reply.status == 400, body
        assert set(reply.json) == {"message"}
