"""Processes whose access tokens live differently long: none cleans up what the tokens of another need."""

from __future__ import annotations

import pytest

from supertokens_py.engine.embedded.keys.token_lives import KEPT_MS
from supertokens_py.engine.session_records import SessionFeatures
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, header
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.statements import logged_statements

ON = SessionFeatures(revocations=True)
DAY_S = 86_400
NOTES = "SELECT COUNT(*) FROM key_value WHERE name LIKE 'supertokens_py_token_life_%%'"


def remembered_by_a_new_process(database: TestDatabase, start: Opener, clock: Clock) -> set[str]:
    late = start(database.uri, now_ms=clock, features=ON, access_token_validity=7 * DAY_S)
    log = late.engine.revocations
    assert log is not None
    log.poll()
    return set(log.revoked.handles)


def notes(database: TestDatabase) -> int:
    return database.query(NOTES)[0][0]


@pytest.mark.parametrize("issuer_is_aware", [True, False], ids=["aware", "feature off"])
@pytest.mark.parametrize("cleaner", ["issuer", "revoker"])
def test_no_clean_up_forgets_a_revocation_while_a_token_lives(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, cleaner: str, issuer_is_aware: bool
):
    """CP-20: whoever wrote the row, and whoever cleans up, may issue tokens that live for an hour."""
    features = ON if issuer_is_aware else SessionFeatures()
    issuer = start(fresh_shared.uri, now_ms=clock, features=features, access_token_validity=7 * DAY_S)
    revoker = start(fresh_shared.uri, now_ms=clock, features=ON)
    handle = issuer.create().handle
    revoker.engine.sessions.revoke([handle])
    by: Driver = {"issuer": issuer, "revoker": revoker}[cleaner]
    for _ in range(2):
        clock.advance(hours=83)
        revoker.engine.clean_up()
        by.engine.clean_up()
        assert remembered_by_a_new_process(fresh_shared, start, clock) == {handle}
    clock.advance(days=3, minutes=1)
    revoker.engine.clean_up()
    assert fresh_shared.query("SELECT COUNT(*) FROM supertokens_py_revocations")[0][0] == 0


def test_a_key_is_kept_while_the_tokens_of_another_process_live(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
):
    """Their signatures have to be checked until then."""
    issuer = start(fresh_shared.uri, now_ms=clock, access_token_validity=7 * DAY_S)
    other = start(fresh_shared.uri, now_ms=clock)
    session = issuer.create()
    clock.advance(days=6, hours=23)
    session = issuer.refresh(session)
    clock.advance(days=6)
    assert other.engine.clean_up().keys == 0
    issuer.engine.keys.forget()
    issuer.create("another")
    assert issuer.keys.verification_key(header(session.access_token.text)["kid"]) is not None


def test_a_life_is_forgotten_with_the_last_tokens_that_had_it(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
):
    """A longer one that was set for a day keeps rows no longer than its tokens are valid."""
    start(fresh_shared.uri, now_ms=clock, features=ON, access_token_validity=90 * DAY_S).create()
    clock.advance(days=89)
    revoker = start(fresh_shared.uri, now_ms=clock, features=ON)
    revoker.engine.sessions.revoke([revoker.create().handle])
    clock.advance(days=4, minutes=1)
    revoker.engine.clean_up()
    assert fresh_shared.query("SELECT COUNT(*) FROM supertokens_py_revocations")[0][0] == 0


def test_a_life_is_noted_once_a_day_while_tokens_are_issued(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
):
    """The note is as young as the last token, within the time that rows are kept beyond it."""
    issuer = start(fresh_shared.uri, now_ms=clock, features=ON, access_token_validity=7 * DAY_S)
    last = issuer.create()
    with logged_statements(issuer.database) as log:
        issuer.create()
    assert [one for one in log if "key_value" in one] == []
    for _ in range(20):
        clock.advance(days=1)
        last = issuer.create()
    revoker = start(fresh_shared.uri, now_ms=clock, features=ON)
    revoker.engine.sessions.revoke([last.handle])
    clock.advance(days=5)
    revoker.engine.clean_up()
    assert remembered_by_a_new_process(fresh_shared, start, clock) == {last.handle}
    assert notes(fresh_shared) == 1


@pytest.mark.parametrize(("life_s", "count"), [(KEPT_MS // 1000, 0), (KEPT_MS // 1000 + 1, 1)])
def test_only_a_long_life_is_noted(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, life_s: int, count: int
):
    """Everything is kept for two days longer than it seems to be needed anyway."""
    start(fresh_shared.uri, now_ms=clock, access_token_validity=life_s).create()
    assert notes(fresh_shared) == count
