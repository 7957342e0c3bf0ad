"""The counters of tables that number their rows: a number is never given twice, even after its row went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_OF_POSTGRES = text(
    "SELECT last_value FROM pg_sequences "
    "WHERE quote_ident(schemaname) || '.' || quote_ident(sequencename) = pg_get_serial_sequence(:name, 'seq')"
)
_SET_POSTGRES = text("SELECT setval(pg_get_serial_sequence(:name, 'seq'), :number)")
_OF_SQLITE = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_FORGET_SQLITE = text("DELETE FROM sqlite_sequence WHERE name = :name")
_SET_SQLITE = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :number)")


def counter_of(connection: Connection, table: Table) -> int:
    """Return the last number that a table gave; 0: none yet, or the role may not read the counter."""
    is_sqlite, name = _named(connection, table)
    return connection.scalar(_OF_SQLITE if is_sqlite else _OF_POSTGRES, {"name": name}) or 0


def raise_counter(connection: Connection, table: Table, number: int) -> None:
    """Have a table go on behind a number and its rows, unless it is further."""
    number = max(number, connection.scalar(select(func.max(table.c.seq))) or 0)
    if counter_of(connection, table) >= number:
        return
    is_sqlite, name = _named(connection, table)
    for statement in (_FORGET_SQLITE, _SET_SQLITE) if is_sqlite else (_SET_POSTGRES,):
        connection.execute(statement, {"name": name, "number": number})


def _named(connection: Connection, table: Table) -> tuple[bool, str]:
    """Return whether a table is in SQLite, and its name as its counter is found by."""
    if connection.dialect.name == "sqlite":
        return True, table.name
    return False, connection.dialect.identifier_preparer.format_table(table)
