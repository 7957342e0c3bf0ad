"""Sessions that requests to sign in bring along, and those of users who are no more, in every framework."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supertokens_py.syncio import delete_user
from supertokens_py.testing.conformance.visitor import Visitor
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock

from .sign_in import PAIRS, PASSWORD, WAYS, Shop, form, send, site_with_users
from .site import Site

UNAUTHORISED = (401, {"message": "unauthorised"})


@pytest.fixture(params=PAIRS)
def bare_site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    yield from site_with_users(request, clock)


@pytest.mark.parametrize("path", WAYS)
def test_a_session_of_the_request_is_left_alone(bare_site: Site, path: str) -> None:
    """SI-5: whoever signs in at a tenant gets a session there, beside the one at another."""
    shop = Shop(bare_site)
    shop.add_tenant("t1")
    visitor, old_user = shop.new_user()
    (old,) = bare_site.handles(old_user)
    body = shop.body(path, "/t1")
    reply = send(visitor, f"/t1{path}", {**body, "shouldTryLinkingWithSessionUser": False})
    assert (reply.status, reply.json["status"]) == (200, "OK"), reply.body
    assert reply.json["user"]["tenantIds"] == ["t1"]
    token = parse_access_token(visitor.access or "")
    assert token is not None
    assert (token.payload["sub"], token.payload["tId"]) == (reply.json["user"]["id"], "t1")
    assert token.payload["sessionHandle"] != old
    assert bare_site.handles(old_user) == [old]


@pytest.mark.parametrize("path", [*WAYS, "/signinup/code", "/signinup/code/resend"])
def test_linking_needs_a_session(bare_site: Site, path: str) -> None:
    """SI-6: and nothing is done of what the request asks for besides."""
    shop = Shop(bare_site)
    body = {"email": "ada@example.com"} if path == "/signinup/code" else shop.body(path)
    sent, visitor = len(shop.outbox.sent), Visitor(bare_site)
    reply = send(visitor, path, {**body, "shouldTryLinkingWithSessionUser": True})
    assert (reply.status, reply.json) == UNAUTHORISED
    assert visitor.access is None
    assert (len(shop.outbox.sent), shop.account.asked) == (sent, [])
    bare_site.clock.advance(s=15)  # between two codes for one address
    assert send(visitor, path, body).json["status"] == "OK"


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/user/email/verify/token"), ("GET", "/user/email/verify")]
)
def test_the_session_of_a_removed_user_ends(bare_site: Site, method: str, path: str) -> None:
    """SI-35: a route of verification answers 401, and the browser is signed out."""
    shop = Shop(bare_site)
    visitor, user_id = shop.new_user()
    delete_user(user_id)
    reply = send(visitor, path, {} if method == "POST" else None, method)
    assert (reply.status, reply.json) == UNAUTHORISED
    assert visitor.access is None
    signing_in = form(email="old@example.com", password=PASSWORD)
    assert send(visitor, "/signin", signing_in).json == {"status": "WRONG_CREDENTIALS_ERROR"}
