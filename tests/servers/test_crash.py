"""A server that dies without warning: what was answered before has to be there afterwards."""

from __future__ import annotations

import itertools
import threading

import httpx2
import pytest

from tests.servers.harness import FLASK, Server, running
from tests.servers.visitor import Visitor

OPERATIONS = 1000
CLIENTS = 6
REFRESHES_PER_SESSION = 2
# A refresh whose answer was lost in the crash is repeated with the old token, which the grace period allows.
GRACE = {"SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": "300"}


@pytest.mark.timeout(180)  # some seconds on an idle machine
def test_every_acknowledged_session_survives_kill_9(database: str) -> None:
    """Kill all processes in the middle of a thousand log-ins and refreshes; start again; refresh them all."""
    acknowledged: list[Visitor] = []
    with running(FLASK, database, GRACE, "--workers", "2") as server:
        answered = overload_until_killed(server, acknowledged)
    assert OPERATIONS // 2 <= answered < OPERATIONS
    assert len(acknowledged) > 100

    lost: list[str] = []
    with running(FLASK, database, GRACE) as server, server.client() as http:
        for visitor in acknowledged:
            visitor.http = http
            if visitor.refresh().status_code != 200 or visitor.get("/api/verified").status_code != 200:
                lost.append(visitor.payload["sub"] if visitor.front != "remove" else "cleared")
    assert lost == []


def overload_until_killed(server: Server, acknowledged: list[Visitor]) -> int:  # noqa: C901  its functions count
    """Log in and refresh from several clients, kill the server half way, and return how much was answered."""
    answers = itertools.count(1)
    half_way = threading.Event()
    answered = 0

    def count() -> None:
        nonlocal answered
        answered = next(answers)
        if answered >= OPERATIONS // 2:
            half_way.set()

    def client(number: int) -> None:
        with server.client() as http:
            for round_ in range(OPERATIONS):
                visitor = Visitor(http)
                try:
                    if visitor.login(f"user-{number}-{round_}").status_code != 200:
                        continue
                    acknowledged.append(visitor)
                    count()
                    for _ in range(REFRESHES_PER_SESSION):
                        assert visitor.refresh().status_code == 200
                        count()
                except httpx2.HTTPError:
                    return  # the server is dead

    clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in clients:
        thread.start()
    try:
        assert half_way.wait(120), f"only {answered} operations in two minutes"
    finally:
        server.kill()
        for thread in clients:
            thread.join(30)
    assert not any(thread.is_alive() for thread in clients)
    return answered
