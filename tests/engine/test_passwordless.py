"""Signing in with one-time codes and links, on every database."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from supertokens_py.engine.code_records import (
    CheckedCode,
    CodeAlreadyUsed,
    ConsumedCode,
    CreatedCode,
    Device,
    DeviceCode,
    NewCode,
    PhoneNumberChangeNotAllowed,
    PhoneNumberTaken,
    PresentedCode,
    RestartFlow,
    WrongCode,
)
from supertokens_py.engine.embedded.accounts import code_rows
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import EmailChangeNotAllowed, EmailTaken, UnknownUser, UserQuery
from supertokens_py.events import (
    EmailChanged,
    EmailVerified,
    Event,
    PhoneNumberChanged,
    SignInFailed,
    SignInRefused,
    TextMessageRefused,
    UserSignedUp,
    subscribe,
)
from supertokens_py.exceptions import BadInputError, ConfigError, TooManyAttemptsError
from supertokens_py.types.users import AccountInfo, User
from tests.engine.conftest import MEMORY, Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase
from tests.support.interleaving import meanwhile

QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADDRESS, NUMBER = "ada@example.com", "+16502530000"
LIFETIME = 600_000
RESTART = RestartFlow()


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


def code_for(core: Driver, email: str = ADDRESS, tenant: str = "public", **new: Any) -> CreatedCode:
    """Make a code for an address, or for what else is named."""
    named = {} if new.keys() & {"phone_number", "device_id"} else {"email": email}
    made = core.passwordless.create_code(tenant, NewCode(**named, **new))
    assert isinstance(made, CreatedCode)
    return made


def by_code(made: CreatedCode, code: str | None = None) -> PresentedCode:
    """Return what the frontend sends once the code was typed."""
    return PresentedCode(
        pre_auth_session_id=made.pre_auth_session_id,
        device_id=made.device_id,
        user_input_code=made.user_input_code if code is None else code,
    )


def by_link(made: CreatedCode) -> PresentedCode:
    """Return what the frontend sends once the link was opened."""
    return PresentedCode(pre_auth_session_id=made.pre_auth_session_id, link_code=made.link_code)


def signed_in(core: Driver, presented: PresentedCode, tenant: str = "public") -> ConsumedCode:
    used = core.passwordless.consume(tenant, presented)
    assert isinstance(used, ConsumedCode)
    return used


def wrong_for(made: CreatedCode) -> str:
    return "000000" if made.user_input_code != "000000" else "111111"


# -- codes ---------------------------------------------------------------------------------------------


def test_what_is_made_and_stored(core: Driver, stored: TestDatabase, clock: Clock) -> None:
    """SI-37, SI-38. Six digits for the message, an id for the browser, digests in the official columns."""
    made = code_for(core, " Ada@Example.com")
    assert made.user_input_code.isdecimal()
    assert [len(made.user_input_code), len(made.device_id), len(made.link_code)] == [6, 44, 43]
    assert [len(made.pre_auth_session_id), len(made.code_id), made.lifetime_ms] == [43, 36, LIFETIME]
    assert made.created_ms == clock()
    columns = "device_id_hash, email, phone_number, link_code_salt, failed_attempts"
    ((device, email, phone, salt, failed),) = stored.query(f"SELECT {columns} FROM passwordless_devices")
    assert (device.strip(), email, phone, failed) == (made.pre_auth_session_id, ADDRESS, None, 0)
    ((code_id, of_device, link, created),) = stored.query(
        "SELECT code_id, device_id_hash, link_code_hash, created_at FROM passwordless_codes"
    )
    assert (code_id, of_device.strip(), created) == (made.code_id, made.pre_auth_session_id, clock())
    assert [len(salt), len(link)] == [44, 44]
    kept = f"{salt}{link}{device}{code_id}"
    assert made.device_id not in kept
    assert made.link_code not in kept
    shown = repr(made)
    assert not any(text in shown for text in (made.device_id, made.link_code, made.user_input_code))


def test_a_code_or_its_link_signs_in_once(core: Driver, events: list[Event]) -> None:
    """SI-43, SI-44. The first time makes a user, whose address is verified; then it is the same one."""
    made = code_for(core)
    first = signed_in(core, by_code(made))
    assert (first.created, first.recipe_user_id) == (True, first.user.id)
    method = first.user.login_methods[0]
    assert (method.recipe_id, method.email, method.phone_number) == ("passwordless", ADDRESS, None)
    assert (method.verified, method.tenant_ids, method.time_joined) == (True, ["public"], made.created_ms)
    assert first.device == Device(
        pre_auth_session_id=made.pre_auth_session_id, failed_attempts=0, email=ADDRESS
    )
    assert core.email_verification.is_verified(first.user.id, ADDRESS)
    assert core.passwordless.consume("public", by_code(made)) == RESTART
    assert core.passwordless.consume("public", by_link(made)) == RESTART
    second = signed_in(core, by_link(code_for(core, "ADA@example.com ")))
    assert (second.created, second.user) == (False, first.user)
    assert core.users.find(first.user.id) == first.user
    assert events == [
        UserSignedUp(user_id=first.user.id, tenant_id="public", recipe_id="passwordless"),
        EmailVerified(user_id=first.user.id, tenant_id="public"),
    ]


def test_a_phone_number_signs_in(core: Driver) -> None:
    """SI-34. It is stored as it is given; there is no address to verify."""
    used = signed_in(core, by_code(code_for(core, phone_number=f" {NUMBER} ")))
    method = used.user.login_methods[0]
    assert (method.email, method.phone_number, method.verified) == (None, NUMBER, True)
    assert used.user.phone_numbers == [NUMBER]
    assert used.user.emails == []
    again = signed_in(core, by_link(code_for(core, phone_number=NUMBER)))
    assert (again.created, again.user) == (False, used.user)
    assert signed_in(core, by_code(code_for(core))).user != used.user


def test_wrong_codes_are_counted_until_the_device_is_gone(
    core: Driver, stored: TestDatabase, events: list[Event]
) -> None:
    """SI-39."""
    made = code_for(core)
    answers = [core.passwordless.consume("public", by_code(made, wrong_for(made))) for _ in range(3)]
    answers.append(core.passwordless.check("public", by_code(made, wrong_for(made))))
    assert answers == [WrongCode(False, count, 5) for count in (1, 2, 3, 4)]
    assert core.passwordless.consume("public", by_code(made, wrong_for(made))) == RESTART
    assert stored.query("SELECT count(*) FROM passwordless_devices") == [(0,)]
    assert stored.query("SELECT count(*) FROM passwordless_codes") == [(0,)]
    assert core.passwordless.consume("public", by_code(made)) == RESTART
    assert core.passwordless.consume("public", by_link(made)) == RESTART
    assert events == [SignInFailed(user_id=None, tenant_id="public", recipe_id="passwordless")] * 5


def test_a_device_with_too_many_failures_is_ended_by_its_link_too(core: Driver, stored: TestDatabase) -> None:
    """Whoever lowers the number of attempts, or shares the database with a core, has such devices."""
    made = code_for(core)
    stored.query("UPDATE passwordless_devices SET failed_attempts = 5")
    assert core.passwordless.consume("public", by_link(made)) == RESTART
    assert stored.query("SELECT count(*) FROM passwordless_devices") == [(0,)]


def test_codes_expire(core: Driver, clock: Clock) -> None:
    """SI-40. Ten minutes, or what the tenant says; an expired code counts as a failure, a link does not."""
    made = code_for(core)
    clock.advance(ms=LIFETIME)
    assert isinstance(core.passwordless.check("public", by_code(made)), CheckedCode)
    assert isinstance(core.passwordless.check("public", by_link(made)), CheckedCode)
    clock.advance(ms=1)
    assert core.passwordless.consume("public", by_link(made)) == RESTART
    assert core.passwordless.consume("public", by_code(made)) == WrongCode(True, 1, 5)
    assert core.passwordless.consume("public", by_code(made, wrong_for(made))) == WrongCode(False, 2, 5)
    again = code_for(core, device_id=made.device_id)
    assert core.passwordless.consume("public", by_code(made)) == WrongCode(True, 3, 5)
    assert signed_in(core, by_code(again)).created


def test_a_tenant_has_its_own_lifetime_and_attempts(core: Driver, clock: Clock) -> None:
    config = {"passwordless_code_lifetime": 1000, "passwordless_max_code_input_attempts": 2}
    core.tenants.put("t1", {"core_config": config})
    made = code_for(core, tenant="T1")
    assert made.lifetime_ms == 1000
    assert core.passwordless.consume("t1", by_code(made, wrong_for(made))) == WrongCode(False, 1, 2)
    assert core.passwordless.consume("t1", by_code(made, wrong_for(made))) == RESTART
    late = code_for(core, tenant="t1")
    clock.advance(ms=1001)
    assert core.passwordless.consume("t1", by_link(late)) == RESTART
    for wrong in (0, -1, 1.5, "5", True):
        with pytest.raises(BadInputError, match="must be a whole number from 1 to"):
            core.tenants.put("t1", {"core_config": {"passwordless_max_code_input_attempts": wrong}})


def test_a_code_that_is_sent_again_leaves_the_first_one_valid(core: Driver) -> None:
    """SI-41."""
    first = code_for(core)
    second = code_for(core, device_id=first.device_id, pre_auth_session_id=first.pre_auth_session_id)
    assert second.device_id == first.device_id
    assert second.pre_auth_session_id == first.pre_auth_session_id
    assert second.code_id != first.code_id
    assert isinstance(core.passwordless.check("public", by_code(second)), CheckedCode)
    assert signed_in(core, by_code(first)).created
    assert core.passwordless.consume("public", by_code(second)) == RESTART
    assert core.passwordless.create_code("public", NewCode(device_id=first.device_id)) == RESTART


def test_ids_that_do_not_belong_together(core: Driver) -> None:
    """SI-45. Nothing is counted, and nothing is made."""
    mine, other = code_for(core), code_for(core, "bob@example.com")
    for presented in (by_code(mine), by_link(mine)):
        with pytest.raises(BadInputError, match="preAuthSessionId and deviceId doesn't match"):
            core.passwordless.consume(
                "public", replace(presented, pre_auth_session_id=other.pre_auth_session_id)
            )
    new = NewCode(device_id=mine.device_id, pre_auth_session_id=other.pre_auth_session_id)
    assert core.passwordless.create_code("public", new) == RESTART
    padded = replace(by_code(mine), pre_auth_session_id=mine.pre_auth_session_id + "=")
    used = signed_in(core, padded)
    assert used.device is not None
    assert used.device.failed_attempts == 0


def test_codes_of_the_caller(core: Driver) -> None:
    made = code_for(core, user_input_code="häß-lich")
    assert made.user_input_code == "häß-lich"
    again = NewCode(device_id=made.device_id, user_input_code="häß-lich")
    assert core.passwordless.create_code("public", again) == CodeAlreadyUsed()
    other = code_for(core, user_input_code="häß-lich")
    assert core.passwordless.consume("public", by_code(made, "hass-lich")) == WrongCode(False, 1, 5)
    assert signed_in(core, by_code(other)).created


def test_a_made_up_code_that_the_device_has_is_made_up_again(
    core: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = code_for(core)
    made_up = iter([made.user_input_code, made.user_input_code, "other!"])
    monkeypatch.setattr("supertokens_py.engine.embedded.signin.code_digests.new_code", lambda: next(made_up))
    assert code_for(core, device_id=made.device_id).user_input_code == "other!"


def test_what_cannot_be_asked_for(core: Driver) -> None:
    for new in (
        NewCode(),
        NewCode(email=ADDRESS, phone_number=NUMBER),
        NewCode(email=ADDRESS, device_id="x"),
        NewCode(email=""),
        NewCode(email="x" * 257),
        NewCode(email="a\0@example.com"),
        NewCode(phone_number=" "),
        NewCode(phone_number="+\ud800"),
        NewCode(email=ADDRESS, user_input_code=""),
        NewCode(device_id="no base64!"),
    ):
        with pytest.raises(BadInputError):
            core.passwordless.create_code("public", new)
    made = code_for(core)
    session = {"pre_auth_session_id": made.pre_auth_session_id}
    for wrong in (
        PresentedCode(**session),
        PresentedCode(**session, device_id=made.device_id),
        PresentedCode(**session, user_input_code="1"),
        PresentedCode(**session, link_code=made.link_code, device_id=made.device_id),
        PresentedCode(**session, link_code="no base64!"),
        PresentedCode(**session, device_id="no base64!", user_input_code="1"),
    ):
        with pytest.raises(BadInputError):
            core.passwordless.consume("public", wrong)
    for nothing in ("", "x" * 40, "\0"):
        with pytest.raises(BadInputError):
            core.passwordless.consume("public", replace(by_code(made), pre_auth_session_id=nothing))
    assert core.passwordless.check("public", by_code(made, "\0\ud800")) == WrongCode(False, 1, 5)
    unknown = PresentedCode(pre_auth_session_id="x", link_code="AAAA")
    assert core.passwordless.consume("public", unknown) == RESTART
    unknown = PresentedCode(pre_auth_session_id="x", device_id="AAAA", user_input_code="1")
    assert core.passwordless.consume("public", unknown) == RESTART
    assert core.passwordless.create_code("public", NewCode(device_id="AAAA")) == RESTART


def test_tenants_are_apart(core: Driver) -> None:
    """SI-42. A code is valid in its tenant; consuming one leaves those of other tenants alone."""
    core.tenants.put("t1", {})
    here, again, other, there = (
        code_for(core),
        code_for(core),
        code_for(core, "bob@example.com"),
        code_for(core, tenant="t1"),
    )
    for presented in (by_code(here), by_link(here)):
        assert core.passwordless.consume("t1", presented) == RESTART
        assert core.passwordless.consume("nowhere", presented) == RESTART
    assert core.passwordless.consume("T 1", by_link(here)) == RESTART
    ada = signed_in(core, by_link(here))
    assert core.passwordless.consume("public", by_code(again)) == RESTART
    assert signed_in(core, by_code(other)).created
    elsewhere = signed_in(core, by_code(there), "t1")
    assert elsewhere.created
    assert elsewhere.user.id != ada.user.id
    assert elsewhere.user.tenant_ids == ["t1"]
    with pytest.raises(UnknownTenantError):
        core.passwordless.create_code("nowhere", NewCode(email=ADDRESS))
    core.tenants.delete("t1")
    assert core.passwordless.consume("t1", by_code(there)) == RESTART


def test_a_check_uses_nothing_up(core: Driver) -> None:
    made = code_for(core)
    for presented in (by_code(made), by_link(made)):
        checked = core.passwordless.check("public", presented)
        assert checked == CheckedCode(
            Device(pre_auth_session_id=made.pre_auth_session_id, failed_attempts=0, email=ADDRESS)
        )
    assert core.users.count(tenant_id=None) == 0
    assert signed_in(core, by_code(made)).created


# -- what is there -------------------------------------------------------------------------------------


def test_devices_are_shown(core: Driver, clock: Clock) -> None:
    """SI-48. By contact or id, with their codes, and nothing that one could sign in with."""
    made = code_for(core)
    clock.advance(ms=5)
    again = code_for(core, device_id=made.device_id)
    core.passwordless.check("public", by_code(made, wrong_for(made)))
    other = code_for(core)
    wanted = Device(
        pre_auth_session_id=made.pre_auth_session_id,
        failed_attempts=1,
        email=ADDRESS,
        codes=tuple(
            DeviceCode(code_id=one.code_id, created_ms=one.created_ms, lifetime_ms=LIFETIME)
            for one in (made, again)
        ),
    )
    devices = core.passwordless.devices
    assert devices("public", device_id=made.device_id) == [wanted]
    assert devices("public", pre_auth_session_id=made.pre_auth_session_id) == [wanted]
    assert devices("public", pre_auth_session_id=made.pre_auth_session_id + "=") == [wanted]
    found = devices("public", email=" ADA@example.com")
    assert {one.pre_auth_session_id for one in found} == {
        made.pre_auth_session_id,
        other.pre_auth_session_id,
    }
    assert wanted in found
    assert devices("public", phone_number=NUMBER) == devices("nowhere", email=ADDRESS) == []
    assert devices("public", pre_auth_session_id="\0") == devices("public", device_id="AAAA") == []
    for wrong in ({}, {"email": ADDRESS, "phone_number": NUMBER}, {"device_id": "!"}):
        with pytest.raises(BadInputError):
            devices("public", **wrong)


def test_codes_are_revoked(core: Driver) -> None:
    """One, or a device with all of its codes, or all of a contact; nothing happens twice."""
    first = code_for(core)
    second = code_for(core, device_id=first.device_id)
    revoke = core.passwordless.revoke_code
    for _ in range(2):
        revoke("public", code_id=first.code_id)
    assert core.passwordless.check("public", by_code(first)) == WrongCode(False, 1, 5)
    assert isinstance(core.passwordless.check("public", by_code(second)), CheckedCode)
    revoke("nowhere", code_id=second.code_id)
    revoke("public", code_id=second.code_id)
    assert core.passwordless.devices("public", email=ADDRESS) == []
    third, fourth, phone = code_for(core), code_for(core), code_for(core, phone_number=NUMBER)
    for _ in range(2):
        revoke("public", pre_auth_session_id=third.pre_auth_session_id)
    revoke("public", pre_auth_session_id="\0")
    assert core.passwordless.consume("public", by_link(third)) == RESTART
    assert isinstance(core.passwordless.check("public", by_link(fourth)), CheckedCode)
    core.passwordless.revoke_codes("public", email=" ADA@example.com")
    assert core.passwordless.consume("public", by_link(fourth)) == RESTART
    assert isinstance(core.passwordless.check("public", by_link(phone)), CheckedCode)
    core.passwordless.revoke_codes("public", phone_number=NUMBER)
    assert core.passwordless.consume("public", by_link(phone)) == RESTART
    for wrong in ({}, {"code_id": "a", "pre_auth_session_id": "b"}):
        with pytest.raises(BadInputError, match="Please provide either 'codeId' or 'preAuthSessionId'"):
            revoke("public", **wrong)
    with pytest.raises(BadInputError):
        core.passwordless.revoke_codes("public")


# -- at once -------------------------------------------------------------------------------------------


def at_once(count: int, work: Any) -> list[Any]:
    """Call `work` with 0, 1, … in so many threads at once."""
    together = threading.Barrier(count)

    def one(number: int) -> Any:
        together.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(count) as clients:
        return list(clients.map(one, range(count)))


def test_of_parallel_consumes_one_succeeds(core: Driver) -> None:
    """SI-43. By code and by link, over several devices of the contact."""
    codes = [code_for(core), code_for(core)]
    codes.append(code_for(core, device_id=codes[0].device_id))
    ways = [presented for made in codes for presented in (by_code(made), by_link(made))]
    results = at_once(24, lambda number: core.passwordless.consume("public", ways[number % len(ways)]))
    assert sum(isinstance(result, ConsumedCode) for result in results) == 1
    assert results.count(RESTART) == 23
    assert core.users.count(tenant_id=None) == 1


def test_parallel_guesses_are_counted_one_by_one(core: Driver) -> None:
    made = code_for(core)
    presented = by_code(made, wrong_for(made))
    results = at_once(16, lambda _: core.passwordless.consume("public", presented))
    counts = sorted(result.failed_attempts for result in results if isinstance(result, WrongCode))
    assert counts == [1, 2, 3, 4]
    assert results.count(RESTART) == 12


def test_a_user_who_appears_meanwhile_is_found(core: Driver) -> None:
    """Codes of one contact in two tenants make two users at once; another engine may be first in one."""
    core.tenants.put("t1", {})
    tenants = ["public", "t1"]
    codes = {tenant: code_for(core, tenant=tenant) for tenant in tenants}
    used = at_once(2, lambda n: core.passwordless.consume(tenants[n], by_code(codes[tenants[n]])))
    assert [one.created for one in used] == [True, True]
    assert core.users.count(tenant_id=None) == 2


# -- users ---------------------------------------------------------------------------------------------


def test_users_are_found_and_listed(core: Driver) -> None:
    ada = signed_in(core, by_code(code_for(core))).user
    phone = signed_in(core, by_code(code_for(core, phone_number=NUMBER))).user
    other = core.email_password.sign_up("public", ADDRESS, "correct horse 1")
    assert isinstance(other, User)
    assert other.id != ada.id
    assert not other.login_methods[0].verified
    by = core.users.by_account_info
    assert {user.id for user in by("public", AccountInfo(email=" ADA@example.com"))} == {ada.id, other.id}
    assert by("public", AccountInfo(phone_number=NUMBER)) == [phone]
    both = AccountInfo(email=ADDRESS, phone_number=NUMBER)
    assert by("public", both) == []
    assert {user.id for user in by("public", both, any_of=True)} == {ada.id, other.id, phone.id}
    assert by("nowhere", both, any_of=True) == by("public", AccountInfo()) == []
    page = core.users.page

    def found(**query: str) -> set[str]:
        return {user.id for user in page("public", UserQuery(**query)).users}

    assert found(email="ADA") == found(email="example.com") == {ada.id, other.id}
    assert found(phone_number="+1650") == {phone.id}
    assert found(phone_number="650") == found(email="ada", phone_number="+1") == set()
    listed = page("public", UserQuery(recipe_ids=["passwordless"])).users
    assert {user.id for user in listed} == {ada.id, phone.id}
    assert core.users.count(tenant_id="public", recipe_ids=["passwordless"]) == 2


def test_contacts_are_changed(core: Driver, events: list[Event]) -> None:
    """Codes of old and new contacts end, the former address has to be verified again."""
    ada = signed_in(core, by_code(code_for(core))).user
    signed_in(core, by_code(code_for(core, "bob@example.com")))
    signed_in(core, by_code(code_for(core, phone_number=NUMBER)))
    update = core.passwordless.update
    events.clear()
    assert update("nobody", email="x@example.com") == update("\0", email=ADDRESS) == UnknownUser()
    by_password = core.email_password.sign_up("public", "x@example.com", "correct horse 1")
    events.clear()
    assert update(by_password.id, email="y@example.com") == UnknownUser()
    assert update(ada.id, email="BOB@example.com") == EmailTaken()
    assert update(ada.id, phone_number=NUMBER) == PhoneNumberTaken()
    for wrong in (
        {"email": None},
        {"email": None, "phone_number": None},
        {"email": ""},
        {"phone_number": ""},
    ):
        with pytest.raises(BadInputError):
            update(ada.id, **wrong)
    assert update(ada.id) is update(ada.id, email=ADDRESS) is update(ada.id, phone_number=None) is None
    assert events == []
    old, new, phone = code_for(core), code_for(core, "new@example.com"), code_for(core, phone_number="+1")
    assert update(ada.id, email="new@example.com", phone_number="+1") is None
    for made in (old, new, phone):
        assert core.passwordless.consume("public", by_link(made)) == RESTART
    (changed,) = core.users.by_account_info("public", AccountInfo(phone_number="+1"))
    assert (changed.id, changed.emails, changed.phone_numbers) == (ada.id, ["new@example.com"], ["+1"])
    assert not changed.login_methods[0].verified
    assert not core.email_verification.is_verified(ada.id, ADDRESS)
    assert events == [
        EmailChanged(user_id=ada.id),
        PhoneNumberChanged(user_id=ada.id),
    ]
    by_phone = signed_in(core, by_code(code_for(core, phone_number="+1")))
    assert (by_phone.created, by_phone.user.id) == (False, ada.id)
    by_email = signed_in(core, by_code(code_for(core, "new@example.com")))
    assert (by_email.user.id, by_email.user.login_methods[0].verified) == (ada.id, True)
    assert update(ada.id, email=None) is None
    assert signed_in(core, by_code(code_for(core))).created


def test_contacts_of_linked_users_are_left_to_a_core(core: Driver, stored: TestDatabase) -> None:
    ada = signed_in(core, by_code(code_for(core))).user
    stored.query("UPDATE app_id_to_user_id SET is_linked_or_is_a_primary_user = TRUE")
    why = "cannot be applied to a user with linked accounts: change it through the SuperTokens core"
    update = core.passwordless.update
    assert update(ada.id, email="new@example.com") == EmailChangeNotAllowed(f"New email {why}")
    assert update(ada.id, phone_number=NUMBER) == PhoneNumberChangeNotAllowed(f"New phone number {why}")
    (found,) = core.users.by_account_info("public", AccountInfo(email=ADDRESS))
    assert (found.emails, found.phone_numbers) == ([ADDRESS], [])


@pytest.mark.postgres
def test_a_contact_that_a_core_changes_meanwhile_is_looked_at_again(
    users_postgres_database: TestDatabase, start: Opener
) -> None:
    """Devices of the contact that is given up end, whichever that is then."""
    stored = users_postgres_database
    core = start(stored.uri, keeps_users=True, **QUICK)
    ada = signed_in(core, by_code(code_for(core))).user
    changed = "UPDATE passwordless_users SET email = 'core@example.com'"
    device = code_for(core, "core@example.com")
    words = "FOR UPDATE OF passwordless_users"
    with meanwhile(core.database, words, lambda: stored.query(changed), stored=stored, when="before"):
        assert core.passwordless.update(ada.id, email="new@example.com") is None
    assert core.passwordless.consume("public", by_link(device)) == RESTART


@pytest.mark.postgres
def test_a_link_whose_code_is_revoked_meanwhile(users_postgres_database: TestDatabase, start: Opener) -> None:
    """The device is there with another code, which it still accepts."""
    stored = users_postgres_database
    core, other = (start(stored.uri, keeps_users=True, **QUICK) for _ in range(2))
    made = code_for(core)
    again = code_for(core, device_id=made.device_id)

    def revoke() -> None:
        other.passwordless.revoke_code("public", code_id=made.code_id)

    with meanwhile(core.database, "FOR UPDATE", revoke, stored=stored, when="before"):
        assert core.passwordless.consume("public", by_link(made)) == RESTART
    assert signed_in(core, by_link(again)).created


def test_a_contact_that_is_kept_is_named_so_in_help(core: Driver) -> None:
    assert str(inspect.signature(core.passwordless.update).parameters["email"]).endswith(" = KEEP")


def test_whether_a_user_is_still_the_one_of_a_code(core: Driver) -> None:
    used = signed_in(core, by_code(code_for(core)))
    assert core.passwordless.is_current(used)
    assert core.passwordless.is_current(replace(used, device=None))
    core.passwordless.update(used.recipe_user_id, phone_number=NUMBER)
    assert core.passwordless.is_current(used)
    core.passwordless.update(used.recipe_user_id, email="new@example.com")
    assert not core.passwordless.is_current(used)
    core.users.remove(used.user.id)
    assert not core.passwordless.is_current(replace(used, device=None))


def test_nothing_is_kept_of_a_removed_user(core: Driver, stored: TestDatabase) -> None:
    """SI-69."""
    ada = signed_in(core, by_code(code_for(core))).user
    core.passwordless.update(ada.id, phone_number=NUMBER)
    bob = signed_in(core, by_code(code_for(core, "bob@example.com"))).user
    code_for(core)
    code_for(core, phone_number=NUMBER)
    others = code_for(core, "bob@example.com")
    core.users.remove(ada.id)
    for table in ("passwordless_users", "passwordless_user_to_tenant", "all_auth_recipe_users"):
        assert stored.query(f"SELECT user_id FROM {table}") == [(bob.id,)]
    assert stored.query("SELECT user_id FROM emailverification_verified_emails") == [(bob.id,)]
    assert stored.query("SELECT email, phone_number FROM passwordless_devices") == [("bob@example.com", None)]
    assert stored.query("SELECT code_id FROM passwordless_codes") == [(others.code_id,)]


def test_a_mapped_user_has_the_id_of_the_application(core: Driver) -> None:
    """SI-68."""
    internal = signed_in(core, by_code(code_for(core))).user.id
    core.id_mappings.create(internal, "ada-1", None, force=False)
    used = signed_in(core, by_code(code_for(core)))
    assert (used.created, used.user.id, used.recipe_user_id) == (False, "ada-1", "ada-1")
    assert used.user.login_methods[0].verified
    assert core.passwordless.is_current(used)
    core.passwordless.update("ada-1", email="new@example.com")
    assert core.passwordless.update(internal, phone_number=NUMBER) is None
    assert not core.email_verification.is_verified("ada-1", ADDRESS)
    core.users.remove("ada-1")
    assert core.users.count(tenant_id=None) == 0


def test_rows_of_a_new_user(core: Driver, stored: TestDatabase) -> None:
    """SI-65. Those of the LEGACY layout; core 12 takes a time of 0 for a user that it has not seen yet."""
    user = signed_in(core, by_code(code_for(core))).user
    joined = user.time_joined
    assert stored.query("SELECT * FROM app_id_to_user_id") == [
        ("public", user.id, "passwordless", user.id, False, 0, 0)
    ]
    assert stored.query("SELECT * FROM all_auth_recipe_users") == [
        ("public", "public", user.id, user.id, False, "passwordless", joined, joined)
    ]
    assert stored.query("SELECT * FROM passwordless_users") == [("public", user.id, ADDRESS, None, joined)]
    assert stored.query("SELECT * FROM passwordless_user_to_tenant") == [
        ("public", "public", user.id, ADDRESS, None)
    ]


def test_codes_and_users_of_a_core_are_taken_up(core: Driver, stored: TestDatabase, clock: Clock) -> None:
    """SI-38, SI-48, SI-64. Rows as a core writes them: the user signs in with the code that it sent."""
    core.users.count(tenant_id=None)
    user_id, joined = "10000000-0000-4000-8000-000000000000", 1_600_000_000_000
    for statement, *values in (
        (
            "INSERT INTO app_id_to_user_id (app_id, user_id, recipe_id, primary_or_recipe_user_id) "
            "VALUES ('public', %s, 'passwordless', %s)",
            *(user_id, user_id),
        ),
        (
            "INSERT INTO all_auth_recipe_users "
            "VALUES ('public', 'public', %s, %s, FALSE, 'passwordless', %s, %s)",
            *(user_id, user_id, joined, joined),
        ),
        ("INSERT INTO passwordless_users VALUES ('public', %s, NULL, %s, %s)", user_id, NUMBER, joined),
        (
            "INSERT INTO passwordless_user_to_tenant VALUES ('public', 'public', %s, NULL, %s)",
            *(user_id, NUMBER),
        ),
        (
            "INSERT INTO passwordless_devices VALUES ('public', 'public', %s, NULL, %s, %s, 1)",
            *("Yw3NKWbEM2aRElRIu7JbT_QSpJxzLbLIq8G4WBvXEN0", NUMBER),
            "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
        ),
        (
            "INSERT INTO passwordless_codes VALUES ('public', 'public', %s, %s, %s, %s)",
            *("20000000-0000-4000-8000-000000000000", "Yw3NKWbEM2aRElRIu7JbT_QSpJxzLbLIq8G4WBvXEN0"),
            *("nDpoavHqv8vldu3TKssOJvqFyOknHBs1tz-eXK0LVps=", clock()),
        ),
    ):
        stored.query(statement, *values)
    session = "Yw3NKWbEM2aRElRIu7JbT_QSpJxzLbLIq8G4WBvXEN0"
    link = PresentedCode(pre_auth_session_id=session, link_code="GG0Ss4OqlRCeHdv7UHj5zeJmudmi8pXGJTZlfjEbW4Q")
    device = Device(pre_auth_session_id=session, failed_attempts=1, phone_number=NUMBER)
    assert core.passwordless.check("public", link) == CheckedCode(device)
    code = PresentedCode(
        pre_auth_session_id=session,
        device_id="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        user_input_code="123456",
    )
    used = signed_in(core, code)
    assert (used.created, used.user.id, used.user.time_joined) == (False, user_id, joined)
    assert used.device == device


def test_an_engine_of_sessions_alone_has_no_codes(stored: TestDatabase, start: Opener) -> None:
    with pytest.raises(ConfigError, match="this app keeps no users"):
        start(stored.uri).passwordless  # noqa: B018


# -- limits --------------------------------------------------------------------------------------------


def test_wrong_codes_of_a_contact_are_limited_over_its_devices(
    core: Driver, clock: Clock, events: list[Event]
) -> None:
    """SI-50. Twenty in an hour, then one each three minutes; the right code waits, too, its link does not."""

    def guess(made: CreatedCode) -> Any:
        return core.passwordless.consume("public", by_code(made, wrong_for(made)))

    for _ in range(5):
        made = code_for(core)
        assert [guess(made) for _ in range(4)] == [WrongCode(False, count, 5) for count in (1, 2, 3, 4)]
    fresh, other = code_for(core), code_for(core, "bob@example.com")
    for presented in (by_code(fresh, wrong_for(fresh)), by_code(fresh)):
        with pytest.raises(TooManyAttemptsError) as refused:
            core.passwordless.check("public", presented)
        assert refused.value.retry_after_ms == 180_000
    assert events[-1] == SignInRefused(tenant_id="public", recipe_id="passwordless", retry_after_ms=180_000)
    assert guess(other) == WrongCode(False, 1, 5)
    clock.advance(ms=180_000)
    assert guess(fresh) == WrongCode(False, 1, 5)
    with pytest.raises(TooManyAttemptsError):
        guess(fresh)
    assert signed_in(core, by_link(fresh)).created
    clock.advance(ms=180_000)
    assert not signed_in(core, by_code(code_for(core))).created
    again = code_for(core)
    assert [guess(again) for _ in range(4)] == [WrongCode(False, count, 5) for count in (1, 2, 3, 4)]


def test_attempts_that_are_over_keep_nobody_out(core: Driver, clock: Clock) -> None:
    """Where no code is valid none can be guessed: a stranger's guesses there do not count for the contact."""
    old = [code_for(core) for _ in range(9)]
    clock.advance(ms=LIFETIME + 1)
    for made in old:
        guesses = [core.passwordless.check("public", by_code(made, wrong_for(made))) for _ in range(4)]
        assert guesses == [WrongCode(False, count, 5) for count in (1, 2, 3, 4)]
        assert core.passwordless.consume("public", by_code(made, wrong_for(made))) == RESTART
    assert signed_in(core, by_code(code_for(core))).created


def wrong_of(core: Driver, client: str | None, tenant: str = "public") -> bool:
    """Give a wrong code at a new device; return whether it was looked at."""
    made = code_for(core, tenant=tenant)
    try:
        core.passwordless.check(tenant, by_code(made, wrong_for(made)), client=client)
    except TooManyAttemptsError:
        return False
    return True


def test_a_known_client_keeps_wrong_codes_of_its_own(core: Driver) -> None:
    """Twenty are one client's, forty all clients' together; beyond that each other one has five."""
    assert [wrong_of(core, "192.0.2.1") for _ in range(21)] == [True] * 20 + [False]
    assert not wrong_of(core, "192.0.2.1")
    assert [wrong_of(core, "192.0.2.2") for _ in range(21)] == [True] * 20 + [False]
    assert [wrong_of(core, "192.0.2.3") for _ in range(6)] == [True] * 5 + [False]
    made = code_for(core)
    used = core.passwordless.consume("public", by_code(made), client="192.0.2.4")
    assert isinstance(used, ConsumedCode)
    assert not wrong_of(core, "192.0.2.1")
    assert [wrong_of(core, "192.0.2.3") for _ in range(6)] == [True] * 6


def test_a_contacts_wrong_codes_are_at_most_so_many(
    stored: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Ten times those of a client, of however many."""
    core = start(stored.uri, keeps_users=True, now_ms=clock, passwordless_wrong_codes_per_hour=1, **QUICK)
    assert [wrong_of(core, f"192.0.2.{client}") for client in range(11)] == [True] * 10 + [False]


def test_wrong_codes_of_a_contact_are_counted_over_tenants(core: Driver) -> None:
    for tenant in ("t1", "t2"):
        core.tenants.put(tenant, {})
    for tenant in ("t1", "t2"):
        assert all(wrong_of(core, None, tenant) for _ in range(10))
    assert not wrong_of(core, None)


def test_zero_switches_the_limit_off(stored: TestDatabase, start: Opener) -> None:
    zeros = {"passwordless_wrong_codes_per_hour": 0, "passwordless_messages_per_day": 0}
    core = start(stored.uri, keeps_users=True, **zeros, **QUICK)
    assert [core.passwordless.may_send("public", email=ADDRESS) for _ in range(9)] == [0] * 9
    for _ in range(6):
        made = code_for(core)
        answers = [core.passwordless.check("public", by_code(made, wrong_for(made))) for _ in range(4)]
        assert answers[-1] == WrongCode(False, 4, 5)
    assert signed_in(core, by_code(made)).created


def test_messages_to_a_contact_are_limited(core: Driver, clock: Clock) -> None:
    """One in 15 seconds, whoever asks; what could not be sent may be sent again at once."""
    may_send = core.passwordless.may_send
    assert may_send("public", email=" ADA@example.com") == 0
    clock.advance(ms=5_000)
    assert may_send("public", email=ADDRESS, client="192.0.2.1") == 10_000
    assert may_send("public", email="bob@example.com") == may_send("public", phone_number=NUMBER) == 0
    core.passwordless.not_sent("public", email=ADDRESS)
    assert may_send("public", email=ADDRESS) == 0
    for wrong in ({}, {"email": ADDRESS, "phone_number": NUMBER}):
        with pytest.raises(BadInputError, match="exactly one of email or phoneNumber"):
            may_send("public", **wrong)


def messages(core: Driver, clock: Clock, client: str | None, times: int, *, every_ms: int) -> int:
    """Return for how many of so many requests a message is sent."""
    sent = 0
    for _ in range(times):
        clock.advance(ms=every_ms)
        sent += core.passwordless.may_send("public", email=ADDRESS, client=client) == 0
    return sent


def test_a_known_client_keeps_messages_of_its_own(core: Driver, clock: Clock) -> None:
    """A code fits the browser that asked only: two at once are the owner's, and one in 72 minutes."""
    for stranger in ("192.0.2.1", "192.0.2.2"):
        assert messages(core, clock, stranger, 6, every_ms=15_000) == 5
    assert messages(core, clock, "192.0.2.4", 3, every_ms=15_000) == 2
    for _ in range(4):
        clock.advance(ms=72 * 60_000)
        for stranger in ("192.0.2.1", "192.0.2.2"):
            messages(core, clock, stranger, 3, every_ms=15_000)
        assert messages(core, clock, "192.0.2.4", 2, every_ms=15_000) == 1


def test_a_contact_gets_no_flood_of_shares(core: Driver, clock: Clock) -> None:
    """Of however many clients fifty come at once, ten times those of one, and then one in 7.2 minutes."""
    clients = [f"192.0.2.{client}" for client in range(60)]
    sent = sum(messages(core, clock, client, 1, every_ms=15_000) for client in clients)
    assert sent == 50 + 2  # in a quarter of an hour
    assert core.passwordless.may_send("public", email=ADDRESS) > 0


def test_who_is_not_known_has_what_all_have(core: Driver, clock: Clock) -> None:
    """Without `client_ip` a stranger who asks each minute leaves the owner nothing: the docs say so."""
    assert messages(core, clock, None, 12, every_ms=60_000) == 10
    assert messages(core, clock, "192.0.2.1", 1, every_ms=60_000) == 1


def test_messages_of_a_contact_are_counted_over_tenants(core: Driver, clock: Clock) -> None:
    may_send = core.passwordless.may_send
    assert may_send("public", phone_number=NUMBER) == 0
    assert may_send("t1", phone_number=NUMBER) == 15_000
    core.passwordless.not_sent("public", phone_number=NUMBER)
    sent = 0
    for number in range(30):
        sent += may_send(f"t{number % 5}", phone_number=NUMBER) == 0
        clock.advance(ms=15_000)
    assert sent == 9


def test_text_messages_of_all_tenants_are_limited(stored: TestDatabase, start: Opener, clock: Clock) -> None:
    """What is refused counts for nobody, and what was not sent is taken back."""
    limits: dict[str, Any] = {
        "passwordless_text_messages_per_hour": 3,
        "passwordless_text_messages_of_all_tenants_per_hour": 4,
    }
    core = start(stored.uri, keeps_users=True, now_ms=clock, **limits, **QUICK)
    may_send = core.passwordless.may_send
    waits = [may_send("t1", phone_number=f"+8821000{number}") for number in range(3)]
    waits += [may_send("t2", phone_number=f"+8821001{number}") for number in range(2)]
    assert waits == [0, 0, 0, 0, 900_000]
    core.passwordless.not_sent("t2", phone_number="+88210010")
    assert may_send("t1", phone_number="+88210019") == 1_200_000
    assert may_send("t2", phone_number="+88210020") == 0
    assert may_send("t2", phone_number="+88210021") == 900_000


def test_a_device_has_three_codes_at_most(core: Driver, clock: Clock) -> None:
    """A guess may be any of them. The first stays valid when another one is sent, and once more."""
    made = [code_for(core)]
    for _ in range(3):
        clock.advance(ms=15_000)
        made.append(code_for(core, device_id=made[0].device_id))
        first_ones = made if len(made) < 4 else made[1:]
        for one in first_ones:
            assert isinstance(core.passwordless.check("public", by_code(one)), CheckedCode)
    assert core.passwordless.consume("public", by_code(made[0])) == WrongCode(False, 1, 5)
    assert core.passwordless.consume("public", by_link(made[0])) == RESTART
    (device,) = core.passwordless.devices("public", email=ADDRESS)
    assert [code.code_id for code in device.codes] == [one.code_id for one in made[1:]]
    assert signed_in(core, by_code(made[3])).created


def test_text_messages_of_a_tenant_are_limited(
    stored: TestDatabase, start: Opener, clock: Clock, events: list[Event]
) -> None:
    """Whoever asks for messages to numbers that cost gets no more than the hour's; e-mails cost nothing."""
    core = start(stored.uri, keeps_users=True, now_ms=clock, passwordless_text_messages_per_hour=3, **QUICK)
    core.tenants.put("t1", {})
    may_send = core.passwordless.may_send
    waits = [may_send("public", phone_number=f"+8821000{number}") for number in range(4)]
    assert waits == [0, 0, 0, 1_200_000]
    assert may_send("t1", phone_number="+88210004") == may_send("public", email=ADDRESS) == 0
    assert events == [TextMessageRefused(tenant_id="public", retry_after_ms=1_200_000)]
    clock.advance(ms=1_200_000)
    assert may_send("public", phone_number="+88210003") == 0
    unlimited = start(
        stored.uri, keeps_users=True, now_ms=clock, passwordless_text_messages_per_hour=0, **QUICK
    )
    assert unlimited.passwordless.may_send("public", phone_number="+88210009") == 0


def test_a_text_message_that_was_not_sent_is_given_back(
    stored: TestDatabase, start: Opener, clock: Clock
) -> None:
    """One, of the tenant; an e-mail gives back none."""
    core = start(stored.uri, keeps_users=True, now_ms=clock, passwordless_text_messages_per_hour=2, **QUICK)
    may_send, not_sent = core.passwordless.may_send, core.passwordless.not_sent
    assert [may_send("public", phone_number=f"+8821000{number}") for number in range(2)] == [0, 0]
    assert may_send("public", email=ADDRESS) == 0
    not_sent("public", email=ADDRESS)
    assert may_send("public", phone_number="+88210002") == 1_800_000
    not_sent("public", phone_number="+88210001")
    waits = [may_send("public", phone_number=f"+8821000{number}") for number in (3, 4)]
    assert waits == [0, 1_800_000]
    unlimited = start(
        stored.uri, keeps_users=True, now_ms=clock, passwordless_text_messages_per_hour=0, **QUICK
    )
    unlimited.passwordless.not_sent("public", phone_number="+88210001")
    assert may_send("public", phone_number="+88210005") == 1_800_000


def test_devices_do_not_pile_up(core: Driver, stored: TestDatabase, clock: Clock) -> None:
    """Each new one deletes up to four that nobody can use: those of two lifetimes are there at most."""
    count = "SELECT count(*) FROM passwordless_devices"
    for number in range(40):
        code_for(core, f"made-up-{number}@example.com")
    clock.advance(ms=2 * LIFETIME)
    code_for(core, "in-time@example.com")
    assert stored.query(count) == [(41,)]
    clock.advance(ms=1)
    for number in range(10):
        code_for(core, f"later-{number}@example.com")
    assert stored.query(count) == [(11,)]
    assert stored.query("SELECT count(*) FROM passwordless_codes") == [(11,)]


def test_devices_of_one_contact_are_limited(core: Driver, clock: Clock) -> None:
    """The oldest make room; a contact has fewer unless messages are not limited."""
    made = []
    for _ in range(code_rows.MAX_DEVICES + 2):
        made.append(code_for(core))
        clock.advance(ms=1)
    assert len(core.passwordless.devices("public", email=ADDRESS)) == code_rows.MAX_DEVICES
    assert core.passwordless.consume("public", by_link(made[1])) == RESTART
    assert isinstance(core.passwordless.check("public", by_link(made[2])), CheckedCode)


def test_clean_up_deletes_what_nobody_can_use(core: Driver, stored: TestDatabase, clock: Clock) -> None:
    """In every tenant, after its own lifetime; a device with a newer code stays."""
    core.tenants.put("t1", {"core_config": {"passwordless_code_lifetime": 10 * LIFETIME}})
    code_for(core)
    resent = code_for(core)
    code_for(core, tenant="t1")
    clock.advance(ms=LIFETIME + 1)
    code_for(core, device_id=resent.device_id)
    clock.advance(ms=LIFETIME)
    core.clean_up()
    found = {
        (tenant, device.strip())
        for tenant, device in stored.query("SELECT tenant_id, device_id_hash FROM passwordless_devices")
    }
    assert len(found) == 2
    assert ("public", resent.pre_auth_session_id) in found
    clock.advance(ms=30 * LIFETIME)
    core.clean_up()
    assert stored.query("SELECT count(*) FROM passwordless_codes") == [(0,)]


@pytest.mark.parametrize("kind", [MEMORY])
def test_a_database_in_memory(kind: str, start: Opener, clock: Clock, sqlite_files: Sqlite) -> None:
    core = start("sqlite://", keeps_users=True, now_ms=clock, **QUICK)
    core.seed(sqlite_files.keys())
    assert signed_in(core, by_code(code_for(core))).created
