"""`supertokens import` of users: everybody signs in as who they were, in whichever database they are."""

from __future__ import annotations

import importlib
import pkgutil
from base64 import b64encode
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from supertokens_py.engine import embedded
from supertokens_py.engine.code_records import ConsumedCode, NewCode
from supertokens_py.engine.embedded.accounts.user_tables import USER_TABLES
from supertokens_py.engine.embedded.all_tables import ALL_TABLES
from supertokens_py.engine.embedded.engine import tables_of as tables_of_features
from supertokens_py.engine.embedded.events import webhooks
from supertokens_py.engine.embedded.importing.rows import COPIED_TABLES, LEFT_OUT
from supertokens_py.engine.embedded.storage.tables import TableDefinition
from supertokens_py.engine.event_records import EventQuery
from supertokens_py.engine.records import IssuedSession
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.engine.user_records import SignedInUp, UserQuery
from supertokens_py.engine.webhook_records import Webhook
from supertokens_py.types.users import User
from tests.cli.conftest import Ran, Runner
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.engine.test_tenant_providers import GOOGLE
from tests.support.codes import use_new_code
from tests.support.core12 import add_tables, state_mode, write_user
from tests.support.databases import Sqlite, TestDatabase
from tests.support.receiver import receiving

QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
PASSWORD = "a good password 1"
EVERYTHING = SessionFeatures(details=True, events=True, revocations=True, deliveries=True, device_keys=True)
ID = "10000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Move:
    """Where users are, and where they are moved to."""

    run: Runner
    source: TestDatabase
    target: TestDatabase

    def __call__(self, *more: str) -> Ran:
        into = ("--connection-uri", self.target.uri)
        return self.run("import", "--json", "--from", self.source.uri, *into, *more)


def move_between(request: pytest.FixtureRequest, run: Runner, files: Sqlite, kinds: str) -> Move:
    before, after = kinds.split("-")
    source = "users_postgres_database" if before == "postgres" else None
    target = "empty_postgres_database" if after == "postgres" else None
    return Move(
        run,
        request.getfixturevalue(source) if source else files.create(users=True),
        request.getfixturevalue(target) if target else files.create(template=False),
    )


@pytest.fixture(
    params=[
        "sqlite-sqlite",
        *(
            pytest.param(kinds, marks=pytest.mark.postgres)
            for kinds in ("sqlite-postgres", "postgres-sqlite", "postgres-postgres")
        ),
    ]
)
def move(request: pytest.FixtureRequest, run: Runner, sqlite_files: Sqlite) -> Move:
    return move_between(request, run, sqlite_files, request.param)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def across(request: pytest.FixtureRequest, run: Runner, sqlite_files: Sqlite) -> Move:
    """From one kind to the other."""
    after = {"sqlite": "postgres", "postgres": "sqlite"}[request.param]
    return move_between(request, run, sqlite_files, f"{request.param}-{after}")


def signed_up(core: Driver, email: str, tenant: str = "public") -> User:
    user = core.email_password.sign_up(tenant, email, PASSWORD)
    assert isinstance(user, User)
    return user


def by_code(core: Driver, tenant: str = "public", **contact: str) -> User:
    used = use_new_code(core, tenant, **contact)
    assert isinstance(used, ConsumedCode)
    return used.user


def by_account(core: Driver, email: str = "dan@example.com") -> User:
    there = core.third_party.sign_in_up("public", *("google", "g-1"), email=email, is_verified=True)
    assert isinstance(there, SignedInUp)
    return there.user


def tables_of(ran: Ran) -> dict[str, Any]:
    return {table["table"]: table for table in ran.json["tables"]}


def users_of(core: Driver, tenant: str = "public") -> list[User]:
    return list(core.users.page(tenant, UserQuery(limit=100)).users)


def test_everybody_is_who_they_were(move: Move, start: Opener) -> None:
    """One user of each kind, with what belongs to them; signing in again gives the same id."""
    here = start(move.source.uri, keeps_users=True, **QUICK)
    here.tenants.put("t1", {"core_config": {"passwordless_code_lifetime": 60000}})
    here.tenants.put_provider("t1", GOOGLE)
    here.roles.add("admin", ["read"])
    ada, eve = signed_up(here, "ada@example.com"), signed_up(here, "eve@example.com")
    bob, cara = by_code(here, email="bob@example.com"), by_code(here, phone_number="+491701234567")
    dan = by_account(here)
    only_there = signed_up(here, "ada@example.com", "t1")
    here.users.associate("t1", bob.id)
    assert here.id_mappings.create(eve.id, "shop-5", "from the shop", force=False) is None
    token = here.email_verification.create_token("public", ada.id, "ada@example.com")
    here.email_verification.verify("public", token)
    ids = [ada.id, bob.id, cara.id, dan.id, "shop-5", only_there.id]
    sessions = [here.create(user_id) for user_id in ids[:5]]
    for user_id in ids:
        here.roles.assign(user_id, "admin", tenant_id="public")
        here.metadata.merge(user_id, {"of": user_id})
    # What is short-lived stays behind.
    here.email_password.create_reset_token("public", ada.id, None)
    here.passwordless.create_code("public", NewCode(email="bob@example.com"))
    before = {user_id: here.users.find(user_id) for user_id in ids}
    here.engine.flush()

    dry = move("--dry-run")
    assert (dry.code, tables_of(dry)["app_id_to_user_id"]["source"]) == (0, 6)
    ran = move("--batch", "2")
    assert (ran.code, ran.json["complete"], ran.json["losses"]) == (0, True, []), ran.err
    assert all(one["source"] == one["copied"] == one["verified"] for one in ran.json["tables"])

    there = start(move.target.uri, keeps_users=True, **QUICK)
    assert {user_id: there.users.find(user_id) for user_id in ids} == before
    assert there.tenants.all() == here.tenants.all()
    for tenant in ("public", "t1"):
        assert users_of(there, tenant) == users_of(here, tenant)
    assert there.email_verification.is_verified(ada.id, "ada@example.com")
    assert there.email_verification.is_verified(dan.id, "dan@example.com")
    assert there.id_mappings.find("shop-5") == here.id_mappings.find(eve.id)
    for user_id in ids:
        assert there.roles.of_user(user_id, tenant_id="public") == ["admin"]
        assert there.metadata.read(user_id) == {"of": user_id}
    assert [there.refresh(session).user_id for session in sessions] == ids[:5]
    for tenant, email, user_id in (
        ("public", "ada@example.com", ada.id),
        ("public", "eve@example.com", "shop-5"),
        ("t1", "ada@example.com", only_there.id),
    ):
        assert there.email_password.verify(tenant, email, PASSWORD).id == user_id
        assert there.email_password.verify(tenant, email, "a wrong password 2") is None
    assert by_code(there, email="bob@example.com").id == bob.id
    assert by_code(there, "t1", email="bob@example.com").id == bob.id
    assert by_code(there, phone_number="+491701234567").id == cara.id
    assert by_account(there).id == dan.id
    assert there.users.count(tenant_id=None) == 6


def test_the_next_import_follows_the_source(across: Move, start: Opener) -> None:
    """Addresses that changed hands, users who left and who came: the copy is like the source again."""
    here = start(across.source.uri, keeps_users=True, **QUICK)
    users = [by_code(here, email=f"{name}@example.com") for name in ("a", "b", "c", "d")]
    mapped, other = signed_up(here, "m@example.com"), signed_up(here, "n@example.com")
    here.id_mappings.create(mapped.id, "shop-1", None, force=False)
    assert across("--batch", "2").code == 0
    for user, name in ((users[0], "x"), (users[1], "a"), (users[0], "b")):  # they swap
        here.passwordless.update(user.id, email=f"{name}@example.com")
    here.users.remove(users[2].id)
    late = by_code(here, email="c@example.com")
    here.id_mappings.delete(mapped.id, force=True)
    here.id_mappings.create(other.id, "shop-1", None, force=False)
    ran = across("--batch", "2")
    assert (ran.code, ran.json["complete"]) == (0, True), ran.err
    assert {name: one["removed"] for name, one in tables_of(ran).items() if one["removed"]} == {
        **dict.fromkeys(("app_id_to_user_id", "all_auth_recipe_users", "passwordless_users"), 1),
        **dict.fromkeys(("passwordless_user_to_tenant", "userid_mapping"), 1),
        "emailverification_verified_emails": 3,
    }
    again = across()
    assert (again.code, {one["removed"] for one in again.json["tables"]}) == (0, {0}), again.err
    there = start(across.target.uri, keeps_users=True, **QUICK)
    assert users_of(there) == users_of(here)
    assert by_code(there, email="a@example.com").id == users[1].id
    assert by_code(there, email="b@example.com").id == users[0].id
    assert by_code(there, email="c@example.com").id == late.id
    assert there.email_password.verify("public", "n@example.com", PASSWORD).id == "shop-1"


def link(database: TestDatabase, primary: str, *linked: str, flag: bool = True) -> None:
    """Have users belong to a primary one, as an official core writes it."""
    for table in ("app_id_to_user_id", "all_auth_recipe_users"):
        for user_id in (primary, *linked):
            database.query(
                f"UPDATE {table} SET primary_or_recipe_user_id = %s, is_linked_or_is_a_primary_user = %s "
                "WHERE user_id = %s",
                *(primary, flag, user_id),
            )


def test_linked_users_stay_linked(across: Move, start: Opener) -> None:
    """A linked user may have the lower id; one whose primary user has left stays, and the copy is whole."""
    here = start(across.source.uri, keeps_users=True, **QUICK)
    users = [signed_up(here, f"{name}@example.com") for name in ("a", "b", "c")]
    low, middle, high = sorted(user.id for user in users)
    link(across.source, high, low)
    assert across("--batch", "1").code == 0
    there = start(across.target.uri, keeps_users=True, **QUICK)
    assert there.users.find(low) == there.users.find(high) == here.users.find(high)
    assert len(there.users.find(low).login_methods) == 2
    link(across.source, low, flag=False)
    across.source.query("DELETE FROM app_id_to_user_id WHERE user_id = %s", high)
    link(across.source, middle, low)
    ran = across("--batch", "1")
    assert (ran.code, ran.json["complete"]) == (0, True), ran.err
    again = across()
    assert (again.code, {one["removed"] for one in again.json["tables"]}) == (0, {0}), again.err
    assert there.users.find(low) == here.users.find(middle)
    assert there.users.find(high) is None


def test_the_history_of_sessions_goes_along(
    across: Move, start: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events keep their numbers, and a webhook gets what it has not got; ended sessions stay ended."""
    monkeypatch.setattr(webhooks.Webhooks, "wake", lambda _: None)
    with receiving() as receiver:
        hook = Webhook(url=receiver.url, secret="whsec_" + b64encode(b"k" * 32).decode())
        features = replace(EVERYTHING, webhooks=(hook,))
        here = start(across.source.uri, features=features)
        ann = here.create("ann")
        here.engine.flush()
        assert receiver.types == ["session.created"]
        bob = here.create("bob")
        here.sessions.revoke([ann.handle])
        here.create("late")
        across.source.query("DELETE FROM supertokens_py_events WHERE seq = 4")
        history = here.events.latest(EventQuery()), here.events.deliveries.all()
        ran = across("--batch", "1")
        assert (ran.code, ran.json["complete"]) == (0, True), ran.err
        counts = {name: one["verified"] for name, one in tables_of(ran).items()}
        assert [counts[name] for name in ("supertokens_py_events", "supertokens_py_deliveries")] == [3, 1]
        assert (counts["key_value"], counts["supertokens_py_revocations"]) == (1, 1)
        again = across()
        assert (again.code, {one["removed"] for one in again.json["tables"]}) == (0, {0}), again.err
        there = start(across.target.uri, features=features)
        assert (there.events.latest(EventQuery()), there.events.deliveries.all()) == history
        ended = "SELECT seq, handles FROM supertokens_py_revocations"
        assert across.target.query(ended) == across.source.query(ended)
        assert there.refresh(bob).user_id == "bob"
        there.sessions.revoke([bob.handle])
        assert [event.seq for event in there.events.latest(EventQuery(limit=2)).events] == [5, 3]
        there.engine.flush()
        assert receiver.types == ["session.created", "session.created", "session.revoked", "session.revoked"]


@pytest.mark.postgres
@pytest.mark.parametrize("before", ["sqlite", "postgres"])
def test_numbers_go_on_behind_the_rows_where_the_counter_cannot_be_read(
    request: pytest.FixtureRequest, run: Runner, sqlite_files: Sqlite, start: Opener, before: str
) -> None:
    """To a role that may only read tables, PostgreSQL says that no counter has ever given a number."""
    move = move_between(request, run, sqlite_files, f"{before}-postgres")
    here = start(move.source.uri, features=EVERYTHING)
    here.sessions.revoke([here.create(user_id).handle for user_id in ("ann", "bob")])
    if before == "sqlite":
        move.source.query("DELETE FROM sqlite_sequence")
        ran = move()
    else:
        move.source.query("CREATE ROLE reader LOGIN")
        try:
            move.source.query("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
            reader = move.source.uri.replace("//postgres@", "//reader@")
            ran = replace(move, source=replace(move.source, uri=reader))()
        finally:
            move.source.query("DROP OWNED BY reader")
            move.source.query("DROP ROLE reader")
    assert (ran.code, ran.json["complete"]) == (0, True), ran.err
    there = start(move.target.uri, features=EVERYTHING)
    there.sessions.revoke([there.create("eve").handle])
    seqs = {
        table: [seq for (seq,) in move.target.query(f"SELECT seq FROM supertokens_py_{table} ORDER BY seq")]
        for table in ("events", "revocations")
    }
    assert seqs == {"events": [1, 2, 3, 4, 5, 6], "revocations": [1, 2]}


def test_a_webhook_gets_the_events_behind_those_that_are_gone(
    request: pytest.FixtureRequest,
    run: Runner,
    sqlite_files: Sqlite,
    start: Opener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It goes on behind a number; neither a counter nor a row may be left to say that it was given."""
    monkeypatch.setattr(webhooks.Webhooks, "wake", lambda _: None)
    move = move_between(request, run, sqlite_files, "sqlite-sqlite")
    with receiving() as receiver:
        hook = Webhook(url=receiver.url, secret="whsec_" + b64encode(b"k" * 32).decode())
        features = replace(EVERYTHING, webhooks=(hook,))
        before = start(move.source.uri, features=EVERYTHING)
        for user_id in ("ann", "bob"):
            before.create(user_id)
        start(move.source.uri, features=features).create("eve")  # from 3 on
        move.source.query("DELETE FROM supertokens_py_events")
        move.source.query("DELETE FROM sqlite_sequence")
        ran = move()
        assert (ran.code, ran.json["complete"]) == (0, True), ran.err
        there = start(move.target.uri, features=features)
        there.create("late")
        assert [event.seq for event in there.events.latest(EventQuery()).events] == [3]
        there.engine.flush()
        assert receiver.types == ["session.created"]


def test_users_of_the_destination_are_left_alone(across: Move, start: Opener) -> None:
    """Somebody with the same address signed up there, before the import or after it: nothing is written."""
    here = start(across.source.uri, keeps_users=True, **QUICK)
    ada = signed_up(here, "ada@example.com")
    early = start(across.target.uri, keeps_users=True, **QUICK)
    stranger = signed_up(early, "ada@example.com")
    ran = across()
    assert (ran.code, ran.out) == (2, "")
    assert (
        "has data of its own (table app_id_to_user_id): import into an empty database, and start the "
        "application on it afterwards. What is in this one is in the way, and nothing was written to it"
    ) in ran.err
    assert users_of(early) == [stranger]
    early.users.remove(stranger.id)
    assert across().code == 0
    assert users_of(early) == [ada]
    late = signed_up(early, "late@example.com")
    ran = across()
    assert (ran.code, "is in use: it was written to since the import" in ran.err) == (2, True)
    assert {user.id for user in users_of(early)} == {ada.id, late.id}


def test_tables_of_users_are_made_where_the_source_has_them(
    run: Runner, sqlite_files: Sqlite, start: Opener
) -> None:
    """A database of sessions alone gets none."""
    for has_users in (True, False):
        source, target = sqlite_files.create(users=has_users), sqlite_files.create(template=False)
        ran = run("import", "--from", source.uri, "--connection-uri", target.uri)
        found = target.query("SELECT count(*) FROM sqlite_master WHERE name = 'app_id_to_user_id'")
        assert (ran.code, found) == (0, [(int(has_users),)])


def test_users_of_other_apps_stay_behind(run: Runner, sqlite_files: Sqlite) -> None:
    """One database serves one app, and it is said how many there were."""
    source, target = sqlite_files.create(users=True), sqlite_files.create(template=False)
    source.query("INSERT INTO apps (app_id, created_at_time) VALUES ('shop', 1)")
    source.query(
        "INSERT INTO app_id_to_user_id (app_id, user_id, recipe_id, primary_or_recipe_user_id) "
        "VALUES ('shop', %s, 'emailpassword', %s)",
        *(ID, ID),
    )
    ran = run("import", "--from", source.uri, "--connection-uri", target.uri)
    assert (ran.code, ran.out.splitlines()[-1]) == (
        0,
        "note: not copied, for one database serves one app: 1 user of other apps",
    )
    assert target.query("SELECT user_id FROM app_id_to_user_id") == []


@pytest.fixture
def core_12(
    run: Runner, users_postgres_database: TestDatabase, sqlite_files: Sqlite, start: Opener
) -> tuple[Move, IssuedSession]:
    """A database that core 12 keeps users in, in tables of its own, and a session."""
    start(users_postgres_database.uri, keeps_users=True).tenants.put("t1", {})
    add_tables(users_postgres_database)
    session = start(users_postgres_database.uri).create(ID)
    return Move(run, users_postgres_database, sqlite_files.create(template=False)), session


@pytest.mark.postgres
def test_a_destination_of_core_12_is_left_alone(
    run: Runner, users_postgres_database: TestDatabase, sqlite_files: Sqlite
) -> None:
    add_tables(users_postgres_database)
    state_mode(users_postgres_database, "MIGRATED")
    ran = Move(run, sqlite_files.create(users=True), users_postgres_database)()
    assert ran.code == 2
    assert (
        "has users in the tables of SuperTokens core 12 (migration_mode MIGRATED), which an import does not "
        "write: import into an empty database"
    ) in ran.err


@pytest.mark.postgres
@pytest.mark.parametrize("stated", ["MIGRATED", None])
def test_users_who_cannot_be_copied_are_told_before_and_after(
    core_12: tuple[Move, IssuedSession], start: Opener, stated: str | None
) -> None:
    """The rest is; the exit code says that something is missing, in a dry run as well."""
    move, session = core_12
    write_user(move.source, "MIGRATED", ID, {"email": "ada@example.com"}, joined_ms=1, password_hash="none")
    if stated is not None:
        state_mode(move.source, stated)
    loss = (
        "1 user cannot be copied: SuperTokens core 12 keeps them in tables of its own; to keep them, copy "
        "the whole database by its own means (pg_dump) and start on the copy"
    )
    dry = move("--dry-run")
    assert (dry.code, dry.json["losses"]) == (1, [loss])
    ran = move.run("import", "--from", move.source.uri, "--connection-uri", move.target.uri)
    assert (ran.code, ran.err) == (1, f"supertokens: {loss}\n")
    lines = ran.out.splitlines()
    assert lines.index(f"WARN  {loss}") < next(
        number for number, line in enumerate(lines) if line.startswith("copied:")
    )
    assert start(move.target.uri).refresh(session).user_id == ID


@pytest.mark.postgres
def test_users_of_a_recipe_that_is_not_served_are_told(
    core_12: tuple[Move, IssuedSession], start: Opener
) -> None:
    """They keep their id, and cannot sign in with what only a core keeps."""
    move, _ = core_12
    move.source.query(
        "INSERT INTO app_id_to_user_id (app_id, user_id, recipe_id, primary_or_recipe_user_id) "
        "VALUES ('public', %s, 'webauthn', %s)",
        *(ID, ID),
    )
    ran = move()
    assert (ran.code, ran.json["complete"]) == (1, False)
    assert ran.json["losses"] == [
        "1 user of recipe webauthn cannot sign in there: we do not serve it; to keep them, copy the whole "
        "database by its own means (pg_dump) and start on the copy"
    ]
    assert move.target.query("SELECT user_id FROM app_id_to_user_id") == [(ID,)]


def all_definitions() -> set[TableDefinition]:
    found: set[TableDefinition] = set()
    for module in pkgutil.walk_packages(embedded.__path__, f"{embedded.__name__}."):
        values = vars(importlib.import_module(module.name)).values()
        found |= {one for one in values if isinstance(one, TableDefinition)}
    return found


def test_every_table_is_copied_or_left_out_on_purpose() -> None:
    """Whoever adds a table decides what a move to another database does with it, and says so in the docs."""
    names = {one.name for one in all_definitions()}
    assert names == {*COPIED_TABLES, *LEFT_OUT}
    assert not COPIED_TABLES.keys() & LEFT_OUT.keys()
    made = {one.name for one in (*ALL_TABLES, *USER_TABLES, *tables_of_features(EVERYTHING))}
    assert names - made == {name for name, reason in LEFT_OUT.items() if "core 12 alone" in reason}


def test_the_docs_name_what_is_left_out() -> None:
    """An operator reads it before the move. (`apps` and the tables of core 12 have nothing of theirs.)"""
    page = (Path(__file__).parents[2] / "docs" / "production.md").read_text()
    section = page.partition("## From SQLite to PostgreSQL")[2].partition("\n## ")[0]
    left_out = [name for name, reason in LEFT_OUT.items() if name != "apps" and "core 12" not in reason]
    assert [name for name in left_out if f"`{name}`" not in section] == []
