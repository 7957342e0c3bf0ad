"""Users in the layouts of SuperTokens core 12: the same users, whichever tables say who is in a tenant."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from supertokens_py.engine.code_records import (
    ConsumedCode,
    PhoneNumberTaken,
)
from supertokens_py.engine.embedded.accounts.primary_rows import PrimaryRows
from supertokens_py.engine.embedded.accounts.user_layout import decide
from supertokens_py.engine.embedded.cleanup import Cleaner
from supertokens_py.engine.embedded.importing.users import Arrival, ImportedUser, UserImport
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.tenant_members import Associated
from supertokens_py.engine.user_records import (
    EMAIL_PASSWORD,
    PASSWORDLESS,
    THIRD_PARTY,
    EmailChangeNotAllowed,
    EmailTaken,
    SignedInUp,
    UserQuery,
)
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo, User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.engine.test_official_users import core_argon2
from tests.support.clock import Clock
from tests.support.codes import use_new_code
from tests.support.core12 import (
    MODES,
    NEW_TABLES,
    OLD_TABLES,
    add_tables,
    make_primary,
    reserved,
    rows_of,
    state_mode,
    write_user,
)
from tests.support.databases import TestDatabase

pytestmark = pytest.mark.postgres

QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
PASSWORD = "a good password 1"
EMAIL, NUMBER, THERE = "ada@example.com", "+491701234567", ThirdPartyInfo("g-1", "google")
ID = "10000000-0000-4000-8000-000000000000"
#: Tables that have a row of a user of a recipe in every layout.
OWN_TABLES = ("app_id_to_user_id", "emailpassword_users", "passwordless_users", "thirdparty_users")
TABLES = (*OLD_TABLES, *NEW_TABLES, *OWN_TABLES)


def database_of_core_12(database: TestDatabase, start: Opener) -> TestDatabase:
    """Have a database the tables that core 12 makes, where it keeps users, and a second tenant."""
    core = start(database.uri, keeps_users=True)
    core.tenants.put("t1", {})
    core.close()
    add_tables(database)
    return database


@pytest.fixture
def stored(fresh_postgres_database: TestDatabase, start: Opener) -> TestDatabase:
    return database_of_core_12(fresh_postgres_database, start)


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, stored: TestDatabase) -> str:
    """One of the layouts of core 12, which the configuration of the public tenant states."""
    state_mode(stored, request.param)
    return request.param


MIGRATED = pytest.mark.parametrize("mode", ["MIGRATED"], indirect=True)
WITH_AND_WITHOUT_OLD_TABLES = pytest.mark.parametrize(
    "mode", ["DUAL_WRITE_READ_OLD", "MIGRATED"], indirect=True
)


@pytest.fixture
def core(stored: TestDatabase, mode: str, start: Opener, clock: Clock) -> Driver:
    return start(stored.uri, keeps_users=True, now_ms=clock, **QUICK)


def signed_up(core: Driver, email: str = EMAIL, tenant: str = "public") -> User:
    user = core.email_password.sign_up(tenant, email, PASSWORD)
    assert isinstance(user, User)
    return user


def by_code(core: Driver, tenant: str = "public", **contact: str) -> User:
    used = use_new_code(core, tenant, **contact)
    assert isinstance(used, ConsumedCode)
    return used.user


def by_account(
    core: Driver, email: str = EMAIL, there: ThirdPartyInfo = THERE, tenant: str = "public"
) -> Any:
    return core.engine.third_party.sign_in_up(tenant, there.id, there.user_id, email=email, is_verified=False)


def known_by(core: Driver, tenant: str = "public", **info: Any) -> set[str]:
    return {user.id for user in core.users.by_account_info(tenant, AccountInfo(**info))}


def all_rows(database: TestDatabase, user_id: str) -> dict[str, list[dict[str, Any]]]:
    """Return every row of a user, with the user's own id replaced."""
    found = {table: rows_of(database, table, user_id) for table in TABLES}
    return {
        table: [{name: "own" if value == user_id else value for name, value in row.items()} for row in rows]
        for table, rows in found.items()
        if rows
    }


# -- which layout ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "setting", "has_rows", "expected"),
    [
        ({"public": None}, "AUTO", False, "LEGACY"),
        ({"public": None}, "LEGACY", True, "LEGACY"),
        ({"public": None, "t1": None}, "MIGRATED", False, "MIGRATED"),
        ({"public": "MIGRATED", "t1": None}, "AUTO", True, "MIGRATED"),
        ({"public": None, "t1": "LEGACY"}, "AUTO", False, "LEGACY"),
        ({"public": None, "t1": "DUAL_WRITE_READ_OLD"}, "DUAL_WRITE_READ_OLD", True, "DUAL_WRITE_READ_OLD"),
        ({"public": None}, "AUTO", True, "no configuration of a tenant says"),
        ({"public": None, "t1": "MIGRATED"}, "AUTO", True, r"not the same everywhere \(MIGRATED, not set\)"),
        ({"public": None, "t1": "MIGRATED"}, "AUTO", False, r"everywhere \(LEGACY, MIGRATED\)"),
        ({"public": "MIGRATED"}, "LEGACY", True, r"everywhere \(LEGACY, MIGRATED\)"),
        ({"public": "OTHER"}, "AUTO", True, "migration_mode is OTHER, which no SuperTokens core has"),
    ],
)
def test_the_mode_is_what_the_core_goes_by(
    stated: dict[str, str | None], setting: Any, has_rows: bool, expected: str
) -> None:
    """SI-65. What cannot be known, or differs between tenants, is refused."""
    if expected.isupper():
        assert decide(stated, setting, has_rows=has_rows) == expected
        return
    with pytest.raises(ConfigError, match=expected):
        decide(stated, setting, has_rows=has_rows)


def test_a_mode_that_the_tables_deny_is_refused(
    fresh_postgres_database: TestDatabase, sqlite_database: TestDatabase, start: Opener
) -> None:
    """SI-65. Whoever reads the wrong tables would make second users of the same people."""

    def count(database: TestDatabase, **settings: Any) -> int:
        return start(database.uri, keeps_users=True, **QUICK, **settings).users.count(tenant_id="public")

    for database in (sqlite_database, fresh_postgres_database):
        with pytest.raises(ConfigError, match="has no tables of users of SuperTokens core 12"):
            count(database, migration_mode="MIGRATED")
    stored = database_of_core_12(fresh_postgres_database, start)
    assert count(stored) == count(stored, migration_mode="MIGRATED") == 0
    write_user(stored, "LEGACY", ID, {"email": EMAIL}, joined_ms=1, password_hash="none")
    assert count(stored) == 1
    with pytest.raises(ConfigError, match="no user is in the tables of SuperTokens core 12"):
        count(stored, migration_mode="MIGRATED")
    other = ID.replace("1", "2", 1)
    write_user(stored, "MIGRATED", other, {"email": "bob@example.com"}, joined_ms=2, password_hash="none")
    with pytest.raises(ConfigError, match="no configuration of a tenant says in which migration_mode"):
        count(stored)
    with pytest.raises(ConfigError, match="the latest users are in the tables of SuperTokens core 12 alone"):
        count(stored, migration_mode="LEGACY")
    assert count(stored, migration_mode="MIGRATED") == 1
    start(stored.uri).create("ada")  # sessions are in the same tables always


@pytest.mark.parametrize("config", ["{", "[]", "5", '"{}"'])
def test_a_configuration_that_is_no_json_object_is_refused(
    sqlite_database: TestDatabase, start: Opener, config: str
) -> None:
    start(sqlite_database.uri, keeps_users=True).database.prepare()
    state_mode(sqlite_database, "LEGACY")
    sqlite_database.query("UPDATE tenant_configs SET core_config = %s", config)
    with pytest.raises(ConfigError, match=r"configuration of tenant 'public', core_config in .* no JSON"):
        start(sqlite_database.uri, keeps_users=True).users.count(tenant_id="public")


def test_times_that_an_older_core_has_not_added_yet_are_not_looked_for(
    fresh_postgres_database: TestDatabase, start: Opener
) -> None:
    """SI-65. Users are in its own tables only, so nobody can be missed."""
    stored = database_of_core_12(fresh_postgres_database, start)
    write_user(stored, "LEGACY", ID, {"email": EMAIL}, joined_ms=1, password_hash="none")
    stored.query("ALTER TABLE app_id_to_user_id DROP COLUMN primary_or_recipe_user_time_joined")
    assert start(stored.uri, keeps_users=True, **QUICK).users.count(tenant_id="public") == 1


# -- what is written ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["LEGACY", *MODES], indirect=True)
def test_rows_are_those_that_a_core_writes(
    core: Driver, stored: TestDatabase, mode: str, clock: Clock
) -> None:
    """SI-65. In every mode, for each recipe, literally."""
    ours = {
        "email": signed_up(core).id,
        "contact": by_code(core, email=EMAIL).id,
        "number": by_code(core, phone_number=NUMBER).id,
        "account": by_account(core).user.id,
    }
    rows = {name: all_rows(stored, user_id) for name, user_id in ours.items()}
    hashed = rows["email"]["emailpassword_users"][0]["password_hash"]
    for user_id in ours.values():
        core.users.remove(user_id)
    known: dict[str, dict[str, str]] = {
        "email": {"email": EMAIL},
        "contact": {"email": EMAIL},
        "number": {"phone_number": NUMBER},
        "account": {"email": EMAIL, "third_party_id": "google", "third_party_user_id": "g-1"},
    }
    for number, name in enumerate(ours, start=1):
        user_id = f"{number}{ID[1:]}"
        password_hash = hashed if name == "email" else ""
        write_user(stored, mode, user_id, known[name], joined_ms=clock(), password_hash=password_hash)
        assert rows[name] == all_rows(stored, user_id)
    joined = rows["email"]["app_id_to_user_id"][0]
    time = 0 if mode == "LEGACY" else clock()
    assert (joined["time_joined"], joined["primary_or_recipe_user_time_joined"]) == (time, time)
    assert ("all_auth_recipe_users" in rows["email"]) is (mode != "MIGRATED")


def test_other_addresses_are_written_everywhere(core: Driver, stored: TestDatabase, mode: str) -> None:
    """SI-36. What the user is known by follows in every table that the mode keeps."""
    with_password, with_code = signed_up(core).id, by_code(core, email=EMAIL).id
    at_provider = by_account(core).user.id
    assert (
        core.email_password.update(
            with_password, email="new@example.com", password=None, revoke_sessions=True
        )
        is None
    )
    core.passwordless.update(with_code, phone_number=NUMBER)
    assert {one["account_info_type"] for one in rows_of(stored, NEW_TABLES[1], with_code)} == {
        "email",
        "phone",
    }
    assert known_by(core, phone_number=NUMBER) == known_by(core, email=EMAIL) - {at_provider} == {with_code}
    core.passwordless.update(with_code, email=None)
    assert by_account(core, "new@example.com").user.id == at_provider
    assert known_by(core, email=EMAIL) == set()
    assert known_by(core, email="new@example.com") == {with_password, at_provider}
    for table in NEW_TABLES:
        values = {
            user_id: [
                (one["account_info_type"], one["account_info_value"])
                for one in rows_of(stored, table, user_id)
            ]
            for user_id in (with_password, with_code, at_provider)
        }
        assert values == {
            with_password: [("email", "new@example.com")],
            with_code: [("phone", NUMBER)],
            at_provider: [("email", "new@example.com"), ("tparty", "google::g-1")],
        }
    contacts = [{"tenant_id": "public", "email": None, "phone_number": NUMBER}]
    assert rows_of(stored, "passwordless_user_to_tenant", with_code) == contacts * (mode != "MIGRATED")
    addresses = [{"tenant_id": "public", "email": "new@example.com"}]
    assert rows_of(stored, "emailpassword_user_to_tenant", with_password) == addresses * (mode != "MIGRATED")


@WITH_AND_WITHOUT_OLD_TABLES
def test_nothing_is_kept_of_a_removed_user(core: Driver, stored: TestDatabase) -> None:
    """SI-69. No foreign key leads from the tables of core 12 to users."""
    users = [signed_up(core).id, by_code(core, email=EMAIL).id, by_account(core).user.id]
    other = signed_up(core, "bob@example.com").id
    for user_id in users:
        core.users.remove(user_id)
    assert {table: stored.query(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES} == {
        table: int(bool(rows_of(stored, table, other))) for table in TABLES
    }
    signed_up(core), by_code(core, email=EMAIL), by_account(core)


def test_nothing_is_left_in_tables_that_are_not_in_use(stored: TestDatabase, start: Opener) -> None:
    """SI-69. Where a core went back to LEGACY, or this process does not know yet that it went on."""
    state_mode(stored, "DUAL_WRITE_READ_OLD")
    core = start(stored.uri, keeps_users=True, **QUICK)
    removed, left = signed_up(core).id, by_account(core).user.id
    changed = by_code(core, phone_number=NUMBER).id
    state_mode(stored, "LEGACY")
    legacy = start(stored.uri, keeps_users=True, **QUICK)
    legacy.users.remove(removed)
    assert legacy.users.dissociate("public", left) is True
    assert legacy.passwordless.update(changed, phone_number="+491701234568") is None
    assert [rows_of(stored, table, removed) for table in TABLES] == [[]] * len(TABLES)
    assert rows_of(stored, NEW_TABLES[1], left) == []
    for table in NEW_TABLES:
        assert [one["account_info_value"] for one in rows_of(stored, table, changed)] == ["+491701234568"]
    again = (signed_up(core).id, by_account(core, there=THERE).user.id, by_code(core, phone_number=NUMBER).id)
    assert not {removed, left, changed} & set(again)


def test_a_core_that_moves_on_is_followed(
    fresh_postgres_database: TestDatabase, start: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    """Processes that opened the database before learn of it at a clean-up, though one alone cleans up."""
    core = start(fresh_postgres_database.uri, keeps_users=True, **QUICK)
    before = signed_up(core).id
    add_tables(fresh_postgres_database)
    state_mode(fresh_postgres_database, "DUAL_WRITE_READ_OLD")
    cleaner = Cleaner(core.database, core.ring, core.settings)
    cleaner.also_everywhere(core.accounts.learn_layout)
    cleaner.clean_up_if_first()  # the first interval begins: nothing is cleaned up
    after = signed_up(core, "bob@example.com").id
    for table in NEW_TABLES:
        assert rows_of(fresh_postgres_database, table, before) == []
        assert [one["account_info_value"] for one in rows_of(fresh_postgres_database, table, after)] == [
            "bob@example.com"
        ]
    state_mode(fresh_postgres_database, "OTHER")
    core.engine.clean_up()
    assert "a tenant's migration_mode is OTHER, which no SuperTokens core has" in caplog.text
    assert rows_of(fresh_postgres_database, NEW_TABLES[1], signed_up(core, "eve@example.com").id)


def test_a_user_whom_the_core_has_not_moved_yet_gets_no_rows(stored: TestDatabase, start: Opener) -> None:
    """The core moves users whose times are 0, and would skip one who has rows already."""
    write_user(stored, "LEGACY", ID, {"email": EMAIL}, joined_ms=1)
    state_mode(stored, "DUAL_WRITE_READ_OLD")
    core = start(stored.uri, keeps_users=True, **QUICK)
    assert core.passwordless.update(ID, email="new@example.com", phone_number=NUMBER) is None
    assert known_by(core, email="new@example.com", phone_number=NUMBER) == {ID}
    assert [rows_of(stored, table, ID) for table in NEW_TABLES] == [[], []]
    assert rows_of(stored, "app_id_to_user_id", ID)[0]["time_joined"] == 0


LINKED_ID = f"b{ID[1:]}"


def linked_users(database: TestDatabase, mode: str, email: str = EMAIL) -> None:
    """Write two accounts of one person at providers, as a core links them; `email` is the second one's."""
    there = {"third_party_id": "google", "third_party_user_id": "g-1"}
    write_user(database, mode, ID, {"email": EMAIL, **there}, joined_ms=1)
    other = {"email": email, "third_party_id": "github", "third_party_user_id": "h-1"}
    write_user(database, mode, LINKED_ID, other, joined_ms=2, tenant_id="t1")
    infos = {("tparty", "google::g-1"), ("email", EMAIL), ("tparty", "github::h-1"), ("email", email)}
    make_primary(database, mode, ID, [LINKED_ID], infos)


@pytest.mark.parametrize("second", ["bob@example.com", EMAIL])
def test_a_linked_user_of_a_provider_gets_the_new_address(
    core: Driver, stored: TestDatabase, mode: str, second: str
) -> None:
    """SI-57, SI-67. It is reserved for the primary user; the former one no more, unless somebody has it."""
    linked_users(stored, mode, second)
    found = by_account(core)
    assert (found.user.id, found.recipe_user_id, found.user.is_primary_user) == (ID, ID, True)
    assert {*found.user.emails} == {EMAIL, second}
    moved = by_account(core, "new@example.com")
    assert (moved.user.id, {*moved.user.emails}) == (ID, {"new@example.com", second})
    assert core.users.find(ID) == core.users.find(LINKED_ID) == moved.user
    linked = by_account(core, second, ThirdPartyInfo("h-1", "github"), "t1")
    assert (linked.user.id, linked.recipe_user_id) == (ID, LINKED_ID)
    assert {("public", *one) for one in (("tparty", "google::g-1"), ("email", "new@example.com"))} == {
        (row["tenant_id"], row["account_info_type"], row["account_info_value"])
        for row in rows_of(stored, "recipe_user_tenants", ID)
    }
    of_both = {"tparty": {"google::g-1", "github::h-1"}, "email": {"new@example.com", second}}
    assert reserved(stored) == {
        (tenant, kind, value, ID)
        for tenant in ("public", "t1")
        for kind, values in of_both.items()
        for value in values
    }
    assert known_by(core, email="new@example.com") == {ID}
    assert EMAIL not in {
        one["account_info_value"] for one in rows_of(stored, "recipe_user_account_infos", ID)
    }


def test_a_linked_user_takes_no_address_of_another_primary_user(
    core: Driver, stored: TestDatabase, mode: str
) -> None:
    """Also one that is reserved where no login method with it is left, and every table stays as it is."""
    linked_users(stored, mode, "bob@example.com")
    other = f"c{ID[1:]}"
    write_user(stored, mode, other, {"email": "other@example.com"}, joined_ms=3, tenant_id="t1")
    infos = {("email", "other@example.com"), ("email", "reserved@example.com")}
    make_primary(stored, mode, other, [], infos, tenants=("t1",))
    before = (all_rows(stored, ID), reserved(stored))
    for address in ("other@example.com", "reserved@example.com"):
        refused = by_account(core, address)
        assert refused == EmailChangeNotAllowed("Email already associated with another primary user.")
    assert (all_rows(stored, ID), reserved(stored)) == before
    assert by_account(core, "bob@example.com").user.emails == ["bob@example.com"]
    assert ("t1", "email", "bob@example.com", ID) in reserved(stored)


@MIGRATED
def test_of_two_primary_users_one_gets_a_new_address(
    core: Driver, stored: TestDatabase, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At one moment, when neither sees the other: the key of the table decides."""
    linked_users(stored, mode, "bob@example.com")
    other, there = f"c{ID[1:]}", {"third_party_id": "google", "third_party_user_id": "g-9"}
    write_user(stored, mode, other, {"email": "other@example.com", **there}, joined_ms=3)
    make_primary(stored, mode, other, [], {("email", "other@example.com")}, tenants=("public",))
    both, look = threading.Barrier(2, timeout=30), PrimaryRows.is_taken
    looked = threading.local()

    def together(self: PrimaryRows, *args: Any, **more: Any) -> bool:
        found = look(self, *args, **more)
        if not hasattr(looked, "once"):
            looked.once = both.wait()
        return found

    monkeypatch.setattr(PrimaryRows, "is_taken", together)
    accounts = (THERE, ThirdPartyInfo("g-9", "google"))
    with ThreadPoolExecutor(2) as people:
        results = [*people.map(lambda one: by_account(core, "new@example.com", one), accounts)]
    assert [isinstance(one, SignedInUp) for one in results].count(True) == 1
    assert EmailChangeNotAllowed("Email already associated with another primary user.") in results
    assert len({owner for *_, value, owner in reserved(stored) if value == "new@example.com"}) == 1


# -- what is read ------------------------------------------------------------------------------------------


def test_users_of_a_core_are_found_and_sign_in(core: Driver, stored: TestDatabase, mode: str) -> None:
    """SI-64, SI-68."""
    ada, bob, carl, dora = (f"{number}{ID[1:]}" for number in range(1, 5))
    hashed = core_argon2(PASSWORD)
    write_user(stored, mode, ada, {"email": EMAIL}, joined_ms=1, password_hash=hashed)
    write_user(stored, mode, bob, {"email": EMAIL, "phone_number": NUMBER}, joined_ms=2)
    there = {"third_party_id": "google", "third_party_user_id": "g-1"}
    write_user(stored, mode, carl, {"email": EMAIL, **there}, joined_ms=3)
    write_user(stored, mode, dora, {"email": EMAIL}, joined_ms=4, password_hash=hashed, tenant_id="t1")
    stored.query("INSERT INTO userid_mapping VALUES ('public', %s, 'ada-1', NULL)", ada)

    assert core.email_password.verify("public", EMAIL, PASSWORD).to_json() == {
        "id": "ada-1",
        "isPrimaryUser": False,
        "tenantIds": ["public"],
        "timeJoined": 1,
        "emails": [EMAIL],
        "phoneNumbers": [],
        "thirdParty": [],
        "webauthn": {"credentialIds": []},
        "loginMethods": [
            {
                "recipeId": "emailpassword",
                "recipeUserId": "ada-1",
                "tenantIds": ["public"],
                "email": EMAIL,
                "timeJoined": 1,
                "verified": False,
            }
        ],
    }
    assert core.email_password.verify("t1", EMAIL, PASSWORD).id == dora
    assert by_code(core, email=EMAIL).id == by_code(core, phone_number=NUMBER).id == bob
    assert by_account(core) == SignedInUp(core.users.find(carl), carl, False)
    token = core.email_password.create_reset_token("public", "ada-1", EMAIL)
    assert core.email_password.create_reset_token("t1", "ada-1", EMAIL) is None
    assert core.email_password.consume_reset_token("t1", token) is None
    assert core.email_password.consume_reset_token("public", token).user_id == "ada-1"

    assert known_by(core, email=EMAIL) == {"ada-1", bob, carl}
    assert known_by(core, "t1", email=EMAIL) == {dora}
    assert known_by(core, phone_number=NUMBER) == {bob}
    assert known_by(core, third_party=THERE) == {carl}
    assert known_by(core, third_party=ThirdPartyInfo("g-1", "github")) == set()


@MIGRATED
def test_users_of_a_core_are_listed_and_counted(core: Driver, stored: TestDatabase, mode: str) -> None:
    """SI-70. Each once, however many rows there are, in the order in which they joined."""
    ids = [f"{number}{ID[1:]}" for number in range(6)]
    for number, user_id in enumerate(ids):
        known = {"email": f"user{number}@example.com", "phone_number": f"+4917012345{number}0"}
        write_user(stored, mode, user_id, known, joined_ms=1 + number // 2)
    there = {"email": EMAIL, "third_party_id": "google", "third_party_user_id": "g-1"}
    write_user(stored, mode, "a" + ID[1:], there, joined_ms=9)

    def pages(**query: Any) -> list[str]:
        found, token = list[str](), None
        while token is not None or not found:
            page = core.users.page("public", UserQuery(limit=2, token=token, **query))
            found += [user.id[:1] for user in page.users]
            token = page.next_token
            if token is None:
                break
        return found

    assert pages() == ["1", "0", "3", "2", "5", "4", "a"]
    assert pages(newest_first=True) == ["a", "5", "4", "3", "2", "1", "0"]
    assert pages(recipe_ids=[THIRD_PARTY]) == ["a"]
    for wanted, expected in (
        ({"email": "user"}, "103254"),
        ({"email": "example.com"}, "103254a"),
        ({"email": "user1", "phone_number": "+491701234510"}, "1"),
        ({"email": "user1", "phone_number": "+491701234520"}, ""),
        ({"phone_number": "+4917"}, "103254"),
        ({"provider": "goo"}, "a"),
        ({"provider": "goo", "email": "user"}, ""),
        ({"email": "%"}, ""),
    ):
        found = core.users.page("public", UserQuery(**wanted)).users
        assert "".join(user.id[:1] for user in found) == expected, wanted
    assert core.users.count(tenant_id="public") == core.users.count(tenant_id=None) == 7
    assert core.users.count(tenant_id="public", recipe_ids=[PASSWORDLESS]) == 6
    assert (
        core.users.count(tenant_id="t1") == core.users.count(tenant_id=None, recipe_ids=[EMAIL_PASSWORD]) == 0
    )


# -- who may have what -------------------------------------------------------------------------------------


def test_parallel_sign_ups_of_one_person_make_one_user(core: Driver, stored: TestDatabase) -> None:
    """SI-12, SI-43. The key of the tables in use decides, not what was read before."""
    with ThreadPoolExecutor(8) as people:
        with_password = [
            *people.map(lambda _: core.email_password.sign_up("public", EMAIL, PASSWORD), range(8))
        ]
        at_provider = [*people.map(lambda _: by_account(core), range(8))]
        with_code = [*people.map(lambda _: use_new_code(core, email=EMAIL), range(4))]
    made = [user for user in with_password if isinstance(user, User)]
    assert (len(made), with_password.count(EmailTaken())) == (1, 7)
    assert len({one.user.id for one in at_provider}) == 1
    assert sum(one.created for one in at_provider) == 1
    # Whoever comes second has to ask for another code: the first ended all of the address.
    assert len({one.user.id for one in with_code if isinstance(one, ConsumedCode)}) == 1
    assert core.users.count(tenant_id="public") == core.users.count(tenant_id=None) == 3
    assert stored.query("SELECT count(*) FROM recipe_user_tenants") == [(4,)]


@WITH_AND_WITHOUT_OLD_TABLES
def test_what_somebody_has_is_taken(core: Driver) -> None:
    """SI-11. Within a recipe and a tenant; elsewhere it is free."""
    ada, bob = signed_up(core).id, signed_up(core, "bob@example.com").id
    assert core.email_password.sign_up("public", " ADA@example.com", PASSWORD) == EmailTaken()
    assert core.email_password.update(bob, email=EMAIL, password=None, revoke_sessions=True) == EmailTaken()
    assert signed_up(core, tenant="t1").id != ada
    with_code, other = by_code(core, email=EMAIL).id, by_code(core, phone_number=NUMBER).id
    assert core.passwordless.update(other, email=EMAIL) == EmailTaken()
    assert core.passwordless.update(with_code, phone_number=NUMBER) == PhoneNumberTaken()
    assert by_account(core, tenant="t1").created
    with pytest.raises(UnknownTenantError):
        core.email_password.sign_up("nowhere", EMAIL, PASSWORD)
    with pytest.raises(UnknownTenantError):
        by_account(core, tenant="nowhere")


@MIGRATED
def test_the_users_of_a_removed_tenant_are_in_none(core: Driver, stored: TestDatabase) -> None:
    """As in the other layout: they stay, and nobody finds them by what they are known by."""
    ada = signed_up(core, tenant="t1").id
    core.tenants.delete("t1")
    assert core.users.find(ada).tenant_ids == []
    assert core.users.count(tenant_id=None) == 1
    assert rows_of(stored, "recipe_user_tenants", ada) == []
    core.tenants.put("t1", {})
    assert signed_up(core, tenant="t1").id != ada


@WITH_AND_WITHOUT_OLD_TABLES
def test_users_join_and_leave_tenants(core: Driver, stored: TestDatabase, mode: str) -> None:
    """In every table that the mode keeps; a linked user only a core takes out."""
    users = [signed_up(core), by_code(core, email=EMAIL), by_account(core).user]
    before = {user.id: all_rows(stored, user.id) for user in users}
    for user in users:
        assert core.users.associate("t1", user.id) == Associated(was_already=False)
        in_tenants = rows_of(stored, "recipe_user_tenants", user.id)
        assert [row["tenant_id"] for row in in_tenants].count("t1") * 2 == len(in_tenants)
        old = rows_of(stored, "all_auth_recipe_users", user.id)
        assert [row["tenant_id"] for row in old] == ["public", "t1"] * (mode != "MIGRATED")
    assert core.email_password.verify("t1", EMAIL, PASSWORD).id == users[0].id
    assert by_code(core, "t1", email=EMAIL).id == users[1].id
    assert by_account(core, tenant="t1").user.id == users[2].id
    assert core.users.count(tenant_id="t1") == 3
    for user in users:
        assert core.users.dissociate("t1", user.id) is True
        assert all_rows(stored, user.id) == before[user.id]
    stored.query("UPDATE app_id_to_user_id SET is_linked_or_is_a_primary_user = TRUE")
    with pytest.raises(BadInputError, match="linked to others"):
        core.users.dissociate("public", users[0].id)


@MIGRATED
def test_users_and_hashes_are_imported(core: Driver, stored: TestDatabase) -> None:
    """A file of users, and one hash after the other."""
    hashed = core_argon2(PASSWORD)
    users = [
        ImportedUser(
            number=1, email=EMAIL, password_hash=hashed, user_id="ada-1", verified=True, joined_ms=5
        ),
        ImportedUser(number=2, email="bob@example.com", password_hash=None),
    ]
    imports = UserImport(core.engine, core.settings, "public")
    assert imports.preview(users) == imports.write(users) == [Arrival.IMPORTED] * 2
    assert imports.write(users) == [Arrival.PRESENT] * 2
    ada = core.email_password.verify("public", EMAIL, PASSWORD)
    assert (ada.id, ada.time_joined, ada.login_methods[0].verified) == ("ada-1", 5, True)
    assert core.hash_import.put("public", "bob@example.com", hashed).existed
    carl = core.hash_import.put("public", "carl@example.com", hashed).user
    assert core.email_password.verify("public", "bob@example.com", PASSWORD) is not None
    assert core.email_password.verify("public", "carl@example.com", PASSWORD) == carl
    assert [len(rows_of(stored, table, carl.id)) for table in NEW_TABLES] == [1, 1]
    assert core.users.count(tenant_id="public") == 3
