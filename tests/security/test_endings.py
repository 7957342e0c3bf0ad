"""A short form of `scripts/fuzz endings`."""

from __future__ import annotations

import pytest

from tests.support.databases import TestDatabase

from .endings import end_beside_replacements


@pytest.mark.postgres
def test_no_session_is_left_by_whatever_ends_them_all(users_postgres_database: TestDatabase) -> None:
    """Though each is replaced again and again meanwhile."""
    tally = end_beside_replacements(users_postgres_database.uri, 8, seed=1)
    assert tally.problems == []
    assert tally.done["replacements"] >= 24
