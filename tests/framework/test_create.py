"""Creating a session: cookies, headers, front token (protocol: Create)."""

from __future__ import annotations

import time
from collections import OrderedDict
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import fastapi
import flask
import pytest
from django.http import HttpResponse

from supertokens_py.exceptions import GeneralError, ProtectedClaimError
from supertokens_py.framework.cookies import Cookie
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.testing.conformance import EPOCH, Reply
from supertokens_py.tokens.access_token import parse_access_token

from .script import Answer
from .site import ASGI_AND_WSGI, Site

YEAR_S = 365 * 86_400


def create(view: Any) -> Any:
    yield view.create()


def test_cookie_mode_sets_two_http_only_cookies(site: Site) -> None:
    """FP-1, FP-2: exactly sAccessToken and sRefreshToken, each on its path."""
    reply = site.sign_in().first
    assert reply.cookie_names == ["sAccessToken", "sRefreshToken"]
    access, refresh = reply.cookie("sAccessToken"), reply.cookie("sRefreshToken")
    assert access.attributes.keys() == {"path", "expires", "max-age", "httponly", "secure", "samesite"}
    assert refresh.attributes.keys() == access.attributes.keys()
    assert (access.attributes["path"], refresh.attributes["path"]) == ("/", "/auth/session/refresh")
    assert access.attributes["samesite"].lower() == refresh.attributes["samesite"].lower() == "lax"
    assert reply.session_parts == ["front-token", "sAccessToken", "sRefreshToken"]


def test_the_refresh_cookie_path_counts_gateway_and_base(bare_site: Site) -> None:
    """FP-2: gateway + base + /session/refresh."""
    bare_site.init(info={"api_gateway_path": "/gw", "api_base_path": "/api/auth"})
    assert (
        bare_site.sign_in().first.cookie("sRefreshToken").attributes["path"] == "/gw/api/auth/session/refresh"
    )


def test_the_refresh_cookie_lives_as_long_as_the_session(site: Site) -> None:
    """FP-3: the access cookie lives a year, the refresh cookie as long as the session."""
    reply = site.sign_in().first
    now_s = site.clock.now_ms / 1000
    assert abs(expiry_s(reply, "sAccessToken") - now_s - YEAR_S) <= 2
    assert abs(expiry_s(reply, "sRefreshToken") - now_s - 100 * 86_400) <= 2
    lifetimes = [reply.cookie(name).attributes["max-age"] for name in ("sAccessToken", "sRefreshToken")]
    assert lifetimes == [str(YEAR_S), str(100 * 86_400)]


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York"])
def test_expiry_is_gmt_whatever_the_time_zone(site: Site, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """FP-11: Expires is the same moment in every process time zone."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        reply = site.sign_in().first
    finally:
        monkeypatch.undo()
        time.tzset()
    assert reply.cookie("sRefreshToken").attributes["expires"].endswith(" GMT")
    assert abs(expiry_s(reply, "sAccessToken") - site.clock.now_ms / 1000 - YEAR_S) <= 2
    assert abs(expiry_s(reply, "sRefreshToken") - site.clock.now_ms / 1000 - 100 * 86_400) <= 2


def expiry_s(reply: Reply, name: str) -> float:
    return parsedate_to_datetime(reply.cookie(name).attributes["expires"]).timestamp()


@pytest.mark.parametrize(
    ("api_domain", "secure", "expected"),
    [
        ("https://api.example.com", None, True),
        ("http://api.example.com", None, False),
        ("https://api.example.com", False, False),
        ("http://api.example.com", True, True),
    ],
)
def test_cookies_are_secure_iff_the_api_is_https(
    bare_site: Site, api_domain: str, secure: bool | None, expected: bool
) -> None:
    """FP-4: Secure iff the API is https, and overridable both ways."""
    website = api_domain.replace("api.", "")
    bare_site.init(info={"api_domain": api_domain, "website_domain": website}, cookie_secure=secure)
    reply = bare_site.sign_in().first
    assert [("secure" in cookie.attributes) for cookie in reply.set_cookies] == [expected, expected]


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, None), (".Example.com", ".example.com"), ("https://api.example.com/x", "api.example.com")],
)
def test_cookies_have_a_domain_only_if_one_is_set(
    bare_site: Site, given: str | None, expected: str | None
) -> None:
    """FP-5: no Domain attribute unless `cookie_domain` is set, then its normal form."""
    reply = bare_site.init(cookie_domain=given).sign_in().first
    assert [cookie.attributes.get("domain") for cookie in reply.set_cookies] == [expected, expected]


@pytest.mark.parametrize("same_site", ["lax", "Strict ", "NONE"])
def test_an_explicit_same_site_wins(bare_site: Site, same_site: str) -> None:
    """FP-51: an explicit value wins over the computed one."""
    reply = bare_site.init(cookie_same_site=same_site).sign_in().first
    assert reply.cookie("sAccessToken").attributes["samesite"].lower() == same_site.strip().lower()


def test_refresh_cookie_is_encoded_and_read_back(site: Site) -> None:
    """FP-6, FP-7, FP-8: percent-encoded on the wire; every spelling that a client sends is the same token."""
    visitor = site.sign_in()
    raw = visitor.first.cookie("sRefreshToken").raw
    token = visitor.refresh_token
    assert token is not None
    assert all(character.isalnum() or character in "-_.~%" for character in raw)
    replies = [
        site.post("/auth/session/refresh", cookies=[("sRefreshToken", text)])
        for text in (raw, f'"{raw}"', token, f'"{token}"')
    ]
    assert [reply.status for reply in replies] == [200] * 4
    assert (
        len({reply.refresh for reply in replies}) == 1
    )  # grace: the same successor, so the same token was read


def test_application_cookies_and_headers_survive(site: Site) -> None:
    """FP-12, FP-10: what the application set stays, and nothing is doubled."""

    def script(view: Any) -> Any:
        session = yield view.create()
        yield view.merge({"a": 1}, session)
        return Answer({}, headers=(("Set-Cookie", "theme=dark; Path=/"), ("X-App", "1")))

    reply = site.post("/open", [("st-auth-mode", "cookie")], do=script)
    assert reply.cookie_names == ["sAccessToken", "sRefreshToken", "theme"]
    assert reply.cookie("theme").raw == "dark"
    assert reply.header("x-app") == "1"


@pytest.mark.parametrize(
    "wrong", [str, fastapi.Response, flask.Response, partial(HttpResponse, content_type="x")]
)
def test_a_response_in_place_of_the_request_is_named(wrong: Any) -> None:
    """A response passed by mistake is named, and what to pass."""
    made = wrong()
    name = type(made).__name__
    with pytest.raises(GeneralError, match=f"^{name} is not a request .* pass the request object"):
        as_base_request(made)


def test_no_cookie_is_set_twice(site: Site) -> None:
    """FP-10: create, merge, revoke, create again: one line per name, domain and path."""

    def script(view: Any) -> Any:
        first = yield view.create("user-1")
        yield view.merge({"a": 1}, first)
        yield view.revoke(first)
        yield view.create("user-2")

    reply = site.post("/open", [("st-auth-mode", "cookie"), ("authorization", "Bearer x")], do=script)
    keys = [(c.name, c.attributes.get("domain"), c.attributes["path"]) for c in reply.set_cookies]
    assert len(keys) == len(set(keys)) == 2
    assert reply.front["uid"] == "user-2"
    assert not reply.cookie("sAccessToken").is_cleared


def test_two_cookies_of_one_name(site: Site) -> None:
    """FP-10: different domains and paths are different cookies, beside an application's own of that name."""

    def script(view: Any) -> Any:
        changes = as_base_request(view.request).changes
        changes.set_cookie(Cookie("twin", "", 0, domain=".old.com"))
        changes.set_cookie(Cookie("twin", "x/y", site.clock.now_ms, domain=".new.com"))
        changes.set_cookie(Cookie("twin", "z", site.clock.now_ms, domain=".new.com", path="/sub"))
        return Answer({}, headers=(("Set-Cookie", "twin=app; Path=/app"),))

    reply = site.post("/open", do=script)
    found = [(c.raw.strip('"'), c.attributes.get("domain"), c.attributes["path"]) for c in reply.set_cookies]
    assert sorted(found, key=repr) == [
        ("", ".old.com", "/"),
        ("app", None, "/app"),
        ("x%2Fy", ".new.com", "/"),
        ("z", ".new.com", "/sub"),
    ]


# -- headers ---------------------------------------------------------------------------------------


def test_header_mode_sends_three_headers_and_no_cookie(site: Site) -> None:
    """FP-13, FP-14: three headers, no cookie; the refresh token is raw."""
    reply = site.sign_in("header").first
    assert reply.session_parts == ["front-token", "st-access-token", "st-refresh-token"]
    assert "%" not in reply.refresh
    assert parse_access_token(reply.access) is not None
    assert sorted(reply.exposed) == ["front-token", "st-access-token", "st-refresh-token"]


@pytest.mark.parametrize("already", ["X-Total", "x-anti-csrf, X-Total", "front-token", "Front-Token, X"])
def test_exposed_headers_are_one_line_with_each_name_once(bare_site: Site, already: str) -> None:
    """FP-15, FP-16: one line, each name once, the application's names kept."""

    def script(view: Any) -> Any:
        yield view.create()
        return Answer(headers=(("Access-Control-Expose-Headers", already),))

    bare_site.init(anti_csrf="VIA_TOKEN")
    reply = bare_site.post("/open", [("st-auth-mode", "cookie")], do=script)
    own = [name.strip() for name in already.split(",")]
    assert reply.exposed[: len(own)] == own
    names = [name.lower() for name in reply.exposed]
    assert len(names) == len(set(names))
    assert {"front-token", "anti-csrf"} <= set(names)


def test_a_verified_request_emits_nothing(site: Site, mode: str) -> None:
    """FP-18: none of the session headers on an ordinary request."""
    reply = site.sign_in(mode).get("/protected")
    assert reply.json == {"user": "user-1"}
    assert reply.session_parts == []
    assert reply.exposed == []


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("allowed", "auth_mode", "expected"),
    [
        ("cookie", None, "cookie"),
        ("cookie", "header", "cookie"),
        ("header", None, "header"),
        ("header", "cookie", "header"),
        ("any", "cookie", "cookie"),
        ("any", "COOKIE", "cookie"),
        ("any", "header", "header"),
        ("any", None, "header"),
        ("any", "foo", "header"),
        (None, "COOKIE", "cookie"),
        (None, "foo", "header"),
        (None, None, "header"),
    ],
)
def test_the_transfer_method_follows_request_and_callback(
    bare_site: Site, allowed: str | None, auth_mode: str | None, expected: str
) -> None:
    """FP-20: (protocol: A new session), with the application's callback and with the default one (None)."""
    asked: list[bool] = []

    def transfer(request: Any, creating: bool, context: Any) -> Any:
        asked.append(creating)
        return allowed

    bare_site.init(get_token_transfer_method=transfer if allowed else None)
    reply = bare_site.post("/open", [("st-auth-mode", auth_mode)] if auth_mode else [], do=create)
    tokens = {
        "cookie": ["front-token", "sAccessToken", "sRefreshToken"],
        "header": ["front-token", "st-access-token", "st-refresh-token"],
    }
    assert reply.session_parts == tokens[expected]
    assert asked == ([True] if allowed else [])


@pytest.mark.parametrize(
    ("name", "value"), [("sAccessToken", "x"), ("sAccessToken", ""), ("sRefreshToken", "x")]
)
def test_header_session_clears_cookies_that_came(site: Site, name: str, value: str) -> None:
    """FP-9, FP-62: a new header session clears cookies of the request, first clear, then set."""
    reply = site.post("/open", cookies=[(name, value)], do=create)
    assert [cookie.is_cleared for cookie in reply.set_cookies] == [True, True]
    assert reply.front["uid"] == "user-1"
    assert reply.header("st-access-token")
    assert reply.header("st-refresh-token")


def test_cookie_session_clears_headers_that_came(site: Site) -> None:
    """FP-9: any Bearer value, foreign or not, is answered with empty headers."""
    reply = site.post("/open", [("st-auth-mode", "cookie")], bearer="anything", do=create)
    assert (reply.header("st-access-token"), reply.header("st-refresh-token")) == ("", "")
    assert reply.front["uid"] == "user-1"
    assert not reply.cookie("sAccessToken").is_cleared


@pytest.mark.parametrize("domain", [None, ".example.com"])
def test_clearing_repeats_the_attributes(bare_site: Site, domain: str | None) -> None:
    """FP-9, FP-25: the epoch, an empty value, and Path, Domain, SameSite, Secure as when set."""
    bare_site.init(cookie_domain=domain)
    visitor = bare_site.sign_in()
    reply = visitor.post("/auth/signout")
    assert reply.header("front-token") == "remove"
    for name in ("sAccessToken", "sRefreshToken"):
        was, now = visitor.first.cookie(name).attributes, reply.cookie(name).attributes
        assert {**was, "expires": EPOCH, "max-age": "0"} == now


@pytest.mark.parametrize("exposing", [True, False])
def test_the_access_token_can_be_exposed_and_the_refresh_token_never(bare_site: Site, exposing: bool) -> None:
    """FP-115: the access token also as a header, wherever it is set, and never the refresh token."""
    bare_site.init(expose_access_token_to_frontend_in_cookie_based_auth=exposing)
    visitor = bare_site.sign_in()

    def merge(view: Any) -> Any:
        yield view.merge({"a": 1})

    for reply in (visitor.first, visitor.post("/protected", do=merge), visitor.refresh()):
        assert reply.header("st-access-token") == (reply.cookie("sAccessToken").raw if exposing else None)
        assert ("st-access-token" in reply.exposed) is exposing
        assert reply.header("st-refresh-token") is None
    reply = visitor.post("/auth/signout")
    reply.assert_cleared("cookie")

    def merge_and_end(view: Any) -> Any:
        yield view.merge({"a": 1})
        yield view.revoke()

    reply = bare_site.sign_in().post("/protected", do=merge_and_end)
    reply.assert_cleared("cookie")
    assert reply.header("st-access-token") is None


# -- anti-CSRF tokens ------------------------------------------------------------------------------


def test_cookie_mode_returns_the_anti_csrf_token(bare_site: Site) -> None:
    """FP-59: create returns the anti-CSRF token in cookie mode, exposed; header mode does not."""
    bare_site.init(anti_csrf="VIA_TOKEN")
    reply = bare_site.sign_in().first
    token = parse_access_token(reply.access)
    assert token is not None
    assert reply.header("anti-csrf") == token.anti_csrf_token
    assert token.anti_csrf_token
    assert reply.exposed == ["front-token", "anti-csrf"]
    reply = bare_site.sign_in("header").first
    assert reply.header("anti-csrf") is None
    assert parse_access_token(reply.access).anti_csrf_token is None  # type: ignore[union-attr]


def test_insecure_cross_site_cookies_are_refused(bare_site: Site) -> None:
    """FP-57: SameSite=None without Secure is a 500 that says so, and nothing was created."""
    bare_site.init(info={"api_domain": "http://api.foo.com", "website_domain": "https://bar.com"})
    calls = bare_site.spy()
    reply = bare_site.post("/open", [("st-auth-mode", "cookie")], do=create)
    assert reply.status == 500
    assert str(bare_site.client.error) == (
        "cookies cannot work here: the website (https://bar.com) is on another site than the API "
        "(http://api.foo.com), and browsers keep such cookies over https only. Serve the API over https, "
        "with api_domain='https://...' and without cookie_secure=False, or let the frontend use header mode "
        "(tokenTransferMethod: 'header')"
    )
    assert reply.session_parts == []
    assert calls == []
    assert bare_site.post("/open", do=create).status == 200  # header mode needs no cookie


@pytest.mark.parametrize(
    ("api", "website", "same_site", "works"),
    [
        ("http://localhost:8000", "http://127.0.0.1:3000", "none", True),  # both local: browsers allow for it
        ("http://localhost:8000", "https://example.com", None, False),
        ("http://api.example.com", "https://example.com", None, False),
        ("http://api.example.com", "https://example.com", "lax", True),
    ],
)
def test_insecure_cross_site_is_refused_but_on_local_sites(
    bare_site: Site, api: str, website: str, same_site: Any, works: bool
) -> None:
    """FP-57: local sites and explicit SameSite values pass."""
    bare_site.init(info={"api_domain": api, "website_domain": website}, cookie_same_site=same_site)
    reply = bare_site.post("/open", [("st-auth-mode", "cookie")], do=create)
    assert reply.status == (200 if works else 500)


# -- front token -----------------------------------------------------------------------------------

WEIRD = {"z": 1, "a": {"y": [1, {"q": None}], "b": "é 漢 𝄞"}, "m": 1.5, "big": 2**53, "n": {}, "t": True}


def test_front_token_holds_the_payload_in_its_own_order(site: Site, mode: str) -> None:
    """FP-21, FP-22, FP-23: uid, ate, up; `up` is the access token's payload, order and all."""
    reply = site.sign_in(mode, payload=WEIRD).first
    token = parse_access_token(reply.access)
    assert token is not None
    front = reply.front
    assert list(front) == ["uid", "ate", "up"]
    assert front["uid"] == "user-1"
    assert front["ate"] == token.payload["exp"] * 1000
    assert repr(front["up"]) == repr(token.payload)  # order included, as JSON.stringify sees it
    assert {name: front["up"][name] for name in WEIRD} == WEIRD
    assert front["up"]["parentRefreshTokenHash1"] is None


def test_a_lone_surrogate_does_not_crash(site: Site, mode: str) -> None:
    """FP-26: text that UTF-8 cannot hold survives as an escape."""
    visitor = site.sign_in(mode, payload={"broken": "\ud800"})
    assert visitor.first.front["up"]["broken"] == "\ud800"
    assert visitor.get("/protected").status == 200


def test_a_front_token_near_the_limit_is_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """FP-27: browsers drop larger cookies, so a warning comes before that."""
    site.sign_in("header", payload={"pad": "x" * 1000})
    assert "front token" not in caplog.text
    site.sign_in("header", payload={"pad": "x" * 2800})
    assert "front token" in caplog.text


def test_a_payload_too_large_for_a_cookie_is_refused(site: Site) -> None:
    """FP-27: a cookie that browsers would drop is an error of the application, not a lost login."""
    reply = site.post("/open", [("st-auth-mode", "cookie")], do=lambda view: _created(view, "x" * 3500))
    assert reply.status == 500
    assert "browsers drop cookies above 4096" in str(site.client.error)
    assert reply.session_parts == []
    assert site.handles() == []


def test_a_payload_too_large_for_a_cookie_is_an_error_with_a_reason(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """A refresh that cannot deliver its access token is an error with a reason; the client refreshes no loop.

    It gets the refresh token all the same, so that the session goes on once the payload fits again.
    """
    visitor = site.sign_in("cookie")
    merge = site.engine.sessions.merge_payload
    assert merge(visitor.handle, {"big": "x" * 3500}) is True
    first = visitor.refresh_token
    reply = visitor.refresh()
    assert (reply.status, reply.json) == (500, {"message": "the access token does not fit a cookie"})
    assert [cookie.name for cookie in reply.set_cookies] == ["sRefreshToken"]
    assert reply.header("front-token") is None
    assert f"the access token of session {visitor.handle} takes " in caplog.text
    assert visitor.refresh_token != first
    assert merge(visitor.handle, {"big": None}) is True
    assert visitor.refresh().status == 200
    assert visitor.get("/protected").status == 200


def test_a_fixed_transfer_method_is_a_constant_function(bare_site: Site) -> None:
    """The setting "header" or "cookie" is what a function that always returns it is."""
    bare_site.init(get_token_transfer_method="header")
    reply = bare_site.sign_in("cookie").first
    assert reply.set_cookies == []
    assert reply.header("st-access-token")
    bare_site.init(get_token_transfer_method="cookie")
    assert bare_site.sign_in("header").first.header("st-access-token") is None


def _created(view: Any, pad: str) -> Any:
    yield view.create("user-1", {"pad": pad})


# -- payload ---------------------------------------------------------------------------------------


def test_iss_is_ours(bare_site: Site) -> None:
    """FP-105: the issuer is api domain + base even if the caller supplied another."""
    bare_site.init(info={"api_gateway_path": "/gw"})
    up = bare_site.sign_in(payload={"iss": "https://evil.test"}).first.front["up"]
    assert up["iss"] == "https://api.example.com/gw/auth"


PROTECTED = (
    "sub",
    "iat",
    "exp",
    "sessionHandle",
    "parentRefreshTokenHash1",
    "refreshTokenHash1",
    "antiCsrfToken",
    "rsub",
    "tId",
    "stt",
)


def test_protected_members_are_refused(site: Site) -> None:
    """FP-101: naming a protected member in create, or writing one in merge, raises and writes nothing."""
    visitor = site.sign_in()

    def each(change: Any, *values: Any) -> Any:
        refused = []
        for name in PROTECTED:
            for value in values:
                try:
                    yield change({"ok": 1, name: value})
                except ProtectedClaimError as error:
                    refused += error.names
        return {"refused": refused}

    def create(view: Any) -> Any:
        return each(lambda payload: view.create("user-2", payload), "x", None)

    reply = site.post("/open", do=create)
    assert reply.json == {"refused": [name for name in PROTECTED for _ in range(2)]}
    assert reply.session_parts == []
    assert site.handles("user-2") == []
    reply = visitor.post("/protected", do=lambda view: each(view.merge, "x"))
    assert reply.json == {"refused": list(PROTECTED)}
    assert reply.session_parts == []
    assert site.stored(visitor.handle).payload.keys() == {"iss"}


def test_every_claim_may_be_removed_at_once(site: Site, mode: str) -> None:
    """FP-101: null under a protected name has no effect, so a loop over the payload needs no exceptions."""
    visitor = site.sign_in(mode, payload={"a": 1})

    def merge(view: Any) -> Any:
        yield view.merge(dict.fromkeys(view.session.get_access_token_payload()))
        return {"left": sorted(view.session.get_access_token_payload())}

    reply = visitor.post("/protected", do=merge)
    assert reply.json == {"left": sorted(name for name in PROTECTED if name != "stt")}
    assert site.stored(visitor.handle).payload == {}


def test_merge_deletes_null_members_and_leaves_the_argument_alone(site: Site, mode: str) -> None:
    """FP-101: null deletes; the caller's dict is not changed."""
    visitor = site.sign_in(mode, payload={"a": 1, "b": {"c": 2}})
    update = {"a": None, "b": {"d": None}, "e": None, "f": 3}

    def merge(view: Any) -> Any:
        yield view.merge(update)
        return {name: view.session.get_access_token_payload().get(name, "gone") for name in "abef"}

    reply = visitor.post("/protected", do=merge)
    expected = {"a": "gone", "b": {"d": None}, "e": "gone", "f": 3}
    assert reply.json == expected
    assert {name: reply.front["up"].get(name, "gone") for name in "abef"} == expected
    assert update == {"a": None, "b": {"d": None}, "e": None, "f": 3}
    assert "st-refresh-token" not in reply.session_parts
    assert "sRefreshToken" not in reply.session_parts


def test_create_leaves_the_argument_alone(site: Site) -> None:
    """FP-101: the caller's payload is not mutated."""
    payload = {"a": {"b": 1}}
    site.sign_in(payload=payload)
    assert payload == {"a": {"b": 1}}


@ASGI_AND_WSGI
@pytest.mark.parametrize("kind", [dict, OrderedDict])
def test_a_payload_is_too_large_in_a_dictionary_of_any_class(bare_site: Site, kind: Any) -> None:
    """A browser would drop the cookie; nothing is written."""
    site = bare_site.init()

    def script(view: Any) -> Any:
        yield view.merge(kind({"note": "x" * 5000}))

    visitor = site.sign_in()
    reply = visitor.post("/protected", do=script)
    assert reply.status == 500
    assert "browsers drop cookies above 4096" in str(site.client.error)
    assert "note" not in site.stored(visitor.handle).payload
