"""Async application code for blocking views, in frameworks that run those in threads of anyio."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final

from anyio import from_thread

from .adapter import AppBridge


class _AnyioBridge(AppBridge):
    """It runs on the event loop of the application.

    It may then use what belongs to that loop: locks, database pools, HTTP clients.
    """

    def run(self, result: Awaitable[Any]) -> Any:
        started = False

        async def run() -> Any:
            nonlocal started  # of this one call
            started = True
            return await result

        try:
            return from_thread.run(run)
        except RuntimeError:
            if started:
                raise
        return super().run(result)  # in a thread of the application's own


ANYIO: Final = _AnyioBridge()
