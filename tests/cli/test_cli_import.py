"""`supertokens import`: complete, verified, resumable, repeatable, and never undoing what is in use."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from supertokens_py.engine.embedded.importing import destination as destination_module
from supertokens_py.engine.embedded.importing.destination import MARKER, Destination
from supertokens_py.engine.embedded.keys.key_cipher import MARK as KEYS_MARK
from supertokens_py.engine.records import IssuedSession, Tenant, Unauthorised
from supertokens_py.engine.session_records import Lifetime, SessionFeatures, Visit
from supertokens_py.engine.uris import describe
from supertokens_py.tokens.signatures import signature_matches
from tests.cli.conftest import Ran, Runner
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.driver import Driver, header
from tests.engine.test_broken_rules import refuse
from tests.support.databases import Postgres, Sqlite, TestDatabase
from tests.support.device_proofs import new_key, proof

SESSIONS = 23


@pytest.fixture
def source(fresh_postgres_database: TestDatabase) -> Iterator[Driver]:
    """A database as an official core of version 11 leaves it, with something in every table."""
    driver = Driver(fresh_postgres_database.uri)
    driver.tenants.put("t1", {"first_factors": ["emailpassword"], "required_secondary_factors": ["totp"]})
    driver.roles.add("admin", ["read", "write"])
    driver.roles.assign("ann", "admin", tenant_id="t1")
    driver.metadata.merge("ann", {"theme": "dark", "ü": [None]})
    yield driver
    driver.close()


@pytest.fixture(params=[SQLITE, POSTGRES])
def target(request: pytest.FixtureRequest, sqlite_files: Sqlite) -> TestDatabase:
    """An empty database."""
    if request.param == "sqlite-file":
        return sqlite_files.create(template=False)
    return request.getfixturevalue("empty_postgres_database")


def uri_of(driver: Driver) -> str:
    return driver.database.location.url.set(drivername="postgresql").render_as_string(False)


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
        "removed": 0,
    }
    assert counts["session_info"] == expected
    assert all(table["source"] <= table["copied"] == table["verified"] for table in counts.values())

    there = Driver(target.uri)
    keys = there.keys.reload().keys
    for session in sessions:
        text = session.access_token.text
        assert signature_matches(text, keys[header(text)["kid"]].public_key)
        assert there.verify(session) == source.verify(session)
        refreshed = there.refresh(session)
        assert (refreshed.handle, refreshed.payload) == (session.handle, session.payload)
    assert there.sessions.information(expired.handle) is None
    assert there.sessions.information(sessions[0].handle).data == {"n": None}
    assert there.roles.of_user("ann", tenant_id="t1") == ["admin"]
    assert sorted(there.roles.permissions("admin")) == ["read", "write"]
    assert there.metadata.read("ann") == {"theme": "dark", "ü": [None]}
    tenant = Tenant(tenant_id="t1", first_factors=["emailpassword"], required_secondary_factors=["totp"])
    assert there.tenants.find("t1") == tenant
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
    assert (ran.code, ran.json["losses"]) == (0, [])
    there = Driver(target.uri)
    assert there.refresh(session).handle == session.handle
    there.close()


def test_an_interrupted_run_goes_on_where_it_stopped(
    run: Runner, source: Driver, target: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What arrived is compared, not written again; what changed at the source meanwhile is not missed."""
    sessions = sessions_of(source)
    written: list[str] = []
    write_rows = Destination.write_rows

    def failing(self: Destination, name: str, rows: Any) -> int:
        if written.count("session_info") == 2 and fail:
            raise KeyboardInterrupt
        before = self.mark
        verified = write_rows(self, name, rows)
        if self.mark != before:
            written.append(name)
        return verified

    monkeypatch.setattr(Destination, "write_rows", failing)
    fail = True
    stopped = copy(run, source, target, "--batch", "5")
    assert (stopped.code, stopped.err) == (130, '{"error": "interrupted"}\n')
    mark = json.loads(target.query(f"SELECT value FROM key_value WHERE name = '{MARKER}'")[0][0])
    assert mark["finished_ms"] is None
    arrived = {handle for (handle,) in target.query("SELECT session_handle FROM session_info")}
    assert len(arrived) == 10

    ended = next(session for session in sessions if session.handle in arrived)
    source.sessions.revoke([ended.handle])
    source.roles.unassign("ann", "admin", tenant_id="t1")
    fail = False
    written.clear()
    ran = copy(run, source, target, "--batch", "5")
    assert (ran.code, ran.json["ended_sessions"]) == (0, 1)
    # 13 sessions had not arrived: three batches of 5, or four if the first begins among those that had.
    # (Activity is written in the background; every other table had arrived.)
    assert set(written) - {"user_last_active"} == {"session_info"}
    assert written.count("session_info") in (3, 4)
    assert ran.json["tables"][-1]["verified"] == SESSIONS - 1
    there = Driver(target.uri)
    assert there.roles.of_user("ann", tenant_id="t1") == []
    assert isinstance(there.refresh(ended), Unauthorised)
    sessions.remove(ended)
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
    source.sessions.revoke([ended.handle])
    source.sessions.replace_payload(kept.handle, {"new": True})
    source.metadata.merge("ann", {"theme": None})
    late = source.create("late")
    ran = copy(run, source, target)
    assert (ran.code, ran.json["ended_sessions"]) == (0, 1)
    there = Driver(target.uri)
    assert there.refresh(kept).payload == {"new": True}
    assert there.refresh(successor).handle == rotated.handle
    assert isinstance(there.refresh(ended), Unauthorised)
    assert there.refresh(late).handle == late.handle
    assert there.metadata.read("ann") == {"ü": [None]}
    there.close()


def test_a_table_that_is_gone_at_the_source_has_nothing_here(
    run: Runner, source: Driver, target: TestDatabase
) -> None:
    """As one that a core of another release lacks; keys are read where they are."""
    session = source.create("ann")
    assert copy(run, source, target).code == 0
    for table in ("user_metadata", "jwt_signing_keys"):
        TestDatabase("postgresql", uri_of(source)).query(f"DROP TABLE {table}")
    assert copy(run, source, target).code == 0
    there = Driver(target.uri)
    assert there.metadata.read("ann") == {}
    assert there.refresh(session).handle == session.handle
    there.close()


def test_a_row_that_the_destination_refuses_is_told(
    run: Runner, source: Driver, target: TestDatabase
) -> None:
    """With the words of the database, but for the row: there may be a key in it."""
    assert copy(run, source, target).code == 0
    refuse(target, "user_metadata")
    source.metadata.merge("ann", {"theme": "light"})
    ran = copy(run, source, target)
    told = (
        "refused"
        if target.kind != "postgresql"
        else 'new row for relation "user_metadata" violates check constraint "refused"'
    )
    said = json.loads(ran.err)["error"]
    assert (ran.code, said.partition(" refuses a row of table user_metadata: ")[2]) == (1, told)


def test_what_was_removed_at_the_source_is_removed_here(
    run: Runner, source: Driver, target: TestDatabase
) -> None:
    """A former administrator is none after the next import; the run says what it removed."""
    source.roles.add("guest", ["look"])
    source.roles.assign("bob", "guest", tenant_id="public")
    source.tenants.put("t2", {"first_factors": ["otp"]})
    source.metadata.merge("bob", {"a": 1})
    leaving = source.create("bob", tenant_id="t2")
    assert copy(run, source, target).code == 0

    source.roles.unassign("ann", "admin", tenant_id="t1")
    source.roles.remove_permissions("admin", ["write"])
    source.roles.delete("guest")
    source.metadata.clear("bob")
    source.tenants.delete("t2")
    ran = run("import", "--from", uri_of(source), "--connection-uri", target.uri)
    assert ran.code == 0
    assert (
        "removed here, since the source does not have them: 1 tenant, 1 tenant configuration, "
        "1 first factor, 1 role, 2 role permissions, 2 role assignments, 1 metadata record, 1 session"
        in ran.out
    )
    there = Driver(target.uri)
    assert there.roles.of_user("ann", tenant_id="t1") == []
    assert there.roles.permissions("admin") == ["read"]
    assert (there.roles.all(), there.roles.permissions("guest")) == (["admin"], None)
    assert there.metadata.read("bob") == {}
    assert [tenant.tenant_id for tenant in there.tenants.all()] == ["public", "t1"]
    assert isinstance(there.refresh(leaving), Unauthorised)
    there.close()
    again = copy(run, source, target)
    assert (again.code, {table["removed"] for table in again.json["tables"]}) == (0, {0})


WRITES: dict[str, Callable[[Driver, IssuedSession], object]] = {
    "log-in": lambda there, session: there.create("first user of the copy"),
    "sign-out": lambda there, session: there.sessions.revoke([session.handle]),
    "refresh": lambda there, session: there.refresh(session),
    "payload": lambda there, session: there.sessions.replace_payload(session.handle, {"new": 1}),
    "role": lambda there, session: there.roles.add("new", []),
    "assignment removed": lambda there, session: there.roles.unassign("ann", "admin", tenant_id="t1"),
    "metadata": lambda there, session: there.metadata.merge("ann", {"new": 1}),
    "tenant": lambda there, session: there.tenants.put("t9", {}),
    "signing key": lambda there, session: there.rotate_signing_key(),
    "clean-up": lambda there, session: there.clean_up(),
}


@pytest.mark.parametrize(
    ("write", "interrupted"), [*((write, False) for write in WRITES), ("sign-out", True), ("role", True)]
)
def test_a_destination_in_use_is_left_alone(
    run: Runner,
    source: Driver,
    sqlite_files: Sqlite,
    monkeypatch: pytest.MonkeyPatch,
    write: str,
    interrupted: bool,
) -> None:
    """Any write of its own counts, after a complete import as after an interrupted one."""
    session = source.create("ann")
    soon_over = source.create("ann")
    target = sqlite_files.create(template=False)
    if interrupted:
        monkeypatch.setattr(Destination, "finish", _interrupt)
    assert copy(run, source, target).code == (130 if interrupted else 0)
    monkeypatch.undo()
    there = Driver(target.uri)
    if write == "clean-up":
        target.query(f"UPDATE session_info SET expires_at = 1 WHERE session_handle = '{soon_over.handle}'")
    WRITES[write](there, session)
    there.close()
    before = _rows(target)
    used = copy(run, source, target)
    assert used.code == 2
    assert "is in use: it was written to since the import" in used.err
    assert _rows(target) == before


def _interrupt(self: object) -> None:
    raise KeyboardInterrupt


def _rows(database: TestDatabase) -> dict[str, list[Any]]:
    tables = [name for (name,) in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: sorted(database.query(f"SELECT * FROM {table}"), key=str) for table in tables}


def test_reading_the_copy_is_no_use_of_it(run: Runner, source: Driver, target: TestDatabase) -> None:
    """An application may be tried on it, as long as nobody logs in, refreshes or signs out."""
    session = source.create("ann")
    assert copy(run, source, target).code == 0
    there = Driver(target.uri)
    assert there.verify(session) == source.verify(session)
    assert there.roles.of_user("ann", tenant_id="t1") == ["admin"]
    there.keys.jwks()
    there.close()
    assert copy(run, source, target).code == 0


def test_a_second_import_at_the_same_time_stops(
    run: Runner, source: Driver, target: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch is written only by the run whose marker is the latest."""
    source.create("ann")
    write_rows = Destination.write_rows

    def overtaken(self: Destination, name: str, rows: Any) -> int:
        target.query(f"UPDATE key_value SET value = '{{}}' WHERE name = '{MARKER}'")
        return write_rows(self, name, rows)

    monkeypatch.setattr(Destination, "write_rows", overtaken)
    ran = copy(run, source, target)
    assert (ran.code, "another import into" in ran.err) == (2, True)
    assert target.query("SELECT count(*) FROM session_info") == [(0,)]


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


@pytest.mark.parametrize("own_data", ["session", "role", "metadata", "tenant"])
def test_a_database_with_data_of_its_own_is_left_alone(
    run: Runner, source: Driver, sqlite_database: TestDatabase, own_data: str
) -> None:
    """It would have to be removed to make the copy equal to the source."""
    own = Driver(sqlite_database.uri)
    fill: dict[str, Callable[[], object]] = {
        "session": lambda: own.create("own"),
        "role": lambda: own.roles.add("own", []),
        "metadata": lambda: own.metadata.merge("own", {"a": 1}),
        "tenant": lambda: own.tenants.put("own", {}),
    }
    fill[own_data]()
    own.close()
    source.create("ann")
    before = _rows(sqlite_database)
    ran = copy(run, source, sqlite_database)
    assert ran.code == 2
    assert "has data of its own" in ran.err
    assert _rows(sqlite_database) == before


def test_keys_of_a_database_that_was_only_started_give_way(
    run: Runner, source: Driver, sqlite_database: TestDatabase
) -> None:
    """They signed nothing that anybody holds; the run says so."""
    session = source.create("ann")
    ran = run("import", "--from", uri_of(source), "--connection-uri", sqlite_database.uri)
    assert ran.code == 0
    assert "removed here, since the source does not have them: 1 dynamic signing key, 1 static" in ran.out
    there = Driver(sqlite_database.uri)
    assert there.refresh(session).handle == session.handle
    assert [key["kid"] for key in there.keys.jwks().keys] == [key["kid"] for key in source.keys.jwks().keys]
    there.close()


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


def test_the_source_is_copied_as_it_was_at_one_moment(
    run: Runner, source: Driver, target: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A core goes on working meanwhile: what it does after the first read comes with the next import."""
    kept, ending = sessions_of(source, 2)
    write_rows = Destination.write_rows

    def works_on(self: Destination, name: str, rows: Any) -> int:
        if name == "roles":
            source.sessions.revoke([ending.handle])
            source.create("late")
        return write_rows(self, name, rows)

    with monkeypatch.context() as patched:
        patched.setattr(Destination, "write_rows", works_on)
        ran = copy(run, source, target)
    assert (ran.code, ran.json["complete"]) == (0, True)
    table = ran.json["tables"][-1]
    assert (table["source"], table["copied"], table["verified"]) == (2, 2, 2)
    ran = copy(run, source, target)
    table = ran.json["tables"][-1]
    assert (ran.code, table["source"], table["verified"], table["removed"]) == (0, 2, 2, 1)
    there = Driver(target.uri)
    assert there.refresh(kept).handle == kept.handle
    assert isinstance(there.refresh(ending), Unauthorised)
    there.close()


def test_a_row_that_did_not_arrive_is_told(
    run: Runner, source: Driver, target: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each batch is read back before it is committed."""
    sessions_of(source, 2)
    rows_with = destination_module.rows_with

    def loses_one(connection: Any, table: Any, keys: Any) -> Any:
        found = rows_with(connection, table, keys)
        if found and table.name == "session_info":
            found.popitem()
        return found

    monkeypatch.setattr(destination_module, "rows_with", loses_one)
    ran = copy(run, source, target)
    assert (ran.code, ran.json["complete"]) == (1, False)
    assert ran.err == '{"error": "not every row arrived: run the command again"}\n'
    table = ran.json["tables"][-1]
    assert (table["source"], table["copied"], table["verified"]) == (2, 2, 1)


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
    assert there.roles.of_user("ann", tenant_id="t1") == ["admin"]
    there.close()


def test_what_stays_behind_is_told(run: Runner, source: Driver, target: TestDatabase) -> None:
    """Sessions and users of other apps, keys of the oldest form, users in tables of an old core."""
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
    database.query("CREATE TABLE app_id_to_user_id (app_id text, user_id char(36))")
    database.query("INSERT INTO app_id_to_user_id VALUES ('public', 'ann')")
    ran = copy(run, source, target)
    assert (ran.code, ran.json["tables"][-1]["copied"]) == (1, 1)
    assert ran.json["losses"] == [
        "1 user cannot be copied: table app_id_to_user_id is missing, or older than those of SuperTokens "
        "core 9; to keep them, copy the whole database by its own means (pg_dump) and start on the copy"
    ]
    assert ran.json["notes"] == [
        "not copied, for one database serves one app: 1 session of other apps",
        "a signing key of the oldest form is not copied: start a newer core once, which moves it",
    ]


def test_people_see_a_table_and_counts(run: Runner, source: Driver, target: TestDatabase) -> None:
    """Without `--json`: one line per table."""
    sessions_of(source, 3)
    ran = run("import", "--from", uri_of(source), "--connection-uri", target.uri)
    assert ran.code == 0
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["TABLE", "SOURCE", "COPIED", "VERIFIED"] in lines
    assert ["session_info", "3", "3", "3"] in lines


def test_refresh_tokens_from_before_a_renewal_go_on(
    run: Runner, sqlite_database: TestDatabase, target: TestDatabase
) -> None:
    """Earlier keys of refresh tokens are copied until they end, and removed once the source has none."""
    first = Driver(sqlite_database.uri)
    earlier = first.create("ann")
    first.close()
    origin, into = ("--from", sqlite_database.uri), ("--connection-uri", target.uri)
    renew = ("keys", "renew", "--refresh", "--connection-uri", sqlite_database.uri)
    assert run(*renew, "--keep-sessions", "3").code == 0
    source = Driver(sqlite_database.uri)
    later = source.create("bob")
    source.close()
    assert run("import", *origin, *into).code == 0
    there = Driver(target.uri)
    assert there.refresh(earlier).handle == earlier.handle
    assert there.refresh(later).handle == later.handle
    there.close()


def test_a_restore_of_the_source_is_known_in_the_copy(
    run: Runner, sqlite_database: TestDatabase, target: TestDatabase, start: Opener
) -> None:
    """Nobody is taken for a thief there whose tokens are newer than the back-up."""
    origin, into = ("--from", sqlite_database.uri), ("--connection-uri", target.uri)
    no_grace: dict[str, Any] = {"refresh_token_rotation_grace_period": 0}
    source = start(sqlite_database.uri, **no_grace)
    backed_up = source.refresh(source.create("ann"))
    row = source.row(backed_up.handle)
    assert row is not None
    latest = source.refresh(source.refresh(backed_up))
    source.change_row(backed_up.handle, **row)
    assert run("restored", "--connection-uri", sqlite_database.uri).code == 0
    for _ in range(2):
        ran = run("import", "--json", *origin, *into)
        assert (ran.code, ran.json["complete"]) == (0, True), ran.err
    there = start(target.uri, **no_grace)
    assert there.refresh(latest) == Unauthorised(
        "the session was lost when a back-up was restored", "session_gone"
    )


def test_earlier_keys_that_the_source_dropped_are_dropped(
    run: Runner, sqlite_database: TestDatabase, target: TestDatabase
) -> None:
    """After a renewal that ended every session, no earlier key is accepted here either."""
    origin, into = ("--from", sqlite_database.uri), ("--connection-uri", target.uri)
    renew = ("keys", "renew", "--refresh", "--connection-uri", sqlite_database.uri)
    assert run(*renew, "--keep-sessions", "3").code == 0
    assert run("import", *origin, *into).code == 0
    names = "SELECT name FROM key_value ORDER BY name"
    assert len(target.query(names)) == 3
    assert run(*renew).code == 0
    assert run("import", *origin, *into).code == 0
    assert target.query(names) == [("refresh_token_key",), (MARKER,)]


def test_a_key_renewed_in_the_copy_is_not_overwritten(
    run: Runner, source: Driver, target: TestDatabase
) -> None:
    """Importing again would bring the renewed key back, which may be one that leaked."""
    source.create("ann")
    assert copy(run, source, target).code == 0
    renew = ("keys", "renew", "--refresh", "--keep-sessions", "3", "--connection-uri", target.uri)
    assert run(*renew).code == 0
    ran = copy(run, source, target)
    assert (ran.code, "is in use: it was written to since the import" in ran.err) == (2, True)


SECRET, ANOTHER = "5a" * 32, "a5" * 32  # keys and no passphrases, which take a quarter of a second each
_KEY_COLUMNS = (
    "SELECT value FROM session_access_token_signing_keys",
    "SELECT key_string FROM jwt_signing_keys",
    f"SELECT value FROM key_value WHERE name NOT IN ('{KEYS_MARK}', '{MARKER}')",
)


@pytest.fixture(params=[SQLITE, POSTGRES])
def sealed(request: pytest.FixtureRequest, sqlite_files: Sqlite) -> TestDatabase:
    """A database whose keys are encrypted with SECRET."""
    if request.param == "sqlite-file":
        database = sqlite_files.create()
    else:
        database = request.getfixturevalue("fresh_postgres_database")
    driver = Driver(database.uri, encryption_key=SECRET, shared_with_core="NO")
    driver.keys.reload()
    driver.close()
    return database


@pytest.mark.parametrize("new", [SECRET, ANOTHER], ids=["same-secret", "new-secret"])
def test_encrypted_keys_are_encrypted_anew_for_the_copy(
    run: Runner, sealed: TestDatabase, target: TestDatabase, monkeypatch: pytest.MonkeyPatch, new: str
) -> None:
    """Tokens of before go on, those of an earlier key, too; no key is stored in clear, or as it was."""
    renew = ("keys", "renew", "--refresh", "--keep-sessions", "3", "--connection-uri", sealed.uri)
    monkeypatch.setenv("SUPERTOKENS_SHARED_WITH_CORE", "NO")
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", SECRET)
    source = Driver(sealed.uri, encryption_key=SECRET, shared_with_core="NO")
    sessions = [source.create("ann"), source.create("bob", dynamic_key=False)]
    retired = sessions[0]
    successor = source.refresh(retired)
    assert run(*renew).code == 0
    source.close()

    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", new)
    monkeypatch.setenv("SUPERTOKENS_PREVIOUS_ENCRYPTION_KEY", SECRET)
    for _ in range(2):  # a repeated run finds the same keys
        ran = run("import", "--json", "--from", sealed.uri, "--connection-uri", target.uri)
        assert (ran.code, ran.json["complete"], ran.err) == (0, True, "")
    before, after = ([text for sql in _KEY_COLUMNS for (text,) in one.query(sql)] for one in (sealed, target))
    assert (len(before), len(after)) == (4, 4)
    assert all(text.startswith("supertokens_py-encrypted-2:") for text in after)
    assert not set(before) & set(after)

    there = Driver(target.uri, encryption_key=new, previous_encryption_key=SECRET, shared_with_core="NO")
    keys = there.keys.reload().keys
    for session in sessions:
        text = session.access_token.text
        assert signature_matches(text, keys[header(text)["kid"]].public_key)
    assert there.refresh(retired).refresh_token.text == successor.refresh_token.text
    assert there.refresh(successor).handle == retired.handle
    assert there.refresh(sessions[1]).handle == sessions[1].handle
    there.close()


_CANNOT = "cannot copy from {name}: "
_NO_KEY = _CANNOT + "the keys in the database are encrypted: set encryption_key (SUPERTOKENS_ENCRYPTION_KEY)"


@pytest.mark.parametrize(
    ("secrets", "message"),
    [
        ({}, _NO_KEY),
        ({"PREVIOUS_ENCRYPTION_KEY": SECRET}, _NO_KEY),
        (
            {"ENCRYPTION_KEY": ANOTHER},
            _CANNOT + "what the database holds was encrypted with another encryption_key "
            "(SUPERTOKENS_ENCRYPTION_KEY)",
        ),
    ],
    ids=["none", "previous-only", "wrong"],
)
def test_encrypted_keys_are_not_copied_without_their_secret(
    run: Runner,
    sealed: TestDatabase,
    target: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    secrets: dict[str, str],
    message: str,
) -> None:
    """Nor are they decrypted for a copy that would keep them plain. Nothing is written."""
    for name, value in secrets.items():
        monkeypatch.setenv(f"SUPERTOKENS_{name}", value)
    name = sealed.path if sealed.kind == "sqlite-file" else describe(sealed.uri)
    for options in ([], ["--dry-run"]):
        ran = run("import", "--from", sealed.uri, "--connection-uri", target.uri, *options)
        assert (ran.code, ran.err) == (2, f"supertokens: {message.format(name=name)}\n")
    if target.kind == "sqlite-file":
        assert not target.path.exists()
    else:
        assert target.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_destination_of_another_secret_is_named(
    run: Runner, sqlite_database: TestDatabase, sealed: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two databases, the message says which one the secret does not belong to; and nothing is written."""
    before = [sealed.query(sql) for sql in _KEY_COLUMNS]
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", ANOTHER)
    ran = run("import", "--from", sqlite_database.uri, "--connection-uri", sealed.uri)
    name = sealed.path if sealed.kind == "sqlite-file" else describe(sealed.uri)
    assert (ran.code, ran.err) == (
        2,
        f"supertokens: cannot copy into {name}: what the database holds was encrypted with another "
        "encryption_key (SUPERTOKENS_ENCRYPTION_KEY)\n",
    )
    assert [sealed.query(sql) for sql in _KEY_COLUMNS] == before


def test_a_refused_destination_keeps_its_keys_as_they_are(
    run: Runner, sqlite_files: Sqlite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Applications that have no secret use them."""
    source, used = sqlite_files.create(), sqlite_files.create()
    driver = Driver(used.uri)
    driver.create("ann")
    before = _rows(used)
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", SECRET)
    ran = run("import", "--from", source.uri, "--connection-uri", used.uri)
    assert (ran.code, "has data of its own" in ran.err) == (2, True)
    assert _rows(used) == before
    driver.close()


def test_keys_are_encrypted_by_a_repeated_import_with_a_secret(
    run: Runner, sqlite_database: TestDatabase, target: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To encrypt what was imported in clear is no use of it by anybody; a later run goes on from there."""
    driver = Driver(sqlite_database.uri)
    session = driver.create("ann")
    driver.close()
    command = ("import", "--from", sqlite_database.uri, "--connection-uri", target.uri)
    assert run(*command).code == 0
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", SECRET)
    assert [run(*command).code for _ in range(2)] == [0, 0]
    stored = [text for sql in _KEY_COLUMNS for (text,) in target.query(sql)]
    assert [text[:26] for text in stored] == ["supertokens_py-encrypted-2"] * 3
    there = Driver(target.uri, encryption_key=SECRET)
    assert there.refresh(session).handle == session.handle
    there.close()


@pytest.mark.parametrize(
    ("sql", "of"),
    [
        ("UPDATE session_access_token_signing_keys SET value = 'planted'", "d-"),
        ("UPDATE jwt_signing_keys SET key_string = 'planted'", "s-"),
        ("UPDATE key_value SET value = 'planted' WHERE name = 'refresh_token_key'", "refresh_token_key"),
    ],
)
def test_a_key_that_was_planted_beside_encrypted_ones_is_not_copied(
    run: Runner, sealed: TestDatabase, monkeypatch: pytest.MonkeyPatch, sql: str, of: str
) -> None:
    """It is found before the first row is written, and is not encrypted into a key like any other."""
    sealed.query(sql)
    monkeypatch.setenv("SUPERTOKENS_ENCRYPTION_KEY", SECRET)
    ran = run("import", "--from", sealed.uri, "--connection-uri", "sqlite:///copy.db")
    assert (ran.code, Path("copy.db").exists()) == (2, False)
    planted = ran.err.partition("cannot copy from ")[2].partition(": ")[2]
    assert planted.startswith(of)
    assert "in the database is not encrypted, and every other key is" in planted


def test_limits_of_sessions_hold_in_the_copy(
    run: Runner, fresh_postgres_database: TestDatabase, target: TestDatabase
) -> None:
    """What is kept of devices goes along with the sessions that do, and goes where they have ended."""
    features = SessionFeatures(details=True)
    source = Driver(fresh_postgres_database.uri, features=features)
    lifetime, visit = Lifetime(absolute_ms=3_600_000, persistent=False), Visit(label="Chrome on Windows")
    kept, ended, expired = (source.create("ann", lifetime=lifetime, visit=visit) for _ in range(3))
    source.change_row(expired.handle, expires_at=1)
    ran = copy(run, source, target)
    assert (ran.code, ran.json["complete"]) == (0, True)
    counts = {table["table"]: table for table in ran.json["tables"]}
    assert counts["supertokens_py_sessions"]["copied"] == counts["session_info"]["copied"] == 2
    source.sessions.revoke([ended.handle])
    assert copy(run, source, target).code == 0
    there = Driver(target.uri, features=features)
    assert there.sessions.listed("ann", tenant_id=None) == source.sessions.listed("ann", tenant_id=None)
    assert there.sessions.details(kept.handle) == source.sessions.details(kept.handle)
    assert there.count("supertokens_py_sessions") == 1
    there.close()
    source.close()


def test_bound_sessions_stay_bound_in_the_copy(
    run: Runner, fresh_postgres_database: TestDatabase, target: TestDatabase
) -> None:
    """The key of the device goes along, and its next proof is accepted there; that of an ended one stays."""
    source = Driver(fresh_postgres_database.uri, features=SessionFeatures(device_keys=True))
    key = new_key()
    kept, ended = source.create("ann"), source.create("ann")
    challenges: list[str] = []
    for session in (kept, ended):
        offer = source.device_keys.offer(session.handle)
        bound = source.device_keys.register(proof(key, offer, with_key=True), check=lambda _: None)
        challenges.append(bound.challenge)
    source.sessions.revoke([ended.handle])
    ran = copy(run, source, target)
    counts = {table["table"]: table["copied"] for table in ran.json["tables"]}
    assert (ran.code, counts["supertokens_py_device_keys"]) == (0, 1)
    there = Driver(target.uri, features=SessionFeatures(device_keys=True))
    found = there.device_keys.of_refresh_token(kept.refresh_token.text)
    assert found == source.device_keys.of_session(kept.handle)
    proved = there.device_keys.prove(found.bound_id, proof(key, challenges[0]))
    assert proved.key == found
    there.close()
    source.close()
