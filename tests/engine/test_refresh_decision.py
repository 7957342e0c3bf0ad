"""The decision table of a refresh, row by row, without a database."""

from __future__ import annotations

from uuid import UUID

import pytest

from supertokens_py.engine.embedded.session_state.refresh_decision import (
    Rules,
    StoredTokens,
    anti_csrf_token,
    belongs,
    decide,
    is_late,
    is_theft,
    promoted,
    reinstated,
    successor_of,
)
from supertokens_py.engine.embedded.session_state.refresh_tokens import (
    MasterKey,
    RefreshToken,
    hash1,
    hash2,
    new_master_key,
    successor,
)
from supertokens_py.engine.embedded.session_state.token_families import new_family, new_handle

NOW = 1_700_000_000_000
GRACE = 30_000
MASTER = MasterKey.of([new_master_key()])


def token(text: str, *, parent: str | None = None) -> RefreshToken:
    return RefreshToken(
        text=text, handle="h", user_id="u", parent_hash1=None if parent is None else hash1(parent)
    )


def stored(current: str = "current", previous: str | None = None, rotated: int | None = None) -> StoredTokens:
    return StoredTokens(hash2(current), None if previous is None else hash2(previous), rotated, NOW + 1)


def decided(
    presented: RefreshToken,
    row: StoredTokens | None,
    *,
    grace: int = GRACE,
    shared: bool = False,
    made: int | None = None,
    restored: int | None = None,
) -> str:
    rules = Rules(grace, shared=shared, restored_ms=restored)
    return decide(row, presented, now_ms=NOW, rules=rules, successor_ms=lambda: made)


def test_a_missing_session_is_gone():
    """GONE: nothing can be refreshed without a row."""
    assert decided(token("current"), None) == "GONE"


@pytest.mark.parametrize(("left_ms", "answer"), [(-1, "GONE"), (0, "ROTATE"), (1, "ROTATE")])
def test_an_expired_session_is_gone(left_ms: int, answer: str):
    """GONE: the last millisecond of a session still counts."""
    row = StoredTokens(hash2("current"), None, None, NOW + left_ms)
    assert decided(token("current"), row) == answer


def test_the_current_token_of_a_new_session_rotates():
    """ROTATE: it was never rotated, so nothing can be on its way that knows another token."""
    assert decided(token("current"), stored()) == "ROTATE"


@pytest.mark.parametrize(
    ("age_ms", "grace_ms", "answer"),
    [
        (0, GRACE, "KEEP"),
        (GRACE, GRACE, "KEEP"),
        (GRACE + 1, GRACE, "ROTATE"),
        (-GRACE, GRACE, "KEEP"),
        (-GRACE - 1, GRACE, "ROTATE"),
        (0, 0, "ROTATE"),
        (-5, 0, "ROTATE"),
    ],
)
def test_the_current_token_is_kept_within_the_window_of_its_own_rotation(
    age_ms: int, grace_ms: int, answer: str
):
    """KEEP: so that the previous token stays the previous one; not after a time that a wrong clock wrote."""
    row = stored(previous="old", rotated=NOW - age_ms)
    assert decided(token("current", parent="old"), row, grace=grace_ms) == answer


@pytest.mark.parametrize("rotated", [None, NOW - GRACE - 1, NOW - GRACE, NOW])
def test_children_are_accepted_only_where_a_core_makes_tokens(rotated: int | None):
    """PROMOTE, or STALE_LINEAGE: whoever has the master key and an access token can seal one."""
    row = stored(previous=None if rotated is None else "old", rotated=rotated)
    child = token("child", parent="current")
    assert decided(child, row) == "STALE_LINEAGE"
    assert decided(child, row, shared=True) == "PROMOTE"
    assert decided(child, row, shared=True, grace=0) == "ROTATE"


def test_a_successor_whose_rotation_was_lost():
    """REINSTATE: a restored database knows its parent as current; a sealed child that is none is reuse."""
    family = new_family("public")
    presented = RefreshToken(
        text=f"x.{family.nonce}.V2", handle=family.handle, user_id="u", parent_hash1=hash1("current")
    )
    row = stored(previous="old", rotated=NOW - 10**9)
    assert decided(presented, row, made=NOW - GRACE) == "REINSTATE"
    assert decided(presented, row, made=NOW - GRACE - 1) == "NEWER"
    assert decided(presented, row, made=NOW + GRACE + 1) == "NEWER"
    assert decided(presented, row, made=NOW, grace=0) == "NEWER"
    assert reinstated(row, presented, made_ms=NOW - 1) == StoredTokens(
        presented.hash2, hash2("current"), NOW - 1, row.expires_ms
    )
    assert decided(presented, row) == "STALE_LINEAGE"
    assert decided(presented, stored("newer", rotated=NOW), made=NOW) == "STALE_LINEAGE"


@pytest.mark.parametrize(
    ("rotated", "made", "grace", "decision"),
    [
        (NOW, NOW, GRACE, "REINSTATE"),
        (NOW, NOW - GRACE, GRACE, "REINSTATE"),
        (NOW - GRACE, NOW - GRACE - 1, GRACE, "REINSTATE"),
        (NOW - GRACE - 1, NOW - GRACE - 2, GRACE, "NEWER"),
        (NOW - 10**9, NOW - 10**9 - GRACE, GRACE, "NEWER"),
        (NOW, NOW - GRACE - 1, GRACE, "ORPHANED_BRANCH"),  # its parent came after the grace period
        (NOW - 10**9, NOW - 10**9 - GRACE - 1, GRACE, "ORPHANED_BRANCH"),
        (NOW, None, GRACE, "ORPHANED_BRANCH"),
        (NOW, NOW - 1, 0, "ORPHANED_BRANCH"),
    ],
)
def test_two_tokens_that_one_was_rotated_to(rotated: int, made: int | None, grace: int, decision: str):
    """REINSTATE, NEWER: the database lost the first rotation, and the same token was rotated again."""
    family = new_family("public")
    twin = RefreshToken(
        text=f"x.{family.nonce}.V2", handle=family.handle, user_id="u", parent_hash1=hash1("old")
    )
    row = stored(previous="old", rotated=rotated)
    assert decided(twin, row, grace=grace, made=made) == decision
    if decision == "REINSTATE":
        assert made is not None
        assert reinstated(row, twin, made_ms=made) == StoredTokens(
            twin.hash2, row.previous, rotated, row.expires_ms
        )


@pytest.mark.parametrize("restored", [None, NOW])
@pytest.mark.parametrize(
    ("rotated", "made", "grace", "decision"),
    [
        (NOW - 100, NOW - 99, GRACE, "REINSTATE"),
        (None, NOW - 10**9, GRACE, "NEWER"),
        (None, NOW - GRACE, GRACE, "REINSTATE"),
        (None, NOW - GRACE - 1, GRACE, "NEWER"),
        (NOW - 100, NOW + GRACE, GRACE, "REINSTATE"),
        (NOW - 100, NOW - 100, GRACE, "STALE_LINEAGE"),  # what was retired is older than its successor
        (NOW - 100, NOW - 101, GRACE, "STALE_LINEAGE"),
        (NOW - 100, NOW + GRACE + 1, GRACE, "STALE_LINEAGE"),  # a wrong clock made it
        (NOW - 100, None, GRACE, "STALE_LINEAGE"),  # somebody else made it
        (NOW - 100, NOW - 99, 5_000, "REINSTATE"),
        (NOW - 100, NOW - 99, 4_999, "STALE_LINEAGE"),  # clocks may differ by that
        (NOW - 100, NOW - 99, 0, "STALE_LINEAGE"),
    ],
)
def test_a_token_that_is_newer_than_its_row_goes_on(
    rotated: int | None, made: int | None, grace: int, decision: str, restored: int | None
):
    """REINSTATE, NEWER: the database lost the rotation, and nobody is accused; even if nobody said so."""
    family = new_family("public")
    presented = RefreshToken(
        text=f"x.{family.nonce}.V2", handle=family.handle, user_id="u", parent_hash1=hash1("unknown")
    )
    row = stored(previous=None if rotated is None else "old", rotated=rotated)
    if decision == "STALE_LINEAGE" and restored is not None:
        decision = "RESTORED"
    assert decided(presented, row, grace=grace, made=made, restored=restored) == decision
    stranger = RefreshToken(text=presented.text, handle="h", user_id="u", parent_hash1=hash1("unknown"))
    no_family = "STALE_LINEAGE" if restored is None else "RESTORED"
    assert decided(stranger, row, grace=grace, made=made, restored=restored) == no_family


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(
    ("rotated", "decision"),
    [(None, "RESTORED"), (NOW - 101, "RESTORED"), (NOW - 100, "RESTORED"), (NOW - 99, "STALE_LINEAGE")],
)
def test_a_row_of_before_a_restore_accuses_nobody(rotated: int | None, decision: str, shared: bool):
    """RESTORED: until the session rotates again; what the row does know is decided as ever."""
    row = stored(previous=None if rotated is None else "old", rotated=rotated)
    restored = NOW - 100
    assert decided(token("unknown"), row, shared=shared, restored=restored) == decision
    assert decided(token("unknown"), row, shared=shared) == "STALE_LINEAGE"
    assert (
        decided(token("current"), stored(previous="old", rotated=NOW - GRACE - 1), restored=NOW) == "ROTATE"
    )
    assert (
        decided(token("old"), stored(previous="old", rotated=NOW - GRACE - 1), restored=NOW) == "RECENT_PREV"
    )


@pytest.mark.parametrize(
    ("age_ms", "grace_ms", "retired", "its_successor"),
    [
        (0, GRACE, "REPEAT", "PROMOTE"),
        (GRACE, GRACE, "REPEAT", "PROMOTE"),
        (GRACE + 1, GRACE, "ROTATE", "ROTATE"),
        (-GRACE - 1, GRACE, "ROTATE", "ROTATE"),
        (0, 0, "ROTATE", "ROTATE"),
    ],
)
def test_a_rotation_that_was_taken_back(age_ms: int, grace_ms: int, retired: str, its_successor: str):
    """REPEAT and PROMOTE within its window: as if it never had been. Then, whichever comes first."""
    family = new_family("public")
    child = RefreshToken(
        text=f"x.{family.nonce}.V2", handle=family.handle, user_id="u", parent_hash1=hash1("current")
    )
    row = stored(rotated=NOW - age_ms)
    assert decided(token("current"), row, grace=grace_ms) == retired
    assert decided(child, row, grace=grace_ms, made=NOW) == its_successor
    assert decided(child, row, grace=grace_ms) == "STALE_LINEAGE"
    if its_successor == "PROMOTE":
        assert promoted(row, child, now_ms=NOW, grace_ms=grace_ms) == StoredTokens(
            child.hash2, row.current, row.rotated_ms, row.expires_ms
        )


def test_a_promotion_within_the_window_is_no_rotation():
    """PROMOTE: the previous token and its time stay, so its own grace period does."""
    child, young = token("child", parent="current"), stored(previous="old", rotated=NOW - GRACE)
    assert promoted(young, child, now_ms=NOW, grace_ms=GRACE) == StoredTokens(
        child.hash2, young.previous, young.rotated_ms, young.expires_ms
    )
    row = stored(previous="old", rotated=NOW - GRACE - 1)
    assert promoted(row, child, now_ms=NOW, grace_ms=GRACE) == StoredTokens(
        child.hash2, row.current, NOW, row.expires_ms
    )


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
    row = stored(previous="old", rotated=NOW - age_ms)
    assert decided(token("old"), row, grace=grace_ms) == answer


def test_a_retired_token_without_a_time_of_rotation_is_reuse():
    """RECENT_PREV: a row from before the column existed has no window."""
    assert decided(token("old"), stored(previous="old")) == "RECENT_PREV"


@pytest.mark.parametrize(("age_ms", "shared"), [(GRACE, "PROMOTE"), (GRACE + 1, "ORPHANED_BRANCH")])
def test_another_child_of_the_previous_token(age_ms: int, shared: str):
    """ORPHANED_BRANCH; within the window, a core may have given it out, and the client may hold it."""
    row = stored(previous="old", rotated=NOW - age_ms)
    assert decided(token("twin", parent="old"), row) == "ORPHANED_BRANCH"
    assert decided(token("twin", parent="old"), row, shared=True) == shared


@pytest.mark.parametrize("parent", [None, "old", "current", "stranger"])
def test_a_token_without_the_secret_of_its_family_is_forged(parent: str | None):
    """FORGED: the handle and the hashes are in every access token, the secret in refresh tokens only."""
    row = stored(previous="old", rotated=NOW)
    family, other = new_family("t1"), new_family("t1")
    parent_hash1 = None if parent is None else hash1(parent)
    for nonce, handle, answer in (
        (family.nonce, family.handle, {"old": "ORPHANED_BRANCH"}.get(parent or "", "STALE_LINEAGE")),
        (other.nonce, family.handle, "FORGED"),
        ("", family.handle, "FORGED"),
        (family.nonce, new_handle("t1"), {"old": "ORPHANED_BRANCH"}.get(parent or "", "STALE_LINEAGE")),
    ):
        presented = RefreshToken(
            text=f"x.{nonce}.V2", handle=handle, user_id="u", tenant_id="t1", parent_hash1=parent_hash1
        )
        assert decided(presented, row) == answer


@pytest.mark.parametrize(
    ("age_ms", "life_ms", "kept", "answer"),
    [
        (5_000, 60_000, False, False),
        (5_001, 60_000, False, True),
        (5_001, 60_000, True, True),
        (5_001, 5_001, True, False),
        (5_001, 5_001, False, True),
    ],
)
def test_second_uses_that_are_reported(age_ms: int, life_ms: int, kept: bool, answer: bool):
    """Later than five seconds, unless the access token that came with the current token has expired."""
    assert is_late(age_ms, life_ms=life_ms, kept=kept) is answer


def test_the_anti_csrf_token_of_a_kept_refresh_token():
    """Its own, if it has one; else one that only its owner can compute, if one is wanted."""
    plain = token("current")
    carrying = RefreshToken(text="x", handle="h", user_id="u", anti_csrf_token="own")
    assert [anti_csrf_token(carrying, anti_csrf=wanted) for wanted in (False, True)] == ["own", "own"]
    assert anti_csrf_token(plain, anti_csrf=False) is None
    derived = anti_csrf_token(plain, anti_csrf=True)
    assert derived == anti_csrf_token(plain, anti_csrf=True)
    assert derived is not None
    assert UUID(derived).version == 4
    assert derived != anti_csrf_token(token("other"), anti_csrf=True)


@pytest.mark.parametrize("parent", [None, "stranger"])
@pytest.mark.parametrize("previous", [None, "old"])
def test_anything_else_is_a_stale_lineage(parent: str | None, previous: str | None):
    """STALE_LINEAGE: two generations old, or never ours."""
    row = stored(previous=previous, rotated=NOW)
    assert decided(token("older", parent=parent), row) == "STALE_LINEAGE"


@pytest.mark.parametrize("asked_before", [True, False])
@pytest.mark.parametrize("asked_now", [True, False])
def test_a_repeat_yields_the_successor_that_is_current(asked_before: bool, asked_now: bool):
    """Also if the anti-CSRF setting changed between the two requests."""
    presented = token("old")
    first = successor(MASTER, presented, rotated_ms=NOW, anti_csrf=asked_before)
    row = StoredTokens(first.hash2, presented.hash2, NOW, NOW + 1)
    again = successor_of(MASTER, presented, row, anti_csrf=asked_now)
    assert again.token == first
    assert again.is_current


def test_a_repeat_replaces_a_token_that_an_official_core_chose():
    """REPEAT: its text is known to nobody here, so the client gets another one."""
    presented = token("old")
    again = successor_of(MASTER, presented, stored("random", "old", NOW), anti_csrf=False)
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
    row = stored(previous="old", rotated=NOW)
    assert belongs(row, hash2(own), None if parent is None else hash2(parent)) is answer
    assert belongs(stored(), hash2("old"), None) is False
