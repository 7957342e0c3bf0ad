"""The database that an import copies from, whichever core made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, null

from supertokens_py.engine.embedded.schema import other_session_tables
from supertokens_py.engine.embedded.tables import Tables
from supertokens_py.exceptions import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine, Table


class Source:
    """The database to copy from; it is only read, and seen as it was at the first read.

    A core may go on writing to it meanwhile. Without one snapshot for the whole run, a copy could hold a role
    assignment without the role, or miss rows that moved between two batches.
    """

    def __init__(self, engine: Engine, *, name: str, schema: str | None, prefix: str) -> None:
        self.name = name
        self.tables: Tables = Tables(schema=schema, prefix=prefix)
        self._engine = engine
        self._snapshot: Connection | None = None
        inspector = inspect(engine)
        self._columns = {
            table: {column["name"] for column in inspector.get_columns(table, schema=schema)}
            for table in inspector.get_table_names(schema=schema)
        }
        if self.tables.sessions.name not in self._columns:
            others = other_session_tables(self._columns, self.tables)
            hint = f"; there is {', '.join(others)}: set --from-prefix" if others else ""
            raise ConfigError(
                f"{name} holds no sessions of a SuperTokens core: there is no table "
                f"{self.tables.sessions.name}{hint}"
            )

    def has(self, table: Table) -> bool:
        return table.name in self._columns

    def has_named(self, name: str) -> bool:
        return self.tables.prefix + name in self._columns

    def read(self, work: Callable[[Connection], Any]) -> Any:
        """Run statements on the snapshot."""
        if self._snapshot is None:
            self._snapshot = self._open_snapshot()
        return work(self._snapshot)

    def close(self) -> None:
        """Release the snapshot and its connection."""
        if self._snapshot is not None:
            self._snapshot.close()
        self._engine.dispose()

    def selected(self, table: Table) -> list[ColumnElement[Any]]:
        """Return the columns of a table; those that an older core lacks are null."""
        present = self._columns[table.name]
        return [column if column.name in present else null().label(column.name) for column in table.c]

    def _open_snapshot(self) -> Connection:
        connection = self._engine.connect()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # the driver begins a transaction at writes only
            return connection
        return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
