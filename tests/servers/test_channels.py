"""Channels' consumers under daphne: WebSockets of our website, of others, and of programs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.servers.harness import DJANGO_CHANNELS, Server, running
from tests.servers.visitor import Visitor

ORIGIN = "http://localhost:8000"  # `API_DOMAIN` of the example, which has its page itself


@pytest.fixture(scope="module")
def server(sqlite: str) -> Iterator[Server]:
    with running(DJANGO_CHANNELS, sqlite) as server:
        yield server


@pytest.fixture(params=["cookie", "header"])
def visitor(server: Server, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with server.client() as http:
        visitor = Visitor(http, request.param)
        body = {"user": "ada", "password": "demo"}
        visitor.absorb(http.post("/login", data=body, headers=visitor.headers("/login")))
        yield visitor


def said(server: Server, headers: dict[str, str], origin: str | None) -> str:
    """Open the WebSocket, talk, and return what it said; raise where it is refused."""
    url = f"ws://127.0.0.1:{server.port}/ws/echo"
    # Not those that name the website: a program sets its origin itself.
    with connect(url, additional_headers=headers, origin=origin, proxy=None) as socket:  # type: ignore[arg-type]
        first = socket.recv(20)
        socket.send('"hello"')
        return f"{first} {socket.recv(20)}"


def test_who_may_open_a_socket(server: Server, visitor: Visitor) -> None:
    """Pages of the website and programs may; a page elsewhere only with a header, which no page can send."""
    assert visitor.get("/api/me").json() == {"user": "ada"}
    headers = {name: value for name, value in visitor.headers("/ws/echo").items() if name != "rid"}
    expected = '{"user": "ada"} {"from": "ada", "said": "hello"}'
    assert said(server, headers, ORIGIN) == expected
    assert said(server, headers, None) == expected
    if visitor.mode == "header":
        assert said(server, headers, "https://evil.test") == expected
    else:
        with pytest.raises(InvalidStatus) as refused:
            said(server, headers, "https://evil.test")
        assert refused.value.response.status_code == 403


def test_nobody_is_refused(server: Server) -> None:
    """Before the handshake is over, so that no consumer sees the connection."""
    for headers in ({}, {"authorization": "Bearer garbage"}):
        with pytest.raises(InvalidStatus) as refused:
            said(server, headers, ORIGIN)
        assert refused.value.response.status_code == 403
