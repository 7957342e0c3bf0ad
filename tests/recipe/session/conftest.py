"""An app on a database of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.recipe import session
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

Start = Callable[..., None]


@pytest.fixture
def start(sqlite_files: Sqlite, clock: Clock) -> Iterator[Start]:
    """Initialise the SDK with arguments of `session.init`."""
    engine = EngineConfig(
        now_ms=clock, clean_up_interval=0, access_token_validity_jitter=0, sqlite_synchronous="NORMAL"
    )
    own = sqlite_files.create().uri

    def started(*, uri: str = own, **settings: Any) -> None:
        Supertokens.reset()
        init(
            InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
            supertokens_config=SupertokensConfig(uri, engine=engine),
            recipe_list=[session.init(**settings)],
        )

    yield started
    Supertokens.reset()


@pytest.fixture(params=["sqlite", "postgresql"])
def stored(request: pytest.FixtureRequest, clock: Clock, sqlite_database: TestDatabase) -> Iterator[Start]:
    """Initialise the SDK on each database."""
    database = sqlite_database
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres_database")
    engine = EngineConfig(now_ms=clock, clean_up_interval=0, access_token_validity_jitter=0)

    def started(**settings: Any) -> None:
        Supertokens.reset()
        init(
            InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
            supertokens_config=SupertokensConfig(database.uri, engine=engine),
            recipe_list=[session.init(**settings)],
        )

    yield started
    Supertokens.reset()
