"""Which optional features of sessions a database has tables of, for programs that are told of none.

Commands and the CDI server change sessions of applications that they know nothing about: what those record
of their sessions has to be recorded here, too.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.session_records import SessionFeatures

from .storage import errors
from .storage.connections import Connections
from .storage.retries import Progress
from .storage.schema import has_table
from .storage.tables import Tables
from .storage.url import Location, locate

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: The table that a feature is recognised by.
DETAILS_TABLE = "supertokens_py_sessions"
EVENTS_TABLE = "supertokens_py_events"
DELIVERIES_TABLE = "supertokens_py_deliveries"
REVOCATIONS_TABLE = "supertokens_py_revocations"
DEVICE_KEYS_TABLE = "supertokens_py_device_keys"

#: Tables that are made only where a feature is on.
OPTIONAL_TABLES = (DETAILS_TABLE, EVENTS_TABLE, DELIVERIES_TABLE, REVOCATIONS_TABLE, DEVICE_KEYS_TABLE)


def found_features(uri: str, settings: ResolvedEngineConfig) -> SessionFeatures:
    """Return the features that an application has used in a database. Reads only, and creates no file.

    Raises:
        EngineUnavailableError: the database cannot be read.
        ConfigError: the driver is not installed.
    """
    location = locate(uri)
    if not _may_have_tables(location):
        return SessionFeatures()
    schema = None if location.is_sqlite else settings.table_schema
    tables = Tables((), schema=schema, prefix=settings.table_prefix)
    connections = Connections(location, settings)

    def look(connection: Connection) -> SessionFeatures:
        return SessionFeatures(
            details=has_table(connection, tables, DETAILS_TABLE),
            events=(events := has_table(connection, tables, EVENTS_TABLE)),
            revocations=has_table(connection, tables, REVOCATIONS_TABLE),
            # For how long, and whether to keep those of removed users, only the application knows.
            events_retention_days=None if events else 30,
            events_keep_audit=events,
            deliveries=has_table(connection, tables, DELIVERIES_TABLE),
            device_keys=has_table(connection, tables, DEVICE_KEYS_TABLE),
        )

    with closing(connections), errors.translating(location, settings):
        return connections.run(look, "read", Progress())


def _may_have_tables(location: Location) -> bool:
    """Return whether there is anything to look at; asking SQLite for a file that is missing would make it."""
    name = str(location.url.database)
    return location.kind == "postgresql" or name.startswith("file:") or Path(name).exists()
