"""Facts about a database, read without changing anything: what a check before the first start needs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection, column, create_engine, func, inspect, or_, select, table, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import ConfigError, SuperTokensError

from .accounts.user_layout import UserLayout
from .accounts.user_tables import USER_TABLES, USERS
from .all_tables import ALL_TABLES
from .events.event_log import EVENTS
from .events.webhook_rows import Undelivered, undelivered_in
from .events.webhook_statements import DELIVERIES
from .keys.key_cipher import ENCRYPTED_PREFIX
from .keys.key_rows import DYNAMIC_KEYS, EARLIER_MASTER_KEY, MASTER_KEY, STATIC_KEYS
from .pooler_facts import PoolerFacts, find_pooler
from .session_state.device_rows import BESIDE_SESSIONS
from .session_state.session_rows import SESSIONS
from .storage import errors, page_ranges, parent_keys
from .storage.postgres import connect_arguments, driver_url
from .storage.replica import REPLAYED, WRITTEN
from .storage.schema import core_tables, other_session_tables
from .storage.tables import KEY_VALUE, TENANTS, Tables, definition_of
from .storage.url import Location
from .tenant_tables import TENANT_CONFIGS

if TYPE_CHECKING:
    from sqlalchemy import Engine, FromClause, Table

T = TypeVar("T")

_CONNECT_S = 5
_SERVER = """
    SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
        pg_is_in_recovery() AS is_standby,
        current_setting('default_transaction_read_only') = 'on' AS is_read_only,
        CAST(current_setting('max_connections') AS int) AS max_connections,
        CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint) AS clock_ms,
        has_schema_privilege(COALESCE(CAST(:schema AS text), current_schema()), 'CREATE') AS may_create_tables
    FROM pg_namespace WHERE nspname = COALESCE(CAST(:schema AS text), current_schema())
"""
_MAY_CREATE = """
    SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = wanted.name) AS schema_exists,
        CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = wanted.name)
        THEN has_schema_privilege(wanted.name, 'CREATE')
        ELSE has_database_privilege(current_database(), 'CREATE') END AS allowed
    FROM (SELECT COALESCE(CAST(:schema AS text), current_schema()) AS name) wanted
"""
_OWN_TABLES_OF_SQLITE = {"sqlite_sequence"}


class UnreadableDatabaseError(SuperTokensError):
    """A database could not be read; `advice` says what to do about it."""

    code = "unreadable_database"

    def __init__(self, reason: str, advice: str) -> None:
        self.advice = advice
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A PostgreSQL server, as one connection to it sees it; `clock_ms` is its time (Unix ms)."""

    version: str
    encoding: str
    is_standby: bool
    is_read_only: bool  #: for new transactions of this user
    max_connections: int
    clock_ms: int
    may_create_tables: bool


@dataclass(frozen=True, slots=True)
class CreationRights:
    """Whether this user may create the schema, or tables in it where it exists."""

    schema_exists: bool
    allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutFacts:
    """Which tables a database has; names are complete, with the prefix."""

    present: Sequence[str]  #: of the tables that sessions need
    absent: Sequence[str]
    others: Sequence[str]
    #: Columns that a present table lacks, and whether all of them can be added.
    lacking: Mapping[str, tuple[Sequence[str], bool]]
    has_users: bool  #: sign-in recipes or an official core keep users here
    #: In which tables core 12 keeps the users, and why sign-in recipes refuse the database, if they do.
    migration_mode: str
    users_refused: str | None
    core_tables: Sequence[str]  #: those that only an official core makes; none are looked for in SQLite
    creation: CreationRights | None  #: on PostgreSQL, where tables are absent
    lost_keys: Sequence[str]  #: tables of ours whose foreign key is gone
    live_elsewhere: Mapping[str, int]  #: sessions that have not expired, by table of another prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """The stored keys; None means that there is no such key."""

    is_master_encrypted: bool | None
    dynamic: int
    newest_ms: int | None
    is_newest_encrypted: bool
    static: int
    encrypted: int
    plain: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFacts:
    """What the tables hold of the one app that is served, and whether others are there."""

    live_sessions: int
    expired_sessions: int
    tenants: int
    tenants_of_other_apps: int
    is_expiry_indexed: bool  #: on PostgreSQL, where each refresh then writes to every index
    keys: KeyFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """All that was read."""

    server: ServerFacts | None  #: None: SQLite, or the schema does not exist yet
    layout: LayoutFacts
    rows: RowFacts | None  #: None: tables are absent, or of a foreign layout
    pooler: PoolerFacts | None
    undelivered: Undelivered | None  #: None: the application has no webhooks, or there are no rows


def inspect_database(location: Location, settings: ResolvedEngineConfig) -> DatabaseFacts:
    """Read what a file or a server holds, in read-only transactions.

    Raises:
        UnreadableDatabaseError: it cannot be reached or read.
        ImportError: the driver is not installed.
    """
    return _read(location, lambda engine, connection: _facts(engine, connection, location, settings))


def timelines(primary: Location, replica: Location) -> tuple[str, str | None]:
    """Return what a primary writes and what a replica follows, system and timeline; None: it is no replica.

    Raises:
        UnreadableDatabaseError: one of them cannot be reached, or the first one is no primary.
    """
    written = _read(primary, lambda _, connection: connection.exec_driver_sql(f"SELECT {WRITTEN}").one())
    replayed = _read(replica, lambda _, connection: connection.exec_driver_sql(f"SELECT {REPLAYED[0]}").one())
    return written[0], replayed[0]


def _read(location: Location, work: Callable[[Engine, Connection], T]) -> T:
    engine = _open_read_only(location)
    try:
        with engine.connect() as connection:
            return work(engine, connection)
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise UnreadableDatabaseError(reason, errors.advise(error, location)) from error
    finally:
        engine.dispose()


def _open_read_only(location: Location) -> Engine:
    if location.is_sqlite:
        return open_sqlite_read_only(location)
    # Read-only by transaction: poolers refuse the startup parameter. A standby is reported, not refused.
    arguments = connect_arguments(location, os.environ, patience_s=_CONNECT_S)
    arguments.pop("target_session_attrs", None)
    return create_engine(
        driver_url(location),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=arguments,
        execution_options={"postgresql_readonly": True},
    )


def open_sqlite_read_only(location: Location) -> Engine:
    """Return an engine on a SQLite file that neither creates nor changes it."""
    url = location.url.set(database=f"file:{location.url.database}", query={"mode": "ro", "uri": "true"})
    return create_engine(url, poolclass=NullPool)


def _facts(
    engine: Engine, connection: Connection, location: Location, settings: ResolvedEngineConfig
) -> DatabaseFacts:
    schema = None if location.is_sqlite else settings.table_schema
    tables, now_ms = Tables(ALL_TABLES, schema=schema, prefix=settings.table_prefix), settings.now_ms()
    server = None if location.is_sqlite else _server(connection, schema)
    layout = _layout(connection, tables, now_ms, settings)
    rows = _rows(connection, tables, now_ms) if _are_ours(tables, layout) else None
    undelivered = None if rows is None else _undelivered(connection, tables, layout)
    pooler = None if location.is_sqlite else find_pooler(engine, connection)
    return DatabaseFacts(server=server, layout=layout, rows=rows, pooler=pooler, undelivered=undelivered)


def _server(connection: Connection, schema: str | None) -> ServerFacts | None:
    row = connection.execute(text(_SERVER), {"schema": schema}).mappings().first()
    return None if row is None else ServerFacts(**row)


def _layout(
    connection: Connection, tables: Tables, now_ms: int, settings: ResolvedEngineConfig
) -> LayoutFacts:
    inspector, schema = inspect(connection), tables.schema
    names = set(inspector.get_table_names(schema=schema))
    present = [table for table in tables.all() if table.name in names]
    absent = [table.name for table in tables.all() if table.name not in names]
    lacking: dict[str, tuple[Sequence[str], bool]] = {}
    has_users = tables.prefix + USERS.name in names
    for one in present:
        columns = {column["name"] for column in inspector.get_columns(one.name, schema=schema)}
        if missing := sorted(set(one.c.keys()) - columns):
            lacking[one.name] = missing, set(missing) <= definition_of(one).added_later
    mode, refused = "LEGACY", None
    if has_users and not {tables[TENANTS].name, tables[TENANT_CONFIGS].name} & {*absent, *lacking}:
        mode, refused = _migration_mode(connection, tables, settings)
    return LayoutFacts(
        present=[one.name for one in present],
        absent=absent,
        others=sorted(names - {one.name for one in tables.all()} - _OWN_TABLES_OF_SQLITE),
        lacking=lacking,
        has_users=has_users,
        migration_mode=mode,
        users_refused=refused,
        core_tables=[] if connection.dialect.name == "sqlite" else core_tables(names, tables),
        creation=_creation_rights(connection, schema) if absent else None,
        lost_keys=[name for name in _without_parent(connection, tables) if name in names],
        live_elsewhere={
            name: _live_in(connection, table(name, column("expires_at"), schema=schema), now_ms)
            for name in other_session_tables(names, tables)
        },
    )


def _migration_mode(
    connection: Connection, tables: Tables, settings: ResolvedEngineConfig
) -> tuple[str, str | None]:
    of_users = Tables((*ALL_TABLES, *USER_TABLES), schema=tables.schema, prefix=tables.prefix)
    layout = UserLayout(of_users, settings.migration_mode)
    try:
        layout.learn(connection)
    except ConfigError as error:
        return layout.mode, str(error)
    return layout.mode, None


def _without_parent(connection: Connection, tables: Tables) -> list[str]:
    of_features = Tables((*ALL_TABLES, *BESIDE_SESSIONS), schema=tables.schema, prefix=tables.prefix)
    return [table.name for table in parent_keys.lost(connection, of_features)]


def _undelivered(connection: Connection, tables: Tables, layout: LayoutFacts) -> Undelivered | None:
    if tables.prefix + DELIVERIES.name not in layout.others:
        return None
    of_webhooks = Tables((*ALL_TABLES, EVENTS, DELIVERIES), schema=tables.schema, prefix=tables.prefix)
    return undelivered_in(connection, of_webhooks)


def _creation_rights(connection: Connection, schema: str | None) -> CreationRights | None:
    if connection.dialect.name != "postgresql":
        return None
    return CreationRights(**connection.execute(text(_MAY_CREATE), {"schema": schema}).mappings().one())


def _live_in(connection: Connection, sessions: FromClause, now_ms: int) -> int:
    return _count(connection, sessions, sessions.c.expires_at > now_ms)


def _are_ours(tables: Tables, layout: LayoutFacts) -> bool:
    """Return whether the tables whose rows are read exist and have the columns that every core gave them."""
    read = (tables[one] for one in (SESSIONS, TENANTS, DYNAMIC_KEYS, STATIC_KEYS, KEY_VALUE))
    return all(one.name in layout.present and layout.lacking.get(one.name, ((), True))[1] for one in read)


def _rows(connection: Connection, tables: Tables, now_ms: int) -> RowFacts:
    sessions, tenants = tables[SESSIONS], tables[TENANTS]
    return RowFacts(
        live_sessions=_count(connection, sessions, _is_own(sessions), sessions.c.expires_at > now_ms),
        expired_sessions=_count(connection, sessions, _is_own(sessions), sessions.c.expires_at <= now_ms),
        tenants=_count(connection, tenants, _is_own(tenants)),
        tenants_of_other_apps=_count(connection, tenants, ~_is_own(tenants)),
        is_expiry_indexed=page_ranges.is_indexed(connection, sessions, "expires_at"),
        keys=_keys(connection, tables),
    )


def _keys(connection: Connection, tables: Tables) -> KeyFacts:
    values, dynamic, static = tables[KEY_VALUE], tables[DYNAMIC_KEYS], tables[STATIC_KEYS]
    is_master = or_(
        values.c.name == MASTER_KEY, values.c.name.startswith(EARLIER_MASTER_KEY, autoescape=True)
    )
    masters = connection.execute(
        select(values.c.name, values.c.value).where(_is_own(values), is_master, values.c.value.is_not(None))
    ).all()
    newest_first = dynamic.c.created_at_time.desc()
    dynamic_keys = connection.execute(
        select(dynamic.c.created_at_time, dynamic.c.value).where(_is_own(dynamic)).order_by(newest_first)
    ).all()
    static_keys = connection.scalars(select(static.c.key_string).where(_is_own(static))).all()
    master = next((_is_encrypted(stored) for name, stored in masters if name == MASTER_KEY), None)
    stored = [*(value for _, value in masters), *(value for _, value in dynamic_keys), *static_keys]
    encrypted = sum(map(_is_encrypted, stored))
    return KeyFacts(
        is_master_encrypted=master,
        dynamic=len(dynamic_keys),
        newest_ms=dynamic_keys[0][0] if dynamic_keys else None,
        is_newest_encrypted=bool(dynamic_keys) and _is_encrypted(dynamic_keys[0][1]),
        static=len(static_keys),
        encrypted=encrypted,
        plain=len(stored) - encrypted,
    )


def _is_encrypted(stored: object) -> bool:
    return str(stored).startswith(ENCRYPTED_PREFIX)


def _is_own(table: Table) -> Any:
    return table.c.app_id == DEFAULT_APP_ID


def _count(connection: Connection, table: FromClause, *conditions: Any) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
