"""What sessions say of how their users signed in (`session.init(step_up=True)`), and what routes ask."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe import emailpassword
from supertokens_py.recipe.session import AuthenticationClaim
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from tests.support.deferred_work import finish_before_answers

from . import test_email_password as passwords
from . import test_passwordless as codes
from .site import ASGI_AND_WSGI, Site


@pytest.fixture(autouse=True)
def _everything_is_sent_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    finish_before_answers(monkeypatch)


def _served(bare_site: Site, outbox: codes.AsyncOutbox, *, step_up: bool) -> Site:
    """Return an application where people sign in by a password, by a code and by a link."""
    mails = emailpassword.EmailDeliveryConfig(passwords.AsyncOutbox())
    recipes = [emailpassword.init(email_delivery=mails), codes.recipe(outbox)]
    return bare_site.init(engine=passwords.QUICK, recipes=recipes, step_up=step_up)


def _by_password(visitor: Visitor, path: str) -> Reply:
    return passwords.send(visitor, path, email=passwords.ADDRESS, password=passwords.PASSWORD)


def _by_code(visitor: Visitor, outbox: codes.AsyncOutbox) -> Reply:
    asked = codes.send(visitor, "", email="bob@example.com")
    device = {name: asked.json[name] for name in ("deviceId", "preAuthSessionId")}
    return codes.send(visitor, "/consume", **device, userInputCode=outbox.sent[-1].user_input_code)


def _by_link_to_a_phone(visitor: Visitor, outbox: codes.AsyncOutbox) -> Reply:
    asked = codes.send(visitor, "", phoneNumber=codes.NUMBER)
    code = (outbox.sent[-1].url_with_link_code or "").partition("#")[2]
    return codes.send(visitor, "/consume", preAuthSessionId=asked.json["preAuthSessionId"], linkCode=code)


def _said(reply: Reply) -> Any:
    """Return what a new session says of the authentication."""
    assert (reply.status, reply.json["status"]) == (200, "OK"), reply.body
    return reply.front["up"].get("st-auth")


@ASGI_AND_WSGI
def test_each_way_to_sign_in_says_what_was_proven(bare_site: Site) -> None:
    """In the words of RFC 8176, so that a route can ask for one of them."""
    outbox = codes.AsyncOutbox()
    site = _served(bare_site, outbox, step_up=True)
    now_ms = site.clock.now_ms
    visitor = Visitor(site)
    replies = [
        _by_password(visitor, "/signup"),
        _by_password(visitor, "/signin"),
        _by_code(visitor, outbox),
        _by_link_to_a_phone(visitor, outbox),
    ]
    methods = [["pwd"], ["pwd"], ["otp"], ["otp", "sms"]]
    assert [_said(reply) for reply in replies] == [
        {"v": {"time": now_ms, "amr": one, "acr": None}, "t": now_ms} for one in methods
    ]
    asked = AuthenticationClaim.validators.amr_includes("pwd")
    site.world.validators = lambda given, session, context: [*given, asked]
    refused = visitor.get("/claims")
    assert refused.status == 403
    assert refused.json["claimValidationErrors"][0]["reason"] == {
        "message": "authentication too weak",
        "expectedMethod": "pwd",
        "actualMethods": ["otp", "sms"],
    }
    _by_password(visitor, "/signin")
    assert visitor.get("/claims").status == 200


@ASGI_AND_WSGI
def test_nothing_is_said_where_nobody_asks(bare_site: Site) -> None:
    """Without `step_up` payloads are those of 0.24."""
    outbox = codes.AsyncOutbox()
    visitor = Visitor(_served(bare_site, outbox, step_up=False))
    replies = [_by_password(visitor, "/signup"), _by_code(visitor, outbox)]
    assert [_said(reply) for reply in replies] == [None, None]
