"""Databases for real servers."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.servers.plugin import pytest_runtest_makereport

if TYPE_CHECKING:
    from tests.support.databases import Postgres

__all__ = ["pytest_runtest_makereport"]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URI of an SQLite file of this module's own."""
    return f"sqlite:///{tmp_path_factory.mktemp('server')}/{uuid.uuid4().hex}.db"


@pytest.fixture(scope="module")
def postgres(postgres_server: Postgres) -> Iterator[str]:
    """Return the URI of an empty PostgreSQL database of this module's own."""
    database = postgres_server.create(template=False)
    yield database.uri
    postgres_server.drop(database)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> str:
    """Return the URI of an empty database of either sort."""
    return request.getfixturevalue(request.param)
