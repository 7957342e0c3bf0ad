"""Lanes: threads of their own for units of work that take long, such as password hashes and e-mails."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from . import fork_hooks
from .bridge import running_loop, step
from .workers import Unit

P = ParamSpec("P")
T = TypeVar("T")


class Lane(fork_hooks.ForkAware):
    """Threads of their own for units of work that take long: those never keep short ones waiting.

    It is a class because it owns its threads, which are made at first need and forgotten by a fork.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._name = f"supertokens-{name}"
        self._threads = threads
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._running: set[asyncio.Task[Any]] = set()
        fork_hooks.register(self)

    def after_fork_in_child(self) -> None:
        self._lock, self._executor, self._running = threading.Lock(), None, set()

    async def offload(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit as `bridge.offload` does: inline for blocking callers, under a loop in these threads."""
        loop = running_loop()
        if loop is None:
            return work(*args, **kwargs)
        unit = Unit(loop, functools.partial(work, *args, **kwargs))
        del args, kwargs
        self._submit(_run_and_report, unit)
        return await unit.outcome

    async def within(self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start `work`, and return after exactly this time, whether it is done or goes on by itself.

        It must not raise. Async callers get it on their event loop, blocking ones in a thread, with the
        context variables of the caller.
        """
        loop, end = running_loop(), time.monotonic() + seconds
        if loop is None:
            self._submit(contextvars.copy_context().run, step, work())
            time.sleep(max(0.0, end - time.monotonic()))  # noqa: ASYNC251  no loop runs here
            return
        task = loop.create_task(work())
        self._running.add(task)  # a loop keeps only weak references
        task.add_done_callback(self._running.discard)
        await asyncio.sleep(max(0.0, end - time.monotonic()))

    def _submit(self, work: Callable[..., object], *args: Any) -> None:
        fork_hooks.check()
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix=self._name)
            self._executor.submit(work, *args)


def _run_and_report(unit: Unit[Any]) -> None:
    unit.run()
    unit.report()
