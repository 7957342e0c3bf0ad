"""A whole log-in with the prebuilt screens of `supertokens-auth-react`, unmodified, in StrictMode."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.prebuilt import Site, dashboard, fill, says, website
from tests.browser.tab import local_tab
from tests.servers.harness import DJANGO_ASGI, FASTAPI, FLASK
from tests.support.mails import mailed_links, next_mailed_link

PASSWORD = "correct horse 1"
NEW_PASSWORD = "battery staple 2"
RESET, VERIFY = "reset-password", "verify-email"
MAIL_SENT = "A password reset email has been sent to {}, if it exists in our system."

pytestmark = pytest.mark.timeout(400)  # npm installs, builds and serves


@pytest.fixture(scope="module", params=[FASTAPI, FLASK, DJANGO_ASGI], ids=lambda kind: kind.name)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, builds: Path
) -> Iterator[Site]:
    """The React log-in example on each backend example."""
    environ = {
        "EMAIL_VERIFICATION": "REQUIRED",
        # Else an address gets one e-mail in 15 seconds.
        "SUPERTOKENS_PASSWORD_RESET_EMAILS_PER_DAY": "0",
        "SUPERTOKENS_VERIFICATION_EMAILS_PER_DAY": "0",
    }
    with website(request.param, tmp_path_factory.mktemp("login"), builds, environ) as site:
        yield site


on_one_backend = pytest.mark.parametrize("site", [FASTAPI], indirect=True, ids=lambda kind: kind.name)


@pytest.fixture
def address(user: str) -> str:
    """An address that no other test has."""
    return f"{user}@example.com"


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of a visitor whom the website has never seen."""
    return local_tab(context)


@pytest.fixture
def sign_up(site: Site, context: BrowserContext) -> Callable[[str], None]:
    """Make a user with a verified address, without the screens."""

    def sign_up(address: str) -> None:
        fields = [{"id": "email", "value": address}, {"id": "password", "value": PASSWORD}]
        with site.server.client() as client:
            answer = client.post("/auth/signup", json={"formFields": fields})
        assert answer.json()["status"] == "OK", answer.text
        site.database.query(
            "INSERT INTO emailverification_verified_emails VALUES ('public', %s, %s)",
            answer.json()["user"]["id"],
            address,
        )

    return sign_up


def new_password(page: Page, password: str) -> None:
    """Fill in the form behind the link of an e-mail."""
    fill(page, "CHANGE PASSWORD", **{"password": password, "confirm-password": password})


def link_of_mail(page: Page, site: Site, address: str) -> str:
    """Ask for a reset on the screen and return the link that arrives."""
    before = mailed_links(site.server, RESET)
    page.goto(f"{site.origin}/auth/reset-password")
    fill(page, "Email me", email=address)
    expect(page.get_by_text(MAIL_SENT.format(address))).to_be_visible()
    return next_mailed_link(site.server, RESET, before)


def test_sign_up_verify_protected_page_sign_out_reset_sign_in(page: Page, site: Site, address: str) -> None:
    """The whole way of a person, with the protected page before and after."""
    page.goto(f"{site.origin}/dashboard")  # <SessionAuth> sends to the screens, and they send back
    page.get_by_text("Sign Up", exact=True).click()
    before = mailed_links(site.server, VERIFY)
    fill(page, "SIGN UP", email=address, password=PASSWORD)
    expect(page.get_by_text("Verify your email")).to_be_visible()
    page.get_by_text("Resend Email").click()
    link = next_mailed_link(site.server, VERIFY, before)
    page.goto(link)
    expect(page.get_by_text("Email verification successful!")).to_be_visible()
    page.get_by_role("button", name="CONTINUE").click()
    page.get_by_role("link", name="Dashboard", exact=True).click()
    dashboard(page)
    page.get_by_role("button", name="Count a visit").click()
    expect(page.locator("#visits")).to_have_text("1")
    page.reload()  # before it signs out, the client has to be done with the new payload
    expect(page.locator("#visits")).to_have_text("1")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Not signed in.")).to_be_visible()
    page.goto(link)  # without a session nothing is verified before somebody presses a button
    page.get_by_role("button", name="CONTINUE").click()
    expect(page.get_by_text("The email verification link has expired")).to_be_visible()

    link = link_of_mail(page, site, address.upper())
    assert link.startswith(f"{site.origin}/auth/reset-password?token=")
    page.goto(link)
    new_password(page, NEW_PASSWORD)
    expect(page.get_by_text("Your password has been updated successfully")).to_be_visible()

    page.goto(f"{site.origin}/dashboard")
    fill(page, "SIGN IN", email=address, password=NEW_PASSWORD)
    dashboard(page)


@on_one_backend
def test_a_wrong_password_and_an_unknown_address_say_the_same(
    page: Page, site: Site, address: str, sign_up: Callable[[str], None]
) -> None:
    """The visitor stays on the form, and the client refreshes nothing."""
    sign_up(address)
    page.goto(f"{site.origin}/auth")
    for given in (address, f"not-{address}"):
        fill(page, "SIGN IN", email=given, password="wrong horse 1")
        says(page, "generalError", "Incorrect email and password combination")
    fill(page, "SIGN IN", email=address, password=PASSWORD)
    expect(page.get_by_text("Signed in.")).to_be_visible()


@on_one_backend
def test_what_a_sign_up_form_refuses(
    page: Page, site: Site, address: str, sign_up: Callable[[str], None]
) -> None:
    """A taken address, the rules of passwords that the browser checks, and the one that only we know."""
    sign_up(address)
    page.goto(f"{site.origin}/auth?show=signup")
    fill(page, "SIGN UP", email=address, password=PASSWORD)
    says(page, "inputErrorMessage", "This email already exists. Please sign in instead.")
    fill(page, "SIGN UP", email=f"new-{address}", password="short 1")
    says(page, "inputErrorMessage", "Password must contain at least 8 characters, including a number")
    fill(page, "SIGN UP", email=f"new-{address}", password="password123")
    says(
        page,
        "inputErrorMessage",
        "This is one of the most common passwords, so it would be guessed first. Please choose another one",
    )


@on_one_backend
def test_a_link_works_once_and_for_an_hour(
    page: Page, site: Site, address: str, sign_up: Callable[[str], None]
) -> None:
    """A used link, an expired one and one that was made up end on the same message and a way on."""
    sign_up(address)
    used = link_of_mail(page, site, address)
    page.goto(used)
    new_password(page, NEW_PASSWORD)
    expect(page.get_by_text("Your password has been updated successfully")).to_be_visible()
    expired = link_of_mail(page, site, address)
    site.database.query("UPDATE emailpassword_pswd_reset_tokens SET token_expiry = token_expiry - 3600000")
    for link in (used, expired, re.sub("token=[^&]+", "token=made-up", used)):
        page.goto(link)
        new_password(page, "another horse 3")
        says(page, "generalError", "Invalid password reset token")
    page.goto(f"{site.origin}/auth")
    fill(page, "SIGN IN", email=address, password=NEW_PASSWORD)
    expect(page.get_by_text("Signed in.")).to_be_visible()


@on_one_backend
def test_an_unknown_address_looks_like_a_known_one_at_a_reset(page: Page, site: Site, address: str) -> None:
    """The screen says that an e-mail was sent; none is."""
    before = mailed_links(site.server, RESET)
    page.goto(f"{site.origin}/auth/reset-password")
    fill(page, "Email me", email=address)
    expect(page.get_by_text(MAIL_SENT.format(address))).to_be_visible()
    assert mailed_links(site.server, RESET) == before


@on_one_backend
def test_after_too_many_guesses_the_form_says_how_long_to_wait(
    page: Page, site: Site, address: str, sign_up: Callable[[str], None]
) -> None:
    """Even the right password has to wait."""
    sign_up(address)
    page.goto(f"{site.origin}/auth")
    fill(page, "SIGN IN", email=address, password="wrong horse 1")
    says(page, "generalError", "Incorrect email and password combination")
    # As many more would do: the first wait is a second, and each is twice as long as the one before.
    site.database.query("UPDATE key_value SET value = '20' WHERE name LIKE 'supertokens_py_attempts_%'")
    fill(page, "SIGN IN", email=address, password=PASSWORD)
    says(page, "generalError", "Too many attempts. Please try again in 15 minutes")


@on_one_backend
def test_the_screens_fit_a_phone(page: Page, site: Site) -> None:
    """No sideways scrolling, and as much room on the left as on the right."""
    page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/auth", "/auth?show=signup", "/auth/reset-password"):
        page.goto(f"{site.origin}{path}")
        expect(page.locator("input[name=email]")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        box = page.locator("[data-supertokens~=container]").bounding_box()
        assert box is not None
        assert box["x"] == pytest.approx(360 - box["x"] - box["width"], abs=1)
