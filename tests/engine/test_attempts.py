"""Guessing passwords: the first failures are free, then each further try has to wait."""

from __future__ import annotations

import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from supertokens_py.engine.embedded.signin.passwords import Passwords
from supertokens_py.engine.limits import wait_ms
from supertokens_py.engine.user_records import UserQuery
from supertokens_py.events import Event, subscribe
from supertokens_py.exceptions import TooManyAttemptsError
from supertokens_py.types.users import User
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADDRESS, PASSWORD = "ada@example.com", "correct horse 1"


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """An engine with one user, who may be guessed at three times."""
    driver = start(stored.uri, keeps_users=True, now_ms=clock, sign_in_free_failures=3, **QUICK)
    assert isinstance(driver.email_password.sign_up("public", ADDRESS, PASSWORD), User)
    return driver


def guess(core: Driver, email: str = ADDRESS, password: str = "wrong", tenant: str = "public") -> Any:
    """Return the user, None, or how many milliseconds to wait."""
    try:
        return core.email_password.verify(tenant, email, password)
    except TooManyAttemptsError as error:
        return error.retry_after_ms


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    assert [wait_ms(failures, free=10) for failures in (0, 9, 10, 11, 12, 19)] == [
        *(0, 0, 1_000, 2_000, 4_000, 512_000)
    ]
    assert {wait_ms(failures, free=10) for failures in (20, 21, 10_000)} == {900_000}


def test_each_further_guess_has_to_wait_longer(core: Driver, clock: Clock) -> None:
    """Whoever waits may try, so nobody is locked out for good; who comes too early makes it no longer."""
    assert [guess(core) for _ in range(5)] == [None, None, None, 1_000, 1_000]
    clock.advance(ms=400)
    assert guess(core, password=PASSWORD) == 600
    clock.advance(ms=600)
    assert guess(core) is None
    assert guess(core) == 2_000
    clock.advance(ms=2_000)
    assert isinstance(guess(core, password=PASSWORD), User)
    assert [guess(core) for _ in range(4)] == [None, None, None, 1_000]


def test_a_new_password_ends_the_wait(core: Driver) -> None:
    """Somebody who guesses all the time must not keep out the owner, who has reset the password."""
    assert [guess(core) for _ in range(4)] == [None, None, None, 1_000]
    (user,) = core.users.page("public", UserQuery()).users
    assert (
        core.email_password.update(user.id, email=None, password="new horse 1", revoke_sessions=True) is None
    )
    assert isinstance(guess(core, password="new horse 1"), User)


def test_a_clock_that_is_behind_makes_nobody_wait(core: Driver, clock: Clock) -> None:
    """The machine that counted the last guess may be a minute ahead."""
    assert guess(core) is None
    clock.advance(ms=-60_000)
    assert isinstance(guess(core, password=PASSWORD), User)


def test_others_are_not_affected(core: Driver) -> None:
    """Another address, also an unknown one, and another tenant count by themselves."""
    core.tenants.put("t1", {})
    for _ in range(5):
        guess(core)
    assert [guess(core, "eve@example.com") for _ in range(4)] == [None, None, None, 1_000]
    assert guess(core, tenant="t1") is None
    assert guess(core, " ADA@example.com") == 1_000


def test_what_was_long_ago_is_forgotten(core: Driver, stored: TestDatabase, clock: Clock) -> None:
    """And clean-up deletes it, with the tokens that have expired."""
    for _ in range(4):
        guess(core)
    user = core.email_password.verify("public", "nobody@example.com", PASSWORD)
    assert user is None
    (found,) = core.users.page("public", UserQuery()).users
    core.email_password.create_reset_token("public", found.id, None)
    clock.advance(hours=24)
    assert guess(core) is None
    clock.advance(hours=23)
    count = "SELECT count(*) FROM key_value WHERE substr(name, 1, 24) = 'supertokens_py_attempts_'"
    assert stored.query(count) == [(2,)]
    core.clean_up()
    left = stored.query(count)[0] + stored.query("SELECT count(*) FROM emailpassword_pswd_reset_tokens")[0]
    assert left == (1, 0)


def test_many_guesses_at_once_are_no_better(
    core: Driver, stored: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Over two processes' engines: three are looked at."""
    other = start(stored.uri, keeps_users=True, now_ms=clock, sign_in_free_failures=3, **QUICK)
    together = threading.Barrier(16)

    def many(number: int) -> list[Any]:
        together.wait(timeout=30)
        return [guess((core, other)[number % 2]) for _ in range(5)]

    with ThreadPoolExecutor(16) as guessers:
        results = [one for found in guessers.map(many, range(16)) for one in found]
    assert results.count(None) == 3
    assert set(results) == {None, 1_000}


@pytest.mark.real
@pytest.mark.timeout(300)
def test_ten_thousand_guesses_leave_nothing_behind(
    core: Driver, stored: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At one address, by 8 clients: 3 are looked at, one row counts, and others sign in meanwhile."""
    assert isinstance(core.email_password.sign_up("public", "bob@example.com", PASSWORD), User)
    hashed, verify = [0], Passwords.verify

    def counted(self: Passwords, password: str, *stored: str | None) -> bool:
        hashed[0] += 1
        return verify(self, password, *stored)

    monkeypatch.setattr(Passwords, "verify", counted)
    rows = "SELECT count(*) FROM key_value"
    (before,) = stored.query(rows)[0]
    tracemalloc.start()
    with ThreadPoolExecutor(8) as guessers:
        first = list(guessers.map(lambda _: guess(core), range(500)))
        held = tracemalloc.get_traced_memory()[0]
        rest = guessers.map(lambda _: guess(core), range(9_500))
        assert isinstance(guess(core, "bob@example.com", PASSWORD), User)
        results = [*first, *rest]
    grown = tracemalloc.get_traced_memory()[0] - held
    tracemalloc.stop()
    assert results.count(None) == 3
    assert results.count(1_000) == 9_997
    assert hashed[0] == 4  # one of them bob's
    assert stored.query(rows) == [(before + 1,)]
    assert grown < 1_000_000


def test_zero_switches_the_limit_off(stored: TestDatabase, start: Opener) -> None:
    core = start(stored.uri, keeps_users=True, sign_in_free_failures=0, **QUICK)
    assert [guess(core) for _ in range(12)] == [None] * 12
    assert isinstance(core.email_password.sign_up("public", ADDRESS, PASSWORD), User)
    assert isinstance(guess(core, password=PASSWORD), User)


def test_refusals_are_events(core: Driver) -> None:
    events: list[Event] = []
    unsubscribe = subscribe(events.append)
    for _ in range(4):
        guess(core)
    unsubscribe()
    assert [event.name for event in events] == ["user.sign_in_failed"] * 3 + ["user.sign_in_refused"]


@pytest.mark.parametrize(
    ("ms", "wait"), [(1, "1 second"), (1_001, "2 seconds"), (99_000, "99 seconds"), (100_000, "2 minutes")]
)
def test_the_error_says_how_long(ms: int, wait: str) -> None:
    assert str(TooManyAttemptsError(ms)) == f"Too many attempts. Please try again in {wait}"


def counted(stored: TestDatabase) -> int:
    """Return how many counts are kept."""
    return stored.query(
        "SELECT count(*) FROM key_value WHERE substr(name, 1, 24) = 'supertokens_py_attempts_'"
    )[0][0]


def test_guesses_at_made_up_addresses_give_way_after_a_day(
    core: Driver, stored: TestDatabase, clock: Clock
) -> None:
    for number in range(120):
        assert guess(core, f"made-up-{number}@example.com") is None
        clock.advance(hours=1)
    assert 24 <= counted(stored) <= 45
