"""How much a database does for a piece of work, in units of its own that no load of the machine changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from supertokens_py.engine.embedded.storage.database import Database

from .databases import TestDatabase


def effort(database: Database, of: TestDatabase, work: Callable[[], object]) -> int:
    """Return the instructions that SQLite ran for `work`, or the rows that PostgreSQL looked at."""
    return _steps(database, work) if of.kind == "sqlite-file" else _rows(database, of, work)


def _steps(database: Database, work: Callable[[], object]) -> int:
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    def taken(connection: Any, *_: object) -> None:
        connection.set_progress_handler(step, 1)

    event.listen(database.pool, "checkout", taken)
    try:
        work()
    finally:
        event.remove(database.pool, "checkout", taken)
        database.read(lambda c: c.connection.driver_connection.set_progress_handler(None, 0))  # type: ignore[union-attr]
    return steps


def _rows(database: Database, of: TestDatabase, work: Callable[[], object]) -> int:
    """Before each statement of `work`, have it explained on another connection, and undo that."""
    looked_at = 0

    def sending(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        nonlocal looked_at
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            looked_at += _explained(of, statement, parameters)

    event.listen(database.pool, "before_cursor_execute", sending)
    try:
        work()
    finally:
        event.remove(database.pool, "before_cursor_execute", sending)
    return looked_at


def _explained(of: TestDatabase, statement: str, parameters: Any) -> int:
    import psycopg

    with psycopg.connect(of.uri) as connection:
        query = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        found = connection.execute(query, parameters).fetchone()  # type: ignore[arg-type]
        connection.rollback()
    assert found is not None
    return _of_plan(found[0][0]["Plan"])


def _of_plan(plan: dict[str, Any]) -> int:
    removed = sum(value for name, value in plan.items() if name.startswith("Rows Removed"))
    below = sum(map(_of_plan, plan.get("Plans", ())))
    return int((plan["Actual Rows"] + removed) * plan["Actual Loops"]) + below
