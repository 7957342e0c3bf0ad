"""Statements on the driver's own cursor: half the cost, with SQLAlchemy's account of errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import UpdateBase
from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Connection, Dialect, Engine, PoolProxiedConnection
    from sqlalchemy.engine.interfaces import DBAPICursor
    from sqlalchemy.sql.compiler import SQLCompiler

#: Under which a connection's `info`, which goes with it, has its cursor.
_CURSOR = "supertokens_py cursor"


@dataclass(frozen=True, slots=True)
class DriverQuery:
    """A statement as the driver takes it: SQLAlchemy writes it once and has no part in running it."""

    text: str
    order: Sequence[str] | None  #: of positional parameters; None where the driver takes names
    constants: Mapping[str, Any]
    returns_rows: bool
    keeps_cursor: bool  #: whether a connection uses one cursor again and again

    @classmethod
    def of(cls, statement: ClauseElement, dialect: Dialect) -> DriverQuery:
        """Compile a statement whose columns need no conversion (text and integers)."""
        compiled = cast("SQLCompiler", statement.compile(dialect=dialect))
        constants = {name: value for name, value in compiled.params.items() if value is not None}
        returns_rows = not isinstance(statement, UpdateBase) or bool(statement.returning_column_descriptions)
        # psycopg's holds nothing on the server, and remembers how to send what it has sent before: making
        # one takes a third of the time of a statement. One of SQLite would keep a lock until it is closed.
        keeps_cursor = dialect.name == "postgresql"
        return cls(str(compiled), compiled.positiontup, constants, returns_rows, keeps_cursor)

    def row(self, connection: PoolProxiedConnection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Run it on the driver's own cursor, and return the first row if there is one.

        Raises:
            Exception: what the driver raises, as it is.
        """
        if self.keeps_cursor:
            cursor = connection.info.get(_CURSOR)
            if cursor is None:
                cursor = connection.info[_CURSOR] = connection.cursor()
            return self._row(cursor, values)
        with closing(connection.cursor()) as cursor:
            return self._row(cursor, values)

    def _row(self, cursor: DBAPICursor, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        named = {**self.constants, **values}
        cursor.execute(self.text, named if self.order is None else [named[name] for name in self.order])
        return cursor.fetchone() if self.returns_rows else None


class DriverQueries:
    """Runs statements of one pool; it is a class because it keeps what it has compiled."""

    def __init__(self, pool: Engine) -> None:
        self._dialect = pool.dialect
        self._compiled: dict[ClauseElement, DriverQuery] = {}
        self.error: type[Exception] = pool.dialect.loaded_dbapi.Error

    def row(
        self,
        lease: Connection | PoolProxiedConnection,
        connection: PoolProxiedConnection,
        statement: ClauseElement,
        values: Mapping[str, Any],
    ) -> tuple[Any, ...] | None:
        """Return the first row; `lease` is what has to know when `connection` is of no use any more.

        Raises:
            DBAPIError: as SQLAlchemy raises it.
        """
        query = self._compiled.get(statement)
        if query is None:
            query = self._compiled[statement] = DriverQuery.of(statement, self._dialect)
        try:
            return query.row(connection, values)
        except self.error as error:
            lost = self._dialect.is_disconnect(cast("Any", error), connection.dbapi_connection, None)
            if lost:
                lease.invalidate(error)
            raise self.wrapped(error, lost=lost) from error
        except BaseException as interruption:
            lease.invalidate(interruption)  # the query may still be under way
            raise

    def wrapped(self, error: Exception, *, lost: bool) -> BaseException:
        """Return SQLAlchemy's error for one of the driver; `lost`: the connection broke."""
        return DBAPIError.instance(None, None, error, self.error, connection_invalidated=lost)
