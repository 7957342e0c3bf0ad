"""Statements on the driver's own cursor: half the cost, with SQLAlchemy's account of errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import DBAPIError

from .dialects import DriverQuery

if TYPE_CHECKING:
    from sqlalchemy import ClauseElement, Connection, Engine, PoolProxiedConnection


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
