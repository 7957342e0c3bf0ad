"""The loop that blocking callers are lent, on systems without epoll."""

from __future__ import annotations

import asyncio
import contextvars
import selectors
import threading
from typing import Any

import pytest

from supertokens_py.framework.loop_bridge import lend_loop
from supertokens_py.runtime.bridge import blocking, call_app, step


async def hook() -> tuple[Any, type]:
    await asyncio.sleep(0)
    loop: Any = asyncio.get_running_loop()
    return loop, type(loop._selector)


async def core() -> tuple[Any, type]:
    return await call_app(hook)


def test_a_system_without_epoll_lends_its_usual_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what epoll shares with forked children makes another one necessary."""
    monkeypatch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)
    lent: list[tuple[Any, type]] = []
    thread = threading.Thread(target=lambda: lent.extend([blocking(core)(), blocking(core)()]))
    thread.start()
    thread.join()
    (first, watches), (second, _) = lent
    assert first is second
    assert watches is selectors.SelectSelector


def test_where_no_loop_runs_none_is_lent() -> None:
    """As under trio: what the application has that is async runs as it did before."""
    ran: list[bool] = []

    async def own() -> None:
        ran.append(True)

    def request() -> None:
        lend_loop()
        step(call_app(own))

    contextvars.copy_context().run(request)
    assert ran == [True]
