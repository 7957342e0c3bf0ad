"""Foreign keys of tables that a core does not know: it may drop them, and they are put back.

A migration of an official core that replaces a primary key with DROP CONSTRAINT … CASCADE takes every foreign
key along that names it, without a word.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import Table, and_, delete, not_, select, text
from sqlalchemy.exc import DBAPIError

from .tables import Tables, definition_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FOREIGN_KEYS = """
    SELECT own.relname, parent.relname FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class own ON own.oid = k.conrelid
    JOIN pg_catalog.pg_class parent ON parent.oid = k.confrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = own.relnamespace
    WHERE k.contype = 'f' AND n.nspname = COALESCE(CAST(:schema AS text), current_schema())
"""

log: logging.Logger = logging.getLogger(__name__)


def lost(connection: Connection, tables: Tables) -> list[Table]:
    """Return the tables that are there without the foreign key to their parent. Reads only.

    SQLite cannot drop one.
    """
    own = [table for table in tables.all() if definition_of(table).beside_a_core]
    if not own or connection.dialect.name != "postgresql":
        return []
    found = {(row[0], row[1]) for row in connection.execute(text(_FOREIGN_KEYS), {"schema": tables.schema})}
    return [table for table in own if (table.name, _parent(tables, table).name) not in found]


def restore(connection: Connection, tables: Tables) -> None:
    """Delete the rows whose parent is gone, and put the foreign keys back.

    Nothing but the clean-up depends on them: where that fails, it is logged and the application goes on.
    """
    for table in lost(connection, tables):
        try:
            with connection.begin_nested():
                _restore(connection, table, _parent(tables, table))
            log.warning("the foreign key of table %s was gone, and is there again", table.name)
        except DBAPIError as error:
            log.warning("the foreign key of table %s is gone and cannot be put back: %s", table.name, error)


def _restore(connection: Connection, table: Table, parent: Table) -> None:
    names = connection.dialect.identifier_preparer
    both = f"{names.format_table(parent)}, {names.format_table(table)}"
    # Or another process could delete a parent in between.
    connection.execute(text(f"LOCK TABLE {both} IN SHARE ROW EXCLUSIVE MODE"))
    of_row = and_(*(parent.c[name] == table.c[name] for name in definition_of(parent).key))
    has_parent = select(parent).where(of_row).correlate(table).exists()
    connection.execute(delete(table).where(not_(has_parent)))
    key = next(one for one in table.foreign_key_constraints if one.referred_table is parent)
    columns = ", ".join(definition_of(parent).key)
    # Said outright: SQLAlchemy's own statement would leave the key out of every table that is made later.
    connection.execute(
        text(
            f"ALTER TABLE {names.format_table(table)} ADD CONSTRAINT {names.quote(str(key.name))} "
            f"FOREIGN KEY ({columns}) REFERENCES {names.format_table(parent)} ({columns}) ON DELETE CASCADE"
        )
    )


def _parent(tables: Tables, table: Table) -> Table:
    parent = definition_of(table).parent
    assert parent is not None  # noqa: S101 - of every table that is `beside_a_core`
    return tables[parent]
