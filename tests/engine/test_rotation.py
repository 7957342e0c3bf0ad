"""The decision table of a refresh, row by row, without a database."""

from __future__ import annotations

import pytest

from supertokens_py.engine.embedded.refresh_tokens import (
    RefreshToken,
    hash1,
    hash2,
    new_master_key,
    successor,
)
from supertokens_py.engine.embedded.rotation import Lineage, belongs, decide, is_theft, successor_of

NOW = 1_700_000_000_000
GRACE = 30_000
MASTER = new_master_key()


def token(text: str, *, parent: str | None = None) -> RefreshToken:
    return RefreshToken(
        text=text, handle="h", user_id="u", parent_hash1=None if parent is None else hash1(parent)
    )


def lineage(current: str = "current", previous: str | None = None, rotated: int | None = None) -> Lineage:
    return Lineage(hash2(current), None if previous is None else hash2(previous), rotated, NOW + 1)


def decided(presented: RefreshToken, row: Lineage | None, *, now: int = NOW, grace: int = GRACE) -> str:
    return decide(row, presented, now_ms=now, grace_ms=grace)


def test_a_missing_session_is_gone():
    """GONE: nothing can be refreshed without a row."""
    assert decided(token("current"), None) == "GONE"


@pytest.mark.parametrize(("left_ms", "answer"), [(-1, "GONE"), (0, "ROTATE"), (1, "ROTATE")])
def test_an_expired_session_is_gone(left_ms: int, answer: str):
    """GONE: the last millisecond of a session still counts."""
    row = Lineage(hash2("current"), None, None, NOW + left_ms)
    assert decided(token("current"), row) == answer


def test_the_current_token_rotates():
    """ROTATE: whatever came before."""
    assert decided(token("current"), lineage()) == "ROTATE"
    assert decided(token("current", parent="old"), lineage(previous="old", rotated=NOW - 1)) == "ROTATE"


def test_an_unused_child_of_the_current_token_rotates():
    """ROTATE: an old core minted it and never promoted it."""
    assert decided(token("child", parent="current"), lineage()) == "ROTATE"


@pytest.mark.parametrize(
    ("age_ms", "grace_ms", "answer"),
    [
        (0, GRACE, "REPEAT"),
        (GRACE, GRACE, "REPEAT"),
        (GRACE + 1, GRACE, "RECENT_PREV"),
        (-5, GRACE, "REPEAT"),
        (0, 0, "RECENT_PREV"),
        (-5, 0, "RECENT_PREV"),
    ],
)
def test_the_retired_token_repeats_within_the_window_only(age_ms: int, grace_ms: int, answer: str):
    """REPEAT and RECENT_PREV: up to and including the last millisecond; never with a window of 0."""
    row = lineage(previous="old", rotated=NOW - age_ms)
    assert decided(token("old"), row, grace=grace_ms) == answer


def test_a_retired_token_without_a_time_of_rotation_is_reuse():
    """RECENT_PREV: a row from before the column existed has no window."""
    assert decided(token("old"), lineage(previous="old")) == "RECENT_PREV"


def test_another_child_of_the_retired_token_is_an_orphaned_branch():
    """ORPHANED_BRANCH: inside the window as well."""
    row = lineage(previous="old", rotated=NOW)
    assert decided(token("twin", parent="old"), row) == "ORPHANED_BRANCH"


@pytest.mark.parametrize("parent", [None, "stranger"])
@pytest.mark.parametrize("previous", [None, "old"])
def test_anything_else_is_a_stale_lineage(parent: str | None, previous: str | None):
    """STALE_LINEAGE: two generations old, or never ours."""
    row = lineage(previous=previous, rotated=NOW)
    assert decided(token("older", parent=parent), row) == "STALE_LINEAGE"


@pytest.mark.parametrize("asked_before", [True, False])
@pytest.mark.parametrize("asked_now", [True, False])
def test_a_repeat_yields_the_successor_that_is_current(asked_before: bool, asked_now: bool):
    """Also if the anti-CSRF setting changed between the two requests."""
    presented = token("old")
    first = successor(MASTER, presented, rotated_ms=NOW, anti_csrf=asked_before)
    row = Lineage(first.hash2, presented.hash2, NOW, NOW + 1)
    again = successor_of(MASTER, presented, row, anti_csrf=asked_now)
    assert again.token == first
    assert again.is_current


def test_a_repeat_replaces_a_token_that_an_official_core_chose():
    """REPEAT: its text is known to nobody here, so the client gets another one."""
    presented = token("old")
    again = successor_of(MASTER, presented, lineage("random", "old", NOW), anti_csrf=False)
    assert not again.is_current
    assert again.token == successor(MASTER, presented, rotated_ms=NOW, anti_csrf=False)


def test_only_recent_reuse_may_be_reported_mildly():
    """8.2: `STALE_LINEAGE` is theft under both settings."""
    assert is_theft("RECENT_PREV", "TOKEN_THEFT")
    assert is_theft("ORPHANED_BRANCH", "TOKEN_THEFT")
    assert is_theft("STALE_LINEAGE", "TOKEN_THEFT")
    assert not is_theft("RECENT_PREV", "UNAUTHORISED")
    assert not is_theft("ORPHANED_BRANCH", "UNAUTHORISED")
    assert is_theft("STALE_LINEAGE", "UNAUTHORISED")


@pytest.mark.parametrize(
    ("own", "parent", "answer"),
    [
        ("current", None, True),
        ("old", None, True),
        ("older", None, False),
        ("child", "current", True),
        ("child", "old", True),
        ("child", "older", False),
    ],
)
def test_access_tokens_of_the_last_two_generations_belong(own: str, parent: str | None, answer: bool):
    """By their own refresh token or its parent (engine: Verification)."""
    row = lineage(previous="old", rotated=NOW)
    assert belongs(row, hash2(own), None if parent is None else hash2(parent)) is answer
    assert belongs(lineage(), hash2("old"), None) is False
