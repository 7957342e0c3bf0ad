"""The sessions that ended lately, as a process knows them: what verification looks at. Memory only.

Every entry is kept for one life of an access token, after which no token of that session is valid.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

#: Clocks of servers may be apart, and each takes a token to be valid by its own.
CLOCKS_APART_MS = 60_000

#: Revoked sessions that are remembered one by one; above that, all sessions have to refresh once.
MAX_REMEMBERED = 100_000

_NEVER_MS = -1

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Sessions that ended together; `handles` is None for "all that have a token issued until `at_ms`"."""

    handles: Sequence[str] | None
    at_ms: int
    until_ms: int  #: when the last access token of them has expired


class RevokedSessions:
    """What `verify_session` looks at. Reading needs no lock: two comparisons and one look-up.

    A class because threads change it: those that revoke, and the one that reads the log.
    """

    __slots__ = (
        "_cut_off_until_ms",
        "_lock",
        "_order",
        "_watchers",
        "cut_off_ms",
        "doubtful_ms",
        "fresh_until_ms",
        "handles",
    )

    def __init__(self) -> None:
        #: Revoked sessions, with the time until which they have to be remembered (Unix ms).
        self.handles: dict[str, int] = {}
        #: Access tokens issued until this time have to be refreshed (Unix ms); -1: none.
        self.cut_off_ms: int = _NEVER_MS
        #: Of those issued later, until this time (Unix ms), some may be of before, by a clock that is ahead.
        self.doubtful_ms: int = _NEVER_MS
        #: Until when all this is recent enough to be relied on (Unix ms); 0: nothing has been read yet.
        self.fresh_until_ms: int = 0
        self._cut_off_until_ms = _NEVER_MS
        self._order: deque[Revocation] = deque()
        self._watchers: dict[str, list[Callable[[], None]]] = {}
        self._lock = threading.Lock()

    def replace_lock(self) -> None:
        """Take a new lock, and forget the watchers: for a forked child, whose only thread this is."""
        self._lock = threading.Lock()
        self._watchers = {}
        self.fresh_until_ms = 0

    def add(self, revocations: Sequence[Revocation]) -> None:
        """Remember revocations, known ones again, and call the watchers of their sessions."""
        called: list[Callable[[], None]] = []
        with self._lock:
            for one in revocations:
                called += self._add(one)
            if len(self.handles) > MAX_REMEMBERED:
                called += self._fold()
        for watcher in called:
            _call(watcher)

    def _add(self, one: Revocation) -> list[Callable[[], None]]:
        if one.handles is None:
            return self._cut_off(one.at_ms, one.until_ms)
        new = [handle for handle in one.handles if handle not in self.handles]
        longer = [handle for handle in one.handles if self.handles.get(handle, _NEVER_MS) < one.until_ms]
        if not longer:
            return []
        self.handles.update(dict.fromkeys(longer, one.until_ms))
        self._order.append(Revocation(handles=longer, at_ms=one.at_ms, until_ms=one.until_ms))
        if not self._watchers:
            return []
        return [watcher for handle in new for watcher in self._watchers.get(handle, ())]

    def _fold(self) -> list[Callable[[], None]]:
        """Put one time in the place of single sessions."""
        log.warning("%d sessions were revoked: every session has to refresh once", len(self.handles))
        at_ms = max(one.at_ms for one in self._order)
        called = self._cut_off(at_ms, max(one.until_ms for one in self._order))
        # In this order: whoever reads between the two steps refuses too much, never too little.
        self.handles = {}
        self._order.clear()
        return called

    def _cut_off(self, at_ms: int, until_ms: int) -> list[Callable[[], None]]:
        # The later time is no cut-off yet: until it has passed for all, whoever refreshes gets a token issued
        # before it, and would have to refresh again at once.
        self.doubtful_ms = max(self.doubtful_ms, at_ms + CLOCKS_APART_MS)
        self.cut_off_ms = max(self.cut_off_ms, at_ms)
        self._cut_off_until_ms = max(self._cut_off_until_ms, until_ms)
        return [watcher for watchers in self._watchers.values() for watcher in watchers]

    def forget(self, now_ms: int) -> None:
        """Drop the sessions whose last access token has expired, and end the doubt that time has ended."""
        with self._lock:
            while self._order and self._order[0].until_ms < now_ms:
                for handle in self._order.popleft().handles or ():
                    if self.handles.get(handle, now_ms) < now_ms:
                        del self.handles[handle]
            if self.doubtful_ms + CLOCKS_APART_MS < now_ms:  # no token is issued with such a time any more
                self.cut_off_ms = max(self.cut_off_ms, self.doubtful_ms)
            if self._cut_off_until_ms < now_ms:
                self.cut_off_ms = self.doubtful_ms = _NEVER_MS

    def watch(self, handle: str, revoked: Callable[[], None]) -> Callable[[], None]:
        """Call `revoked` once the session ends, at once if it has; return what ends that.

        It is called in whichever thread learns of it.
        """
        with self._lock:
            self._watchers.setdefault(handle, []).append(revoked)
            is_revoked = handle in self.handles

        def unwatch() -> None:
            with self._lock:
                watchers = self._watchers.get(handle, [])
                if revoked in watchers:
                    watchers.remove(revoked)
                if not watchers:
                    self._watchers.pop(handle, None)

        if is_revoked:
            _call(revoked)
        return unwatch


def _call(watcher: Callable[[], None]) -> None:
    try:
        watcher()
    except Exception:
        log.exception("what was to happen to a revoked session failed")


def remembered_ms(access_token_validity_ms: int) -> int:
    """Return how long a session that has ended may have valid access tokens, by the clock of any machine."""
    return access_token_validity_ms + CLOCKS_APART_MS


class Revocations(Protocol):
    """The sessions that were revoked by any process lately, kept up to date in memory."""

    @property
    def revoked(self) -> RevokedSessions:
        """What verification looks at. No I/O."""
        ...

    def is_cooling(self) -> bool:
        """Return whether bringing it up to date has just failed. No I/O."""
        ...

    def remember(self, life_ms: int) -> None:
        """Remember ended sessions at least as long as an access token lives that is about. No I/O."""
        ...

    def is_running(self) -> bool:
        """Return whether it is brought up to date without anybody asking for that. No I/O."""
        ...

    def catch_up(self) -> bool:
        """Bring it up to date where it is too old; return whether that was possible.

        At most once a second while it is not; never raises EngineUnavailableError.
        """
        ...
