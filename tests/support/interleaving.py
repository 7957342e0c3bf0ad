"""Two engines on one database, of which one does something right when the other is between two statements."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal

import psycopg
from sqlalchemy import event

from supertokens_py.engine.embedded.storage.database import Database
from tests.support.databases import TestDatabase

_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@contextmanager
def meanwhile(
    database: Database,
    words: str,
    work: Callable[[], Any],
    *,
    stored: TestDatabase,
    when: Literal["before", "after"] = "after",
) -> Generator[Future[Any]]:
    """Do `work` at the first statement with these words in it; where it waits for a lock, both go on.

    Yields the work's future, which is done at the end. It fails if there was no such statement.
    """
    done: Future[Any] = Future()
    with ThreadPoolExecutor(1) as others:
        started: list[Future[Any]] = []

        def sent(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if words in statement and not started:
                started.append(others.submit(work))
                await_waiting(stored, started[0])

        event.listen(database.pool, f"{when}_cursor_execute", sent)
        try:
            yield done
        finally:
            event.remove(database.pool, f"{when}_cursor_execute", sent)
        assert started, f"no statement with {words!r}"
        done.set_result(started[0].result(30))


def await_waiting(stored: TestDatabase, work: Future[Any], *, count: int = 1) -> None:
    """Wait until as many wait for locks of the database, or a work is done; on SQLite nothing shows it."""
    if stored.kind != "postgresql":
        return
    with psycopg.connect(stored.uri, autocommit=True) as connection:
        for _ in range(100_000):
            (waiting,) = connection.execute(_WAITING).fetchone() or (0,)
            if work.done() or waiting >= count:
                return
    raise AssertionError("neither waits nor is done")
