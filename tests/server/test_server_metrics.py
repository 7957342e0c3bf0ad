"""What Prometheus reads from the server, who may read it, and that no caller can make up series."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from supertokens_py.engine.interface import Engine
from supertokens_py.engine.records import ConnectionCounts
from supertokens_py.exceptions import ConfigError
from supertokens_py.server import create_app
from supertokens_py.server.metrics import DIRECTORY, Metrics
from tests.server.wire import Wire, refresh_token
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

KEY = "metrics-key-of-prometheus"
API_KEY = "api-key-of-the-applications"
SHOWN = {"authorization": f"Bearer {KEY}"}
Series = tuple[str, ...]


@pytest.fixture
def counted(start: Callable[..., Wire]) -> Wire:
    """A server with metrics."""
    return start(metrics_keys=[KEY])


class Idle:
    """An engine with one connection that is not in use."""

    def connection_counts(self) -> ConnectionCounts:
        return ConnectionCounts(used=0, idle=1, limit=10)


IDLE = cast("Engine", Idle())


def read(wire: Wire, name: str) -> dict[Series, float]:
    """Return the series of one metric by the values of their labels, sorted by name."""
    answer = wire.raw("GET", "/metrics", headers=SHOWN)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name
    }


def test_requests_are_counted_by_what_was_asked_and_answered(counted: Wire) -> None:
    """Answer, method, route and status; a refresh and how it went."""
    first = counted.create()
    counted.refresh(refresh_token(first))
    counted.refresh("no token at all")
    assert counted.raw("GET", "/TENANT-1/recipe/session/user").status_code == 400
    found = read(counted, "supertokens_requests_total")
    assert found == {
        ("OK", "POST", "/recipe/session", "200"): 1,
        ("OK", "POST", "/recipe/session/refresh", "200"): 1,
        ("UNAUTHORISED", "POST", "/recipe/session/refresh", "200"): 1,
        ("", "GET", "/recipe/session/user", "400"): 1,
    }
    assert read(counted, "supertokens_request_duration_seconds_count")[("/recipe/session/refresh",)] == 2


def test_no_caller_makes_up_series(counted: Wire) -> None:
    """Paths and methods that nobody knows are one series each, however many there are."""
    for number in range(5):
        counted.raw("GET", f"/nothing/{number}")
        counted.raw(f"BREW{number}", "/recipe/roles")
    assert read(counted, "supertokens_requests_total") == {
        ("", "GET", "none", "404"): 5,
        ("", "other", "/recipe/roles", "405"): 5,
    }


def test_events_are_counted_with_the_word_that_matters(counted: Wire, clock: Clock) -> None:
    """Reuse by its subtype, an end by its reason; a handle or a user id is nowhere."""
    first = counted.create("a-private-user")
    second = counted.refresh(refresh_token(first))
    clock.advance(s=31)
    counted.refresh(refresh_token(second))
    clock.advance(minutes=5)
    assert counted.refresh(refresh_token(first))["status"] == "TOKEN_THEFT_DETECTED"
    found = read(counted, "supertokens_events_total")
    assert found == {
        ("", "session.created"): 1,
        ("", "session.refreshed"): 2,
        ("STALE_LINEAGE", "session.reuse"): 1,
    }
    text = counted.raw("GET", "/metrics", headers=SHOWN).text
    assert "a-private-user" not in text
    assert first["session"]["handle"] not in text


def test_connections_are_shown(counted: Wire) -> None:
    """How many are in use, idle, and possible."""
    counted.create()
    assert read(counted, "supertokens_database_connections") == {("idle",): 1, ("used",): 0}
    assert read(counted, "supertokens_database_connections_limit") == {(): 10}


def test_an_engine_without_connections_shows_none() -> None:
    """As one that asks a core does."""
    metrics = Metrics(cast("Engine", object()))
    metrics.look_at_connections()
    assert "supertokens_database_connections{" not in metrics.text().decode()


def test_a_database_that_is_away_is_counted_and_hides_nothing(
    start: Callable[..., Wire], sqlite_database: TestDatabase
) -> None:
    """The metrics need no database; its failures are counted by kind; alive, but not ready."""
    wire = start(metrics_keys=[KEY])
    sqlite_database.path.write_bytes(b"no database any more" * 1000)
    assert wire.raw("GET", "/recipe/session/user", params={"userId": "u1"}).status_code == 503
    assert [wire.refusal("GET", f"/health/{probe}") for probe in ("live", "ready", "ready")] == [
        (200, "Alive"),
        (503, "The session store cannot be reached"),
        (503, "The session store cannot be reached"),  # as was seen before, for a second
    ]
    assert read(wire, "supertokens_database_errors_total") == {("true", "other"): 2}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": f"Bearer {API_KEY}"}, 401),
        ({"api-key": API_KEY}, 401),
        ({"api-key": KEY}, 200),
        (SHOWN, 200),
    ],
)
def test_metrics_have_keys_of_their_own(
    start: Callable[..., Wire], headers: dict[str, str], status: int
) -> None:
    """Who may read them may nothing else, and the other way round."""
    wire = start(api_keys=[API_KEY], metrics_keys=[KEY], base_path="/core")
    assert wire.raw("GET", "/core/metrics", headers=headers).status_code == status
    assert wire.raw("GET", "/metrics", headers=headers).status_code == 404
    assert wire.raw("GET", "/core/recipe/roles", headers=SHOWN).status_code == 401


def test_addresses_are_checked_for_metrics_too(start: Callable[..., Wire]) -> None:
    wire = start(metrics_keys=[KEY], ip_deny_regex=r"203\.0\.113\..*", address="203.0.113.9")
    assert wire.raw("GET", "/metrics", headers=SHOWN).status_code == 403


def test_without_keys_there_are_no_metrics(start: Callable[..., Wire]) -> None:
    assert start(api_keys=[API_KEY]).raw("GET", "/metrics", headers={"api-key": API_KEY}).status_code == 404


def test_an_api_key_is_no_key_for_metrics() -> None:
    """Prometheus would keep a key that creates sessions of any user."""
    with pytest.raises(ConfigError, match="is also an API key: who reads metrics could create sessions"):
        create_app(IDLE, api_keys=[API_KEY], metrics_keys=[API_KEY])


def test_one_process_answers_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another process counted is in it, also after its end; its connections are not, then."""
    other = (
        "from supertokens_py.server.metrics import *\n"
        "class WithConnections:\n"
        "    def connection_counts(self):\n"
        "        from supertokens_py.engine.records import ConnectionCounts\n"
        "        return ConnectionCounts(used=3, idle=4, limit=10)\n"
        "metrics = Metrics(WithConnections())\n"
        "metrics.look_at_connections()\n"
        "metrics.count('GET', Exchange('/hello'), 200, 0.1)\n"
        "print(metrics.text().decode())\n"
    )
    environ = {**os.environ, DIRECTORY: str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", other], env=environ, capture_output=True, text=True, check=True
    )
    assert re.findall(r'connections\{state="(\w+)"\} ([\d.]+)', done.stdout) == [
        ("used", "3.0"),
        ("idle", "4.0"),
    ]
    monkeypatch.setenv(DIRECTORY, str(tmp_path))
    text = Metrics(IDLE).text().decode()
    line = 'supertokens_requests_total{answer="",method="GET",route="/hello",status="200"} 1.0'
    assert line in text
    assert 'state="used"' not in text
