"""Background threads with a bounded queue for work after the response, such as sending an e-mail."""

from __future__ import annotations

import atexit
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from . import fork_hooks
from .bridge import AppBridge, lend, step

#: What may wait for the threads: work, and bytes that it keeps in memory.
MOST_WAITING, MOST_WAITING_BYTES = 1000, 16 << 20
#: How long a process that exits waits for pending work (seconds).
LAST_SECONDS = 10.0

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class DeferredWork(fork_hooks.ForkAware):
    """A few daemon threads and their queue, started lazily and dropped in a forked child.

    Daemons, since a mail server that does not answer would otherwise delay the end of the process for hours.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._threads = threads
        self._forget()
        fork_hooks.register(self)
        atexit.register(self.wait, LAST_SECONDS)

    def _forget(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[tuple[contextvars.Context, Work, int]] = deque()
        self._running = self._idle = self._left = self._bytes = 0

    def after_fork_in_child(self) -> None:
        self._forget()

    def start(self, work: Work, *, size: int = 0) -> bool:
        """Queue `work` and return at once; False if the queue is full, or no thread can be started for it.

        It must not raise. It has the context variables of the caller, and no event loop, so what blocks it
        blocks nobody else; application code that is async gets a loop of the thread's own.

        Args:
            work: what is to be done.
            size: how many bytes it keeps in memory.
        """
        fork_hooks.check()
        with self._changed:
            if self._left >= MOST_WAITING or self._bytes + size > MOST_WAITING_BYTES:
                return False
            self._left += 1
            self._bytes += size
            self._queue.append((contextvars.copy_context(), work, size))
            is_in_hand = self._is_in_hand()
            if not is_in_hand:
                self._queue.pop()
                self._left -= 1
                self._bytes -= size
            self._changed.notify_all()
        return is_in_hand

    def _is_in_hand(self) -> bool:
        """Start another thread if one is needed; return whether any will do what is queued."""
        if self._running < self._threads and self._idle < len(self._queue):
            name = f"supertokens-{self._name}_{self._running + 1}"
            try:
                threading.Thread(target=self._run, name=name, daemon=True).start()
            except RuntimeError:  # the machine has no room for another, or the interpreter is shutting down
                return self._running > 0
            self._running += 1
        return True

    def wait(self, timeout_s: float) -> bool:
        """Return whether everything is done, at the latest after this time."""
        fork_hooks.check()
        with self._changed:
            return self._changed.wait_for(lambda: self._left == 0, timeout_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                self._changed.wait_for(lambda: self._queue)
                self._idle -= 1
                context, work, size = self._queue.popleft()
            try:
                context.run(_do, work)
            finally:
                del context, work  # they lead to a request
                with self._changed:
                    self._left -= 1
                    self._bytes -= size
                    self._changed.notify_all()


def _do(work: Work) -> None:
    lend(AppBridge())  # a framework's own belongs to a request, which is over
    step(work())
