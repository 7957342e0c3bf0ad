"""How a database gets the tables, and what it lacks of them.

There is no version number to go wrong: the shape of the database itself tells what is missing, so
an empty database, an older one of ours and one that an official core made are all brought up to
date the same way. Only additions are ever made, in one transaction, by one process at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from sqlalchemy import Table, text
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateSchema, CreateTable

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.exceptions import ConfigError

from . import parent_keys
from .tables import APPS, MAIN_TABLE, TENANTS, Tables, definition_of, indexes_on, needed_columns

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

#: Tables of an official core that are read, if present, to find a user's primary and external id.
USER_TABLES = ("app_id_to_user_id", "userid_mapping")

#: Tables that every official core makes, whatever it is used for, and that are never made here. (Those of
#: users are: they do not tell.)
CORE_TABLES = ("dashboard_users", "dashboard_user_sessions")

_POSTGRES_COLUMNS = """
    SELECT c.relname, a.attname FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = COALESCE(CAST(:schema AS text), current_schema())
      AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
_SQLITE_COLUMNS = """
    SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
    WHERE m.type = 'table' AND :schema IS NULL
"""


def missing(connection: Connection, tables: Tables, with_those: Callable[[Container[str]], Tables]) -> bool:
    """Return whether a database lacks anything that `bring_up_to_date` would add. Reads only.

    `with_those` is given the names of what is there, and returns the tables to look for.
    """
    present = _columns(connection, tables)
    tables = with_those(present)
    for table in tables.all():
        if not needed_columns(table) <= present.get(table.name, set()):
            return True
    tenants = tables[TENANTS]
    query = tenants.select().where(
        tenants.c.app_id == DEFAULT_APP_ID, tenants.c.tenant_id == DEFAULT_TENANT_ID
    )
    return connection.execute(query).first() is None


def keeps_sessions_alone(connection: Connection, tables: Tables) -> bool:
    """Return whether a database has sessions, and the table of users that is looked for is not there."""
    present = _columns(connection, tables)
    has_sessions = tables.prefix + MAIN_TABLE in present
    users = tables.prefix + USER_TABLES[0]
    return has_sessions and users not in present and any(table.name == users for table in tables.all())


def tables_of_a_core(connection: Connection, tables: Tables) -> tuple[bool, bool]:
    """Return whether an official core keeps users here, whose ids may be linked or mapped, and whether it has
    made any table here."""
    present = _columns(connection, tables)
    keeps_users = all(tables.prefix + name in present for name in USER_TABLES)
    return keeps_users, bool(core_tables(present, tables))


def has_table(connection: Connection, tables: Tables, name: str) -> bool:
    """Return whether a table that is not ours is there, by its name in the official layout."""
    return tables.prefix + name in _columns(connection, tables)


def lacks(
    connection: Connection, tables: Tables, wanted: Iterable[Table], *, also_optional: bool = False
) -> bool:
    """Return whether one of some tables, or a column of it, is missing; nothing makes them.

    Args:
        also_optional: count columns, too, that may be missing.
    """
    present = _columns(connection, tables)
    needed = {one.name: set(one.c.keys()) if also_optional else needed_columns(one) for one in wanted}
    return any(not columns <= present.get(name, set()) for name, columns in needed.items())


def core_tables(names: Container[str], tables: Tables) -> list[str]:
    """Return which tables are there that only an official core makes."""
    return [tables.prefix + name for name in CORE_TABLES if tables.prefix + name in names]


def bring_up_to_date(connection: Connection, tables: Tables, *, now_ms: int) -> None:
    """Add what is missing; the caller holds the lock that keeps other processes out.

    Raises:
        ConfigError: an existing table is of a layout too old to adopt.
    """
    present = _columns(connection, tables)
    if (other := _other_prefix(present, tables)) is not None:
        raise ConfigError(
            f"this database has no table {tables.main_name!r}, but {other + MAIN_TABLE!r}: to use "
            f"those sessions, set EngineConfig(table_prefix={other!r}) or SUPERTOKENS_TABLE_PREFIX={other}"
        )
    if not present and tables.schema is not None and connection.dialect.name == "postgresql":
        _create_schema(connection, tables.schema)
    for table in tables.all():
        columns = present.get(table.name)
        if columns is None:
            table.create(connection, checkfirst=False)
        else:
            _add_columns(connection, table, columns)
    parent_keys.restore(connection, tables)
    _add_public_tenant(connection, tables, now_ms)


def other_session_tables(names: Iterable[str], tables: Tables) -> list[str]:
    """Return the tables that hold sessions under another prefix, ordered."""
    return sorted(name for name in names if name.endswith(MAIN_TABLE) and name != tables.main_name)


def _other_prefix(present: Mapping[str, set[str]], tables: Tables) -> str | None:
    """Return the prefix that was meant: an official core puts "_" after the text of its setting."""
    if tables.main_name in present:
        return None
    meant = f"{tables.prefix}_".lower()
    found = (name for name in other_session_tables(present, tables) if name.lower() == meant + MAIN_TABLE)
    return next((name.removesuffix(MAIN_TABLE) for name in found), None)


def _create_schema(connection: Connection, schema: str) -> None:
    # CREATE SCHEMA needs a right on the whole database, even where the schema exists (IF NOT EXISTS).
    query = text("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = :schema")
    if connection.execute(query, {"schema": schema}).first() is None:
        connection.execute(CreateSchema(schema, if_not_exists=True))


def statements(tables: Tables, url: URL, *, now_ms: int) -> Iterator[str]:
    """Yield the SQL that makes an empty database ready, for whoever may create tables there.

    `url` only says which kind of database it is for: nothing is connected to.
    """
    dialect = url.get_dialect()()
    if tables.schema is not None:
        yield str(CreateSchema(tables.schema, if_not_exists=True).compile(dialect=dialect))
    for table in tables.all():
        yield str(CreateTable(table).compile(dialect=dialect)).strip()
        for index in indexes_on(table, dialect.name):
            yield str(CreateIndex(index).compile(dialect=dialect))
    for table, row in _public_tenant(tables):
        insert = table.insert().values(**row, created_at_time=now_ms)
        yield str(insert.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _add_columns(connection: Connection, table: Table, present: set[str]) -> None:
    needed = needed_columns(table)
    absent = [column for column in table.c if column.name in needed - present]
    addable = definition_of(table).added_later
    foreign = [column.name for column in absent if column.name not in addable]
    if foreign:
        raise ConfigError(
            f"table {table.name!r} in this database has no column {foreign[0]!r}: it belongs to "
            "something else or was made by a SuperTokens core older than 9. "
            "Give sessions a schema of their own (EngineConfig(table_schema=...), SUPERTOKENS_TABLE_SCHEMA) "
            "or a prefix (table_prefix, SUPERTOKENS_TABLE_PREFIX), or upgrade the core first."
        )
    for column in absent:
        definition = CreateColumn(column).compile(dialect=connection.dialect)
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.execute(text(f"ALTER TABLE {name} ADD COLUMN {definition}"))


def _add_public_tenant(connection: Connection, tables: Tables, now_ms: int) -> None:
    for table, row in _public_tenant(tables):
        query = table.select().where(*(table.c[name] == value for name, value in row.items()))
        if connection.execute(query).first() is None:
            connection.execute(table.insert().values(**row, created_at_time=now_ms))


def _public_tenant(tables: Tables) -> tuple[tuple[Table, dict[str, str]], ...]:
    app = {"app_id": DEFAULT_APP_ID}
    return (tables[APPS], app), (tables[TENANTS], {**app, "tenant_id": DEFAULT_TENANT_ID})


def _columns(connection: Connection, tables: Tables) -> dict[str, set[str]]:
    query = _SQLITE_COLUMNS if connection.dialect.name == "sqlite" else _POSTGRES_COLUMNS
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(text(query), {"schema": tables.schema}):
        found.setdefault(table, set()).add(column)
    return found
