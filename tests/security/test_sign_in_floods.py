"""Floods at sign-in leave little behind: short forms of `scripts/fuzz codes` and `scripts/fuzz guesses`."""

from __future__ import annotations

import pytest

from tests.support.databases import TestDatabase

from .sign_in_floods import flood_codes, flood_guesses

pytestmark = pytest.mark.real

EVERY_MINUTE = 1 / 60


@pytest.fixture(
    params=[
        pytest.param("sqlite_database", id="sqlite"),
        pytest.param("fresh_postgres_database", id="postgres", marks=pytest.mark.postgres),
    ]
)
def each_database(request: pytest.FixtureRequest) -> TestDatabase:
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("knows_client", [False, True])
def test_codes_for_made_up_addresses_do_not_pile_up(
    each_database: TestDatabase, *, knows_client: bool
) -> None:
    """Of 40 in as many minutes those of 20 are there, or the share of a known client; others sign in."""
    flood = flood_codes(each_database, 40, per_second=EVERY_MINUTE, knows_client=knows_client, of_client=6)
    assert flood.problems == []
    assert flood.most["passwordless_devices"] == flood.most["passwordless_codes"]
    assert flood.answers["OK"] == (9 if knows_client else 40)
    assert flood.left["passwordless_devices"] == flood.left["passwordless_codes"] == 0


def test_guesses_at_one_address_leave_one_row(each_database: TestDatabase) -> None:
    """Of 40 in as many minutes 20 are looked at, and somebody else signs in ten times."""
    flood = flood_guesses(each_database, 40, per_second=EVERY_MINUTE)
    assert flood.problems == []
    assert flood.answers["WRONG_CREDENTIALS_ERROR"] == 20
    assert flood.left["key_value"] <= flood.most["key_value"] - 1
