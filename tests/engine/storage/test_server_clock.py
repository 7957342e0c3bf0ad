"""Servers whose clocks do not agree with the clock of the database that they share."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from supertokens_py.engine.embedded.storage import server_clock
from tests.engine.conftest import Opener
from tests.support.databases import TestDatabase

pytestmark = pytest.mark.postgres

DAY_MS = 86_400_000


def off_by(ms: int) -> Callable[[], int]:
    """Return a clock that is wrong by so much."""
    return lambda: time.time_ns() // 1_000_000 + ms


def kids(database: TestDatabase) -> list[int]:
    return [at for (at,) in database.query("SELECT created_at_time FROM session_access_token_signing_keys")]


@pytest.mark.parametrize("days", [200, -200])
def test_a_wrong_clock_deletes_nothing(
    fresh_postgres_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture, days: int
):
    """A server that booted with a clock far off: sessions and keys of the others stay, and the log tells."""
    right = start(fresh_postgres_database.uri)
    sessions = [right.create(f"user{n}") for n in range(3)]
    keys = kids(fresh_postgres_database)
    wrong = start(fresh_postgres_database.uri, now_ms=off_by(days * DAY_MS))
    wrong.clean_up_if_first()
    deleted = wrong.clean_up()
    assert (deleted.sessions, deleted.keys) == (0, 0)
    said, *_ = (record for record in caplog.records if record.levelname == "ERROR")
    assert "nothing expired is deleted here" in said.getMessage()
    assert f"000 s {'ahead of' if days > 0 else 'behind'} that of the database" in said.getMessage().replace(
        str(200 * 86_400), "000"
    )
    assert [right.refresh(session).handle for session in sessions] == [s.handle for s in sessions]
    assert kids(fresh_postgres_database) == keys


def test_a_clock_a_little_ahead_deletes_by_that_of_the_database(
    fresh_postgres_database: TestDatabase, start: Opener
):
    """Within the tolerance the earlier of the two counts."""
    core = start(fresh_postgres_database.uri, now_ms=off_by(server_clock.TOLERANCE_MS // 2))
    live, expired = core.create(), core.create()
    now_ms = time.time_ns() // 1_000_000
    core.change_row(live.handle, expires_at=now_ms + server_clock.TOLERANCE_MS // 4)
    core.change_row(expired.handle, expires_at=now_ms - 1)
    assert core.clean_up().sessions == 1
    assert core.row(live.handle) is not None


@pytest.mark.parametrize("days", [200, -200, 30])
def test_a_wrong_clock_makes_no_key(fresh_postgres_database: TestDatabase, start: Opener, days: int):
    """A key made in the future would keep the others from rotating until then; it signs with theirs."""
    right = start(fresh_postgres_database.uri)
    right.create()
    keys = kids(fresh_postgres_database)
    wrong = start(fresh_postgres_database.uri, now_ms=off_by(days * DAY_MS))
    session = wrong.create()
    assert kids(fresh_postgres_database) == keys
    assert {key["kid"] for key in wrong.keys.jwks().keys} == {key["kid"] for key in right.keys.jwks().keys}
    assert wrong.refresh(wrong.create()).user_id == "user"
    assert wrong.refresh(session).handle == session.handle


def test_the_first_key_is_made_at_the_time_of_the_database(
    empty_postgres_database: TestDatabase, start: Opener
):
    """It is made at the time of the database, and both sides use it."""
    wrong = start(empty_postgres_database.uri, now_ms=off_by(200 * DAY_MS))
    wrong.create()
    (made_ms,) = kids(empty_postgres_database)
    assert abs(made_ms - time.time_ns() // 1_000_000) < server_clock.TOLERANCE_MS
    start(empty_postgres_database.uri).create()
    assert kids(empty_postgres_database) == [made_ms]


def test_a_rotation_by_hand_takes_effect_under_a_wrong_clock(
    fresh_postgres_database: TestDatabase, start: Opener
):
    """It takes effect everywhere and does not put off the next one."""
    wrong = start(fresh_postgres_database.uri, now_ms=off_by(200 * DAY_MS))
    kid = wrong.rotate_signing_key(drop_old=True)
    (made_ms,) = kids(fresh_postgres_database)
    assert kid == f"d-{made_ms}"
    assert made_ms < time.time_ns() // 1_000_000 + DAY_MS


def test_a_clock_that_was_corrected(fresh_postgres_database: TestDatabase, start: Opener):
    """A clean-up that was noted in the future does not keep the others from cleaning up."""
    core = start(fresh_postgres_database.uri, clean_up_interval=1)
    clean_up_if_first = core.clean_up_if_first
    clean_up_if_first()
    session = core.create()
    core.change_row(session.handle, expires_at=1)
    future_ms = time.time_ns() // 1_000_000 + 200 * DAY_MS
    fresh_postgres_database.query(
        "UPDATE key_value SET created_at_time = %s WHERE name = 'supertokens_py_swept'", future_ms
    )
    clean_up_if_first()
    assert core.row(session.handle) is None
