"""Requests that pages of other origins make a browser send: what they cannot do, whatever the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from supertokens_py.recipe.session.exceptions import TokenTheftError, UnauthorisedError
from tests.framework.site import ASGI_AND_WSGI, Site, Visitor
from tests.framework.test_verify import TRY_REFRESH, UNAUTHORISED

WEBSITE, PARTNER, API = "https://example.com", "https://partner-shop.com", "https://api.example.com"
FOREIGN = ("https://evil.test", "null", "capacitor://localhost", "https://github.io", "https://a@b:c", "")


def own_list(request: Any, user_context: dict[str, Any]) -> str:
    """Answer with one of our own websites, the first one for everybody else."""
    sent = request.get_header("origin") if request else None
    return sent if sent in (WEBSITE, PARTNER) else WEBSITE


def echo(request: Any, user_context: dict[str, Any]) -> Any:
    """Answer with whatever the request claims."""
    return request.get_header("origin") if request else None


def create(view: Any) -> Any:
    yield view.create()
    return {}


def sign_in(site: Site, website: str) -> Visitor:
    """Sign in as the official frontend on a website does."""
    visitor = Visitor(site)
    visitor.remember(visitor.post("/open", headers=[("origin", website)], do=create))
    assert visitor.access
    return visitor


SETTINGS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "own list": ({"info": {"website_domain": None, "origin": own_list}}, (WEBSITE, PARTNER, API)),
    "echo": ({"info": {"website_domain": None, "origin": echo}}, (WEBSITE, PARTNER, API)),
    "one site": ({}, (WEBSITE, API)),
    "two sites": ({"info": {"website_domain": PARTNER}}, (PARTNER, API)),
    "none by hand": ({"cookie_same_site": "none"}, (WEBSITE, API)),
    "lax by hand": ({"info": {"website_domain": PARTNER}, "cookie_same_site": "lax"}, (PARTNER, API)),
    "by header": ({"anti_csrf": "VIA_CUSTOM_HEADER"}, (WEBSITE, API)),
    "by token": ({"anti_csrf": "VIA_TOKEN"}, (WEBSITE, API)),
}
PATHS = ("/protected", "/optional", "/csrf-on", "/auth/signout", "/auth/session/refresh")


def forged(site: Site, visitor: Visitor, path: str, headers: list[tuple[str, str]]) -> Any:
    """Send a POST with the visitor's cookies and no header that a page could not send unasked."""
    cookies = [("sAccessToken", visitor.access or "")]
    cookies.append(("sRefreshToken", quote(visitor.refresh_token or "", safe="")))
    return site.post(path, headers, cookies=cookies)


def places(origin: str) -> list[list[tuple[str, str]]]:
    """Say where a request comes from as browsers with and without Fetch Metadata do."""
    said = [("origin", origin)]
    return [
        said,
        *([*said, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", m)] for m in ("no-cors", "cors")),
    ]


@ASGI_AND_WSGI
@pytest.mark.parametrize("setting", SETTINGS)
def test_no_request_decides_what_it_must_prove(bare_site: Site, setting: str) -> None:
    """A cookie set for any website of ours, a request of any other page: refused, and nothing is cleared."""
    settings, websites = SETTINGS[setting]
    site = bare_site.init(**settings)
    for website in websites:
        visitor = sign_in(site, website)
        runs = site.world.runs
        for origin in FOREIGN[:3]:
            for path in PATHS:
                for headers in places(origin):
                    reply = forged(site, visitor, path, headers)
                    body = UNAUTHORISED if path.endswith("refresh") else TRY_REFRESH
                    assert (reply.status, reply.json) == (401, body), (website, headers, path)
                    assert reply.session_parts == []
        assert site.world.runs == runs
        for own in websites:
            headers = [("origin", own), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")]
            for path in ("/protected", "/auth/session/refresh", "/protected"):
                assert visitor.post(path, headers=headers).status == 200, (website, own, path)
        assert visitor.post("/auth/signout", headers=[("origin", website)]).status == 200


@pytest.mark.parametrize("setting", ["own list", "echo"])
def test_with_an_origin_function_every_cookie_request_needs_the_header(bare_site: Site, setting: str) -> None:
    """Also requests that claim to come from a website of ours, or say nothing: cookies may cross sites."""
    site = bare_site.init(**SETTINGS[setting][0])
    for website in SETTINGS[setting][1]:
        visitor = sign_in(site, website)
        for headers in ([], *([("origin", own)] for own in SETTINGS[setting][1])):
            assert forged(site, visitor, "/protected", headers).status == 401
            assert forged(site, visitor, "/auth/signout", headers).status == 401
        assert site.stored(site.handles()[-1]) is not None


def test_pages_of_our_own_site_need_no_header(site: Site) -> None:
    """Where `SameSite=Lax` is the proof, frontends without the SDK go on working, on subdomains as well."""
    visitor = sign_in(site, WEBSITE)
    for headers in (
        [],
        [("origin", WEBSITE)],
        [("origin", "https://www.example.com")],
        [("origin", "https://API.example.com")],
        [("origin", "https://www.example.com"), ("sec-fetch-site", "same-site")],
        [("origin", "null"), ("sec-fetch-site", "same-origin")],  # Referrer-Policy: no-referrer
        [("sec-fetch-site", "same-origin")],
        [("sec-fetch-site", "none")],
    ):
        assert forged(site, visitor, "/protected", headers).status == 200, headers
    for headers in ([("origin", "http://example.com")], [("origin", "https://example.com.evil.test")]):
        assert forged(site, visitor, "/protected", headers).status == 401, headers


# -- signing in --------------------------------------------------------------------------------------


def cookies_for_everybody(request: Any, creating: bool, user_context: dict[str, Any]) -> str:
    return "cookie" if creating else "any"


def _is_browser(request: Any) -> bool:
    return request.get_header("sec-fetch-mode") is not None or request.get_header("origin") is not None


def cookies_for_browsers(request: Any, creating: bool, user_context: dict[str, Any]) -> str:
    return "any" if not creating else "cookie" if _is_browser(request) else "header"


TRANSFERS: dict[str, dict[str, Any]] = {
    "default": {},
    "browsers": {"get_token_transfer_method": cookies_for_browsers},
    "cookies": {"get_token_transfer_method": cookies_for_everybody},
    "headers": {"get_token_transfer_method": lambda *_: "header"},
}
PAGES: list[list[tuple[str, str]]] = [
    [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
    [("origin", "https://evil.test"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    [("origin", "https://evil.example.com"), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate")],
    [("origin", "https://evil.example.com"), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")],
    [("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
    [("origin", "https://evil.test")],
    [("origin", "null")],
]


@ASGI_AND_WSGI
@pytest.mark.parametrize("setting", ["own list", "echo", "one site", "two sites", "none by hand"])
@pytest.mark.parametrize("transfer", TRANSFERS)
def test_another_page_signs_nobody_in_or_out(
    bare_site: Site, transfer: str, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Log-in CSRF: whoever posts to a log-in route, the visitor keeps the cookies that he had, or none."""
    visitor = sign_in(bare_site.init(**SETTINGS[setting][0]), SETTINGS[setting][1][0])
    site = bare_site.init(**SETTINGS[setting][0], **TRANSFERS[transfer])
    for page in PAGES:
        assert site.post("/open", page, do=create).set_cookies == [], page
        reply = site.post("/open", page, do=create, cookies=[("sAccessToken", visitor.access or "")])
        assert reply.set_cookies == [], page
        assert reply.status == (401 if transfer in ("browsers", "cookies") else 200)
    warned = [
        record.getMessage() for record in caplog.records if "sign-in was refused" in record.getMessage()
    ]
    assert len(warned) == (1 if transfer in ("browsers", "cookies") else 0)


REFUSALS: list[Callable[[], Exception]] = [
    lambda: UnauthorisedError("please log in"),
    lambda: TokenTheftError("user-1", "some-handle"),
]


def refusing(refusal: Callable[[], Exception], *, looks: bool = False, creates: bool = False) -> Any:
    """A view that refuses everybody, after it looked for a session or created one."""

    def script(view: Any) -> Any:
        if looks:
            yield view.get_session(session_required=False)
        if creates:
            yield view.create("user-2")
        raise refusal()

    return script


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_view_that_refuses_logs_nobody_out_for_another_page(
    site: Site, method: str, refusal: Callable[[], Exception]
) -> None:
    """The browser withholds its cookies from the page's request, and the answer must leave them alone."""
    for page in PAGES:
        for path, do in (
            ("/optional", refusing(refusal)),
            ("/open", refusing(refusal, looks=True)),
            ("/open", refusing(refusal)),
            ("/open", refusing(refusal, creates=True)),
        ):
            reply = site.request(method, path, page, do=do)
            assert (reply.status, reply.session_parts) == (401, []), (page, path)
    assert site.handles("user-2") == []
    token = sign_in(site, WEBSITE).access or ""
    reply = site.request(method, "/open", PAGES[0], do=refusing(refusal), cookies=[("sAccessToken", token)])
    assert (reply.status, reply.session_parts) == (401, [])  # nobody looked whose session it is


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_view_that_refuses_a_session_clears_it(site: Site, refusal: Callable[[], Exception]) -> None:
    """The visitor came with a session, by a link elsewhere; or one of our pages, or no page, asked."""
    visitor = sign_in(site, WEBSITE)
    cookies = [("sAccessToken", visitor.access or "")]
    reply = site.get("/optional", PAGES[0], do=refusing(refusal), cookies=cookies)
    reply.assert_cleared("cookie", "header")
    for own in ([("origin", WEBSITE)], [("sec-fetch-site", "same-origin")], []):
        site.post("/open", own, do=refusing(refusal)).assert_cleared("cookie", "header")


@pytest.mark.parametrize("transfer", ["browsers", "cookies"])
def test_our_own_pages_sign_in(bare_site: Site, transfer: str) -> None:
    """Forms of the website and the API, frontends that the CORS layer let through, and no browser at all."""
    site = bare_site.init(**TRANSFERS[transfer])
    for page in (
        [("origin", WEBSITE), ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "navigate")],
        [("origin", API), ("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "navigate")],
        [("origin", "http://localhost:8000"), ("sec-fetch-site", "same-origin")],  # by another name
        [("origin", "https://admin.example.com"), ("sec-fetch-site", "same-site"), ("rid", "anti-csrf")],
        [
            ("origin", "https://partner-shop.com"),
            ("sec-fetch-site", "cross-site"),
            ("st-auth-mode", "cookie"),
        ],
        [],
    ):
        reply = site.post("/open", page, do=create)
        assert (reply.status, bool(reply.set_cookies)) == (200, transfer == "cookies" or page != []), page


@pytest.mark.parametrize(("dest", "status"), [("document", 200), ("iframe", 401), ("image", 401)])
def test_who_arrives_by_a_link_may_be_signed_in(bare_site: Site, dest: str, status: int) -> None:
    """An identity provider sends its visitors back by GET, a mail links; frames and images are neither."""
    site = bare_site.init(**TRANSFERS["cookies"])
    mode = "navigate" if dest != "image" else "no-cors"
    page = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)]
    assert site.get("/open", page, do=create).status == status
    assert site.post("/open", page, do=create).status == 401


# -- origins that are none ---------------------------------------------------------------------------

NONSENSE = [
    *FOREIGN,
    "tauri://localhost",
    "http://",
    "https://[::1",
    "x" * 5000,
    "https://a.b,https://c.d",
    "é",
]


@pytest.mark.parametrize(
    "api", ["https://api.example.com", "http://localhost:8000", "http://api.example.com"]
)
@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_no_origin_is_an_error_of_the_server(bare_site: Site, api: str, mode: str) -> None:
    """An origin that no web page could have is another site: log-in, refresh, sign-out and POST work so."""
    answers: list[Callable[..., Any]] = [echo, lambda request, context: request.get_header("x-claim")]
    for origin in answers:
        site = bare_site.init(info={"website_domain": None, "origin": origin, "api_domain": api})
        for text in NONSENSE:
            headers = [("origin" if origin is echo else "x-claim", text), ("rid", "session")]
            reply = site.post("/open", [*headers, ("st-auth-mode", mode)], do=create)
            if mode == "cookie" and not api.startswith("https"):
                assert (reply.status, reply.json) == (401, UNAUTHORISED)  # no browser would keep the cookies
                continue
            assert reply.status == 200
            if mode == "cookie":
                assert reply.cookie("sAccessToken").attributes["samesite"] == "None"
            visitor = Visitor(site, mode)
            visitor.remember(reply)
            for path in ("/protected", "/auth/session/refresh", "/auth/signout"):
                assert visitor.post(path, headers=headers[:1]).status == 200, (text, path)


def test_an_origin_function_is_asked_where_cookies_are_written(bare_site: Site) -> None:
    """Not for reading, not in header mode, and not to decide what a request must prove."""
    asked: list[Any] = []

    def origin(request: Any, user_context: dict[str, Any]) -> str:
        asked.append(request.get_path())
        return WEBSITE

    site = bare_site.init(info={"website_domain": None, "origin": origin})
    visitor = site.sign_in("header")
    for path in ("/protected", "/auth/session/refresh", "/auth/signout"):
        assert visitor.post(path).status == 200
    assert asked == []
    visitor = site.sign_in("cookie")
    asked.clear()
    assert visitor.post("/protected").status == 200
    assert asked == []
    assert visitor.refresh().status == 200
    assert set(asked) == {"/auth/session/refresh"}


@pytest.mark.parametrize("answer", [5, b"https://example.com", ["https://example.com"]])
def test_an_origin_function_that_returns_no_text(bare_site: Site, answer: Any) -> None:
    """That is a bug of the application, and named."""
    site = bare_site.init(info={"website_domain": None, "origin": lambda *_: answer})
    assert site.post("/open", [("st-auth-mode", "cookie")], do=create).status == 500
    assert str(site.client.error) == f"the function `origin` returned {answer!r}; it must return a string"
    assert site.handles() == []
