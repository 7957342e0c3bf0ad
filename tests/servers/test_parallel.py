"""Sixteen refreshes of one token at the same moment, answered by several processes."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from tests.servers.harness import FASTAPI, FLASK, Kind, Server, running
from tests.servers.visitor import Mode, Visitor

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

TOGETHER = 16
TWO = ("--workers", "2")
#: More rounds only to see every worker answer at least once.
MOST_ROUNDS = 10


@pytest.mark.parametrize(
    ("kind", "options"),
    [(FLASK, TWO), (FLASK, (*TWO, "--preload")), (FASTAPI, TWO)],
    ids=["gunicorn", "gunicorn-preload", "uvicorn"],
)
def test_parallel_refreshes_all_get_the_same_successor(
    database: str, kind: Kind, options: tuple[str, ...]
) -> None:
    """All answer 200 with one refresh token, and the session lives on; with cookies and with headers."""
    modes: tuple[Mode, ...] = ("cookie", "header")
    with running(kind, database, {}, *options) as server, server.client() as http:
        for mode in modes:
            visitor = Visitor(http, mode)
            for _round in range(MOST_ROUNDS):
                visitor.login()  # a session rotates once per grace period
                before = visitor.refresh_token
                successors = refresh_together(server, mode, before)
                assert len(successors) == 1
                visitor.refresh_token = successors.pop()
                assert visitor.refresh_token not in ("", before)
                if len(workers_that_refreshed(server)) >= 2 or kind is FASTAPI:
                    break
            else:
                pytest.fail("a single worker answered everything")
            assert visitor.refresh().status_code == 200
            assert visitor.get("/api/verified").status_code == 200


def refresh_together(server: Server, mode: Mode, token: str) -> set[str]:
    """Present `token` from sixteen browsers at once and return the refresh tokens that came back."""
    start = threading.Barrier(TOGETHER)

    def one(_number: int) -> str:
        with server.client() as http:
            browser = Visitor(http, mode, refresh_token=token)
            start.wait(20)
            answer = browser.refresh()
            assert answer.status_code == 200, answer.text
            return browser.refresh_token

    with ThreadPoolExecutor(TOGETHER) as pool:
        return set(pool.map(one, range(TOGETHER)))


def workers_that_refreshed(server: Server) -> set[str]:
    """Return the process ids of the gunicorn workers that answered a refresh."""
    return set(re.findall(r"worker=<?(\d+)>? POST /auth/session/refresh 200", server.logs()))


@pytest.mark.parametrize("kind", [FLASK, FASTAPI], ids=lambda kind: kind.name)
def test_a_first_start_under_load_makes_one_set_of_tables_and_keys(kind: Kind, fresh_database: str) -> None:
    """Sixteen first log-ins at once, in two processes on an empty database: all work, all under one key."""
    start = threading.Barrier(TOGETHER)
    with running(kind, fresh_database, {}, *TWO) as server:

        def one(number: int) -> Visitor:
            with server.client() as http:
                visitor = Visitor(http)
                start.wait(20)
                answer = visitor.login(f"user-{number}")
                assert answer.status_code == 200, answer.text
                return visitor

        with ThreadPoolExecutor(TOGETHER) as pool:
            visitors = list(pool.map(one, range(TOGETHER)))
        assert len({jwt.get_unverified_header(visitor.access)["kid"] for visitor in visitors}) == 1
        with server.client() as http:
            for visitor in visitors:
                visitor.http = http
                assert visitor.get("/api/verified").status_code == 200
                assert visitor.refresh().status_code == 200
