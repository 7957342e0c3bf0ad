"""Pages rendered on a server by the official helpers of supertokens-auth-react for Next.js."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.packages import HERE
from tests.browser.servers import Backend, Setup
from tests.browser.tab import Tab

OpenTab = Callable[..., Tab]

#: Order, depth and letters that a helper could lose on the way.
PAYLOAD = {"z": 1, "a": {"y": [1, {"b": None, "a": "é"}], "x": 1.5}, "name": "Zoë 🐘 <b>", "empty": {}}


@pytest.fixture(scope="module", params=[3600])
def validity_seconds(request: pytest.FixtureRequest) -> int:
    """How long access tokens live; tests of the expiry say less."""
    return request.param


@pytest.fixture(scope="module")
def setup(validity_seconds: int) -> Setup:
    """A backend for a website on the same host, whose server therefore sees the cookies."""
    return Setup({}, {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": str(validity_seconds)})


expiring = pytest.mark.parametrize("validity_seconds", [4], indirect=True, scope="module")


@pytest.fixture(scope="module")
def website(api: Backend, pages: Path) -> Iterator[str]:
    """A website that renders on its server; its origin."""
    app_info = {
        "appName": "Browser tests",
        "apiDomain": api.origin,
        "websiteDomain": "http://localhost",
        "apiBasePath": "/auth",
        "websiteBasePath": "/auth",
    }
    argument = json.dumps({"appInfo": app_info, "pages": str(pages)})
    with subprocess.Popen(
        ["node", "client/website.mjs", argument],
        cwd=HERE,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield f"http://localhost:{port}"
        process.kill()


def rendered(page: Page, website: str) -> Any:
    """Visit the dashboard and return the session that the server saw, or the path where the visit ended."""
    page.goto(f"{website}/dashboard")
    if page.title() != "Dashboard":
        return urlsplit(page.url).path
    return json.loads(page.locator("#session").text_content() or "")


@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_the_server_sees_the_session_that_the_client_has(
    open_tab: OpenTab, context: BrowserContext, website: str, user: str, mode: str
) -> None:
    """FP-116: the tokens match (JSON.stringify of both payloads) after sign-in, merge and refresh."""
    tab, visitor = open_tab(session={"tokenTransferMethod": mode}), context.new_page()
    tab.sign_in(user, PAYLOAD)
    seen = rendered(visitor, website)
    assert seen["userId"] == user
    assert seen["accessTokenPayload"] == tab.payload()
    assert seen["accessTokenPayload"].items() >= PAYLOAD.items()

    assert tab.call("/merge", "POST", {"b": {"z": 1, "a": 2}, "z": None}).status == 200
    assert rendered(visitor, website)["accessTokenPayload"] == tab.payload()

    assert tab.refresh() is True
    seen = rendered(visitor, website)
    assert list(seen["accessTokenPayload"]) == list(tab.payload())
    assert seen["accessTokenPayload"] == tab.payload()
    assert refreshes_by_the_website(context) == 0


def refreshes_by_the_website(context: BrowserContext) -> int:
    """Return how often the website had to refresh lately, as its own cookie says."""
    counts = [
        cookie["value"] for cookie in context.cookies() if cookie["name"] == "stSsrSessionRefreshAttempt"
    ]
    return int(counts[0]) - 1 if counts else 0  # the first refresh counts as the second attempt


@expiring
def test_the_server_refreshes_an_expired_session(
    open_tab: OpenTab, context: BrowserContext, website: str, user: str
) -> None:
    """FP-116: the website's server refreshes with the cookie of the page request, then the tokens match."""
    tab, visitor = open_tab(), context.new_page()
    tab.sign_in(user, PAYLOAD)
    before = tab.payload()
    tab.wait_for_expiry()
    seen = rendered(visitor, website)
    assert seen["accessTokenPayload"]["sessionHandle"] == before["sessionHandle"]
    assert seen["accessTokenPayload"]["exp"] > before["exp"]
    assert refreshes_by_the_website(context) == 1
    assert tab.payload() == seen["accessTokenPayload"]  # the client goes on with what the server brought
    assert tab.refresh() is True
    assert tab.call("/checked").body["user"] == user


def test_without_session_the_server_sends_to_the_login(context: BrowserContext, website: str) -> None:
    assert rendered(context.new_page(), website) == "/auth"


@expiring
def test_a_session_that_is_gone_sends_to_the_login(
    open_tab: OpenTab, context: BrowserContext, api: Backend, website: str, user: str
) -> None:
    """The refresh of the website's server is refused; the visit ends at the login, with the cookies gone."""
    tab, visitor = open_tab(), context.new_page()
    tab.sign_in(user)
    api.post(f"/test/revoke?handle={tab.payload()['sessionHandle']}")
    tab.wait_for_expiry()
    assert rendered(visitor, website) == "/auth"
    assert not [cookie for cookie in context.cookies() if cookie["name"] in ("sAccessToken", "sFrontToken")]
    assert tab.exists() is False
