"""Fixtures of the recipes' tests: a fresh app on each database, and a small site on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.fastapi import get_middleware
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

API = "http://api.example.com"

Start = Callable[..., Supertokens]


@pytest.fixture(
    params=[
        pytest.param("sqlite", id="sqlite"),
        pytest.param("memory", id="memory"),
        pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    ]
)
def database(request: pytest.FixtureRequest) -> TestDatabase:
    """Each kind of database in turn."""
    if request.param == "memory":
        return TestDatabase("sqlite-memory", "sqlite://")
    return request.getfixturevalue(f"{request.param}_database")


@pytest.fixture
def start(sqlite_database: TestDatabase, clock: Clock) -> Iterator[Start]:
    """Initialise the SDK with recipes: `start(session.init(), userroles.init(), uri=...)`."""
    Supertokens.reset()

    def started(*recipes: Any, uri: str | None = None, **info: Any) -> Supertokens:
        about = {"app_name": "Tests", "api_domain": API, "website_domain": "http://example.com", **info}
        config = EngineConfig(now_ms=clock, clean_up_interval=0)
        init(
            app_info=InputAppInfo(**about),
            supertokens_config=SupertokensConfig(uri or sqlite_database.uri, engine=config),
            recipe_list=list(recipes),
        )
        return Supertokens.get_instance()

    yield started
    Supertokens.reset()


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application that has only the middleware; for the SDK's own routes."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=API) as opened:
        yield opened
