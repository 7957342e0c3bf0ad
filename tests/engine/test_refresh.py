"""Refresh: rotation, the grace window, reuse and theft, on every database."""

from __future__ import annotations

import logging
from itertools import permutations
from typing import Any

import pytest

from supertokens_py.constants import PROTECTED_CLAIMS
from supertokens_py.engine.embedded.session_state.refresh_tokens import hash1, hash2, new_master_key
from supertokens_py.engine.records import IssuedSession, TokenTheft, Unauthorised, Verified
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, claims, header
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.refresh_tokens import session_token

MONTHS_MS = 144_000 * 60_000
GONE = Unauthorised("Session does not exist.", "session_gone")
INVALID = Unauthorised("Invalid refresh token", "refresh_token_invalid")


def child_of(core: Driver, session: IssuedSession, **changes: Any) -> str:
    """Return what a core below CDI 5.6 answers a refresh with: a random child, the row untouched."""
    values: dict[str, Any] = {
        "nonce": hash1("child"),
        "handle": session.handle,
        "user_id": session.recipe_user_id,
        "tenant_id": session.tenant_id,
        "parent_hash1": hash1(session.refresh_token.text),
    }
    return session_token(core.ring.master_key().text, **(values | changes))


def test_a_rotation_keeps_the_old_token_as_previous(core: Driver, clock: Clock):
    """CS-44: `prev` is the old token, `cur` the new one, the session lives on, the parent claim is null."""
    session = core.create(payload={"a": 1}, data={"b": 2}, anti_csrf=True)
    before = core.row(session.handle)
    now = clock.advance(hours=5)
    refreshed = core.refresh(session, anti_csrf=True, anti_csrf_token=session.anti_csrf_token)
    assert core.row(session.handle) == before | {
        "prev_refresh_token_hash_2": hash2(session.refresh_token.text),
        "refresh_token_hash_2": hash2(refreshed.refresh_token.text),
        "refresh_token_rotated_at": now,
        "expires_at": now + MONTHS_MS,
    }
    assert claims(refreshed) == claims(session) | {
        "iat": now // 1000,
        "exp": (now + 3_600_000) // 1000,
        "refreshTokenHash1": hash1(refreshed.refresh_token.text),
        "antiCsrfToken": refreshed.anti_csrf_token,
    }
    assert refreshed.anti_csrf_token not in (None, session.anti_csrf_token)
    assert (refreshed.refresh_token.created_ms, refreshed.refresh_token.expires_ms) == (now, now + MONTHS_MS)
    assert refreshed.refresh_token.text != session.refresh_token.text


@pytest.mark.parametrize("anti_csrf", [True, False])
def test_the_old_token_yields_the_same_successor_within_the_window(
    core: Driver, clock: Clock, anti_csrf: bool
):
    """CS-45: the same tokens again, and nothing in the row changes."""
    session = core.create(anti_csrf=anti_csrf)
    arguments = {"anti_csrf": anti_csrf, "anti_csrf_token": session.anti_csrf_token}
    first = core.refresh(session, **arguments)
    row = core.row(session.handle)
    for _ in range(3):
        now = clock.advance(s=10)
        again = core.refresh(session, **arguments)
        assert again.refresh_token == first.refresh_token
        assert again.anti_csrf_token == first.anti_csrf_token
        assert claims(again) == claims(first) | {"iat": now // 1000, "exp": (now + 3_600_000) // 1000}
        assert core.row(session.handle) == row


def test_the_successor_stays_good_after_a_repeat(core: Driver, clock: Clock):
    """CS-46: parallel tabs all end with one live token, none is an orphaned branch."""
    session = core.create()
    tab_one, tab_two = core.refresh(session), core.refresh(session)
    assert tab_one.refresh_token.text == tab_two.refresh_token.text
    clock.advance(hours=1)
    following = core.refresh(tab_one)
    assert core.refresh(tab_two).refresh_token == following.refresh_token
    assert core.refresh(following).handle == session.handle


def test_a_repeat_answers_with_the_expiry_of_the_row(database: TestDatabase, start: Opener, clock: Clock):
    """8.3: the session was not extended, so the token does not claim to be."""
    core = start(database.uri, now_ms=clock, refresh_token_validity=61)
    session = core.create()
    first = core.refresh(session)
    clock.advance(s=20)
    assert core.refresh(session).refresh_token.expires_ms == first.refresh_token.expires_ms
    assert first.refresh_token.expires_ms == core.row(session.handle)["expires_at"]


@pytest.mark.parametrize("order", sorted(set(permutations("1122"))), ids="".join)
def test_tokens_of_one_window_yield_one_successor_in_any_order(
    core: Driver, clock: Clock, order: tuple[str, ...]
):
    """KEEP, REPEAT: two tokens, each presented twice, in any order: all get the same successor."""
    first = core.create()
    second = core.refresh(first)
    tokens = {"1": first, "2": second}
    for which in order:
        clock.advance(ms=7_500)
        assert core.refresh(tokens[which]).refresh_token.text == second.refresh_token.text
    clock.advance(ms=1)
    assert core.refresh(second).refresh_token.text != second.refresh_token.text


def test_the_current_token_is_kept_within_its_window(core: Driver, clock: Clock):
    """KEEP: itself again, with a new access token; only the expiry of the session moves."""
    first = core.create(payload={"a": 1})
    second = core.refresh(first)
    row = core.row(first.handle)
    now = clock.advance(s=30)
    kept = core.refresh(second)
    assert kept.refresh_token.text == second.refresh_token.text
    assert kept.refresh_token.created_ms == second.refresh_token.created_ms
    assert kept.refresh_token.expires_ms == now + MONTHS_MS
    assert core.row(first.handle) == row | {"expires_at": now + MONTHS_MS}
    assert claims(kept) == claims(second) | {"iat": now // 1000, "exp": (now + 3_600_000) // 1000}
    assert isinstance(core.verify(kept), Verified)


def test_a_token_of_two_windows_ago_is_reuse(core: Driver, clock: Clock):
    """STALE_LINEAGE: once the successor was rotated out as well, the first token is reuse at once."""
    first = core.create()
    second = core.refresh(first)
    clock.advance(ms=30_001)
    core.refresh(second)
    assert core.refresh(first) == TokenTheft(
        handle=first.handle, user_id="user", recipe_user_id="user", reuse=core.told("STALE_LINEAGE")
    )
    assert core.row(first.handle) is None


@pytest.mark.parametrize("clock_error_ms", [-31_000, 31_000, 86_400_000])
def test_a_rotation_dated_by_a_wrong_clock_is_dated_anew(core: Driver, clock: Clock, clock_error_ms: int):
    """The current token rotates, and the row has the right time again."""
    first = core.create()
    clock.advance(ms=clock_error_ms)
    second = core.refresh(first)
    now = clock.advance(ms=-clock_error_ms)
    third = core.refresh(second)
    assert third.refresh_token.text != second.refresh_token.text
    assert core.row(first.handle)["refresh_token_rotated_at"] == now


def test_sessions_shorter_than_the_window_live_on_while_used(
    database: TestDatabase, start: Opener, clock: Clock
):
    """KEEP extends: a session of 6 s whose token is used every 2 s does not end within the window."""
    core = start(database.uri, now_ms=clock, access_token_validity=2, refresh_token_validity=0.1)
    session = core.create()
    for _ in range(40):
        clock.advance(s=2)
        session = core.refresh(session)
    assert core.sessions.information(session.handle) is not None


def test_short_access_tokens_rotate_once_per_window(database: TestDatabase, start: Opener, clock: Clock):
    """The token rotates at the first refresh after each window: one generation per 32 s."""
    core = start(database.uri, now_ms=clock, access_token_validity=2)
    session = core.create()
    held = [session.refresh_token.text]
    for _ in range(1 + 3 * 16):
        clock.advance(s=2)
        session = core.refresh(session)
        if session.refresh_token.text != held[-1]:
            held.append(session.refresh_token.text)
    assert len(held) == 1 + 1 + 3
    assert core.refresh(held[-3]).reuse == core.told("STALE_LINEAGE")


def test_the_old_token_after_the_window_is_theft(core: Driver, clock: Clock):
    """CS-47: theft; the session ends for everybody, without a subtype for the newest token."""
    session = core.create("victim")
    refreshed = core.refresh(session)
    clock.advance(s=30)
    assert isinstance(core.refresh(session), IssuedSession)
    clock.advance(ms=1)
    assert core.refresh(session) == TokenTheft(
        handle=session.handle, user_id="victim", recipe_user_id="victim", reuse=core.told("RECENT_PREV")
    )
    assert core.row(session.handle) is None
    assert core.refresh(refreshed) == core.refresh(session) == GONE


def test_a_token_of_long_ago_is_theft(core: Driver, clock: Clock):
    """CS-48: two or more generations old."""
    first = core.create()
    second = core.refresh(first)
    clock.advance(hours=1)
    third = core.refresh(second)
    assert core.refresh(first).reuse == core.told("STALE_LINEAGE")
    assert core.refresh(third) == GONE


def test_mild_reports_revoke_all_the_same(database: TestDatabase, start: Opener, clock: Clock):
    """CS-49: recent reuse is unauthorised with its subtype, and revokes; a stale lineage stays theft."""
    core = start(
        database.uri, now_ms=clock, recent_token_reuse_behaviour="UNAUTHORISED", shared_with_core="YES"
    )
    recent, orphan, stale = core.create(), core.create(), core.create()
    for session in (recent, orphan):
        core.refresh(session)
    replaced = core.refresh(stale)
    clock.advance(s=31)
    core.refresh(replaced)
    assert core.refresh(recent) == Unauthorised(
        "the refresh token was used before", "refresh_token_reused", "RECENT_PREV"
    )
    assert core.refresh(child_of(core, orphan)).reuse == "ORPHANED_BRANCH"
    assert core.refresh(stale) == TokenTheft(
        handle=stale.handle, user_id="user", recipe_user_id="user", reuse="STALE_LINEAGE"
    )
    for session in (recent, orphan, stale):
        assert core.row(session.handle) is None


def test_without_a_window_the_second_use_is_reuse(database: TestDatabase, start: Opener, clock: Clock):
    """CS-50: even within the same millisecond."""
    core = start(database.uri, now_ms=clock, refresh_token_rotation_grace_period=0)
    session = core.create()
    core.refresh(session)
    assert core.refresh(session).reuse == "RECENT_PREV"
    assert core.row(session.handle) is None


def test_who_refreshed_goes_on_after_a_restored_backup(core: Driver, clock: Clock):
    """A backup is restored: who refreshed since goes on, as ever; what was retired since is reuse as ever."""
    sessions = [core.create() for _ in range(2)]
    first = [core.refresh(session) for session in sessions]
    rows = [core.row(session.handle) for session in sessions]
    clock.advance(hours=1)
    once, twice = [core.refresh(session) for session in first]
    clock.advance(hours=1)
    twice = core.refresh(twice)
    for row in rows:
        core.change_row(row["session_handle"], **row)
    clock.advance(hours=1)
    for current, retired in ((once, first[0]), (twice, first[1])):
        after = core.refresh(current)
        assert (after.handle, core.refresh(current).refresh_token) == (current.handle, after.refresh_token)
        clock.advance(hours=1)
        assert isinstance(core.refresh(after), IssuedSession)
        assert core.refresh(retired).reuse == core.told("STALE_LINEAGE")


@pytest.fixture
def shared(database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """An engine whose database an official core uses as well."""
    return start(database.uri, now_ms=clock, shared_with_core="YES")


def test_a_child_that_an_old_core_minted_is_promoted(shared: Driver, clock: Clock):
    """CS-51: it becomes current, what it replaced is the previous token, and both go on within the window."""
    session = shared.create()
    child = child_of(shared, session)
    now = clock.advance(hours=1)
    before = shared.row(session.handle)
    first = shared.refresh(child)
    assert first.refresh_token.text == child
    assert shared.row(session.handle) == before | {
        "prev_refresh_token_hash_2": hash2(session.refresh_token.text),
        "refresh_token_hash_2": hash2(child),
        "refresh_token_rotated_at": now,
        "expires_at": now + MONTHS_MS,
    }
    clock.advance(s=30)
    assert shared.refresh(child).refresh_token.text == child
    clock.advance(ms=1)
    second = shared.refresh(child)
    assert shared.row(session.handle)["prev_refresh_token_hash_2"] == hash2(child)
    assert shared.refresh(second).handle == session.handle
    assert shared.refresh(session).reuse == shared.told("STALE_LINEAGE")


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("promoted", [False, True])
def test_tokens_of_an_old_core_and_ours_go_on_in_any_order(
    shared: Driver, clock: Clock, order: tuple[int, ...], promoted: bool
):
    """A child of a core, the token that it replaces, and our successor of that: all go on in the window."""
    session = shared.create()
    child = child_of(shared, session)
    ours = shared.refresh(child if promoted else session.refresh_token.text)
    tokens = [session.refresh_token.text, child, ours.refresh_token.text]
    for which in (*order, *order):
        clock.advance(s=5)
        answer = shared.refresh(tokens[which])
        assert isinstance(answer, IssuedSession)
        assert shared.row(session.handle)["refresh_token_hash_2"] == hash2(answer.refresh_token.text)
    clock.advance(s=1)
    assert shared.refresh(answer).refresh_token.text != answer.refresh_token.text


def test_a_token_before_one_that_an_old_core_promoted_works(shared: Driver, clock: Clock):
    """CS-52: the previous token works within the window, replacing a successor that nobody here knows."""
    session = shared.create()
    child = child_of(shared, session)
    rotated = {
        "prev_refresh_token_hash_2": hash2(session.refresh_token.text),
        "refresh_token_hash_2": hash2(child),
        "refresh_token_rotated_at": clock(),
    }
    shared.change_row(session.handle, **rotated)
    row = shared.row(session.handle)
    clock.advance(s=29)
    refreshed = shared.refresh(session)
    assert shared.row(session.handle) == row | {"refresh_token_hash_2": hash2(refreshed.refresh_token.text)}
    assert shared.refresh(session).refresh_token == refreshed.refresh_token
    assert shared.refresh(child).refresh_token.text == child
    clock.advance(ms=1_001)
    assert shared.refresh(refreshed).reuse == shared.told("ORPHANED_BRANCH")


def test_rows_from_before_the_rotation_columns_rotate(shared: Driver):
    """A row without previous token and time: the current token rotates, anything else is a stale lineage."""
    session = shared.create()
    assert shared.row(session.handle)["prev_refresh_token_hash_2"] is None
    assert isinstance(shared.refresh(session), IssuedSession)
    other = shared.create()
    stranger = child_of(shared, other, parent_hash1=hash1("unknown"))
    assert shared.refresh(stranger).reuse == shared.told("STALE_LINEAGE")


def test_a_kept_token_gets_an_anti_csrf_token_when_it_is_switched_on(core: Driver, clock: Clock):
    """KEEP: an access token gets an anti-CSRF token although the refresh token has none; later both do."""
    first = core.refresh(core.create(anti_csrf=False))
    clock.advance(s=30)
    kept = core.refresh(first, anti_csrf=True)
    assert kept.refresh_token.text == first.refresh_token.text
    assert kept.anti_csrf_token is not None
    assert claims(kept)["antiCsrfToken"] == kept.anti_csrf_token
    assert core.refresh(first, anti_csrf=True).anti_csrf_token == kept.anti_csrf_token
    clock.advance(ms=1)
    rotated = core.refresh(first, anti_csrf=True)
    assert rotated.anti_csrf_token not in (None, kept.anti_csrf_token)


def test_the_anti_csrf_token_guards_the_refresh(core: Driver, clock: Clock):
    """CS-42: checked only if it is enabled and the refresh token carries one; a refusal changes nothing."""
    session = core.create(anti_csrf=True)
    row = core.row(session.handle)
    for wrong in (None, "", "wrong", "ü", session.anti_csrf_token[:-1]):
        answer = core.refresh(session, anti_csrf=True, anti_csrf_token=wrong)
        assert answer == Unauthorised("Anti CSRF token missing, or not matching", "csrf_token_wrong")
    assert core.row(session.handle) == row
    plain = core.refresh(session, anti_csrf=False)
    assert plain.anti_csrf_token is None
    clock.advance(s=31)
    upgraded = core.refresh(plain, anti_csrf=True)
    assert upgraded.anti_csrf_token is not None
    assert claims(upgraded)["antiCsrfToken"] == upgraded.anti_csrf_token


def test_a_repeat_with_another_anti_csrf_setting_yields_the_live_token(core: Driver):
    """REPEAT: during a deployment two processes may disagree; the client must still get one live token."""
    session = core.create()
    first = core.refresh(session, anti_csrf=True)
    again = core.refresh(session, anti_csrf=False)
    assert again.refresh_token == first.refresh_token
    assert again.anti_csrf_token == first.anti_csrf_token


def test_the_key_family_follows_the_refresh(core: Driver):
    """CS-41: the row keeps the family for regenerate; the token is signed with it."""
    session = core.create(dynamic_key=True)
    refreshed = core.refresh(session, dynamic_key=False)
    assert header(refreshed.access_token.text)["kid"].startswith("s-")
    assert core.row(session.handle)["use_static_key"] is True
    assert header(core.sessions.regenerate(refreshed.access_token.text).access_token.text)["kid"].startswith(
        "s-"
    )


def test_a_repeat_follows_the_latest_key_family(core: Driver):
    """REPEAT: the successor stays the same, the family follows the latest request."""
    session = core.create()
    first = core.refresh(session, dynamic_key=True)
    row = core.row(session.handle)
    again = core.refresh(session, dynamic_key=False)
    assert again.refresh_token == first.refresh_token
    assert header(again.access_token.text)["kid"].startswith("s-")
    assert core.row(session.handle) == row | {"use_static_key": True}


def test_a_session_refreshes_up_to_its_last_millisecond(core: Driver, clock: Clock):
    """CS-43: a refresh at the exact end still works and extends the session; one later does not."""
    session = core.create()
    clock.advance(ms=MONTHS_MS)
    refreshed = core.refresh(session)
    assert core.row(session.handle)["expires_at"] == clock() + MONTHS_MS
    clock.advance(ms=MONTHS_MS + 1)
    assert core.refresh(refreshed) == GONE


def test_revoked_sessions_stay_revoked(core: Driver):
    """A refresh never brings a row back (engine: Transactions)."""
    session = core.create()
    core.sessions.revoke([session.handle])
    assert core.refresh(session) == GONE
    assert core.row(session.handle) is None


def test_foreign_and_broken_tokens_are_invalid(core: Driver):
    """CS-43: malformed, tampered, or of another app."""
    session = core.create()
    text = session.refresh_token.text
    foreign = session_token(new_master_key(), nonce="n", handle=session.handle, user_id="user")
    other = ("C" if text[0] == "B" else "B") + text[1:]
    for bad in ("", "x", "a.b.c", text[1:], text[:-1], other, text + "=", foreign, "\0", "é"):
        assert core.refresh(bad) == INVALID
    assert core.refresh(session.access_token.text) == INVALID
    assert core.row(session.handle)["refresh_token_rotated_at"] is None


@pytest.mark.parametrize(
    "stored",
    [*(f'{{"a":1,"{name}" :null}}' for name in PROTECTED_CLAIMS), '{"a":1,"s\\u0075b":"x"}', '{"sub": "x"}'],
)
def test_a_stored_payload_with_a_protected_claim_is_not_signed(core: Driver, stored: str):
    """2.4: it can only come from elsewhere; the row stays as it is."""
    session = core.create()
    core.change_row(session.handle, jwt_user_payload=stored)
    row = core.row(session.handle)
    refused = Unauthorised("The user payload contains protected field", "payload_protected")
    assert core.refresh(session) == refused
    assert core.sessions.regenerate(session.access_token.text) == refused
    assert core.sessions.regenerate(session.access_token.text, merge={"b": 2}) == refused
    assert core.row(session.handle) == row
    # A payload that replaces the stored one is the application's own.
    assert core.sessions.regenerate(session.access_token.text, payload={"b": 2}).payload == {"b": 2}
    assert core.refresh(session).payload == {"b": 2}


def test_the_payload_is_the_stored_one(core: Driver):
    """An update between two refreshes is in the next token, and a refresh never writes it."""
    session = core.create(payload={"a": 1})
    core.sessions.merge_payload(session.handle, {"b": 2})
    assert core.refresh(session).payload == {"a": 1, "b": 2}


def test_events_are_logged_without_secrets(core: Driver, clock: Clock, caplog: pytest.LogCaptureFixture):
    """Created, refreshed, repeated, reused and revoked; never a secret (engine: Events)."""
    caplog.set_level(logging.DEBUG, "supertokens_py")
    session = core.create("somebody", anti_csrf=True, payload={"secret": "hush"})
    arguments = {"anti_csrf": True, "anti_csrf_token": session.anti_csrf_token}
    refreshed = core.refresh(session, **arguments)
    core.refresh(session, **arguments)
    clock.advance(minutes=5)
    core.refresh(session, **arguments)
    other = core.create("another")
    core.sessions.revoke([other.handle])
    for event in (
        f"session.created handle={session.handle} user_id=somebody tenant_id=public",
        f"session.refreshed handle={session.handle}",
        f"session.refreshed_again handle={session.handle} user_id=somebody presented=previous"
        " age_ms=0 late=False",
        f"session.reuse handle={session.handle} user_id=somebody subtype=RECENT_PREV age_ms=300000",
        f"session.revoked handle={other.handle} reason=application user_id=another tenant_id=public",
    ):
        assert event in caplog.messages
    for issued in (session, refreshed):
        for secret in (issued.access_token.text, issued.refresh_token.text, issued.anti_csrf_token, "hush"):
            assert str(secret) not in caplog.text
            assert hash2(str(secret)) not in caplog.text


@pytest.mark.parametrize(
    ("stored", "payload"),
    [
        ('{"address":{"sub":"urb"},"é":"\\u00e9"}', {"address": {"sub": "urb"}, "é": "é"}),
        ('{"said":"\\"sub\\": no"}', {"said": '"sub": no'}),
        ('{"a":"sub","sessionHandles":["exp"]}', {"a": "sub", "sessionHandles": ["exp"]}),
        ("", {}),
        (None, {}),
    ],
)
def test_a_stored_payload_may_name_claims_further_inside(
    core: Driver, stored: str | None, payload: dict[str, object]
):
    """Only the members of the payload itself are claims of the token; an empty column is no payload."""
    session = core.create()
    core.change_row(session.handle, jwt_user_payload=stored)
    refreshed = core.refresh(session)
    assert refreshed.payload == payload
    assert core.row(session.handle)["prev_refresh_token_hash_2"] == hash2(session.refresh_token.text)
