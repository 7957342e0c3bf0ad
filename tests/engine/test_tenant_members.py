"""Users who are put into further tenants, and taken out of one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from supertokens_py.engine.code_records import PhoneNumberTaken
from supertokens_py.engine.records import Unauthorised, UnknownTenantError
from supertokens_py.engine.tenant_members import AccountTaken, Associated, AssociationNotAllowed
from supertokens_py.engine.user_records import EmailTaken, UnknownUser
from supertokens_py.types.users import ThirdPartyInfo, User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.engine.test_user_layouts import by_account, by_code, known_by, signed_up
from tests.support.clock import Clock
from tests.support.codes import use_new_code
from tests.support.databases import TestDatabase

QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
EMAIL, NUMBER, PASSWORD = "ada@example.com", "+491701234567", "a good password 1"
ADDED, ALREADY = Associated(was_already=False), Associated(was_already=True)


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener, clock: Clock) -> Driver:
    return start(stored.uri, keeps_users=True, now_ms=clock, **QUICK)


def test_a_user_signs_in_in_every_tenant_of_theirs(core: Driver) -> None:
    """With the address, number or account that they have; each is one user in both."""
    core.tenants.put("t1", {})
    ada, bob, carl = signed_up(core), by_code(core, phone_number=NUMBER), by_account(core).user
    for user in (ada, bob, carl):
        assert core.users.associate("t1", user.id) == ADDED
        assert core.users.associate("t1", user.id) == ALREADY
        assert core.users.find(user.id).tenant_ids == ["public", "t1"]
    assert core.email_password.verify("t1", EMAIL, PASSWORD).id == ada.id
    assert by_code(core, "t1", phone_number=NUMBER).id == bob.id
    assert by_account(core, tenant="t1").user.id == carl.id
    assert known_by(core, "t1", email=EMAIL) == {ada.id, carl.id}
    assert core.users.count(tenant_id="t1") == core.users.count(tenant_id=None) == 3


def test_what_another_user_has_in_the_tenant_is_in_the_way(core: Driver) -> None:
    core.tenants.put("t1", {})
    ada, bob = signed_up(core), by_code(core, phone_number=NUMBER)
    carl, dora = by_account(core).user, by_code(core, email=EMAIL)
    others = (
        signed_up(core, tenant="t1").id,
        by_code(core, "t1", phone_number=NUMBER).id,
        by_account(core, "other@example.com", tenant="t1").user.id,
    )
    assert core.users.associate("t1", ada.id) == EmailTaken()
    assert core.users.associate("t1", bob.id) == PhoneNumberTaken()
    assert core.users.associate("t1", carl.id) == AccountTaken()
    assert core.users.associate("t1", dora.id) == ADDED  # that address is another recipe's user
    assert known_by(core, "t1", email=EMAIL) == {others[0], dora.id}
    assert known_by(core, "t1", third_party=ThirdPartyInfo("g-1", "google")) == {others[2]}


def test_what_is_not_there_is_said(core: Driver) -> None:
    user_id = signed_up(core).id
    for unknown in ("nobody", "", "a\0"):
        assert core.users.associate("public", unknown) == UnknownUser()
        assert core.users.dissociate("public", unknown) == UnknownUser()
    with pytest.raises(UnknownTenantError):
        core.users.associate("nowhere", user_id)
    core.tenants.put("t1", {})
    assert core.users.dissociate("t1", user_id) is False
    assert core.users.find(user_id).tenant_ids == ["public"]


def test_who_is_taken_out_keeps_nothing_there(core: Driver) -> None:
    """Sessions, roles and links of that tenant go, by whichever id they were made; those elsewhere stay."""
    core.tenants.put("t1", {})
    core.roles.add("admin", [])
    internal = signed_up(core).id
    before = core.create(internal, tenant_id="t1")
    core.id_mappings.create(internal, "ada-1", None, force=True)
    assert core.users.associate("t1", "ada-1") == ADDED
    sessions = {tenant: core.create("ada-1", tenant_id=tenant) for tenant in ("public", "t1")}
    for tenant in ("public", "t1"):
        core.roles.assign("ada-1", "admin", tenant_id=tenant)
    tokens = {
        tenant: core.email_verification.create_token(tenant, "ada-1", EMAIL) for tenant in ("public", "t1")
    }
    assert core.users.dissociate("t1", "ada-1") is True
    assert core.users.dissociate("t1", "ada-1") is False
    for ended in (before, sessions["t1"]):
        assert isinstance(core.verify(ended), Unauthorised)
    assert not isinstance(core.verify(sessions["public"]), Unauthorised)
    assert [core.roles.users("admin", tenant_id=tenant) for tenant in ("public", "t1")] == [["ada-1"], []]
    assert core.email_verification.verify("t1", tokens["t1"]) is None
    assert core.email_verification.verify("public", tokens["public"]).email == EMAIL
    assert core.email_password.verify("t1", EMAIL, PASSWORD) is None
    assert core.users.dissociate("public", internal) is True
    left = core.users.find("ada-1")
    assert isinstance(left, User)
    assert (left.tenant_ids, left.emails) == ([], [EMAIL])
    assert core.users.associate("t1", "ada-1") == ADDED


def sign_ins(core: Driver, tenant: str) -> list[tuple[Callable[[Any], bool], Any]]:
    """Return for each recipe what says whether a sign-in still holds, and one into a tenant."""
    found = core.email_password.authenticate(tenant, EMAIL, PASSWORD)
    assert found is not None
    return [
        (core.email_password.is_current, found.proof),
        (core.passwordless.is_current, use_new_code(core, tenant, phone_number=NUMBER)),
        (core.engine.third_party.is_current, by_account(core, tenant=tenant)),
    ]


def test_a_sign_in_ends_with_the_membership(core: Driver) -> None:
    """Of the tenant that the user signed in to, by whichever recipe."""
    core.tenants.put("t1", {})
    users = [signed_up(core).id, by_code(core, phone_number=NUMBER).id, by_account(core).user.id]
    for user_id in users:
        core.users.associate("t1", user_id)
    for (is_current, there), (_, elsewhere), user_id in zip(
        sign_ins(core, "t1"), sign_ins(core, "public"), users, strict=True
    ):
        assert (is_current(there), is_current(elsewhere)) == (True, True)
        assert core.users.dissociate("t1", user_id) is True
        assert (is_current(there), is_current(elsewhere)) == (False, True)


@pytest.mark.postgres
@pytest.mark.parametrize("recipe", range(3), ids=["emailpassword", "passwordless", "thirdparty"])
def test_a_dissociation_that_is_not_committed_yet_is_waited_for(
    fresh_postgres_database: TestDatabase, start: Opener, monkeypatch: pytest.MonkeyPatch, recipe: int
) -> None:
    """It has ended the sessions that it saw, and will not see the one that is made now."""
    core = start(fresh_postgres_database.uri, keeps_users=True, **QUICK)
    users = [signed_up(core).id, by_code(core, phone_number=NUMBER).id, by_account(core).user.id]
    is_current, proof = sign_ins(core, "public")[recipe]
    changed, commit, leave = threading.Event(), threading.Event(), core.accounts.rows.leave

    def slowly(*args: Any) -> None:
        leave(*args)
        changed.set()
        assert commit.wait(30)

    monkeypatch.setattr(core.accounts.rows, "leave", slowly)
    with ThreadPoolExecutor(2) as people:
        people.submit(core.users.dissociate, "public", users[recipe])
        assert changed.wait(30)
        asked = people.submit(is_current, proof)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        for _ in range(10_000):
            if asked.done() or fresh_postgres_database.query(waiting)[0][0]:
                break
        commit.set()
        assert asked.result(30) is False


def test_linked_users_and_other_recipes_are_left_to_a_core(core: Driver, stored: TestDatabase) -> None:
    core.tenants.put("t1", {})
    user_id = signed_up(core).id
    stored.query("UPDATE app_id_to_user_id SET is_linked_or_is_a_primary_user = TRUE")
    linked = AssociationNotAllowed("the user is linked to others: let the SuperTokens core do it")
    assert core.users.associate("t1", user_id) == linked
    assert core.users.associate("public", user_id) == ALREADY
    stored.query("UPDATE app_id_to_user_id SET recipe_id = 'webauthn'")
    assert core.users.associate("t1", user_id) == AssociationNotAllowed(
        "the user is of a recipe that this app does not have: let the SuperTokens core do it"
    )
    assert core.users.find(user_id).tenant_ids == ["public"]
    assert core.users.dissociate("public", user_id) is True
    assert core.users.find(user_id).tenant_ids == []


def test_a_user_whose_recipe_has_lost_them_is_unknown(core: Driver, stored: TestDatabase) -> None:
    """A core has removed them by half."""
    user_id = signed_up(core).id
    core.tenants.put("t1", {})
    for table in ("emailpassword_user_to_tenant", "emailpassword_users"):
        stored.query(f"DELETE FROM {table}")
    assert core.users.associate("t1", user_id) == UnknownUser()


def test_of_parallel_users_one_gets_the_address(stored: TestDatabase, core: Driver) -> None:
    core.tenants.put("t1", {})
    core.tenants.put("t2", {})
    ids = [signed_up(core, tenant=tenant).id for tenant in ("public", "t2")]
    with ThreadPoolExecutor(6) as people:
        found = [*people.map(lambda one: core.users.associate("t1", one), ids * 3)]
    (owner,) = known_by(core, "t1", email=EMAIL)
    assert found.count(ADDED) == 1
    assert all((one == EmailTaken()) is (ids[number % 2] != owner) for number, one in enumerate(found))
