"""Device-bound sessions in Chromium with keys in software, and the official client, which knows of none.

The backends speak https: Chromium binds no session over http, nor where it ignores errors of certificates.
Deleting the bound cookie has the effect of its expiry. A context may sign six times, registrations included.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response

from tests.browser.certificates import self_signed, trusting
from tests.browser.servers import DJANGO_WSGI, FASTAPI, FLASK, Backend, Setup
from tests.browser.tab import REFRESH, Answer, Tab, Traffic, watched
from tests.support.programs import CHROMIUM_OPTIONS, chromium

#: One site with a suffix that the list of public suffixes has, and another.
API_HOST, WEBSITE_HOST, FOREIGN_HOST = "api.example.com", "app.example.com", "elsewhere.test"
BOUND_COOKIE = "__Host-sDevice"
#: Sessions get keys; these are in software, which suits a machine that has no other place for them.
WITH_KEYS = "--enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting"
_OF_DEVICES = re.compile(r"POST /auth/session/device/(\w+)\S*(?: HTTP/[\d.]+\")? (\d{3})")
WAIT_SECONDS = 40
_WITH_WEBSITE = pytest.mark.parametrize("website_host", [WEBSITE_HOST], indirect=True, scope="module")
_ONCE = pytest.mark.parametrize("kind", [FASTAPI], ids=["fastapi"], indirect=True, scope="module")

OpenTab = Callable[..., Tab]


@pytest.fixture(scope="module", params=[FASTAPI, FLASK, DJANGO_WSGI], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Any:
    """Each of the three large frameworks; what the core decides is asked of one."""
    return request.param


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of all hosts, with its key."""
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(self_signed(API_HOST, WEBSITE_HOST, FOREIGN_HOST))
    return file


@pytest.fixture(scope="module")
def website_host(request: pytest.FixtureRequest) -> str:
    """The host of the website; by default that of the API."""
    return getattr(request, "param", API_HOST)


@pytest.fixture(scope="module")
def setup(certificate: Path, website_host: str) -> Setup:
    """A backend over https that binds sessions to devices; that of a website renders pages as well."""
    settings: dict[str, Any] = {"device_binding": "auto"}
    origins: tuple[str, ...] = ()
    if website_host != API_HOST:
        settings["pages"] = {"login_path": "/login"}
        origins = (f"https://{website_host}:{{port}}",)
    return Setup(settings, {}, api_host=API_HOST, origins=origins, certificate=certificate)


@pytest.fixture(scope="module")
def keyed_browser(browser: Browser, certificate: Path) -> Iterator[Browser]:
    """Chromium with keys."""
    options = [*CHROMIUM_OPTIONS, WITH_KEYS, trusting(certificate.read_bytes())]
    with browser.browser_type.launch(executable_path=chromium(), args=options) as keyed:
        yield keyed


@pytest.fixture
def context(keyed_browser: Browser) -> Iterator[BrowserContext]:
    """An empty profile of a browser with keys, and so an untouched quota."""
    with keyed_browser.new_context() as context, watched(context):
        yield context


@dataclass
class Device:
    """The browser's own requests, which no tab sees: the log of the server knows them."""

    context: BrowserContext
    api: Backend
    seen: int = 0

    def take(self) -> list[tuple[str, int]]:
        """Return kind and status of those since the last call."""
        found = _OF_DEVICES.findall(self.api.server.logs())
        new, self.seen = found[self.seen :], len(found)
        return [(name, int(status)) for name, status in new]

    def bound_cookie(self) -> Any:
        """Return the bound cookie."""
        return next((each for each in self.context.cookies() if each["name"] == BOUND_COOKIE), None)

    def lapse(self) -> None:
        """Have the bound cookie expire."""
        self.context.clear_cookies(name=BOUND_COOKIE)

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Return what `condition` says once that is true."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (found := condition()):
            assert time.monotonic() < deadline, f"{self.take()}, {self.context.cookies()}"
            self.context.pages[0].wait_for_timeout(20)
        return found

    def wait_for(self, *expected: tuple[str, int]) -> None:
        """Return once these requests, and no others, were logged since the last call."""
        found: list[tuple[str, int]] = []
        self.wait(lambda: found.extend(self.take()) or len(found) >= len(expected))
        assert found == list(expected)

    def sign_in(self, tab: Tab, user: str) -> None:
        """Log in, wait until the browser has registered, and have the client fetch a bound access token."""
        tab.sign_in(user)
        self.wait_for(("register", 200))
        self.wait(self.bound_cookie)
        assert tab.refresh() is True
        assert set(tab.payload()["cnf"]) == {"jkt"}


def follow(page: Page, address: str) -> Response:
    """Follow a link of a page."""
    with page.expect_navigation() as navigation:
        page.evaluate("address => { location.href = address }", address)
    answer = navigation.value
    assert answer is not None
    return answer


@pytest.fixture
def device(context: BrowserContext, api: Backend) -> Device:
    """What the browser does on its own."""
    device = Device(context, api)
    device.take()
    return device


def test_a_bound_session_goes_on_when_its_cookie_expires(
    open_tab: OpenTab, device: Device, traffic: Traffic, user: str
) -> None:
    """CP-31: the browser proves and sends the request then: neither the client nor the page notices."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    cookie = device.bound_cookie()
    assert (cookie["path"], cookie["secure"], cookie["httpOnly"]) == ("/", True, True)
    assert (cookie["domain"], cookie["sameSite"]) == (API_HOST, "Lax")
    assert 540 < cookie["expires"] - time.time() <= 570
    for path, method in (("/me", "GET"), ("/merge", "POST")):
        device.lapse()
        traffic.clear()
        assert tab.call(path, method, {} if method == "POST" else None).body["user"] == user
        assert traffic.statuses(path) == [200]
        assert device.bound_cookie()["value"] != cookie["value"]
        device.wait_for(("refresh", 200))
    device.lapse()
    assert tab.refresh() is True  # so do the requests of the client itself
    assert traffic.statuses(REFRESH) == [200]
    device.wait_for(("refresh", 200))
    assert tab.take_actions().count("UNAUTHORISED") == 0


def test_a_copied_jar_is_worthless_once_the_cookie_has_expired(
    open_tab: OpenTab, keyed_browser: Browser, api: Backend, device: Device, user: str
) -> None:
    """CP-31, CP-32: the thief is signed out, and the owner notices nothing."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    device.lapse()
    with keyed_browser.new_context() as context, watched(context):
        context.add_cookies(device.context.cookies())
        thief = Tab(context.new_page(), api.origin, {"apiDomain": api.origin, "client": "website"}).open()
        assert thief.exists() is True
        traffic = Traffic(context)
        assert thief.call("/me").status == 401
        assert traffic.statuses(REFRESH) == [401]
        assert thief.exists() is False
    noted = (
        "SELECT count(*) FROM supertokens_py_device_keys WHERE missing_at IS NOT NULL AND session_handle = %s"
    )
    assert api.query(noted, tab.payload()["sessionHandle"]) == [(1,)]
    assert device.take() == []
    assert tab.call("/me").body["user"] == user
    assert tab.refresh() is True
    device.wait_for(("refresh", 200))


def test_signing_out_ends_the_session_of_the_browser_as_well(
    open_tab: OpenTab, device: Device, traffic: Traffic, user: str
) -> None:
    """Its next request has the browser ask once, and be told that there is nothing to refresh any more."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    tab.sign_out()
    assert traffic.statuses("/auth/signout") == [200]
    assert not [cookie for cookie in device.context.cookies() if cookie["httpOnly"]]
    for _ in range(2):
        assert tab.call("/me").status == 401
    device.wait_for(("refresh", 200))
    device.sign_in(tab, user)
    assert tab.call("/me").body["user"] == user


@_ONCE
def test_a_session_that_the_server_revoked(
    open_tab: OpenTab, api: Backend, device: Device, user: str
) -> None:
    """CP-28: the refresh of the bound cookie says that it is over, and the client is signed out."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    assert api.post(f"/test/revoke?handle={tab.payload()['sessionHandle']}") == {"revoked": True}
    device.lapse()
    assert tab.call("/me").status == 401
    assert tab.exists() is False
    device.wait_for(("refresh", 200))
    assert tab.call("/me").status == 401
    assert device.take() == []


@_ONCE
def test_a_session_in_the_place_of_a_bound_one(open_tab: OpenTab, device: Device, user: str) -> None:
    """CP-31: the browser goes on with the key and the name that it has, and proves for the new session."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    former = tab.payload()["sessionHandle"], device.bound_cookie()
    assert tab.call("/replace-me", "POST").status == 200
    handle, cookie = tab.payload()["sessionHandle"], device.bound_cookie()
    assert (handle != former[0], cookie["value"] != former[1]["value"]) == (True, True)
    assert cookie["expires"] <= former[1]["expires"] + 1
    assert tab.call("/me").body["user"] == user
    assert device.take() == []
    device.lapse()
    assert tab.call("/me").body["user"] == user
    device.wait_for(("refresh", 200))
    assert tab.refresh() is True
    assert tab.payload()["sessionHandle"] == handle


@_ONCE
def test_every_sort_of_request_is_held_until_the_cookie_is_back(
    open_tab: OpenTab, api: Backend, device: Device, user: str
) -> None:
    """Fetch, XMLHttpRequest, axios, WebSocket and navigation."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    for way in ("xhr", "axios"):
        device.lapse()
        assert tab.call("/me", way=way).body["user"] == user
        device.wait_for(("refresh", 200))
    device.lapse()
    script = (
        "address => new Promise((resolve) => { new WebSocket(address).onmessage = (m) => resolve(m.data) })"
    )
    assert tab.page.evaluate(script, f"{api.origin.replace('https', 'wss')}/socket") == user
    device.wait_for(("refresh", 200))
    device.lapse()
    answer = tab.page.goto(f"{api.origin}/me")
    assert answer is not None
    assert (answer.status, answer.json()["user"]) == (200, user)
    device.wait_for(("refresh", 200))


@_ONCE
def test_two_tabs_and_many_requests_take_one_proof(open_tab: OpenTab, device: Device, user: str) -> None:
    """All are held, and released together."""
    tab, other = open_tab(client="website"), open_tab(client="website")
    device.sign_in(tab, user)
    device.lapse()
    script = "() => { window.later = call('fetch', 'GET', '/me') }"
    other.page.evaluate(script)
    assert [answer.status for answer in tab.call_all(["/me"] * 3)] == [200] * 3
    assert other.page.evaluate("later.then((answer) => answer.status)") == 200
    device.wait_for(("refresh", 200))


@_ONCE
def test_a_link_from_another_site_brings_no_proof_and_does_no_harm(
    open_tab: OpenTab, api: Backend, device: Device, user: str
) -> None:
    """Browsers prove for no navigation that another site began; the next request of the site is fine."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    device.lapse()
    foreign = device.context.new_page()
    foreign.goto(f"https://{FOREIGN_HOST}:{api.port}/pages/prize.html")
    answer = follow(foreign, f"{api.origin}/me")
    assert (answer.status, answer.json()) == (401, {"message": "try refresh token"})
    # From here on either is first: this, or the request for the icon of the page that has just come.
    assert tab.call("/me").body["user"] == user
    device.wait_for(("refresh", 200))


@_ONCE
def test_a_server_out_of_reach_signs_nobody_out(
    open_tab: OpenTab, api: Backend, device: Device, traffic: Traffic, user: str
) -> None:
    """The browser says that it could not prove; the client keeps its tokens, and goes on later."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    api.post("/test/refuse?path=/auth/session/device/refresh")
    device.lapse()
    traffic.clear()
    assert tab.call("/me") == Answer(503, {"message": "device proof delayed"})
    assert traffic.statuses(REFRESH) == [503]
    assert tab.exists() is True
    api.post("/test/refuse")
    device.take()
    assert tab.call("/me").body["user"] == user
    device.wait_for(("refresh", 200))


@_ONCE
def test_a_browser_that_may_sign_no_more_keeps_its_session(
    open_tab: OpenTab, device: Device, user: str
) -> None:
    """After six signatures in nine minutes it says so; that is no reason to sign anybody out."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    for _ in range(5):
        device.lapse()
        assert tab.call("/me").status == 200
    device.wait_for(*[("refresh", 200)] * 5)
    device.lapse()
    assert tab.call("/me").status == 503
    assert tab.exists() is True
    assert device.take() == []


@_ONCE
def test_logging_in_again_binds_the_new_session(open_tab: OpenTab, device: Device, user: str) -> None:
    """Also while the former one lives: the browser proves for either, and is told if it has left that."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    first = tab.payload()
    device.sign_in(tab, f"{user}-again")
    second = tab.payload()
    assert first["sessionHandle"] != second["sessionHandle"]
    assert first["cnf"] != second["cnf"]
    for _ in range(2):
        device.lapse()
        assert tab.call("/me").body["user"] == f"{user}-again"
    assert set(device.take()) == {("refresh", 200)}


@_ONCE
def test_a_page_that_is_rendered_ahead_is_held_as_well(
    open_tab: OpenTab, api: Backend, device: Device, user: str
) -> None:
    """Prerendering, which once froze tabs."""
    tab = open_tab(client="website")
    device.sign_in(tab, user)
    device.lapse()
    script = """() => {
        const rules = Object.assign(document.createElement("script"), {type: "speculationrules"});
        rules.textContent = JSON.stringify({prerender: [{urls: ["/me"], eagerness: "immediate"}]});
        document.body.append(rules);
    }"""
    tab.page.evaluate(script)
    device.wait_for(("refresh", 200))
    assert follow(tab.page, f"{api.origin}/me").status == 200
    assert device.take() == []


@_ONCE
def test_a_browser_without_keys_notices_nothing(browser: Browser, api: Backend, user: str) -> None:
    """CP-33: it ignores the offer, and its session is as ever."""
    with browser.new_context(ignore_https_errors=True) as context, watched(context):
        settings = {"apiDomain": api.origin, "client": "website"}
        tab = Tab(context.new_page(), api.origin, settings).open()
        tab.sign_in(user)
        assert tab.refresh() is True
        assert tab.call("/me").body["user"] == user
        assert "cnf" not in tab.payload()
        assert {each["name"] for each in context.cookies() if each["httpOnly"]} == {
            "sAccessToken",
            "sRefreshToken",
        }
        tab.sign_out()
        assert tab.exists() is False


@_ONCE
@_WITH_WEBSITE
def test_a_website_of_another_origin(
    open_tab: OpenTab, api: Backend, device: Device, traffic: Traffic, user: str
) -> None:
    """Its requests and its links make the browser prove, because the registration names its host."""
    tab = open_tab(f"https://{WEBSITE_HOST}:{api.port}", client="website")
    device.sign_in(tab, user)
    device.lapse()
    traffic.clear()
    assert tab.call("/me").body["user"] == user
    assert traffic.statuses("/me") == [200]
    device.wait_for(("refresh", 200))
    device.lapse()
    assert follow(tab.page, f"{api.origin}/me").status == 200
    device.wait_for(("refresh", 200))


@_ONCE
@_WITH_WEBSITE
def test_a_link_from_another_site_to_a_page(
    open_tab: OpenTab, api: Backend, device: Device, user: str
) -> None:
    """The page is asked for once more, from this site: then the browser proves, and nobody is signed out."""
    tab = open_tab(f"https://{WEBSITE_HOST}:{api.port}", client="website")
    device.sign_in(tab, user)
    device.lapse()
    foreign = device.context.new_page()
    foreign.goto(f"https://{FOREIGN_HOST}:{api.port}/pages/prize.html")
    assert follow(foreign, f"{api.origin}/me").status == 200
    device.wait_for(("refresh", 200))
    foreign.wait_for_function("user => document.body.innerText.includes(user)", arg=user)
    assert foreign.url == f"{api.origin}/me"
