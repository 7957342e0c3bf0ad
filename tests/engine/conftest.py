"""The contract suite: most tests here run on every database that the engine supports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from supertokens_py.engine.embedded.signin.argon2_hashes import by_argon2_cffi, by_openssl
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

Opener = Callable[..., Driver]

SQLITE = pytest.param("sqlite-file", id="sqlite")
MEMORY = pytest.param("sqlite-memory", id="memory")
POSTGRES = pytest.param("postgresql", id="postgres", marks=pytest.mark.postgres)

#: For tests where SQLite in memory might differ from a file; to it, the others would only repeat the file.
EVERY_KIND = pytest.mark.parametrize("database", [SQLITE, MEMORY, POSTGRES], indirect=True)

#: What computes Argon2: the one that an application has without the extra `[argon2]`, and the one of it.
EACH_ARGON2 = pytest.mark.parametrize("compute", [by_openssl, by_argon2_cffi])


@pytest.fixture(params=[SQLITE, POSTGRES])
def database(request: pytest.FixtureRequest) -> TestDatabase:
    """A database that already holds its keys, a file and a server in turn (in memory: an empty one)."""
    if request.param == "sqlite-memory":
        return TestDatabase("sqlite-memory", "sqlite://")
    name = "sqlite_database" if request.param == "sqlite-file" else "postgres_database"
    return request.getfixturevalue(name)


@pytest.fixture(params=[SQLITE, POSTGRES])
def shared_database(request: pytest.FixtureRequest) -> TestDatabase:
    """A database that several engines and processes can open."""
    name = "sqlite_database" if request.param == "sqlite-file" else "postgres_database"
    return request.getfixturevalue(name)


@pytest.fixture(params=[SQLITE, POSTGRES])
def fresh_shared(request: pytest.FixtureRequest) -> TestDatabase:
    """Like `shared_database`, but the test may do to it whatever it likes."""
    name = "sqlite_database" if request.param == "sqlite-file" else "fresh_postgres_database"
    return request.getfixturevalue(name)


@pytest.fixture(params=[SQLITE, POSTGRES])
def users_database(request: pytest.FixtureRequest, sqlite_files: Sqlite) -> TestDatabase:
    """Like `fresh_shared`, with the tables of users that sign in, and nobody in them."""
    if request.param == "sqlite-file":
        return sqlite_files.create(users=True)
    return request.getfixturevalue("users_postgres_database")


@pytest.fixture(params=[SQLITE, MEMORY, POSTGRES])
def any_users_database(request: pytest.FixtureRequest, sqlite_files: Sqlite) -> TestDatabase:
    """The same, and one in memory, which is empty."""
    if request.param == "sqlite-memory":
        return TestDatabase("sqlite-memory", "sqlite://")
    if request.param == "sqlite-file":
        return sqlite_files.create(users=True)
    return request.getfixturevalue("users_postgres_database")


@pytest.fixture(params=[SQLITE, POSTGRES])
def empty_database(request: pytest.FixtureRequest, sqlite_files: Sqlite) -> TestDatabase:
    """A database as before the first start."""
    if request.param == "sqlite-file":
        return sqlite_files.create(template=False)
    return request.getfixturevalue("empty_postgres_database")


@pytest.fixture
def start() -> Iterator[Opener]:
    """Open engines that are closed at the end of the test: `start(uri, **settings)`."""
    drivers: list[Driver] = []

    def opened(uri: str, **settings: Any) -> Driver:
        drivers.append(Driver(uri, **settings))
        return drivers[-1]

    yield opened
    for driver in drivers:
        driver.close()


@pytest.fixture
def core(database: TestDatabase, start: Opener, clock: Clock, sqlite_files: Sqlite) -> Driver:
    """An engine on each kind of database, with a clock that the test moves."""
    driver = start(database.uri, now_ms=clock)
    if database.kind == "sqlite-memory":
        driver.seed(sqlite_files.keys())
    return driver
