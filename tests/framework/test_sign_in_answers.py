"""Whom the sign-in routes say that they signed in, and what they answer to requests that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.interfaces import CreateUserIdMappingOkResult
from supertokens_py.syncio import create_user_id_mapping
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock
from tests.support.deferred_work import finish_before_answers

from .sign_in import WAYS, Shop, form, on_postgres, send, site_with_users
from .site import Site
from .test_sign_in_routes import ROUTES

JSON = ("content-type", "application/json")
FULL = {"id", "isPrimaryUser", "tenantIds", "timeJoined", "emails", "phoneNumbers", "thirdParty", "webauthn"}
OLD = {"id", "timeJoined", "email"}
PATHS = [path for routes in ROUTES.values() for method, path, _ in routes if method == "POST"]
PATHS.remove("/callback/apple")  # a form of Apple's
BODIES = {path: body for routes in ROUTES.values() for _, path, body in routes}


@pytest.fixture(params=["fastapi", *on_postgres("flask")])
def bare_site(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    yield from site_with_users(request, clock)


@pytest.fixture(autouse=True)
def _everything_is_sent_before_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    finish_before_answers(monkeypatch)


# -- SI-2 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bare_site", ["fastapi"], indirect=True)
@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize(
    ("fdi", "is_full"), [("1.17", False), ("1.17,2.0", False), ("1.19", True), ("2.0,3.0", True)]
)
def test_the_form_of_a_user_is_the_frontends(bare_site: Site, path: str, fdi: str, is_full: bool) -> None:
    """SI-2, SI-3: the greatest version that a frontend speaks decides, and no shape is mixed with another."""
    body = Shop(bare_site).body(path)
    lines = (JSON, ("fdi-version", fdi))
    reply = bare_site.post(f"/auth{path}", lines, body=json.dumps(body).encode())
    assert (reply.status, reply.json["status"]) == (200, "OK"), reply.body
    user = reply.json["user"]
    has_flag = WAYS[path] != "emailpassword"
    flag = "createdNewRecipeUser" if is_full else "createdNewUser"
    assert set(reply.json) == {"status", "user", *([flag] if has_flag else [])}
    if is_full:
        assert set(user) == FULL | {"loginMethods"}
        assert user["loginMethods"][0]["timeJoined"] == user["timeJoined"]
    else:
        assert set(user) == OLD | ({"thirdParty"} if path == "/signinup" else set())
    assert user["timeJoined"] == bare_site.clock()


# -- SI-68 ---------------------------------------------------------------------------------------------


def _mapped(shop: Shop, path: str) -> dict[str, Any]:
    """Sign ada@example.com up, give her an id of the application, and return what signs her in again."""
    signing_up = "/signup" if path == "/signin" else path
    first = send(Visitor(shop.site), signing_up, shop.body(signing_up))
    assert (
        create_user_id_mapping(first.json["user"]["id"], "ada-42", force=True)
        == CreateUserIdMappingOkResult()
    )
    shop.site.clock.advance(s=15)  # between two codes for one address
    return BODIES["/signin"] if path == "/signin" else shop.body(path)


def _claims(visitor: Visitor) -> tuple[str, str]:
    token = parse_access_token(visitor.access or "")
    assert token is not None
    return token.payload["sub"], token.payload["rsub"]


@pytest.mark.parametrize("path", [path for path in WAYS if path != "/signup"])
def test_every_answer_has_the_applications_id(bare_site: Site, path: str) -> None:
    """SI-68: the user, its login method, the session, and the user as older frontends know it."""
    shop = Shop(bare_site)
    body, visitor = _mapped(shop, path), Visitor(bare_site)
    user = send(visitor, path, body).json["user"]
    assert (user["id"], user["loginMethods"][0]["recipeUserId"]) == ("ada-42", "ada-42")
    assert _claims(visitor) == ("ada-42", "ada-42")
    assert visitor.get("/protected").json == {"user": "ada-42"}
    assert visitor.refresh().status == 200
    assert _claims(visitor) == ("ada-42", "ada-42")
    bare_site.clock.advance(s=30)
    body = BODIES["/signin"] if path == "/signin" else shop.body(path)
    old = bare_site.post(f"/auth{path}", (JSON, ("fdi-version", "2.0")), body=json.dumps(body).encode())
    assert old.json["user"]["id"] == "ada-42"


def test_mails_have_the_applications_id(bare_site: Site) -> None:
    """SI-68: what a letter is written from, and the answer of a link to older frontends."""
    shop = Shop(bare_site)
    visitor = Visitor(bare_site)
    send(visitor, "/signin", _mapped(shop, "/signin"))
    send(visitor, "/user/email/verify/token", {})
    send(Visitor(bare_site), "/user/password/reset/token", form(email="ada@example.com"))
    letters = shop.outbox.sent
    assert [letter.user.id for letter in letters] == ["ada-42", "ada-42"]
    token = letters[0].email_verify_link.partition("token=")[2].partition("&")[0]
    content = json.dumps({"method": "token", "token": token}).encode()
    reply = bare_site.post("/auth/user/email/verify", (JSON, ("fdi-version", "2.0")), body=content)
    assert reply.json == {"status": "OK", "user": {"id": "ada-42", "email": "ada@example.com"}}


# -- SI-10 ---------------------------------------------------------------------------------------------


def _leaves(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each text in a body."""
    if isinstance(value, str):
        yield where
    elif value is not None:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(inner, (*where, key))


def _with(value: Any, where: tuple[Any, ...], replaced: Any) -> Any:
    """Return a copy of a body that has something else at a path; `...` leaves the name out."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in where[:-1]:
        inner = inner[key]
    if replaced is ...:
        del inner[where[-1]]
    else:
        inner[where[-1]] = replaced
    return copy


@pytest.mark.parametrize("path", PATHS)
def test_what_is_no_form_is_refused(bare_site: Site, path: str) -> None:
    """SI-10: whatever is no JSON object is 400, and with odd fields nothing fails."""
    visitor, _ = Shop(bare_site).new_user()  # for the route that needs a session

    def sent(content: bytes) -> Reply:
        return visitor.request("POST", f"/auth{path}", headers=(JSON,), body=content)

    for content in (b"", b"{", b"[]", b"1", b"null", b'"text"', b"\xff", b"[" * 10_000):
        if path != "/user/email/verify/token":  # which reads none
            reply = sent(content)
            assert (reply.status, set(reply.json)) == (400, {"message"}), content
    body = BODIES[path]
    for where in _leaves(body):
        for odd in (..., None, 1, True, [], {}, ["x"], "x" * 1_000_000, "\0", "\ud800"):
            reply = sent(json.dumps(_with(body, where, odd)).encode())
            assert reply.status in (200, 400), (where, odd)
            assert set(reply.json) == {"message"} or isinstance(reply.json["status"], str)
