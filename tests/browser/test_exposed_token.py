"""`expose_access_token_to_frontend_in_cookie_based_auth`: the page may read the access token."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.servers import Backend, Setup
from tests.browser.tab import Tab, Traffic

OpenTab = Callable[..., Tab]


@pytest.fixture(scope="module")
def setup(page_port: int) -> Setup:
    """A backend that also sends the token as a header."""
    session = {"expose_access_token_to_frontend_in_cookie_based_auth": True}
    return Setup(session, {}, origins=(f"http://localhost:{page_port}",))


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same-origin", "other-origin"])
def test_the_exposed_access_token(
    open_tab: OpenTab,
    context: BrowserContext,
    traffic: Traffic,
    page_port: int,
    user: str,
    client: str,
    elsewhere: bool,
) -> None:
    """FP-115: `getAccessToken()` returns it in cookie mode; requests carry no Authorization header."""
    tab = open_tab(f"http://localhost:{page_port}" if elsewhere else None, client=client)
    tab.sign_in(user)

    def token_of_the_cookie() -> str:
        return next(cookie["value"] for cookie in context.cookies() if cookie["name"] == "sAccessToken")

    tokens = [tab.access_token()]
    assert tokens[-1] == token_of_the_cookie()
    assert tab.call("/merge", "POST", {"a": 1}).status == 200
    tokens.append(tab.access_token())
    assert tokens[-1] == token_of_the_cookie()
    assert tab.refresh() is True
    tokens.append(tab.access_token())
    assert tokens[-1] == token_of_the_cookie()
    assert len(set(tokens)) == 3
    assert tab.call("/me", "POST").status == 200
    assert tab.call("/checked").status == 200
    for path in ("/merge", "/me", "/checked", "/auth/session/refresh"):
        assert all("authorization" not in request.headers for request in traffic.to(path)), path
    assert "st-refresh-token" not in tab.stored()
    tab.sign_out()
    assert tab.access_token() is None
    assert "st-access-token" not in tab.stored()


def test_another_service_accepts_the_exposed_token(open_tab: OpenTab, api: Backend, user: str) -> None:
    """What the setting is for: hand the token to a service that has no cookies of ours."""
    tab = open_tab()
    tab.sign_in(user)
    answer = api.send("POST", "/me", {"authorization": f"Bearer {tab.access_token()}"})
    assert answer.json()["user"] == user
