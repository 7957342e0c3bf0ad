"""Racing refreshes: whatever a client has held within the grace period goes on, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supertokens_py.engine.records import IssuedSession, TokenTheft
from tests.engine.driver import Driver
from tests.support.clock import Clock, Stopwatch

GRACE_MS = 30_000


@dataclass
class Held:
    """Every refresh token that a browser got, oldest first, and when each but the last was replaced."""

    tokens: list[str]
    replaced_ms: list[int] = field(default_factory=list)

    def is_accepted(self, which: int, now_ms: int) -> bool:
        return which == len(self.replaced_ms) or now_ms <= self.replaced_ms[which] + GRACE_MS

    def took(self, token: str, now_ms: int) -> None:
        if token != self.tokens[-1]:
            assert token not in self.tokens, "a token that was replaced came back"
            self.tokens.append(token)
            self.replaced_ms.append(now_ms)


#: How long until the next request, and which token it carries: 0 is the newest.
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 200, 2_000, 14_999, 15_000, 29_999, 30_000, 30_001, 61_000]),
        st.integers(min_value=0, max_value=4),
    ),
    min_size=1,
    max_size=25,
)


@pytest.fixture(
    scope="module", params=["sqlite_files", pytest.param("postgres_server", marks=pytest.mark.postgres)]
)
def core(request: pytest.FixtureRequest) -> Iterator[tuple[Driver, Clock]]:
    """One engine for all examples, since each has a session of its own."""
    clock = Clock(1_800_000_000_000)
    database = request.getfixturevalue(request.param).create()
    # Its keys stay in memory: each reading of them would warn of this clock.
    core = Driver(database.uri, now_ms=clock, monotonic_s=Stopwatch(), sqlite_synchronous="NORMAL")
    yield core, clock
    core.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_any_order_within_the_window_goes_on_and_nothing_after_it(
    core: tuple[Driver, Clock], steps: list[tuple[int, int]]
) -> None:
    """A token replaced at most a grace period ago yields the one current token; an older one is reuse."""
    driver, clock = core
    session = driver.create()
    held = Held([session.refresh_token.text])
    for wait_ms, back in steps:
        now_ms = clock.advance(ms=wait_ms)
        which = max(0, len(held.tokens) - 1 - back)
        answer = driver.refresh(held.tokens[which])
        if not held.is_accepted(which, now_ms):
            assert isinstance(answer, TokenTheft)
            assert driver.row(session.handle) is None
            return
        assert isinstance(answer, IssuedSession)
        held.took(answer.refresh_token.text, now_ms)
        assert answer.refresh_token.text == held.tokens[-1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_browser_that_presents_nothing_older_is_never_logged_out(
    core: tuple[Driver, Clock], steps: list[tuple[int, int]]
) -> None:
    """Every request carries a token that was current at some moment of the last grace period."""
    driver, clock = core
    held = Held([driver.create().refresh_token.text])
    for wait_ms, back in steps:
        now_ms = clock.advance(ms=wait_ms)
        recent = [which for which in range(len(held.tokens)) if held.is_accepted(which, now_ms)]
        answer = driver.refresh(held.tokens[recent[-1 - back % len(recent)]])
        assert isinstance(answer, IssuedSession)
        held.took(answer.refresh_token.text, now_ms)


@pytest.mark.parametrize(("behind_s", "level"), [(5, "INFO"), (25, "WARNING")])
def test_a_thief_within_the_grace_period(
    core: tuple[Driver, Clock], caplog: pytest.LogCaptureFixture, behind_s: int, level: str
) -> None:
    """A thief who keeps time with the owner gets the same tokens; each use later than 5 s is a warning."""
    driver, clock = core
    caplog.set_level("INFO", "supertokens_py.audit")
    owner = driver.create()
    thief = owner
    for _ in range(10):
        clock.advance(hours=1)
        owner = driver.refresh(owner)
        caplog.clear()
        clock.advance(s=behind_s)
        thief = driver.refresh(thief)
        assert thief.refresh_token == owner.refresh_token
        assert [record.levelname for record in caplog.records] == [level]
    clock.advance(hours=1)
    driver.refresh(owner)
    clock.advance(s=31)
    assert isinstance(driver.refresh(thief), TokenTheft)
