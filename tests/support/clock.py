"""Clocks that stand still until a test moves them."""

from __future__ import annotations

import math
import time


class Clock:
    """Call it for Unix milliseconds; it starts now."""

    def __init__(self, now_ms: int | None = None) -> None:
        self.now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms

    def __call__(self) -> int:
        return self.now_ms

    def advance(
        self, *, days: float = 0, hours: float = 0, minutes: float = 0, s: float = 0, ms: int = 0
    ) -> int:
        """Move on, and return the new time."""
        self.now_ms += int(((days * 24 + hours) * 60 + minutes) * 60_000 + s * 1000) + ms
        return self.now_ms


class Stopwatch:
    """Call it for monotonic seconds, by which cool-downs go; it starts now.

    On a multiple of 1/1024 s: such a number plus 3599 plus 1 is exactly 3600 more, on a machine of any age.
    """

    def __init__(self) -> None:
        self._now_s = math.ceil(time.monotonic() * 1024) / 1024

    def __call__(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        self._now_s += seconds
