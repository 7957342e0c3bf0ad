"""Requests that an attacker makes a browser send, or that mix what belongs to two users."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supertokens_py.framework.cookies import decode_cookie_value, parse_cookie_header
from supertokens_py.recipe.session import SessionRecipe
from tests.framework.site import ASGI_AND_WSGI, Site, Visitor
from tests.framework.test_fastapi import connect, refused

ENCTYPES = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain")


def create(user_id: str = "user-1") -> Any:
    def script(view: Any) -> Any:
        yield view.create(user_id)
        return {}

    return script


# -- CSRF ------------------------------------------------------------------------------------------


def forged(
    site: Site, visitor: Visitor, method: str, path: str, content_type: str | None, **more: Any
) -> int:
    """Send what a page of another site can make a browser send: cookies, and no header of its choice."""
    headers = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]
    if content_type:
        headers.append(("content-type", content_type))
    cookies = [
        ("sAccessToken", visitor.access or ""),
        ("sRefreshToken", quote(visitor.refresh_token or "", safe="")),
    ]
    return site.request(method, path, headers, cookies=cookies, body=b"a=b", **more).status


@ASGI_AND_WSGI
@pytest.mark.parametrize("content_type", [None, *ENCTYPES, "application/json"])
@pytest.mark.parametrize("anti_csrf", ["VIA_TOKEN", "VIA_CUSTOM_HEADER"])
def test_a_forged_request_changes_nothing(bare_site: Site, anti_csrf: Any, content_type: str | None) -> None:
    """Each method and each form encoding: refused before the view runs; refresh and sign-out as well."""
    site = bare_site.init(anti_csrf=anti_csrf, cookie_same_site="none")
    visitor = site.sign_in()
    runs = site.world.runs
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/protected", "/optional", "/database", "/csrf-on", "/claims"):
            assert forged(site, visitor, method, path, content_type) == 401, (method, path)
    assert forged(site, visitor, "GET", "/csrf-on", content_type) == 401
    assert forged(site, visitor, "POST", "/auth/session/refresh", content_type) == 401
    assert forged(site, visitor, "POST", "/auth/signout", content_type) == 401
    assert site.world.runs == runs
    assert site.stored(visitor.handle) is not None
    assert visitor.refresh().status == 200  # and the refresh token was not used up


def test_only_get_is_free_by_default(bare_site: Site) -> None:
    """Reading is open to links of other sites by default, so a GET view must change nothing."""
    site = bare_site.init(anti_csrf="VIA_CUSTOM_HEADER")
    visitor = site.sign_in()
    assert forged(site, visitor, "GET", "/protected", None) == 200
    if not site.driver.startswith("django"):  # Django itself reads it as GET
        assert forged(site, visitor, "get", "/protected", None) != 200


@pytest.mark.parametrize("override", ["x-http-method-override", "x-http-method", "x-method-override"])
def test_a_method_override_header_does_not_help(bare_site: Site, override: str) -> None:
    """The method that counts is the request's own."""
    site = bare_site.init(anti_csrf="VIA_CUSTOM_HEADER")
    visitor = site.sign_in()
    reply = site.post("/protected", [(override, "GET")], cookies=[("sAccessToken", visitor.access or "")])
    assert reply.status == 401


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("api", "website", "expected"),
    [
        ("https://api.example.com", "https://example.com", ("lax", "NONE")),
        ("https://api.example.com", "https://evil.example", ("none", "VIA_CUSTOM_HEADER")),
        ("https://api.example.com", "http://example.com", ("none", "VIA_CUSTOM_HEADER")),
        ("https://a.github.io", "https://b.github.io", ("none", "VIA_CUSTOM_HEADER")),
        ("https://a.co.uk", "https://b.co.uk", ("none", "VIA_CUSTOM_HEADER")),
        ("https://example.com", "https://example.com.evil.example", ("none", "VIA_CUSTOM_HEADER")),
        ("https://example.com", "https://notexample.com", ("none", "VIA_CUSTOM_HEADER")),
        ("https://example.com", "https://example.com@evil.example", ("none", "VIA_CUSTOM_HEADER")),
    ],
)
def test_another_site_needs_a_proof(bare_site: Site, api: str, website: str, expected: Any) -> None:
    """SameSite=None is never without anti-CSRF, and public suffixes separate sites."""
    site = bare_site.init(info={"api_domain": api, "website_domain": website})
    reply = site.sign_in().first
    assert reply.cookie("sAccessToken").attributes["samesite"].lower() == expected[0]
    assert SessionRecipe.get_instance().config.anti_csrf(None, {}) == expected[1]


GAMES = [
    ("host", "evil.example"),
    ("x-forwarded-host", "evil.example"),
    ("x-forwarded-proto", "http"),
    ("x-forwarded-for", "127.0.0.1"),
    ("x-forwarded-port", "80"),
    ("x-forwarded-prefix", "/auth"),
    ("x-original-url", "/auth/session/refresh"),
    ("x-rewrite-url", "/auth/session/refresh"),
    ("forwarded", "for=127.0.0.1;host=evil.example;proto=http"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
    ("referer", "https://evil.example/"),
    ("sec-fetch-site", "cross-site"),
]


@pytest.mark.parametrize(("name", "value"), GAMES)
def test_headers_about_the_request_decide_nothing(site: Site, name: str, value: str) -> None:
    """Cookie attributes, routes and answers come from the configuration, not from what a request claims."""
    in_cookies = ("st-auth-mode", "cookie")
    usual = site.post("/open", [in_cookies], do=create()).cookie("sRefreshToken").attributes
    if (name, site.driver.partition("_")[0]) == ("host", "django"):
        return  # Django refuses unknown hosts before us
    reply = site.post("/open", [in_cookies, (name, value)], do=create())
    assert reply.status == 200
    times = {"expires"}
    given_attributes = reply.cookie("sRefreshToken").attributes
    assert {k: v for k, v in given_attributes.items() if k not in times} == {
        k: v for k, v in usual.items() if k not in times
    }
    assert site.get("/optional", [(name, value)]).json == {"user": None}
    assert b"evil" not in reply.body


# -- cookies ---------------------------------------------------------------------------------------


def merge(view: Any) -> Any:
    yield view.merge({"a": 1})
    return {}


def test_two_users_in_one_request_are_never_mixed(site: Site) -> None:
    """Header and cookie of two users: one of them counts, wholly; tokens are never mixed."""
    alice, bob = site.sign_in("header", "alice"), site.sign_in("cookie", "bob")
    both = {"bearer": alice.access, "cookies": [("sAccessToken", bob.access or "")]}
    assert site.get("/protected", **both).json == {"user": "alice"}
    merged = site.post("/protected", do=merge, **both)
    assert merged.front["uid"] == "alice"
    assert merged.set_cookies == []
    assert "a" not in site.stored(bob.handle).payload
    mixed = {
        "bearer": alice.refresh_token,
        "cookies": [
            ("sRefreshToken", quote(bob.refresh_token or "", safe="")),
            ("sAccessToken", bob.access or ""),
        ],
    }
    refreshed = site.post("/auth/session/refresh", **mixed)
    assert refreshed.front["uid"] == "alice"
    assert refreshed.header("st-refresh-token")
    assert all(cookie.is_cleared for cookie in refreshed.set_cookies)
    assert bob.refresh().front["uid"] == "bob"


def test_the_access_token_of_one_and_the_refresh_token_of_another(site: Site) -> None:
    """A refresh answers for the refresh token alone, and replaces both."""
    alice, bob = site.sign_in("cookie", "alice"), site.sign_in("cookie", "bob")
    alice.refresh_token = bob.refresh_token
    reply = alice.refresh()
    assert reply.front["uid"] == "bob"
    assert site.get("/protected", cookies=[("sAccessToken", reply.access)]).json == {"user": "bob"}


def test_an_anti_csrf_token_proves_its_own_session_only(bare_site: Site) -> None:
    """The proof belongs to its session, for requests as for refreshes."""
    site = bare_site.init(anti_csrf="VIA_TOKEN")
    alice, bob = site.sign_in("cookie", "alice"), site.sign_in("cookie", "bob")
    alice.anti_csrf = bob.anti_csrf
    assert alice.post("/protected").status == 401
    assert alice.refresh().status == 401


@pytest.mark.parametrize("order", [1, -1])
def test_a_planted_second_cookie_gets_no_session(site: Site, order: int) -> None:
    """A subdomain that plants its own token beside the user's gets neither session for it."""
    victim, attacker = site.sign_in("cookie", "victim"), site.sign_in("cookie", "attacker")
    pairs = [("sAccessToken", victim.access or ""), ("sAccessToken", attacker.access or "")][::order]
    for path in ("/protected", "/optional"):
        reply = site.get(path, cookies=pairs)
        assert (reply.status, reply.json) == (401, {"message": "try refresh token"})


SMUGGLED = [
    'x="; sAccessToken={}; y="',
    "x=1;sAccessToken={}",
    "x=a, sAccessToken={}",
    "$Version=1; sAccessToken={}",
    "sAccessToken ={}",
    "SACCESSTOKEN={}",
    "%73AccessToken={}",
    "sAccessToken\t={}",
]


@pytest.mark.parametrize("form", SMUGGLED)
def test_all_frameworks_read_a_cookie_alike(site: Site, form: str) -> None:
    """However a cookie is written, all frameworks agree on the session that it is."""
    access = site.sign_in("cookie", "somebody").access or ""
    reply = site.get("/optional", [("cookie", form.format(access))])
    assert (reply.status, reply.json) in ((200, {"user": "somebody"}), (200, {"user": None}))
    expected = "somebody" if "sAccessToken" in parse_cookie_header(form.format(access)) else None
    assert reply.json == {"user": expected}


def test_giant_cookies_are_answered_like_any_request(site: Site) -> None:
    """Thousands of cookies, or one of 100 kB, are answered like any other request."""
    access = site.sign_in("cookie", "somebody").access or ""
    many = "; ".join(f"c{number}=x" for number in range(4000))
    for header in (many, f"x={'y' * 100_000}", f"sRefreshToken={'a' * 100_000}", ";" * 50_000, "=" * 50_000):
        reply = site.get("/protected", [("cookie", f"{header}; sAccessToken={access}")])
        assert (reply.status, reply.json) == (200, {"user": "somebody"})
    for header in (f"sAccessToken={'y' * 100_000}", f"sAccessToken={access}{'y' * 70_000}"):
        assert site.get("/protected", [("cookie", header)]).status == 401
    assert site.post("/auth/session/refresh", [("cookie", f"sRefreshToken={'a.' * 50_000}")]).status == 401


@settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.text(max_size=200))
def test_any_cookie_header_is_read(header: str) -> None:
    """The cookie parser takes every text there is."""
    for name, values in parse_cookie_header(header).items():
        assert ";" not in name
        for value in values:
            decode_cookie_value(value)


# -- methods, fixation, WebSockets -----------------------------------------------------------------


def test_a_session_handed_in_is_never_adopted(site: Site, mode: str) -> None:
    """Fixation: signing in makes new tokens and a new handle, whatever tokens the request came with."""
    planted = site.sign_in(mode, "attacker")
    for path in ("/open", "/protected"):
        victim = Visitor(site, mode)
        victim.access, victim.refresh_token = planted.access, planted.refresh_token
        reply = victim.post(path, do=create("victim"))
        assert reply.front["uid"] == "victim"
        assert reply.access not in (planted.access, "")
        assert reply.refresh not in (planted.refresh_token, "")
    handles = {*site.handles("victim"), *site.handles("attacker")}
    assert len(handles) == 3
    assert site.get("/protected", bearer=planted.access).json == {"user": "attacker"}


def test_every_handle_is_new(site: Site) -> None:
    """Handles, tokens and anti-CSRF tokens never repeat."""
    visitors = [site.sign_in("header") for _ in range(20)]
    assert len({visitor.handle for visitor in visitors}) == 20
    assert len({visitor.refresh_token for visitor in visitors}) == 20


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "HEAD"])
def test_options_and_trace_never_count_as_a_session(site: Site, method: str) -> None:
    """OPTIONS and TRACE never count as a session and never 5xx; HEAD is verified like POST."""
    visitor = site.sign_in("header")
    for path in ("/protected", "/optional", "/auth/session/refresh", "/auth/signout"):
        reply = visitor.request(method, path)
        assert reply.status < 500
        assert reply.session_parts == []
        assert (visitor.access or "").encode() not in reply.body
    assert site.stored(visitor.handle) is not None
    refused = (204, 405) if site.driver == "litestar" else (401,)  # Litestar answers both methods itself
    assert visitor.request(method, "/protected").status in ((200,) if method == "HEAD" else refused)


@pytest.mark.parametrize(
    "method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "CONNECT", "X"]
)
def test_only_post_refreshes_and_signs_out(site: Site, method: str) -> None:
    """A link, an image or an odd method changes no session."""
    visitor = site.sign_in("cookie")
    for path in ("/auth/session/refresh", "/auth/signout"):
        reply = visitor.request(method, path)
        assert reply.session_parts == []
        assert reply.status in (401, 404, 405, 200, 204)
    assert site.stored(visitor.handle) is not None
    assert visitor.refresh().status == 200


FOREIGN = [
    "https://evil.example",
    "http://example.com",
    "https://example.com:8443",
    "https://example.com.evil.example",
    "https://sub.example.com",
    "https://example.com/",
    "null",
    "",
    "https://example.com\t",
    "file://",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_websocket_of_another_page_is_refused(site: Site, origin: str) -> None:
    """Cross-site hijack: a browser sends its cookies with any WebSocket, so the origin must be ours."""
    if site.driver != "fastapi":
        return  # only FastAPI has WebSockets here
    access = site.sign_in().access or ""
    assert refused(connect("/ws", {"cookie": f"sAccessToken={access}", "origin": origin}))
    assert refused(connect("/optional", {"cookie": f"sAccessToken={access}", "origin": origin}))
    for own in ("https://example.com", "https://api.example.com", "HTTPS://EXAMPLE.COM"):
        assert not refused(connect("/ws", {"cookie": f"sAccessToken={access}", "origin": own}))
