"""What clients do in an hour: as many as it allows at once, then one after the other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from supertokens_py.engine.limits import HOUR_MS, hourly
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"


@pytest.fixture(params=[SQLITE, POSTGRES])
def stored(request: pytest.FixtureRequest) -> TestDatabase:
    name = "sqlite_database" if request.param == "sqlite-file" else "fresh_postgres_database"
    return request.getfixturevalue(name)


@pytest.fixture
def core(stored: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """An engine that allows four failures in an hour, and any number of sign-ups."""
    return start(
        stored.uri,
        keeps_users=True,
        now_ms=clock,
        sign_in_failures_per_client_and_hour=4,
        sign_ups_per_client_and_hour=0,
    )


def begun(core: Driver, times: int, client: str = HOME) -> list[int]:
    return [core.engine.clients.begin("sign_in", client) for _ in range(times)]


def test_one_more_waits_until_one_is_made_up_for() -> None:
    quarter, after_one_more = HOUR_MS // 4, hourly(4).after_one_more
    assert after_one_more(0, 1_000) == (1_000 + quarter, 0)
    assert after_one_more(1_000 + 3 * quarter, 1_000) == (1_000 + HOUR_MS, 0)
    assert after_one_more(1_000 + HOUR_MS, 1_000)[1] == quarter
    assert after_one_more(10**15, 1_000)[1] == quarter  # a clock that was far ahead


def test_a_client_waits_and_others_do_not(core: Driver, clock: Clock) -> None:
    """For a quarter of an hour where four are allowed in one; trying meanwhile makes it no longer."""
    assert begun(core, 6) == [0, 0, 0, 0, 900_000, 900_000]
    assert begun(core, 1, ELSEWHERE) == [0]
    assert [core.engine.clients.begin("reset", HOME) for _ in range(2)] == [0, 0]
    assert [core.engine.clients.begin("sign_up", HOME) for _ in range(200)] == [0] * 200
    clock.advance(minutes=15)
    assert begun(core, 2) == [0, 900_000]
    clock.advance(minutes=60)
    assert begun(core, 5) == [0, 0, 0, 0, 900_000]


def test_what_is_taken_back_is_one_and_not_all(core: Driver) -> None:
    """Whoever owns one account must not get new guesses at others by signing in to it."""
    assert begun(core, 4) == [0, 0, 0, 0]
    core.engine.clients.take_back("sign_in", HOME)
    assert begun(core, 2) == [0, 900_000]
    core.engine.clients.take_back("sign_up", HOME)
    core.engine.clients.take_back("sign_in", ELSEWHERE)
    assert begun(core, 5, ELSEWHERE) == [0, 0, 0, 0, 900_000]


def test_parallel_requests_get_no_more(core: Driver) -> None:
    together = threading.Barrier(8)

    def begin(_: int) -> int:
        together.wait(timeout=30)
        return core.engine.clients.begin("sign_in", HOME)

    with ThreadPoolExecutor(8) as clients:
        assert sorted(clients.map(begin, range(8))) == [0] * 4 + [900_000] * 4


def test_nothing_is_kept_for_long(core: Driver, stored: TestDatabase, clock: Clock) -> None:
    """Nor any address: what is kept is under a hash, and deleted after a day."""
    begun(core, 2)
    count = "SELECT name, value FROM key_value WHERE name LIKE 'supertokens_py_clients_%%'"
    ((name, value),) = stored.query(count)
    assert HOME not in name + value
    clock.advance(hours=24, ms=1)
    core.clean_up()
    assert stored.query(count) == []


def counted(stored: TestDatabase) -> int:
    """Return how many counts are kept."""
    return stored.query(
        "SELECT count(*) FROM key_value WHERE substr(name, 1, 23) = 'supertokens_py_clients_'"
    )[0][0]


def test_counts_of_clients_that_are_made_up_for_give_way(
    core: Driver, stored: TestDatabase, clock: Clock
) -> None:
    for number in range(200):
        assert begun(core, 1, f"2001:db8:{number:x}::/64") == [0]
        clock.advance(minutes=1)
    assert 15 <= counted(stored) <= 30
