"""Anti-CSRF with the official clients: by token, by custom header, and what a foreign page can do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.servers import Backend, Setup
from tests.browser.tab import REFRESH, Answer, Tab, Traffic

OpenTab = Callable[..., Tab]

#: Sent with every cross-site request, so that only the anti-CSRF check is in the way. Browsers take localhost
#: for secure.
_SENT_ACROSS_SITES = {"cookie_same_site": "none", "cookie_secure": True}
_SETTINGS = {
    "token": {"anti_csrf": "VIA_TOKEN", **_SENT_ACROSS_SITES},
    "custom-header": {**_SENT_ACROSS_SITES},  # the default where SameSite is none
}


@pytest.fixture(scope="module", params=_SETTINGS)
def mode(request: pytest.FixtureRequest) -> str:
    """Both modes."""
    return request.param


@pytest.fixture(scope="module")
def setup(page_port: int, mode: str) -> Setup:
    """A backend that checks, for a website on its own site and one on another."""
    origins = (f"http://localhost:{page_port}", f"http://app.test:{page_port}")
    return Setup(_SETTINGS[mode], {}, origins=origins if mode == "token" else origins[::-1])


def test_a_session_with_anti_csrf(
    open_tab: OpenTab, traffic: Traffic, user: str, mode: str, client: str
) -> None:
    """FP-117: every step of a session's life passes the check, also the refresh and the call after it."""
    tab = open_tab(client=client)
    tab.sign_in(user)
    kept = tab.stored().get("sAntiCsrf")
    assert (kept is not None) == (mode == "token")
    assert tab.call("/me", "POST").status == 200
    sent = traffic.to("/me")[-1].headers
    assert (sent.get("anti-csrf"), sent.get("rid")) == (kept, "anti-csrf")
    assert tab.call("/merge", "POST", {"a": 1}).status == 200
    assert tab.call("/me", "POST").body["payload"]["a"] == 1
    assert tab.refresh() is True
    if mode == "token":
        assert tab.stored()["sAntiCsrf"] != kept
        assert tab.payload()["antiCsrfToken"] == tab.stored()["sAntiCsrf"]
    tab.reload()
    assert tab.call("/me", "POST").body["user"] == user
    tab.sign_out()
    assert "sAntiCsrf" not in tab.stored()
    assert tab.exists() is False


def test_a_session_with_anti_csrf_on_another_origin(
    open_tab: OpenTab, page_port: int, traffic: Traffic, user: str
) -> None:
    """FP-111, FP-117: the token is exposed to the other origin and comes back."""
    tab = open_tab(f"http://localhost:{page_port}")
    tab.sign_in(user)
    assert tab.call("/me", "POST").status == 200
    assert tab.refresh() is True
    assert tab.call("/me", "POST").status == 200
    assert traffic.statuses("/me") == [200, 200]
    tab.sign_out()
    assert tab.exists() is False


@pytest.mark.parametrize("mode", ["token"], indirect=True, scope="module")
def test_without_its_proof_the_client_is_logged_out_and_does_not_loop(
    open_tab: OpenTab, context: BrowserContext, traffic: Traffic, user: str
) -> None:
    """FP-117: `sAntiCsrf` is gone (as Safari does after 7 days): one refused refresh, then logged out."""
    tab = open_tab()
    tab.sign_in(user)
    context.clear_cookies(name="sAntiCsrf")
    tab.reload()  # the client also remembers it
    traffic.clear()
    tab.take_events()
    assert tab.call("/me").status == 200  # reading needs no proof
    assert tab.call("/me", "POST") == Answer(401, {"message": "unauthorised"})
    assert traffic.statuses("/me") == [200, 401]
    assert traffic.statuses(REFRESH) == [401]
    assert tab.take_events() == [{"action": "UNAUTHORISED", "sessionExpiredOrRevoked": True}]
    assert tab.exists() is False


def test_header_mode_needs_no_proof(open_tab: OpenTab, user: str) -> None:
    """No browser adds the Authorization header by itself, so nothing is checked."""
    tab = open_tab(session={"tokenTransferMethod": "header"})
    tab.sign_in(user)
    assert "sAntiCsrf" not in tab.stored()
    assert tab.call("/me", "POST").status == 200
    assert tab.refresh() is True
    assert tab.call("/me", "POST").status == 200


def test_the_form_of_another_site_is_refused(
    open_tab: OpenTab, forge: Callable[[str], int], api: Backend, user: str
) -> None:
    """The browser sends the cookies, the form cannot send the proof; without the check it would succeed."""
    tab = open_tab()
    tab.sign_in(user)
    assert forge(f"{api.origin}/form-without-check") == 200  # what the check prevents
    assert api.get("/test/accepted-posts").count(user) == 1
    assert forge(f"{api.origin}/form") == 401
    assert api.get("/test/accepted-posts").count(user) == 1
    assert tab.call("/form", "POST").status == 200
    assert api.get("/test/accepted-posts").count(user) == 2


def test_another_site_can_neither_sign_out_nor_get_tokens(
    open_tab: OpenTab, context: BrowserContext, forge: Callable[[str], int], api: Backend, user: str
) -> None:
    """The browser sends the cookies and says that it is a form of another site: nothing changes."""
    tab = open_tab()
    tab.sign_in(user)
    handle = tab.payload()["sessionHandle"]
    kept = context.cookies()
    assert forge(f"{api.origin}/auth/signout") == 401
    assert forge(f"{api.origin}{REFRESH}") == 401
    assert context.cookies() == kept
    assert tab.call("/checked").body["handle"] == handle
    assert tab.refresh() is True


@pytest.mark.browser(whole=True)  # the other one keeps third-party cookies
@pytest.mark.parametrize("mode", ["custom-header"], indirect=True, scope="module")
def test_a_website_on_another_site(open_tab: OpenTab, page_port: int, traffic: Traffic, user: str) -> None:
    """The browser drops third-party cookies: logged out, without a loop. Header mode is the way out."""
    website = f"http://app.test:{page_port}"
    tab = open_tab(website)
    tab.sign_in(user)
    assert tab.exists() is True
    traffic.clear()
    tab.take_events()
    assert tab.call("/me").status == 401
    assert traffic.statuses("/me") == [401]
    assert traffic.statuses(REFRESH) == [401]
    assert tab.take_events() == [{"action": "UNAUTHORISED", "sessionExpiredOrRevoked": True}]
    assert tab.exists() is False
    tab.page.close()

    tab = open_tab(website, session={"tokenTransferMethod": "header"})
    tab.sign_in(user)
    assert tab.call("/me", "POST").body["user"] == user
    assert tab.refresh() is True
    assert tab.call("/checked").body["user"] == user
    tab.sign_out()
    assert tab.exists() is False
