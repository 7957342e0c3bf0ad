"""The whole life of sessions, step by step against the model (long runs: `scripts/fuzz state`)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from .life import MOVES, Life, random_step

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.databases import Sqlite, TestDatabase

INDEX = st.integers(0, 7)


class SessionLife(RuleBasedStateMachine):
    """Hypothesis chooses the steps, and shortens what it finds to the steps that matter."""

    opened: Callable[[], Life]

    def __init__(self) -> None:
        super().__init__()
        self.life = type(self).opened()

    def teardown(self) -> None:
        self.life.close()

    @initialize(who=INDEX)
    def first(self, who: int) -> None:
        self.life.create(who)

    @rule(who=INDEX)
    def create(self, who: int) -> None:
        self.life.create(who)

    @rule(which=INDEX, token=INDEX, tabs=st.sampled_from([1, 1, 1, 3]))
    def refresh(self, which: int, token: int, tabs: int) -> None:
        self.life.refresh(which, token, tabs=tabs)

    @rule(which=INDEX, token=INDEX)
    def lose(self, which: int, token: int) -> None:
        self.life.lose(which, token)

    @rule(which=INDEX, token=INDEX)
    def verify(self, which: int, token: int) -> None:
        self.life.verify(which, token)

    @rule(which=INDEX, token=INDEX, value=st.integers(0, 99))
    def merge(self, which: int, token: int, value: int) -> None:
        self.life.merge(which, token, value)

    @rule(which=INDEX, value=st.integers(0, 99))
    def merge_by_handle(self, which: int, value: int) -> None:
        self.life.merge_by_handle(which, value)

    @rule(which=INDEX)
    def revoke(self, which: int) -> None:
        self.life.revoke(which)

    @rule(who=INDEX)
    def revoke_user(self, who: int) -> None:
        self.life.revoke_user(who)

    @rule(which=INDEX)
    def look(self, which: int) -> None:
        self.life.look(which)

    @rule(ms=st.sampled_from(MOVES) | st.integers(-40_000, 40_000))
    def move_clock(self, ms: int) -> None:
        self.life.move_clock(ms)

    @rule()
    def sweep(self) -> None:
        self.life.sweep()

    @rule(drop=st.booleans())
    def rotate_keys(self, drop: bool) -> None:
        self.life.rotate_keys(drop)


def run(opened: Any, *, examples: int, steps: int) -> None:
    machine = type("Machine", (SessionLife,), {"opened": staticmethod(opened)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


def test_no_step_diverges_in_memory(sqlite_files: Sqlite) -> None:
    """SQLite in memory, steps chosen by hypothesis."""
    rows = sqlite_files.keys()
    run(lambda: Life("sqlite://", lambda core: core.seed(rows)), examples=15, steps=30)


@pytest.mark.postgres
@pytest.mark.usefixtures("clock")
def test_no_step_diverges_on_postgres(postgres_database: TestDatabase) -> None:
    """PostgreSQL, fewer steps; the sessions of earlier examples stay in the database."""

    def opened() -> Life:
        postgres_database.query("DELETE FROM session_info")
        return Life(postgres_database.uri)

    run(opened, examples=4, steps=25)


def test_a_thousand_random_steps(sqlite_database: TestDatabase) -> None:
    """A long life in one file, as the long run does it."""
    life, dice = Life(sqlite_database.uri), random.Random(7)
    steps = [random_step(life, dice) for _ in range(1000)]
    assert len(set(steps)) > 9
    assert life.model.live
    assert life.model.gone
    life.close()
