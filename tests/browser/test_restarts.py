"""A browser that ends and starts again, with a session whose cookies end with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.servers import FASTAPI, Backend, Setup
from tests.browser.tab import REFRESH, Answer, Tab, Traffic, watched

CLIENT = {"client": "website"}
TOKENS = {"sAccessToken", "sRefreshToken"}
REFUSED = Answer(401, {"message": "unauthorised"})


@pytest.fixture(scope="module", params=[FASTAPI], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Any:
    """One adapter: that all write such cookies is tested without a browser."""
    return request.param


@pytest.fixture(scope="module")
def setup(page_port: int) -> Setup:
    """A backend whose sessions end with the browser."""
    return Setup({"lifetime": {"persistent": False}}, {}, origins=(f"http://localhost:{page_port}",))


def test_a_restart_costs_one_failed_call(
    open_tab: Callable[..., Tab],
    browser: Browser,
    context: BrowserContext,
    api: Backend,
    traffic: Traffic,
    user: str,
) -> None:
    """CP-12: the frontend's own cookies outlive the browser, ours do not; one event, and no loop."""
    tab = open_tab(**CLIENT)
    tab.sign_in(user)
    assert tab.refresh() is True
    assert tab.call("/merge", "POST", {"a": 1}).status == 200
    stored: Any = context.storage_state()
    ending = {cookie["name"] for cookie in stored["cookies"] if cookie["expires"] == -1}
    assert ending == TOKENS
    stored["cookies"] = [cookie for cookie in stored["cookies"] if cookie["name"] not in ending]
    with browser.new_context(storage_state=stored) as restarted, watched(restarted):
        traffic = Traffic(restarted)
        tab = Tab(restarted.new_page(), api.origin, {"apiDomain": api.origin, **CLIENT}).open()
        assert tab.exists() is True  # as its front token says
        assert tab.call("/me") == REFUSED
        assert (traffic.statuses("/me"), traffic.statuses(REFRESH)) == ([401], [401])
        events = [event for event in tab.take_events() if event["action"] == "UNAUTHORISED"]
        assert [event["sessionExpiredOrRevoked"] for event in events] == [True]
        assert "sFrontToken" not in tab.stored()
        assert tab.exists() is False
        tab.sign_in(user)
        assert tab.call("/me").body["user"] == user
