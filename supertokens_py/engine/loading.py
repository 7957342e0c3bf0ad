"""The lock under which verification keys are loaded, from a database or from a core."""

from __future__ import annotations

import threading
import time

#: How long a request waits for keys that another one loads, before it makes do with those in memory.
PATIENCE_S = 0.25


class LoadingLock:
    """Lets one thread load; where older keys are there, the others wait for it a moment only.

    A flood of unknown keys would otherwise keep every worker thread from the others' requests while the
    database or the core is slow.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loading_since = float("inf")  # monotonic seconds; the beginning of a load that is under way

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Wait for the lock, as that of `threading` does; whoever gets it loads."""
        taken = self._lock.acquire(blocking, timeout)
        if taken:
            self._loading_since = time.monotonic()
        return taken

    def release(self) -> None:
        """Let the next one load."""
        self._loading_since = float("inf")
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    @property
    def is_slow(self) -> bool:
        """Whether a load takes longer than anybody waits for it."""
        return time.monotonic() - self._loading_since > PATIENCE_S

    def acquire_for_reload(self, *, has_keys: bool) -> bool:
        """Wait for the lock: a moment where there are keys to make do with, else as long as it takes."""
        return self.acquire(timeout=PATIENCE_S if has_keys else -1)
