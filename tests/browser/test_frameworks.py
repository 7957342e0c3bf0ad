"""One session with the official frontend on every framework but the one of the other modules here.

Their backends have the page (/pages/...), /login, /me and /merge.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.servers import FRAMEWORKS, Setup
from tests.browser.tab import REFRESH, Tab, Traffic


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Any:
    """Every framework, one after the other."""
    return request.param


@pytest.fixture(scope="module")
def setup() -> Setup:
    """Access tokens expire while the test waits."""
    return Setup({}, {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": "4"})


@pytest.mark.parametrize("transfer", ["cookie", "header"])
def test_sign_in_refresh_sign_out(
    open_tab: Callable[..., Tab], traffic: Traffic, user: str, transfer: str
) -> None:
    """The frontend knows the session, refreshes on the 401 of an expired token, and ends it."""
    tab = open_tab(session={"tokenTransferMethod": transfer})
    assert tab.call("/me").status == 401
    tab.sign_in(user, {"plan": "free"})
    assert (tab.exists(), tab.user_id(), tab.payload()["plan"]) == (True, user, "free")
    assert tab.call("/merge", "POST", {"plan": "paid"}).status == 200
    assert tab.payload()["plan"] == "paid"

    tab.wait_for_expiry()
    traffic.clear()
    assert tab.call("/me").body["user"] == user
    assert traffic.statuses("/me")[-2:] == [401, 200]
    assert traffic.statuses(REFRESH) == [200]
    assert tab.payload()["plan"] == "paid"
    assert tab.refresh() is True

    tab.sign_out()
    assert tab.exists() is False
    assert tab.call("/me").status == 401
