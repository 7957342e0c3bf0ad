"""Whether a pooler stands between us and PostgreSQL, and what it can do."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.embedded.postgres import is_servers_own

from .findings import Finding

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_TOPIC = "pooler"


def check_pooler(engine: Engine, connection: Connection, settings: ResolvedEngineConfig) -> Iterator[Finding]:
    """Look for a pooler; `connection` is in a transaction, which is over afterwards."""
    driver: Any = connection.connection.dbapi_connection
    if is_servers_own(driver):
        connection.rollback()
        return
    tracks = _tracks_statements(driver)
    connection.rollback()
    mode = "transaction mode" if _lends(engine, connection) else "session mode, or with much to do"
    tracked = "tracks prepared statements" if tracks else "does not track prepared statements"
    yield Finding("ok", _TOPIC, f"there is one in between ({mode}); it {tracked}")
    if settings.prepare_threshold:
        yield Finding(
            "note",
            _TOPIC,
            f"prepare_threshold {settings.prepare_threshold} has no effect through it",
            "leave it at 0",
        )


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
    """Tell whether a second client gets the process that the first one used and is still connected to."""
    query = "SELECT pg_backend_pid()"
    before = connection.exec_driver_sql(query).scalar()
    connection.rollback()
    with engine.connect() as other:
        return bool(other.exec_driver_sql(query).scalar() == before)
