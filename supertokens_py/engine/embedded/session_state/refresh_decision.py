"""What happens when a refresh token is presented: the decision table of (engine: Refresh). Pure.

A session rotates at most once within a grace period. So every token that was replaced within it is the
previous one, which yields the very successor that its first use made (`successor_of`), and the current
token is answered with itself: parallel calls and lost responses, in any order, end with one live token.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from supertokens_py.engine.config import ReuseBehaviour
from supertokens_py.engine.records import ReuseSubtype
from supertokens_py.tokens.encoding import constant_time_equal

from .refresh_tokens import MasterKey, RefreshToken, successor
from .token_families import has_family, is_of_family

#: GONE: no live session. ROTATE: the current token. KEEP: the current token within the grace period of its
#: own rotation. REPEAT: the previous token within it. PROMOTE: a child that an official core made and nobody
#: used before, or whose rotation was taken back. FORGED: sealed under the master key, but by nobody who had a
#: token of the session. REINSTATE: made by a rotation that the database lost, within the grace period of it;
#: the row becomes what it then was. NEWER: made by one that is longer ago; the token is rotated. RESTORED:
#: the row is of before a restore, and knows nothing of what followed the back-up. A reuse subtype: somebody
#: presented a token twice. With these two, the session must end.
OfALiveSession: TypeAlias = (
    Literal["ROTATE", "KEEP", "REPEAT", "PROMOTE", "FORGED", "REINSTATE", "NEWER", "RESTORED"] | ReuseSubtype
)
Decision: TypeAlias = Literal["GONE"] | OfALiveSession

#: A second use so long after the rotation is reported: what races or retries, comes sooner as a rule.
LATE_MS = 5_000

_ANTI_CSRF_PURPOSE = b"supertokens_py anti-csrf token of a kept refresh token"


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """The columns of a session row that tell which refresh tokens are its own: hashes of two, and times."""

    current: str
    previous: str | None
    rotated_ms: int | None
    expires_ms: int

    @property
    def is_taken_back(self) -> bool:
        """Return whether the last rotation, at `rotated_ms`, was taken back, and neither token seen since."""
        return self.previous is None and self.rotated_ms is not None


@dataclass(frozen=True, slots=True)
class Successor:
    """The token to hand out, and whether `refresh_token_hash_2` must change for it."""

    token: RefreshToken
    is_current: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that the decision table depends on."""

    grace_ms: int
    shared: bool = False  #: whether an official core may write to the same rows
    restored_ms: int | None = None  #: when the database was last restored from a back-up


def in_grace(row: StoredTokens, *, now_ms: int, grace_ms: int) -> bool:
    """Return whether the last rotation is at most one grace period ago.

    A grace period of 0 has no such time, not even the millisecond of the rotation, so that exactly one of
    several parallel refreshes succeeds then.
    """
    return grace_ms > 0 and row.rotated_ms is not None and now_ms <= row.rotated_ms + grace_ms


def decide(
    row: StoredTokens | None,
    presented: RefreshToken,
    *,
    now_ms: int,
    rules: Rules,
    successor_ms: Callable[[], int | None],
) -> Decision:
    """Return what the presented token means for its session; the first match wins.

    `successor_ms` returns the time of the rotation here that made the token, None if merely somebody with
    the master key did. It is a function because hardly any token needs the answer, which takes a MAC for
    every key.
    """
    if row is None or row.expires_ms < now_ms:
        return "GONE"
    recent = in_grace(row, now_ms=now_ms, grace_ms=rules.grace_ms)
    if constant_time_equal(presented.hash2, row.current):
        # As long as the previous token may be repeated, one that was taken back is treated as that.
        kept: Decision = "REPEAT" if row.is_taken_back else "KEEP"
        return kept if _is_recent(row.rotated_ms, now_ms=now_ms, grace_ms=rules.grace_ms) else "ROTATE"
    if row.previous is not None and constant_time_equal(presented.hash2, row.previous):
        return "REPEAT" if recent else "RECENT_PREV"
    if rules.shared:
        return _of_a_core(row, presented, recent=recent, rules=rules)
    if not has_family(presented.handle):
        return "ORPHANED_BRANCH" if is_child(presented, row.previous) else _of_nobody(row, rules)
    if not is_of_family(presented.nonce, presented.handle):
        return "FORGED"
    made_ms = successor_ms()
    if made_ms is not None and (found := _of_a_rotation(row, presented, made_ms, now_ms=now_ms, rules=rules)):
        return found
    return "ORPHANED_BRANCH" if is_child(presented, row.previous) else _of_nobody(row, rules)


def _is_recent(rotated_ms: int | None, *, now_ms: int, grace_ms: int) -> bool:
    """Return whether now is in the grace period of a rotation that no wrong clock dated far ahead."""
    return grace_ms > 0 and rotated_ms is not None and abs(now_ms - rotated_ms) <= grace_ms


def _of_a_rotation(
    row: StoredTokens, presented: RefreshToken, made_ms: int, *, now_ms: int, rules: Rules
) -> Decision | None:
    """Decide about a token of a rotation here that the row does not know; None: the row has gone past it.

    The database lost that rotation, as it was restored or is a replica that was behind, or it was taken back
    though somebody had got the token: then that is the current one, and ages as such.
    """
    follows, grace_ms = is_child(presented, row.current), rules.grace_ms
    if follows and row.is_taken_back:
        return "PROMOTE" if _is_recent(row.rotated_ms, now_ms=now_ms, grace_ms=grace_ms) else "ROTATE"
    if not (
        follows
        or _is_newer(made_ms, row, now_ms=now_ms, rules=rules)
        or _is_twin(made_ms, row, presented, grace_ms=grace_ms)
    ):
        return None
    latest_ms = max(made_ms, row.rotated_ms or 0)
    return "REINSTATE" if _is_recent(latest_ms, now_ms=now_ms, grace_ms=grace_ms) else "NEWER"


def _is_twin(made_ms: int, row: StoredTokens, presented: RefreshToken, *, grace_ms: int) -> bool:
    """Return whether the current token was made in place of this one, since the database had lost it.

    A repeated use within the grace period makes the same token, so that there are two only after a loss.
    """
    rotated_ms = row.rotated_ms or 0
    return abs(made_ms - rotated_ms) <= grace_ms and is_child(presented, row.previous)


def _is_newer(made_ms: int, row: StoredTokens, *, now_ms: int, rules: Rules) -> bool:
    """Return whether a rotation is later than all that the row knows: only a database that lost it is behind.

    What is retired by a rotation is older than that rotation, so a token that was stolen is never newer, as
    long as rotations follow each other in time. A grace period between them sees to that, unless clocks of
    hosts differ by more: with one of less than `LATE_MS`, as clocks may, nothing is concluded.
    """
    return rules.grace_ms >= LATE_MS and (row.rotated_ms or 0) < made_ms <= now_ms + rules.grace_ms


def _of_nobody(row: StoredTokens, rules: Rules) -> Decision:
    """Decide about a token that nothing in the row leads to.

    One that came after the back-up looks just like one that was retired before it, until the session rotates
    again. A session that was made since and never rotated has but one token, so its time does not matter.
    """
    knows_nothing = rules.restored_ms is not None and (row.rotated_ms or 0) <= rules.restored_ms
    return "RESTORED" if knows_nothing else "STALE_LINEAGE"


def _of_a_core(row: StoredTokens, presented: RefreshToken, *, recent: bool, rules: Rules) -> Decision:
    """Decide about a token that the row does not know, where an official core makes tokens as well."""
    if is_child(presented, row.current):
        return "PROMOTE" if rules.grace_ms > 0 else "ROTATE"
    if is_child(presented, row.previous):
        return "PROMOTE" if recent else "ORPHANED_BRANCH"
    return _of_nobody(row, rules)


def is_child(presented: RefreshToken, known_hash2: str | None) -> bool:
    """Return whether a token was made from the one of a stored hash."""
    parent = presented.parent_hash2
    return parent is not None and known_hash2 is not None and constant_time_equal(parent, known_hash2)


def promoted(row: StoredTokens, presented: RefreshToken, *, now_ms: int, grace_ms: int) -> StoredTokens:
    """Return the hashes and the time of rotation after `PROMOTE`; `expires_ms` stays.

    Within the grace period the previous token stays, so that there is still only one rotation in it. One
    that was taken back is as if it never had been.
    """
    if in_grace(row, now_ms=now_ms, grace_ms=grace_ms):
        previous = row.current if row.is_taken_back else row.previous
        return StoredTokens(presented.hash2, previous, row.rotated_ms, row.expires_ms)
    return StoredTokens(presented.hash2, row.current, now_ms, row.expires_ms)


def reinstated(row: StoredTokens, presented: RefreshToken, *, made_ms: int) -> StoredTokens:
    """Return the hashes and the time of rotation after `REINSTATE`; `expires_ms` stays.

    The token says what the database lost: its parent was previous from the time at which it was made.
    """
    rotated_ms = max(made_ms, row.rotated_ms or 0)
    return StoredTokens(presented.hash2, presented.parent_hash2, rotated_ms, row.expires_ms)


def is_late(age_ms: int, *, life_ms: int, kept: bool) -> bool:
    """Return whether a second use, `age_ms` after the rotation, is late enough to be reported.

    An access token that has expired by then (`life_ms`) is reason enough to present the current token.
    """
    return age_ms > LATE_MS and not (kept and age_ms >= life_ms)


def anti_csrf_token(token: RefreshToken, *, anti_csrf: bool) -> str | None:
    """Return the anti-CSRF token to give out with a refresh token that was not made just now.

    The refresh token may have been made while the other setting held (a deployment in between). One without
    gets a token that is derived from it, so that access tokens made from it do not lack one.
    """
    if token.anti_csrf_token is not None or not anti_csrf:
        return token.anti_csrf_token
    digest = hmac.digest(token.text.encode(), _ANTI_CSRF_PURPOSE, "sha256")
    return str(UUID(bytes=digest[:16], version=4))


def successor_of(
    master_key: MasterKey, presented: RefreshToken, row: StoredTokens, *, anti_csrf: bool
) -> Successor:
    """Return the token that a repeated use of `presented` yields (engine: Grace window).

    The first rotation may have been asked for with the other anti-CSRF setting, or made under another
    master key or secret (a deployment, or a renewal of keys in between): then that successor, whose hash
    the row still knows, is the one live token. If none matches, an official core chose the current token
    at random; as that core would, replace it.
    """
    rotated_ms = row.rotated_ms or 0
    for key in (master_key, *master_key.also):
        for asked in (anti_csrf, not anti_csrf):
            token = successor(key, presented, rotated_ms=rotated_ms, anti_csrf=asked)
            if constant_time_equal(token.hash2, row.current):
                return Successor(token, is_current=True)
    token = successor(master_key, presented, rotated_ms=rotated_ms, anti_csrf=anti_csrf)
    return Successor(token, is_current=False)


def is_theft(subtype: ReuseSubtype, behaviour: ReuseBehaviour) -> bool:
    """Return whether a reuse is reported as theft; `STALE_LINEAGE` always is."""
    return subtype == "STALE_LINEAGE" or behaviour == "TOKEN_THEFT"


def belongs(row: StoredTokens, refresh_token_hash1_hash: str, parent_hash1_hash: str | None) -> bool:
    """Return whether an access token came with the current or last refresh token (engine: Verification)."""
    known = [row.current] if row.previous is None else [row.current, row.previous]
    return any(
        constant_time_equal(candidate, own)
        for candidate in (refresh_token_hash1_hash, parent_hash1_hash)
        if candidate is not None
        for own in known
    )
