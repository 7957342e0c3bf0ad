"""A short version of `scripts/fuzz events`."""

from __future__ import annotations

import pytest

from tests.support.databases import Postgres

from .event_kills import kill

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_no_kill_parts_an_event_from_its_change(kind: str, request: pytest.FixtureRequest) -> None:
    """CP-25: processes killed under load leave both or neither, and every event is delivered, in order."""
    if kind == "postgresql":
        assert isinstance(request.getfixturevalue("postgres_server"), Postgres)
    tally = kill(kind, seed=7, count=3)
    assert tally.problems == []
    assert tally.done["kills"] == 3
    assert tally.done["events"] > 3
    assert tally.done["messages"] >= tally.done["events"]
