"""Databases for real servers, and which tests belong on one xdist worker."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.databases import Postgres

HERE = Path(__file__).parent


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one server on one worker, or each worker would start a server of its own."""
    for item in items:
        if HERE in item.path.parents:
            params = getattr(item, "callspec", None)
            kind = params.params.get("kind") or params.params.get("server") if params else None
            name = getattr(kind, "name", "one")
            database = params.params.get("database", "") if params else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.path.stem}-{name}-{database}"))
