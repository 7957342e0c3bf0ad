"""What leaves the server: no split responses, no cached tokens, no redirects, nothing echoed raw."""

from __future__ import annotations

import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

import supertokens_py
from supertokens_py.framework.response import BaseResponse, Changes
from supertokens_py.testing.conformance import Reply
from tests.framework.script import Answer
from tests.framework.site import ASGI_AND_WSGI, Site

# -- caches ----------------------------------------------------------------------------------------


def merge(*headers: tuple[str, str]) -> Any:
    def script(view: Any) -> Any:
        yield view.merge({"a": 1})
        return Answer({}, 200, headers)

    return script


def test_a_response_with_tokens_is_never_stored(site: Site, mode: str) -> None:
    """Signing in, refreshing, changing the payload, signing out, clearing: in the words of every cache."""
    visitor = site.sign_in(mode)
    refreshed = visitor.refresh()
    merged = visitor.get("/protected", do=merge())
    stolen = visitor.refresh_token
    visitor.refresh()
    signed_out = visitor.post("/auth/signout")
    visitor.refresh_token = stolen
    cleared = visitor.refresh()
    for reply in (visitor.first, refreshed, merged, signed_out, cleared):
        assert reply.session_parts
        assert reply.all("cache-control") == ["private, no-store"]
        assert reply.all("vary") == ["Cookie, Authorization"]


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("own", "sent"),
    [
        ("private", "private, no-store"),
        ("private, max-age=60", "private, no-store"),
        ("No-Store", "private, no-store"),
        ("public, max-age=3600, stale-while-revalidate=60, immutable", "private, no-store"),
        ("no-store, must-understand", "private, no-store"),  # lets caches ignore no-store
        ("s-maxage=60, Must-Revalidate, no-transform", "private, no-store, must-revalidate, no-transform"),
        ("no-cache", "private, no-store, no-cache"),
        ('private="x-other, no-cache"', "private, no-store"),
        ("", "private, no-store"),
    ],
)
def test_only_a_stricter_choice_of_the_application_stands(site: Site, own: str, sent: str) -> None:
    """A view that is cacheable is not on the one response to which tokens are added."""
    visitor = site.sign_in()
    own_header = ("Cache-Control", own)
    assert visitor.get("/protected", do=merge(own_header)).all("cache-control") == [sent]
    plain = visitor.get("/protected", do=lambda view: Answer({}, 200, (own_header,)))
    assert plain.session_parts == []
    assert [value.lower() for value in plain.all("cache-control")] == [own.lower()]


OVERRULING = (
    ("CDN-Cache-Control", "max-age=600", "no-store"),
    ("Cloudflare-CDN-Cache-Control", "public, max-age=600", "no-store"),
    ("X-LiteSpeed-Cache-Control", "public, max-age=600", "no-store"),
    ("Surrogate-Control", "max-age=600", "no-store"),
    ("Edge-Control", "cache-maxage=600", "no-store"),
    ("X-Accel-Expires", "600", "0"),
    ("Expires", "Thu, 01 Jan 2099 00:00:00 GMT", "0"),
)


def test_no_other_header_lets_a_cache_keep_tokens(site: Site, mode: str) -> None:
    """nginx and CDNs obey headers of their own before Cache-Control; without tokens they are the view's."""
    visitor = site.sign_in(mode)
    own = tuple((name, value) for name, value, _ in OVERRULING)
    reply = visitor.get("/protected", do=merge(*own, ("X-Cache-Note", "max-age=600")))
    assert {name: reply.all(name) for name, *_ in OVERRULING} == {
        name: [value] for name, _, value in OVERRULING
    }
    assert reply.all("x-cache-note") == ["max-age=600"]
    plain = visitor.get("/protected", do=lambda view: Answer({}, 200, own))
    assert [(name, plain.header(name)) for name, _ in own] == list(own)


def test_the_application_s_own_headers_do_not_count() -> None:
    """Headers and cookies that a hook adds are no tokens."""
    response, changes = BaseResponse(), Changes()
    response.set_header("x-app", "1")
    response.set_cookie("theme", "dark", 2_000_000_000_000)
    changes.adopt(response)
    assert [name for name, _ in changes.apply_to([])] == ["x-app", "Set-Cookie"]


def test_headers_that_proxies_may_not_carry(site: Site, mode: str, caplog: pytest.LogCaptureFixture) -> None:
    """One warning for all responses, before a proxy turns a log-in or a refresh into a 502."""
    site.sign_in(mode, payload={"note": "x" * 100})
    assert caplog.messages == []
    visitor = site.sign_in(mode, payload={"note": "x" * 1000})
    visitor.refresh()
    (told,) = caplog.messages
    size = sum(len(name) + len(value) + 4 for name, value in visitor.first.headers if name in TOKENS)
    assert told.startswith(
        f"the token headers of one response take {size} bytes. By default nginx answers 502"
    )


TOKENS = ("front-token", "st-access-token", "st-refresh-token", "set-cookie")


# -- splitting -------------------------------------------------------------------------------------

NASTY = [
    "a\r\nset-cookie: x=1",
    "a\nb",
    "a\rb",
    "a\0b",
    "\x0b",
    "\x85",
    "\u2028",
    "é\r\n\r\n<p>",
    "%0d%0aX: 1",
]
ECHOED = [
    "rid",
    "fdi-version",
    "st-auth-mode",
    "anti-csrf",
    "authorization",
    "origin",
    "host",
    "x-forwarded-host",
]


def assert_whole(reply: Reply) -> None:
    """Every header of the response is one line of printable text."""
    for name, value in reply.headers:
        assert (name + value).isprintable(), (name, value)
        assert (name + value).isascii()


@pytest.mark.parametrize("nasty", NASTY)
def test_no_header_of_a_request_reaches_the_response(site: Site, nasty: str) -> None:
    """Control characters in every header and cookie that the SDK reads: nothing splits, nothing is 5xx."""
    if site.driver == "quart" and ("\r" in nasty or "\n" in nasty):
        with pytest.raises(ValueError, match="must not contain newline"):  # before anybody reads it
            site.get("/protected", [(ECHOED[0], nasty)])
        return
    if not nasty.isascii():
        nasty = nasty.encode().decode("latin-1")
    visitor = site.sign_in(anti_csrf := "cookie")
    assert anti_csrf == visitor.mode
    for path, method in (("/protected", "GET"), ("/auth/session/refresh", "POST"), ("/auth/signout", "POST")):
        for name in ECHOED:
            headers = [(name, nasty if name != "authorization" else f"Bearer {nasty}")]
            reply = site.request(method, path, headers)
            assert reply.status in (200, 400, 401), (name, reply.status)
            assert_whole(reply)
        for cookie in ("sAccessToken", "sRefreshToken", "sIdRefreshToken", "sFrontToken", "st-x"):
            reply = site.request(method, path, [("cookie", f"{cookie}={nasty}")])
            assert reply.status in (200, 401), (cookie, reply.status)
            assert_whole(reply)


@pytest.mark.pairwise
@pytest.mark.parametrize("nasty", NASTY)
def test_what_an_application_stores_comes_back_encoded(site: Site, mode: str, nasty: str) -> None:
    """User ids and payloads with line breaks: base64 in the front token, percent-encoded in cookies."""
    if "\0" in nasty:
        nasty = nasty.replace("\0", "\x01")
    reply = site.sign_in(mode, f"u{nasty}1", {"claim": nasty}).first
    assert_whole(reply)
    assert (reply.front["uid"], reply.front["up"]["claim"]) == (f"u{nasty}1", nasty)


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nx: y"])
def test_hooks_cannot_split_a_response(bad: str) -> None:
    """What a hook writes is checked where it writes it."""
    response = BaseResponse()
    for write in (
        lambda: response.set_header("x", f"a{bad}"),
        lambda: response.set_header(f"x{bad}", "a"),
        lambda: response.redirect(f"/a{bad}"),
        lambda: response.set_cookie(f"a{bad}", "v", 0),
        lambda: response.set_cookie("a", "v", 0, path=f"/{bad}"),
        lambda: response.set_cookie("a", "v", 0, domain=f"a{bad}"),
    ):
        with pytest.raises(ValueError, match="may not contain"):
            write()
    response.set_cookie("a", f"v{bad}", 0)  # a value is encoded
    (line,) = (value for name, value in response.header_list() if name == "Set-Cookie")
    assert line.isprintable()


@pytest.mark.parametrize(
    ("name", "path", "domain", "message"),
    [
        ("a;b", "/", None, "the name of cookie 'a;b' may not contain line breaks, ';' or '='"),
        ("a=b", "/", None, "the name of cookie 'a=b' may not contain line breaks, ';' or '='"),
        ("a", "/;x", None, "path and domain of cookie 'a' may not contain line breaks or ';'"),
        ("a", "/", "x;y", "path and domain of cookie 'a' may not contain line breaks or ';'"),
    ],
)
def test_hooks_cannot_add_cookie_attributes(name: str, path: str, domain: str | None, message: str) -> None:
    """A semicolon in a name, a path or a domain would begin an attribute; a path may contain "="."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BaseResponse().set_cookie(name, "v", 0, path=path, domain=domain)
    BaseResponse().set_cookie("a", "v", 0, path="/x=y")


# -- redirects and pages ---------------------------------------------------------------------------


def test_the_sdk_redirects_in_two_places_only() -> None:
    """`redirect` and `Location` are there for hooks. Apple's answer is a form post, which has to lead on.

    Django's own response of a redirect has its address where Django's tests look for it.

    `target_of` compares where to with the website and the listed addresses before that. Pages lead to paths
    of this server alone. The description of Apple's answer in OpenAPI names the header.
    """
    package = Path(supertokens_py.__file__).parent
    users = [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if '"location"' in path.read_text().lower() or ".redirect(" in path.read_text()
    ]
    assert users == [
        "framework/django/native.py",
        "framework/openapi_routes.py",
        "framework/response.py",
        "recipe/session/responses/redirects.py",
        "recipe/thirdparty/api.py",
    ]


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x"]
)
def test_no_parameter_makes_a_redirect(site: Site, target: str) -> None:
    """Whatever looks like a return address is ignored on every route of the SDK."""
    for path in ("/auth/session/refresh", "/auth/signout", "/protected"):
        for name in ("redirect", "redirectToPath", "next", "returnTo", "url"):
            reply = site.post(f"{path}?{name}={target}")
            assert reply.status == 401
            assert reply.header("location") is None


def test_answers_are_json(site: Site) -> None:
    """No answer of the SDK can be read as a page, so that nothing in it can run."""
    for path in ("/auth/session/refresh", "/auth/signout"):
        reply = site.post(path, [("accept", "text/html")])
        assert reply.header("content-type") == "application/json; charset=utf-8"


def test_every_module_can_be_searched() -> None:
    """The search above sees the whole package."""
    package = Path(supertokens_py.__file__).parent
    names = {module.name for module in pkgutil.iter_modules([str(package)])}
    assert {"app", "framework", "recipe", "engine"} <= names
    assert "redirect" in inspect.getsource(BaseResponse)
