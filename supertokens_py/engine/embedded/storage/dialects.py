"""Statements that the two databases spell differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ClauseElement, Dialect, Table, UpdateBase, text
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from sqlalchemy import Connection, PoolProxiedConnection
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.sql.dml import Insert

    from .tables import Tables


@dataclass(frozen=True, slots=True)
class DriverQuery:
    """A statement as the driver takes it: SQLAlchemy writes it once and has no part in running it."""

    text: str
    order: Sequence[str] | None  #: of positional parameters; None where the driver takes names
    constants: Mapping[str, Any]
    returns_rows: bool

    @classmethod
    def of(cls, statement: ClauseElement, dialect: Dialect) -> DriverQuery:
        """Compile a statement whose columns need no conversion (text and integers)."""
        compiled = cast("SQLCompiler", statement.compile(dialect=dialect))
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        returns_rows = not isinstance(statement, UpdateBase) or bool(statement.returning_column_descriptions)
        return cls(str(compiled), compiled.positiontup, constants, returns_rows)

    def row(self, connection: PoolProxiedConnection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run it on the driver's own cursor, and return the first row if there is one.

        Raises:
            Exception: what the driver raises, as it is.
        """
        named = {**self.constants, **values}
        with closing(connection.cursor()) as cursor:
            cursor.execute(self.text, named if self.order is None else [named[name] for name in self.order])
            return cursor.fetchone() if self.returns_rows else None


def insert_new(table: Table, *, is_sqlite: bool) -> Insert:
    """Return an INSERT that leaves an existing row alone; its row count tells which it was."""
    statement = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    return statement.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def upsert(table: Table, *, key: tuple[str, ...], value: str, is_sqlite: bool) -> Insert:
    """Return an INSERT that overwrites the column `value` of an existing row."""
    statement: Any = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={value: getattr(statement.excluded, value)}
    )


def lock_key(purpose: str, tables: Tables) -> int:
    """Return the advisory lock number of a purpose within one set of tables."""
    name = f"supertokens_py {purpose} {tables.schema or ''} {tables.prefix}"
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)


def take_lock(connection: Connection, key: int) -> None:
    """Wait for a lock that ends with the transaction; on SQLite every writer already holds the file."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
