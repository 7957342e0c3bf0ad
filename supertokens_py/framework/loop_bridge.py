"""Async application code for blocking views, in frameworks that run those in any thread of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from .adapter import AppBridge, completed, lend, running_loop


class LoopBridge(AppBridge):
    """It runs on the event loop of the application, which goes on while the view waits in its thread.

    It may then use what belongs to that loop: locks, database pools, HTTP clients.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, result: Awaitable[Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(completed(result), self._loop).result()


def lend_loop() -> None:
    """Have the event loop that runs right now, if one does, run the async application code of this context.

    Adapters call it once for each request and each WebSocket, whose threads inherit the context.
    """
    if (loop := running_loop()) is not None:  # some frameworks also run on trio
        lend(LoopBridge(loop))
