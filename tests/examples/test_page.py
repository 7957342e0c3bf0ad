"""The page of the examples in a real browser: every button, both transports, expiry, two tabs, any width."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.servers.harness import DJANGO_ASGI, FASTAPI, FLASK, Kind, Server, running
from tests.support.mails import mailed_links, next_mailed_link
from tests.support.programs import headless_chromium

pytestmark = [pytest.mark.browser, pytest.mark.real]

VALIDITY_SECONDS = 6
PASSWORD, NEW_PASSWORD = "correct horse 1", "battery staple 2"
ENTRY = "#log li"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=40_000)  # a bound for a busy machine; a context's own does not reach `expect`
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=headless_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()
    expect.set_options(timeout=None)


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    kind: Kind = getattr(request, "param", FASTAPI)
    environ = {
        "EMAIL_VERIFICATION": "OPTIONAL",
        "SUPERTOKENS_VERIFICATION_EMAILS_PER_DAY": "0",  # else an address gets one e-mail in 15 seconds
    }
    with running(kind, f"sqlite:///{tmp_path_factory.mktemp('page')}/sessions.db", environ) as server:
        yield server


@pytest.fixture(scope="module")
def hasty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose access tokens expire while one watches."""
    database = f"sqlite:///{tmp_path_factory.mktemp('page')}/sessions.db"
    with running(FASTAPI, database, {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": str(VALIDITY_SECONDS)}) as server:
        yield server


@contextmanager
def tab(browser: Browser, server: Server, **options: Any) -> Iterator[Page]:
    """Open the page in a browser profile of its own; an error in its script fails the test."""
    url = server.url.replace("127.0.0.1", "localhost")  # where navigator.locks works
    with browser.new_context(base_url=url, **options) as context:
        context.set_default_timeout(40_000)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto("/")
        yield page
        assert errors == []


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    with tab(browser, server) as page:
        yield page


@pytest.fixture
def hasty_page(browser: Browser, hasty_server: Server) -> Iterator[Page]:
    with tab(browser, hasty_server) as page:
        yield page


def own_route(page: Page) -> None:
    """Show the form of the application's own log-in route."""
    page.get_by_label("Own route").check()


def log_in(page: Page, mode: str = "HttpOnly cookies", user: str = "ada") -> None:
    own_route(page)
    page.get_by_label(mode).check()
    page.get_by_label("User name").fill(user)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("status")).to_have_text(f"Signed in as {user}")


def press(page: Page, name: str) -> None:
    """Press a button and wait until its request is over."""
    button = page.get_by_role("button", name=name)
    button.click()
    expect(button).not_to_have_attribute("aria-disabled", "true")


def newest(page: Page) -> str:
    return page.locator(ENTRY).first.inner_text()


def statuses(page: Page, path: str) -> list[str]:
    """Return the statuses that the log shows for `path`, newest first."""
    entries = page.locator(ENTRY).filter(has=page.locator("code", has_text=path))
    return entries.locator(".status").all_inner_texts()


@pytest.mark.parametrize("server", [FASTAPI, FLASK, DJANGO_ASGI], indirect=True, ids=lambda kind: kind.name)
@pytest.mark.parametrize("mode", ["HttpOnly cookies", "headers"])
def test_every_button_does_what_it_says(page: Page, mode: str) -> None:
    """Log in, ask, merge, refresh and sign out, by pressing."""
    log_in(page, mode)
    assert "session created" in newest(page)
    expect(page.locator("#payload .claim").first).to_contain_text("visits")
    press(page, "Count a visit")
    expect(page.locator("#payload .claim").first).to_contain_text("1")
    press(page, "Who am I")
    expect(page.locator("#answer")).to_contain_text('"user": "ada"')
    press(page, "Ask the database too")
    expect(page.locator("#answer")).to_contain_text("database")
    press(page, "Refresh now")
    assert statuses(page, "/auth/session/refresh")[0] == "200"
    kept = page.evaluate("Object.keys(localStorage)")
    assert ("demo.access-token" in kept) == (mode == "headers")
    press(page, "Sign out POST")
    expect(page.get_by_role("status")).to_have_text("Not signed in")
    press(page, "Who am I")
    assert statuses(page, "/api/me")[0] == "401"
    assert len(statuses(page, "/auth/session/refresh")) == 1  # it knows that there is nothing to refresh


def fill(page: Page, button: str, password: str, email: str = "") -> None:
    """Fill in the form of an account and send it."""
    if email:
        page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("server", [FASTAPI, FLASK, DJANGO_ASGI], indirect=True, ids=lambda kind: kind.name)
def test_an_account_from_sign_up_to_a_new_password(page: Page, server: Server) -> None:
    """Sign up, be known, sign out, follow the link of the e-mail, sign in with the new password."""
    address, signed_in = "grace@example.com", page.get_by_role("status")
    fill(page, "Create account", PASSWORD, address)
    expect(signed_in).to_have_text(f"Signed in as {address}")
    expect(page.get_by_label("Password")).to_have_value("")
    expect(page.locator(ENTRY, has_text="POST /auth/signup")).to_contain_text("session created")
    link = next_link(server, "verify-email", [])
    expect(page.locator("#address")).to_contain_text(f"{address} is not verified yet.")
    page.goto(link)
    expect(page.locator("#address-text")).to_have_text("The address is verified.")
    assert urlsplit(page.url)[2:4] == ("/", "")  # no token in the history
    expect(page.locator("#payload .claim", has_text="st-ev")).to_contain_text('"v":true')
    page.reload()
    expect(signed_in).to_have_text(f"Signed in as {address}")
    expect(page.locator("#address")).to_be_hidden()
    press(page, "Sign out POST")
    expect(signed_in).to_have_text("Not signed in")

    before = mailed_links(server, "reset-password")
    page.get_by_label("Sign in").check()
    page.get_by_label("E-mail address").fill(address)
    press(page, "Forgot the password?")
    expect(page.get_by_text("an e-mail with a link is in the server’s log")).to_be_visible()
    page.goto(next_link(server, "reset-password", before))
    fill(page, "Set the new password", NEW_PASSWORD)
    expect(page.get_by_text("Your password is changed")).to_be_visible()
    assert urlsplit(page.url)[2:4] == ("/", "")  # no token in the history
    fill(page, "Sign in", NEW_PASSWORD, address)
    expect(signed_in).to_have_text(f"Signed in as {address}")
    press(page, "Count a visit")
    expect(page.locator("#payload .claim").first).to_contain_text("visits")


def next_link(server: Server, screen: str, before: list[str]) -> str:
    """Return what the next e-mail's link opens, on this website."""
    link = urlsplit(next_mailed_link(server, screen, before))
    assert link.path == f"/auth/{screen}"
    return f"{link.path}?{link.query}"


def test_an_address_is_verified_in_another_browser(page: Page, browser: Browser, server: Server) -> None:
    """There nothing happens before the button is pressed, as scanners press none; then a link is used up."""
    before = mailed_links(server, "verify-email")
    fill(page, "Create account", PASSWORD, "hedy@example.com")
    next_mailed_link(server, "verify-email", before)
    before = mailed_links(server, "verify-email")
    page.reload()  # which asks for no e-mail
    expect(page.locator("#address")).to_contain_text("hedy@example.com is not verified yet.")
    press(page, "Send the e-mail again")
    link = next_link(server, "verify-email", before)
    assert statuses(page, "/auth/user/email/verify/token") == ["200"]
    with tab(browser, server) as other:
        for text in ("The address is verified.", "The link was used already, or it has expired."):
            other.goto(link)
            assert statuses(other, "/auth/user/email/verify") == []
            other.get_by_role("button", name="Verify the address").click()
            expect(other.locator("#address")).to_contain_text(text)
    page.get_by_role("button", name="Send the e-mail again").click()  # the answer says that there is no need
    expect(page.locator("#address")).to_be_hidden()


def test_what_the_forms_of_an_account_say(page: Page) -> None:
    """Refusals of the SDK's routes are a 200 with a status, and people read what it means."""
    says = page.get_by_role("alert")
    fill(page, "Create account", "password123", "linus@example.com")
    expect(says).to_contain_text("one of the most common passwords")
    fill(page, "Create account", PASSWORD)
    expect(page.get_by_role("status")).to_have_text("Signed in as linus@example.com")
    fill(page, "Create account", PASSWORD)
    expect(says).to_have_text("This email already exists. Please sign in instead.")
    page.get_by_label("Sign in").check()
    fill(page, "Sign in", "wrong horse 1")
    expect(says).to_have_text("The e-mail address or the password is wrong.")
    page.goto("/auth/reset-password?token=made-up")
    fill(page, "Set the new password", NEW_PASSWORD)
    expect(says).to_have_text("The link was used already, or it has expired. Ask for another one.")
    assert statuses(page, "/auth/user/password/reset") == ["200"]


def test_a_first_visit_is_one_request(page: Page) -> None:
    """There is nothing to refresh, and the page knows it from the first answer."""
    press(page, "Who am I")
    press(page, "Who am I")
    assert statuses(page, "/auth/session/refresh") == []
    assert statuses(page, "/api/me") == ["401", "401"]
    press(page, "Refresh now")
    expect(page.locator("#answer")).to_have_text("There is no session to refresh.")


@pytest.mark.parametrize("mode", ["HttpOnly cookies", "headers"])
def test_an_expired_token_is_refreshed_without_being_asked(hasty_page: Page, mode: str) -> None:
    """Three calls at once after the expiry: each gets its 401, one refresh serves them all."""
    page = hasty_page
    log_in(page, mode)
    expect(page.locator("#countdown")).to_have_text("expired", timeout=(VALIDITY_SECONDS + 40) * 1000)
    page.evaluate(
        "for (const path of ['GET /api/me', 'GET /api/verified', 'POST /api/visits'])"
        " document.querySelector(`[data-call='${path}']`).click()"
    )
    for path in ("/api/me", "/api/verified", "/api/visits"):
        entries = page.locator(ENTRY).filter(has=page.locator("code", has_text=path))
        expect(entries.filter(has_text="200")).to_have_count(1)
    assert statuses(page, "/auth/session/refresh") == ["200"]
    expect(page.locator("#countdown")).not_to_have_text("expired")


@pytest.fixture
def strict_page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page of a server that forgives a previous refresh token for a second."""
    environ = {"SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": "1"}
    with (
        running(FASTAPI, f"sqlite:///{tmp_path}/sessions.db", environ) as server,
        tab(browser, server) as page,
    ):
        yield page


def test_a_theft_is_shown(strict_page: Page) -> None:
    """With headers a script can steal; the copy ends the session for both. Cookies are out of its reach."""
    page, last = strict_page, strict_page.locator("#theft-steps li").last
    press(page, "Steal the refresh token")
    expect(last).to_contain_text("Log in first")
    log_in(page, "HttpOnly cookies")
    press(page, "Steal the refresh token")
    expect(last).to_contain_text("HttpOnly cookie")
    log_in(page, "headers")
    expect(page.get_by_text("This session travels in headers.")).to_be_visible()  # the new one is there
    page.get_by_role("button", name="Steal the refresh token").click()
    expect(last).to_contain_text("You are logged out as well", timeout=40_000)
    expect(page.locator("#theft-steps")).to_contain_text("401 “token theft detected”")
    expect(page.get_by_role("status")).to_have_text("Not signed in")
    expect(page.locator("#answer")).to_contain_text("401")


def test_a_wrong_password_is_told_once(page: Page) -> None:
    """400: a 401 would make an official client refresh and send the log-in again."""
    own_route(page)
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill("guess")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("wrong password")
    assert statuses(page, "/login") == ["400"]


def test_two_tabs_share_the_session(hasty_page: Page) -> None:
    """Both ask after the expiry. One refresh serves both, unless the second tab's process has not seen the
    first one's localStorage yet, which a browser does not promise: a second refresh is as good.
    """
    page, other = hasty_page, hasty_page.context.new_page()
    log_in(page)
    other.goto("/")
    expect(other.get_by_role("status")).to_have_text("Signed in as ada")
    for each in (page, other):
        expect(each.locator("#countdown")).to_have_text("expired", timeout=(VALIDITY_SECONDS + 40) * 1000)
    ask = "document.querySelector(\"[data-call='GET /api/verified']\").click()"
    for each in (page, other):
        each.evaluate(ask)
    for each in (page, other):
        expect(each.locator(ENTRY).filter(has_text="200").filter(has_text="/api/verified")).to_have_count(1)
    refreshes = [status for each in (page, other) for status in statuses(each, "/auth/session/refresh")]
    assert refreshes in (["200"], ["200", "200"])
    for each in (page, other):
        press(each, "Ask the database too")
        expect(each.get_by_role("status")).to_have_text("Signed in as ada")
    press(page, "Sign out POST")
    expect(other.get_by_role("status")).to_have_text("Not signed in")


def test_signing_out_everywhere_reaches_another_browser(page: Page, browser: Browser, server: Server) -> None:
    log_in(page, user="grace")
    with tab(browser, server) as other:
        log_in(other, user="grace")
        press(other, "Sign out everywhere")
        expect(other.get_by_role("status")).to_have_text("Not signed in")
    press(page, "Ask the database too")
    expect(page.get_by_role("status")).to_have_text("Not signed in")


def test_a_device_is_signed_out_and_learns_why(page: Page, browser: Browser, server: Server) -> None:
    """The list marks one's own; the other browser is refused, and says why when it is asked."""
    page.get_by_label("Stay signed in").uncheck()
    log_in(page, user="edsger")
    cookies = {one["name"]: one["expires"] for one in page.context.cookies()}
    assert cookies == {"sAccessToken": -1, "sRefreshToken": -1}  # they end with the browser
    with tab(browser, server, user_agent=IPHONE) as phone:
        log_in(phone, user="edsger")
        press(page, "Show my devices")
        devices = page.locator("#devices li")
        expect(devices).to_have_count(2)
        own = devices.filter(has_text="this one")
        expect(own).to_contain_text("until the browser closes")
        page.get_by_role("button", name="Sign out: Safari on iPhone").click()
        expect(devices).to_have_count(1)
        expect(page.get_by_role("button", name="Show my devices")).to_be_focused()  # its own is gone
        expect(page.locator("#devices-note")).to_have_text("1 session ended.")
        press(phone, "Ask the database too")
        expect(phone.locator("#ended-text")).to_have_text("Your session has ended.")
        phone.get_by_role("button", name="Why was I signed out?").click()
        expect(phone.locator("#ended-text")).to_contain_text("the user ended it in the list of their devices")
    page.get_by_role("button", name="Sign out: ").click()
    expect(page.get_by_role("status")).to_have_text("Not signed in")
    expect(devices).to_have_count(0)


def test_changing_the_way_of_a_living_session_leaves_one_set_of_tokens(page: Page) -> None:
    """Log in with cookies, then with headers: the cookies go, and the other way round."""
    log_in(page, "HttpOnly cookies")
    log_in(page, "headers", "grace")
    assert page.context.cookies() == []
    log_in(page, "HttpOnly cookies")
    assert "demo.access-token" not in page.evaluate("Object.keys(localStorage)")
    press(page, "Ask the database too")
    expect(page.locator("#answer")).to_contain_text('"user": "ada"')


def test_a_bad_name_is_explained_beside_the_field(page: Page) -> None:
    own_route(page)
    page.get_by_label("User name").fill("   ")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("1 to 64 printable characters")


def test_a_user_name_is_never_markup(page: Page) -> None:
    name = "<img src=x onerror=document.title='owned'>"
    log_in(page, user=name)
    press(page, "Who am I")
    assert page.title() != "owned"
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_fits(browser: Browser, server: Server, width: int, scheme: str) -> None:
    """No sideways scrolling at any width; everything one can press is at least 44 px high or a text link."""
    size = {"width": width, "height": 800}
    with tab(browser, server, viewport=size, color_scheme=scheme) as page:
        log_in(page, user="a" * 64)
        press(page, "Who am I")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        heights = page.evaluate(
            "[...document.querySelectorAll('button:not(.link, [hidden])')].map(b => b.offsetHeight)"
        )
        assert min(heights) >= 44


def test_the_keyboard_is_enough(page: Page) -> None:
    """Tab reaches the field and the buttons, Enter presses them, and the focus stays where it was."""
    expect(page.get_by_role("button", name="Create account")).to_be_visible()
    for text in ("", "ada@example.com", PASSWORD):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Signed in as ada@example.com")
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.call") == "GET /api/me":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text('"user":')
    assert page.evaluate("document.activeElement.dataset.call") == "GET /api/me"
