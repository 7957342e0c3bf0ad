"""Whether there is a pooler between this process and the server, and what it does."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .storage.postgres import is_servers_own

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


@dataclass(frozen=True, slots=True)
class PoolerFacts:
    """A pooler between this process and the server."""

    lends_by_transaction: bool
    tracks_statements: bool


def find_pooler(engine: Engine, connection: Connection) -> PoolerFacts | None:
    """Look for a pooler; the transaction of `connection` is over afterwards."""
    driver: Any = connection.connection.dbapi_connection
    if is_servers_own(driver):
        connection.rollback()
        return None
    tracks = _tracks_statements(driver)
    connection.rollback()
    return PoolerFacts(lends_by_transaction=_lends(engine, connection), tracks_statements=tracks)


def _tracks_statements(driver: Any) -> bool:
    """Prepare a statement: a pooler that keeps account of them gives it another name on the server."""
    name = f"supertokens_py_{secrets.token_hex(8)}"
    driver.pgconn.prepare(name.encode(), b"SELECT 1")
    query = "SELECT count(*) FROM pg_prepared_statements WHERE name = %s"
    (found,) = driver.execute(query, [name]).fetchone()
    if found:
        driver.execute(f"DEALLOCATE {name}")  # others get this connection after us
    return not found


def _lends(engine: Engine, connection: Connection) -> bool:
    """Return whether a second client gets the process that the first, still connected one has used."""
    query = "SELECT pg_backend_pid()"
    before = connection.exec_driver_sql(query).scalar()
    connection.rollback()
    with engine.connect() as other:
        return bool(other.exec_driver_sql(query).scalar() == before)
