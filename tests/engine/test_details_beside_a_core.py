"""The table of details beside an official core, which knows nothing of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from supertokens_py.doctor.database import check_database
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.cleanup import Cleaner
from supertokens_py.engine.embedded.session_state.session_changes import Recorder, SessionChanges
from supertokens_py.engine.embedded.session_state.session_rows import SESSION_DETAILS
from supertokens_py.engine.records import Unauthorised
from supertokens_py.engine.session_records import Ending, Lifetime, SessionFeatures, SessionKey
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.conftest import Opener
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

HOUR = 3_600_000
WITH_DETAILS = SessionFeatures(details=True)
DETAILS = "supertokens_py_sessions"
#: How a core's storage deletes sessions.
DELETIONS = (
    "DELETE FROM session_info WHERE app_id = 'public' AND tenant_id = 'public' AND session_handle IN (%s)",
    "DELETE FROM session_info WHERE app_id = 'public' AND user_id = 'me' AND %s <> ''",
    "DELETE FROM session_info WHERE tenant_id = 'public' AND user_id = 'me' AND %s <> ''",
    "DELETE FROM session_info WHERE expires_at <= 9000000000000 AND %s <> ''",
)
DROP_KEYS = "ALTER TABLE session_info DROP CONSTRAINT session_info_pkey CASCADE"
NEW_KEY = "ALTER TABLE session_info ADD PRIMARY KEY (app_id, tenant_id, session_handle)"
FOREIGN_KEYS = f"SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = '{DETAILS}'::regclass"


@pytest.mark.parametrize("deletion", DELETIONS)
def test_what_a_core_deletes_takes_the_details_along(
    shared_database: TestDatabase, start: Opener, deletion: str
):
    """CP-4: nothing is listed any more, and no row is left."""
    core = start(shared_database.uri, features=WITH_DETAILS)
    session = core.create("me", lifetime=Lifetime(idle_ms=HOUR))
    assert core.count(DETAILS) == 1
    shared_database.query(deletion, session.handle)
    assert core.sessions.listed("me", tenant_id=None) == []
    assert core.sessions.details(session.handle) is None
    assert core.count(DETAILS) == 0


@pytest.mark.postgres
def test_the_next_start_restores_a_foreign_key_that_a_core_dropped(
    fresh_postgres_database: TestDatabase, start: Opener
):
    """CP-4: no orphan is listed meanwhile, `doctor` names it, and the rows of ended sessions go."""
    database = fresh_postgres_database
    core = start(database.uri, features=WITH_DETAILS)
    sessions = [core.create("me", lifetime=Lifetime(idle_ms=HOUR)) for _ in range(2)]
    database.query(DROP_KEYS)
    database.query(NEW_KEY)
    database.query(DELETIONS[0], sessions[0].handle)
    assert core.count(DETAILS) == 2
    assert [one.handle for one in core.sessions.listed("me", tenant_id=None)] == [sessions[1].handle]
    assert core.sessions.details(sessions[0].handle) is None
    assert database.query(FOREIGN_KEYS) == [(0,)]
    found = [one.text for one in check_database(database.uri, EngineConfig().resolve({}))]
    lost = f"the foreign key of {DETAILS} is gone; rows of ended sessions stay until they are cleaned up"
    assert lost in found
    # A program that may not change the schema goes on without it.
    commands = start(database.uri, features=WITH_DETAILS)
    commands.database.may_create = False
    assert len(commands.sessions.listed("me", tenant_id=None)) == 1
    core.close()
    assert [one.handle for one in core.sessions.listed("me", tenant_id=None)] == [sessions[1].handle]
    assert database.query(FOREIGN_KEYS) == [(1,)]
    assert core.count(DETAILS) == 1
    # And tables that this process makes later have theirs as well.
    later = start("sqlite://", features=WITH_DETAILS).database.tables[SESSION_DETAILS]
    assert "FOREIGN KEY" in str(CreateTable(later))
    assert lost not in [one.text for one in check_database(database.uri, EngineConfig().resolve({}))]


@pytest.mark.postgres
def test_an_application_starts_though_a_foreign_key_cannot_be_restored(
    fresh_postgres_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
):
    """In the middle of a core's migration there is no primary key to refer to."""
    core = start(fresh_postgres_database.uri, features=WITH_DETAILS)
    session = core.create("me", lifetime=Lifetime(idle_ms=HOUR))
    fresh_postgres_database.query(DROP_KEYS)
    core.close()
    assert core.refresh(session).handle == session.handle
    assert f"the foreign key of table {DETAILS} is gone and cannot be put back" in caplog.text


def test_the_clean_up_deletes_details_whose_session_is_gone(fresh_shared: TestDatabase, start: Opener):
    """CP-4: in batches, and nothing else."""
    core = start(fresh_shared.uri, features=WITH_DETAILS)
    kept = core.create("me")
    if fresh_shared.kind == "postgresql":
        fresh_shared.query(DROP_KEYS)
    fill = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1001) "
        f"INSERT INTO {DETAILS} (app_id, tenant_id, session_handle, last_seen_at, persistent, counts) "
        "SELECT 'public', 'public', 'gone-' || i, 1, true, true FROM n"
    )
    without_keys(fresh_shared, fill)
    assert core.count(DETAILS) == 1002
    core.clean_up()
    assert core.count(DETAILS) == 1
    assert core.sessions.details(kept.handle) is not None


def without_keys(database: TestDatabase, sql: str) -> None:
    """Run a statement that SQLite's foreign keys would refuse; in PostgreSQL they are gone by now."""
    if database.kind == "postgresql":
        database.query(sql)
        return
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(database.path, isolation_level=None)) as connection:
        connection.execute(sql)


class Endings(Recorder):
    """Remembers why sessions ended."""

    def __init__(self) -> None:
        self.reasons: dict[str, str] = {}

    def ended(self, connection: Connection, sessions: Sequence[SessionKey], ending: Ending) -> None:
        self.reasons |= {one.handle: ending.reason for one in sessions}


def test_the_clean_up_knows_why_a_session_expired(database: TestDatabase, start: Opener):
    """At its absolute end, or earlier because nobody used it."""
    core = start(database.uri, features=WITH_DETAILS)
    now_ms = core.settings.now_ms()
    ends = {"unused": (now_ms - 1000, now_ms - 500), "used": (now_ms - 500, now_ms - 500)}
    handles = {name: core.create("me", lifetime=Lifetime(absolute_ms=HOUR)).handle for name in ends}
    handles["usual"] = core.create("me").handle
    core.change_row(handles["usual"], expires_at=now_ms - 1000)
    for name, (expires_ms, end_ms) in ends.items():
        core.change_row(handles[name], expires_at=expires_ms)
        database.query(
            f"UPDATE {DETAILS} SET absolute_at = %s WHERE session_handle = %s", end_ms, handles[name]
        )
    endings = Endings()
    Cleaner(core.database, core.ring, core.settings, changes=SessionChanges([endings])).clean_up()
    assert endings.reasons == {
        handles["unused"]: "idle",
        handles["used"]: "absolute",
        handles["usual"]: "idle",
    }


def test_a_core_that_extends_a_session_does_not_lift_its_limits(
    shared_database: TestDatabase, start: Opener, clock: Clock
):
    """CP-8: the core's own statement sets `expires_at` a hundred days ahead."""
    core = start(shared_database.uri, features=WITH_DETAILS, now_ms=clock)
    session = core.create("me", lifetime=Lifetime(absolute_ms=HOUR))
    shared_database.query(
        "UPDATE session_info SET expires_at = %s WHERE app_id = 'public' AND tenant_id = 'public' "
        "AND session_handle = %s",
        clock() + 100 * 24 * HOUR,
        session.handle,
    )
    clock.advance(minutes=30)
    session = core.refresh(session)
    assert session.refresh_token.expires_ms == clock() + HOUR // 2
    clock.advance(minutes=30)
    refused = core.refresh(session)
    assert isinstance(refused, Unauthorised)
    assert refused.code == "session_expired_absolute"


def test_a_session_without_its_details_is_not_created(fresh_shared: TestDatabase, start: Opener):
    """When the second row cannot be written, the first is not there either: it would have no limits."""
    core = start(fresh_shared.uri, features=WITH_DETAILS)
    core.create("me")
    if fresh_shared.kind == "postgresql":
        fresh_shared.query(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RAISE EXCEPTION 'no'; END $$"
        )
        fresh_shared.query(f"CREATE TRIGGER refuse BEFORE INSERT ON {DETAILS} EXECUTE FUNCTION refuse()")
    else:
        fresh_shared.query(
            f"CREATE TRIGGER refuse BEFORE INSERT ON {DETAILS} BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises((EngineUnavailableError, DBAPIError)):
        core.create("me")
    assert core.count("session_info") == 1
