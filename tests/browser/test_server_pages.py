"""Pages that a server renders, in Chromium and without a script: nobody notices an expired session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.servers.harness import Kind, Server, launched, uvicorn

MAIN = """
import time
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.engine.config import EngineConfig
from supertokens_py.framework.fastapi import CurrentSession, get_middleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session import PageSettings, next_page
from supertokens_py.recipe.session.asyncio import create_new_session

ahead_ms = 0


def now_ms():
    return time.time_ns() // 1_000_000 + ahead_ms


here, engine = "http://localhost", EngineConfig(now_ms=now_ms)
init(
    InputAppInfo("Shop", api_domain=here, website_domain=here),
    supertokens_config=SupertokensConfig("sqlite://", engine=engine),
    recipe_list=[session.init(pages=PageSettings(login_path="/login", refresh_ahead=False))],
)
app = FastAPI()
app.add_middleware(get_middleware())


@app.get("/login", response_class=HTMLResponse)
async def log_in_page():
    return '<form method="post"><button>Log in</button></form>'


@app.post("/login")
async def log_in(request: Request):
    await create_new_session(request, "public", "ada")
    return RedirectResponse(next_page(request.query_params.get("next")), 303)


@app.post("/later")
async def later():
    global ahead_ms
    ahead_ms += 2 * 3_600_000


@app.get("/visitors", response_class=HTMLResponse)
async def visitors(to: str):
    return f'<a href="{to}">Go there</a><link rel="prefetch" href="{to}">'


@app.get("/{name}", response_class=HTMLResponse)
async def page(name: str, session: CurrentSession):
    return f"<h1>{session.get_user_id()}: {name}</h1>"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "main.py").write_text(MAIN)
    with launched(Kind("pages", folder, uvicorn("main:app"))) as running:
        yield running


@pytest.fixture
def page(shop: Server, context: BrowserContext) -> Page:
    """A tab of somebody who has just logged in, on the way to a page."""
    tab = context.new_page()
    tab.goto(f"http://localhost:{shop.port}/orders?tab=2")
    expect(tab).to_have_url(f"http://localhost:{shop.port}/login?next=/orders%3Ftab%3D2")
    tab.get_by_role("button").click()
    expect(tab.get_by_role("heading")).to_have_text("ada: orders")
    return tab


def refresh_token(context: BrowserContext) -> str:
    (found,) = [one for one in context.cookies() if one.get("name") == "sRefreshToken"]
    return found.get("value", "")


def expire(shop: Server) -> None:
    """Let two hours pass at the server: an access token lives for one."""
    with shop.client() as client:
        assert client.post("/later").status_code == 200


def test_an_expired_page_comes_back_in_every_tab_and_by_the_back_button(
    shop: Server, page: Page, context: BrowserContext
) -> None:
    """CP-37: same address, one rotation; three tabs at once are signed in, all of them."""
    here, asked = f"http://localhost:{shop.port}", list[str]()
    page.on("request", lambda request: asked.append(request.url))
    before = refresh_token(context)
    expire(shop)
    page.goto(f"{here}/basket?a=b")
    expect(page.get_by_role("heading")).to_have_text("ada: basket")
    to_refresh = f"{here}/auth/session/refresh?next=/basket%3Fa%3Db"
    assert asked == [f"{here}/basket?a=b", to_refresh, f"{here}/basket?a=b"]
    assert refresh_token(context) != before
    expire(shop)
    page.go_back()
    expect(page).to_have_url(f"{here}/orders?tab=2")
    expect(page.get_by_role("heading")).to_have_text("ada: orders")
    expire(shop)
    tabs = [page, context.new_page(), context.new_page()]
    tabs[1].goto(f"{here}/visitors?to=/none")
    tabs[2].goto(f"{here}/visitors?to=/none")
    for tab in tabs:
        tab.evaluate("where => { setTimeout(() => location.assign(where)) }", f"{here}/all")
    for tab in tabs:
        expect(tab.get_by_role("heading")).to_have_text("ada: all")


def test_a_prefetch_rotates_nothing_and_a_link_of_another_site_does(
    shop: Server, page: Page, context: BrowserContext
) -> None:
    """CP-37: what nobody has gone to yet; then somebody goes there, from another site."""
    here, before = f"http://localhost:{shop.port}", refresh_token(context)
    expire(shop)
    with page.expect_response(lambda response: response.url == f"{here}/gifts") as fetched:
        page.goto(f"{here}/visitors?to=/gifts")
    sent: Any = fetched.value.request.all_headers()
    assert (fetched.value.status, sent["sec-purpose"]) == (401, "prefetch")
    assert refresh_token(context) == before
    page.goto(f"http://127.0.0.1:{shop.port}/visitors?to={here}/gifts")
    page.get_by_role("link").click()
    expect(page.get_by_role("heading")).to_have_text("ada: gifts")
    assert refresh_token(context) != before
