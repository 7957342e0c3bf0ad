"""A PostgreSQL table in ranges of its pages, for work that no index finds the rows of (engine: Clean-up)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Table, TextClause

#: Pages of a range: 8 MB, some 25,000 sessions, so that no statement takes long or locks much.
PAGES = 1024
#: Earlier servers read the whole table for a range.
_READS_RANGES = (14,)

_IS_INDEXED = text("""
    SELECT EXISTS (
        SELECT 1 FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = CAST(:table AS regclass) AND i.indisvalid AND i.indpred IS NULL
          AND a.attname = :column)
""")
# Each partition has pages of its own, which a range is of all at once.
_PAGES = text("""
    SELECT COALESCE((SELECT max(pg_relation_size(relid)) FROM pg_partition_tree(CAST(:table AS regclass))),
            pg_relation_size(CAST(:table AS regclass))) / CAST(current_setting('block_size') AS int)
""")


def is_indexed(connection: Connection, table: Table, column: str) -> bool:
    """Return whether an index of all rows begins with a column; False on SQLite, which nobody asks there."""
    if connection.dialect.name == "sqlite":
        return False
    values = {"table": _name(connection, table), "column": column}
    return bool(connection.execute(_IS_INDEXED, values).scalar_one())


def ranges(connection: Connection, table: Table) -> list[Mapping[str, str]] | None:
    """Return the values of `within` that cover a PostgreSQL table, None for a server that reads no ranges."""
    if (connection.dialect.server_version_info or ()) < _READS_RANGES:
        return None
    return list(_ranges(connection.execute(_PAGES, {"table": _name(connection, table)}).scalar_one()))


def within() -> TextClause:
    """Return the condition that a row lies in a range."""
    return text("ctid >= CAST(:first AS tid) AND ctid < CAST(:after AS tid)")


def _ranges(pages: int) -> Iterator[Mapping[str, str]]:
    for first in range(0, max(pages, 1), PAGES):
        yield {"first": f"({first},0)", "after": f"({first + PAGES},0)"}


def _name(connection: Connection, table: Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)
