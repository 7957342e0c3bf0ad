"""Password, code, link and other providers on one prebuilt screen of `supertokens-auth-react`, unmodified."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.prebuilt import Site, dashboard, fill, says, website
from tests.browser.tab import Traffic, local_tab, watched
from tests.servers.harness import DJANGO_ASGI, FASTAPI, FLASK
from tests.support.mails import MailedCode, mailed_codes, next_mailed_code, next_texted_code, texted_codes
from tests.support.openid import CLIENT_SECRET, OpenIDProvider, npm_provider, python_provider

PASSWORD = "correct horse 1"
NO_ADDRESS = "Could not retrieve email. Please try a different method."
NUMBER = "+1 650 253 0000"
CONSUME = "/auth/signinup/code/consume"
#: What each tenant offers; those of "public" are everything but text messages.
TENANTS = {
    "public": ["emailpassword", "otp-email", "link-email", "thirdparty"],
    "acme": ["emailpassword"],
    "guests": ["otp-email"],
    "phones": ["otp-phone", "link-phone"],
}

pytestmark = pytest.mark.timeout(400)  # npm installs, builds and serves


@pytest.fixture(scope="module")
def company() -> Iterator[OpenIDProvider]:
    """One provider."""
    with npm_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def club() -> Iterator[OpenIDProvider]:
    """Another one."""
    with python_provider() as provider:
        yield provider


@pytest.fixture(scope="module", params=[FASTAPI], ids=lambda kind: kind.name)
def site(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    builds: Path,
    company: OpenIDProvider,
    club: OpenIDProvider,
) -> Iterator[Site]:
    """The React log-in example, with an API that has every way to sign in."""
    environ = {
        "EMAIL_VERIFICATION": "REQUIRED",
        "PASSWORDLESS": "USER_INPUT_CODE_AND_MAGIC_LINK",
        "PASSWORDLESS_BY_PHONE": "1",
        "SUPERTOKENS_PASSWORDLESS_MESSAGES_PER_DAY": "0",  # else an address gets one in 15 seconds
        "OPENID_PROVIDERS": f"company={company.document} club={club.document}",
        "OPENID_CLIENT_ID": company.client_id,
        "OPENID_CLIENT_SECRET": CLIENT_SECRET,
    }
    folder = tmp_path_factory.mktemp("ways")
    with website(request.param, folder, builds, environ, tenants=TENANTS) as site:
        yield site


on_the_other_backends = pytest.mark.parametrize(
    "site", [FLASK, DJANGO_ASGI], indirect=True, ids=lambda kind: kind.name
)


@pytest.fixture
def address(user: str) -> str:
    """An address that no other test has."""
    return f"{user}@example.com"


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab of a visitor whom the website has never seen."""
    return local_tab(context)


@pytest.fixture
def other_page(browser: Browser) -> Iterator[Page]:
    """A tab of another browser."""
    with browser.new_context() as context, watched(context):
        yield local_tab(context)


def ask_for_code(page: Page, site: Site, address: str) -> MailedCode:
    """Ask for an e-mail on the screen and return what it has."""
    before = mailed_codes(site.server)
    fill(page, "CONTINUE", email=address)
    page.get_by_text("Continue with passwordless").click()
    expect(page.get_by_text("An OTP and a magic link was sent to you at")).to_be_visible()
    return next_mailed_code(site.server, before)


def sign_in_at(page: Page, provider: OpenIDProvider, name: str, address: str) -> None:
    """Choose a provider and sign in on its pages."""
    page.get_by_role("button", name=f"Continue with {name}").click()
    page.wait_for_url(f"{provider.issuer}/**")
    page.locator("input[name=email], input[name=sub]").fill(address)
    page.get_by_role("button", name=re.compile("^(Sign in|Authorize)$")).click()


def refuse_at(page: Page, provider: OpenIDProvider, name: str) -> None:
    """Choose a provider and press what cancels on its page."""
    page.get_by_role("button", name=f"Continue with {name}").click()
    page.wait_for_url(f"{provider.issuer}/**")
    page.get_by_role("button", name=re.compile("^(Cancel|Deny)$")).click()


def payload_of(page: Page) -> dict[str, Any]:
    """Return the payload that the API sees."""
    return page.evaluate("fetch('/api/me').then(answer => answer.json())")["payload"]


def test_a_code_by_mail(page: Page, site: Site, address: str) -> None:
    """From the protected page to the screens, with the code back to it, and no address is left to verify."""
    page.goto(f"{site.origin}/dashboard")
    code = ask_for_code(page, site, address).code
    fill(page, "CONTINUE", userInputCode=code)
    dashboard(page)


def test_a_link_in_the_same_browser(page: Page, site: Site, address: str) -> None:
    """Signed in without another question."""
    page.goto(f"{site.origin}/auth")
    link = ask_for_code(page, site, address).link
    page.goto(link)
    expect(page.get_by_text("Signed in.")).to_be_visible()
    page.goto(f"{site.origin}/dashboard")
    dashboard(page)


def test_a_link_in_another_browser(page: Page, other_page: Page, site: Site, address: str) -> None:
    """Opening it is not enough, as scanners of e-mails do that; pressing the button signs in, once."""
    page.goto(f"{site.origin}/auth")
    link = ask_for_code(page, site, address).link
    traffic = Traffic(other_page.context)
    other_page.goto(link)
    expect(other_page.get_by_text("Click the button below to log in on this device")).to_be_visible()
    assert traffic.to(CONSUME) == []
    fill(other_page, "CONTINUE")
    expect(other_page.get_by_text("Signed in.")).to_be_visible()
    page.goto(link)  # which is used up
    says(page, "generalError", "Invalid magic link. Please try again.")


def test_wrong_codes_to_the_limit(page: Page, site: Site, address: str) -> None:
    """SI-39. Five guesses; then the right code is of no use either, and the visitor begins again."""
    page.goto(f"{site.origin}/auth")
    mail = ask_for_code(page, site, address)
    wrong = f"{(int(mail.code) + 1) % 1_000_000:06}"
    for _ in range(4):
        with page.expect_response(f"**{CONSUME}"):
            fill(page, "CONTINUE", userInputCode=wrong)
        says(page, "generalError", "Invalid OTP")
        expect(page.locator("input[name=userInputCode]")).to_have_value("")  # the screen empties it
    fill(page, "CONTINUE", userInputCode=wrong)
    says(page, "generalError", "Login unsuccessful. Please try again.")
    page.goto(mail.link)
    fill(page, "CONTINUE")  # the browser has forgotten that it asked
    says(page, "generalError", "Invalid magic link. Please try again.")
    code = ask_for_code(page, site, address).code
    fill(page, "CONTINUE", userInputCode=code)
    expect(page.get_by_text("Signed in.")).to_be_visible()


def test_another_code(page: Page, site: Site, address: str) -> None:
    """SI-41. After a while the screen lets the visitor ask again; the first code is good still."""
    page.clock.install()
    page.goto(f"{site.origin}/auth")
    first = ask_for_code(page, site, address).code
    before = mailed_codes(site.server)
    expect(page.get_by_text("Resend in")).to_be_visible()
    page.clock.fast_forward("00:20")
    page.get_by_role("button", name="Resend Email").click()
    expect(page.get_by_text("Email resent")).to_be_visible()
    second = next_mailed_code(site.server, before).code
    assert second != first
    fill(page, "CONTINUE", userInputCode=first)
    expect(page.get_by_text("Signed in.")).to_be_visible()


@pytest.mark.parametrize(("name", "fixture"), [("Company", "company"), ("Club", "club")])
def test_another_provider(
    page: Page,
    other_page: Page,
    site: Site,
    address: str,
    name: str,
    fixture: str,
    request: pytest.FixtureRequest,
) -> None:
    """SI-52. There and back in two browsers, as one user."""
    provider: OpenIDProvider = request.getfixturevalue(fixture)
    if fixture == "club":
        provider.know(address, email=address, email_verified=True)
    page.goto(f"{site.origin}/dashboard")
    sign_in_at(page, provider, name, address)
    dashboard(page)
    user = page.locator("#user").inner_text()
    other_page.goto(f"{site.origin}/dashboard")
    sign_in_at(other_page, provider, name, address)
    dashboard(other_page)
    assert other_page.locator("#user").inner_text() == user


def test_an_address_that_the_provider_has_not_verified(
    page: Page, site: Site, address: str, company: OpenIDProvider
) -> None:
    """It is verified as that of a password would be."""
    page.goto(f"{site.origin}/dashboard")
    sign_in_at(page, company, "Company", f"unverified-{address}")
    expect(page.get_by_text("Verify your email")).to_be_visible()


def test_an_account_without_an_address(page: Page, site: Site, address: str, company: OpenIDProvider) -> None:
    """SI-56. The screen says what is missing."""
    page.goto(f"{site.origin}/auth")
    sign_in_at(page, company, "Company", f"nobody-{address}")
    says(page, "generalError", NO_ADDRESS)


@pytest.mark.parametrize(("name", "fixture"), [("Company", "company"), ("Club", "club")])
def test_a_refusal_at_the_provider(
    page: Page, site: Site, name: str, fixture: str, request: pytest.FixtureRequest
) -> None:
    """SI-55. Whoever presses Cancel there is back on the form, which says so, and can choose again."""
    page.goto(f"{site.origin}/auth")
    refuse_at(page, request.getfixturevalue(fixture), name)
    says(page, "generalError", "Something went wrong. Please try again.")
    expect(page.get_by_role("button", name=f"Continue with {name}")).to_be_visible()


def test_each_tenant_has_ways_of_its_own(page: Page, site: Site, address: str) -> None:
    """SI-72. `usesDynamicLoginMethods`: passwords here, codes there; the session is one of that tenant."""
    page.goto(f"{site.origin}/auth?tenantId=acme&show=signup")
    expect(page.locator("input[name=password]")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Continue", re.IGNORECASE))).to_have_count(0)

    page.goto(f"{site.origin}/auth?tenantId=guests")
    before = mailed_codes(site.server)
    fill(page, "CONTINUE", email=address)
    expect(page.get_by_text("An OTP was sent to you at")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Continue with"))).to_have_count(0)
    fill(page, "CONTINUE", userInputCode=next_mailed_code(site.server, before).code)
    expect(page.get_by_text("Signed in.")).to_be_visible()
    assert payload_of(page)["tId"] == "guests"


def test_a_code_by_text_message(page: Page, site: Site) -> None:
    """No such number, a wrong code, and the right one."""
    page.goto(f"{site.origin}/auth?tenantId=phones")
    number = page.locator("input[type=tel]")
    number.fill("+1 555")
    page.get_by_role("button", name="CONTINUE", exact=True).click()
    expect(page.get_by_text("Phone number is invalid")).to_be_visible()
    number.fill(NUMBER)
    before = texted_codes(site.server)
    page.get_by_role("button", name="CONTINUE", exact=True).click()
    expect(page.get_by_text("An OTP and a magic link was sent to you at")).to_be_visible()
    code = next_texted_code(site.server, before)
    fill(page, "CONTINUE", userInputCode=f"{(int(code) + 1) % 1_000_000:06}")
    says(page, "generalError", "Invalid OTP")
    fill(page, "CONTINUE", userInputCode=code)
    expect(page.get_by_text("Signed in.")).to_be_visible()
    assert payload_of(page)["tId"] == "phones"


def test_the_screen_asks_for_what_an_address_has(
    page: Page, other_page: Page, site: Site, address: str
) -> None:
    """One field, "Continue": a password for an account with one, else a code."""
    page.goto(f"{site.origin}/auth?show=signup")
    fill(page, "SIGN UP", email=address, password=PASSWORD)
    expect(page.get_by_text("Verify your email")).to_be_visible()

    other_page.goto(f"{site.origin}/auth")
    fill(other_page, "CONTINUE", email=address)
    fill(other_page, "CONTINUE", password=PASSWORD)
    expect(other_page.get_by_text("Verify your email")).to_be_visible()


@on_the_other_backends
def test_a_code_and_a_provider(
    page: Page, other_page: Page, site: Site, address: str, club: OpenIDProvider
) -> None:
    """What the other backends have to do for the screens."""
    page.goto(f"{site.origin}/dashboard")
    code = ask_for_code(page, site, address).code
    fill(page, "CONTINUE", userInputCode=code)
    dashboard(page)
    club.know(address, email=address, email_verified=True)
    other_page.goto(f"{site.origin}/dashboard")
    sign_in_at(other_page, club, "Club", address)
    dashboard(other_page)
