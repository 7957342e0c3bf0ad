"""Work off the request path: one daemon thread per engine, started by the first write.

It writes user activity in batches and sweeps expired rows. Sweeps are shared by all processes on a
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

from supertokens_py import forks
from supertokens_py.exceptions import SuperTokensError

BATCH_DELAY_S = 2.0
FIRST_SWEEP_S = 30.0
_EXIT_PATIENCE_S = 2.0

log: logging.Logger = logging.getLogger(__name__)


class Housekeeper:
    """Runs `flush` soon after `wake` and `sweep` every `sweep_every_s` seconds (0: never)."""

    def __init__(self, *, flush: Callable[[], None], sweep: Callable[[], None], sweep_every_s: float) -> None:
        self._flush = flush
        self._sweep = sweep
        self._sweep_every_s = sweep_every_s
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._finalizer: weakref.finalize[[], Housekeeper] | None = None
        # Processes that start together shall not sweep together.
        self._sweep_at = time.monotonic() + FIRST_SWEEP_S * (1 + random.random())  # noqa: S311
        forks.register(self)

    def wake(self) -> None:
        """Say that there is something to flush."""
        worker = self._worker or self._start()
        worker.work.set()

    def stop(self) -> None:
        """End the thread, flushing first; `wake` starts another."""
        with self._lock:
            self._worker = None
            if self._finalizer is not None:
                self._finalizer()
        self._guarded(self._flush)

    def run_due(self) -> float:
        """Do what is due; return the seconds until the next sweep."""
        self._guarded(self._flush)
        if self._sweep_every_s <= 0:
            return 3600.0
        left_s = self._sweep_at - time.monotonic()
        if left_s > 0:
            return left_s
        self._guarded(self._sweep)
        wait_s = min(self._sweep_every_s, 3600.0)
        self._sweep_at = time.monotonic() + wait_s
        return wait_s

    def before_fork(self) -> None: ...

    def after_fork_in_parent(self) -> None: ...

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        self._worker = None
        if self._finalizer is not None:
            self._finalizer.detach()

    def _start(self) -> _Worker:
        with self._lock:
            if self._worker is None:
                self._worker = _Worker(weakref.ref(self))
                # Also runs when the interpreter exits, so that no unit of work is cut off there.
                self._finalizer = weakref.finalize(self, self._worker.stop)
            return self._worker

    @staticmethod
    def _guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except SuperTokensError as error:
            log.info("housekeeping postponed: %s", error)
        except Exception:
            log.exception("housekeeping failed")


class _Worker:
    """The thread; it knows its owner only weakly, and ends with it."""

    def __init__(self, owner: weakref.ref[Housekeeper]) -> None:
        self.work = threading.Event()
        self._halt = threading.Event()
        self._owner = owner
        self._thread = threading.Thread(target=self._run, name="supertokens-housekeeping", daemon=True)
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
                self._halt.wait(BATCH_DELAY_S)  # let more work gather
            owner = None if self._halt.is_set() else self._owner()
            if owner is None:
                return
            wait_s = owner.run_due()
            del owner
