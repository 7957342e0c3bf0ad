"""One browser for the package, one backend per module and adapter, one browser context per test."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.packages import build_pages
from tests.browser.servers import KINDS, Backend, Setup, backend, page_server
from tests.browser.tab import WAIT_MS, Tab, Traffic, watched
from tests.support.programs import CHROMIUM_OPTIONS, chromium, headless_chromium

HERE = Path(__file__).parent
#: The first test of a fresh checkout waits until the npm packages are installed.
FIRST_TEST_SECONDS = 300
_users = itertools.count(1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests, and ask `web-js` over one adapter.

    `web-js` is the other client with more names: what it sends does not depend on the adapter.
    """
    here = f"{HERE}{os.sep}"
    ours = [item for item in items if str(item.path).startswith(here)]
    doubled = {item for item in ours if _repeats_a_client(item)}
    config.hook.pytest_deselected(items=doubled)
    items[:] = [item for item in items if item not in doubled]
    for item in ours:
        item.add_marker(pytest.mark.browser)
        item.add_marker(pytest.mark.real)
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(FIRST_TEST_SECONDS))


def _repeats_a_client(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return params.get("client") == "web-js" and params.get("kind", KINDS[0]) is not KINDS[0]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium."""
    program = headless_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        expect.set_options(timeout=WAIT_MS)  # a context's default does not reach `expect`
        yield browser
        expect.set_options(timeout=None)
        browser.close()


@pytest.fixture(scope="package")
def pages() -> Path:
    """The folder of the test page, bundled with the official packages."""
    return build_pages()


@pytest.fixture(scope="package")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this run keeps its builds: not in dist/, which a developer may be serving."""
    own = tmp_path_factory.getbasetemp()
    # The workers of one run share the folder above theirs; without workers that one is of all runs.
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="package")
def page_port(pages: Path) -> Iterator[int]:
    """The port of a server that has only the page."""
    with page_server(pages) as port:
        yield port


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Any:
    """Two adapters, one after the other.

    That adapters answer alike is what the published suite asks, and that a browser takes it alike is what
    test_frameworks.py does.
    """
    return request.param


@pytest.fixture(scope="module")
def setup(page_port: int) -> Setup:
    """How the backend of this module is set up; modules replace this."""
    return Setup({}, {}, origins=(f"http://localhost:{page_port}",))


@pytest.fixture(scope="module")
def database(kind: Any, setup: Setup, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The database of one backend."""
    del kind, setup  # each has its own
    return f"sqlite:///{tmp_path_factory.mktemp('browser')}/sessions.db"


@pytest.fixture(scope="module")
def api(kind: Any, setup: Setup, pages: Path, database: str) -> Iterator[Backend]:
    """The backend of this module."""
    with backend(kind, database, pages, setup) as running:
        yield running


@pytest.fixture
def context(request: pytest.FixtureRequest, browser: Browser) -> Iterator[BrowserContext]:
    """A browser with an empty profile; `@pytest.mark.browser(whole=True)` asks for all of Chromium."""
    marker = request.node.get_closest_marker("browser")
    with contextlib.ExitStack() as stack:
        if marker is not None and marker.kwargs.get("whole"):
            launched = browser.browser_type.launch(executable_path=chromium(), args=CHROMIUM_OPTIONS)
            browser = stack.enter_context(launched)
        context = stack.enter_context(browser.new_context())
        stack.enter_context(watched(context))
        yield context


@pytest.fixture
def traffic(context: BrowserContext) -> Traffic:
    """What the tabs of the context send."""
    return Traffic(context)


@pytest.fixture
def open_tab(context: BrowserContext, traffic: Traffic, api: Backend) -> Callable[..., Tab]:
    """Open a tab on a page of `origin` (default: the API's own), with settings for the client."""

    def open_tab(origin: str | None = None, **settings: Any) -> Tab:
        page = context.new_page()
        return Tab(page, origin or api.origin, {"apiDomain": api.origin, **settings}).open()

    return open_tab


@pytest.fixture
def open_apart(browser: Browser, api: Backend) -> Iterator[Callable[..., tuple[Tab, Traffic]]]:
    """Open a tab in an empty profile of its own, with settings for the client; return it and its traffic."""
    with contextlib.ExitStack() as stack:

        def open_apart(origin: str | None = None, **settings: Any) -> tuple[Tab, Traffic]:
            context = stack.enter_context(browser.new_context())
            stack.enter_context(watched(context))
            traffic = Traffic(context)
            settings = {"apiDomain": api.origin, **settings}
            return Tab(context.new_page(), origin or api.origin, settings).open(), traffic

        yield open_apart


@pytest.fixture
def forge(context: BrowserContext, page_port: int) -> Callable[[str], int]:
    """Have a page of another site post a form to a URL, as a visitor would; return the status."""

    def forge(url: str) -> int:
        page = context.new_page()
        page.goto(f"http://evil.test:{page_port}/pages/prize.html")
        page.evaluate("url => { document.forms[0].action = url }", url)
        with page.expect_navigation() as navigation:
            page.get_by_role("button", name="You have won").click()
        answer = navigation.value
        assert answer is not None
        page.close()
        return answer.status

    return forge


@pytest.fixture
def user() -> str:
    """A user whom no other test knows."""
    return f"user-{os.getpid()}-{next(_users)}"


@pytest.fixture(params=["website", "web-js"])
def client(request: pytest.FixtureRequest) -> str:
    """Both official clients."""
    return request.param
