"""The application under test, once per framework."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supertokens_py import events
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import DRIVERS, LITESTAR, Site


@pytest.fixture(params=[*DRIVERS, LITESTAR])
def bare_site(request: pytest.FixtureRequest, sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """An application of each framework in turn; the test calls `init` itself."""
    site = Site(request.param, sqlite_files.create().uri, clock)
    yield site
    site.close()


@pytest.fixture
def site(bare_site: Site) -> Site:
    """An application of each framework in turn, with the default settings."""
    return bare_site.init()


@pytest.fixture(params=["cookie", "header"])
def mode(request: pytest.FixtureRequest) -> str:
    """Each way that tokens travel."""
    return request.param


@pytest.fixture
def seen() -> Iterator[list[events.Event]]:
    """What was emitted of impersonations."""
    found: list[events.Event] = []
    kinds = (events.ImpersonationStarted, events.ImpersonationEnded)
    stop = events.subscribe(lambda event: found.append(event) if isinstance(event, kinds) else None)
    yield found
    stop()
