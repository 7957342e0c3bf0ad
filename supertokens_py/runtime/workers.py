"""Worker threads for blocking units of work that coroutines await."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from . import fork_hooks

T = TypeVar("T")

WORKER_THREADS = 16

_workers_lock = threading.Lock()
_workers: Workers | None = None


class Unit(Generic[T]):
    """A unit of work that a coroutine awaits: made and settled by its loop's thread, run by a worker's.

    `asyncio.wrap_future` would do, with two locks and three callbacks more.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, work: Callable[[], T]) -> None:
        self._loop = loop
        self._work = [work]  #: taken by whoever runs or withdraws it: `pop` needs no lock
        self._context = contextvars.copy_context()
        self._set: Callable[[], None] | None = None
        self.outcome: asyncio.Future[T] = loop.create_future()

    def run(self) -> bool:
        """Do the work, unless its caller was cancelled before it began; return False if it was withdrawn."""
        try:
            work = self._work.pop()
        except IndexError:
            return False
        if self.outcome.cancelled():
            return True
        try:
            self._set = functools.partial(self.outcome.set_result, self._context.run(work))
        except BaseException as error:
            self._set = functools.partial(self.outcome.set_exception, _for_a_future(error))
        return True

    def withdraw(self) -> bool:
        """Keep the work from being done, for a unit that an executor refused; return False if it has begun.

        An executor queues a unit before it starts a thread. Where that fails, the unit stays in the queue for
        the threads that there are, or for a later one.
        """
        try:
            self._work.pop()
        except IndexError:
            return False
        return True

    def report(self) -> None:
        """Let the caller go on."""
        try:
            self._loop.call_soon_threadsafe(self._settle)
        except RuntimeError:  # its loop was closed meanwhile
            self._forget()

    def _settle(self) -> None:
        if self._set is not None and not self.outcome.done():
            self._set()
        self._forget()

    def _forget(self) -> None:
        del self._set, self.outcome  # an exception's traceback leads here: no ring


def _for_a_future(error: BaseException) -> BaseException:
    """Return what a future takes: no StopIteration, which would end whoever awaits it (PEP 479)."""
    if not isinstance(error, StopIteration):
        return error
    instead = RuntimeError("a unit of work raised StopIteration")
    instead.__cause__ = error
    return instead


class Workers:
    """Threads for units of work.

    An executor wakes its threads in turn, each with cold caches. So one of them has an executor of its own
    and gets every unit that comes while it is free.
    """

    def __init__(self) -> None:
        self._preferred = self._one_thread()
        self._others = ThreadPoolExecutor(WORKER_THREADS - 1, thread_name_prefix="supertokens")
        self._preferred_is_free = threading.Lock()

    def submit(self, unit: Unit[Any]) -> None:
        """Have a unit run.

        Raises:
            RuntimeError: no thread can be started; the unit will not be run.
        """
        preferred = self._preferred_is_free.acquire(blocking=False)
        try:
            if preferred:
                self._preferred.submit(self._do_preferred, unit)
            else:
                self._others.submit(self._do, unit)
        except BaseException as error:
            is_withdrawn = unit.withdraw()
            if is_withdrawn and preferred:
                self._preferred = self._one_thread()
                self._preferred_is_free.release()
            if is_withdrawn or not isinstance(error, RuntimeError):
                raise  # else: a thread that had just become free has taken it

    @staticmethod
    def _one_thread() -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, thread_name_prefix="supertokens")

    def _do(self, unit: Unit[Any]) -> None:
        if unit.run():
            unit.report()

    def _do_preferred(self, unit: Unit[Any]) -> None:
        if not unit.run():
            return
        self._preferred_is_free.release()  # before its caller goes on, who may come with the next unit
        unit.report()


def workers() -> Workers:
    """Return the threads of this process, which are started at first need."""
    global _workers
    fork_hooks.check()
    with _workers_lock:
        if _workers is None:
            _workers = Workers()
        return _workers


def _forget_after_fork() -> None:
    # Threads do not survive a fork: an executor used before it would hang the child.
    global _workers, _workers_lock
    _workers_lock = threading.Lock()
    _workers = None


fork_hooks.call_in_child(_forget_after_fork)
