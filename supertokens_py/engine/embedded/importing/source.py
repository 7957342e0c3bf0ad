"""The database that an import copies from, whichever core made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, create_engine, func, inspect, null, or_, select
from sqlalchemy.pool import NullPool

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.config import ResolvedEngineConfig, full_prefix
from supertokens_py.engine.embedded.accounts.user_tables import USER_TABLES
from supertokens_py.engine.embedded.all_tables import ALL_TABLES
from supertokens_py.engine.embedded.events.event_log import EVENTS
from supertokens_py.engine.embedded.events.webhook_rows import passed_in
from supertokens_py.engine.embedded.events.webhook_statements import DELIVERIES
from supertokens_py.engine.embedded.inspection import open_sqlite_read_only
from supertokens_py.engine.embedded.keys.key_cipher import MARK, AtRest
from supertokens_py.engine.embedded.keys.key_rows import (
    DYNAMIC_KEYS,
    EARLIER_MASTER_KEY,
    MASTER_KEY,
    STATIC_KEYS,
)
from supertokens_py.engine.embedded.revocation.revocation_rows import REVOCATIONS
from supertokens_py.engine.embedded.session_state.device_rows import BESIDE_SESSIONS
from supertokens_py.engine.embedded.storage.schema import other_session_tables
from supertokens_py.engine.embedded.storage.tables import KEY_VALUE, TableDefinition, Tables, definition_of
from supertokens_py.engine.embedded.storage.url import Location, locate
from supertokens_py.exceptions import ConfigError

from .counters import counter_of
from .found_users import FoundUsers, find_users
from .rows import Query, Row, StoredForm, copied_columns, own_rows, rows_of

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Dialect, Engine, Table


#: The tables that are made where a feature of sessions is on.
OF_FEATURES = (*BESIDE_SESSIONS, EVENTS, DELIVERIES, REVOCATIONS)


class Source:
    """The database to copy from; it is only read, and seen as it was at the first read.

    A core may go on writing to it meanwhile. Without one snapshot for the whole run, a copy could hold a role
    assignment without the role, or miss rows that moved between two batches.
    """

    _form: StoredForm  #: known once the keys are open

    def __init__(self, engine: Engine, *, name: str, schema: str | None, prefix: str) -> None:
        self.name = name
        self.tables: Tables = Tables((*ALL_TABLES, *USER_TABLES, *OF_FEATURES), schema=schema, prefix=prefix)
        self._engine = engine
        inspector = inspect(engine)
        self._columns = {
            table: {column["name"] for column in inspector.get_columns(table, schema=schema)}
            for table in inspector.get_table_names(schema=schema)
        }
        if self.tables.main_name not in self._columns:
            others = other_session_tables(self._columns, self.tables)
            hint = f"; there is {', '.join(others)}: set --from-prefix" if others else ""
            raise ConfigError(
                f"{name} holds no sessions of a SuperTokens core: there is no table "
                f"{self.tables.main_name}{hint}"
            )
        self._snapshot = self._open_snapshot()

    def has(self, name: str) -> bool:
        """Return whether there is a table, by its official name."""
        return self.tables.prefix + name in self._columns

    @property
    def dialect(self) -> Dialect:
        """Which SQL the database speaks."""
        return self._engine.dialect

    def rows(self, query: Query) -> Sequence[Row]:
        """Return the rows of a query on the snapshot."""
        return rows_of(self._snapshot, query)

    def count(self, table: Table, *conditions: ColumnElement[bool]) -> int:
        """Return how many rows of the snapshot meet the conditions."""
        query = select(func.count()).select_from(table).where(*conditions)
        return self._snapshot.scalar(query) or 0

    def counter(self, table: Table) -> int:
        """Return the last number that a table gave to a row, as far as the role may know.

        Webhooks know of events that may be gone: new ones with such numbers would never be sent.
        """
        number = counter_of(self._snapshot, table)
        if definition_of(table) is not EVENTS:
            return number
        return max(number, passed_in(self._snapshot, self.tables[KEY_VALUE]))

    def columns(self, table: Table) -> list[ColumnElement[Any]]:
        """Return the columns of a table; those that an older core lacks are null."""
        present = self._columns[table.name]
        return [
            column if column.name in present else null().label(column.name)
            for column in copied_columns(table)
        ]

    @cached_property
    def users(self) -> FoundUsers:
        """Its users, and whether they can be copied."""
        return find_users(self._snapshot, self.tables, self._columns)

    def master_keys(self) -> Mapping[str, str]:
        """Return the keys of refresh tokens, in clear, by the name of their row: current and earlier ones."""
        is_earlier = self.tables[KEY_VALUE].c.name.startswith(EARLIER_MASTER_KEY, autoescape=True)
        stored = self._values(or_(self.tables[KEY_VALUE].c.name == MASTER_KEY, is_earlier))
        return {name: self._form.plain_value(text, label=name) for name, text in stored.items()}

    def plain(self, name: str, row: Row) -> Row:
        """Return a row of a table with its key in clear, whichever way it is stored."""
        return self._form.plain(name, row)

    def open_keys(self, settings: ResolvedEngineConfig) -> None:
        """Be ready to return keys in clear: with the secrets of the destination, which encrypts them anew.

        Every key is tried at once, so that none turns out to be unreadable when others were copied already.

        Raises:
            ConfigError: a key cannot be decrypted, or is plain where the others are not; names the setting.
        """
        if settings.encryption_key is None:  # the copy would be plain, so no secret may open what is not
            settings = replace(settings, previous_encryption_key=None)
        try:
            mark = self._values(self.tables[KEY_VALUE].c.name == MARK).get(MARK)
            self._form = StoredForm(AtRest(settings, mark))
            self.master_keys()
            for definition in (DYNAMIC_KEYS, STATIC_KEYS):
                self._try_keys(definition)
        except ConfigError as error:
            raise ConfigError(f"cannot copy from {self.name}: {error}") from error

    def _try_keys(self, definition: TableDefinition) -> None:
        if self.has(definition.name):
            table = self.tables[definition]
            for row in self.rows(select(*self.columns(table)).where(own_rows(table))):
                self.plain(definition.name, row)

    def _values(self, condition: ColumnElement[bool]) -> Mapping[str, str]:
        """Return named values by their name."""
        values = self.tables[KEY_VALUE]
        query = select(values.c.name, values.c.value).where(
            values.c.app_id == DEFAULT_APP_ID,
            values.c.tenant_id == DEFAULT_TENANT_ID,
            condition,
            values.c.value.is_not(None),
        )
        return {row["name"]: row["value"] for row in self.rows(query)}

    def close(self) -> None:
        """Release the snapshot and its connection."""
        self._snapshot.close()
        self._engine.dispose()

    def _open_snapshot(self) -> Connection:
        connection = self._engine.connect()
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # the driver begins a transaction at writes only
            return connection
        return connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def open_source(uri: str, *, schema: str | None, prefix: str) -> Source:
    """Return the database at `uri`, opened for reading only; schema and prefix are those of its tables.

    Raises:
        ConfigError: it cannot be a source: in memory, without sessions, or the driver is not installed.
    """
    location = locate(uri)
    if location.kind == "sqlite-memory":
        raise ConfigError("--from needs a database that another process can open")
    return Source(
        _engine(location),
        name=location.name,
        schema=schema.lower() if schema else None,
        prefix=full_prefix(prefix) if prefix else "",
    )


def _engine(location: Location) -> Engine:
    if location.is_sqlite:
        return open_sqlite_read_only(location)
    # Startup options and prepared statements would not pass every connection pooler.
    arguments = {"prepare_threshold": None}
    return create_engine(location.url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
