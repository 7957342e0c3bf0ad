"""Sessions without decorator and middleware: functions in views, scripts, background tasks, notebooks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from supertokens_py.recipe.session import asyncio as functions
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError, UnauthorisedError
from tests.seeds.fixtures import Open, Start
from tests.seeds.sites import API, KINDS, Route, Visit

COOKIE = {"st_auth_mode": "cookie"}
EVERY_KIND = [*KINDS, "fastapi-def"]


async def log_in(visit: Visit) -> Any:
    return (await visit.log_in("ada")).get_handle()


async def found(visit: Visit, **options: Any) -> Any:
    """Verify by a call instead of a decorator."""
    if visit.blocking:
        return syncio.get_session(visit.request, **options)
    return await functions.get_session(visit.request, **options)


async def read(visit: Visit) -> Any:
    session = await found(visit)
    return session.get_user_id()


async def read_optional(visit: Visit) -> Any:
    session = await found(visit, session_required=False)
    return session and session.get_user_id()


async def change(visit: Visit) -> Any:
    visit.session = await found(visit)
    await visit.merge({"a": 1})
    return visit.session.get_access_token_payload()["a"]


async def refresh_by_hand(visit: Visit) -> Any:
    if visit.blocking:
        return syncio.refresh_session(visit.request).get_user_id()
    return (await functions.refresh_session(visit.request)).get_user_id()


ROUTES = [
    Route("/login", log_in),
    Route("/read", read),
    Route("/optional", read_optional),
    Route("/change", change),
    Route("/refresh-by-hand", refresh_by_hand),
]


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_get_session_in_a_view(kind: str, start: Start, open_site: Open) -> None:
    """It answers as the decorator does, and delivers what changed."""
    start()
    site = open_site(kind, ROUTES)
    browser = site.browser(**COOKIE)
    assert (await browser.get("/read")).status_code == 401
    assert (await browser.get("/optional")).json() is None
    await browser.post("/login")
    assert (await browser.get("/read")).json() == "ada"
    assert (await browser.get("/optional")).json() == "ada"
    answer = await browser.post("/change")
    assert answer.json() == 1
    assert "front-token" in answer.headers
    assert "set-cookie" in answer.headers


@pytest.mark.parametrize("kind", EVERY_KIND)
async def test_refresh_session_in_a_view(kind: str, start: Start, open_site: Open) -> None:
    start()
    browser = open_site(kind, ROUTES).browser(st_auth_mode="header")
    token = (await browser.post("/login")).headers["st-refresh-token"]
    answer = await browser.post("/refresh-by-hand", headers={"authorization": f"Bearer {token}"})
    assert answer.json() == "ada"
    assert answer.headers["st-refresh-token"] not in ("", token)


async def test_tokens_by_hand(start: Start) -> None:
    """No request and no response: the caller carries every token."""
    start(anti_csrf="VIA_TOKEN")
    created = await functions.create_new_session_without_request_response("public", "ada", {"a": 1})
    tokens = created.get_all_session_tokens_dangerously()
    assert tokens["accessAndFrontTokenUpdated"] is True
    assert tokens["antiCsrfToken"]
    found = await functions.get_session_without_request_response(
        tokens["accessToken"], tokens["antiCsrfToken"]
    )
    assert found is not None
    assert found.get_user_id() == "ada"
    with pytest.raises(TryRefreshTokenError):
        await functions.get_session_without_request_response(tokens["accessToken"], "another")
    assert await functions.get_session_without_request_response(tokens["accessToken"], anti_csrf_check=False)
    assert tokens["refreshToken"]
    refreshed = await functions.refresh_session_without_request_response(
        tokens["refreshToken"], anti_csrf_token=tokens["antiCsrfToken"]
    )
    assert refreshed.get_all_session_tokens_dangerously()["refreshToken"] != tokens["refreshToken"]
    await refreshed.merge_into_access_token_payload({"b": 2})
    again = await functions.get_session_without_request_response(
        refreshed.get_access_token(), anti_csrf_check=False
    )
    assert again is not None
    assert again.get_access_token_payload()["b"] == 2
    await again.revoke_session()
    with pytest.raises(UnauthorisedError):
        await functions.get_session_without_request_response(
            again.get_access_token(), anti_csrf_check=False, check_database=True
        )
    assert await functions.get_session_without_request_response("no token", session_required=False) is None


async def test_tokens_by_hand_disable_anti_csrf(start: Start) -> None:
    start(anti_csrf="VIA_TOKEN")
    created = await functions.create_new_session_without_request_response(
        "public", "ada", disable_anti_csrf=True
    )
    assert created.get_all_session_tokens_dangerously()["antiCsrfToken"] is None


async def test_flask_before_request(start: Start) -> None:
    """A decorated `before_request` function guards a whole application."""
    from flask import Flask, g, request

    from supertokens_py.framework.flask import Middleware
    from supertokens_py.recipe.session.framework.flask import verify_session

    start()
    app = Flask("guarded")
    Middleware(app)

    @app.before_request
    @verify_session(session_required=False)
    def guard() -> None:
        g.user = g.supertokens and g.supertokens.get_user_id()

    @app.post("/login")
    def login() -> str:
        syncio.create_new_session(request, "public", "ada")
        return "ok"

    @app.get("/")
    def home() -> str:
        return g.user or "nobody"

    def visit() -> list[str]:
        client, where = app.test_client(), {"base_url": API, "headers": {"st-auth-mode": "cookie"}}
        texts = [client.get("/", **where).text]
        client.post("/login", **where)
        return [*texts, client.get("/", **where).text]

    assert await asyncio.to_thread(visit) == ["nobody", "ada"]


async def test_a_loop_is_running_as_in_a_notebook(start: Start) -> None:
    """The async API works; the blocking one says what to write instead."""
    start()
    created = await functions.create_new_session_without_request_response("public", "ada")
    assert await functions.get_all_session_handles_for_user("ada") == [created.get_handle()]
    with pytest.raises(RuntimeError, match="Await its async twin instead") as refused:
        syncio.get_all_session_handles_for_user("ada")
    assert "get_all_session_handles_for_user" in str(refused.value)
    handles = await asyncio.to_thread(syncio.get_all_session_handles_for_user, "ada")
    assert handles == [created.get_handle()]


def test_plain_threads_use_the_blocking_api(start: Start) -> None:
    start()
    threads = [
        threading.Thread(target=syncio.create_new_session_without_request_response, args=("public", "ada"))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(syncio.get_all_session_handles_for_user("ada")) == 5


SCRIPT = """
from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.recipe import session
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    get_all_session_handles_for_user,
    revoke_all_sessions_for_user,
)

here = "http://localhost:8000"
init(
    app_info=InputAppInfo(app_name="Script", api_domain=here, website_domain=here),
    supertokens_config=SupertokensConfig("sqlite:///script.db"),
    recipe_list=[session.init()],
)
create_new_session_without_request_response("public", "ada")
assert len(revoke_all_sessions_for_user("ada")) == 1
assert get_all_session_handles_for_user("ada") == []
print("done")
"""


def test_a_script_ends_by_itself(tmp_path: Path) -> None:
    """No loop, no `close()`, and no warning at the end."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", SCRIPT],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)


def test_asyncio_run_more_than_once(start: Start) -> None:
    """A script may run several event loops one after the other."""
    start()

    async def create() -> str:
        return (await functions.create_new_session_without_request_response("public", "ada")).get_handle()

    handles = [asyncio.run(create()) for _ in range(2)]
    assert sorted(syncio.get_all_session_handles_for_user("ada")) == sorted(handles)
