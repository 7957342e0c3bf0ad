"""What ordinary requests pay for keys: nothing while they stay, and little for the unknown ones of others."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.framework.clients.transport import AsgiClient
from tests.framework.site import Site, Visitor

from .fuzz import flood_kinds


def test_unchanged_keys_are_not_looked_at_again_and_again(site: Site, monkeypatch: Any) -> None:
    """After `jwks_refresh_interval_sec` the keys are loaded once, not at every request from then on."""
    visitor = site.sign_in("header")
    site.clock.advance(hours=5)
    assert visitor.refresh().status == 200  # a token of this hour, with keys of five hours ago
    database: Any = site.engine._database
    attempt, reads = database._attempt, [0]

    def counted(*args: Any) -> Any:
        reads[0] += 1
        return attempt(*args)

    monkeypatch.setattr(database, "_attempt", counted)
    for _ in range(4):
        site.engine._keys._reloaded_at = float("-inf")  # as if each came after the cool-down of 5 s
        assert visitor.get("/protected").status == 200
    assert reads[0] == 1


SLOW_S = 3.0
#: How long a known session may have to wait because of others' unknown keys, on a busy machine.
BOUND_S = 1.5
FLOOD = 200


@pytest.fixture
def slow_keys(site: Site, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """A visitor of a site whose table of keys has become slow, and may be read again now."""
    visitor = site.sign_in("header")
    ring: Any = site.engine._keys
    read = ring._read

    def slow(connection: Any) -> Any:
        time.sleep(SLOW_S)
        return read(connection)

    monkeypatch.setattr(ring, "_read", slow)
    ring._reloaded_at = float("-inf")
    return visitor


def test_unknown_keys_do_not_hold_up_known_ones(site: Site, slow_keys: Visitor) -> None:
    """A flood of unknown `kid`s while their table is slow: views and refreshes of others go on."""
    make = flood_kinds(site)["unknown kid"]
    forged = [("GET", "/protected", [("authorization", f"Bearer {make(n)}")]) for n in range(FLOOD)]
    calm = [
        ("GET", "/protected", slow_keys.credentials("/protected")),
        ("GET", "/database", slow_keys.credentials("/database")),
        ("POST", "/auth/session/refresh", slow_keys.credentials("/auth/session/refresh")),
    ]
    send = site.client.send if isinstance(site.client, AsgiClient) else None
    answers = _in_tasks(send, forged, calm) if send else _in_threads(site, forged, calm)
    refused, known = answers[:FLOOD], answers[FLOOD:]
    assert {status for status, _ in refused} == {401}
    assert [status for status, _ in known] == [200, 200, 200]
    assert max(took_s for _, took_s in known) < BOUND_S
    # Only the one that reads the table waits for it; those that came with it wait a moment.
    assert sorted(took_s for _, took_s in refused)[-2] < BOUND_S


def _in_tasks(send: Callable[..., Any], *requests: list[Any]) -> list[tuple[int, float]]:
    async def timed(request: Any) -> tuple[int, float]:
        began = time.perf_counter()
        reply = await send(*request)
        return reply.status, time.perf_counter() - began

    async def all_of() -> list[tuple[int, float]]:
        flood, calm = ([asyncio.ensure_future(timed(request)) for request in some] for some in requests)
        return await asyncio.gather(*flood, *calm)

    return asyncio.run(all_of())


def _in_threads(site: Site, flood: list[Any], calm: list[Any]) -> list[tuple[int, float]]:
    """As a server with one thread a request: eight for the flood, one for the others."""
    answers: dict[int, tuple[int, float]] = {}

    def work(numbered: list[tuple[int, Any]]) -> None:
        for number, request in numbered:
            began = time.perf_counter()
            status = site.client.request(*request).status
            answers[number] = (status, time.perf_counter() - began)

    numbered = list(enumerate([*flood, *calm]))
    shares = [numbered[start : len(flood) : 8] for start in range(8)] + [numbered[len(flood) :]]
    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(len(numbered))]
