"""Fixtures that every part of the tests may use: databases and the clock."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

from tests.support.clock import Clock
from tests.support.pairs import left_out
from tests.support.programs import missing
from tests.support.quick import is_left_out, mark_quick

if TYPE_CHECKING:
    from tests.support.databases import Postgres, Sqlite, TestDatabase
    from tests.support.temporary_postgres import Server

# A line per refused request buries the assertion of a test that fails among hundreds of them.
logging.getLogger("django.request").setLevel(logging.ERROR)
# A machine that stands still for a moment is no fault of an example.
hypothesis.settings.register_profile(
    "tests",
    hypothesis.settings.default,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")
# Nothing that is found is garbage: looking for it took a fifth of the time that finding the tests takes.
gc.disable()


_SQLITE: pytest.StashKey[Sqlite] = pytest.StashKey()
_OF_THE_SCRIPTS = {"SUPERTOKENS_SKIP_INSTALL", "SUPERTOKENS_TEST_CHROMIUM", "SUPERTOKENS_TEST_PG_BIN"}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Have `--dist loadgroup` go by our groups."""
    from tests.support.groups import GroupScheduling

    return GroupScheduling(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare `-m quick` the modules that it leaves out."""
    quick = config.option.markexpr == "quick" and is_left_out(collection_path, config.rootpath)
    return True if quick else None


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what `pairwise` does, and choose the tests of `-m quick`."""
    without = left_out(items)
    config.hook.pytest_deselected(items=without)
    items[:] = [item for item in items if item not in without]
    mark_quick(items)


def pytest_collection_finish() -> None:
    """Spare every collection of garbage the ten thousand tests that were found: they took it 0.3 s."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Fail the test that leaves a setting in the environment, which some later test would meet.

    An application that a module leaves is dropped: `init` of the next one would be ignored. So are its
    databases, of which a whole run has 2.4 GB.
    """
    yield
    if nextitem is None or nextitem.path != item.path:  # fixtures of the module have ended
        _drop_the_application()
        if _SQLITE in item.session.stash:
            item.session.stash[_SQLITE].remove()
    logging.getLogger().setLevel(logging.WARNING)  # Litestar lowers it when an application is made
    left = [name for name in os.environ if name.startswith("SUPERTOKENS_") and name not in _OF_THE_SCRIPTS]
    for name in left:
        del os.environ[name]
    assert not left


def _drop_the_application() -> None:
    loaded = sys.modules.get("supertokens_py.app")
    if loaded is not None:
        loaded.Supertokens.reset()


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """Share what the engines and applications of all tests have in common."""
    from tests.support.once import make_once

    with pytest.MonkeyPatch.context() as patch:
        make_once(patch)
        yield


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still until the test moves it, and that PostgreSQL goes by as well."""
    monkeypatch.setattr("supertokens_py.engine.embedded.storage.server_clock.server_now_ms", lambda _: None)
    return Clock()


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Leave out what finalizers log: it is about what some earlier test left, whenever they run."""

    def is_about_this_test(record: logging.LogRecord) -> bool:
        return not f"{record.name}.".startswith(("asyncio.", "sqlalchemy.pool."))

    caplog.handler.addFilter(is_about_this_test)
    yield caplog
    caplog.handler.removeFilter(is_about_this_test)


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Collect no garbage while a test has Python read until its recursion limit.

    Finalizers of what other tests left, run at that depth, fail for want of a frame, and this test is blamed.
    """
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One real PostgreSQL server for the whole run; a machine without one skips, a CI run fails."""
    from tests.support.databases import Postgres
    from tests.support.memory import in_memory
    from tests.support.temporary_postgres import MissingServerError, find_binaries, postgres

    try:
        find_binaries()
    except MissingServerError as error:
        missing(str(error))
    with in_memory("postgres") as directory, postgres(memory=directory, max_wal_size="128MB") as server:
        yield Postgres(server)


@pytest.fixture(scope="session")
def sqlite_files(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sqlite]:
    """SQLite databases in one temporary directory, until the module ends whose tests create them."""
    from tests.support.databases import Sqlite
    from tests.support.memory import in_memory

    with in_memory("sqlite") as directory:
        files = Sqlite(directory or tmp_path_factory.mktemp("sqlite"))
        request.session.stash[_SQLITE] = files
        yield files


@pytest.fixture
def postgres_database(postgres_server: Postgres) -> Iterator[TestDatabase]:
    """A PostgreSQL database of this test, with tables and keys in it."""
    database = postgres_server.take()
    yield database
    postgres_server.give_back(database)


@pytest.fixture
def empty_postgres_database(postgres_server: Postgres) -> Iterator[TestDatabase]:
    """A PostgreSQL database of this test, with nothing in it."""
    database = postgres_server.create(template=False)
    yield database
    postgres_server.drop(database)


@pytest.fixture
def fresh_postgres_database(postgres_server: Postgres) -> Iterator[TestDatabase]:
    """Like `postgres_database`, but the test may do to it whatever it likes."""
    database = postgres_server.take()
    yield database
    postgres_server.restore(database)


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that the test may stop and start."""
    from tests.support.temporary_postgres import MissingServerError, postgres

    try:
        with postgres() as server:
            yield server
    except MissingServerError as error:
        missing(str(error))


@pytest.fixture
def users_postgres_database(postgres_server: Postgres) -> Iterator[TestDatabase]:
    """Like `fresh_postgres_database`, with the tables of users that sign in, and nobody in them."""
    database = postgres_server.take(users=True)
    yield database
    postgres_server.restore(database)


@pytest.fixture
def sqlite_database(sqlite_files: Sqlite) -> TestDatabase:
    """A SQLite file of this test, with tables and keys in it."""
    return sqlite_files.create()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def fresh_database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URI of a database that no server has ever seen."""
    if request.param == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('tmp_path')}/sessions.db"
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    database = server.create(template=False)
    yield database.uri
    server.drop(database)
