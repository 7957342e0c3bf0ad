"""Fixtures of the tests here and in `tests/regressions`: an app that starts fresh, and sites on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.recipe import session
from tests.seeds.sites import API, Route, Site, opened
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

WEBSITE = "http://example.com"

Start = Callable[..., Supertokens]
Open = Callable[..., Site]


@pytest.fixture
def start(sqlite_database: TestDatabase, clock: Clock) -> Iterator[Start]:
    """Initialise the SDK: `start(*other_recipes, uri=..., info={...}, engine={...}, **session_settings)`."""
    Supertokens.reset()

    def started(
        *others: Any,
        uri: str | None = None,
        info: dict[str, Any] | None = None,
        engine: dict[str, Any] | None = None,
        **settings: Any,
    ) -> Supertokens:
        Supertokens.reset()
        about = {"app_name": "Tests", "api_domain": API, "website_domain": WEBSITE, **(info or {})}
        config = EngineConfig(**{"now_ms": clock, "clean_up_interval": 0, **(engine or {})})
        init(
            app_info=InputAppInfo(**about),
            supertokens_config=SupertokensConfig(uri or sqlite_database.uri, engine=config),
            recipe_list=[session.init(**settings), *others],
        )
        return Supertokens.get_instance()

    yield started
    Supertokens.reset()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def any_database(request: pytest.FixtureRequest) -> TestDatabase:
    """A database of each kind that outlives a process."""
    return request.getfixturevalue(f"{request.param}_database")


@pytest.fixture
def open_site() -> Iterator[Open]:
    """Open applications that are gone after the test: `open_site("flask", [Route(...)])`."""
    with ExitStack() as stack:

        def opened_until_end(kind: str, routes: list[Route]) -> Site:
            return stack.enter_context(opened(kind, routes))

        yield opened_until_end
