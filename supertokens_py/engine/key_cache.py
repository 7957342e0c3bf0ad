"""The verification keys of an engine in memory: loaded by one thread, kept while their source is away.

Both engines' `Keys` are built on it. A key set that has aged is loaded again by another thread, while
requests go on with the one that is there (stale while revalidating); a load that fails changes nothing (stale
on error). Verified tokens are cached by the identity of the key set: `KeySet.epoch` says why that is enough.
"""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from supertokens_py.runtime import fork_hooks

from .records import KeySet

#: Unknown keys are looked for, and a source that failed is asked again, at most this often.
COOL_DOWN_S = 5.0
#: The same while there are no keys at all, and every request fails.
FIRST_COOL_DOWN_S = 1.0
#: How long a request waits for keys that another one loads, before it goes on with those in memory.
LOADING_TIMEOUT_S = 0.25

_EMPTY = KeySet({}, loaded_ms=0)

log: logging.Logger = logging.getLogger(__name__)


class Snapshot(Protocol):
    """What an engine keeps of one load; immutable."""

    @property
    def key_set(self) -> KeySet:
        """The public keys."""
        ...

    @property
    def fresh_s(self) -> float:
        """For how many seconds they are not loaded again unasked."""
        ...


S = TypeVar("S", bound=Snapshot)


class KeyCache(fork_hooks.ForkAware, ABC, Generic[S]):
    """The snapshot in memory, and the rules by which it is loaded again.

    Args:
        monotonic_s: what ages and cooldowns go by: a clock that is never set back.
    """

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self.monotonic_s = monotonic_s
        self._loading = LoadingLock()
        self._snapshot: S | None = None
        self._failure: EngineUnavailableError | ConfigError | None = None
        self._failed_at = self._asked_at = float("-inf")
        self._due_at = float("inf")
        fork_hooks.register(self)

    @abstractmethod
    def _read(self) -> S:
        """Read the keys from their source, holding the lock.

        Raises:
            EngineUnavailableError: it is out of reach.
            ConfigError: it has no keys that this process could use.
        """

    def key_set(self) -> KeySet:
        """Return the keys in memory, without I/O; aged ones are loaded again by another thread."""
        snapshot = self._snapshot
        if snapshot is None:
            return _EMPTY
        if self.monotonic_s() >= self._due_at:
            self._load_in_background()
            snapshot = self._snapshot or snapshot  # where a thread would be frozen, it was done here
        return snapshot.key_set

    def cooled(self) -> KeySet | None:
        """Return the keys in memory if `reload` would not load anything anyway, without waiting."""
        fork_hooks.check()
        snapshot = self._snapshot
        return snapshot.key_set if snapshot and (self._loading.is_slow or self._is_cooling_down) else None

    def reload(self) -> KeySet:
        """Load the keys again, at most once per cooldown; on failure keep the old ones.

        Raises:
            EngineUnavailableError, ConfigError: it failed, and there are no old ones.
        """
        if (cooled := self.cooled()) is not None:
            return cooled
        if not self._loading.acquire_for_reload(has_keys=self._snapshot is not None):
            return self.key_set()
        try:
            if not self._is_cooling_down:
                self._try_to_load()
                self._asked_at = self.monotonic_s()
            if self._snapshot is None and self._failure is not None:
                raise self._failure
            return self.key_set()
        finally:
            self._loading.release()

    def forget(self) -> None:
        """Drop what is in memory, so that the next use asks the source."""
        self._snapshot = None
        self._failed_at = self._asked_at = float("-inf")

    def after_fork_in_child(self) -> None:
        self._loading = LoadingLock()

    def _load(self, read: Callable[[], S]) -> S:
        """Load by `read`, holding the lock; a failure keeps what there is, and is raised."""
        try:
            snapshot = read()
        except (EngineUnavailableError, ConfigError) as error:
            self._failed_at, self._failure = self.monotonic_s(), error
            raise
        self._failed_at, self._failure = float("-inf"), None
        self._snapshot = snapshot
        self._due_at = self.monotonic_s() + snapshot.fresh_s
        return snapshot

    def _try_to_load(self) -> None:
        self._due_at = self.monotonic_s() + COOL_DOWN_S  # whether it succeeds or not
        try:
            self._load(self._read)
        except (EngineUnavailableError, ConfigError) as error:
            log.warning("verification keys could not be loaded: %s", error)

    @property
    def _has_just_failed(self) -> bool:
        return self.monotonic_s() - self._failed_at < COOL_DOWN_S

    @property
    def _is_cooling_down(self) -> bool:
        wait_s = FIRST_COOL_DOWN_S if self._snapshot is None else COOL_DOWN_S
        return self.monotonic_s() - self._asked_at < wait_s

    def _load_in_background(self) -> None:
        fork_hooks.check()
        if not self._loading.acquire(blocking=False):
            return
        if not fork_hooks.background_threads_run():
            self._load_and_release()
            return
        try:
            threading.Thread(target=self._load_and_release, name="supertokens-keys", daemon=True).start()
        except RuntimeError:  # the interpreter is shutting down
            log.debug("no thread can be started to load verification keys")
            self._due_at = self.monotonic_s() + COOL_DOWN_S
            self._loading.release()

    def _load_and_release(self) -> None:
        try:
            if self._snapshot is not None:  # else the engine was closed meanwhile
                self._try_to_load()
        finally:
            self._loading.release()


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
        return time.monotonic() - self._loading_since > LOADING_TIMEOUT_S

    def acquire_for_reload(self, *, has_keys: bool) -> bool:
        """Wait for the lock: a moment where there are keys to go on with, else as long as it takes."""
        return self.acquire(timeout=LOADING_TIMEOUT_S if has_keys else -1)
