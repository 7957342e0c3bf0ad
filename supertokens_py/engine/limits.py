"""The rules of limits, as functions of times: how many, at which rate, and how long the next one has to wait.

The embedded engine keeps its counts in the database, the remote one in the memory of each process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from .config import ResolvedEngineConfig
    from .user_services import ClientKind

_Key = TypeVar("_Key", str, bytes)

HOUR_MS, DAY_MS = 3_600_000, 24 * 3_600_000

FIRST_WAIT_MS, LONGEST_WAIT_MS = 1_000, 15 * 60_000
#: After this time without another guess, what was before is forgotten.
FORGOTTEN_AFTER_MS = DAY_MS

#: Milliseconds between two messages to one contact, whoever asks: frontends ask twice now and then.
SPACING_MS = 15_000
#: How many times what one client may have sent to a contact all clients together may.
OF_ALL_CLIENTS = 2


def wait_ms(failures: int, *, free: int) -> int:
    """Return how long after so many failures the next guess has to wait: 0, then 1 s, doubling to 15 min."""
    if failures < free:
        return 0
    return min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(failures - free, 20))


def after_guesses(failures: int, last_ms: int, now_ms: int, *, free: int) -> tuple[int, int]:
    """Return how many failures count, and how long the next guess has to wait."""
    passed = max(0, now_ms - last_ms)  # another machine's clock may be ahead
    counted = failures if passed < FORGOTTEN_AFTER_MS else 0
    return counted, max(0, wait_ms(counted, free=free) - passed)


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many may follow each other at once (no more than in a day), and at which rate others."""

    at_once: int
    per_day: int

    @property
    def step_ms(self) -> int:
        """The time that makes up for one."""
        return DAY_MS // self.per_day

    def times(self, factor: int) -> Allowance:
        """Return so many times as many."""
        return Allowance(self.at_once * factor, self.per_day * factor)

    def after_one_more(self, made_up_ms: int, now_ms: int) -> tuple[int, int]:
        """Return when all of them and another are made up for, and how long that one has to wait first."""
        most = self.step_ms * min(self.at_once, self.per_day)
        # A clock of another machine may be ahead: nobody waits longer than by this one.
        following = min(max(made_up_ms, now_ms), now_ms + most) + self.step_ms
        return following, max(0, following - now_ms - most)


def after_messages(
    allowances: Mapping[_Key, Allowance], known: Callable[[_Key], tuple[int, int]], now_ms: int
) -> tuple[int, dict[_Key, tuple[int, int]]]:
    """Return how long another message has to wait, and what to keep of it if it may go at once.

    Args:
        allowances: what is counted; first the contact's, by which messages keep their distance.
        known: returns of a count when all messages are made up for, and when the last one was.
        now_ms: the time.
    """
    kept: dict[_Key, tuple[int, int]] = {}
    for key, allowance in allowances.items():
        made_up, last = known(key)
        following, wait = allowance.after_one_more(made_up, now_ms)
        wait = max(wait, 0 if kept else min(last, now_ms) + SPACING_MS - now_ms)
        if wait > 0:
            return wait, {}
        kept[key] = (following, now_ms)
    return 0, kept


def of_clients(settings: ResolvedEngineConfig) -> dict[ClientKind, int]:
    """Return how many of each kind a client may do in an hour; 0: any number."""
    return {
        "sign_in": settings.sign_in_failures_per_client_and_hour,
        "sign_up": settings.sign_ups_per_client_and_hour,
        "reset": settings.password_resets_per_client_and_hour,
        "code": settings.code_requests_per_client_and_hour,
        "exists": settings.lookups_per_client_and_hour,
    }


def hourly(most: int) -> Allowance:
    """Return the allowance of so many in an hour, all of them at once or one after the other."""
    return Allowance(most, 24 * most)
