"""Work off the request path: one daemon thread per engine, started by the first write after some seconds.

It writes user activity in batches and deletes expired rows. Clean-ups are shared by all processes on a
database: whoever claims the row `supertokens_py_swept` of `key_value` first does it. The thread
keeps neither the engine nor the interpreter alive, and a forked child starts its own.
"""

from __future__ import annotations

import logging
import random
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from supertokens_py.exceptions import SuperTokensError
from supertokens_py.runtime import fork_hooks

_EXIT_PATIENCE_S = 2.0

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many seconds background work waits."""

    start_s: float = 2.0  #: from the making of the engine to the first thread
    batch_s: float = 2.0  #: for more work, once there is some
    first_clean_up_s: float = 30.0  #: before the first clean-up; at most twice as long
    poll_s: float = 1.0  #: between two readings of the log of revocations
    gather_s: float = 0.02  #: after word of one revocation, for more
    listen_again_s: float = 5.0  #: before another try to listen for such word
    self_test_s: float = 30.0  #: between tests whether it arrives at all
    heard_within_s: float = 5.0  #: until such a test has failed


USUAL_PACE: Pace = Pace()


class BackgroundThread(fork_hooks.ForkAware):
    """Runs `flush` soon after `wake`, and `clean_up` every `clean_up_every_s` seconds (0: never)."""

    def __init__(
        self,
        *,
        flush: Callable[[], None],
        clean_up: Callable[[], None],
        clean_up_every_s: float,
        pace: Pace = USUAL_PACE,
    ) -> None:
        self._pace = pace
        self._flush = flush
        self._clean_up = clean_up
        self._clean_up_every_s = clean_up_every_s
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._finalizer: weakref.finalize[[], BackgroundThread] | None = None
        # Processes that start together shall not clean up together.
        self._clean_up_at = time.monotonic() + pace.first_clean_up_s * (1 + random.random())  # noqa: S311
        self._inline_at = 0.0
        # A process that writes while it loads its application and then forks starts no thread before: a
        # thread that waits for the interpreter's lock at a fork in C would leave the child hanging.
        self._start_at = time.monotonic() + pace.start_s
        fork_hooks.register(self)

    def wake(self) -> None:
        """Say that there is something to flush.

        Where threads are frozen between requests, it flushes here (`fork_hooks.background_threads_run`).
        """
        fork_hooks.check()
        if not fork_hooks.background_threads_run():
            self._run_inline()
            return
        worker = self._worker or self._start()
        if worker is not None:
            worker.work.set()

    def stop(self) -> None:
        """End the thread, flushing first; `wake` starts another."""
        fork_hooks.check()
        with self._lock:
            self._worker = None
            if self._finalizer is not None:
                self._finalizer()
        self._guarded(self._flush)

    def run_due(self) -> float:
        """Do what is due; return the seconds until the next clean-up."""
        self._guarded(self._flush)
        if self._clean_up_every_s <= 0:
            return 3600.0
        left_s = self._clean_up_at - time.monotonic()
        if left_s > 0:
            return left_s
        self._guarded(self._clean_up)
        wait_s = min(self._clean_up_every_s, 3600.0)
        self._clean_up_at = time.monotonic() + wait_s
        return wait_s

    def _run_inline(self) -> None:
        now = time.monotonic()
        if (
            now >= self._inline_at and not fork_hooks.is_master_of_uwsgi()
        ):  # what is pending is left to the workers
            self._inline_at = now + self._pace.batch_s
            self.run_due()

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        self._worker = None
        if self._finalizer is not None:
            self._finalizer.detach()

    def _start(self) -> _Worker | None:
        now = time.monotonic()
        if now < self._start_at:
            return None
        with self._lock:
            if self._worker is None:
                try:
                    self._worker = _Worker(weakref.ref(self), self._pace.batch_s)
                except RuntimeError as error:
                    self._start_at = now + self._pace.start_s
                    log.warning("background work is done by requests: %s", error)
                else:
                    # Also runs when the interpreter exits, so that no unit of work is cut off there.
                    self._finalizer = weakref.finalize(self, self._worker.stop)
            worker = self._worker
        if worker is None:  # whoever wakes it has done what was asked for, and must not fail
            self._run_inline()
        return worker

    @staticmethod
    def _guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except SuperTokensError as error:
            log.info("background work postponed: %s", error)
        except Exception:
            log.exception("background work failed")


class _Worker:
    """The thread; it knows its owner only weakly, and ends with it."""

    def __init__(self, owner: weakref.ref[BackgroundThread], batch_s: float) -> None:
        self._batch_s = batch_s
        self.work = threading.Event()
        self._halt = threading.Event()
        self._owner = owner
        self._thread = threading.Thread(target=self._run, name="supertokens-background", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._halt.set()
        self.work.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_EXIT_PATIENCE_S)

    def _run(self) -> None:
        wait_s: float = 0
        while True:
            if self.work.wait(wait_s):
                self.work.clear()
                self._halt.wait(self._batch_s)  # let more work gather
            owner = None if self._halt.is_set() else self._owner()
            if owner is None:
                return
            wait_s = owner.run_due()
            del owner
