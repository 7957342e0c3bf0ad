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

from supertokens_py.exceptions import SuperTokensError

from . import forks

BATCH_DELAY_S = 2.0
FIRST_SWEEP_S = 30.0
_EXIT_PATIENCE_S = 2.0

log = logging.getLogger(__name__)


class Housekeeper:
    """Runs `flush` soon after `wake` and `sweep` every `sweep_every_s` seconds (0: never)."""

    def __init__(self, *, flush: Callable[[], None], sweep: Callable[[], None], sweep_every_s: float) -> None:
        self._flush = flush
        self._sweep = sweep
        self._sweep_every_s = sweep_every_s
        self._signal = _Signal()
        self._thread: threading.Thread | None = None
        # Processes that start together shall not sweep together.
        self._sweep_at = time.monotonic() + FIRST_SWEEP_S * (1 + random.random())  # noqa: S311
        self._finalizer = weakref.finalize(self, _Signal.stop, self._signal)
        forks.register(self)

    def wake(self) -> None:
        """Say that there is something to flush."""
        signal = self._signal
        if self._thread is None or not self._thread.is_alive():
            with signal.lock:
                if self._thread is None or not self._thread.is_alive():
                    signal.stopped = False
                    self._thread = threading.Thread(
                        target=_keep_house,
                        args=(weakref.ref(self), signal),
                        name="supertokens-housekeeping",
                        daemon=True,
                    )
                    signal.thread = self._thread
                    self._thread.start()
        signal.work.set()

    def stop(self) -> None:
        """End the thread, flushing first; `wake` starts another."""
        self._signal.stop()
        self._thread = None
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
        self._finalizer.detach()
        self._signal = _Signal()
        self._thread = None
        self._finalizer = weakref.finalize(self, _Signal.stop, self._signal)

    @staticmethod
    def _guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except SuperTokensError as error:
            log.info("housekeeping postponed: %s", error)
        except Exception:
            log.exception("housekeeping failed")


class _Signal:
    """What the thread and its owner share, so that the thread need not hold on to the owner."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.work = threading.Event()
        self.stopped = False
        self.thread: threading.Thread | None = None

    def stop(self) -> None:
        self.stopped = True
        self.work.set()
        thread, self.thread = self.thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(_EXIT_PATIENCE_S)


def _keep_house(owner: weakref.ref[Housekeeper], signal: _Signal) -> None:
    wait_s = BATCH_DELAY_S
    while not signal.stopped:
        if signal.work.wait(wait_s) and not signal.stopped:
            signal.work.clear()
            _pause(signal)
        housekeeper = owner()
        if housekeeper is None or signal.stopped:
            return
        wait_s = housekeeper.run_due()
        del housekeeper


def _pause(signal: _Signal) -> None:
    # Let more work gather; a stop must not wait for it.
    deadline = time.monotonic() + BATCH_DELAY_S
    while not signal.stopped and (left_s := deadline - time.monotonic()) > 0:
        time.sleep(min(0.1, left_s))
