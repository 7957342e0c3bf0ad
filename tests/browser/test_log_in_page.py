"""The page "A whole log-in in ten minutes": its files, saved as they stand there, are that log-in."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.packages import build_with, install
from tests.browser.prebuilt import fill
from tests.browser.tab import local_tab
from tests.browser.vite import served
from tests.examples.documents import ROOT, block, run_shell
from tests.servers.harness import EXAMPLES, Kind, Server, launched, uvicorn
from tests.support.mails import next_mailed_code
from tests.support.ports import free_port

_LINES = re.MULTILINE | re.DOTALL
PAGE = ROOT / "docs" / "log-in.md"
PACKAGES = EXAMPLES / "react_login"  # the same ones, installed once
WEBSITE, API = "localhost:3000", "localhost:8000"

pytestmark = pytest.mark.timeout(400)  # npm installs and builds


@dataclass(frozen=True)
class Shop:
    """The page's website, with its API behind it."""

    origin: str
    api: Server


@contextlib.contextmanager
def shop(folder: Path, main: str, script: str) -> Iterator[Shop]:
    """Run the page's FastAPI application and website, as `main.py` and `main.jsx` are here."""
    port = free_port()
    (folder / "main.py").write_text(main.replace(WEBSITE, f"localhost:{port}"))
    with launched(Kind("log-in", folder, uvicorn("main:app"))) as api:
        files = {"main.jsx": script, **{name: block(PAGE, name) for name in ("vite.config.js", "index.html")}}
        for name, text in files.items():
            (folder / name).write_text(text.replace(API, f"localhost:{api.port}"))
        (folder / "package.json").write_text('{"type": "commonjs"}')
        install(PACKAGES)
        (folder / "node_modules").symlink_to(PACKAGES / "node_modules")
        build_with(folder)
        with served(folder, api, "preview", port=port) as origin:
            yield Shop(origin, api)


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """What stands on the page first."""
    folder = tmp_path_factory.mktemp("simple")
    with shop(folder, block(PAGE, "main.py"), block(PAGE, "main.jsx")) as running:
        yield running


@pytest.fixture
def extended(tmp_path: Path) -> Iterator[Shop]:
    """With what takes the place of parts of it."""
    main, replaced = re.subn(
        r"^website = .*?^\)$", lambda _: block(PAGE, "more.py"), block(PAGE, "main.py"), flags=_LINES
    )
    assert replaced == 1
    script, replaced = re.subn(
        r"^SuperTokens\.init.*?^const screens = .*?$",
        lambda _: block(PAGE, "more.jsx"),
        block(PAGE, "main.jsx"),
        flags=_LINES,
    )
    assert replaced == 1
    with shop(tmp_path, main, script) as running:
        yield running


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A tab that reaches this machine only."""
    return local_tab(context)


def test_a_newcomer_signs_up_and_out_and_in(simple: Shop, page: Page) -> None:
    """The only page wants a session, so the screens come first."""
    page.goto(simple.origin)
    for button, other in (("SIGN UP", "Sign Up"), ("SIGN IN", "Sign In")):
        if page.get_by_role("button", name=button, exact=True).count() == 0:
            page.get_by_text(other, exact=True).click()
        page.locator("input[name=email]").fill("grace@example.com")
        page.locator("input[name=password]").fill("correct horse 1")
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_role("heading", name="Hello grace@example.com")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("input[name=email]")).to_be_visible()


def test_a_newcomer_signs_in_with_a_code(extended: Shop, page: Page) -> None:
    """The screen has a button for the provider, and the code of the log signs in."""
    page.goto(extended.origin)
    expect(page.get_by_role("button", name="Continue with Google")).to_be_visible()
    fill(page, "CONTINUE", email="grace@example.com")
    page.get_by_text("Continue with passwordless").click()
    fill(page, "CONTINUE", userInputCode=next_mailed_code(extended.api, []).code)
    expect(page.get_by_role("heading", name="Hello grace@example.com")).to_be_visible()


def test_the_lines_without_a_browser(simple: Shop, tmp_path: Path) -> None:
    """A session in curl's cookie jar."""
    printed = run_shell(block(PAGE, "curl"), tmp_path, simple.api.port)
    assert printed.startswith('{"status":"OK"')
    assert printed.endswith('{"email":"ada@example.com"}')


def test_the_versions_are_those_of_the_tested_packages() -> None:
    """What `npm install` of the page gets is what the suite drives."""
    (line,) = re.findall(r"^npm install (.+)$", PAGE.read_text(), re.MULTILINE)
    given = dict(word.rsplit("@", 1) for word in line.split())
    wanted = json.loads((PACKAGES / "package.json").read_text())
    tested = wanted["dependencies"] | wanted["devDependencies"]
    assert given == {name: version[: len(given[name])] for name, version in tested.items()}
