"""Pages that a server renders, as a browser follows their redirects: nobody goes round in circles."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest

from supertokens_py.recipe.session import PageSettings, next_page
from supertokens_py.testing.conformance import Reply

from .site import Site
from .test_pages import FROM_ELSEWHERE, NAVIGATES, OLD_BROWSER
from .test_verify import UNAUTHORISED

pytestmark = pytest.mark.parametrize("bare_site", ["fastapi", "flask", "django_sync"], indirect=True)

#: The log-in page, which looks for a session, as a template of all pages does.
LOGIN = "/optional"


class Browser:
    """Keeps cookies and follows redirects; `hops` are the addresses of the last navigation."""

    def __init__(self, site: Site, headers: Any = NAVIGATES) -> None:
        self.site = site
        self.headers = headers
        self.jar: dict[tuple[str, str], str] = {}
        self.hops: list[str] = []

    def send(self, method: str, address: str, **more: Any) -> Reply:
        path = urlsplit(address).path
        cookies = [(name, value) for (name, below), value in self.jar.items() if path.startswith(below)]
        reply = self.site.request(method, address, self.headers, cookies=cookies, **more)
        for cookie in reply.set_cookies:
            key = cookie.name, cookie.attributes["path"]
            self.jar.pop(key, None)
            if cookie.attributes.get("max-age") != "0" and not cookie.is_cleared:
                self.jar[key] = cookie.raw
        return reply

    def go(self, address: str) -> Reply:
        self.hops = [address]
        while True:
            reply = self.send("GET", self.hops[-1])
            if reply.status != 303:
                return reply
            assert len(self.hops) < 12, self.hops
            self.hops.append(reply.header("location") or "")

    def sign_in(self) -> str:
        def create(view: Any) -> Any:
            made = yield view.create("user-1")
            return {"handle": made.get_handle()}

        mine, self.headers = self.headers, NAVIGATES
        try:
            return self.send("POST", "/open", do=create).json["handle"]
        finally:
            self.headers = mine

    def has(self, name: str) -> bool:
        return any(name == known for known, _ in self.jar)


def started(site: Site, login_path: str = LOGIN, **engine: Any) -> Site:
    return site.init(
        info={"website_domain": "https://api.example.com"},
        engine=engine,
        pages=PageSettings(login_path=login_path),
    )


def with_a_wrong_clock(site: Site) -> Browser:
    """Return a browser to which every access token is one that has expired, and stays so."""
    browser = Browser(site)
    browser.sign_in()
    expired = browser.jar[("sAccessToken", "/")]
    site.clock.advance(hours=2)
    original = browser.send

    def send(method: str, address: str, **more: Any) -> Reply:
        browser.jar[("sAccessToken", "/")] = expired
        return original(method, address, **more)

    browser.send = send  # type: ignore[method-assign]
    return browser


@pytest.mark.parametrize("page", [LOGIN, "/optional?next=/protected", "/protected"])
def test_a_loop_of_refreshes_ends_on_the_login_page(bare_site: Site, page: str) -> None:
    """CP-37."""
    browser = with_a_wrong_clock(started(bare_site))
    reply = browser.go(page)
    assert (reply.status, reply.json) == (200, {"user": None})
    assert len([hop for hop in browser.hops if "/session/refresh" in hop]) == 3
    assert not [hop for hop in browser.hops if "next=/optional%3Fnext" in hop and "refresh" not in hop]


def test_a_page_for_everybody_is_served_in_a_loop_as_to_a_visitor(bare_site: Site) -> None:
    browser = with_a_wrong_clock(started(bare_site, "/login"))
    assert browser.go(LOGIN).json == {"user": None}
    assert urlsplit(browser.hops[-1]).path == LOGIN


@pytest.mark.parametrize("headers", [NAVIGATES, OLD_BROWSER, FROM_ELSEWHERE])
def test_whose_session_ended_sees_a_page_for_everybody_as_a_visitor(bare_site: Site, headers: Any) -> None:
    site = started(bare_site, "/login")
    browser = Browser(site, headers)
    handle = browser.sign_in()
    site.engine.sessions.revoke([handle])
    site.clock.advance(hours=2)
    assert browser.go(LOGIN).json == {"user": None}
    assert browser.hops == [LOGIN, "/auth/session/refresh?next=/optional", LOGIN]
    assert not browser.has("sAccessToken")


def test_a_page_with_a_session_asks_for_the_login_itself(bare_site: Site) -> None:
    site = started(bare_site)
    browser = Browser(site)
    site.engine.sessions.revoke([browser.sign_in()])
    site.clock.advance(hours=2)
    assert browser.go("/protected").json == {"user": None}
    assert browser.hops == [
        "/protected",
        "/auth/session/refresh?next=/protected",
        "/protected",
        "/optional?next=/protected",
    ]


def test_a_login_page_that_wants_a_session_sends_nobody_to_itself(bare_site: Site) -> None:
    """A mistake of the application, which the browser shows in the place of a loop."""
    started(bare_site, "/protected")
    browser = Browser(bare_site)
    reply = browser.go("/protected?tab=2")
    assert (reply.status, reply.json, browser.hops) == (401, UNAUTHORISED, ["/protected?tab=2"])


def test_tokens_that_cannot_be_cleared_are_no_loop(bare_site: Site) -> None:
    site = started(bare_site)
    browser = Browser(site)
    site.engine.sessions.revoke([browser.sign_in()])
    kept = dict(browser.jar)
    site.clock.advance(hours=2)
    original = browser.send

    def send(method: str, address: str, **more: Any) -> Reply:
        browser.jar.update(kept)
        return original(method, address, **more)

    browser.send = send  # type: ignore[method-assign]
    for page in ("/protected", LOGIN):
        assert browser.go(page).json == {"user": None}
        assert len([hop for hop in browser.hops if "/session/refresh" in hop]) <= 1


def test_an_active_visitor_with_short_lifetimes_stays_signed_in(bare_site: Site) -> None:
    """Each page that is served with a session ends the count of refreshes."""
    site = started(bare_site, access_token_validity=4)
    browser = Browser(site)
    browser.sign_in()
    hops = []
    for pause in (2.3, 2.3, 4.5, 4.5, 4.5, 2.3, 2.3, 5):
        site.clock.advance(ms=int(pause * 1000))
        assert browser.go("/protected").json == {"user": "user-1"}
        hops.append(len(browser.hops))
        assert not browser.has("sPageTries")
    assert hops == [3] * 8


def test_the_count_lasts_for_some_seconds_of_the_browsers_clock(bare_site: Site) -> None:
    site = started(bare_site)
    browser = Browser(site)
    browser.sign_in()
    reply = browser.send("GET", "/auth/session/refresh?next=/protected")
    assert reply.cookie("sPageTries").attributes["max-age"] == "10"


@pytest.mark.parametrize("headers", [NAVIGATES, OLD_BROWSER])
def test_a_form_that_comes_late_is_a_visitors_where_it_may_be(bare_site: Site, headers: Any) -> None:
    """As a wrong password at the log-in, above a template that looks for a session."""
    site = started(bare_site)
    browser = Browser(site, headers)
    browser.sign_in()
    site.clock.advance(hours=2)
    reply = browser.send("POST", LOGIN)
    assert (reply.status, reply.json, reply.session_parts) == (200, {"user": None}, [])
    assert browser.send("POST", "/protected").status == 401


def test_a_late_form_can_sign_in(bare_site: Site) -> None:
    site = started(bare_site)
    browser = Browser(site)
    browser.sign_in()
    site.clock.advance(hours=2)

    def create(view: Any) -> Any:
        made = yield view.create("user-2")
        return {"user": made.get_user_id()}

    assert browser.send("POST", LOGIN, do=create).json == {"user": "user-2"}
    assert browser.go("/protected").json == {"user": "user-2"}


def test_scripts_are_no_visitors(bare_site: Site) -> None:
    site = started(bare_site)
    for mode, lines in (("cookie", []), ("header", OLD_BROWSER)):
        visitor = site.sign_in(mode)
        site.clock.advance(hours=2)
        assert visitor.post(LOGIN, headers=lines).json == {"message": "try refresh token"}


def test_a_forged_form_is_no_visitors(bare_site: Site) -> None:
    site = started(bare_site)
    browser = Browser(site, FROM_ELSEWHERE)
    browser.sign_in()
    site.clock.advance(hours=2)
    assert browser.send("POST", LOGIN).status == 401


def test_the_login_page_goes_on_to_another_page(bare_site: Site) -> None:
    started(bare_site, "/login/")
    assert [next_page(given) for given in ("/login", "/login/", "/login?next=/x", "/%6cogin", "/a?b")] == [
        *["/"] * 4,
        "/a?b",
    ]


def test_a_head_is_not_sent_to_refresh(bare_site: Site) -> None:
    """It is no navigation, and nobody follows it to rotate tokens."""
    site = started(bare_site)
    browser = Browser(site)
    browser.sign_in()
    site.clock.advance(hours=2)
    assert browser.send("HEAD", "/protected").status == 401
