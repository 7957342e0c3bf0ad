"""Dedicated thread pools for slow work such as password hashes, so that it never delays short calls."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from supertokens_py.exceptions import TooBusyError

from . import fork_hooks
from .bridge import running_loop
from .workers import Unit

P = ParamSpec("P")
T = TypeVar("T")

#: `retry_after_ms` of the error when the pool is full.
RETRY_AFTER_MS = 10_000


#: Added niceness of `low_priority` threads: under load they get about a tenth of the CPU time of others.
_ADDED_NICENESS = 10


class DedicatedPool(fork_hooks.ForkAware):
    """A thread pool of its own. Its threads are started lazily and dropped in a forked child."""

    def __init__(self, name: str, threads: int, *, low_priority: bool = False) -> None:
        self._name = f"supertokens-{name}"
        self._threads = threads
        self._low_priority = low_priority  #: whether other threads go first where all want the processor
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self.inside: int = 0  #: Units that are running or waiting.
        fork_hooks.register(self)

    def after_fork_in_child(self) -> None:
        self._lock, self._executor, self.inside = threading.Lock(), None, 0

    async def offload(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit as `bridge.offload` does: inline for blocking callers, under a loop in these threads."""
        return await self._offload(None, functools.partial(work, *args, **kwargs))

    async def offload_within(self, most: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit as `offload` does, unless so many are running or waiting already, of whatever caller.

        Raises:
            TooBusyError: they are.
        """
        return await self._offload(most, functools.partial(work, *args, **kwargs))

    async def _offload(self, most: int | None, work: Callable[[], T]) -> T:
        loop = running_loop()
        self._enter(most)
        if loop is None:
            try:
                return work()
            finally:
                self._leave()
        unit = Unit(loop, work)
        del work
        try:
            self._submit(unit)
        except BaseException as error:
            if is_withdrawn := unit.withdraw():
                self._leave()
            if is_withdrawn or not isinstance(error, RuntimeError):
                raise  # else: a thread that had just become free has taken it
        return await unit.outcome

    def _enter(self, most: int | None) -> None:
        fork_hooks.check()
        with self._lock:
            if most is not None and self.inside >= most:
                raise TooBusyError(RETRY_AFTER_MS)
            self.inside += 1

    def _leave(self) -> None:
        with self._lock:
            self.inside -= 1

    def _submit(self, unit: Unit[Any]) -> None:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(
                    self._threads,
                    thread_name_prefix=self._name,
                    initializer=_lower_priority if self._low_priority else None,
                )
            self._executor.submit(self._run, unit)

    def _run(self, unit: Unit[Any]) -> None:
        if not unit.run():
            return
        self._leave()  # before its caller goes on, who may come with the next unit
        unit.report()


def _lower_priority() -> None:
    """Let this thread, and those that it starts, run after others. Only Linux has that for single threads."""
    if sys.platform != "linux":
        return
    thread = threading.get_native_id()
    with suppress(OSError):  # some sandboxes forbid it
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + _ADDED_NICENESS)
