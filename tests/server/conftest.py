"""One server per test, on SQLite, with a clock that tests move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.factory import open_engine
from supertokens_py.server import create_app
from tests.server.wire import LATEST, LEGACY, Wire
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

#: Hashes of a millisecond.
QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
QUIET = {"access_token_validity_jitter": 0, "clean_up_interval": 0, "sqlite_synchronous": "NORMAL"}


def seen_from(address: str, app: ASGIApp) -> ASGIApp:
    """Give the requests this address; the oldest test client of Starlette cannot."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "client": (address, 50_000)}, receive, send)

    return call


@pytest.fixture
def start(clock: Clock, sqlite_database: TestDatabase) -> Iterator[Callable[..., Wire]]:
    """Make a server with given settings of engine (`engine=`) and application."""
    with ExitStack() as stack:

        def start_server(
            engine: dict[str, Any] | None = None,
            address: str = "127.0.0.1",
            *,
            keeps_users: bool = False,
            **options: Any,
        ) -> Wire:
            settings = {
                "access_token_validity_jitter": 0,
                "clean_up_interval": 0,
                "sqlite_synchronous": "NORMAL",
                **(engine or {}),
            }
            resolved = EngineConfig(now_ms=clock, **settings).resolve({})
            opened = open_engine(sqlite_database.uri, resolved, keeps_users=keeps_users)
            options = {"allow_no_api_key": True, **options}
            app = seen_from(address, create_app(opened, now_ms=clock, **options))
            return Wire(stack.enter_context(TestClient(app, base_url="http://core")))

        yield start_server


@pytest.fixture
def wire(start: Callable[..., Wire]) -> Wire:
    return start()


@pytest.fixture
def users(start: Callable[..., Wire]) -> Wire:
    """A server that keeps users, too, with quick hashes."""
    return start(engine=QUICK, keeps_users=True)


@pytest.fixture(params=[LATEST, LEGACY])
def either(wire: Wire, request: pytest.FixtureRequest) -> Wire:
    """The same server, spoken to in the newest version and in the one that official SDKs use."""
    return wire.at(request.param)
