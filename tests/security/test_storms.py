"""Short versions of the long runs with real servers (`scripts/fuzz kills`, `clients`, `outage`)."""

from __future__ import annotations

import pytest

from tests.support.databases import Postgres

from . import crowd, outage, workers
from .kills import storm

BOTH = pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]  # servers under load, some seconds each when idle


@pytest.fixture(autouse=True)
def _server_binaries(request: pytest.FixtureRequest) -> None:
    """Where there is no PostgreSQL to start, what needs one is skipped as everywhere."""
    if request.node.get_closest_marker("postgres"):
        assert isinstance(request.getfixturevalue("postgres_server"), Postgres)


@BOTH
def test_what_was_acknowledged_survives_every_kill(kind: str) -> None:
    """Processes, and the PostgreSQL server itself, killed under load: nothing lost, nothing comes back."""
    with storm(kind, seed=5) as killed:
        killed.rounds(4, database_every=2)
    assert killed.tally.problems == []
    done = killed.tally.done
    away = done["kills of PostgreSQL by SIGKILL"] + done["kills of PostgreSQL by SIGQUIT"]
    assert (done["kills"], away) == ((4, 0) if kind == "sqlite" else (2, 2))
    assert done["row checks"] == 4
    assert min(done[what] for what in ("created", "refreshed", "found alive", "answers lost")) > 0


@pytest.mark.parametrize(
    ("when", "damage", "noticed"),
    [
        ("_start", "DELETE FROM session_info WHERE user_id <> 'first'", "session lost"),
        ("_check_rows", "DELETE FROM session_info", "acknowledged sessions are gone"),
        ("_check_rows", "UPDATE session_info SET session_data = '{'", "a row is half-written"),
        ("_check_rows", "UPDATE session_info SET refresh_token_rotated_at = NULL", "a row is half-written"),
    ],
)
def test_a_loss_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch, when: str, damage: str, noticed: str
) -> None:
    """Damage done behind the servers' back is told, and ends the run."""
    with storm("sqlite", seed=5) as killed:
        goes_on = getattr(killed, when)

        def damaged() -> None:
            if when == "_start":  # the servers are up, nothing was asked for yet
                goes_on()
            killed.database.query(damage)
            if when != "_start":
                goes_on()

        monkeypatch.setattr(killed, when, damaged)
        killed.rounds(10)  # clients on a busy machine may not ask before the first kills
    assert any(noticed in problem for problem in killed.tally.problems), killed.tally.problems
    assert killed.tally.done["kills"] < 10


@BOTH
def test_clients_with_bad_connections_stay_logged_in_and_thieves_are_found(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Lost, doubled, late and overtaken answers: no false log-out; beyond the window: always reuse."""
    monkeypatch.setattr(crowd, "GRACE_S", 3)
    tally = crowd.crowd(kind, seed=3, clients=8, minutes=0.12)
    assert tally.problems == []
    assert min(tally.done[way] for way in ("plain", "lost", "doubled", "late", "overtaken")) > 0
    assert (
        tally.done["replays of the last retired token"] + tally.done["replays of an older retired token"] > 0
    )


@pytest.mark.parametrize(("window", "noticed"), [("0", "false log-out"), ("60", "reuse not detected")])
def test_a_wrong_window_would_be_noticed(monkeypatch: pytest.MonkeyPatch, window: str, noticed: str) -> None:
    """With a server that keeps to another window, the same run finds what it looks for."""
    monkeypatch.setattr(crowd, "GRACE_S", 3)
    setting = {"SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": window}
    monkeypatch.setattr(crowd, "Workers", lambda uri, log, _: workers.Workers(uri, log, setting))
    tally = crowd.crowd("sqlite", seed=3, clients=8, minutes=0.1)
    assert any(noticed in problem for problem in tally.problems), tally.problems


@pytest.mark.postgres
def test_an_outage_under_load_logs_nobody_out() -> None:
    """Four processes, PostgreSQL killed for a second: 503 meanwhile, then all goes on in each of them."""
    result = outage.outage(1, seed=1)
    assert result.tally.problems == []
    assert len(result.recovered_s) == outage.WORKERS
    assert any(one.status == 503 for one in result.seen)
    assert result.sessions > outage.CLIENTS
    assert all(one.status == 200 for one in result.seen if not one.asks_database)
