"""The engine of the contract suite, reached over HTTP: remote engine → our server → embedded engine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.records import ReuseSubtype
from supertokens_py.engine.remote import RemoteEngine, RemoteSettings
from supertokens_py.events import Event, subscribe
from supertokens_py.server import create_app
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

USER_MODULES = ("accounts", "email_password", "email_verification", "id_mappings", "passwordless")
USER_MODULES += ("third_party", "tenant_providers", "tenant_members")


class Host:
    """One uvicorn on one port for the whole run, which serves the application of the current test."""

    def __init__(self) -> None:
        self.app: ASGIApp = PlainTextResponse("no test is running", status_code=500)
        config = uvicorn.Config(
            self._serve,
            port=0,
            interface="asgi3",
            log_level="warning",
            lifespan="off",
            timeout_keep_alive=75,  # as `supertokens serve`: longer than clients keep a connection
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def address(self) -> str:
        host, port = self._server.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def start(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class RemoteDriver(Driver):
    """A driver whose engine is remote; rows are read from the database behind the server."""

    def __init__(self, engine: Any, behind: Driver, *, names_reuse: bool) -> None:
        self.engine = engine
        self.behind = behind
        self.names_reuse = names_reuse
        # Tests of what older cores left behind write rows and sign tokens by the engine behind the server.
        self.ring = behind.ring
        self.database = behind.database

    def row(self, handle: str) -> dict[str, Any] | None:
        return self.behind.row(handle)

    def change_row(self, handle: str, **values: Any) -> None:
        self.behind.change_row(handle, **values)

    def told(self, reuse: ReuseSubtype) -> ReuseSubtype | None:
        return reuse if self.names_reuse else None

    def count(self, table: str) -> int:
        return self.behind.count(table)


@pytest.fixture(scope="session")
def host() -> Iterator[Host]:
    """The server that all tests share."""
    host = Host()
    host.start()
    yield host
    host.stop()


#: Users are kept by the database behind the server in tests of these modules.
OF_USERS = {f"tests.engine.test_{name}" for name in USER_MODULES}
#: Hashes of a millisecond.
QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
FOR_A_BUSY_MACHINE = {"SUPERTOKENS_CORE_TIMEOUT": "60", "SUPERTOKENS_CORE_CONNECT_TIMEOUT": "60"}


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """What the remote engine emits; the server behind it, in other threads, emits for itself."""
    found: list[Event] = []
    own = threading.get_ident()

    def note(event: Event) -> None:
        if threading.get_ident() == own:
            found.append(event)

    unsubscribe = subscribe(note)
    yield found
    unsubscribe()


@pytest.fixture(params=[None, "5.4"], ids=["newest", "5.4"])
def core(
    request: pytest.FixtureRequest, start: Opener, clock: Clock, host: Host, sqlite_database: TestDatabase
) -> Iterator[Driver]:
    """A remote engine over our server, in the newest version and in the one of current official SDKs.

    The database behind the server makes no difference to a client; tests/engine has each of them.
    """
    keeps_users = request.function.__module__ in OF_USERS
    behind = start(sqlite_database.uri, keeps_users=keeps_users, now_ms=clock, **QUICK)
    host.app = create_app(behind.engine, allow_no_api_key=True, max_cdi_version=request.param, now_ms=clock)
    engine = RemoteEngine(
        host.address,
        EngineConfig(now_ms=clock).resolve({}),
        remote_settings=RemoteSettings.from_environment(FOR_A_BUSY_MACHINE),
    )
    yield RemoteDriver(engine, behind, names_reuse=request.param is None)
    engine.close()
