"""What tests do to the units of work of a running engine: count, delay or refuse them.

All of it goes through events of the pool (`Database.pool`), where every unit takes a connection first.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import event

from supertokens_py.engine.embedded.storage.database import Database
from supertokens_py.exceptions import EngineUnavailableError


@contextmanager
def before_each_unit(database: Database, work: Callable[[], object]) -> Iterator[None]:
    """Call `work` when a unit has its connection; what it raises is the unit's error."""

    def taken(*_: object) -> None:
        work()

    event.listen(database.pool, "checkout", taken)
    try:
        yield
    finally:
        event.remove(database.pool, "checkout", taken)


@contextmanager
def before_each_statement(database: Database, words: str, work: Callable[[], object]) -> Iterator[None]:
    """Call `work` when a statement with these words in it is about to be sent, but by the driver's cursor."""

    def sending(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if words in statement:
            work()

    event.listen(database.pool, "before_cursor_execute", sending)
    try:
        yield
    finally:
        event.remove(database.pool, "before_cursor_execute", sending)


@contextmanager
def before_each_commit(database: Database, work: Callable[[], object]) -> Generator[None]:
    """Call `work` when a transaction of several statements has done its last one; it holds its locks."""

    def committing(connection: Any) -> None:
        driver = connection.connection.driver_connection
        is_open = driver.in_transaction if database.location.is_sqlite else driver.info.transaction_status
        if is_open:
            work()

    event.listen(database.pool, "commit", committing)
    try:
        yield
    finally:
        event.remove(database.pool, "commit", committing)


@contextmanager
def after_each_unit(database: Database, work: Callable[[], object]) -> Iterator[None]:
    """Call `work` when a unit gives its connection back."""

    def returned(*_: object) -> None:
        work()

    event.listen(database.pool, "checkin", returned)
    try:
        yield
    finally:
        event.remove(database.pool, "checkin", returned)


@contextmanager
def counted_units(database: Database) -> Iterator[list[int]]:
    """Yield a list that grows by one with each unit."""
    units: list[int] = []
    with before_each_unit(database, lambda: units.append(1)):
        yield units


def refused_units(database: Database, message: str) -> AbstractContextManager[None]:
    """While this is entered, the database is out of reach."""

    def refuse() -> None:
        raise EngineUnavailableError(message)

    return before_each_unit(database, refuse)
