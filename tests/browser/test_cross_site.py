"""Website and API on different sites: cookies need https and a browser that keeps those of other sites."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.certificates import self_signed
from tests.browser.servers import DJANGO_ASGI, DJANGO_WSGI, FASTAPI, FLASK, Backend, Setup
from tests.browser.tab import REFRESH, Tab, Traffic, watched
from tests.servers.harness import Kind
from tests.support.programs import CHROMIUM_OPTIONS, chromium

OpenTab = Callable[..., Tab]

WEBSITE_HOST, API_HOST = "app.site-a.test", "api.site-b.test"
#: Private windows, and Debian's Chromium in every window, drop cookies of other sites unless told otherwise.
KEEP_ALL_COOKIES = {"profile": {"cookie_controls_mode": 0, "block_third_party_cookies": False}}


@pytest.fixture(scope="module", params=[FASTAPI, FLASK, DJANGO_ASGI, DJANGO_WSGI], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each adapter that has a CORS middleware of its own, and so an order of middlewares to get wrong."""
    return request.param


@pytest.fixture(scope="module", params=["https", "http"])
def scheme(request: pytest.FixtureRequest) -> str:
    """The scheme of both sites."""
    return request.param


@pytest.fixture(scope="module")
def setup(scheme: str, tmp_path_factory: pytest.TempPathFactory) -> Setup:
    """A backend with the default settings, which for two sites are SameSite=None and VIA_CUSTOM_HEADER."""
    origins = (f"{scheme}://{WEBSITE_HOST}:{{port}}",)
    certificate = None
    if scheme == "https":
        certificate = tmp_path_factory.mktemp("tls") / "certificate.pem"
        certificate.write_bytes(self_signed(WEBSITE_HOST, API_HOST))
    return Setup({}, {}, api_host=API_HOST, origins=origins, certificate=certificate)


@pytest.fixture
def context(browser: Browser, tmp_path: Path) -> Iterator[BrowserContext]:
    """A browser that keeps the cookies of other sites; that is a setting of a profile on disk."""
    preferences = tmp_path / "Default" / "Preferences"
    preferences.parent.mkdir()
    preferences.write_text(json.dumps(KEEP_ALL_COOKIES))
    with (
        browser.browser_type.launch_persistent_context(
            tmp_path, executable_path=chromium(), args=CHROMIUM_OPTIONS, ignore_https_errors=True
        ) as context,
        watched(context),
    ):
        yield context


@pytest.fixture
def website(api: Backend, scheme: str) -> str:
    """The origin of the page."""
    return f"{scheme}://{WEBSITE_HOST}:{api.port}"


@pytest.mark.parametrize("scheme", ["https"], indirect=True, scope="module")
def test_cookies_between_two_sites(
    open_tab: OpenTab, website: str, context: BrowserContext, traffic: Traffic, user: str
) -> None:
    """Over https the cookies are SameSite=None and Secure, and the session lives like any other."""
    tab = open_tab(website, client="website")
    assert tab.exists() is False
    tab.sign_in(user)
    cookies = {cookie["name"]: cookie for cookie in context.cookies() if cookie["httpOnly"]}
    assert set(cookies) == {"sAccessToken", "sRefreshToken"}
    for cookie in cookies.values():
        assert (cookie["domain"], cookie["sameSite"], cookie["secure"]) == (API_HOST, "None", True)
    assert (tab.exists(), tab.user_id()) == (True, user)
    assert tab.call("/me", "POST").body["user"] == user
    assert "authorization" not in traffic.to("/me")[-1].headers

    context.clear_cookies(name="sAccessToken")
    traffic.clear()
    assert tab.call("/me", "POST").body["user"] == user
    assert traffic.statuses("/me") == [401, 200]
    assert traffic.statuses(REFRESH) == [200]
    tab.sign_out()
    assert traffic.statuses("/auth/signout") == [200]
    assert tab.exists() is False
    assert not [cookie for cookie in context.cookies() if cookie["httpOnly"]]


@pytest.mark.parametrize("scheme", ["http"], indirect=True, scope="module")
def test_cookies_between_two_sites_without_https_are_refused(
    open_tab: OpenTab, website: str, kind: Kind, api: Backend, context: BrowserContext, user: str
) -> None:
    """No browser would keep them: the log-in fails, and the application's log says what to change."""
    tab = open_tab(website, client="website")
    failed = tab.call("/login", "POST", {"user": user})
    # FastAPI answers unexpected errors outside of every layer, so without CORS: the page cannot read it.
    assert failed.status == (0 if kind is FASTAPI else 500)
    api.wait_for_log("browsers keep such cookies over https only. Serve the API over https")
    assert not [cookie for cookie in context.cookies() if cookie["httpOnly"]]
    assert tab.exists() is False
    tab.page.close()

    tab = open_tab(website, client="website", session={"tokenTransferMethod": "header"})
    tab.sign_in(user)
    assert tab.call("/me", "POST").body["user"] == user
