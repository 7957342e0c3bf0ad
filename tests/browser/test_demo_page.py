"""How the page of the example applications looks and reads; tests/examples presses its buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.servers.harness import FASTAPI, Server, running

SCREENSHOTS = Path(__file__).parents[2] / "artifacts" / "demo-page"
VALIDITY_SECONDS = 30


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The FastAPI example; its origin."""
    database = f"sqlite:///{tmp_path_factory.mktemp('demo')}/sessions.db"
    environ = {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": str(VALIDITY_SECONDS)}
    with running(FASTAPI, database, environ) as server:
        yield origin_of(server)


def origin_of(server: Server) -> str:
    """Return the address as a visitor types it."""
    return f"http://localhost:{server.port}"


def press(page: Page, name: str) -> None:
    """Press a button and wait until its request is over."""
    button = page.get_by_role("button", name=name)
    button.click()
    expect(button).not_to_have_attribute("aria-disabled", "true")


def log_in(page: Page) -> None:
    """Log in as the demo's first user."""
    page.get_by_label("Own route").check()
    page.get_by_label("User name").fill("ada")
    press(page, "Log in")
    expect(page.get_by_role("status")).to_have_text("Signed in as ada")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("device", "width"), [("phone", 390), ("desktop", 1280)])
def test_pictures_of_the_main_states(
    browser: Browser, demo: str, scheme: Literal["light", "dark"], device: str, width: int
) -> None:
    """Kept as artefacts of the run, to be looked at: signed out, signed in, in use, expired, refused."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        page.goto(demo)

        def picture(name: str) -> None:
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.screenshot(path=SCREENSHOTS / f"{name}-{device}-{scheme}.png", full_page=True)

        expect(page.get_by_role("button", name="Create account")).to_be_visible()
        picture("1-signed-out")
        page.get_by_label("E-mail address").fill("ada@example.com")
        page.get_by_label("Password").fill("password123")
        press(page, "Create account")
        expect(page.get_by_role("alert")).to_contain_text("most common")
        picture("2-refused")
        log_in(page)
        picture("3-signed-in")
        for button in ("Count a visit", "Who am I", "Refresh now", "Ask the database too"):
            press(page, button)
        expect(page.locator("#answer")).to_contain_text("database")
        press(page, "Show my devices")
        expect(page.locator("#devices li").first).to_contain_text("this one")
        picture("4-in-use")
        press(page, "Sign out POST")
        press(page, "Who am I")
        picture("5-signed-out-again")


def test_everything_has_a_name_and_a_role(browser: Browser, demo: str) -> None:
    """What a screen reader meets: landmarks, one main heading, labelled fields and live regions."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(demo)
        log_in(page)
        expect(page.get_by_role("main")).to_have_count(1)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        expect(page.get_by_role("status")).to_have_count(1)
        expect(page.get_by_role("log")).to_have_count(1)
        expect(page.get_by_role("progressbar")).to_have_accessible_name("Access token")
        assert page.evaluate("document.documentElement.lang") == "en"
        levels = page.evaluate(
            "[...document.querySelectorAll('h1, h2, h3, h4')].map(heading => Number(heading.tagName[1]))"
        )
        assert all(after - before <= 1 for before, after in pairwise(levels))
        page.get_by_label("Sign in").check()  # the form with most in it
        for control in page.locator(":is(button, input, select, textarea, progress):not([hidden])").all():
            expect(control).to_have_accessible_name(re.compile(r"\S"))
        unlabelled = page.locator("section:not([aria-labelledby]):not([aria-label])").count()
        assert unlabelled == 0
        assert page.evaluate("document.querySelectorAll('[tabindex]:not([tabindex=\"0\"])').length") == 0
