"""What happens when a refresh token is presented: the decision table of (engine: Refresh). Pure.

Inside the grace window the retired token yields the very successor that its first use made
(`successor_of`), so parallel tabs and lost responses all end with one live token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from supertokens_py.access_token import same
from supertokens_py.engine.config import ReuseBehaviour
from supertokens_py.engine.interface import ReuseSubtype

from .refresh_tokens import RefreshToken, successor

#: GONE: no live session. ROTATE: the current token, or an unused child of it. REPEAT: the retired
#: token inside the grace window. A reuse subtype: the session must end.
Decision: TypeAlias = Literal["GONE", "ROTATE", "REPEAT"] | ReuseSubtype


@dataclass(frozen=True, slots=True)
class Lineage:
    """The columns of a session row that tell which refresh tokens are its own."""

    current: str
    previous: str | None
    rotated_ms: int | None
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Successor:
    """The token to hand out, and whether `refresh_token_hash_2` must change for it."""

    token: RefreshToken
    is_current: bool


def decide(row: Lineage | None, presented: RefreshToken, *, now_ms: int, grace_ms: int) -> Decision:
    """Return what the presented token means for its session; the first match wins.

    A grace period of 0 never repeats, not even within the millisecond of the rotation, so that
    exactly one of several parallel refreshes succeeds then.
    """
    if row is None or row.expires_ms < now_ms:
        return "GONE"
    parent = presented.parent_hash2
    if same(presented.hash2, row.current):
        return "ROTATE"
    if parent is not None and same(parent, row.current):
        return "ROTATE"  # minted by an old core, never used until now
    if row.previous is not None:
        if same(presented.hash2, row.previous):
            in_window = grace_ms > 0 and row.rotated_ms is not None and now_ms <= row.rotated_ms + grace_ms
            return "REPEAT" if in_window else "RECENT_PREV"
        if parent is not None and same(parent, row.previous):
            return "ORPHANED_BRANCH"
    return "STALE_LINEAGE"


def successor_of(master_key: str, presented: RefreshToken, row: Lineage, *, anti_csrf: bool) -> Successor:
    """Return the token that a repeated use of `presented` yields (engine: Grace window).

    The first rotation may have been asked for with the other anti-CSRF setting (a deployment in
    between): then that successor, whose text the row still knows, is the one live token. If neither
    matches, an official core chose the current token at random; as that core would, replace it.
    """
    rotated_ms = row.rotated_ms or 0
    wanted = successor(master_key, presented, rotated_ms=rotated_ms, anti_csrf=anti_csrf)
    if same(wanted.hash2, row.current):
        return Successor(wanted, is_current=True)
    other = successor(master_key, presented, rotated_ms=rotated_ms, anti_csrf=not anti_csrf)
    if same(other.hash2, row.current):
        return Successor(other, is_current=True)
    return Successor(wanted, is_current=False)


def is_theft(subtype: ReuseSubtype, behaviour: ReuseBehaviour) -> bool:
    """Tell whether a reuse is reported as theft; `STALE_LINEAGE` always is."""
    return subtype == "STALE_LINEAGE" or behaviour == "TOKEN_THEFT"


def belongs(row: Lineage, refresh_token_hash1_hash: str, parent_hash1_hash: str | None) -> bool:
    """Tell whether an access token's lineage is the session's current or last one (engine: Verification)."""
    known = [row.current] if row.previous is None else [row.current, row.previous]
    return any(
        same(candidate, own)
        for candidate in (refresh_token_hash1_hash, parent_hash1_hash)
        if candidate is not None
        for own in known
    )
