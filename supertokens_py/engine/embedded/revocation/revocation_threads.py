"""The threads that have the log of revocations read: one every second, one that listens to PostgreSQL.

They know their owner only weakly, and end with it. A forked child starts its own with its first request.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
import weakref
from typing import TYPE_CHECKING, Protocol

from supertokens_py.exceptions import SuperTokensError
from supertokens_py.runtime import fork_hooks

from ..storage.listening import Listener, PoolerError
from .revocation_rows import WORD

if TYPE_CHECKING:
    from ..background import Pace
    from ..storage.database import Database
    from .revocation_rows import RevocationStatements

_EXIT_PATIENCE_S = 2.0

log: logging.Logger = logging.getLogger(__name__)


class Log(Protocol):
    """What the threads need of a `RevocationLog`."""

    statements: RevocationStatements
    database: Database
    pace: Pace

    def poll(self) -> None: ...


class Poller(fork_hooks.ForkAware):
    """Runs the threads of one log, from the first `start` to `stop`."""

    def __init__(self, owner: Log, *, listens: bool) -> None:
        self._owner = weakref.ref(owner)
        self._listens = listens
        self._lock = threading.Lock()
        self._threads: _Threads | None = None
        self._finalizer: weakref.finalize[[], Poller] | None = None
        fork_hooks.register(self)

    def start(self) -> None:
        """Start the threads where none run, and threads make progress at all."""
        if self._threads is not None or not fork_hooks.background_threads_run():
            return
        with self._lock:
            owner = self._owner()
            if self._threads is None and owner is not None:
                try:
                    self._threads = _Threads(owner, listens=self._listens)
                except RuntimeError as error:
                    log.warning("requests read revoked sessions themselves: %s", error)
                    return
                self._finalizer = weakref.finalize(self, self._threads.stop)

    def is_running(self) -> bool:
        """Return whether the threads of this process run."""
        return self._threads is not None

    def stop(self) -> None:
        """End the threads."""
        fork_hooks.check()
        with self._lock:
            self._threads = None
            if self._finalizer is not None:
                self._finalizer()

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        if self._threads is not None:
            self._threads.leave_to_parent()
        self._threads = None
        if self._finalizer is not None:
            self._finalizer.detach()


class _Threads:
    """Both threads, and how they are told to end."""

    def __init__(self, owner: Log, *, listens: bool) -> None:
        self._owner = weakref.ref(owner)
        self._pace = owner.pace
        self._halt = threading.Event()
        self._word = threading.Event()
        database = owner.database
        self._listener = (
            Listener(database.location, database.settings, database.pool.dialect, owner.statements.channel)
            if listens
            else None
        )
        self._running = [threading.Thread(target=self._poll, name="supertokens-revocations", daemon=True)]
        if (listener := self._listener) is not None:
            listen = threading.Thread(
                target=self._listen, args=(listener,), name="supertokens-listener", daemon=True
            )
            self._running.append(listen)
        try:
            for thread in self._running:
                thread.start()
        except RuntimeError:  # the machine has no room for another
            self._running = []
            if self._listener is not None:
                self._listener.end()
                self._listener = None
            self.stop()
            raise

    def stop(self) -> None:
        self._halt.set()
        self._word.set()
        if self._listener is not None:
            self._listener.interrupt()
        for thread in self._running:
            if thread is not threading.current_thread():
                thread.join(_EXIT_PATIENCE_S)

    def leave_to_parent(self) -> None:
        if self._listener is not None:
            self._listener.leave_to_parent()

    def _poll(self) -> None:
        while True:
            if self._word.wait(self._pace.poll_s):
                self._word.clear()
                self._halt.wait(self._pace.gather_s)
            owner = None if self._halt.is_set() else self._owner()
            if owner is None:
                self.stop()
                return
            try:
                owner.poll()
            except Exception:
                log.exception("reading revoked sessions failed")
            del owner  # it may end while this thread waits

    def _listen(self, listener: Listener) -> None:
        while not self._halt.is_set() and self._owner() is not None:
            try:
                listener.open()
                self._hear(listener)
            except PoolerError as error:
                log.warning("%s", error)
                break
            except SuperTokensError as error:
                log.info("not told of revocations at once, only every %g s: %s", self._pace.poll_s, error)
            except Exception:
                log.exception("listening for revocations failed")
            listener.close()
            self._word.set()  # what was said while nobody listened is in the log
            self._halt.wait(self._pace.listen_again_s)
        listener.end()

    def _hear(self, listener: Listener) -> None:
        """Pass words on until the connection breaks; test now and then whether they arrive at all."""
        self._word.set()  # listening first, then reading: nothing can be missed in between
        test = _SelfTest(self._pace)
        while not self._halt.is_set():
            if test.is_due():
                owner = self._owner()
                if owner is None:
                    return
                nonce, statements = test.begin(), owner.statements
                owner.database.single(lambda c, n=nonce, s=statements: s.send(c, n), repeatable=True)
                del owner
            heard = listener.wait(test.patience_s())
            if WORD in heard:
                self._word.set()
            test.heard(heard)


class _SelfTest:
    """Whether what is sent through the pool arrives here; where it does not, only polling helps."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._due_s = time.monotonic()
        self._nonce: str | None = None
        self._is_deaf = False

    def is_due(self) -> bool:
        if self._nonce is not None and time.monotonic() >= self._due_s:
            self._nonce = None
            self._due_s = time.monotonic() + self._pace.self_test_s
            if not self._is_deaf:
                self._is_deaf = True
                log.warning(
                    "PostgreSQL does not tell this process of revocations: they are seen within %g s only. "
                    "Behind a pooler, set EngineConfig(listen_uri=...) to a direct connection",
                    self._pace.poll_s,
                )
        return self._nonce is None and time.monotonic() >= self._due_s

    def begin(self) -> str:
        self._nonce = secrets.token_hex(8)
        self._due_s = time.monotonic() + self._pace.heard_within_s
        return self._nonce

    def heard(self, words: list[str]) -> None:
        if self._nonce in words:
            self._nonce, self._is_deaf = None, False
            self._due_s = time.monotonic() + self._pace.self_test_s

    def patience_s(self) -> float:
        return max(0.0, self._due_s - time.monotonic())
