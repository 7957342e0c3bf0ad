"""How many requests this process refused, by code."""

from __future__ import annotations

import weakref
from collections import Counter

from supertokens_py.events import Event, SessionRefused, subscribe


class Refusals:
    """Counts refusals of sessions from now on, for as long as somebody keeps this object."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        known = weakref.ref(self)

        def count(event: Event) -> None:
            counter = known()
            if counter is not None and isinstance(event, SessionRefused):
                counter._counts[event.code] += 1

        weakref.finalize(self, subscribe(count))

    def most_first(self) -> list[tuple[str, int]]:
        """Return each code with its number."""
        return self._counts.most_common()
