"""Refresh: rotation, the grace window, reuse and theft, on every database."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from supertokens_py.engine.embedded.refresh_tokens import RefreshToken, _sealed, hash1, hash2, new_master_key
from supertokens_py.engine.interface import IssuedSession, TokenTheft, Unauthorised
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, claims, header
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

MONTHS_MS = 144_000 * 60_000
GONE = Unauthorised("Session does not exist.")
INVALID = Unauthorised("Invalid refresh token")


def child_of(core: Driver, session: IssuedSession, **changes: Any) -> RefreshToken:
    """Mint what a core below CDI 5.6 answers a refresh with: a random child, the row untouched."""
    values: dict[str, Any] = {
        "iv": bytes(range(12)),
        "nonce": hash1("child"),
        "handle": session.handle,
        "user_id": session.recipe_user_id,
        "tenant_id": session.tenant_id,
        "parent_hash1": hash1(session.refresh_token.text),
        "anti_csrf_token": None,
    }
    return _sealed(core.engine._keys.master_key(), **(values | changes))


def test_a_rotated_row(core: Driver, clock: Clock):
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


def test_a_successor_that_was_rotated_is_not_yielded_again(core: Driver):
    """STALE_LINEAGE: the window belongs to the last rotation only (engine: Grace window)."""
    first = core.create()
    second = core.refresh(first)
    core.refresh(second)
    answer = core.refresh(first)
    assert answer == TokenTheft(
        handle=first.handle, user_id="user", recipe_user_id="user", reuse=core.told("STALE_LINEAGE")
    )
    assert core.row(first.handle) is None


def test_the_old_token_after_the_window(core: Driver, clock: Clock):
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


def test_a_token_of_long_ago(core: Driver, clock: Clock):
    """CS-48: two or more generations old."""
    first = core.create()
    third = core.refresh(core.refresh(first))
    clock.advance(hours=1)
    assert core.refresh(first).reuse == core.told("STALE_LINEAGE")
    assert core.refresh(third) == GONE


def test_reuse_reported_mildly(database: TestDatabase, start: Opener, clock: Clock):
    """CS-49: recent reuse is unauthorised with its subtype, and revokes; a stale lineage stays theft."""
    core = start(database.uri, now_ms=clock, recent_token_reuse_behaviour="UNAUTHORISED")
    recent, orphan, stale = core.create(), core.create(), core.create()
    for session in (recent, orphan):
        core.refresh(session)
    core.refresh(core.refresh(stale))
    clock.advance(s=31)
    assert core.refresh(recent) == Unauthorised("the refresh token was used before", "RECENT_PREV")
    assert core.refresh(child_of(core, orphan).text).reuse == "ORPHANED_BRANCH"
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


def test_a_child_that_an_old_core_minted_rotates(core: Driver, clock: Clock):
    """CS-51: `prev` is that child, and its repetition is idempotent like any other."""
    session = core.create()
    child = child_of(core, session)
    first = core.refresh(child.text)
    row = core.row(session.handle)
    assert row["prev_refresh_token_hash_2"] == child.hash2
    assert row["refresh_token_hash_2"] == hash2(first.refresh_token.text)
    clock.advance(s=30)
    assert core.refresh(child.text).refresh_token == first.refresh_token
    assert core.row(session.handle) == row
    assert core.refresh(session).reuse == core.told("STALE_LINEAGE")


def test_a_token_that_an_old_core_promoted(core: Driver, clock: Clock):
    """CS-52: the retired token works within the window, replacing a successor that nobody here knows."""
    session = core.create()
    child = child_of(core, session)
    promoted = {
        "prev_refresh_token_hash_2": hash2(session.refresh_token.text),
        "refresh_token_hash_2": child.hash2,
        "refresh_token_rotated_at": clock(),
    }
    core.change_row(session.handle, **promoted)
    row = core.row(session.handle)
    clock.advance(s=29)
    refreshed = core.refresh(session)
    assert core.row(session.handle) == row | {"refresh_token_hash_2": hash2(refreshed.refresh_token.text)}
    assert core.refresh(session).refresh_token == refreshed.refresh_token
    assert core.refresh(child.text).reuse == core.told("ORPHANED_BRANCH")


def test_rows_from_before_the_rotation_columns(core: Driver):
    """A row without previous token and time: the current token rotates, anything else is a stale lineage."""
    session = core.create()
    assert core.row(session.handle)["prev_refresh_token_hash_2"] is None
    assert isinstance(core.refresh(session), IssuedSession)
    other = core.create()
    stranger = child_of(core, other, parent_hash1=hash1("unknown"))
    assert core.refresh(stranger.text).reuse == core.told("STALE_LINEAGE")


def test_the_anti_csrf_token_guards_the_refresh(core: Driver):
    """CS-42: checked only if it is enabled and the refresh token carries one; a refusal changes nothing."""
    session = core.create(anti_csrf=True)
    row = core.row(session.handle)
    for wrong in (None, "", "wrong", "ü", session.anti_csrf_token[:-1]):
        answer = core.refresh(session, anti_csrf=True, anti_csrf_token=wrong)
        assert answer == Unauthorised("Anti CSRF token missing, or not matching")
    assert core.row(session.handle) == row
    plain = core.refresh(session, anti_csrf=False)
    assert plain.anti_csrf_token is None
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
    assert header(core.regenerate_session(refreshed.access_token.text).access_token.text)["kid"].startswith(
        "s-"
    )


def test_a_repeat_with_the_other_key_family(core: Driver):
    """REPEAT: the successor stays the same, the family follows the latest request."""
    session = core.create()
    first = core.refresh(session, dynamic_key=True)
    row = core.row(session.handle)
    again = core.refresh(session, dynamic_key=False)
    assert again.refresh_token == first.refresh_token
    assert header(again.access_token.text)["kid"].startswith("s-")
    assert core.row(session.handle) == row | {"use_static_key": True}


def test_expiry_and_its_last_millisecond(core: Driver, clock: Clock):
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
    core.revoke_sessions([session.handle])
    assert core.refresh(session) == GONE
    assert core.row(session.handle) is None


def test_foreign_and_broken_tokens(core: Driver):
    """CS-43: malformed, tampered, or of another app."""
    session = core.create()
    text = session.refresh_token.text
    foreign = _sealed(
        new_master_key(), iv=bytes(12), nonce="n", handle=session.handle, user_id="user",
        tenant_id="public", parent_hash1=None, anti_csrf_token=None,
    )  # fmt: skip
    other = ("C" if text[0] == "B" else "B") + text[1:]
    for bad in ("", "x", "a.b.c", text[1:], text[:-1], other, text + "=", foreign.text, "\0", "é"):
        assert core.refresh(bad) == INVALID
    assert core.refresh(session.access_token.text) == INVALID
    assert core.row(session.handle)["refresh_token_rotated_at"] is None


@pytest.mark.parametrize("stored", ['{"sub": "somebody else"}', '{"a":1,"s\\u0075b":"x"}', '{"tId" :null}'])
def test_a_stored_payload_with_a_protected_claim_is_not_signed(core: Driver, stored: str):
    """2.4: it can only come from elsewhere; the row stays as it is."""
    session = core.create()
    core.change_row(session.handle, jwt_user_payload=stored)
    row = core.row(session.handle)
    refused = Unauthorised("The user payload contains protected field")
    assert core.refresh(session) == refused
    assert core.regenerate_session(session.access_token.text) == refused
    assert core.regenerate_session(session.access_token.text, merge={"b": 2}) == refused
    assert core.row(session.handle) == row
    # A payload that replaces the stored one is the application's own.
    assert core.regenerate_session(session.access_token.text, payload={"b": 2}).payload == {"b": 2}
    assert core.refresh(session).payload == {"b": 2}


def test_the_payload_is_the_stored_one(core: Driver):
    """An update between two refreshes is in the next token, and a refresh never writes it."""
    session = core.create(payload={"a": 1})
    core.merge_session_payload(session.handle, {"b": 2})
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
    other = core.create()
    core.revoke_sessions([other.handle])
    for event in (
        f"session.created handle={session.handle} user_id=somebody tenant_id=public",
        f"session.refreshed handle={session.handle}",
        f"session.refreshed_again handle={session.handle} age_ms=0",
        f"session.reuse handle={session.handle} user_id=somebody subtype=RECENT_PREV age_ms=300000",
        f"session.revoked handle={other.handle}",
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
