"""The loop that blocking callers are lent, on systems without epoll."""

from __future__ import annotations

import asyncio
import selectors
import threading
from typing import Any

import pytest

from supertokens_py.runtime.bridge import blocking, call_app


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
