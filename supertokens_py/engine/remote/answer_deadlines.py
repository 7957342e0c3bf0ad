"""Until when the headers of an answer of a core have to be there, and then its body.

The time-out of a client begins again with every byte. This is one of everything that is read of either.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

#: A time-out of 0 would mean not to wait at all, which is another error.
_SHORTEST_S = 0.001


class AnswerDeadlines:
    """The deadline of the request that a thread is at; requests are blocking, so each thread is at one.

    Args:
        timeout_s: how long either may take, from the first look for it on.
        monotonic_s: a clock that is never set back.
    """

    def __init__(self, timeout_s: float, monotonic_s: Callable[[], float]) -> None:
        self.timeout_s = timeout_s
        self._monotonic_s = monotonic_s
        self._of_thread = threading.local()

    def begin(self) -> None:
        """Begin with another part: the next look at it sets its deadline."""
        self._of_thread.until_s = None

    @property
    def left_s(self) -> float:
        """How many seconds are left; below 0: the time is over."""
        now_s, until_s = self._monotonic_s(), getattr(self._of_thread, "until_s", None)
        if until_s is None:
            until_s = self._of_thread.until_s = now_s + self.timeout_s
        return until_s - now_s

    def note(self, event: str, info: Mapping[str, Any]) -> None:
        """Have a new connection read until the deadline; it is the client's `trace` extension.

        A connection is used again for other requests, of which no event shows it.
        """
        if event.endswith(("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")):
            stream = info["return_value"]
            with suppress(AttributeError):  # of a later client: then only pauses between bytes are bounded
                stream.read = self._bounded(stream.read)

    def _bounded(self, read: Callable[[int, float | None], bytes]) -> Callable[..., bytes]:
        def bounded(max_bytes: int, timeout: float | None = None) -> bytes:
            left_s = max(self.left_s, _SHORTEST_S)
            return read(max_bytes, left_s if timeout is None else min(left_s, timeout))

        return bounded
