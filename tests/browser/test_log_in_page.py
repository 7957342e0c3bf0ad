"""The page "A whole log-in in ten minutes": its files, saved as they stand there, are that log-in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.packages import build_with, install
from tests.browser.vite import served
from tests.examples.documents import ROOT, block, run_shell
from tests.servers.harness import EXAMPLES, Kind, Server, free_port, launched, uvicorn

PAGE = ROOT / "docs" / "log-in.md"
PACKAGES = EXAMPLES / "react_login"  # the same ones, installed once
WEBSITE, API = "localhost:3000", "localhost:8000"

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]  # npm installs and builds


@pytest.fixture(scope="module")
def port() -> int:
    """Where the website is."""
    return free_port()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Server]:
    """The page's FastAPI application, without any setting."""
    folder = tmp_path_factory.mktemp("api")
    (folder / "main.py").write_text(block(PAGE, "main.py").replace(WEBSITE, f"localhost:{port}"))
    with launched(Kind("log-in", folder, uvicorn("main:app"))) as server:
        yield server


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory, api: Server, port: int) -> Iterator[str]:
    """The page's website."""
    folder = tmp_path_factory.mktemp("website")
    for name in ("vite.config.js", "index.html", "main.jsx"):
        (folder / name).write_text(block(PAGE, name).replace(API, f"localhost:{api.port}"))
    (folder / "package.json").write_text('{"type": "commonjs"}')
    install(PACKAGES)
    (folder / "node_modules").symlink_to(PACKAGES / "node_modules")
    build_with(folder)
    with served(folder, api, "preview", port=port) as origin:
        yield origin


def test_a_newcomer_signs_up_and_out_and_in(origin: str, context: BrowserContext) -> None:
    """The only page wants a session, so the screens come first."""
    context.route(lambda url: not url.startswith(origin), lambda route: route.abort())
    page = context.new_page()
    page.goto(origin)
    for button, other in (("SIGN UP", "Sign Up"), ("SIGN IN", "Sign In")):
        if page.get_by_role("button", name=button, exact=True).count() == 0:
            page.get_by_text(other, exact=True).click()
        page.locator("input[name=email]").fill("grace@example.com")
        page.locator("input[name=password]").fill("correct horse 1")
        page.get_by_role("button", name=button, exact=True).click()
        expect(page.get_by_role("heading", name="Hello grace@example.com")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.locator("input[name=email]")).to_be_visible()


def test_the_lines_without_a_browser(api: Server, tmp_path: Path) -> None:
    """A session in curl's cookie jar."""
    printed = run_shell(block(PAGE, "curl"), tmp_path, api.port)
    assert printed.startswith('{"status":"OK"')
    assert printed.endswith('{"email":"ada@example.com"}')


def test_the_versions_are_those_of_the_tested_packages() -> None:
    """What `npm install` of the page gets is what the suite drives."""
    (line,) = re.findall(r"^npm install (.+)$", PAGE.read_text(), re.MULTILINE)
    given = dict(word.rsplit("@", 1) for word in line.split())
    wanted = json.loads((PACKAGES / "package.json").read_text())
    tested = wanted["dependencies"] | wanted["devDependencies"]
    assert given == {name: version[: len(given[name])] for name, version in tested.items()}
