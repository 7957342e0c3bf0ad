"""Other status codes than 401 and 403, which the application then has for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.servers import Setup
from tests.browser.tab import REFRESH, Answer, Tab, Traffic

OpenTab = Callable[..., Tab]

EXPIRED, INVALID_CLAIM = 440, 461
#: The frontend must be told the same ones.
CLIENT: dict[str, Any] = {"sessionExpiredStatusCode": EXPIRED, "invalidClaimStatusCode": INVALID_CLAIM}


@pytest.fixture(scope="module")
def setup() -> Setup:
    """A backend with its own status codes."""
    session = {"session_expired_status_code": EXPIRED, "invalid_claim_status_code": INVALID_CLAIM}
    return Setup(session, {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": "3"})


def test_other_status_codes(open_tab: OpenTab, traffic: Traffic, user: str, client: str) -> None:
    """First visit, expiry, claim and logout work with the codes that both sides are told."""
    tab = open_tab(client=client, session=CLIENT)
    assert tab.exists() is False
    assert traffic.statuses(REFRESH) == [EXPIRED]
    assert tab.call("/me") == Answer(EXPIRED, {"message": "unauthorised"})
    tab.sign_in(user)
    tab.take_events()
    assert tab.call("/second-factor").status == INVALID_CLAIM
    assert tab.take_actions() == ["API_INVALID_CLAIM"]
    tab.wait_for_expiry()
    traffic.clear()
    assert tab.call("/me", "POST").body["user"] == user
    assert traffic.statuses("/me") == [EXPIRED, 200]
    assert traffic.statuses(REFRESH) == [200]
    tab.sign_out()
    assert tab.exists() is False
