"""Lanes: threads of their own for units of work that take long, such as password hashes and e-mails."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from . import fork_hooks
from .bridge import running_loop
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
        fork_hooks.register(self)

    def after_fork_in_child(self) -> None:
        self._lock, self._executor = threading.Lock(), None

    async def offload(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit as `bridge.offload` does: inline for blocking callers, under a loop in these threads."""
        loop = running_loop()
        if loop is None:
            return work(*args, **kwargs)
        unit = Unit(loop, functools.partial(work, *args, **kwargs))
        del args, kwargs
        self._submit(_run_and_report, unit)
        return await unit.outcome

    def _submit(self, work: Callable[..., object], *args: Any) -> None:
        fork_hooks.check()
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix=self._name)
            self._executor.submit(work, *args)


def _run_and_report(unit: Unit[Any]) -> None:
    unit.run()
    unit.report()
