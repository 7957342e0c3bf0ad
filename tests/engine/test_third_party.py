"""Users who sign in with an account at a provider, on every database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from supertokens_py.engine.code_records import ConsumedCode, CreatedCode, NewCode, PresentedCode
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import EmailChangeNotAllowed, SignedInUp, UserQuery
from supertokens_py.events import Event, subscribe
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo, User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.engine.test_accounts import tables_of
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADDRESS = "ada@example.com"


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """An engine of an app that signs users in."""
    return start(stored.uri, keeps_users=True, now_ms=clock, **QUICK)


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What is emitted."""
    found: list[Event] = []
    unsubscribe = subscribe(found.append)
    yield found
    unsubscribe()


def signed_in(
    core: Driver,
    email: str = ADDRESS,
    *,
    there: str = "g-1",
    provider: str = "google",
    tenant_id: str = "public",
    is_verified: bool = False,
) -> SignedInUp:
    result = core.engine.third_party.sign_in_up(
        tenant_id, provider, there, email=email, is_verified=is_verified
    )
    assert isinstance(result, SignedInUp)
    return result


def test_an_account_at_a_provider_is_one_user(core: Driver, clock: Clock, events: list[Event]) -> None:
    """The first sign-in creates the user, every other one finds them."""
    first = signed_in(core, "  Ada@Example.COM ", is_verified=True)
    assert first.created
    assert first.user.to_json() == {
        "id": first.user.id,
        "isPrimaryUser": False,
        "tenantIds": ["public"],
        "timeJoined": clock(),
        "emails": [ADDRESS],
        "phoneNumbers": [],
        "thirdParty": [{"id": "google", "userId": "g-1"}],
        "webauthn": {"credentialIds": []},
        "loginMethods": [
            {
                "recipeId": "thirdparty",
                "recipeUserId": first.user.id,
                "tenantIds": ["public"],
                "timeJoined": clock(),
                "verified": True,
                "email": ADDRESS,
                "thirdParty": {"id": "google", "userId": "g-1"},
            }
        ],
    }
    assert first.recipe_user_id == first.user.id
    assert signed_in(core, is_verified=True) == SignedInUp(first.user, first.recipe_user_id, False)
    assert [event.name for event in events] == ["user.signed_up"]


def test_who_somebody_is_depends_on_provider_id_and_tenant_alone(core: Driver) -> None:
    """Never on an address: the same one at another provider is somebody else."""
    core.tenants.put("t1", {})
    ids = {
        signed_in(core).user.id,
        signed_in(core, there="g-2").user.id,
        signed_in(core, there="G-1").user.id,
        signed_in(core, provider="github").user.id,
        signed_in(core, tenant_id="t1").user.id,
    }
    assert len(ids) == 5
    assert signed_in(core, "other@example.com", tenant_id="t1").user.id in ids


def test_64_first_sign_ins_of_one_account_make_one_user(core: Driver) -> None:
    start = threading.Barrier(64)

    def sign_in(_: int) -> SignedInUp:
        start.wait()
        return signed_in(core, is_verified=True)

    with ThreadPoolExecutor(64) as threads:
        results = list(threads.map(sign_in, range(64)))
    assert len({result.user.id for result in results}) == 1
    assert [result.created for result in results].count(True) == 1
    assert core.users.count(tenant_id=None) == 1
    assert {result.user.login_methods[0].verified for result in results} == {True}


def test_an_address_that_changed_at_the_provider_is_changed_here(core: Driver) -> None:
    """SI-57. The former one is not verified any more: it may be somebody else's when it comes back."""
    before = signed_in(core, is_verified=True).user
    token = core.email_verification.create_token("public", before.id, "soon@example.com")
    assert token is not None
    after = signed_in(core, "new@example.com")
    assert (after.created, after.user.id, after.user.emails) == (False, before.id, ["new@example.com"])
    assert not after.user.login_methods[0].verified
    assert not core.email_verification.is_verified(before.id, ADDRESS)
    assert core.email_verification.verify("public", token) is None
    assert signed_in(core, "new@example.com", is_verified=True).user.login_methods[0].verified


def test_a_new_address_is_in_the_audit_log(core: Driver, events: list[Event]) -> None:
    signed_in(core)
    signed_in(core, "new@example.com")
    assert [event.name for event in events] == ["user.signed_up", "user.email_changed"]


def test_what_was_verified_here_stays_verified(core: Driver) -> None:
    user = signed_in(core).user
    token = core.email_verification.create_token("public", user.id, ADDRESS)
    assert token is not None
    assert core.email_verification.verify("public", token) is not None
    assert signed_in(core, is_verified=False).user.login_methods[0].verified


@pytest.mark.parametrize(
    ("provider", "there", "email"),
    [
        ("", "g-1", ADDRESS),
        (" ", "g-1", ADDRESS),
        ("p" * 29, "g-1", ADDRESS),
        ("google", "", ADDRESS),
        ("google", "u" * 257, ADDRESS),
        ("google", "\0", ADDRESS),
        ("google", "\ud800", ADDRESS),
        ("google", 17, ADDRESS),
        ("google", "g-1", ""),
        ("google", "g-1", "a" * 257),
    ],
)
def test_what_cannot_be_stored_is_refused(start: Opener, provider: Any, there: Any, email: str) -> None:
    core = start("sqlite://", keeps_users=True)
    with pytest.raises(BadInputError):
        signed_in(core, email, provider=provider, there=there)


def test_the_longest_ids_are_stored(core: Driver) -> None:
    user = signed_in(core, provider="p" * 28, there="ü" * 256).user
    assert user.third_party == [ThirdPartyInfo("ü" * 256, "p" * 28)]


def test_nobody_signs_in_to_an_unknown_tenant(core: Driver) -> None:
    with pytest.raises(UnknownTenantError):
        signed_in(core, tenant_id="t1")
    assert core.users.count(tenant_id=None) == 0


def test_an_engine_of_sessions_alone_has_none(stored: TestDatabase, start: Opener) -> None:
    core = start(stored.uri)
    with pytest.raises(ConfigError, match="keeps no users"):
        signed_in(core)
    with pytest.raises(ConfigError, match="keeps no providers"):
        core.tenants.put_provider("public", {"thirdPartyId": "google", "clients": []})


# -- other recipes ---------------------------------------------------------------------------------------


def by_code(core: Driver, email: str = ADDRESS) -> User:
    """Sign in with a code that was sent to an address."""
    made = core.engine.passwordless.create_code("public", NewCode(email=email))
    assert isinstance(made, CreatedCode)
    presented = PresentedCode(pre_auth_session_id=made.pre_auth_session_id, link_code=made.link_code)
    used = core.engine.passwordless.consume("public", presented)
    assert isinstance(used, ConsumedCode)
    assert used.created
    return used.user


@pytest.mark.parametrize("first", ["password", "code", "provider"])
def test_an_address_of_three_recipes_is_three_users(core: Driver, first: str) -> None:
    """Nobody is linked, whichever way was first: whoever has one of them may be another person."""

    def with_password() -> User:
        made = core.email_password.sign_up("public", ADDRESS, "a password 1")
        assert isinstance(made, User)
        return made

    ways = {
        "password": with_password,
        "code": lambda: by_code(core),
        "provider": lambda: signed_in(core, is_verified=True).user,
    }
    order = [first, *(way for way in ways if way != first)]
    users = {way: ways[way]() for way in order}
    assert len({user.id for user in users.values()}) == 3
    found = core.users.by_account_info("public", AccountInfo(email=ADDRESS))
    assert {user.id: user for user in found} == {user.id: user for user in users.values()}
    # What one of them proved does not verify the address of another.
    verified = {way: users[way].login_methods[0].verified for way in ways}
    assert verified == {"password": False, "code": True, "provider": True}
    known = core.email_password.verify("public", ADDRESS, "a password 1")
    assert known is not None
    assert known.id == users["password"].id
    core.users.remove(users[first].id)
    left = {user.id for user in core.users.by_account_info("public", AccountInfo(email=ADDRESS))}
    assert left == {users[way].id for way in order[1:]}


@pytest.mark.parametrize("owner_comes", ["by a provider", "by a code"])
def test_an_account_that_waits_for_its_owner_gets_nothing_of_them(core: Driver, owner_comes: str) -> None:
    """Pre-hijacking: somebody signs up with a stranger's address, who later comes another way.

    Neither the password nor a session nor a link that was made before leads to the owner's user.
    """
    attacker = core.email_password.sign_up("public", ADDRESS, "a password 1")
    assert isinstance(attacker, User)
    session = core.create(attacker.id)
    link = core.email_verification.create_token("public", attacker.id, ADDRESS)
    reset = core.email_password.create_reset_token("public", attacker.id, ADDRESS)
    assert link is not None
    assert reset is not None
    owner = signed_in(core, is_verified=True).user if owner_comes == "by a provider" else by_code(core)
    assert owner.id != attacker.id
    known = core.users.find(attacker.id)
    assert known is not None
    assert known.login_methods == attacker.login_methods
    refreshed = core.refresh(session.refresh_token.text)
    assert (refreshed.user_id, refreshed.recipe_user_id) == (attacker.id, attacker.id)
    used = core.email_password.consume_reset_token("public", reset)
    assert used is not None
    assert used.user_id == attacker.id
    assert (
        core.email_password.update(owner.id, email=None, password="another 2", revoke_sessions=True)
        is not None
    )
    assert core.users.find(owner.id) == owner
    # The reverse: who has the account at the provider first is found by no password for the address.
    other = signed_in(core, "bob@example.com", there="g-2").user
    made = core.email_password.sign_up("public", "bob@example.com", "a password 1")
    assert isinstance(made, User)
    assert made.id != other.id


# -- reading ---------------------------------------------------------------------------------------------


def test_users_are_found_by_account_and_by_address(core: Driver) -> None:
    core.tenants.put("t1", {})
    ada, bob = signed_in(core).user, signed_in(core, "bob@example.org", there="g-2", provider="github").user
    there = ThirdPartyInfo("g-1", "google")
    by = core.users.by_account_info
    assert by("public", AccountInfo(third_party=there)) == [ada]
    assert by("t1", AccountInfo(third_party=there)) == []
    assert by("public", AccountInfo(third_party=ThirdPartyInfo("g-1", "github"))) == []
    assert by("public", AccountInfo(third_party=ThirdPartyInfo("\0", "\ud800"))) == []
    assert by("public", AccountInfo(email=" ADA@example.com", third_party=there)) == [ada]
    assert by("public", AccountInfo(email="bob@example.org", third_party=there)) == []
    either = by("public", AccountInfo(email="bob@example.org", third_party=there), any_of=True)
    assert {user.id for user in either} == {ada.id, bob.id}


def test_users_are_searched_by_provider(core: Driver) -> None:
    """By its beginning, as in a core; with an address, both have to fit."""
    core.email_password.sign_up("public", "ada@example.net", "a password 1")
    users = {
        provider: signed_in(core, f"ada@{provider}.example", provider=provider).user.id
        for provider in ("google", "google-2", "github")
    }
    page = core.users.page

    def ids(**query: Any) -> set[str]:
        return {user.id for user in page("public", UserQuery(**query)).users}

    assert ids(provider="google") == {users["google"], users["google-2"]}
    assert ids(provider="git") == {users["github"]}
    assert ids(provider="g%") == set()
    assert ids(provider="google", email="ada@google-2") == {users["google-2"]}
    assert ids(provider="google", phone_number="+49") == set()
    assert ids(email="github.example") == {users["github"]}
    assert len(ids(email="ada@")) == 4
    assert core.users.count(tenant_id="public", recipe_ids=["thirdparty"]) == 3
    assert {one.id for one in page("public", UserQuery(recipe_ids=["thirdparty"])).users} == set(
        users.values()
    )


# -- deletion and ids ------------------------------------------------------------------------------------


def test_nothing_is_left_of_a_removed_user(stored: TestDatabase, core: Driver) -> None:
    """SI-69. Whoever signs in with the account afterwards is a new user."""
    first, other = signed_in(core, is_verified=True), signed_in(core, there="g-2", is_verified=True)
    core.create(first.user.id)
    core.metadata.merge(first.user.id, {"a": 1})
    assert core.engine.third_party.is_current(first)
    core.users.remove(first.user.id)
    assert not core.engine.third_party.is_current(first)
    for table in tables_of(stored):
        for column in stored.columns(table):
            if "user_id" in column and table != "user_roles":
                rows = stored.query(f"SELECT count(*) FROM {table} WHERE {column} = %s", first.user.id)
                assert rows == [(0,)], (table, column)
    assert core.users.find(other.user.id) == other.user
    again = signed_in(core)
    assert again.created
    assert not again.user.login_methods[0].verified


def test_users_outlive_their_tenant(core: Driver) -> None:
    core.tenants.put("t1", {})
    user = signed_in(core, tenant_id="t1").user
    core.tenants.delete("t1")
    found = core.users.find(user.id)
    assert found is not None
    assert (found.tenant_ids, found.third_party) == ([], user.third_party)
    core.tenants.put("t1", {})
    assert signed_in(core, tenant_id="t1").created


def test_answers_have_the_applications_id_of_a_mapped_user(core: Driver) -> None:
    """SI-68. Addresses are verified under it, too."""
    internal = signed_in(core).user.id
    core.engine.id_mappings.create(internal, "ada-42", info=None, force=False)
    known = signed_in(core, is_verified=True)
    assert (known.user.id, known.recipe_user_id, known.created) == ("ada-42", "ada-42", False)
    assert known.user.login_methods[0].verified
    assert core.email_verification.is_verified("ada-42", ADDRESS)
    assert core.engine.third_party.is_current(known)
    assert signed_in(core, "new@example.com").user.id == "ada-42"
    assert not core.email_verification.is_verified("ada-42", ADDRESS)
    core.users.remove("ada-42")
    assert not core.engine.third_party.is_current(known)


def test_a_linked_user_takes_no_address_of_another_primary_user(stored: TestDatabase, core: Driver) -> None:
    """An official core links users; two primary ones must not share an address in a tenant."""
    primary, linked = signed_in(core), signed_in(core, there="g-2")
    other = signed_in(core, "other@example.com", there="g-3")
    for table in ("app_id_to_user_id", "all_auth_recipe_users"):
        stored.query(f"UPDATE {table} SET is_linked_or_is_a_primary_user = TRUE")
        stored.query(
            f"UPDATE {table} SET primary_or_recipe_user_id = %s WHERE user_id = %s",
            *(primary.user.id, linked.user.id),
        )
    both = signed_in(core, there="g-2")
    assert (both.user.id, both.recipe_user_id) == (primary.user.id, linked.user.id)
    refused = core.engine.third_party.sign_in_up(
        "public", "google", "g-2", email="other@example.com", is_verified=True
    )
    assert refused == EmailChangeNotAllowed("Email already associated with another primary user.")
    assert core.users.find(other.user.id) is not None
    moved = signed_in(core, "free@example.com", there="g-2")
    assert (moved.user.id, {*moved.user.emails}) == (primary.user.id, {ADDRESS, "free@example.com"})


# -- tables ----------------------------------------------------------------------------------------------


def test_rows_are_those_of_the_legacy_layout(stored: TestDatabase, core: Driver) -> None:
    """SI-65. Times of 0 in the first table tell core 12 to migrate the user."""
    user = signed_in(core, is_verified=True).user
    common = {"app_id": "public", "user_id": user.id}
    kind = {"recipe_id": "thirdparty", "primary_or_recipe_user_id": user.id}
    there = {"third_party_id": "google", "third_party_user_id": "g-1"}
    flag = {"is_linked_or_is_a_primary_user": False}
    zero = {"time_joined": 0, "primary_or_recipe_user_time_joined": 0}
    joined = dict.fromkeys(zero, user.time_joined)
    assert stored.one("app_id_to_user_id") == {**common, **kind, **flag, **zero}
    tenant = {"tenant_id": "public"}
    assert stored.one("all_auth_recipe_users") == {**common, **tenant, **kind, **flag, **joined}
    own = {"email": ADDRESS, "time_joined": user.time_joined}
    assert stored.one("thirdparty_users") == {**common, **there, **own}
    assert stored.one("thirdparty_user_to_tenant") == {**common, **tenant, **there}
    assert stored.one("emailverification_verified_emails") == {**common, "email": ADDRESS}
