"""The admin page in a browser: for everybody, by keyboard, on a phone, and without scripts."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect

from supertokens_py.admin.local import LocalAdmin, local_admin
from supertokens_py.doctor import Finding
from supertokens_py.engine.session_records import Ending, SessionFeatures, Visit
from tests.browser.packages import HERE, install
from tests.browser.tab import watched
from tests.engine.driver import Driver

#: The success criteria of WCAG 2.2 A and AA, and what axe thinks is good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCREENSHOTS = Path(__file__).parents[2] / "artifacts" / "admin-page"
#: What is photographed, for people to look at.
SHOWN = (
    "user?id=a-user",
    "session?handle",
    "health",
    "keys?",
    "sessions?tenant=public&ended",
    "end?tenant=public&all",
)
LONG_ID = "a-user-whose-id-is-as-long-as-ids-may-be-" + "x" * 87
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"
FINDINGS = [
    Finding("ok", "database", "it can be read"),
    Finding("note", "database", "it holds no sessions yet"),
    Finding("warning", "clock", "the clocks are 9 s apart", "set the clock of every machine by NTP"),
    Finding("error", "database", "it is a read-only standby", "connect to the primary"),
]


@dataclass
class Running:
    """A served page, its database, and handles of a session that lives and of one that ended."""

    admin: LocalAdmin
    core: Driver
    live: str
    ended: str

    @property
    def origin(self) -> str:
        return self.admin.link.partition("/enter")[0]

    @property
    def pages(self) -> list[str]:
        """Every page, and each state of it that looks different."""
        live = f"handle={self.live}"
        return [
            *("", "events", "events?type=session.reuse", "events?actor=boss", "keys", "keys?done=dropped"),
            *("health", "figures", "tenant?id=public", "rotate", "rotate?drop=1", "nothing"),
            *(f"user?id={LONG_ID}&ended=1", "user?id=nobody", f"session?{live}&payload=1"),
            *(f"session?handle={self.ended}&ended=1", f"revoke?{live}", f"revoke?user={LONG_ID}"),
            *(
                "sessions?tenant=public",
                "sessions?tenant=public&ended=2&more=1",
                "sessions?tenant=public&find=nobody",
            ),
            *(f"end?tenant=public&{live}", "end?tenant=public&all=1", "sessions?tenant=nowhere"),
        ]


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    """The page on a database in memory."""
    core = Driver("sqlite://", features=SessionFeatures(events=True, details=True))
    visit = Visit(ip="2001:db8:1:2:3:4:5:6", agent=AGENT, label="Firefox on Linux")
    live, _, ended = (
        core.create(LONG_ID, visit=visit, payload={"plan": "pro", "long": "y" * 200}).handle for _ in range(3)
    )
    core.sessions.revoke([ended], ending=Ending(reason="admin", actor_id="boss"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        admin = local_admin(core.engine, findings=lambda: FINDINGS, actor_id="boss", port=port, writes=True)
        server = uvicorn.Server(uvicorn.Config(admin.app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        yield Running(admin, core, live, ended)
        server.should_exit = True
        thread.join(60)
    core.close()


@pytest.fixture(scope="module")
def cookies(browser: Browser, running: Running) -> list[Any]:
    """What the browser has that followed the link."""
    with browser.new_context() as context, watched(context):
        page = context.new_page()
        page.goto(running.admin.link)
        assert page.url == f"{running.origin}/"  # the token is no longer in the address
        return [*context.cookies()]


def entered(context: BrowserContext, cookies: list[Any]) -> Page:
    context.add_cookies(cookies)
    return context.new_page()


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    install(HERE)
    return (HERE / "node_modules" / "axe-core" / "axe.min.js").read_text()


def faults(page: Page, axe: str, within: str = "html") -> list[Any]:
    """Return what axe finds on a page, or in a part of it.

    It runs beside the page's own policy, which allows no script.
    """
    options = json.dumps({"runOnly": RULES, "resultTypes": ["violations"]})
    found = page.evaluate(f"() => {{ {axe}; return axe.run({json.dumps(within)}, {options}) }}")
    assert len(found["passes"]) > (10 if within == "html" else 5)  # it has looked
    return [
        (one["id"], [(node["html"][:120], node["failureSummary"]) for node in one["nodes"]])
        for one in found["violations"]
    ]


@pytest.mark.parametrize(("scheme", "width"), [("light", 320), ("dark", 1280)])
def test_axe_finds_nothing(
    browser: Browser, running: Running, cookies: list[Any], axe: str, scheme: Any, width: int
) -> None:
    """CP-38: WCAG 2.2 AA on every page and state, light and dark; at 320 pixels nothing scrolls sideways."""
    size: Any = {"width": width, "height": 800}
    with browser.new_context(viewport=size, color_scheme=scheme) as context, watched(context):
        page = entered(context, cookies)
        for path in running.pages:
            page.goto(f"{running.origin}/{path}")
            assert (path, faults(page, axe)) == (path, [])
            assert (path, page.evaluate("document.documentElement.scrollWidth")) == (path, width)
            if path.startswith(SHOWN):
                name = f"{path.partition('?')[0]}-{scheme}-{width}.png"
                page.screenshot(path=SCREENSHOTS / name, full_page=True)
        page.goto(f"{running.origin}/rotate")
        page.get_by_label("Type").fill("something else")
        page.get_by_role("button").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert faults(page, axe) == []
        context.clear_cookies()
        page.goto(f"{running.origin}/keys")
        expect(page.get_by_role("heading")).to_have_text("Follow the link")
        assert faults(page, axe) == []


def test_by_keyboard_and_without_scripts(browser: Browser, running: Running, cookies: list[Any]) -> None:
    """CP-38: from the search to the end of a session, with Tab and Enter; what has the focus is marked."""
    victim = running.core.create("victim").handle
    with browser.new_context(java_script_enabled=False) as context, watched(context):
        page = entered(context, cookies)
        page.goto(f"{running.origin}/keys")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Rotate the signing key")).to_be_focused()
        page.goto(f"{running.origin}/")
        field = page.get_by_label("User id")
        reach(page, field)
        page.keyboard.type("victim")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=2).first).to_have_text("1 live session")
        end = page.get_by_role("link", name=f"End… session {victim}")
        reach(page, end)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("End this session?")
        reach(page, page.get_by_role("button", name="End 1 session"))
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_have_text("1 session ended.")
        assert running.core.sessions.information(victim) is None


def reach(page: Page, wanted: Any) -> None:
    """Press Tab until something has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            style = wanted.evaluate("element => getComputedStyle(element).outlineStyle")
            assert style == "solid"
            return
    raise AssertionError(f"{wanted} is out of reach of the keyboard")


@pytest.fixture
def django_admin(tmp_path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """The pages in Django's admin: their origin, and the cookie of staff."""
    environ = {
        **os.environ,
        "PROJECT_DATABASE": str(tmp_path / "project.db"),
        "PROJECT_SESSIONS": f"sqlite:///{tmp_path}/sessions.db",
    }
    command = [sys.executable, "-m", "tests.framework.django_admin_project", "serve"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            origin = f"http://localhost:{said['port']}"
            yield origin, {"name": "sessionid", "value": said["sessionid"], "url": origin}
        finally:
            process.terminate()


def test_axe_finds_nothing_in_the_admin_of_django(
    browser: Browser, django_admin: tuple[str, Any], axe: str
) -> None:
    """Of what this package adds to it; the frame around it is Django's own."""
    origin, cookie = django_admin
    pages = "/admin/supertokens/session/"
    schemes: tuple[Any, ...] = ("light", "dark")
    for scheme in schemes:
        with browser.new_context(color_scheme=scheme) as context, watched(context):
            page = entered(context, [cookie])
            for query in ("", "?user=nobody", "?user=ada"):
                page.goto(f"{origin}{pages}{query}")
                assert (query, faults(page, axe, "#content")) == (query, [])
                page.screenshot(path=SCREENSHOTS / f"django-list-{scheme}.png", full_page=True)
            page.get_by_role("checkbox").first.check()
            page.get_by_role("button", name="End the selected sessions…").click()
            expect(page.get_by_role("button", name="Yes, end them")).to_be_visible()
            assert faults(page, axe, "#content") == []
            page.screenshot(path=SCREENSHOTS / f"django-end-{scheme}.png", full_page=True)
