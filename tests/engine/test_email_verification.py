"""Which addresses were proven to be whose, on every database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import VerifiedEmail
from supertokens_py.events import EmailUnverified, EmailVerificationRequested, EmailVerified, Event, subscribe
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.types.users import User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADDRESS, NEW = "ada@example.com", "new@example.com"
DAY = 24 * 3_600_000


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


def token_for(core: Driver, user_id: str = "ada", email: str = ADDRESS, tenant_id: str = "public") -> str:
    token = core.email_verification.create_token(tenant_id, user_id, email)
    assert token is not None
    return token


def signed_up(core: Driver) -> str:
    user = core.email_password.sign_up("public", ADDRESS, "correct horse 1")
    assert isinstance(user, User)
    return user.id


# -- tokens ------------------------------------------------------------------------------------------


def test_a_token_verifies_an_address_once_and_ends_the_others(core: Driver, events: list[Event]) -> None:
    """SI-32. Users need not be ours; who has verified an address gets no further token for it."""
    verification = core.email_verification
    first, second = token_for(core), token_for(core, email=" Ada@Example.com ")
    assert len({first, second}) == 2
    assert len(first) == 128
    assert first.isalnum()
    assert not verification.is_verified("ada", ADDRESS)
    assert verification.verify("public", first) == VerifiedEmail("ada", ADDRESS)
    for token in (first, second, "", "x", "\ud800", "x" * 10_000):
        assert verification.verify("public", token) is None
    assert verification.is_verified("ada", " ADA@example.com")
    assert not verification.is_verified("ada", NEW)
    assert not verification.is_verified("bob", ADDRESS)
    assert verification.create_token("public", "ada", "ADA@example.com") is None
    assert events == [
        *[EmailVerificationRequested(user_id="ada", tenant_id="public")] * 2,
        EmailVerified(user_id="ada", tenant_id="public"),
    ]


def test_a_token_ends_tokens_of_its_user_and_address_only(core: Driver) -> None:
    verification = core.email_verification
    others = [token_for(core, "bob"), token_for(core, email=NEW)]
    assert verification.verify("public", token_for(core)) == VerifiedEmail("ada", ADDRESS)
    assert [verification.verify("public", token) for token in others] == [
        VerifiedEmail("bob", ADDRESS),
        VerifiedEmail("ada", NEW),
    ]


def test_a_token_is_valid_in_its_tenant(core: Driver) -> None:
    """SI-32.

    Elsewhere it is unknown, and goes on being valid where it was made for; so in tenants that are none.
    """
    core.tenants.put("t1", {})
    token = token_for(core, tenant_id="t1")
    for tenant in ("public", "t2", "T 1"):
        assert core.email_verification.verify(tenant, token) is None
    assert core.email_verification.verify("T1", token) == VerifiedEmail("ada", ADDRESS)
    assert core.email_verification.create_token("public", "ada", ADDRESS) is None  # it is verified in all
    with pytest.raises(UnknownTenantError):
        core.email_verification.create_token("nowhere", "ada", ADDRESS)


def test_a_token_ends_after_its_time(core: Driver, clock: Clock) -> None:
    """SI-32.

    A day, or what the tenant says; an expired one takes the others of the pair with it, as in a core.
    """
    verification = core.email_verification
    token = token_for(core)
    clock.advance(ms=DAY)
    assert verification.verify("public", token) is not None
    token = token_for(core, email=NEW)
    clock.advance(ms=DAY + 1)
    later = token_for(core, email=NEW)
    assert verification.verify("public", token) is None
    assert verification.verify("public", later) is None
    assert not verification.is_verified("ada", NEW)
    core.tenants.put("t1", {"core_config": {"email_verification_token_lifetime": 1000}})
    token = token_for(core, "bob", tenant_id="t1")
    clock.advance(ms=1001)
    assert verification.verify("t1", token) is None


def test_only_the_hash_of_a_token_is_stored(stored: TestDatabase, start: Opener) -> None:
    core = start(stored.uri, keeps_users=True)
    token = token_for(core)
    assert stored.query("SELECT user_id, email, token FROM emailverification_tokens") == [
        ("ada", ADDRESS, sha256(token.encode()).hexdigest())
    ]
    assert repr(token) == "'***'"


def test_of_parallel_uses_one_succeeds(core: Driver) -> None:
    """SI-32."""
    token = token_for(core)
    token_for(core)
    together = threading.Barrier(16)

    def use(_: int) -> VerifiedEmail | None:
        together.wait(timeout=30)
        return core.email_verification.verify("public", token)

    with ThreadPoolExecutor(16) as clients:
        results = list(clients.map(use, range(16)))
    assert results.count(None) == 15
    assert core.email_verification.is_verified("ada", ADDRESS)


def test_expired_tokens_are_cleaned_up(stored: TestDatabase, start: Opener, clock: Clock) -> None:
    core = start(stored.uri, keeps_users=True, now_ms=clock)
    token_for(core)
    core.email_verification.may_send("public", ADDRESS)
    clock.advance(ms=DAY + 1)
    token_for(core, "bob")
    core.clean_up()
    assert stored.query("SELECT user_id FROM emailverification_tokens") == [("bob",)]
    assert stored.query("SELECT name FROM key_value WHERE name LIKE 'supertokens_py_sends_%%'") == []


# -- what ends ---------------------------------------------------------------------------------------


def test_an_address_is_unverified(core: Driver, events: list[Event]) -> None:
    """With its tokens, in every tenant; what was not verified is no event."""
    core.tenants.put("t1", {})
    verification = core.email_verification
    verification.verify("public", token_for(core))
    verification.unverify("ada", NEW)
    verification.unverify("ada", "ADA@example.com ")
    assert not verification.is_verified("ada", ADDRESS)
    tokens = {tenant: token_for(core, tenant_id=tenant) for tenant in ("public", "t1")}
    verification.unverify("ada", ADDRESS)
    assert [verification.verify(tenant, token) for tenant, token in tokens.items()] == [None, None]
    assert events.count(EmailUnverified(user_id="ada")) == 1


def test_tokens_are_revoked_in_one_tenant(core: Driver) -> None:
    core.tenants.put("t1", {})
    verification = core.email_verification
    here, there, other = token_for(core), token_for(core, tenant_id="t1"), token_for(core, email=NEW)
    verification.revoke_tokens("public", "ada", " ADA@example.com")
    assert verification.verify("public", here) is None
    assert verification.verify("t1", there) == VerifiedEmail("ada", ADDRESS)
    assert verification.verify("public", other) == VerifiedEmail("ada", NEW)


def test_a_new_address_is_verified_only_if_it_was_before(core: Driver) -> None:
    """SI-36.

    The link to the former address verifies nothing, and the former address has to be verified again.
    """
    user_id, verification, change = signed_up(core), core.email_verification, core.email_password.update

    def is_verified() -> bool:
        found = core.users.find(user_id)
        assert found is not None
        return found.login_methods[0].verified

    verification.verify("public", token_for(core, user_id))
    assert is_verified()
    assert change(user_id, email="ADA@example.com", password="another 1", revoke_sessions=False) is None
    assert is_verified()  # it is the same
    old, beforehand = token_for(core, user_id, "third@example.com"), token_for(core, user_id, NEW)
    verification.verify("public", beforehand)
    assert change(user_id, email=NEW, password=None, revoke_sessions=False) is None
    assert is_verified()
    assert verification.verify("public", old) is None
    assert change(user_id, email=ADDRESS, password=None, revoke_sessions=False) is None
    assert not is_verified()


def test_nothing_is_kept_of_a_removed_user(core: Driver) -> None:
    verification = core.email_verification
    verification.verify("public", token_for(core))
    verification.verify("public", token_for(core, "bob"))
    token = token_for(core, email=NEW)
    core.users.remove("ada")
    assert not verification.is_verified("ada", ADDRESS)
    assert verification.verify("public", token) is None
    assert verification.is_verified("bob", ADDRESS)


# -- arguments and ids -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user_id", "email"),
    [("ada", ""), ("ada", " "), ("ada", "x" * 257), ("ada", "a\0@b.de"), ("", ADDRESS), ("x" * 129, ADDRESS)],
)
def test_what_cannot_be_stored_is_refused_or_unverified(core: Driver, user_id: str, email: str) -> None:
    verification = core.email_verification
    with pytest.raises(BadInputError):
        verification.create_token("public", user_id, email)
    assert not verification.is_verified(user_id, email)
    verification.revoke_tokens("public", user_id, email)
    verification.unverify(user_id, email)


def test_a_mapped_user_is_known_by_either_id(
    stored: TestDatabase, start: Opener, events: list[Event]
) -> None:
    """Rows that were made before the mapping count; new ones have the application's id, as in a core."""
    core = start(stored.uri, keeps_users=True, **QUICK)
    internal, verification = signed_up(core), core.email_verification
    early = token_for(core, internal)
    stored.query(
        "INSERT INTO userid_mapping (app_id, supertokens_user_id, external_user_id) "
        "VALUES ('public', %s, 'mapped')",
        internal,
    )
    later = token_for(core, internal)
    assert verification.verify("public", early) == VerifiedEmail("mapped", ADDRESS)
    assert verification.verify("public", later) is None
    assert verification.is_verified(internal, ADDRESS)
    assert verification.is_verified("mapped", ADDRESS)
    assert core.users.find(internal).login_methods[0].verified
    assert stored.query("SELECT user_id FROM emailverification_verified_emails") == [("mapped",)]
    verification.unverify(internal, ADDRESS)
    assert not verification.is_verified("mapped", ADDRESS)
    assert EmailUnverified(user_id="mapped") in events


@pytest.mark.parametrize("named", ["external", "internal"])
def test_nothing_is_kept_of_a_removed_user_with_an_id_of_the_application(core: Driver, named: str) -> None:
    """SI-69. Neither of addresses that were verified, nor of links that are out; under neither id."""
    internal, verification = signed_up(core), core.email_verification
    early = token_for(core, internal)
    assert verification.verify("public", token_for(core, internal, NEW)) is not None
    core.id_mappings.create(internal, "ada-1", None, force=True)
    late = token_for(core, internal)
    assert verification.verify("public", token_for(core, "ada-1", "third@example.com")) is not None
    others = token_for(core, "bob", "bob@example.com")
    core.users.remove("ada-1" if named == "external" else internal)
    for token in (early, late):
        assert verification.verify("public", token) is None
    for address in (ADDRESS, NEW, "third@example.com"):
        assert not verification.is_verified("ada-1", address)
        assert not verification.is_verified(internal, address)
    assert verification.verify("public", others) == VerifiedEmail("bob", "bob@example.com")


def test_an_engine_of_sessions_alone_verifies_nothing(stored: TestDatabase, start: Opener) -> None:
    with pytest.raises(ConfigError, match="sign-in recipe"):
        _ = start(stored.uri).email_verification


# -- how many e-mails --------------------------------------------------------------------------------


def test_e_mails_are_counted_per_address(stored: TestDatabase, start: Opener, clock: Clock) -> None:
    """And tenant, by every process; whoever asks too early does not wait the longer for it."""
    core = start(stored.uri, keeps_users=True, now_ms=clock)
    other = start(stored.uri, keeps_users=True, now_ms=clock)
    assert core.email_verification.may_send("public", ADDRESS)
    assert not other.email_verification.may_send("public", " ADA@example.com")
    assert other.email_verification.may_send("t1", ADDRESS)
    assert other.email_verification.may_send("public", NEW)
    clock.advance(ms=14_999)
    assert not core.email_verification.may_send("public", ADDRESS)
    clock.advance(ms=1)
    assert core.email_verification.may_send("public", ADDRESS)


def test_of_parallel_requests_one_sends(core: Driver) -> None:
    together = threading.Barrier(8)

    def send(_: int) -> bool:
        together.wait(timeout=30)
        return core.email_verification.may_send("public", ADDRESS)

    with ThreadPoolExecutor(8) as clients:
        assert list(clients.map(send, range(8))).count(True) == 1


def test_the_limit_is_switched_off(stored: TestDatabase, start: Opener) -> None:
    core = start(stored.uri, keeps_users=True, verification_emails_per_day=0)
    assert all(core.email_verification.may_send("public", ADDRESS) for _ in range(50))
