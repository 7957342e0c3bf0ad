"""Two engines on one PostgreSQL database that keeps users."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

_QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1, "keeps_users": True}
#: A deadlock ends a transaction at once, and not after a second.
_OPTIONS = "?options=-cdeadlock_timeout%3D10ms"


@pytest.fixture
def stored(users_postgres_database: TestDatabase) -> TestDatabase:
    return users_postgres_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener) -> Driver:
    """The engine of which a test stops between two statements."""
    return start(stored.uri + _OPTIONS, **_QUICK)


@pytest.fixture
def other(stored: TestDatabase, start: Opener) -> Driver:
    """The engine that does something meanwhile."""
    return start(stored.uri + _OPTIONS, **_QUICK)
