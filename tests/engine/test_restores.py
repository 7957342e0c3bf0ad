"""A restored back-up: which tokens are refused, and that nobody is accused of theft (engine: Refresh)."""

from __future__ import annotations

from pathlib import Path

import pytest

from supertokens_py.engine.records import IssuedSession, TokenTheft, Unauthorised
from supertokens_py.events import Event, SessionRefreshedAgain, SessionRevoked, subscribe
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.driver import Driver
from tests.engine.restore_drill import (
    ACCUSED,
    GOES_ON,
    LOGS_IN_AGAIN,
    THIEVES,
    BackUp,
    drill,
    of_postgres,
    of_sqlite,
)
from tests.support.clock import Clock
from tests.support.databases import Postgres, TestDatabase


@pytest.fixture(params=[SQLITE, POSTGRES])
def restorable(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[TestDatabase, BackUp]:
    if request.param == "sqlite-file":
        file: TestDatabase = request.getfixturevalue("sqlite_database")
        return file, of_sqlite(file, tmp_path / "backup.db")
    database: TestDatabase = request.getfixturevalue("fresh_postgres_database")
    server: Postgres = request.getfixturevalue("postgres_server")
    return database, of_postgres(database, tmp_path / "backup.dump", server.server.binaries)


@pytest.mark.parametrize("marked", [True, False])
def test_who_is_refused_after_a_restore(
    restorable: tuple[TestDatabase, BackUp], clock: Clock, marked: bool
) -> None:
    """A back-up of an hour ago, made while sessions were in use: the table of the documentation."""
    database, back_up = restorable
    found = drill(database.uri, back_up, clock, marked=marked)
    assert found.who == {
        "who did not refresh since": GOES_ON,
        "who refreshed once": GOES_ON,
        "who refreshed twice or more": GOES_ON,
        "who signed in since": LOGS_IN_AGAIN,
        "who was signed out since": GOES_ON,
        "a thief with the token before that of the back-up": ACCUSED,
        "a thief with a token that was retired since": ACCUSED,
    }
    assert found.thefts == THIEVES
    assert not found.knows_newer_key
    assert found.still_detects


def test_the_end_of_a_lost_session_has_its_reason(
    database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Where a token's time tells nothing: unauthorised like a session that is gone, and no reuse."""
    core = start(database.uri, now_ms=clock, refresh_token_rotation_grace_period=0)
    current = core.refresh(core.create())
    clock.advance(minutes=5)
    before = core.row(current.handle)
    twice = core.refresh(current)
    clock.advance(minutes=5)
    twice = core.refresh(twice)
    core.change_row(**{"handle": current.handle, **(before or {})})
    core.ring.mark_restored()
    seen: list[Event] = []
    end = subscribe(seen.append)
    assert core.refresh(twice) == Unauthorised(
        "the session was lost when a back-up was restored", "session_gone"
    )
    end()
    assert seen == [
        SessionRevoked(handle=current.handle, reason="restored", user_id=current.user_id, tenant_id="public")
    ]
    assert core.row(current.handle) is None


def test_two_answers_to_one_token_are_reported_as_second_uses(core: Driver, clock: Clock):
    """A fail-over lost the first answer, which comes all the same: it may be a thief's, and shows."""
    session = core.create()
    clock.advance(minutes=60)
    before = core.refresh(session)
    row = core.row(session.handle)
    assert row is not None
    clock.advance(minutes=10)
    first = core.refresh(before)
    core.change_row(session.handle, **row)
    clock.advance(s=1)
    second = core.refresh(before)
    events = list[Event]()
    end = subscribe(events.append)
    try:
        for seconds in (2, 6):
            clock.advance(s=seconds)
            for token in (first, second):
                again = core.refresh(token)
                assert isinstance(again, IssuedSession)
                assert again.refresh_token.text == token.refresh_token.text
                assert again.refresh_token.created_ms == second.refresh_token.created_ms
    finally:
        end()
    late = [event.late for event in events if isinstance(event, SessionRefreshedAgain)]
    assert late == [False, False, True, True]


def test_the_log_tells_once_of_a_database_that_went_back(
    database: TestDatabase, start: Opener, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody has to say that it was restored: the first token that it does not know any more proves it."""
    core = start(database.uri, now_ms=clock)
    sessions = [core.create() for _ in range(2)]
    rows = [core.row(session.handle) for session in sessions]
    for _ in range(3):
        clock.advance(minutes=5)
        retired, sessions = sessions, [core.refresh(session) for session in sessions]
    for session, row in zip(sessions, rows, strict=True):
        core.change_row(**{"handle": session.handle, **(row or {})})
    with caplog.at_level("WARNING", "supertokens_py"):
        after = [core.refresh(session) for session in sessions]
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "the database has lost refreshes"
    ]
    clock.advance(minutes=5)
    assert all(isinstance(core.refresh(session), IssuedSession) for session in after)
    assert isinstance(core.refresh(retired[0]), TokenTheft)


def test_another_process_learns_of_it_and_keys_can_be_encrypted(
    database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """The time is kept beside the keys, and is none of them."""
    core, other = start(database.uri, now_ms=clock), start(database.uri, now_ms=clock)
    assert (core.ring.jwks(), core.ring.restored_ms)[1] is None
    restored_ms = core.ring.mark_restored()
    assert restored_ms == clock()
    other.ring.jwks()
    assert other.ring.restored_ms == restored_ms
    encrypting = start(database.uri, now_ms=clock, encryption_key="k" * 40)
    assert encrypting.ring.encrypt() > 0
    encrypting.ring.jwks()
    assert encrypting.ring.restored_ms == restored_ms
