"""Bounded numbers of requests at once: who comes too many waits for a moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator, Hashable
from contextlib import contextmanager
from hashlib import sha256

from supertokens_py.runtime import fork_hooks

from .failures import SignInFailedError

#: Exchanges of codes for one PKCE verifier in this process: a browser makes one, and may repeat it.
MAX_EXCHANGES = 5
_MAX_VERIFIERS = 10_000


class Places(fork_hooks.ForkAware):
    """Counts by name what is under way."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken: dict[Hashable, int] = {}
        fork_hooks.register(self)

    def after_fork_in_child(self) -> None:
        self._changed, self._taken = threading.Condition(), {}

    @contextmanager
    def taken(self, name: Hashable, most: int, *, wait_s: float, what: str) -> Generator[None]:
        """Be one of so many inside. Blocks for a while where they are already.

        Args:
            name: what is counted.
            most: how many may be inside.
            wait_s: seconds to wait for a place.
            what: those, for the error.

        Raises:
            SignInFailedError: none has left.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._taken.get(name, 0) < most, wait_s):
                raise SignInFailedError(f"{most} {what} are waiting for an answer")
            self._taken[name] = self._taken.get(name, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                left = self._taken.pop(name, 1) - 1
                if left > 0:
                    self._taken[name] = left
                self._changed.notify_all()


class Exchanges(fork_hooks.ForkAware):
    """Counts exchanges of codes: verifiers are free to get, but each leads to one sign-in.

    Without it, one verifier and many codes that mean nothing would keep a provider's places.

    Args:
        most: verifiers that are counted; of more, those that came first are forgotten.
    """

    def __init__(self, most: int = _MAX_VERIFIERS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, tuple[int, bool]] = OrderedDict()
        fork_hooks.register(self)

    def after_fork_in_child(self) -> None:
        self._lock, self._known = threading.Lock(), OrderedDict()

    @contextmanager
    def of(self, verifier: str | None) -> Generator[None]:
        """Be the one exchange for a verifier; for None, of apps on phones, there is no such number.

        Raises:
            SignInFailedError: another one is under way, or there were too many.
        """
        if verifier is None:
            yield
            return
        key = sha256(verifier.encode()).digest()
        fork_hooks.check()
        with self._lock:
            count, is_under_way = self._known.get(key, (0, False))
            if is_under_way or count >= MAX_EXCHANGES:
                raise SignInFailedError("codes are exchanged one by one, and only a few for a PKCE verifier")
            self._known[key] = (count + 1, True)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        try:
            yield
        finally:
            with self._lock:
                if key in self._known:
                    self._known[key] = (self._known[key][0], False)
