"""The rules of limits, as functions of times: how many, at which rate, and how long the next one has to wait.

The embedded engine keeps its counts in the database, the remote one in the memory of each process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

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
#: The same for those that clients get as shares of their own: so many go to one contact at most.
AT_MOST = 10
#: Messages, and wrong codes, that a client may follow each other with where others used up what all may.
MESSAGES_OF_ITS_OWN, WRONG_CODES_OF_ITS_OWN = 2, 5


def wait_ms(failures: int, *, free: int) -> int:
    """Return how long after so many failures the next guess has to wait: 0, then 1 s, doubling to 15 min."""
    if failures < free:
        return 0
    return min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(failures - free, 20))


def next_guess(failures: int, last_ms: int, now_ms: int, *, free: int) -> tuple[int, int]:
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


def next_message(
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


@dataclass(frozen=True, slots=True)
class SharedKeys(Generic[_Key]):
    """Where a contact's counts are: of all clients, of what may be at most, and of the one that asks."""

    of_all: _Key
    at_most: _Key
    own: _Key | None  #: None: it is not known who asks


def next_shared(
    keys: SharedKeys[_Key],
    allowed: Allowance,
    known: Callable[[_Key], tuple[int, int]],
    now_ms: int,
    *,
    share: int,
    spacing_ms: int = SPACING_MS,
) -> tuple[int, dict[_Key, tuple[int, int]]]:
    """Do as `next_message`, but leave each known client a share where others have used up what all may.

    What a message proves fits only the browser that asked: one that a stranger asks for is of no use to the
    owner of the contact, whereas a link that verifies an address is, whoever asks for it.

    Args:
        keys: what is counted, in the order in which it is asked for.
        allowed: what one client may; all together may `OF_ALL_CLIENTS` times as many, and a client that has
            made up for all but less than `share` may another one all the same, until `AT_MOST` times as many.
        known: returns of a count when all are made up for, and when the last one was.
        now_ms: the time.
        share: how many that is.
        spacing_ms: the distance that any two keep.
    """
    made_up, last = known(keys.of_all)
    following, wait_of_all = allowed.times(OF_ALL_CLIENTS).after_one_more(made_up, now_ms)
    most, wait = allowed.times(AT_MOST).after_one_more(known(keys.at_most)[0], now_ms)
    kept = {keys.at_most: (most, now_ms)}
    wait, waits_for_share = max(wait, min(last, now_ms) + spacing_ms - now_ms), wait_of_all
    if keys.own is not None:
        own, own_wait = allowed.after_one_more(known(keys.own)[0], now_ms)
        kept[keys.own] = (own, now_ms)
        wait, waits_for_share = max(wait, own_wait), max(0, own - now_ms - share * allowed.step_ms)
    wait = max(wait, min(wait_of_all, waits_for_share))
    if wait > 0:
        return wait, {}
    # One of a share is counted by itself: it would keep others waiting.
    return 0, {keys.of_all: (made_up if wait_of_all else following, now_ms), **kept}


def of_clients(settings: ResolvedEngineConfig) -> dict[ClientKind, int]:
    """Return how many of each kind a client may do in an hour; 0: any number."""
    return {
        "sign_in": settings.sign_in_failures_per_client_and_hour,
        "sign_up": settings.sign_ups_per_client_and_hour,
        "reset": settings.password_resets_per_client_and_hour,
        "code": settings.code_requests_per_client_and_hour,
        "exists": settings.lookups_per_client_and_hour,
        "authorise": settings.lookups_per_client_and_hour,
    }


def of_text_messages(settings: ResolvedEngineConfig, tenant_id: str) -> dict[str, int]:
    """Return how many text messages may be sent in an hour, of a tenant and of all (""), where limited."""
    of_tenant = settings.passwordless_text_messages_per_hour
    of_all = settings.passwordless_text_messages_of_all_tenants_per_hour
    return {who: most for who, most in ((tenant_id, of_tenant), ("", of_all)) if most}


def hourly(most: int) -> Allowance:
    """Return the allowance of so many in an hour, all of them at once or one after the other."""
    return Allowance(most, 24 * most)
