"""What is done about a user whom another process deletes, or changes, at that moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.engine.code_records import ConsumedCode, NewCode, PresentedCode
from supertokens_py.engine.id_mapping import UserIdMapping
from supertokens_py.engine.user_records import ConsumedToken, UnknownUser
from supertokens_py.types.users import User
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase
from tests.support.interleaving import meanwhile

pytestmark = pytest.mark.postgres

EMAIL = "ada@example.com"
HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"


def signed_up(core: Driver, email: str = EMAIL) -> User:
    return core.email_password.sign_up("public", email, "correct horse 1")


def verify(core: Driver, user_id: str, email: str = EMAIL) -> None:
    core.email_verification.verify("public", core.email_verification.create_token("public", user_id, email))


def consume(core: Driver, email: str = EMAIL) -> Any:
    made = core.passwordless.create_code(
        "public", NewCode(email=email, phone_number=None, device_id=None, user_input_code=None)
    )
    shown = PresentedCode(
        pre_auth_session_id=made.pre_auth_session_id,
        link_code=made.link_code,
        device_id=None,
        user_input_code=None,
    )
    return core.passwordless.consume("public", shown)


def give(core: Driver, user: User) -> None:
    """Give the id `ext` of the application, which another user has, to this one."""
    core.id_mappings.delete("ext")
    core.id_mappings.create(user.id, "ext", None, force=False)


# -- removal -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "when"),
    [
        ("FROM app_id_to_user_id", "after"),
        ("FROM userid_mapping", "after"),
        ("DELETE FROM app_id_to_user_id", "before"),
    ],
)
def test_nobody_inherits_the_address_of_a_removed_user(
    stored: TestDatabase, core: Driver, other: Driver, words: str, when: Any
) -> None:
    """The user gets an id of the application at that moment, which is given to another one later."""
    user = signed_up(core)
    verify(core, user.id)

    def name() -> Any:
        return other.id_mappings.create(user.id, "ext", None, force=False)

    with meanwhile(core.database, words, name, stored=stored, when=when):
        core.users.remove(user.id)
    assert core.users.find(user.id) is None
    assert stored.query("SELECT user_id FROM emailverification_verified_emails") == []
    stranger = signed_up(core)
    assert core.id_mappings.create(stranger.id, "ext", None, force=False) is None
    assert [one.verified for one in core.users.find("ext").login_methods] == [False]


def test_who_is_removed_is_the_user_who_has_the_id_then(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """An id of the application that is given to another user at that moment."""
    former, owner = signed_up(core), signed_up(core, "bob@example.com")
    core.id_mappings.create(former.id, "ext", None, force=False)

    with meanwhile(core.database, "FROM userid_mapping", lambda: give(other, owner), stored=stored):
        core.users.remove("ext")
    assert core.users.find("ext") is None
    assert core.users.find(owner.id) is None
    assert core.users.find(former.id).emails == [EMAIL]


@pytest.mark.parametrize("words", ["FROM userid_mapping", "FROM app_id_to_user_id"])
def test_a_user_may_be_removed_twice_at_once(
    stored: TestDatabase, core: Driver, other: Driver, words: str
) -> None:
    """20.6: always OK; and what is kept under the id beside log-in data is gone."""
    user = signed_up(core)
    core.metadata.merge(user.id, {"a": 1})
    with meanwhile(core.database, words, lambda: other.users.remove(user.id), stored=stored):
        assert core.users.remove(user.id) is None
    assert core.users.find(user.id) is None
    assert core.metadata.read(user.id) == {}


def test_an_address_that_is_verified_while_its_user_is_removed_is_forgotten(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """The removal sees it or ends the token, whichever of the two comes first."""
    user = signed_up(core)
    token = core.email_verification.create_token("public", user.id, EMAIL)
    remove = lambda: other.users.remove(user.id)  # noqa: E731
    with meanwhile(core.database, "INSERT INTO emailverification_verified", remove, stored=stored):
        core.email_verification.verify("public", token)
    assert stored.query("SELECT user_id FROM emailverification_verified_emails") == []


# -- sign-in and changes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "when"),
    [("FROM emailpassword_user_to_tenant", "after"), ("UPDATE emailpassword_users", "before")],
)
def test_a_hash_for_a_user_who_is_removed_makes_a_new_one(
    stored: TestDatabase, core: Driver, other: Driver, words: str, when: Any
) -> None:
    """Or it is written before, and goes with the user."""
    user = signed_up(core)
    with meanwhile(core.database, words, lambda: other.users.remove(user.id), stored=stored, when=when):
        result = core.hash_import.put("public", EMAIL, HASH)
    assert result.user.emails == [EMAIL]
    found = core.users.find(result.user.id)
    assert (found is None) == result.existed
    assert result.existed == (result.user.id == user.id)


CHANGES: dict[str, Callable[[Driver, str], Any]] = {
    "address": lambda core, user: core.email_password.update(
        user, email="new@example.com", password=None, revoke_sessions=False
    ),
    "tenant": lambda core, user: core.users.dissociate("public", user),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_hash_is_for_whoever_has_the_address_then(
    stored: TestDatabase, core: Driver, other: Driver, change: str
) -> None:
    """Not for somebody who had it a moment ago, who gets another address or leaves the tenant."""
    user = signed_up(core)
    with meanwhile(
        core.database,
        "FROM emailpassword_user_to_tenant",
        lambda: CHANGES[change](other, user.id),
        stored=stored,
    ):
        result = core.hash_import.put("public", EMAIL, HASH)
    assert (result.existed, result.user.emails) == (False, [EMAIL])
    assert result.user.id != user.id


def test_of_two_hashes_for_a_new_address_the_later_one_is_a_change(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    times: list[str] = []

    def make() -> None:
        times.append(other.hash_import.put("public", EMAIL, HASH).user.id)

    with meanwhile(core.database, "INSERT INTO app_id_to_user_id", make, stored=stored):
        result = core.hash_import.put("public", EMAIL, HASH)
    assert (result.existed, [result.user.id]) == (True, times)


@pytest.mark.parametrize("words", ["FROM passwordless_user_to_tenant", "INSERT INTO emailverification_verif"])
def test_a_code_of_a_user_who_is_removed_makes_a_new_one(
    stored: TestDatabase, core: Driver, other: Driver, words: str
) -> None:
    """Or it is used before, and what it proved goes with the user."""
    user = consume(core).user
    core.email_verification.unverify(user.id, EMAIL)

    def remove() -> None:
        """Do what `remove` does once it has ended the codes, which were made before this one."""
        stored.query("DELETE FROM app_id_to_user_id WHERE user_id = %s", user.id)

    with meanwhile(core.database, words, remove, stored=stored):
        result = consume(core)
    assert isinstance(result, ConsumedCode)
    assert result.user.emails == [EMAIL]
    found = core.users.find(result.user.id)
    assert (found is None) == (result.user.id == user.id)
    assert found is None or result.created


# -- ids of the application --------------------------------------------------------------------------------


def give_other_id(core: Driver, user: User) -> None:
    """Take the id e1 of the application from a user, who gets e2."""
    core.id_mappings.delete("e1")
    core.id_mappings.create(user.id, "e2", None, force=False)


def test_a_mapping_that_takes_the_place_of_a_deleted_one_stays(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    """With the addresses that were verified under it."""
    user = signed_up(core)
    core.id_mappings.create(user.id, "e1", None, force=False)

    def replace() -> None:
        give_other_id(other, user)
        verify(other, "e2")

    with meanwhile(core.database, "FROM userid_mapping", replace, stored=stored):
        assert core.id_mappings.delete("e1", force=True) is False
    assert core.id_mappings.find("e2") == UserIdMapping(user.id, "e2", None)
    assert [one.verified for one in core.users.find("e2").login_methods] == [True]


def test_a_note_is_not_written_to_the_mapping_that_takes_the_place_of_its_own(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    user = signed_up(core)
    core.id_mappings.create(user.id, "e1", None, force=False)

    with meanwhile(core.database, "FROM userid_mapping", lambda: give_other_id(other, user), stored=stored):
        assert core.id_mappings.set_info("e1", "EXTERNAL", "a note") is False
    assert core.id_mappings.find("e2") == UserIdMapping(user.id, "e2", None)


def test_a_mapping_of_a_user_who_is_removed_is_gone(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    user = signed_up(core)
    core.id_mappings.create(user.id, "e1", None, force=False)
    remove = lambda: other.users.remove("e1")  # noqa: E731
    with meanwhile(core.database, "FROM userid_mapping", remove, stored=stored):
        assert core.id_mappings.delete("e1") is False
    assert core.id_mappings.create(user.id, "e1", None, force=False) == UnknownUser()


UPDATES: dict[str, tuple[Callable[[Driver, str], Any], Callable[[Driver], Any]]] = {
    "password": (
        lambda core, email: signed_up(core, email),
        lambda core: core.email_password.update(
            "ext", email="new@example.com", password=None, revoke_sessions=False
        ),
    ),
    "code": (
        lambda core, email: consume(core, email).user,
        lambda core: core.passwordless.update("ext", email="new@example.com"),
    ),
}


@pytest.mark.parametrize("kind", UPDATES)
def test_who_is_changed_is_the_user_who_has_the_id_then(
    stored: TestDatabase, core: Driver, other: Driver, kind: str
) -> None:
    """Nobody else gets the address, who had the application's id a moment ago."""
    make, update = UPDATES[kind]
    former, owner = make(core, EMAIL), make(core, "bob@example.com")
    core.id_mappings.create(former.id, "ext", None, force=False)

    with meanwhile(core.database, "FROM userid_mapping", lambda: give(other, owner), stored=stored):
        assert update(core) is None
    assert core.users.find("ext").emails == ["new@example.com"]
    assert core.users.find(former.id).emails == [EMAIL]


def test_a_link_is_for_the_user_who_has_the_id_then(
    stored: TestDatabase, core: Driver, other: Driver
) -> None:
    former, owner = signed_up(core), signed_up(core, "bob@example.com")
    core.id_mappings.create(former.id, "ext", None, force=False)

    with meanwhile(core.database, "FROM userid_mapping", lambda: give(other, owner), stored=stored):
        token = core.email_password.create_reset_token("public", "ext", None)
    assert core.email_password.consume_reset_token("public", token) == ConsumedToken("ext", "bob@example.com")


def test_who_is_second_to_create_metadata_merges(stored: TestDatabase, core: Driver, other: Driver) -> None:
    """CS-83: nothing of the first is lost."""
    words = "INSERT INTO user_metadata"
    with meanwhile(
        core.database, words, lambda: other.metadata.merge("u", {"first": 1}), stored=stored, when="before"
    ):
        assert core.metadata.merge("u", {"second": 2})["second"] == 2
    assert other.metadata.read("u") == {"first": 1, "second": 2}
