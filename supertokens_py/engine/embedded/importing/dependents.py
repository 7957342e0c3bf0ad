"""The rows that a database deletes along with others, by its foreign keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from .rows import Key, Row, among, by_key, copied_columns, rows_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, ForeignKeyConstraint, Table


def rows_below(
    connection: Connection, tables: Sequence[Table], parent: Table, rows: Mapping[Key, Row]
) -> dict[Table, dict[Key, Row]]:
    """Return the rows of `tables` that go when some rows of `parent` do, without those themselves."""
    found: dict[Table, dict[Key, Row]] = {parent: dict(rows)}
    pending: list[tuple[Table, Mapping[Key, Row]]] = [(parent, rows)]
    while pending:
        table, above = pending.pop()
        for child, reference in _references_to(table, tables):
            known = found.setdefault(child, {})
            there = _referring(connection, child, reference, above)
            new = {key: row for key, row in there.items() if key not in known}
            if new:
                known.update(new)
                pending.append((child, new))
    found[parent] = {key: row for key, row in found[parent].items() if key not in rows}
    return found


def _references_to(table: Table, tables: Sequence[Table]) -> Iterator[tuple[Table, ForeignKeyConstraint]]:
    for child in tables:
        for reference in child.foreign_key_constraints:
            if reference.referred_table is table:
                yield child, reference


def _referring(
    connection: Connection, child: Table, reference: ForeignKeyConstraint, above: Mapping[Key, Row]
) -> dict[Key, Row]:
    names = [element.column.name for element in reference.elements]
    named = list({tuple(row[name] for name in names) for row in above.values()})
    columns = [element.parent for element in reference.elements]
    return by_key(
        child,
        rows_of(connection, select(*copied_columns(child)).where(among(connection.dialect, columns, named))),
    )
