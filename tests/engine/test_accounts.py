"""Users as they are listed, counted and deleted, and the tables that they are kept in."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from supertokens_py.engine.embedded.accounts.user_tables import (
    EMAIL_USERS,
    EMAILS_IN_TENANTS,
    USERS,
    USERS_IN_TENANTS,
)
from supertokens_py.engine.user_records import EMAIL_PASSWORD, UserQuery
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.users import User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
USER_TABLES = {
    "app_id_to_user_id",
    "all_auth_recipe_users",
    "emailpassword_users",
    "emailpassword_user_to_tenant",
    "emailpassword_pswd_reset_tokens",
    "userid_mapping",
    "emailverification_verified_emails",
    "emailverification_tokens",
}


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def bare(fresh_shared: TestDatabase) -> TestDatabase:
    """A database without tables of users, which the test may change."""
    return fresh_shared


@pytest.fixture
def core(stored: TestDatabase, start: Opener) -> Driver:
    return start(stored.uri, keeps_users=True, **QUICK)


def tables_of(database: TestDatabase) -> set[str]:
    if database.kind == "postgresql":
        sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    else:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table'"
    return {name for (name,) in database.query(sql)}


def many(core: Driver, start: int, count: int) -> list[str]:
    """Insert users without hashes, several in each millisecond; return their ids, oldest first."""
    ids = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(start, start + count)]
    rows = [
        {
            "app_id": "public",
            "tenant_id": "public",
            "user_id": one,
            "recipe_id": EMAIL_PASSWORD,
            "primary_or_recipe_user_id": one,
            "email": f"user{number}@example.com",
            "password_hash": "none",
            "time_joined": 1_000 + number // 3,
            "primary_or_recipe_user_time_joined": 1_000 + number // 3,
        }
        for number, one in enumerate(ids, start)
    ]

    def unit(connection: object) -> None:
        for definition in (USERS, USERS_IN_TENANTS, EMAIL_USERS, EMAILS_IN_TENANTS):
            table = core.database.tables[definition]
            # The users of a LEGACY database have no times in the first table.
            columns = [name for name in definition.columns if definition is not USERS or "time" not in name]
            connection.execute(insert(table), [{n: r[n] for n in columns if n in r} for r in rows])  # type: ignore[attr-defined]

    core.database.write(unit)
    return ids


@pytest.mark.parametrize("newest_first", [False, True])
def test_every_user_is_listed_once_while_others_join(core: Driver, newest_first: bool) -> None:
    """SI-70.

    A thousand, in pages, in the order in which they joined or the opposite one; who joins meanwhile is at the
    far end, or not on a page that is still to come.
    """
    ids = many(core, 0, 1000)
    seen: list[str] = []
    token, number = None, 1000
    while True:
        query = UserQuery(limit=97, newest_first=newest_first, token=token)
        page = core.users.page("public", query)
        seen += [user.id for user in page.users]
        token = page.next_token
        if token is None:
            break
        if number < 1030:
            many(core, number, 10)
            number += 10
    known = set(ids)
    by_id = reversed(ids)  # within a millisecond the greater id is first, whichever way the pages go
    expected = sorted(by_id, key=lambda one: int(one[:8]) // 3, reverse=newest_first)
    assert [one for one in seen if one in known] == expected
    assert len(seen) == len(set(seen))


def test_tenants_list_and_count_their_own_users(core: Driver) -> None:
    core.tenants.put("t1", {})
    ada = core.email_password.sign_up("t1", "ada@example.com", "a password 1")
    many(core, 0, 3)
    assert core.users.page("t1", UserQuery()).users == [ada]
    counts = [core.users.count(tenant_id=tenant) for tenant in ("public", "t1", "t2", None)]
    assert counts == [3, 1, 0, 4]


def test_percent_and_underscore_are_letters_in_a_search(core: Driver) -> None:
    many(core, 0, 3)
    for text, found in (("user", 3), ("user1@", 1), ("%", 0), ("user_", 0), ("EXAMPLE.com", 3)):
        assert len(core.users.page("public", UserQuery(email=text)).users) == found, text


def test_nothing_is_left_of_a_removed_user(stored: TestDatabase, core: Driver) -> None:
    """SI-69. In any table; others keep theirs."""
    core.roles.add("admin", [])
    users: list[User] = []
    for name in ("ada", "bob"):
        user = core.email_password.sign_up("public", f"{name}@example.com", "a password 1")
        assert isinstance(user, User)
        core.create(user.id)
        core.roles.assign(user.id, "admin", tenant_id="public")
        core.metadata.merge(user.id, {"a": 1})
        core.email_password.create_reset_token("public", user.id, None)
        insert_into = "INSERT INTO emailverification_verified_emails VALUES ('public', %s, %s)"
        stored.query(insert_into, user.id, user.email)
        users.append(user)
    core.users.count_active(0)  # writes what it has seen
    core.users.remove(users[0].id)
    for table in tables_of(stored):
        for column in stored.columns(table):
            if "user_id" in column and table != "user_roles":
                rows = stored.query(f"SELECT count(*) FROM {table} WHERE {column} = %s", users[0].id)
                assert rows == [(0,)], (table, column)
    assert core.roles.users("admin", tenant_id="public") == [users[1].id]
    assert core.users.find(users[0].id) is None
    assert core.users.find(users[1].id) is not None
    assert len(core.sessions.user_handles(users[1].id, tenant_id=None)) == 1
    core.users.remove(users[0].id)


def test_users_outlive_their_tenant(core: Driver) -> None:
    core.tenants.put("t1", {})
    user = core.email_password.sign_up("t1", "ada@example.com", "a password 1")
    assert isinstance(user, User)
    core.tenants.delete("t1")
    found = core.users.find(user.id)
    assert found is not None
    assert (found.tenant_ids, found.time_joined) == ([], user.time_joined)
    assert core.email_password.verify("t1", "ada@example.com", "a password 1") is None


# -- tables ------------------------------------------------------------------------------------------


def test_a_database_of_sessions_alone_has_no_tables_of_users(bare: TestDatabase, start: Opener) -> None:
    """They come with the recipe; a process without it goes on, and follows mappings then."""
    alone = start(bare.uri)
    alone.create("ada")
    assert not tables_of(bare) & USER_TABLES
    core = start(bare.uri, keeps_users=True, **QUICK)
    assert core.users.count(tenant_id=None) == 0
    assert tables_of(bare) >= USER_TABLES
    alone.create("ada")
    assert len(core.sessions.user_handles("ada", tenant_id=None)) == 2


def test_own_tables_of_users_are_not_taken_for_a_cores(bare: TestDatabase, start: Opener) -> None:
    """A core gives out refresh tokens that would be accepted; there is none."""
    core = start(bare.uri, keeps_users=True, **QUICK)
    assert not core.database.is_shared
    assert core.database.has_user_tables
    assert not start(bare.uri).database.is_shared
    assert start(bare.uri).database.has_user_tables


def test_rows_are_those_of_the_legacy_layout(stored: TestDatabase, core: Driver) -> None:
    """SI-65. Times of 0 in the first table tell core 12 to migrate the user."""
    user = core.email_password.sign_up("public", "ada@example.com", "a password 1")
    assert isinstance(user, User)
    common = {"app_id": "public", "user_id": user.id}
    kind = {"recipe_id": "emailpassword", "primary_or_recipe_user_id": user.id}
    (row,) = [stored.one("app_id_to_user_id")]
    assert row == {
        **common,
        **kind,
        "is_linked_or_is_a_primary_user": False,
        "time_joined": 0,
        "primary_or_recipe_user_time_joined": 0,
    }
    row = stored.one("all_auth_recipe_users")
    assert (row["time_joined"], row["primary_or_recipe_user_time_joined"]) == (user.time_joined,) * 2
    row = stored.one("emailpassword_user_to_tenant")
    assert row == {**common, "tenant_id": "public", "email": "ada@example.com"}


def test_a_database_of_core_9_is_used_as_it_is(stored: TestDatabase, start: Opener) -> None:
    """It has no times in the first table, and gets none."""
    start(stored.uri, keeps_users=True, **QUICK).users.count(tenant_id=None)
    for column in ("time_joined", "primary_or_recipe_user_time_joined"):
        stored.query(f"ALTER TABLE app_id_to_user_id DROP COLUMN {column}")
    before = stored.columns("app_id_to_user_id")
    core = start(stored.uri, keeps_users=True, **QUICK)
    assert isinstance(core.email_password.sign_up("public", "ada@example.com", "a password 1"), User)
    assert stored.columns("app_id_to_user_id") == before


def test_foreign_tables_of_the_same_names_are_refused(bare: TestDatabase, start: Opener) -> None:
    bare.query("CREATE TABLE emailpassword_users (id integer)")
    with pytest.raises(ConfigError, match="emailpassword_users"):
        start(bare.uri, keeps_users=True, **QUICK).users.count(tenant_id=None)
    start(bare.uri).create("ada")


def test_prefix_and_schema_hold_for_users_too(fresh_postgres_database: TestDatabase, start: Opener) -> None:
    settings = {"table_schema": "auth", "table_prefix": "st", **QUICK}
    core = start(fresh_postgres_database.uri, keeps_users=True, **settings)
    user = core.email_password.sign_up("public", "ada@example.com", "a password 1")
    assert isinstance(user, User)
    assert core.users.find(user.id) == user
    rows = fresh_postgres_database.query("SELECT user_id FROM auth.st_emailpassword_users")
    assert rows == [(user.id,)]
