"""The React, Vue and Angular examples, built as their users build them, on the FastAPI example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.packages import install
from tests.browser.vite import START_SECONDS, built_and_served, served, served_by_angular
from tests.servers.harness import EXAMPLES, FASTAPI, Server, running

VALIDITY_SECONDS = 60

pytestmark = pytest.mark.timeout(400)  # npm installs, builds and serves


@pytest.fixture(scope="module")
def example_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The FastAPI example."""
    database = f"sqlite:///{tmp_path_factory.mktemp('examples')}/sessions.db"
    with running(FASTAPI, database, {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": str(VALIDITY_SECONDS)}) as server:
        yield server


@pytest.fixture(scope="module")
def react(example_api: Server, builds: Path) -> Iterator[str]:
    """The React example; its origin."""
    with built_and_served(EXAMPLES / "react", example_api, builds / "react") as origin:
        yield origin


@pytest.fixture(scope="module")
def vue(example_api: Server, builds: Path) -> Iterator[str]:
    """The Vue example; its origin."""
    with built_and_served(EXAMPLES / "vue", example_api, builds / "vue") as origin:
        yield origin


@pytest.fixture(scope="module")
def angular(example_api: Server) -> Iterator[str]:
    """The Angular example; its origin."""
    with served_by_angular(EXAMPLES / "angular", example_api) as origin:
        yield origin


def heading(page: Page, text: str) -> None:
    """Wait for the page with this heading."""
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def sign_in(page: Page, user: str) -> None:
    """Fill in the example's own form."""
    heading(page, "Sign in")
    page.get_by_label("User name").fill(user)
    page.get_by_label("Password").fill("demo")
    page.get_by_role("button", name="Sign in").click()


def go(page: Page, name: str) -> None:
    """Follow a link of the navigation."""
    page.get_by_role("navigation").get_by_role("link", name=name).click()


def count_and_read_visits(page: Page) -> None:
    """Change the payload on the server and see it, both ways that the example shows."""
    expect(page.locator("#context-visits")).to_have_text("0")
    expect(page.locator("#read-visits")).to_have_text("not read yet")
    page.get_by_role("button", name="Count a visit").click()
    expect(page.locator("#context-visits")).to_have_text("1")
    page.get_by_role("button", name="Read the payload").click()
    expect(page.locator("#read-visits")).to_have_text("1")


def test_the_react_example(react: str, context: BrowserContext) -> None:
    """Sign-in page, context, payload with and without context, claim failures with redirection and screen."""
    page = context.new_page()
    page.goto(react)
    expect(page.get_by_text("Not signed in.")).to_be_visible()
    go(page, "Dashboard")  # SessionAuth sends to the form, and the form back
    sign_in(page, "ada")
    heading(page, "Dashboard of ada")
    count_and_read_visits(page)

    go(page, "Regulars")
    heading(page, "Only for regulars")
    expect(page.get_by_text("2 more visits are needed")).to_be_visible()
    go(page, "Dashboard")
    for visits in ("2", "3"):
        page.get_by_role("button", name="Count a visit").click()
        expect(page.locator("#context-visits")).to_have_text(visits)
    go(page, "Regulars")
    heading(page, "Welcome back")

    go(page, "Admin")
    heading(page, "You are not an admin")
    assert page.url == f"{react}/not-an-admin"

    page.goto(f"{react}/dashboard")
    heading(page, "Dashboard of ada")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Not signed in.")).to_be_visible()
    go(page, "Dashboard")
    heading(page, "Sign in")


@pytest.mark.parametrize("name", ["vue", "angular"])
def test_the_examples_with_a_router_guard(
    name: str, request: pytest.FixtureRequest, context: BrowserContext
) -> None:
    """Sign-in page, payload as reactive state and by hand, a router guard that redirects."""
    origin: str = request.getfixturevalue(name)
    page = context.new_page()
    page.goto(origin)
    expect(page.get_by_text("Not signed in.")).to_be_visible()
    go(page, "Dashboard")
    sign_in(page, "grace")
    heading(page, "Dashboard of grace")
    count_and_read_visits(page)

    go(page, "Admin")
    heading(page, "You are not an admin")
    assert page.url == f"{origin}/not-an-admin"

    go(page, "Dashboard")
    heading(page, "Dashboard of grace")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Not signed in.")).to_be_visible()
    go(page, "Dashboard")
    heading(page, "Sign in")


@pytest.mark.parametrize("name", ["react", "vue", "angular"])
def test_a_name_that_the_api_refuses_is_explained(
    name: str, request: pytest.FixtureRequest, browser: Browser
) -> None:
    """The form says what the API says; the keyboard is enough."""
    origin: str = request.getfixturevalue(name)
    with browser.new_context(viewport={"width": 360, "height": 740}) as context:
        page = context.new_page()
        page.goto(f"{origin}/signin")
        expect(page.get_by_label("User name")).to_be_focused()
        page.keyboard.type("   ")
        page.keyboard.press("Tab")
        page.keyboard.type("demo")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("1 to 64 printable characters")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_label("User name").fill("linus")
        page.keyboard.press("Enter")
        heading(page, "Dashboard of linus")


@pytest.mark.parametrize("back", ["//evil.test/", "https://evil.test/", "/\\evil.test"])
def test_a_link_cannot_lead_away_after_signing_in(
    react: str, vue: str, angular: str, context: BrowserContext, back: str
) -> None:
    """The way back that the sign-in page is given stays on the website."""
    for origin, parameter in ((react, "redirectToPath"), (vue, "back"), (angular, "back")):
        page = context.new_page()
        page.goto(f"{origin}/signin?{parameter}={back}")
        sign_in(page, "ada")
        heading(page, "Dashboard of ada")
        assert page.url.startswith(f"{origin}/")
        page.close()


@pytest.mark.parametrize("name", ["react", "vue"])
def test_the_development_server(name: str, example_api: Server) -> None:
    """`npm run dev` serves the sources and passes what belongs to the API on to it."""
    folder = EXAMPLES / name
    install(folder)
    assert json.loads((folder / "package.json").read_text())["scripts"]["dev"] == "vite"
    with (
        served(folder, example_api) as origin,
        # The first request of a source makes Vite bundle the packages.
        httpx2.Client(base_url=origin, trust_env=False, timeout=START_SECONDS) as client,
    ):
        page = client.get("/").text
        (entry,) = re.findall(r'src="(/src/main\.\w+)"', page)
        assert "SuperTokens" in client.get(entry).text
        assert client.get("/signin").text == page
        assert client.get("/api/me").json() == {"message": "unauthorised"}
        assert client.post("/auth/session/refresh").json() == {"message": "unauthorised"}
