"""Application code of the other kind, through the bridges of asgiref, as Django runs its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from asgiref.sync import async_to_sync, sync_to_async

from supertokens_py.framework.adapter import AppBridge, completed


class _AsgirefBridge(AppBridge):
    """The ORM works in both directions.

    `def` code runs in the thread that Django keeps for it, `async def` code of a blocking caller on the loop
    of its request, where asgiref brings the ORM back to the caller's thread and its database connection.
    """

    async def from_loop(self, hook: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await sync_to_async(hook, thread_sensitive=True)(*args, **kwargs)

    def run(self, result: Awaitable[Any]) -> Any:
        return async_to_sync(completed)(result)


ASGIREF: Final = _AsgirefBridge()
