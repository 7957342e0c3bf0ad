"""Where blocking and async callers meet: the only module that asks whether an event loop is running.

The core is `async def` throughout and does no event-loop I/O: every I/O is blocking code in one unit
of work. Async callers run that unit in worker threads (`offload`); blocking callers step the same
coroutine once (`blocking`), so they need no loop, no thread and no copy of the code.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import importlib
import inspect
import selectors
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar, cast

from . import fork_hooks
from .workers import Unit, workers

P = ParamSpec("P")
T = TypeVar("T")

#: Returns the event loop that this thread is running right now, or None; `asyncio.get_running_loop`
#: answers the latter with an exception, which costs twenty times as much.
running_loop: Final = asyncio._get_running_loop  # pyright: ignore[reportPrivateUsage]


async def offload(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one unit of blocking work: inline for blocking callers, in our own threads under a loop.

    A cancelled caller does not stop the unit, so a unit commits or rolls back by itself.
    """
    loop = running_loop()
    if loop is None:
        return work(*args, **kwargs)
    unit = Unit(loop, functools.partial(work, *args, **kwargs))
    del args, kwargs
    workers().submit(unit)
    return await unit.outcome


class AppBridge:
    """How application code of the other kind is run. A framework that has a way of its own lends it."""

    async def from_loop(self, hook: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call application code that is no coroutine function while an event loop runs in this thread."""
        return hook(*args, **kwargs)

    def wait_for(self, result: Awaitable[Any]) -> Any:
        """Return the result of async application code for a caller without an event loop."""
        if (run_natively := green_thread_pool()) is not None:
            # Greenlets share one thread, and a thread runs one loop: lend this call a thread of its own.
            return run_natively(contextvars.copy_context().run, asyncio.run, completed(result))
        return self.run(result)

    def run(self, result: Awaitable[Any]) -> Any:
        """Run async application code to its end, in a thread without an event loop and without greenlets."""
        return _thread_loop().run_until_complete(completed(result))


_lent: contextvars.ContextVar[AppBridge | None] = contextvars.ContextVar("supertokens_bridge", default=None)
_PLAIN: Final = AppBridge()


#: Have a framework's own bridge run the application code of this context; adapters call it at each request.
lend: Final[Callable[[AppBridge], object]] = _lent.set


async def call_app(hook: Callable[P, Awaitable[T] | T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call application code, which may be sync or async and may do event-loop I/O.

    Where it is of another kind than its caller, the framework's bridge runs it. Without one, a `def` runs on
    the caller's event loop and an `async def` on a loop of this thread's own.
    """
    lent = _lent.get()
    result: Any
    if lent is None or running_loop() is None or _is_async(hook):
        result = hook(*args, **kwargs)
    else:
        result = await lent.from_loop(hook, *args, **kwargs)
    if not hasattr(result, "__await__"):  # inspect.isawaitable() asks an ABC, at ten times the cost
        return cast("T", result)
    if running_loop() is not None:
        return await result
    return (lent or _PLAIN).wait_for(result)


def _is_async(hook: Callable[..., Any]) -> bool:
    """Return whether calling it makes a coroutine: a function, or an object that is called like one."""
    return inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(getattr(hook, "__call__", None))  # noqa: B004


def green_thread_pool() -> Callable[..., Any] | None:
    """Return what runs a function in a real thread while other greenlets go on; None without greenlets.

    Only modules that the application has loaded are looked at, so greenlets cost nothing elsewhere.
    """
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        gevent: Any = sys.modules["gevent"]
        return lambda *call: gevent.get_hub().threadpool.apply(call[0], call[1:])
    patcher: Any = sys.modules.get("eventlet.patcher")
    if patcher is not None and patcher.is_monkey_patched("thread"):
        return importlib.import_module("eventlet.tpool").execute  # patching does not load it
    return None


def blocking(func: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Make the blocking twin of a core coroutine function.

    Raises:
        RuntimeError: when called while an event loop runs in this thread; await the twin instead.
    """

    @functools.wraps(func)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if running_loop() is not None:
            raise RuntimeError(
                f"{func.__qualname__}() would block the event loop that is running in this thread. "
                "Await its async twin instead: the same name in the `asyncio` module, "
                "or the method without the `sync_` prefix."
            )
        coroutine = func(*args, **kwargs)
        del args, kwargs  # they may hold secrets, and error trackers read every frame's variables
        try:  # it never suspends outside an event loop
            coroutine.send(None)
        except StopIteration as done:
            return done.value
        coroutine.close()
        raise RuntimeError(f"{coroutine.__qualname__}() suspended outside an event loop")

    return call


def step(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run one core coroutine to its end in this thread, as a blocking twin would."""
    return blocking(lambda: coroutine)()


def _forget_after_fork() -> None:
    global _local
    _local = threading.local()


fork_hooks.call_in_child(_forget_after_fork)


class _OwnedLoop:
    """An event loop that closes with its thread; the `__del__` of a thread-local itself is not enough."""

    def __init__(self) -> None:
        # An epoll object is shared with forked children: a child that closes its copy of the loop would
        # take the parent's wake-up with it. What poll watches is each process's own.
        if selectors.DefaultSelector is getattr(selectors, "EpollSelector", None):
            self.loop: asyncio.AbstractEventLoop = asyncio.SelectorEventLoop(selectors.PollSelector())
        else:
            self.loop = asyncio.new_event_loop()

    def __del__(self) -> None:
        self.loop.close()


_local = threading.local()


def _thread_loop() -> asyncio.AbstractEventLoop:
    fork_hooks.check()  # the sockets that wake a loop are shared with the parent
    owned: _OwnedLoop | None = getattr(_local, "owned", None)
    if owned is None:
        owned = _local.owned = _OwnedLoop()
    return owned.loop


async def completed(result: Awaitable[T]) -> T:
    """Await any awaitable in a coroutine, which is what event loops run."""
    return await result
