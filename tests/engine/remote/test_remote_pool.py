"""The connections of the remote engine, over a real socket."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import httpx2
import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.remote import RemoteEngine, RemoteSettings
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.driver import new_session
from tests.engine.remote.conftest import Host
from tests.support.forks import in_child


class SlowCore:
    """Says at once which version it speaks; its roles it tells when the test lets it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.ports: list[int] = []  #: which end of its connection asked for roles

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/apiversion":
            answer = JSONResponse({"versions": ["5.6"]})
        else:
            self.ports.append(scope["client"][1])
            self.asked.set()
            await asyncio.to_thread(self.may_answer.wait, 10)
            answer = JSONResponse({"status": "OK", "roles": ["admin"]})
        await answer(scope, receive, send)


@pytest.fixture
def core(host: Host) -> SlowCore:
    host.app = core = SlowCore()
    return core


@pytest.fixture
def engine(host: Host) -> Iterator[RemoteEngine]:
    settings = RemoteSettings.from_environment(
        {"SUPERTOKENS_CORE_POOL_SIZE": "1", "SUPERTOKENS_CORE_CONNECT_TIMEOUT": "0.2"}
    )
    engine = RemoteEngine(host.address, EngineConfig().resolve({}), remote_settings=settings)
    yield engine
    engine.close()


def test_who_finds_every_connection_in_use_does_not_wait_for_long(
    core: SlowCore, engine: RemoteEngine
) -> None:
    """It is told so; the others are served, and so is the next one."""
    assert engine.negotiated_version() == "5.6"
    found: list[list[str]] = []
    first = threading.Thread(target=lambda: found.append(engine.roles.all()))
    first.start()
    assert core.asked.wait(40)
    with pytest.raises(EngineUnavailableError, match="every connection to the SuperTokens core is in use"):
        engine.roles.all()
    core.may_answer.set()
    first.join(40)
    assert found == [["admin"]]
    assert engine.roles.all() == ["admin"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_leaves_the_connections_to_its_parent(core: SlowCore, engine: RemoteEngine) -> None:
    """It opens its own, and the parent goes on with the one it has."""
    core.may_answer.set()
    assert engine.roles.all() == ["admin"]
    assert in_child(engine.roles.all) == "['admin']"
    assert engine.roles.all() == ["admin"]
    before, child, after = core.ports
    assert before == after != child


class DrippingCore:
    """Answers the first request at once, and the next one header by header, on the same connection."""

    VERSIONS = b'{"versions": ["5.6"]}'

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            self.asked.append(connection.recv(65_536).split(b" ")[1])
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(self.VERSIONS))
            connection.sendall(self.VERSIONS)
            self.asked.append(connection.recv(65_536).split(b" ")[1])
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            with suppress(OSError):  # nobody waits any more
                for number in range(40):
                    connection.sendall(b"x-%d: drop\r\n" % number)
                    time.sleep(0.02)

    def close(self) -> None:
        self._listener.close()
        self._thread.join(10)


def test_headers_that_drip_are_waited_for_no_longer_than_any() -> None:
    """CS-103: `timeout` bounds them all, not the pause between two; also on a connection that was kept."""
    with closing(DrippingCore()) as core:
        settings = RemoteSettings.from_environment({"SUPERTOKENS_CORE_TIMEOUT": "0.2"})
        engine = RemoteEngine(core.address, EngineConfig().resolve({}), remote_settings=settings)
        with closing(engine), pytest.raises(EngineUnavailableError) as raised:
            engine.sessions.create(new_session())
        assert isinstance(raised.value.__cause__, httpx2.ReadTimeout)
        assert core.asked == [b"/apiversion", b"/public/recipe/session"]
