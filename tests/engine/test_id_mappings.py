"""Ids by which the application knows users."""

from __future__ import annotations

import threading

import pytest

from supertokens_py.engine.id_mapping import MappingExists, UserIdMapping
from supertokens_py.engine.user_records import UnknownUser, UserQuery
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.types.users import User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
PASSWORD = "correct horse 1"


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener) -> Driver:
    return start(stored.uri, keeps_users=True, **QUICK)


def signed_up(core: Driver, email: str = "ada@example.com") -> str:
    user = core.email_password.sign_up("public", email, PASSWORD)
    assert isinstance(user, User)
    return user.id


def test_every_answer_shows_the_applications_id(core: Driver) -> None:
    """SI-68. Users by either id, pages, sign-in, reset tokens and sessions; other users keep theirs."""
    internal, other = signed_up(core), signed_up(core, "bob@example.com")
    assert core.id_mappings.create(internal, "42", "from the shop", force=False) is None
    assert core.users.find(internal) == core.users.find("42")
    user = core.users.find("42")
    assert (user.id, user.login_methods[0].recipe_user_id) == ("42", "42")
    assert {one.id for one in core.users.page("public", UserQuery()).users} == {"42", other}
    assert core.email_password.verify("public", "ada@example.com", PASSWORD) == user
    token = core.email_password.create_reset_token("public", "42", None)
    assert core.email_password.consume_reset_token("public", token).user_id == "42"
    session = core.create(internal)
    assert (session.user_id, session.recipe_user_id) == ("42", "42")
    assert core.sessions.user_handles("42", tenant_id=None) == [session.handle]
    expected = UserIdMapping(internal, "42", "from the shop")
    assert core.id_mappings.find("42") == core.id_mappings.find(internal) == expected
    core.users.remove("42")
    assert core.users.find(internal) is core.id_mappings.find("42") is None
    assert core.sessions.user_handles("42", tenant_id=None) == []


def test_a_mapping_is_made_once(core: Driver) -> None:
    ada, bob = signed_up(core), signed_up(core, "bob@example.com")
    create = core.id_mappings.create
    assert create("nobody", "42", None, force=False) == UnknownUser()
    assert create("x" * 200, "42", None, force=True) == UnknownUser()
    assert create(ada, "42", None, force=False) is None
    assert create(ada, "42", None, force=True) == MappingExists(user_id=True, external_id=True)
    assert create(ada, "43", None, force=True) == MappingExists(user_id=True, external_id=False)
    assert create(bob, "42", None, force=False) == MappingExists(user_id=False, external_id=True)
    create(bob, "43", None, force=False)
    assert create(bob, "42", None, force=False) == MappingExists(user_id=True, external_id=True)


@pytest.mark.parametrize("external_id", ["", " 42", "x" * 129, "a\0"])
def test_an_id_that_cannot_be_one_is_refused(core: Driver, external_id: str) -> None:
    with pytest.raises(BadInputError, match="user_id"):
        core.id_mappings.create(signed_up(core), external_id, None, force=True)


def test_an_info_that_cannot_be_stored_is_refused(core: Driver) -> None:
    ada = signed_up(core)
    with pytest.raises(BadInputError, match="external_user_id_info"):
        core.id_mappings.create(ada, "42", "a\0", force=False)
    with pytest.raises(BadInputError, match="external_user_id_info"):
        core.id_mappings.set_info(ada, "ANY", "\ud800")


def test_an_id_comes_before_what_is_kept_under_the_former_one(core: Driver) -> None:
    """Sessions, roles and metadata would not be found any more; `force` takes that into account."""
    create = core.id_mappings.create
    core.roles.add("admin", [])
    with_session, with_metadata, with_role = (signed_up(core, f"{name}@example.com") for name in "smr")
    core.create(with_session)
    core.metadata.merge(with_metadata, {"a": 1})
    core.roles.assign(with_role, "admin", tenant_id="public")
    users = {with_session: "Session", with_metadata: "UserMetadata", with_role: "UserRoles"}
    for user, recipe in users.items():
        with pytest.raises(BadInputError, match=f"UserId is already in use in {recipe} recipe"):
            create(user, f"of {recipe}", None, force=False)
        assert core.id_mappings.find(user) is None
        assert create(user, f"of {recipe}", None, force=True) is None
    with pytest.raises(BadInputError, match="also a SuperTokens userID"):
        create(signed_up(core), with_role, None, force=False)


def test_verified_addresses_move_with_the_id(core: Driver, stored: TestDatabase) -> None:
    """There and back; links that were sent stay valid. What both ids have is there once."""
    ada = signed_up(core)
    verified, tokens = "emailverification_verified_emails", "emailverification_tokens"
    for user_id in (ada, "42"):
        stored.query(f"INSERT INTO {verified} VALUES ('public', %s, 'ada@example.com')", user_id)
    stored.query(f"INSERT INTO {tokens} VALUES ('public', 'public', %s, 'ada@example.com', 'hash', 9)", ada)

    def kept() -> list[str]:
        return [one for name in (verified, tokens) for (one,) in stored.query(f"SELECT user_id FROM {name}")]

    assert core.users.find(ada).login_methods[0].verified
    core.id_mappings.create(ada, "42", None, force=False)
    assert kept() == ["42", "42"]
    assert core.users.find("42").login_methods[0].verified
    assert core.id_mappings.delete("42") is True
    assert kept() == [ada, ada]
    assert core.users.find(ada).login_methods[0].verified


def test_a_mapping_is_found_and_deleted_by_the_kind_of_id(core: Driver) -> None:
    ada = signed_up(core)
    core.id_mappings.create(ada, "42", None, force=False)
    found = UserIdMapping(ada, "42", None)
    for user_id, kind in ((ada, "SUPERTOKENS"), ("42", "EXTERNAL"), (ada, "ANY"), ("42", "ANY")):
        assert core.id_mappings.find(user_id, kind) == found
    for user_id, kind in ((ada, "EXTERNAL"), ("42", "SUPERTOKENS"), ("nobody", "ANY"), ("a\0", "ANY")):
        assert core.id_mappings.find(user_id, kind) is None
        assert core.id_mappings.delete(user_id, kind, force=True) is False
        assert core.id_mappings.set_info(user_id, kind, "x") is False
    assert core.id_mappings.set_info("42", "EXTERNAL", "a note") is True
    assert core.id_mappings.find(ada).info == "a note"
    assert core.id_mappings.set_info(ada, "ANY", None) is True
    assert core.id_mappings.find(ada) == found


def test_a_mapping_that_is_used_is_not_forgotten_by_chance(core: Driver) -> None:
    ada = signed_up(core)
    core.id_mappings.create(ada, "42", None, force=False)
    core.create("42")
    with pytest.raises(BadInputError, match="UserId is already in use in Session recipe"):
        core.id_mappings.delete("42")
    assert core.id_mappings.delete("42", force=True) is True
    assert core.users.find("42") is None
    assert core.users.find(ada).id == ada


def test_an_id_of_another_user_is_theirs(core: Driver) -> None:
    """Forced: ada is known by bob's own id. What is kept under it stays bob's when the mapping ends."""
    ada, bob = signed_up(core), signed_up(core, "bob@example.com")
    core.metadata.merge(bob, {"of": "bob"})
    assert core.id_mappings.create(ada, bob, None, force=True) is None
    assert core.id_mappings.find(bob) == UserIdMapping(ada, bob, None)
    assert core.id_mappings.delete(bob, "EXTERNAL") is True
    assert core.metadata.read(bob) == {"of": "bob"}
    assert core.users.find(bob).emails == ["bob@example.com"]


def test_of_parallel_mappings_one_is_made(core: Driver) -> None:
    """Two users want one id, eight times each."""
    users = [signed_up(core), signed_up(core, "bob@example.com")]
    results: list[object] = []

    def create(user: str) -> None:
        results.append(core.id_mappings.create(user, "42", None, force=False))

    threads = [threading.Thread(target=create, args=(user,)) for user in users * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(None) == 1
    assert sum(isinstance(one, MappingExists) for one in results) == 15


def test_an_engine_of_sessions_alone_maps_nobody(stored: TestDatabase, start: Opener) -> None:
    with pytest.raises(ConfigError, match=r"emailpassword\.init"):
        _ = start(stored.uri).id_mappings
