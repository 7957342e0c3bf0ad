"""Counting sessions, which not every engine can do."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class CountsSessions(Protocol):
    """Sessions that can be counted; a core does not count them."""

    def count_live(self, most: int) -> int:
        """Return how many sessions live, or `most` where there are more: counting goes no further."""
        ...
