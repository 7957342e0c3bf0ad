"""What keeps an account from whoever had its address, or signed up with it, before the owner."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from supertokens_py.engine.code_records import NewCode
from supertokens_py.engine.user_records import ConsumedToken, PasswordProof, ProofExpired, VerifiedEmail
from supertokens_py.exceptions import BadInputError
from supertokens_py.types.users import User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADDRESS, NEW, EVIL = "ada@example.com", "new@example.com", "mallory@evil.example"
PASSWORD = "correct horse 1"


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """An engine of an app that signs users in."""
    return start(stored.uri, keeps_users=True, now_ms=clock, **QUICK)


@pytest.fixture
def user_id(core: Driver) -> str:
    user = core.email_password.sign_up("public", ADDRESS, PASSWORD)
    assert isinstance(user, User)
    return user.id


def reset_link(core: Driver, user_id: str) -> str:
    token = core.email_password.create_reset_token("public", user_id, ADDRESS)
    assert token is not None
    return token


def reset(core: Driver, user_id: str) -> None:
    used = core.email_password.consume_reset_token("public", reset_link(core, user_id))
    assert used == ConsumedToken(user_id, ADDRESS)
    change = core.email_password.update
    assert change(user_id, email=None, password="new horse 2", revoke_sessions=True, link=used) is None


def test_a_link_of_a_former_address_sets_no_password(
    core: Driver, stored: TestDatabase, user_id: str
) -> None:
    """An official core that changes an address keeps the tokens that it sent to the former one."""
    link = reset_link(core, user_id)
    for table in ("emailpassword_users", "emailpassword_user_to_tenant"):
        stored.query(f"UPDATE {table} SET email = %s", NEW)
    assert core.email_password.consume_reset_token("public", link) is None
    assert core.email_password.verify("public", NEW, PASSWORD) is not None


def test_an_address_that_moves_while_a_password_is_hashed_ends_the_reset(core: Driver, user_id: str) -> None:
    used = core.email_password.consume_reset_token("public", reset_link(core, user_id))
    change = core.email_password.update
    assert change(user_id, email=NEW, password=None, revoke_sessions=False) is None
    late = change(user_id, email=None, password="evil horse 2", revoke_sessions=True, link=used)
    assert late == ProofExpired()
    assert core.email_password.verify("public", NEW, PASSWORD) is not None


def test_a_reset_ends_links_that_verify_another_address(core: Driver, user_id: str) -> None:
    """Whoever signed up with the owner's address asked for them, and an application may change to it."""
    links = core.email_verification
    of_evil = links.create_token("public", user_id, EVIL)
    of_owner = links.create_token("public", user_id, ADDRESS)
    assert of_evil is not None
    assert of_owner is not None
    reset(core, user_id)
    assert links.verify("public", of_evil) is None
    assert links.verify("public", of_owner) is None
    assert not links.is_verified(user_id, EVIL)
    again = links.create_token("public", user_id, ADDRESS)
    assert again is not None
    assert links.verify("public", again) == VerifiedEmail(user_id, ADDRESS)


@pytest.mark.parametrize("is_proven", [True, False])
def test_a_reset_by_an_owner_who_had_verified_nothing_forgets_what_another_verified(
    core: Driver, user_id: str, is_proven: bool
) -> None:
    """An owner who had verified the address keeps a new one that waits to be changed to."""
    links = core.email_verification
    for address in [EVIL, ADDRESS] if is_proven else [EVIL]:
        token = links.create_token("public", user_id, address)
        assert token is not None
        links.verify("public", token)
    reset(core, user_id)
    assert links.is_verified(user_id, EVIL) is is_proven
    assert links.is_verified(user_id, ADDRESS) is is_proven


def test_a_password_that_was_proven_by_another_user_changes_nothing(core: Driver, user_id: str) -> None:
    proof = PasswordProof("somebody-else", "0" * 64)
    change = core.email_password.update
    refused = change(user_id, email=EVIL, password=None, revoke_sessions=False, proof=proof)
    assert refused == ProofExpired()


@pytest.mark.parametrize(
    "several",
    [
        "mallory@evil.example,boss@corp.example",
        "=?utf-8?q?mallory=40evil.example=3E?=@corp.example",
        '"mallory@evil.example"@corp.example',
        "mallory@evil.example boss@corp.example",
    ],
)
def test_an_address_is_one_recipient_by_whichever_door_it_comes(
    core: Driver, user_id: str, several: str
) -> None:
    """A mail service sends such a text to the attacker, an application takes it for a colleague's address."""
    attempts: list[Callable[[], object]] = [
        lambda: core.email_verification.create_token("public", user_id, several),
        lambda: core.email_password.update(user_id, email=several, password=None, revoke_sessions=False),
        lambda: core.email_password.sign_up("public", several, PASSWORD),
        lambda: core.hash_import.put("public", several, "$2b$10$" + "a" * 53),
        lambda: core.passwordless.create_code("public", NewCode(email=several)),
        lambda: core.third_party.sign_in_up("public", "google", "1", email=several, is_verified=True),
    ]
    for attempt in attempts:
        with pytest.raises(BadInputError, match="must be one address"):
            attempt()
    assert core.users.count(tenant_id=None) == 1
