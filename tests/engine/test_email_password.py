"""Users with an e-mail address and a password, on every database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import bcrypt
import pytest

from supertokens_py.engine.code_records import NewCode
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import (
    Authenticated,
    ConsumedToken,
    EmailChangeNotAllowed,
    EmailTaken,
    PasswordProof,
    ProofExpired,
    UnknownUser,
)
from supertokens_py.events import Event, subscribe
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.types.users import User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

#: Hashes of a millisecond: what they cost is tested elsewhere.
QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADDRESS, PASSWORD = "ada@example.com", "correct horse 1"
HOUR = 3_600_000


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def core(any_users_database: TestDatabase, start: Opener, clock: Clock, sqlite_files: Sqlite) -> Driver:
    """An engine of an app that signs users in."""
    driver = start(any_users_database.uri, keeps_users=True, now_ms=clock, **QUICK)
    if any_users_database.kind == "sqlite-memory":
        driver.seed(sqlite_files.keys())
    return driver


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What is emitted."""
    found: list[Event] = []
    unsubscribe = subscribe(found.append)
    yield found
    unsubscribe()


def signed_up(core: Driver, email: str = ADDRESS, tenant_id: str = "public") -> User:
    user = core.email_password.sign_up(tenant_id, email, PASSWORD)
    assert isinstance(user, User)
    return user


def names(events: list[Event]) -> list[str]:
    return [event.name for event in events]


# -- sign-up and sign-in -----------------------------------------------------------------------------


def test_a_user_signs_up_and_in(core: Driver, clock: Clock, events: list[Event]) -> None:
    user = signed_up(core, "  Ada@Example.COM ")
    (method,) = user.login_methods
    assert user.to_json() == {
        "id": user.id,
        "isPrimaryUser": False,
        "tenantIds": ["public"],
        "timeJoined": clock(),
        "emails": [ADDRESS],
        "phoneNumbers": [],
        "thirdParty": [],
        "webauthn": {"credentialIds": []},
        "loginMethods": [
            {
                "recipeId": "emailpassword",
                "recipeUserId": user.id,
                "tenantIds": ["public"],
                "timeJoined": clock(),
                "verified": False,
                "email": ADDRESS,
            }
        ],
    }
    assert (method.recipe_user_id, user.email, user.user_id) == (user.id, ADDRESS, user.id)
    assert core.email_password.verify("public", "ADA@example.com", PASSWORD) == user
    assert core.email_password.verify("public", ADDRESS, PASSWORD + " ") is None
    assert core.email_password.verify("public", "bob@example.com", PASSWORD) is None
    assert names(events) == ["user.signed_up", "user.sign_in_failed", "user.sign_in_failed"]


def test_whose_password_was_wrong_is_told(core: Driver, events: list[Event]) -> None:
    user = signed_up(core)
    for email in (ADDRESS, "bob@example.com"):
        core.email_password.verify("public", email, "wrong")
    assert [event.user_id for event in events if event.name == "user.sign_in_failed"] == [user.id, None]


def test_an_address_signs_up_once_in_each_tenant(core: Driver) -> None:
    """SI-7, SI-11."""
    core.tenants.put("t1", {})
    user = signed_up(core)
    assert core.email_password.sign_up("public", " ADA@example.com", "another one 2") == EmailTaken()
    other = signed_up(core, tenant_id="t1")
    assert other.id != user.id
    assert other.tenant_ids == ["t1"]
    assert core.email_password.verify("t1", ADDRESS, PASSWORD) == other
    assert core.email_password.verify("t2", ADDRESS, PASSWORD) is None


def test_nobody_signs_up_in_an_unknown_tenant(core: Driver) -> None:
    with pytest.raises(UnknownTenantError):
        core.email_password.sign_up("nowhere", ADDRESS, PASSWORD)
    assert core.users.count(tenant_id=None) == 0


@pytest.mark.parametrize("email", ["", "  ", "x" * 257, "a\0@example.com", "\ud800@example.com"])
def test_what_cannot_be_an_address_is_refused(core: Driver, email: str) -> None:
    with pytest.raises(BadInputError, match="e-mail address"):
        core.email_password.sign_up("public", email, PASSWORD)
    assert core.email_password.verify("public", email, PASSWORD) is None


def test_64_clients_sign_up_one_address_at_once(core: Driver) -> None:
    """SI-12. One of them is the user; the others are told that the address is taken."""
    together = threading.Barrier(64)

    def sign_up(number: int) -> User | EmailTaken:
        together.wait(timeout=30)
        return core.email_password.sign_up("public", ADDRESS, f"password {number}")

    with ThreadPoolExecutor(64) as clients:
        results = list(clients.map(sign_up, range(64)))
    (number,) = [n for n, result in enumerate(results) if isinstance(result, User)]
    assert results.count(EmailTaken()) == 63
    assert core.users.count(tenant_id="public") == 1
    assert core.email_password.verify("public", ADDRESS, f"password {number}") == results[number]


def test_a_hash_with_other_parameters_is_renewed_at_sign_in(stored: TestDatabase, start: Opener) -> None:
    """Also a core's bcrypt; a wrong password renews nothing."""
    old = start(stored.uri, keeps_users=True, **QUICK)
    signed_up(old)
    new = start(stored.uri, keeps_users=True, **{**QUICK, "argon2_iterations": 2})

    def hash_of_ada() -> str:
        return stored.query("SELECT password_hash FROM emailpassword_users")[0][0]

    before = hash_of_ada()
    assert before.startswith("$argon2id$v=19$m=1024,t=1,p=1$")
    assert new.email_password.verify("public", ADDRESS, "wrong") is None
    assert hash_of_ada() == before
    assert new.email_password.verify("public", ADDRESS, PASSWORD) is not None
    assert hash_of_ada().startswith("$argon2id$v=19$m=1024,t=2,p=1$")
    of_a_core = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    stored.query("UPDATE emailpassword_users SET password_hash = %s", of_a_core)
    assert new.email_password.verify("public", ADDRESS, PASSWORD) is not None
    assert hash_of_ada().startswith("$argon2id$v=19$m=1024,t=2,p=1$")
    assert new.email_password.verify("public", ADDRESS, PASSWORD) is not None


def test_no_transaction_is_open_while_a_hash_is_computed(
    core: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other writers, and on SQLite there is one at a time, do not wait for it."""
    user = signed_up(core)
    passwords: Any = core.email_password._passwords
    slowly = passwords._slowly
    writes: list[bool] = []

    def spying(work: Any, **lanes: int) -> Any:
        core.metadata.merge("somebody", {"seen": len(writes)})  # waits for the writer's turn, if one is taken
        writes.append(True)
        return slowly(work, **lanes)

    monkeypatch.setattr(passwords, "_slowly", spying)
    core.email_password.sign_up("public", "bob@example.com", PASSWORD)
    core.email_password.verify("public", ADDRESS, PASSWORD)
    core.email_password.update(user.id, email=None, password="another 1", revoke_sessions=True)
    assert len(writes) == 3


# -- reset tokens ------------------------------------------------------------------------------------


def token_for(core: Driver, user_id: str, email: str | None = None) -> str:
    token = core.email_password.create_reset_token("public", user_id, email)
    assert token is not None
    return token


def test_no_variable_shows_what_is_sent_to_a_user(core: Driver) -> None:
    """The same over a core: whoever reads a traceback could use it."""
    user = signed_up(core)
    asked = NewCode(email=ADDRESS, phone_number=None, device_id=None, user_input_code=None)
    made = core.passwordless.create_code("public", asked)
    verification = core.email_verification.create_token("public", user.id, ADDRESS)
    sent = (token_for(core, user.id), verification, made.device_id, made.user_input_code, made.link_code)
    assert [repr(one) for one in sent] == ["'***'"] * 5


def test_a_token_is_used_once_and_ends_the_others(core: Driver, events: list[Event]) -> None:
    user = signed_up(core)
    first, second = token_for(core, user.id), token_for(core, user.id, ADDRESS)
    assert first != second
    assert len(first) == 128
    assert first.isalnum()
    assert core.email_password.consume_reset_token("public", second) == ConsumedToken(user.id, ADDRESS)
    for token in (first, second, "", "x", "\ud800"):
        assert core.email_password.consume_reset_token("public", token) is None
    assert names(events).count("user.password_reset_requested") == 2


def test_a_token_ends_after_its_time(core: Driver, clock: Clock) -> None:
    """SI-24.

    An hour, or what the tenant says; an expired one takes the others of the user with it, as in a core.
    """
    user = signed_up(core)
    token = token_for(core, user.id)
    clock.advance(ms=HOUR)
    assert core.email_password.consume_reset_token("public", token) is not None
    token = token_for(core, user.id)
    clock.advance(ms=HOUR + 1)
    later = token_for(core, user.id)
    assert core.email_password.consume_reset_token("public", token) is None
    assert core.email_password.consume_reset_token("public", later) is None


def test_a_tenant_has_its_own_lifetime(core: Driver, clock: Clock) -> None:
    core.tenants.put("t1", {"core_config": {"password_reset_token_lifetime": 1000}})
    user = signed_up(core, tenant_id="t1")
    token = core.email_password.create_reset_token("t1", user.id, None)
    clock.advance(ms=1001)
    assert core.email_password.consume_reset_token("t1", token) is None


def test_tokens_of_strangers_are_not_made(core: Driver) -> None:
    user = signed_up(core)
    assert core.email_password.create_reset_token("public", "nobody", None) is None
    assert core.email_password.create_reset_token("public", "a\0", None) is None
    with pytest.raises(UnknownTenantError):
        core.email_password.create_reset_token("nowhere", user.id, None)


def test_a_token_is_used_in_a_tenant_of_its_user(core: Driver) -> None:
    """Its rule is what the new password is checked with. Elsewhere the token is neither used up nor made."""
    core.tenants.put("t1", {})
    core.tenants.put("t2", {})
    user = signed_up(core, tenant_id="t1")
    token = core.email_password.create_reset_token("T1", user.id, ADDRESS)
    assert token is not None
    for elsewhere in ("public", "t2", "nowhere", "a/b", ""):
        assert core.email_password.consume_reset_token(elsewhere, token) is None
    assert core.email_password.consume_reset_token("T1", token) == ConsumedToken(user.id, ADDRESS)
    for email in (None, ADDRESS):
        assert core.email_password.create_reset_token("public", user.id, email) is None


def test_only_the_hash_of_a_token_is_stored(stored: TestDatabase, start: Opener) -> None:
    core = start(stored.uri, keeps_users=True, **QUICK)
    token = token_for(core, signed_up(core).id)
    assert stored.query("SELECT token FROM emailpassword_pswd_reset_tokens") == [
        (sha256(token.encode()).hexdigest(),)
    ]


def test_of_parallel_uses_one_succeeds(core: Driver) -> None:
    token = token_for(core, signed_up(core).id)
    together = threading.Barrier(16)

    def use(_: int) -> ConsumedToken | None:
        together.wait(timeout=30)
        return core.email_password.consume_reset_token("public", token)

    with ThreadPoolExecutor(16) as clients:
        results = list(clients.map(use, range(16)))
    assert results.count(None) == 15


# -- changes -----------------------------------------------------------------------------------------


def test_a_new_password_ends_links_and_where_wanted_sessions(core: Driver, events: list[Event]) -> None:
    """SI-23."""
    user = signed_up(core)
    session, token = core.create(user.id), token_for(core, user.id)
    change = core.email_password.update
    assert change(user.id, email=None, password="another 1", revoke_sessions=False) is None
    assert core.sessions.user_handles(user.id, tenant_id=None) == [session.handle]
    assert core.email_password.consume_reset_token("public", token) is None
    assert core.email_password.verify("public", ADDRESS, PASSWORD) is None
    assert core.email_password.verify("public", ADDRESS, "another 1") is not None
    assert change(user.id, email=None, password="third 1", revoke_sessions=True) is None
    assert core.sessions.user_handles(user.id, tenant_id=None) == []
    assert sorted(names(events)[-2:]) == ["session.revoked", "user.password_changed"]


def test_a_change_that_a_former_password_allows_is_not_made(core: Driver) -> None:
    """Whoever knew it may be the one whom the owner has just driven out."""
    user, bob = signed_up(core), signed_up(core, "bob@example.com")
    known = core.email_password.authenticate("public", ADDRESS, PASSWORD)
    assert known is not None
    change = core.email_password.update
    assert change(user.id, email=None, password="new 1", revoke_sessions=True, proof=known.proof) is None
    session = core.create(user.id)
    for changes in ({"email": "eve@example.com", "password": None}, {"email": None, "password": "evil 1"}):
        refused = change(user.id, **changes, revoke_sessions=True, proof=known.proof)
        assert refused == ProofExpired()
    assert core.users.find(user.id).emails == [ADDRESS]
    assert core.sessions.information(session.handle) is not None
    known = core.email_password.authenticate("public", ADDRESS, "new 1")
    assert known is not None
    of_another = change(bob.id, email=None, password="evil 1", revoke_sessions=True, proof=known.proof)
    assert of_another == ProofExpired()
    assert change(user.id, email="a@b.org", password=None, revoke_sessions=False, proof=known.proof) is None


def test_a_new_address_is_another_one_in_every_tenant(core: Driver, events: list[Event]) -> None:
    user, bob = signed_up(core), signed_up(core, "bob@example.com")
    token, change = token_for(core, user.id), core.email_password.update
    assert change(user.id, email="BOB@example.com", password=None, revoke_sessions=False) == EmailTaken()
    assert core.users.find(user.id) == user
    assert change(user.id, email=" Eve@example.com ", password=None, revoke_sessions=False) is None
    assert core.users.find(user.id).emails == ["eve@example.com"]
    assert core.email_password.verify("public", ADDRESS, PASSWORD) is None
    assert core.email_password.verify("public", "eve@example.com", PASSWORD) is not None
    assert core.email_password.consume_reset_token("public", token) is None  # it went to the old address
    assert core.email_password.create_reset_token("public", user.id, ADDRESS) is None  # so would this one
    assert core.users.find(bob.id) == bob
    assert names(events).count("user.email_changed") == 1


def test_changes_that_are_none_are_refused(core: Driver) -> None:
    change = core.email_password.update
    assert change("nobody", email="a@example.com", password=None, revoke_sessions=False) == UnknownUser()
    assert change("a\0", email="a@example.com", password=None, revoke_sessions=False) == UnknownUser()
    user = signed_up(core)
    with pytest.raises(BadInputError, match="either email or password"):
        change(user.id, email=None, password=None, revoke_sessions=False)
    with pytest.raises(BadInputError, match="1 to 1024 bytes"):
        change(user.id, email=None, password="", revoke_sessions=False)
    assert change(user.id, email=ADDRESS, password=None, revoke_sessions=False) is None  # the same


# -- users that a core linked or mapped --------------------------------------------------------------


def test_answers_have_the_applications_id_of_a_mapped_user(stored: TestDatabase, start: Opener) -> None:
    """SI-68. Whichever id is asked for, and reset tokens too."""
    core = start(stored.uri, keeps_users=True, **QUICK)
    internal = signed_up(core).id
    stored.query(
        "INSERT INTO userid_mapping (app_id, supertokens_user_id, external_user_id) "
        "VALUES ('public', %s, 'ada')",
        internal,
    )
    user = core.email_password.verify("public", ADDRESS, PASSWORD)
    assert (user.id, user.login_methods[0].recipe_user_id) == ("ada", "ada")
    assert core.users.find(internal) == core.users.find("ada") == user
    token = token_for(core, "ada")
    assert core.email_password.consume_reset_token("public", token) == ConsumedToken("ada", ADDRESS)
    session = core.create("ada")
    assert core.email_password.update("ada", email=None, password="new 1", revoke_sessions=True) is None
    assert core.sessions.information(session.handle) is None
    core.users.remove("ada")
    assert core.users.find(internal) is None


def test_linked_accounts_are_one_user(stored: TestDatabase, start: Opener) -> None:
    """SI-67.

    They are read. A new address needs the rules of linking: it is left to the core, and so is removal.
    """
    core = start(stored.uri, keeps_users=True, **QUICK)
    ada, alias = signed_up(core), signed_up(core, "alias@example.com")
    for table in ("app_id_to_user_id", "all_auth_recipe_users"):
        stored.query(
            f"UPDATE {table} SET primary_or_recipe_user_id = %s, is_linked_or_is_a_primary_user = TRUE",
            ada.id,
        )
    user = core.email_password.verify("public", "alias@example.com", PASSWORD)
    assert (user.id, user.is_primary_user) == (ada.id, True)
    assert {method.recipe_user_id for method in user.login_methods} == {ada.id, alias.id}
    assert sorted(user.emails) == [ADDRESS, "alias@example.com"]
    assert core.users.count(tenant_id="public") == core.users.count(tenant_id=None) == 1
    token = token_for(core, ada.id, "alias@example.com")
    assert core.email_password.consume_reset_token("public", token) == ConsumedToken(
        alias.id, "alias@example.com"
    )
    refused = core.email_password.update(
        alias.id, email="new@example.com", password=None, revoke_sessions=False
    )
    assert isinstance(refused, EmailChangeNotAllowed)
    assert core.create(alias.id).user_id == ada.id
    with pytest.raises(BadInputError, match="SuperTokens core"):
        core.users.remove(alias.id)


def test_an_address_that_a_core_verified_is_verified(stored: TestDatabase, start: Opener) -> None:
    core = start(stored.uri, keeps_users=True, **QUICK)
    user = signed_up(core)
    insert = (
        "INSERT INTO emailverification_verified_emails (app_id, user_id, email) VALUES ('public', %s, %s)"
    )
    stored.query(insert, user.id, ADDRESS)
    assert core.users.find(user.id).login_methods[0].verified
    core.email_password.update(user.id, email="new@example.com", password=None, revoke_sessions=False)
    assert not core.users.find(user.id).login_methods[0].verified


def test_an_engine_of_sessions_alone_has_no_users(stored: TestDatabase, start: Opener) -> None:
    core = start(stored.uri)
    with pytest.raises(ConfigError, match=r"emailpassword\.init"):
        _ = core.email_password
    with pytest.raises(ConfigError, match=r"emailpassword\.init"):
        core.users.find("ada")


# -- what a verified password is worth later ---------------------------------------------------------


def authenticated(core: Driver, password: str = PASSWORD) -> Authenticated:
    found = core.email_password.authenticate("public", ADDRESS, password)
    assert found is not None
    return found


def test_a_proof_ends_with_the_password_and_with_the_user(core: Driver) -> None:
    user = signed_up(core)
    proof = authenticated(core).proof
    assert core.email_password.is_current(proof)
    core.email_password.update(user.id, email="eve@example.com", password=None, revoke_sessions=False)
    assert core.email_password.is_current(proof)
    core.email_password.update(user.id, email=ADDRESS, password=PASSWORD, revoke_sessions=False)
    assert not core.email_password.is_current(proof)
    again, there = authenticated(core).proof, PasswordProof(user.id)
    assert [core.email_password.is_current(one) for one in (again, there)] == [True, True]
    core.users.remove(user.id)
    assert [core.email_password.is_current(one) for one in (again, there)] == [False, False]
    assert "argon2" not in f"{again}{again.mark}"


def test_a_renewed_hash_is_still_of_the_same_password(stored: TestDatabase, start: Opener) -> None:
    """Two sign-ins renew it at once: whoever comes second must not be sent away."""
    signed_up(start(stored.uri, keeps_users=True, **QUICK))
    new = start(stored.uri, keeps_users=True, **{**QUICK, "argon2_iterations": 2})
    passwords: Any = new.email_password._passwords
    both, is_outdated = threading.Barrier(2), passwords.is_outdated

    def together(password: str, hashed: str) -> bool:
        both.wait(timeout=30)
        return is_outdated(password, hashed)

    passwords.is_outdated = together
    with ThreadPoolExecutor(2) as clients:
        found = list(clients.map(lambda _: authenticated(new), range(2)))
    assert [new.email_password.is_current(one.proof) for one in found] == [True, True]


def test_of_a_sign_in_and_a_change_one_sees_the_other(stored: TestDatabase, start: Opener) -> None:
    """In any order, no session that was made with the old password is left."""
    core = start(stored.uri, keeps_users=True, **QUICK)
    user, left = signed_up(core), list[str]()

    def sign_in(password: str, together: threading.Barrier) -> str | None:
        together.wait(timeout=30)
        found = core.email_password.authenticate("public", ADDRESS, password)
        if found is None:
            return None
        made = core.create(user.id)
        if not core.email_password.is_current(found.proof):
            core.sessions.revoke([made.handle])
        return made.handle

    def change(password: str, together: threading.Barrier) -> None:
        together.wait(timeout=30)
        core.email_password.update(user.id, email=None, password=password, revoke_sessions=True)

    with ThreadPoolExecutor(4) as people:
        old = PASSWORD
        for number in range(12):
            together, new = threading.Barrier(4), f"horse {number}"
            tries = [people.submit(sign_in, old, together) for _ in range(3)]
            people.submit(change, new, together).result()
            left += [
                one.result()
                for one in tries
                if one.result() in core.sessions.user_handles(user.id, tenant_id=None)
            ]
            old = new
    assert left == []


@pytest.mark.postgres
def test_a_change_that_is_not_committed_yet_is_waited_for(
    fresh_postgres_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has deleted the sessions that it saw, and will not see the one that is made now."""
    core = start(fresh_postgres_database.uri, keeps_users=True, **QUICK)
    user, proof = signed_up(core), authenticated(core).proof
    changed, commit, unit = threading.Event(), threading.Event(), core.email_password._change

    def slowly(*args: Any) -> Any:
        result = unit(*args)
        changed.set()
        assert commit.wait(30)
        return result

    monkeypatch.setattr(core.email_password, "_change", slowly)
    with ThreadPoolExecutor(2) as people:
        people.submit(core.email_password.update, user.id, email=None, password="new 1", revoke_sessions=True)
        assert changed.wait(30)
        made = core.create(user.id)
        asked = people.submit(core.email_password.is_current, proof)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        for _ in range(10_000):
            if asked.done() or fresh_postgres_database.query(waiting)[0][0]:
                break
        assert core.sessions.user_handles(user.id, tenant_id=None) == [made.handle]
        commit.set()
        assert asked.result(30) is False
