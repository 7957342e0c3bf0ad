"""What is in a database, read without changing anything, and what opening it would change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, create_engine, func, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from supertokens_py.cli.output import counted, moment
from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.embedded import failures
from supertokens_py.engine.embedded.location import Location, locate
from supertokens_py.engine.embedded.postgres import connect_arguments, driver_url
from supertokens_py.engine.embedded.tables import Tables
from supertokens_py.engine.factory import MISSING_DRIVER

from .findings import Finding
from .pooler import check_pooler
from .schema import check_creatable, check_other_prefixes

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

_TOPIC = "database"
_KEYS = "keys"
_CLOCK = "clock"
_MASTER_KEY = "refresh_token_key"
_ENCRYPTED = "supertokens_py-encrypted"
_CONNECT_S = 5
_CLOCK_TOLERANCE_MS = 5_000


def check_database(uri: str, settings: ResolvedEngineConfig) -> list[Finding]:
    """Return what was found; the database is opened for reading only."""
    location = locate(uri)
    if location.kind == "sqlite-memory":
        advice = "use a file or PostgreSQL for anything that must outlive the process"
        return [Finding("warning", _TOPIC, "sessions are kept in memory and end with the process", advice)]
    if location.is_sqlite:
        path = Path(location.url.database or "")
        if not path.exists():
            return [_missing_file(path)]
        if unusable := [*_rights(path)]:
            return unusable
    try:
        engine = _read_only(location)
    except ImportError:
        return [Finding("error", _TOPIC, MISSING_DRIVER, "install it where the application runs, too")]
    try:
        with engine.connect() as connection:
            found = [*_server(connection, location, settings), *_content(connection, location, settings)]
            return found if location.is_sqlite else [*found, *check_pooler(engine, connection, settings)]
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        advice = failures.advise(error, location)
        return [Finding("error", _TOPIC, f"cannot read {location.name}: {reason}", advice)]
    except Exception as error:  # a driver may raise anything, and a traceback tells an operator little
        text = f"cannot read {location.name}: {type(error).__name__}: {error}"
        return [Finding("error", _TOPIC, text, "check the connection URI and the encoding of the database")]
    finally:
        engine.dispose()


def _read_only(location: Location) -> Engine:
    if location.is_sqlite:
        url = location.url.set(database=f"file:{location.url.database}", query={"mode": "ro", "uri": "true"})
        return create_engine(url, poolclass=NullPool)
    # Not by a startup parameter, which poolers refuse. And a standby is to be told of, not refused.
    arguments = connect_arguments(location, os.environ, patience_s=_CONNECT_S)
    arguments.pop("target_session_attrs", None)
    return create_engine(
        driver_url(location),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args=arguments,
        execution_options={"postgresql_readonly": True},
    )


def _missing_file(path: Path) -> Finding:
    if path.parent.is_dir() and os.access(path.parent, os.W_OK):
        return Finding("note", _TOPIC, f"{path} does not exist yet; it will be made at the first start")
    return Finding("error", _TOPIC, f"{path} cannot be made", f"make the directory {path.parent}, writable")


def _rights(path: Path) -> Iterator[Finding]:
    for right, verb in ((os.R_OK, "read"), (os.W_OK, "written")):
        if not os.access(path, right):
            yield Finding(
                "error",
                _TOPIC,
                f"{path} cannot be {verb} by this user: every log-in and refresh would be answered 503",
                f"give the user of the application the right to read and write it: chown … {path}",
            )
    if not os.access(path.parent, os.W_OK):
        yield Finding(
            "error",
            _TOPIC,
            f"{path.parent} cannot be written by this user, "
            f"and SQLite needs {path.name}-wal and {path.name}-shm there",
            f"give the user of the application the right to write the directory: chown … {path.parent}",
        )


def _server(connection: Connection, location: Location, settings: ResolvedEngineConfig) -> Iterator[Finding]:
    yield Finding("ok", _TOPIC, f"{location.name} can be read")
    if location.is_sqlite:
        path = Path(location.url.database or "")
        if path.stat().st_mode & 0o077:
            advice = f"chmod 600 {path}"
            yield Finding("warning", _TOPIC, f"{path} holds signing keys and other users may read it", advice)
        return
    row = connection.execute(
        text(
            "SELECT current_setting('server_version'), pg_is_in_recovery(), "
            "CAST(current_setting('max_connections') AS int), "
            "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint), "
            "has_schema_privilege(COALESCE(CAST(:schema AS text), current_schema()), 'CREATE'), "
            "current_setting('server_encoding'), current_setting('default_transaction_read_only') "
            "FROM pg_namespace WHERE nspname = COALESCE(CAST(:schema AS text), current_schema())"
        ),
        {"schema": settings.table_schema},
    ).first()
    if row is None:
        yield Finding(
            "note", _TOPIC, f"the schema {settings.table_schema!r} does not exist yet; it will be made"
        )
        return
    version, is_standby, max_connections, server_ms, may_create, encoding, read_only = row
    yield Finding("ok", _TOPIC, f"PostgreSQL {version}")
    if is_standby:
        yield Finding("error", _TOPIC, "this server is a read-only standby", "connect to the primary")
    elif read_only == "on":
        advice = "connect to the primary, or set default_transaction_read_only = off for this user"
        yield Finding("error", _TOPIC, "the server or this user is read-only", advice)
    if encoding != "UTF8":
        yield _other_encoding(encoding)
    if not may_create:
        advice = "needed at the first start and after upgrades: GRANT CREATE ON SCHEMA … TO …"
        yield Finding("warning", _TOPIC, "this user may not create tables in the schema", advice)
    yield from _room(max_connections, settings.pool_size)
    yield _clocks(server_ms, settings.now_ms())


def _room(max_connections: int, pool_size: int) -> Iterator[Finding]:
    processes = max_connections // pool_size
    if processes < 8:
        yield Finding(
            "warning" if processes < 2 else "note",
            _TOPIC,
            f"max_connections is {max_connections} and each process may use pool_size {pool_size}: "
            f"enough for {processes} {'process' if processes == 1 else 'processes'}",
            "lower SUPERTOKENS_POOL_SIZE, raise max_connections, or put a pooler in between",
        )


def _clocks(server_ms: int, now_ms: int) -> Finding:
    apart_ms = abs(server_ms - now_ms)
    if apart_ms <= _CLOCK_TOLERANCE_MS:
        return Finding("ok", _CLOCK, "database and this machine agree on the time")
    return Finding(
        "warning",
        _CLOCK,
        f"the clocks of database and this machine are {apart_ms / 1000:.0f} s apart",
        "set the clock of every machine by NTP: tokens made in the future are refused",
    )


def _other_encoding(encoding: str) -> Finding:
    if encoding == "SQL_ASCII":
        text = (
            "its encoding is SQL_ASCII: it keeps the text that it is given, and other programs may misread it"
        )
        return Finding("note", _TOPIC, text, "make new databases in UTF8")
    text = f"its encoding is {encoding}: text with other characters is refused (400)"
    return Finding("warning", _TOPIC, text, "move to a database in UTF8")


def _content(connection: Connection, location: Location, settings: ResolvedEngineConfig) -> Iterator[Finding]:
    schema = None if location.is_sqlite else settings.table_schema
    tables = Tables(schema=schema, prefix=settings.table_prefix)
    present = _Present(connection, schema)
    ours = [table for table in tables.all() if table.name in present.names]
    absent = [table.name for table in tables.all() if table.name not in present.names]
    foreign = sorted(present.names - {table.name for table in tables.all()} - {"sqlite_sequence"})
    if not ours:
        yield Finding(
            "note", _TOPIC, f"it holds no sessions yet; {counted(len(absent), 'table')} will be added"
        )
    elif absent:
        yield Finding("note", _TOPIC, f"missing tables, which will be added: {', '.join(absent)}")
    if absent:
        yield from check_creatable(connection, tables)
    for table in ours:
        lacking = sorted(set(table.c.keys()) - present.columns(table.name))
        if lacking:
            yield _lacking(table, lacking)
    yield from check_other_prefixes(
        connection,
        tables,
        present.names,
        live=_live(connection, tables, settings, ours),
        now_ms=settings.now_ms(),
    )
    if foreign:
        shown = ", ".join(foreign[:8]) + (" …" if len(foreign) > 8 else "")
        yield Finding("note", _TOPIC, f"{counted(len(foreign), 'other table')}, not to be touched: {shown}")
    if tables.prefix + "app_id_to_user_id" in present.names:
        yield Finding(
            "note", _TOPIC, "an official core keeps users here; their primary and external ids are honoured"
        )
    if all(
        table in ours
        for table in (tables.sessions, tables.dynamic_keys, tables.static_keys, tables.key_value)
    ):
        yield from _rows(connection, tables, settings)


def _lacking(table: Table, lacking: list[str]) -> Finding:
    addable = {"prev_refresh_token_hash_2", "refresh_token_rotated_at"}
    if table.name.endswith("session_info") and set(lacking) <= addable:
        return Finding(
            "note",
            _TOPIC,
            f"{table.name} is of an older core; these columns will be added: {', '.join(lacking)}",
        )
    return Finding(
        "error",
        _TOPIC,
        f"{table.name} lacks {', '.join(lacking)}: it is no table of a core of version 9 or later",
        "upgrade the core first, or use another database, schema or table_prefix",
    )


def _live(
    connection: Connection, tables: Tables, settings: ResolvedEngineConfig, present: list[Table]
) -> int:
    expires_at = tables.sessions.c.expires_at
    if tables.sessions not in present:
        return 0
    query = select(func.count()).select_from(tables.sessions).where(expires_at > settings.now_ms())
    return connection.scalar(query) or 0


@dataclass(frozen=True)
class _Present:
    connection: Connection
    schema: str | None

    @property
    def names(self) -> set[str]:
        return set(inspect(self.connection).get_table_names(schema=self.schema))

    def columns(self, table: str) -> set[str]:
        return {column["name"] for column in inspect(self.connection).get_columns(table, schema=self.schema)}


def _rows(connection: Connection, tables: Tables, settings: ResolvedEngineConfig) -> Iterator[Finding]:
    now = settings.now_ms()
    sessions = tables.sessions
    is_ours = sessions.c.app_id == DEFAULT_APP_ID
    live = (
        connection.scalar(
            select(func.count()).select_from(sessions).where(is_ours, sessions.c.expires_at > now)
        )
        or 0
    )
    expired = (
        connection.scalar(
            select(func.count()).select_from(sessions).where(is_ours, sessions.c.expires_at <= now)
        )
        or 0
    )
    tenants = (
        connection.scalar(
            select(func.count()).select_from(tables.tenants).where(tables.tenants.c.app_id == DEFAULT_APP_ID)
        )
        or 0
    )
    yield Finding(
        "ok",
        _TOPIC,
        f"{counted(live, 'live session')}, {counted(expired, 'expired one')}, {counted(tenants, 'tenant')}",
    )
    others = connection.scalar(
        select(func.count()).select_from(tables.tenants).where(tables.tenants.c.app_id != DEFAULT_APP_ID)
    )
    if others:
        yield Finding("note", _TOPIC, f"{counted(others, 'tenant')} of other apps, not to be touched")
    master = connection.scalar(
        select(tables.key_value.c.value).where(
            tables.key_value.c.app_id == DEFAULT_APP_ID, tables.key_value.c.name == _MASTER_KEY
        )
    )
    if master is None and live:
        advice = "restore the row of key_value from a backup; without it every refresh ends a session"
        yield Finding("error", _KEYS, f"the key of the refresh tokens ({_MASTER_KEY}) is missing", advice)
    elif master is not None:
        yield Finding("ok", _KEYS, f"the key of the refresh tokens is there{_at_rest(master)}")
    dynamic = list(
        connection.execute(
            select(tables.dynamic_keys.c.created_at_time, tables.dynamic_keys.c.value)
            .where(tables.dynamic_keys.c.app_id == DEFAULT_APP_ID)
            .order_by(tables.dynamic_keys.c.created_at_time.desc())
        )
    )
    static = connection.scalar(
        select(func.count())
        .select_from(tables.static_keys)
        .where(tables.static_keys.c.app_id == DEFAULT_APP_ID)
    )
    if dynamic:
        newest, value = dynamic[0]
        yield Finding(
            "ok",
            _KEYS,
            f"{counted(len(dynamic), 'dynamic key')}, the newest of {moment(newest)}; "
            f"{static} static{_at_rest(value)}",
        )
        if newest > now + _CLOCK_TOLERANCE_MS:
            advice = "compare the clocks of all machines that use this database"
            yield Finding(
                "warning", _CLOCK, f"the newest signing key was made in the future ({moment(newest)})", advice
            )
    else:
        yield Finding("note", _KEYS, "no signing keys yet; they are made at the first start")
    static_texts = connection.scalars(
        select(tables.static_keys.c.key_string).where(tables.static_keys.c.app_id == DEFAULT_APP_ID)
    )
    stored = [
        str(text) for text in (master, *(value for _, value in dynamic), *static_texts) if text is not None
    ]
    encrypted = any(text.startswith(_ENCRYPTED) for text in stored)
    plain = sum(not text.startswith(_ENCRYPTED) for text in stored)
    if plain and settings.encryption_key is not None:
        advice = "start a process with the secret, or run `supertokens keys encrypt`"
        if encrypted:
            advice = "find out who wrote them and delete them, unless an earlier release left them: " + advice
        yield Finding("warning", _KEYS, f"{counted(plain, 'key')} not encrypted, and a secret is set", advice)
    if encrypted and settings.encryption_key is None:
        advice = "set SUPERTOKENS_ENCRYPTION_KEY to the secret that they were encrypted with"
        yield Finding("error", _KEYS, "the keys are encrypted and no secret is set", advice)


def _at_rest(stored: object) -> str:
    return " (encrypted)" if str(stored).startswith(_ENCRYPTED) else ""
