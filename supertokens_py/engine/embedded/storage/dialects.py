"""Statements that the two databases spell differently."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Table, text
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection
    from sqlalchemy.sql.dml import Insert
    from sqlalchemy.sql.elements import ColumnElement

    from .tables import Tables

_TAKE_LOCKS = text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key")


def insert_new(table: Table, *, is_sqlite: bool) -> Insert:
    """Return an INSERT that leaves an existing row alone; its row count tells which it was."""
    statement = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    return statement.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def upsert(table: Table, *columns: str, is_sqlite: bool) -> Insert:
    """Return an INSERT that overwrites these columns of a row with the same primary key."""
    statement: Any = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key), set_={name: statement.excluded[name] for name in columns}
    )


def lock_key(purpose: str, tables: Tables) -> int:
    """Return the advisory lock number of a purpose within one set of tables."""
    name = f"supertokens_py {purpose} {tables.schema or ''} {tables.prefix}"
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)


def take_locks(connection: Connection, keys: Iterable[int]) -> None:
    """Wait for locks that end with the transaction; on SQLite every writer already holds the file.

    They are taken in the same order everywhere, so that nobody waits for somebody who waits for them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_TAKE_LOCKS, {"keys": sorted({*keys})})


def without_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column in a form for which no index is used, to sort a few rows by it.

    SQLite, without statistics, would go through the rows of everybody in this order to find a few of them.
    """
    return column + (0 if isinstance(column.type, BigInteger) else "")
