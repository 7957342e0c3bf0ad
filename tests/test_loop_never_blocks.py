"""The event loop runs on while the store is slow, and a plain verification needs neither thread nor loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.app import request_context
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe import session
from supertokens_py.recipe.session import SessionRecipe
from supertokens_py.recipe.session import asyncio as sessions
from supertokens_py.recipe.session import syncio as blocking_sessions
from supertokens_py.recipe.session.verification.verification import VerifyOptions
from supertokens_py.runtime import bridge
from tests.support.databases import Sqlite
from tests.support.units import before_each_unit


@pytest.fixture(autouse=True)
def _app(sqlite_files: Sqlite) -> Iterator[None]:
    Supertokens.reset()
    init(
        InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig(
            sqlite_files.create().uri, engine=EngineConfig(clean_up_interval=0)
        ),
        recipe_list=[session.init()],
    )
    yield
    Supertokens.reset()


class Request(BaseRequest):
    """A request of no framework."""

    def __init__(self, headers: dict[str, str], method: str = "GET") -> None:
        super().__init__(None)
        self._headers, self._method = headers, method

    def method(self) -> str:
        return self._method

    def get_path(self) -> str:
        return "/x"

    def get_header(self, key: str) -> str | None:
        return self._headers.get(key)

    def cookie_header(self) -> str:
        return self._headers.get("cookie", "")

    def get_original_url(self) -> str:
        return "https://api.example.com/x"

    def get_query_params(self) -> dict[str, Any]:
        return {}

    async def json(self) -> Any:
        return {}

    async def form_data(self) -> dict[str, Any]:
        return {}

    def keep_session(self, session: Any) -> None:
        return None


@pytest.fixture
async def slow_store() -> AsyncIterator[list[str]]:
    """Every unit of work waits until the loop has gone round; the threads that waited are listed."""
    threads: list[str] = []
    loop = asyncio.get_running_loop()

    def slow() -> None:
        threads.append(threading.current_thread().name)
        gone_round = threading.Event()
        loop.call_soon_threadsafe(lambda: loop.call_later(0.01, gone_round.set))
        assert gone_round.wait(20), "the event loop stood still while the store worked"

    engine: Any = Supertokens.get_instance().engine
    with before_each_unit(engine.database, slow):
        yield threads


async def test_the_loop_keeps_ticking(slow_store: list[str]) -> None:
    """Create, verify, merge, refresh, list, revoke: the store sleeps, the loop does not."""
    request = Request({})
    made = await sessions.create_new_session(request, "public", "user-1")
    tokens = made.get_all_session_tokens_dangerously()
    access = {"authorization": f"Bearer {tokens['accessToken']}"}
    assert await sessions.get_session(Request(access), check_database=True) is not None
    await made.merge_into_access_token_payload({"a": 1})
    await sessions.refresh_session(Request({"authorization": f"Bearer {tokens['refreshToken']}"}))
    assert await sessions.get_all_session_handles_for_user("user-1") == [made.get_handle()]
    assert await sessions.revoke_session(made.get_handle())
    await sessions.get_jwks()
    assert len(slow_store) >= 6
    assert all(name.startswith("supertokens") for name in slow_store)


async def test_loading_keys_does_not_block_either(slow_store: list[str]) -> None:
    """The first verification after a restart loads the keys off the loop."""
    made = await sessions.create_new_session_without_request_response("public", "user-1")
    token = made.get_access_token()
    engine: Any = Supertokens.get_instance().engine
    engine.close()  # forgets the keys
    slow_store.clear()
    assert await sessions.get_session(Request({"authorization": f"Bearer {token}"})) is not None
    assert slow_store
    assert all(name.startswith("supertokens") for name in slow_store)


async def test_slow_calls_run_side_by_side() -> None:
    """Eight reads are in the store at the same time."""
    made = await sessions.create_new_session_without_request_response("public", "user-1")
    together = threading.Barrier(8, timeout=20)
    engine: Any = Supertokens.get_instance().engine
    handles = [made.get_handle()] * 8
    with before_each_unit(engine.database, together.wait):
        assert all(await asyncio.gather(*(sessions.get_session_information(handle) for handle in handles)))


class Spy:
    """Counts what a plain verification must not do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        for owner, name in (
            (threading.Thread, "start"),
            (asyncio, "new_event_loop"),
            (asyncio.BaseEventLoop, "create_task"),
            (asyncio.BaseEventLoop, "run_in_executor"),
            (asyncio.BaseEventLoop, "call_soon"),
            (asyncio.BaseEventLoop, "call_soon_threadsafe"),
            (bridge, "workers"),
            (bridge, "_thread_loop"),
        ):
            monkeypatch.setattr(owner, name, self._noting(name, getattr(owner, name)))

    def _noting(self, name: str, original: Any) -> Any:
        def noting(*args: Any, **kwargs: Any) -> Any:
            self.seen.append(name)
            return original(*args, **kwargs)

        return noting


def known_token(**more: Any) -> dict[str, str]:
    """The header of a new session whose key is already in memory."""
    made = blocking_sessions.create_new_session_without_request_response("public", "user-1", more)
    blocking_sessions.get_session_without_request_response(made.get_access_token())
    fresh = blocking_sessions.create_new_session_without_request_response("public", "user-2", more)
    return {"authorization": f"Bearer {fresh.get_access_token()}"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_blocking_verification_makes_nothing(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread, no loop, no task: first and repeated verification are steps of one coroutine."""
    headers = known_token()
    spy = Spy(monkeypatch)
    for _ in range(2):
        found = blocking_sessions.get_session(Request(headers, method))
        assert found is not None
        assert found.get_user_id() == "user-2"
    assert spy.seen == []


async def test_an_async_verification_makes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a loop it does not even suspend."""
    headers = await asyncio.to_thread(known_token)
    recipe = SessionRecipe.get_instance()
    spy = Spy(monkeypatch)
    for _ in range(2):
        request = Request(headers)
        coroutine = recipe.verify(request, VerifyOptions(), request_context(request))
        with pytest.raises(StopIteration) as done:
            coroutine.send(None)
        assert done.value.value.get_user_id() == "user-2"
    assert spy.seen == []


def test_a_verification_makes_nothing_for_the_response(monkeypatch: pytest.MonkeyPatch) -> None:
    """FP-18: no front token, no changes, no parsed copy of the payload until something asks."""
    headers = known_token(big="x" * 100)
    request = Request(headers)
    found: Any = blocking_sessions.get_session(request)
    assert request._changes is None
    assert found._payload is None
    assert found.get_access_token_payload()["big"] == "x" * 100


def test_payloads_are_copies() -> None:
    """FP-50: what one request does to its payload, no other request sees."""
    headers = known_token(list=[1])
    first: Any = blocking_sessions.get_session(Request(headers))
    first.get_access_token_payload()["list"].append(2)
    first.get_access_token_payload()["sub"] = "admin"
    second: Any = blocking_sessions.get_session(Request(headers))
    assert second.get_access_token_payload()["list"] == [1]
    assert second.get_user_id() == "user-2"
    assert second.get_access_token_payload()["sub"] == "user-2"
    assert first.get_user_id() == "user-2"
