"""What ordinary requests pay for keys: nothing while they stay, and little for the unknown ones of others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from supertokens_py.testing.conformance import AsgiClient
from tests.framework.site import Site
from tests.support.clock import Stopwatch
from tests.support.units import before_each_statement, counted_units

from .fuzz import flood_kinds


def test_unchanged_keys_are_not_looked_at_again_and_again(site: Site) -> None:
    """After `jwks_refresh_interval_sec` the keys are loaded once, not at every request from then on."""
    visitor = site.sign_in("header")
    site.clock.advance(hours=5)
    assert visitor.refresh().status == 200  # a token of this hour, with keys of five hours ago
    later = site.engine.keys.monotonic_s = Stopwatch()
    with counted_units(site.engine.database) as units:
        for _ in range(4):
            later.advance(6)  # more than a cool-down
            assert visitor.get("/protected").status == 200
    assert len(units) == 1


FLOOD = 200
#: How long the slow table waits for the test; nobody else may.
PATIENCE_S = 50

Request = tuple[str, str, list[tuple[str, str]]]


@pytest.fixture
def gate(site: Site) -> Iterator[threading.Event]:
    """Reading the table of keys takes until this is set."""
    gate, late = threading.Event(), list[str]()
    gate.set()

    def slow() -> None:
        if not gate.wait(PATIENCE_S):
            late.append("somebody waited for the table")

    with before_each_statement(site.engine.database, "FROM session_access_token_signing_keys", slow):
        yield gate
    assert late == []


def test_unknown_keys_do_not_hold_up_known_ones(site: Site, gate: threading.Event) -> None:
    """A flood of unknown `kid`s while their table is slow: views and refreshes of others go on.

    Only the request that reads the table waits for it; those that came with it wait a moment.
    """
    visitor = site.sign_in("header")
    later = site.engine.keys.monotonic_s = Stopwatch()
    later.advance(6)  # the keys may be read again now
    make = flood_kinds(site)["unknown kid"]
    forged: list[Request] = [
        ("GET", "/protected", [("authorization", f"Bearer {make(n)}")]) for n in range(FLOOD)
    ]
    calm: list[Request] = [
        ("GET", "/protected", visitor.credentials("/protected")),
        ("GET", "/database", visitor.credentials("/database")),
        ("POST", "/auth/session/refresh", visitor.credentials("/auth/session/refresh")),
    ]
    gate.clear()
    if isinstance(site.client, AsgiClient):
        refused, known = asyncio.run(_in_tasks(site.client.send, forged, calm, gate))
    else:
        refused, known = _in_threads(site, forged, calm, gate)
    assert known == [200, 200, 200]
    assert set(refused) == {401}


async def _in_tasks(
    send: Callable[..., Any], flood: list[Request], calm: list[Request], gate: threading.Event
) -> tuple[list[int], list[int]]:
    attacks = [asyncio.ensure_future(send(*request)) for request in flood]
    others = [asyncio.ensure_future(send(*request)) for request in calm]
    running = {*attacks, *others}
    while len(running) > 1:  # the gate is closed until all but one have their answers
        _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    gate.set()
    return [(await attack).status for attack in attacks], [(await other).status for other in others]


def _in_threads(
    site: Site, flood: list[Request], calm: list[Request], gate: threading.Event
) -> tuple[list[int], list[int]]:
    """As a server with one thread a request: eight for the flood, one for the others."""
    refused, known, ended = list[int](), list[int](), threading.Semaphore(0)

    def work(requests: list[Request], statuses: list[int]) -> None:
        statuses.extend(site.client.request(*request).status for request in requests)
        ended.release()

    threads = [threading.Thread(target=work, args=(flood[start::8], refused)) for start in range(8)]
    threads.append(threading.Thread(target=work, args=(calm, known)))
    for thread in threads:
        thread.start()
    for _ in threads[1:]:  # the gate is closed until all but one have ended
        assert ended.acquire(timeout=PATIENCE_S)
    gate.set()
    for thread in threads:
        thread.join()
    return refused, known
