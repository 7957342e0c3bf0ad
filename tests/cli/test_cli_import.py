"""`supertokens import`: complete, verified, resumable, repeatable, and never undoing what is in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.cli.transfer import MARKER
from supertokens_py.engine.interface import IssuedSession, Tenant, Unauthorised
from supertokens_py.signatures import signature_matches
from tests.cli.conftest import Ran, Runner
from tests.engine.conftest import POSTGRES, SQLITE
from tests.engine.driver import Driver, header
from tests.support.databases import Postgres, Sqlite, TestDatabase

SESSIONS = 23


@pytest.fixture
def source(fresh_postgres_database: TestDatabase) -> Iterator[Driver]:
    """A database as an official core of version 11 leaves it, with something in every table."""
    driver = Driver(fresh_postgres_database.uri)
    driver.put_tenant("t1", {"first_factors": ["emailpassword"], "required_secondary_factors": ["totp"]})
    driver.add_role("admin", ["read", "write"])
    driver.add_user_role("ann", "admin", tenant_id="t1")
    driver.merge_metadata("ann", {"theme": "dark", "ü": [None]})
    yield driver
    driver.close()


@pytest.fixture(params=[SQLITE, POSTGRES])
def target(request: pytest.FixtureRequest, sqlite_files: Sqlite) -> TestDatabase:
    """An empty database."""
    if request.param == "sqlite-file":
        return sqlite_files.create(template=False)
    return request.getfixturevalue("empty_postgres_database")


def uri_of(driver: Driver) -> str:
    return driver.engine._database.location.url.set(drivername="postgresql").render_as_string(False)


def copy(run: Runner, source: Driver, target: TestDatabase, *more: str) -> Ran:
    return run("import", "--json", "--from", uri_of(source), "--connection-uri", target.uri, *more)


def sessions_of(source: Driver, count: int = SESSIONS) -> list[IssuedSession]:
    return [
        source.create(f"user-{number}", payload={"n": number}, data={"n": None}, dynamic_key=number % 2 == 0)
        for number in range(count)
    ]


def test_everything_arrives_and_goes_on(run: Runner, source: Driver, target: TestDatabase) -> None:
    """Nobody is logged out: every session verifies and refreshes; roles, metadata and tenants are there."""
    sessions = [*sessions_of(source), source.create("ann", tenant_id="t1")]
    expired = source.create("old")
    source.change_row(expired.handle, expires_at=1)
    ran = copy(run, source, target, "--batch", "5")
    assert (ran.code, ran.json["complete"]) == (0, True)
    counts = {table["table"]: table for table in ran.json["tables"]}
    expected = {
        "table": "session_info",
        "source": SESSIONS + 1,
        "copied": SESSIONS + 1,
        "verified": SESSIONS + 1,
    }
    assert counts["session_info"] == expected
    assert all(table["source"] <= table["copied"] == table["verified"] for table in counts.values())

    there = Driver(target.uri)
    keys = there.reload_keys().keys
    for session in sessions:
        text = session.access_token.text
        assert signature_matches(text, keys[header(text)["kid"]].public_key)
        assert there.verify(session) == source.verify(session)
        refreshed = there.refresh(session)
        assert (refreshed.handle, refreshed.payload) == (session.handle, session.payload)
    assert there.session_information(expired.handle) is None
    assert there.session_information(sessions[0].handle).data == {"n": None}
    assert there.user_roles("ann", tenant_id="t1") == ["admin"]
    assert sorted(there.role_permissions("admin")) == ["read", "write"]
    assert there.metadata("ann") == {"theme": "dark", "ü": [None]}
    tenant = Tenant(tenant_id="t1", first_factors=["emailpassword"], required_secondary_factors=["totp"])
    assert there.tenant("t1") == tenant
    there.close()


def test_an_older_core_without_rotation_columns(run: Runner, source: Driver, target: TestDatabase) -> None:
    """Columns that an old core lacks arrive as null; its other tables are not looked at."""
    session = source.create("ann")
    database = TestDatabase("postgresql", uri_of(source))
    source.close()
    database.query("ALTER TABLE session_info DROP COLUMN prev_refresh_token_hash_2")
    database.query("ALTER TABLE session_info DROP COLUMN refresh_token_rotated_at")
    database.query("DROP TABLE user_last_active")
    database.query("CREATE TABLE app_id_to_user_id (user_id char(36))")
    ran = copy(run, source, target)
    assert ran.code == 0
    assert any("log-in methods are not copied" in note for note in ran.json["notes"])
    there = Driver(target.uri)
    assert there.refresh(session).handle == session.handle
    there.close()


def test_an_interrupted_run_goes_on_where_it_stopped(
    run: Runner, source: Driver, target: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The marker is written with each batch: nothing is copied twice, nothing is left out."""
    from supertokens_py.cli.transfer import Transfer

    sessions = sessions_of(source)
    written: list[str] = []
    write_batch = Transfer._write_batch

    def failing(self: Transfer, connection: Any, name: str, rows: Any, key: Any) -> int:
        if len([entry for entry in written if entry == "session_info"]) == 2 and fail:
            raise KeyboardInterrupt
        written.append(name)
        return write_batch(self, connection, name, rows, key)

    monkeypatch.setattr(Transfer, "_write_batch", failing)
    fail = True
    stopped = copy(run, source, target, "--batch", "5")
    assert (stopped.code, stopped.err) == (130, '{"error": "interrupted"}\n')
    mark = json.loads(target.query(f"SELECT value FROM key_value WHERE name = '{MARKER}'")[0][0])
    assert (mark["table"], mark["finished_ms"]) == ("session_info", None)
    assert target.query("SELECT count(*) FROM session_info") == [(10,)]

    fail = False
    written.clear()
    ran = copy(run, source, target, "--batch", "5")
    assert ran.code == 0
    assert written == ["session_info"] * 3
    assert ran.json["tables"][-1]["verified"] == SESSIONS
    there = Driver(target.uri)
    assert all(there.refresh(session).handle == session.handle for session in sessions)
    there.close()


def test_a_copy_can_be_repeated_until_it_is_used(run: Runner, source: Driver, target: TestDatabase) -> None:
    """Each run makes the copy like the source: changed, new and ended sessions."""
    kept, rotated, ended, *_ = sessions_of(source, 5)
    assert copy(run, source, target).code == 0
    again = copy(run, source, target)
    assert (again.code, again.json["ended_sessions"]) == (0, 0)
    assert again.json["tables"][-1]["verified"] == 5

    successor = source.refresh(rotated)
    source.revoke_sessions([ended.handle])
    source.replace_session_payload(kept.handle, {"new": True})
    source.merge_metadata("ann", {"theme": None})
    late = source.create("late")
    ran = copy(run, source, target)
    assert (ran.code, ran.json["ended_sessions"]) == (0, 1)
    there = Driver(target.uri)
    assert there.refresh(kept).payload == {"new": True}
    assert there.refresh(successor).handle == rotated.handle
    assert isinstance(there.refresh(ended), Unauthorised)
    assert there.refresh(late).handle == late.handle
    assert there.metadata("ann") == {"ü": [None]}

    there.create("first user of the copy")
    there.close()
    used = copy(run, source, target)
    assert used.code == 2
    assert "is in use: sessions were created in it since the import" in used.err


def test_a_session_that_rotated_in_the_copy_is_not_rolled_back(
    run: Runner, source: Driver, target: TestDatabase
) -> None:
    """Whichever side rotated last has the later end, and stays."""
    session = source.create("ann")
    assert copy(run, source, target).code == 0
    there = Driver(target.uri, now_ms=lambda: source.engine._settings.now_ms() + 1_000)
    successor = there.refresh(session)
    there.close()
    assert copy(run, source, target).code == 0
    there = Driver(target.uri)
    assert there.refresh(successor).handle == session.handle
    there.close()


def test_keys_are_encrypted_where_the_destination_asks_for_it(
    run: Runner, source: Driver, target: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy of a plain database can keep its keys sealed."""
    session = source.create("ann")
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", "a secret of sixteen")
    assert copy(run, source, target).code == 0
    stored = target.query("SELECT value FROM session_access_token_signing_keys")
    stored += target.query("SELECT key_string FROM jwt_signing_keys")
    stored += target.query("SELECT value FROM key_value WHERE name = 'refresh_token_key'")
    assert len(stored) == 3
    assert all(value.startswith("supertokens_py-encrypted") for (value,) in stored)
    there = Driver(target.uri, encryption_key="a secret of sixteen")
    assert there.refresh(session).handle == session.handle
    there.close()


def test_a_database_with_sessions_of_its_own_is_left_alone(
    run: Runner, source: Driver, sqlite_database: TestDatabase
) -> None:
    """Their refresh tokens are sealed with another key: two sets cannot live together."""
    own = Driver(sqlite_database.uri)
    session = own.create("own")
    own.close()
    source.create("ann")
    ran = copy(run, source, sqlite_database)
    assert ran.code == 2
    assert "has sessions of its own" in ran.err
    own = Driver(sqlite_database.uri)
    assert own.refresh(session).handle == session.handle
    assert own.count("session_info") == 1
    own.close()


def test_a_dry_run_only_counts(run: Runner, source: Driver, target: TestDatabase) -> None:
    """Nothing is made in the destination."""
    sessions_of(source, 2)
    ran = copy(run, source, target, "--dry-run")
    assert (ran.code, ran.json["complete"]) == (0, False)
    assert ran.json["tables"][-1]["source"] == 2
    if target.kind != "postgresql":
        assert not target.path.exists()
    else:
        assert target.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_sources_that_cannot_be(
    run: Runner, source: Driver, target: TestDatabase, postgres_server: Postgres
) -> None:
    """No source, itself, a database without sessions, a server that is away."""
    into = ("--connection-uri", target.uri)
    assert run("import", *into).code == 2
    assert (
        "can be used in place"
        in run("import", "--from", uri_of(source), "--connection-uri", uri_of(source)).err
    )
    empty = postgres_server.create(template=False)
    ran = run("import", "--from", empty.uri, *into)
    assert (ran.code, "there is no table session_info" in ran.err) == (2, True)
    postgres_server.drop(empty)
    away = run("import", "--from", "postgresql://u:secret@127.0.0.1:1/x", *into)
    assert (away.code, "secret" in away.err) == (1, False)
    assert run("import", "--from", "sqlite://", *into).code == 2
    assert run("import", "--from", uri_of(source), *into, "--batch", "0").code == 2


def test_a_row_that_goes_away_meanwhile_is_told(
    run: Runner, source: Driver, target: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that ends between counting and copying: the next run finds everything in order."""
    from supertokens_py.cli.transfer import Transfer

    kept, ending = sessions_of(source, 2)
    write_batch = Transfer._write_batch

    def ends(self: Transfer, connection: Any, name: str, rows: Any, key: Any) -> int:
        if name == "roles":
            source.revoke_sessions([ending.handle])
        return write_batch(self, connection, name, rows, key)

    monkeypatch.setattr(Transfer, "_write_batch", ends)
    ran = copy(run, source, target)
    assert (ran.code, ran.json["complete"]) == (1, False)
    assert ran.err == '{"error": "not every row arrived: run the command again"}\n'
    table = ran.json["tables"][-1]
    assert (table["source"], table["copied"], table["verified"]) == (2, 1, 1)
    ran = copy(run, source, target)
    assert (ran.code, ran.json["complete"]) == (0, True)
    there = Driver(target.uri)
    assert there.refresh(kept).handle == kept.handle
    there.close()


def test_a_file_is_a_source_too(run: Runner, sqlite_database: TestDatabase, sqlite_files: Sqlite) -> None:
    """It is only read. A copy knows where it came from, and takes nothing from elsewhere."""
    first = Driver(sqlite_database.uri)
    session = first.create("ann")
    first.close()
    into = ("--connection-uri", sqlite_files.create(template=False).uri)
    assert run("import", "--from", sqlite_database.uri, *into).code == 0
    there = Driver(into[1])
    assert there.refresh(session).handle == session.handle
    there.close()
    elsewhere = run("import", "--from", sqlite_files.create().uri, *into)
    assert elsewhere.code == 2
    assert f"was imported from {sqlite_database.path} before" in elsewhere.err


def test_a_source_without_a_refresh_key(run: Runner, source: Driver, target: TestDatabase) -> None:
    """A core makes it at its first session: there is none, and nothing to miss."""
    database = TestDatabase("postgresql", uri_of(source))
    database.query("DELETE FROM key_value")
    assert copy(run, source, target).code == 0
    there = Driver(target.uri)
    assert there.refresh(there.create("first")).user_id == "first"
    assert there.user_roles("ann", tenant_id="t1") == ["admin"]
    there.close()


def test_what_stays_behind_is_told(run: Runner, source: Driver, target: TestDatabase) -> None:
    """Sessions of other apps, keys of the oldest form, the mapping of user ids."""
    database = TestDatabase("postgresql", uri_of(source))
    source.create("ann")
    database.query("INSERT INTO apps VALUES ('shop', 1)")
    database.query("INSERT INTO tenants VALUES ('shop', 'public', 1)")
    columns = ", ".join(name for name in database.columns("session_info") if name != "app_id")
    database.query(f"INSERT INTO session_info (app_id, {columns}) SELECT 'shop', {columns} FROM session_info")
    database.query(
        "INSERT INTO key_value (app_id, tenant_id, name, value, created_at_time) "
        "VALUES ('public', 'public', 'access_token_signing_key', 'x', 1)"
    )
    database.query("CREATE TABLE userid_mapping (external_user_id text)")
    ran = copy(run, source, target)
    assert (ran.code, ran.json["tables"][-1]["copied"]) == (0, 1)
    assert ran.json["notes"] == [
        "not copied, for one database serves one app: 1 session of other apps",
        "a signing key of the oldest form is not copied: start a newer core once, which moves it",
        "the user id mapping is not copied: sessions keep the ids that the application gave",
    ]


def test_people_see_a_table_and_counts(run: Runner, source: Driver, target: TestDatabase) -> None:
    """Without `--json`: one line per table."""
    sessions_of(source, 3)
    ran = run("import", "--from", uri_of(source), "--connection-uri", target.uri)
    assert ran.code == 0
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["TABLE", "SOURCE", "COPIED", "VERIFIED"] in lines
    assert ["session_info", "3", "3", "3"] in lines
