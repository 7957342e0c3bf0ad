"""Rate limits over a core, which cannot store counts: each process counts in its own memory.

The rules are those of the embedded engine (engine: Attempts). With four processes an attacker gets four times
as many attempts, and a restart forgets everything. At most `MOST` counts of a kind are kept, evicted least
recently used first.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from supertokens_py.engine.limits import (
    OF_ALL_CLIENTS,
    WRONG_CODES_OF_ITS_OWN,
    Allowance,
    SharedKeys,
    hourly,
    next_guess,
    next_message,
    next_shared,
    of_clients,
    of_text_messages,
)
from supertokens_py.engine.user_services import ClientKind

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

MOST = 10_000
_TEXT_MESSAGES = "text messages"

_Times = tuple[int, int]


class Counts:
    """Pairs of numbers by key, bounded; `locked` is held by whoever reads and writes."""

    def __init__(self, most: int = MOST) -> None:
        self.locked: Lock = Lock()
        self._most = most
        self._pairs: OrderedDict[bytes, _Times] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pairs)

    def get(self, key: bytes) -> _Times:
        """Return a pair; zeros where nothing is known."""
        return self._pairs.get(key, (0, 0))

    def set(self, key: bytes, pair: _Times) -> None:
        """Keep a pair, and forget the one that was left alone for longest where there are too many."""
        self._pairs[key] = pair
        self._pairs.move_to_end(key)
        if len(self._pairs) > self._most:
            self._pairs.popitem(last=False)

    def drop(self, key: bytes) -> None:
        """Forget a pair, if it is known."""
        self._pairs.pop(key, None)

    def after_fork(self) -> None:
        """Take another lock: some thread of the parent process may have had this one."""
        self.locked = Lock()


class LocalAttempts:
    """Wrong passwords per account: how many, and when the last one was."""

    def __init__(self, settings: ResolvedEngineConfig) -> None:
        self.counts: Counts = Counts()
        self._now_ms = settings.now_ms
        self._free = settings.sign_in_free_failures

    def begin(self, kind: str, tenant_id: str, account: str) -> int:
        """Count a guess as a failure; or count nothing, and return how many milliseconds to wait."""
        if self._free == 0:
            return 0
        key, now = _key(kind, tenant_id, account), self._now_ms()
        with self.counts.locked:
            failures, left = next_guess(*self.counts.get(key), now, free=self._free)
            if left == 0:
                self.counts.set(key, (failures + 1, now))
        return left

    def take_back(self, kind: str, tenant_id: str, account: str) -> None:
        """Count one failure less: nobody said whether the password was wrong."""
        key = _key(kind, tenant_id, account)
        with self.counts.locked:
            failures, last = self.counts.get(key)
            if failures:
                self.counts.set(key, (failures - 1, last))

    def succeeded(self, kind: str, tenant_id: str, account: str) -> None:
        """Forget the failures of an account: its password was known, or is a new one."""
        with self.counts.locked:
            self.counts.drop(_key(kind, tenant_id, account))


class LocalMessageLimits:
    """Messages per contact: when all of them are made up for, and when the last one was."""

    def __init__(self, settings: ResolvedEngineConfig) -> None:
        self.counts: Counts = Counts()
        self._now_ms = settings.now_ms

    def begin(
        self,
        kind: str,
        tenant_id: str,
        contact: str,
        *,
        per_day: int,
        at_once: int = 5,
        client: str | None = None,
    ) -> int:
        """Count a message, and return 0; or count nothing, and return how many milliseconds it has to wait.

        Args:
            kind: what is counted by itself, such as "password reset".
            tenant_id: the normalised id of the tenant.
            contact: the normalised address, or the phone number in the form of E.164.
            per_day: how many one client may have sent to the contact in 24 hours; 0: any number.
            at_once: how many it may have sent before that rate applies.
            client: whom the request comes from; None where that is unknown.
        """
        if per_day == 0:
            return 0
        now, allowed = self._now_ms(), Allowance(at_once, per_day)
        allowances = {_key(kind, tenant_id, contact): allowed.times(OF_ALL_CLIENTS)}
        if client is not None:
            allowances[_key(kind, tenant_id, contact, client)] = allowed
        with self.counts.locked:
            wait, kept = next_message(allowances, self.counts.get, now)
            for key, times in kept.items():
                self.counts.set(key, times)
        return wait

    def begin_shared(
        self,
        kind: str,
        contact: str,
        *,
        per_day: int,
        share: int,
        at_once: int = 5,
        client: str | None = None,
    ) -> int:
        """Do as `begin` for messages that are of use to whoever asked only (engine: Passwordless)."""
        if per_day == 0:
            return 0
        own = None if client is None else _key(kind, "", contact, client)
        keys = SharedKeys(_key(kind, "", contact), _key(kind, "", contact, "", "most"), own)
        allowed, now = Allowance(at_once, per_day), self._now_ms()
        with self.counts.locked:
            wait, kept = next_shared(keys, allowed, self.counts.get, now, share=share)
            for key, times in kept.items():
                self.counts.set(key, times)
        return wait

    def failed(self, kind: str, tenant_id: str, contact: str) -> None:
        """Let another message follow at once: the last one could not be sent."""
        key = _key(kind, tenant_id, contact)
        with self.counts.locked:
            self.counts.set(key, (self.counts.get(key)[0], 0))


class LocalClientLimits:
    """`Clients` of one process: when everything that a client did is made up for."""

    def __init__(self, settings: ResolvedEngineConfig) -> None:
        self.counts: Counts = Counts()
        self._settings = settings
        self._now_ms = settings.now_ms
        self._allowances = {kind: hourly(most) for kind, most in of_clients(settings).items() if most}

    def begin(self, kind: ClientKind, client: str) -> int:
        allowance = self._allowances.get(kind)
        return 0 if allowance is None else self._begin(_key(kind, client), allowance)

    def begin_hourly(self, kind: str, who: str, *, per_hour: int) -> int:
        """Do as `begin` for anything that may be done so often in an hour; 0: any number."""
        return self._begin(_key(kind, who), hourly(per_hour)) if per_hour else 0

    def _begin(self, key: bytes, allowance: Allowance) -> int:
        now = self._now_ms()
        with self.counts.locked:
            following, wait = allowance.after_one_more(self.counts.get(key)[0], now)
            if not wait:
                self.counts.set(key, (following, now))
        return wait

    def begin_text_message(self, tenant_id: str) -> int:
        """Count a text message of a tenant, and of all; or count nothing, and return how long to wait."""
        counted: list[str] = []
        budgets = of_text_messages(self._settings, tenant_id)
        for who, most in budgets.items():
            if wait := self.begin_hourly(_TEXT_MESSAGES, who, per_hour=most):
                for other in counted:
                    self.take_back_hourly(_TEXT_MESSAGES, other, per_hour=budgets[other])
                return wait
            counted.append(who)
        return 0

    def take_back_text_message(self, tenant_id: str) -> None:
        """Take back one: it was not sent."""
        for who, most in of_text_messages(self._settings, tenant_id).items():
            self.take_back_hourly(_TEXT_MESSAGES, who, per_hour=most)

    def begin_wrong_code(self, who: str, client: str | None, *, per_hour: int) -> int:
        """Count a code of a client for a contact as wrong; or count nothing, and return how long to wait."""
        keys, now, share = _wrong_codes(who, client), self._now_ms(), WRONG_CODES_OF_ITS_OWN
        with self.counts.locked:
            known = self.counts.get
            wait, kept = next_shared(keys, hourly(per_hour), known, now, share=share, spacing_ms=0)
            for key, times in kept.items():
                self.counts.set(key, times)
        return wait

    def forget_wrong_codes(self, who: str, client: str | None) -> None:
        """Forget those of the client and those of all: a code was right."""
        keys = _wrong_codes(who, client)
        with self.counts.locked:
            for key in (keys.of_all, keys.at_most, keys.own):
                self.counts.drop(key or b"")

    def take_back(self, kind: ClientKind, client: str) -> None:
        if (allowance := self._allowances.get(kind)) is not None:
            self._take_back(_key(kind, client), allowance)

    def take_back_hourly(self, kind: str, who: str, *, per_hour: int) -> None:
        """Take back one that `begin_hourly` counted."""
        self._take_back(_key(kind, who), hourly(per_hour))

    def _take_back(self, key: bytes, allowance: Allowance) -> None:
        with self.counts.locked:
            made_up, last = self.counts.get(key)
            self.counts.set(key, (made_up - allowance.step_ms, last))


def _wrong_codes(who: str, client: str | None) -> SharedKeys[bytes]:
    """Return where a contact's counts are; those who are not known are one client."""
    kind = "wrong codes"
    return SharedKeys(_key(kind, who), _key(kind, who, "most"), _key(kind, who, "client", client or ""))


def _key(*parts: str) -> bytes:
    return sha256("\0".join(parts).encode("utf-8", "replace")).digest()
