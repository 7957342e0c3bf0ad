"""How long one session lives: its own limits and the engine's, and which of them ended it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from supertokens_py.engine.records import Unauthorised
from supertokens_py.engine.session_records import Lifetime

#: An access token lives at most this part of the idle time: that a session is used shows only when it is
#: refreshed.
_PARTS_OF_IDLE = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """What is kept of a session's limits besides `expires_at`; None means as the engine is configured."""

    idle_ms: int | None = None
    absolute_at_ms: int | None = None  #: the end, whatever is refreshed
    persistent: bool = True
    counts: bool = True  #: whether it shows that its user is active

    def expires_ms(self, now_ms: int, *, validity_ms: int) -> int:
        """Return when a session that is used now expires."""
        return self.capped(now_ms + (validity_ms if self.idle_ms is None else self.idle_ms))

    def capped(self, time_ms: int) -> int:
        """Return a time, or the end if that is earlier."""
        return time_ms if self.absolute_at_ms is None else min(time_ms, self.absolute_at_ms)

    def token_expires_ms(self, now_ms: int, *, life_ms: int) -> int:
        """Return when an access token made now expires, which is to live for `life_ms` at most."""
        if self.idle_ms is not None:
            life_ms = min(life_ms, self.idle_ms // _PARTS_OF_IDLE)
        return self.capped(now_ms + life_ms)

    def is_past(self, now_ms: int) -> bool:
        """Return whether the end has come, even though a core may have set `expires_at` beyond it."""
        return self.absolute_at_ms is not None and self.absolute_at_ms <= now_ms

    def reason(self, expires_ms: int) -> Literal["idle", "absolute"]:
        """Return what an expired session has reached: its end, or its idle time before that."""
        end_ms = self.absolute_at_ms
        return "absolute" if end_ms is not None and end_ms <= expires_ms else "idle"


_REFUSALS = {
    "idle": Unauthorised("The session has expired: it was not used for too long.", "session_expired_idle"),
    "absolute": Unauthorised(
        "The session has expired: it has reached its longest lifetime.", "session_expired_absolute"
    ),
}


def expired(reason: Literal["idle", "absolute"]) -> Unauthorised:
    """Return the refusal of a session whose row is still there."""
    return _REFUSALS[reason]


#: Of a session of which nothing but the official columns is kept.
USUAL_TERMS: Terms = Terms()


def terms_of(row: Sequence[Any] | None) -> Terms:
    """Return the terms in a row of (idle, absolute end, persistent, counts); the usual if None or nulls."""
    if row is None or row[2] is None:
        return USUAL_TERMS
    idle_ms, absolute_at_ms, persistent, counts = row
    return Terms(idle_ms, absolute_at_ms, bool(persistent), bool(counts))


def new_terms(lifetime: Lifetime | None, *, now_ms: int, counts: bool) -> Terms:
    """Return the terms of a session that is created now."""
    if lifetime is None:
        return Terms(counts=counts)
    absolute_ms = lifetime.absolute_ms
    return Terms(
        idle_ms=lifetime.idle_ms,
        absolute_at_ms=None if absolute_ms is None else now_ms + absolute_ms,
        persistent=lifetime.persistent,
        counts=counts,
    )
