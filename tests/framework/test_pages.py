"""Pages that a server renders: what browsers that navigate get in the place of a 401."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session import PageSettings, next_page

from .site import DRIVERS, SERVED, Site, Visitor
from .test_verify import LEGACY, LEGACY_CLAIMS

NAVIGATES = [
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
    ("sec-fetch-site", "same-origin"),
]
FROM_ELSEWHERE = [*NAVIGATES[:2], ("sec-fetch-site", "cross-site")]
OLD_BROWSER = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")]
HTMX = [("hx-request", "true"), ("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")]
#: How browsers, their previews and the preload extension of HTMX say that nobody has asked for it yet.
IN_ADVANCE = [
    [*NAVIGATES, ("sec-purpose", "prefetch")],
    [*NAVIGATES, ("sec-purpose", "prefetch;prerender")],
    [*NAVIGATES, ("sec-purpose", "Prefetch;anonymous-client-ip")],
    [*NAVIGATES, ("purpose", "prefetch")],
    [*OLD_BROWSER, ("x-moz", "prefetch")],
    [*OLD_BROWSER, ("x-purpose", "preview")],
    [*HTMX, ("sec-purpose", "prefetch")],
    [*HTMX, ("hx-preloaded", "true")],
]
#: Pictures, frames and scripts.
NO_PAGES = [
    [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image"), ("sec-fetch-site", "same-origin")],
    [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe"), ("sec-fetch-site", "same-origin")],
    [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("accept", "text/html")],
    [("accept", "image/avif,image/webp,*/*")],
    [],
]
PAGE = "/protected?tab=2&q=a%20b"
LOGIN = "/login?next=/protected%3Ftab%3D2%26q%3Da%2520b"
REFRESH = "/auth/session/refresh?next=/protected%3Ftab%3D2%26q%3Da%2520b"


@pytest.fixture
def pages(bare_site: Site) -> Site:
    return bare_site.init(
        info={"website_domain": "https://api.example.com"}, pages=PageSettings(login_path="/login")
    )


def where(reply: Any) -> tuple[int, str | None]:
    return reply.status, reply.header("location")


def test_visitors_are_sent_to_the_login_page(pages: Site) -> None:
    for headers in (NAVIGATES, OLD_BROWSER):
        reply = pages.get(PAGE, headers)
        assert where(reply) == (303, LOGIN)
        assert reply.header("cache-control") == "private, no-store"
        assert "Cookie" in (reply.header("vary") or "")


@pytest.mark.parametrize(
    "headers",
    [
        [("sec-fetch-mode", "cors"), ("sec-fetch-dest", "empty"), ("accept", "text/html")],
        [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
        [*NAVIGATES, ("sec-purpose", "prefetch;prerender")],
        [*NAVIGATES, ("purpose", "prefetch")],
        [("accept", "application/json")],
        [],
    ],
)
def test_scripts_and_prefetches_get_the_401(pages: Site, headers: list[tuple[str, str]]) -> None:
    """CP-37."""
    reply = pages.get(PAGE, headers)
    assert (reply.status, reply.json) == (401, {"message": "unauthorised"})


def test_a_form_that_cannot_be_taken_is_answered_by_a_page(pages: Site) -> None:
    """What it holds cannot be sent on. Scripts get JSON as ever; nothing of a request is HTML in the page."""
    sent_from = ("referer", "https://api.example.com/orders?a=%3Cb%3E&c=\"'<i>")
    visitor = pages.sign_in("cookie")
    pages.clock.advance(hours=2)
    expired = visitor.post(PAGE, headers=[*NAVIGATES, sent_from])
    assert (expired.status, expired.header("content-type")) == (401, "text/html; charset=utf-8")
    where_to = "/auth/session/refresh?next=/orders%3Fa%3D%253Cb%253E%26c%3D%22%27%3Ci%3E"
    assert f'<a href="{where_to}" target="_blank" rel="noopener">Renew it' in expired.body.decode()
    assert expired.header("cache-control") == "private, no-store"
    for elsewhere in ("https://evil.example/orders", "http://["):
        stranger = pages.post(PAGE, [*NAVIGATES, ("referer", elsewhere)])
        assert (stranger.status, stranger.header("content-type")) == (401, "text/html; charset=utf-8")
        assert '<a href="/login?next=/" target="_blank" rel="noopener">Log in' in stranger.body.decode()
    assert visitor.post(PAGE).json == {"message": "try refresh token"}


def test_a_token_whose_expiry_is_not_known_is_verified_all_the_same(pages: Site) -> None:
    """Of a long one the payload is not read before its signature; one of the oldest SDKs has other claims."""
    visitor = pages.sign_in("cookie")
    assert visitor.get("/protected").status == 200  # and the keys are loaded
    access = visitor.access or ""
    head = access.partition(".")[0]
    claims = urlsafe_b64encode(json.dumps(LEGACY_CLAIMS).encode()).decode()
    for forged in (f"{head}.{'A' * 5000}.AAAA", *(f"{old}.{claims}.AAAA" for old in LEGACY.values())):
        for path in ("/protected", "/optional"):
            reply = pages.get(path, NAVIGATES, cookies=[("sAccessToken", forged)])
            assert where(reply) == (303, f"/auth/session/refresh?next={path}"), forged[:40]
            reply = pages.get(path, cookies=[("sAccessToken", forged)])
            assert (reply.status, reply.json) == (401, {"message": "try refresh token"}), forged[:40]


@pytest.mark.parametrize("of_multipart", [False, True])
def test_a_sign_out_form_goes_on_to_the_page_that_it_names(pages: Site, of_multipart: bool) -> None:
    visitor = pages.sign_in("cookie")
    lines = ["--b1", 'Content-Disposition: form-data; name="next"', "", "/bye", "--b1--", ""]
    body = "\r\n".join(lines) if of_multipart else "next=/bye"
    kind = "multipart/form-data; boundary=b1" if of_multipart else "application/x-www-form-urlencoded"
    headers = [*NAVIGATES, ("content-type", kind)]
    assert where(visitor.post("/auth/signout", headers=headers, body=body.encode())) == (303, "/bye")


def test_an_expired_page_comes_back_after_one_rotation(pages: Site) -> None:
    """CP-37."""
    visitor = pages.sign_in("cookie")
    pages.clock.advance(hours=2)
    calls = pages.spy()
    there = visitor.get(PAGE, headers=NAVIGATES)
    assert where(there) == (303, REFRESH)
    back = visitor.get(REFRESH, headers=NAVIGATES)
    assert where(back) == (303, PAGE)
    assert back.session_parts == ["front-token", "sAccessToken", "sRefreshToken"]
    assert visitor.get(PAGE, headers=NAVIGATES).json == {"user": "user-1"}
    assert [call for call in calls if call == "sessions.refresh"] == ["sessions.refresh"]


@pytest.mark.parametrize("bare_site", [*DRIVERS, *SERVED], indirect=True)
def test_what_nobody_asks_for_rotates_nothing(pages: Site) -> None:
    """CP-37: neither a page nor the refresh that it leads to, where a browser or HTMX fetches in advance."""
    visitor = pages.sign_in("cookie")
    pages.clock.advance(hours=2)
    calls = pages.spy()
    for headers in (*IN_ADVANCE, *NO_PAGES):
        for path in (PAGE, REFRESH):
            reply = visitor.get(path, headers=headers)
            assert (reply.status, reply.session_parts) == (401, []), (path, headers)
            assert reply.header("hx-redirect") is None
            if path == REFRESH or headers in IN_ADVANCE:
                assert reply.header("cache-control") == "private, no-store"
    assert calls == []
    assert where(visitor.get(REFRESH, headers=NAVIGATES)) == (303, PAGE)


@pytest.mark.parametrize("bare_site", ["fastapi"], indirect=True)
def test_a_sign_out_is_not_done_in_advance(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    cookies = [("sRefreshToken", visitor.refresh_token or ""), ("sPageSignOut", "1")]
    assert pages.get(REFRESH, IN_ADVANCE[0], cookies=cookies).status == 401
    assert pages.stored(visitor.handle) is not None


def test_tokens_in_headers_are_no_business_of_pages(pages: Site) -> None:
    visitor = pages.sign_in("header")
    pages.clock.advance(minutes=40)
    assert visitor.get(PAGE, headers=NAVIGATES).json == {"user": "user-1"}


def test_a_page_refreshes_ahead_and_a_script_does_not(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    pages.clock.advance(minutes=29)
    assert visitor.get(PAGE, headers=NAVIGATES).status == 200
    pages.clock.advance(minutes=2)
    assert visitor.get(PAGE).status == 200
    assert where(visitor.get(PAGE, headers=NAVIGATES)) == (303, REFRESH)


def test_refreshing_ahead_can_be_off(bare_site: Site) -> None:
    settings = PageSettings(login_path="/login", refresh_ahead=False)
    site = bare_site.init(info={"website_domain": "https://api.example.com"}, pages=settings)
    visitor = site.sign_in("cookie")
    site.clock.advance(minutes=59)
    assert visitor.get(PAGE, headers=NAVIGATES).status == 200


def test_a_revoked_session_ends_at_the_login_page_with_its_tokens_cleared(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    pages.engine.sessions.revoke([visitor.handle])
    pages.clock.advance(hours=2)
    assert where(visitor.get(PAGE, headers=NAVIGATES)) == (303, REFRESH)
    ended = visitor.get(REFRESH, headers=NAVIGATES)
    assert where(ended) == (303, PAGE)
    ended.assert_cleared("cookie", "header")
    assert where(visitor.get(PAGE, headers=NAVIGATES)) == (303, LOGIN)


def test_a_stolen_token_ends_at_the_login_page_and_the_session_with_it(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    stolen = visitor.refresh_token
    for _ in range(2):
        pages.clock.advance(minutes=5)
        visitor.refresh()
    reply = pages.get(REFRESH, NAVIGATES, cookies=[("sRefreshToken", stolen or "")])
    assert where(reply) == (303, PAGE)
    reply.assert_cleared("cookie", "header")
    assert where(pages.get(PAGE, NAVIGATES)) == (303, LOGIN)
    assert pages.stored(visitor.handle) is None


def test_a_loop_ends_at_the_login_page(pages: Site) -> None:
    """CP-37: a clock that is hours off makes every new access token expired at once."""
    visitor = pages.sign_in("cookie")
    pages.clock.advance(hours=2)
    for tries in range(3):
        cookies = [("sAccessToken", visitor.access or ""), *([("sPageTries", str(tries))] if tries else [])]
        assert where(pages.get(PAGE, NAVIGATES, cookies=cookies)) == (303, REFRESH)
        back = pages.get(
            REFRESH,
            NAVIGATES,
            cookies=[("sRefreshToken", visitor.refresh_token or ""), *cookies[1:]],
        )
        assert back.cookie("sPageTries").value == str(tries + 1)
    cookies = [("sAccessToken", visitor.access or ""), ("sPageTries", "3")]
    assert where(pages.get(PAGE, NAVIGATES, cookies=cookies)) == (303, LOGIN)


def test_no_address_leads_off_the_server(pages: Site) -> None:
    """CP-37."""
    visitor = pages.sign_in("cookie")
    for following in ("%2F%2Fevil.example", "/%E2%82%AC"):  # the second fits no header
        reply = visitor.get(f"/auth/session/refresh?next={following}", headers=NAVIGATES)
        assert where(reply) == (303, "/")
        assert reply.session_parts == ["front-token", "sAccessToken", "sRefreshToken"]
    assert (next_page("/\t/evil.example"), next_page("/a?b")) == ("/", "/a?b")


def test_a_link_from_another_site_is_followed_once_more_where_cookies_were_kept_back(pages: Site) -> None:
    reply = pages.get(PAGE, FROM_ELSEWHERE)
    assert reply.status == 200
    assert 'http-equiv="refresh" content="0;url=/protected?tab=2&amp;q=a%20b"' in reply.body.decode()
    assert reply.header("content-type") == "text/html; charset=utf-8"
    assert where(pages.get(PAGE, NAVIGATES)) == (303, LOGIN)
    reply = pages.get(REFRESH, FROM_ELSEWHERE)
    assert reply.status == 200
    assert f'http-equiv="refresh" content="0;url={REFRESH}"' in reply.body.decode()
    assert reply.session_parts == []


def test_a_link_from_another_site_may_refresh(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    assert where(visitor.get(REFRESH, headers=FROM_ELSEWHERE)) == (303, PAGE)


def test_htmx_follows_refreshes_and_loads_pages_again(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    pages.clock.advance(hours=2)
    assert where(visitor.get(PAGE, headers=HTMX)) == (303, REFRESH)
    posted = visitor.post(PAGE, headers=HTMX)
    assert (posted.status, posted.header("hx-refresh")) == (401, "true")
    nobody = pages.get(PAGE, HTMX)
    assert (nobody.status, nobody.header("hx-redirect")) == (401, "/login")


def test_the_login_goes_on_to_the_page_that_htmx_is_on(pages: Site) -> None:
    """A part of a page is none to go on to; what a boosted link leads to is."""
    for current, login in (
        ("https://api.example.com/orders?a=b", "/login?next=/orders%3Fa%3Db"),
        ("https://evil.example/orders", "/login"),
        ("https://api.example.com/auth/signout", "/login?next=/"),
        ("https://api.example.com/login?next=/orders", "/login"),
        ("http://[", "/login"),
    ):
        for ask in (pages.get, pages.post):
            assert ask(PAGE, [*HTMX, ("hx-current-url", current)]).header("hx-redirect") == login
    boosted = [*HTMX, ("hx-boosted", "true"), ("hx-current-url", "https://api.example.com/orders")]
    assert pages.get(PAGE, boosted).header("hx-redirect") == LOGIN
    assert pages.post(PAGE, boosted).header("hx-redirect") == "/login?next=/orders"
    assert pages.get(REFRESH, boosted).header("hx-redirect") == LOGIN


def test_a_form_that_htmx_sends_signs_out_and_goes_on(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    reply = form(visitor, HTMX)
    assert (reply.status, reply.body, reply.header("hx-redirect")) == (200, b"", "/bye")
    reply.assert_cleared("cookie")
    assert pages.stored(visitor.handle) is None
    assert form(visitor, HTMX, "//evil.example").header("hx-redirect") == "/"
    late = pages.sign_in("cookie")
    pages.clock.advance(hours=2)
    there = form(late, HTMX)
    assert there.header("hx-redirect") == "/auth/session/refresh?next=/bye"
    cookies = [
        ("sRefreshToken", late.refresh_token or ""),
        ("sPageSignOut", there.cookie("sPageSignOut").value),
    ]
    assert where(pages.get("/auth/session/refresh?next=/bye", NAVIGATES, cookies=cookies)) == (303, "/bye")
    assert pages.stored(late.handle) is None
    assert pages.sign_in("cookie").post("/auth/signout", headers=HTMX).json == {"status": "OK"}


def form(visitor: Visitor, headers: Any = NAVIGATES, following: str = "/bye") -> Any:
    body = f"next={following}".encode()
    return visitor.post(
        "/auth/signout", headers=[*headers, ("content-type", "application/x-www-form-urlencoded")], body=body
    )


def test_a_form_signs_out_and_goes_on(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    reply = form(visitor)
    assert where(reply) == (303, "/bye")
    reply.assert_cleared("cookie")
    assert pages.stored(visitor.handle) is None
    assert where(form(visitor, following="//evil.example")) == (303, "/")


def test_a_form_signs_out_an_expired_session_on_the_refresh_path(pages: Site) -> None:
    """The cookie that says so is Strict: no page of another site can have it sent."""
    visitor = pages.sign_in("cookie")
    pages.clock.advance(hours=2)
    there = form(visitor, OLD_BROWSER)
    assert where(there) == (303, "/auth/session/refresh?next=/bye")
    asked = there.cookie("sPageSignOut")
    assert (asked.value, asked.attributes["path"]) == ("1", "/auth/session/refresh")
    assert asked.attributes["samesite"] == "Strict"
    link = "/auth/session/refresh?next=/bye&sign_out=1"
    assert where(visitor.get(link, headers=NAVIGATES)) == (303, "/bye")
    assert pages.stored(visitor.handle) is not None  # a parameter signs nobody out
    cookies = [("sRefreshToken", visitor.refresh_token or ""), ("sPageSignOut", "1")]
    reply = pages.get("/auth/session/refresh?next=/bye", OLD_BROWSER, cookies=cookies)
    assert where(reply) == (303, "/bye")
    reply.assert_cleared("cookie")
    assert reply.cookie("sPageSignOut").value == ""
    assert pages.stored(visitor.handle) is None


def test_a_form_of_another_site_signs_nobody_out(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    assert form(visitor, FROM_ELSEWHERE).status == 401
    assert pages.stored(visitor.handle) is not None


def test_a_frontend_signs_out_as_ever(pages: Site) -> None:
    visitor = pages.sign_in("cookie")
    assert visitor.post("/auth/signout").json == {"status": "OK"}


def test_without_pages_the_path_is_the_applications(site: Site) -> None:
    visitor = site.sign_in("cookie")
    assert visitor.get(REFRESH, headers=NAVIGATES).status in (404, 405)
    assert site.get(PAGE, NAVIGATES).status == 401
    assert [next_page(given) for given in ("/a?b", None, "//evil.example", "/auth/signout")] == [
        "/a?b",
        *["/"] * 3,
    ]


@pytest.mark.parametrize("path", ["login", "//evil.example", "https://evil.example", "/a b", None])
def test_a_login_path_is_a_path(path: Any) -> None:
    with pytest.raises(ConfigError, match="login_path must be a path"):
        PageSettings(login_path=path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"anti_csrf": "VIA_TOKEN"}, "anti_csrf VIA_TOKEN"),
        ({"anti_csrf": "VIA_CUSTOM_HEADER"}, "anti_csrf VIA_CUSTOM_HEADER"),
        ({"get_token_transfer_method": "header"}, "pages need cookies"),
        ({"pages": "/login"}, "pages must be a PageSettings or None"),
    ],
)
def test_settings_that_pages_cannot_work_with_are_named(
    bare_site: Site, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        bare_site.init(**{"pages": PageSettings(login_path="/login"), **settings})


def test_a_form_that_signs_in_gets_cookies(pages: Site) -> None:
    """It cannot say `st-auth-mode: cookie`, and no script would keep tokens of headers."""

    def create(view: Any) -> Any:
        made = yield view.create("user-1")
        return {"handle": made.get_handle()}

    for headers in (NAVIGATES, OLD_BROWSER, HTMX):
        assert pages.post("/open", headers, do=create).session_parts == [
            "front-token",
            "sAccessToken",
            "sRefreshToken",
        ]
    for headers in ([], [*NAVIGATES, ("st-auth-mode", "header")]):
        assert pages.post("/open", headers, do=create).session_parts == [
            "front-token",
            "st-access-token",
            "st-refresh-token",
        ]
