"""Every statement that an engine sends, in order, whichever way it is run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sqlalchemy import event

from supertokens_py.engine.embedded.storage.database import Database
from supertokens_py.engine.embedded.storage.driver_queries import DriverQuery


@contextmanager
def logged_statements(database: Database) -> Iterator[list[str]]:
    """Yield a list that grows by the text of each statement, on one line; parameters are not in it."""
    log: list[str] = []
    run = DriverQuery.row

    def note(text: str) -> None:
        log.append(" ".join(text.split()))

    def row(query: DriverQuery, *arguments: Any) -> Any:
        note(query.text)
        return run(query, *arguments)

    def sending(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        note(statement)

    event.listen(database.pool, "before_cursor_execute", sending)
    try:
        with mock.patch.object(DriverQuery, "row", row):
            yield log
    finally:
        event.remove(database.pool, "before_cursor_execute", sending)
