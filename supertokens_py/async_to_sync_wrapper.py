"""`sync`: run a coroutine of yours to its end from blocking code."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from .runtime.bridge import blocking, call_app

_T = TypeVar("_T")


def sync(co: Coroutine[Any, Any, _T]) -> _T:
    """Return what `co` returns; it runs on an event loop of this thread's own.

    For our own functions take their `syncio` twins instead: they need no loop.

    Raises:
        RuntimeError: an event loop is running in this thread; await `co` there.
    """
    try:
        return blocking(_run)(co)
    finally:
        co.close()


async def _run(co: Coroutine[Any, Any, _T]) -> _T:
    return await call_app(lambda: co)
