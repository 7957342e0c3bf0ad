"""Databases for tests: fresh ones in milliseconds, as copies of one that already holds its keys.

Making a new RSA key pair costs more than everything else in a test of the engine, so a template is
made once per test session. Tests of the first start ask for an empty database instead.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.accounts.user_tables import USER_TABLES
from supertokens_py.engine.embedded.keys.key_material import new_key_text
from supertokens_py.engine.records import RefreshRequest

from .temporary_postgres import Server

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

Kind = Literal["sqlite-file", "sqlite-memory", "postgresql"]

_EMPTIED = ("session_info", "roles", "user_roles", "user_metadata", "user_last_active", "tenant_configs")
_OF_USERS = tuple(table.name for table in reversed(USER_TABLES))  # each before what it refers to
_ALL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
#: Everything of a database but its rows that a test could change.
_SHAPE = """
    WITH spaces AS (
        SELECT oid FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    ), relations AS (SELECT * FROM pg_class WHERE relnamespace IN (TABLE spaces))
    SELECT concat_ws(' ', oid::regclass, relkind, relacl, reloptions, relowner, relrowsecurity) FROM relations
    UNION ALL SELECT concat_ws(' ', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
        attacl, attidentity, pg_get_expr(adbin, adrelid))
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid IN (SELECT oid FROM relations) AND attnum > 0 AND NOT attisdropped
    UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid))
        FROM pg_constraint WHERE connamespace IN (TABLE spaces)
    UNION ALL SELECT concat_ws(' ', indisvalid, pg_get_indexdef(indexrelid))
        FROM pg_index WHERE indrelid IN (SELECT oid FROM relations)
    UNION ALL SELECT concat_ws(' ', tgenabled, pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace IN (TABLE spaces)
    UNION ALL SELECT typname FROM pg_type WHERE typnamespace IN (TABLE spaces)
    UNION ALL SELECT concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE oid IN (TABLE spaces)
    UNION ALL SELECT concat_ws(' ', polrelid::regclass, polname) FROM pg_policy
    UNION ALL SELECT concat_ws(' ', ev_class::regclass, rulename)
        FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM relations)
    UNION ALL SELECT extname FROM pg_extension
    UNION ALL SELECT pubname FROM pg_publication
    UNION ALL SELECT concat_ws(' ', defaclrole, defaclacl) FROM pg_default_acl
    UNION ALL SELECT concat_ws(' ', datdba, datallowconn, datconnlimit, datacl)
        FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
        WHERE setdatabase IN (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY 1
"""
_NAMES_OF_KEYS = {
    "key_value": "name",
    "session_access_token_signing_keys": "created_at_time",
    "jwt_signing_keys": "key_id",
}
_KEY_TABLES = tuple(_NAMES_OF_KEYS)
_ALL_KEYS = " UNION ALL ".join(f"SELECT {name}::text FROM {name}" for name in _KEY_TABLES) + " ORDER BY 1"

_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_NOTICED_WITHIN = 1.0  #: seconds until a server has seen who has gone; a pooler, say, does not go

#: Login methods `a` and `b` of one user, as an official core links them; for an empty PostgreSQL database.
LINKED_USERS = (
    "CREATE TABLE app_id_to_user_id (app_id text, user_id text, primary_or_recipe_user_id text)",
    "CREATE TABLE userid_mapping (app_id text, supertokens_user_id text, external_user_id text)",
    "INSERT INTO app_id_to_user_id VALUES ('public', 'a', 'a'), ('public', 'b', 'a')",
)

_numbers = itertools.count(1)


@dataclass(frozen=True)
class TestDatabase:
    """A database of one test."""

    __test__ = False

    kind: Kind
    uri: str
    has_users: bool = False  #: whether it was made with tables of users

    @property
    def path(self) -> Path:
        return Path(self.uri.removeprefix("sqlite:///"))

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own, with `%s` for parameters; return its rows."""
        if self.kind == "postgresql":
            import psycopg

            with psycopg.connect(self.uri, autocommit=True) as connection:
                cursor = connection.execute(sql, parameters)  # type: ignore[arg-type]
                return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.path, isolation_level=None, timeout=20)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            return connection.execute(sql.replace("%s", "?"), parameters).fetchall()

    def one(self, sql: str, *parameters: Any) -> dict[str, Any]:
        """Return the only row of a table as a dictionary; `sql` is what follows `SELECT * FROM`."""
        table = sql.split()[0]
        names = self.columns(table)
        rows = self.query(f"SELECT {', '.join(names)} FROM {sql}", *parameters)
        assert len(rows) == 1, rows
        return dict(zip(names, rows[0], strict=True))

    def columns(self, table: str) -> list[str]:
        if self.kind == "postgresql":
            sql = (
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 "
                "AND NOT attisdropped ORDER BY attnum"
            )
        else:
            sql = "SELECT name FROM pragma_table_info(%s)"
        return [name for (name,) in self.query(sql, table)]


@dataclass(frozen=True)
class _Template:
    """A PostgreSQL database that others are copies of, and what is in it."""

    database: TestDatabase
    tables: frozenset[str]
    keys: list[tuple[Any, ...]]
    shape: list[tuple[Any, ...]]
    rows: list[tuple[Any, ...]]

    @staticmethod
    def of(database: TestDatabase) -> _Template:
        tables = frozenset(name for (name,) in database.query(_ALL_TABLES))
        found = (database.query(sql) for sql in (_ALL_KEYS, _SHAPE, _all_rows(tables)))
        return _Template(database, tables, *found)

    @functools.cached_property
    def _emptying(self) -> str:
        """The statements that delete what tests write, and no key of the template."""
        kept = [
            f"DELETE FROM {table} WHERE {column}::text <> ALL (ARRAY{values}::text[])"
            for table, column in _NAMES_OF_KEYS.items()
            for values in [[str(value) for (value,) in self.database.query(f"SELECT {column} FROM {table}")]]
        ]
        emptied = [f"DELETE FROM {table}" for table in (*_EMPTIED, *_OF_USERS) if table in self.tables]
        return ";".join([*emptied, "DELETE FROM tenants WHERE tenant_id <> 'public'", *kept])

    def is_emptied(self, connection: Connection) -> bool:
        """Remove what tests leave, in milliseconds where making a database takes a good part of a second.

        Return whether the keys are those of the template.
        """
        connection.execute(self._emptying.encode())
        tables = {name for (name,) in connection.execute(_ALL_TABLES)}
        of_features = sorted(name for name in tables - self.tables if name.startswith("supertokens_py_"))
        if of_features:
            connection.execute(f"DROP TABLE {', '.join(of_features)}".encode())
            tables -= set(of_features)
        assert tables == self.tables, f"not a test for a shared database, left with {tables ^ self.tables}"
        return connection.execute(_ALL_KEYS.encode()).fetchall() == self.keys

    def is_restored(self, connection: Connection) -> bool:
        """Remove rows and tables that the template does not have; return whether all else is as there."""
        connection.execute("SET lock_timeout = '10s'")
        added = sorted({name for (name,) in connection.execute(_ALL_TABLES)} - self.tables)
        if added:
            names = ", ".join(f'"{name}"' for name in added)
            connection.execute(f"DROP TABLE {names} CASCADE".encode())
        connection.execute(self._emptying.encode())
        return (
            connection.execute(_SHAPE.encode()).fetchall() == self.shape
            and connection.execute(_all_rows(self.tables).encode()).fetchall() == self.rows
        )


def _all_rows(tables: Iterable[str]) -> str:
    parts = [f"SELECT '{name}' || row::text FROM {name} AS row" for name in sorted(tables)]
    return " UNION ALL ".join(parts) + " ORDER BY 1"


class Postgres:
    """Databases on one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._templates: dict[bool, _Template] = {}
        self._used: dict[bool, list[TestDatabase]] = {False: [], True: []}

    def take(self, *, users: bool = False) -> TestDatabase:
        """Return a database with its keys and nothing else; `give_back` makes it ready for another test."""
        return self._used[users].pop() if self._used[users] else self.create(users=users)

    def give_back(self, database: TestDatabase) -> None:
        import psycopg

        # On one connection: each costs the server more than all these statements together.
        with psycopg.connect(database.uri, autocommit=True) as connection:
            # An engine that was left open, or a child: the next test would meet its rows. And other keys than
            # those of the template would be keys that the next test has not made.
            is_as_made = _is_alone(connection) and self._template_of(database).is_emptied(connection)
        self._keep_or_drop(database, is_as_made=is_as_made)

    def restore(self, database: TestDatabase, *, noticed_within: float = _NOTICED_WITHIN) -> None:
        """Make a database ready for another test, whatever was done to it; if that cannot be, drop it."""
        import psycopg

        try:
            with psycopg.connect(database.uri, autocommit=True) as connection:
                is_alone = _is_alone(connection, noticed_within=noticed_within)
                is_as_made = is_alone and self._template_of(database).is_restored(connection)
        except psycopg.Error:  # a table is missing, say, or nobody may connect any more
            is_as_made = False
        self._keep_or_drop(database, is_as_made=is_as_made)

    def _keep_or_drop(self, database: TestDatabase, *, is_as_made: bool) -> None:
        if is_as_made:
            self._used[database.has_users].append(database)
        else:
            self.drop(database)

    def create(self, *, template: bool = True, users: bool = False) -> TestDatabase:
        """Create a database: empty, or a copy of a template, with tables of users or without."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        made = TestDatabase("postgresql", self.server.database_uri(name), users)
        clause = f" TEMPLATE {_name(self._template_of(made).database)}" if template else ""
        self.execute(f"CREATE DATABASE {name}{clause}")
        return made

    def drop(self, database: TestDatabase) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {_name(database)} WITH (FORCE)")

    def execute(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.server.uri, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    def _template_of(self, database: TestDatabase) -> _Template:
        users = database.has_users
        if users not in self._templates:
            name = f"template_{os.getpid()}{'_users' * users}"
            made = TestDatabase("postgresql", self.server.database_uri(name), users)
            self.execute(f"CREATE DATABASE {name}")
            fill(made.uri, users=users)
            self._templates[users] = _Template.of(made)
        return self._templates[users]


def _name(database: TestDatabase) -> str:
    return database.uri.rpartition("/")[2]


class Sqlite:
    """Database files under one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def create(self, *, template: bool = True, users: bool = False) -> TestDatabase:
        """Create a database: empty, or a copy of a template, with tables of users or without."""
        path = self._directory / f"test_{next(_numbers)}.db"
        if template:
            shutil.copy(self.template(users=users).path, path)
        return TestDatabase("sqlite-file", f"sqlite:///{path}", users)

    def remove(self) -> None:
        """Remove what was created, or made in its place; the templates stay."""
        for path in self._directory.glob("test_*"):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def template(self, *, users: bool = False) -> TestDatabase:
        path = self._directory / f"template{'_users' * users}.db"
        database = TestDatabase("sqlite-file", f"sqlite:///{path}", users)
        if not path.exists():
            fill(database.uri, users=users)
        return database

    def keys(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of the tables that hold keys, for a database in memory."""
        template = self.template()
        found: dict[str, list[dict[str, Any]]] = {}
        for table in _KEY_TABLES:
            names = template.columns(table)
            rows = template.query(f"SELECT {', '.join(names)} FROM {table}")
            found[table] = [dict(zip(names, row, strict=True)) for row in rows]
        return found


def _is_alone(connection: Connection, *, noticed_within: float = _NOTICED_WITHIN) -> bool:
    """Return whether nobody else is connected; a server needs some milliseconds to notice who has gone."""
    deadline = time.monotonic() + noticed_within
    while connection.execute(_OTHERS).fetchone() != (0,):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def end_of_grace(uri: str) -> None:
    """Make the grace periods of a database's sessions end, so that nobody waits for it."""
    kind: Kind = "sqlite-file" if uri.startswith("sqlite") else "postgresql"
    TestDatabase(kind, uri).query(
        "UPDATE session_info SET refresh_token_rotated_at = refresh_token_rotated_at - 600000"
    )


def fill(uri: str, *, users: bool = False) -> None:
    """Create tables and keys, as the first start of an engine does; of users, too, where asked."""
    settings = EngineConfig(clean_up_interval=0).resolve({})
    # Pairs of its own: none that a test's engine is given as a new one later.
    engine = EmbeddedEngine(uri, settings, keeps_users=users, new_key=new_key_text)
    engine.keys.jwks()
    engine.sessions.refresh(
        RefreshRequest(refresh_token="x", anti_csrf_token=None, anti_csrf=False, dynamic_key=True)
    )
    engine.close()


def sorted_rows(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)
