"""The time in Unix milliseconds, as the protocol has it."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Return Unix milliseconds."""
    return time.time_ns() // 1_000_000
