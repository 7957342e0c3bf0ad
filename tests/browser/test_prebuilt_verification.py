"""The prebuilt screen that waits for a verified address, with the limit of e-mails that applications have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.prebuilt import Site, dashboard, fill, website
from tests.browser.tab import Traffic, local_tab
from tests.servers.harness import FASTAPI
from tests.support.mails import mailed_links, next_mailed_link

VERIFY = "verify-email"
ASK = "/auth/user/email/verify/token"

pytestmark = pytest.mark.timeout(400)  # npm installs, builds and serves


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, builds: Path) -> Iterator[Site]:
    """The React log-in example as it is developed, with its limits as they are."""
    folder, environ = tmp_path_factory.mktemp("verification"), {"EMAIL_VERIFICATION": "REQUIRED"}
    with website(FASTAPI, folder, builds, environ, development=True) as site:
        yield site


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of a visitor whom the website has never seen."""
    return local_tab(context)


def sign_up(page: Page, site: Site, address: str) -> str:
    """Sign up on the screens, up to the one that waits; return the link that was sent."""
    before = mailed_links(site.server, VERIFY)
    page.goto(f"{site.origin}/auth?show=signup&redirectToPath=/dashboard")
    fill(page, "SIGN UP", email=address, password="correct horse 1")
    expect(page.get_by_text("Verify your email")).to_be_visible()
    return next_mailed_link(site.server, VERIFY, before)


def verified(page: Page, site: Site) -> None:
    """Wait until the link of the tab is used, and go to the protected page."""
    expect(page.get_by_text("Email verification successful!")).to_be_visible()
    page.get_by_role("button", name="CONTINUE").click()
    page.goto(f"{site.origin}/dashboard")
    dashboard(page)


def test_one_link_however_often_the_screen_asks(page: Page, site: Site, user: str) -> None:
    """SI-29. It asks whenever it is opened, and the visitor asks again: no error, and the one link works."""
    traffic = Traffic(page.context)
    before = mailed_links(site.server, VERIFY)
    link = sign_up(page, site, f"{user}@example.com")
    with page.expect_response(f"**{ASK}"):
        page.reload()
    expect(page.get_by_text("Verify your email")).to_be_visible()
    page.get_by_text("Resend Email").click()
    expect(page.get_by_text("Email resent")).to_be_visible()
    assert traffic.statuses(ASK) == [200, 200, 200]
    expect(page.locator("[data-supertokens~=generalError]")).to_have_count(0)
    page.goto(link)
    verified(page, site)
    assert mailed_links(site.server, VERIFY) == [*before, link]


def test_an_expired_link_says_so_and_leads_to_another(page: Page, site: Site, user: str) -> None:
    """SI-32. After a day the link is of no use, and whoever is signed in gets another one."""
    link = sign_up(page, site, f"{user}@example.com")
    site.database.query("UPDATE emailverification_tokens SET token_expiry = token_expiry - 86400000")
    page.goto(link)
    expect(page.get_by_text("The email verification link has expired")).to_be_visible()
    # As if the fifteen seconds between two e-mails had passed.
    site.database.query("DELETE FROM key_value WHERE name LIKE 'supertokens_py_sends_%'")
    before = mailed_links(site.server, VERIFY)
    page.locator("[data-supertokens~=secondaryLinkWithArrow]").click()
    expect(page.get_by_text("Verify your email")).to_be_visible()
    page.goto(next_mailed_link(site.server, VERIFY, before))
    verified(page, site)
