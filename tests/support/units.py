"""What tests do to the units of work of a running engine: count, delay or refuse them.

All of it goes through events of the pool (`Database.pool`), where every unit takes a connection first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import event

from supertokens_py.engine.embedded.storage.database import Database


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
