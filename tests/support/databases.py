"""Databases for tests: fresh ones in milliseconds, as copies of one that already holds its keys.

Making a new RSA key pair costs more than everything else in a test of the engine, so a template is
made once per test session. Tests of the first start ask for an empty database instead.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.records import RefreshRequest

from .temporary_postgres import Server

Kind = Literal["sqlite-file", "sqlite-memory", "postgresql"]

_EMPTIED = ("session_info", "roles", "user_roles", "user_metadata", "user_last_active", "tenant_configs")
_ALL_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
_KEY_TABLES = ("key_value", "session_access_token_signing_keys", "jwt_signing_keys")
_ALL_KEYS = " UNION ALL ".join(f"SELECT {name}::text FROM {name}" for name in _KEY_TABLES) + " ORDER BY 1"

_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_LOOKS = 40  #: at who is connected, before a database is given up

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


class Postgres:
    """Databases on one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._template: str | None = None
        self._tables: set[str] = set()
        self._keys: list[tuple[Any, ...]] = []
        self._used: list[TestDatabase] = []

    def take(self) -> TestDatabase:
        """Return a database with its keys and nothing else; `give_back` makes it ready for another test."""
        return self._used.pop() if self._used else self.create()

    def give_back(self, database: TestDatabase) -> None:
        if self._is_in_use(
            database
        ):  # an engine that was left open, or a child: the next test would meet its rows
            self.drop(database)
            return
        # Emptying one takes milliseconds, where making and dropping one takes a good part of a second.
        future = time.time_ns() // 1_000_000 + 60_000
        statements = [f"DELETE FROM {table}" for table in _EMPTIED]
        statements.append("DELETE FROM tenants WHERE tenant_id <> 'public'")
        statements.append(f"DELETE FROM session_access_token_signing_keys WHERE created_at_time > {future}")
        database.query(";".join(statements))
        tables = {name for (name,) in database.query(_ALL_TABLES)}
        assert tables == self._tables, f"not a test for a shared database, left with {tables ^ self._tables}"
        if database.query(_ALL_KEYS) == self._keys:
            self._used.append(database)
        else:  # the next test would find keys that it has not made, or miss some
            self.drop(database)

    def _is_in_use(self, database: TestDatabase) -> bool:
        """Return whether somebody is connected; a server needs some milliseconds to notice who has gone."""
        import psycopg

        with psycopg.connect(database.uri, autocommit=True) as connection:
            for _ in range(_LOOKS):
                if connection.execute(_OTHERS).fetchone() == (0,):
                    return False
                time.sleep(0.005)
        return True

    def create(self, *, template: bool = True) -> TestDatabase:
        name = f"test_{os.getpid()}_{next(_numbers)}"
        clause = f" TEMPLATE {self._filled_template()}" if template else ""
        self.execute(f"CREATE DATABASE {name}{clause}")
        return TestDatabase("postgresql", self.server.database_uri(name))

    def drop(self, database: TestDatabase) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {database.uri.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.server.uri, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)  # type: ignore[arg-type]

    def _filled_template(self) -> str:
        if self._template is None:
            self._template = f"template_{os.getpid()}"
            self.execute(f"CREATE DATABASE {self._template}")
            uri = self.server.database_uri(self._template)
            fill(uri)
            template = TestDatabase("postgresql", uri)
            self._tables = {name for (name,) in template.query(_ALL_TABLES)}
            self._keys = template.query(_ALL_KEYS)
        return self._template


class Sqlite:
    """Database files under one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._template = directory / "template.db"

    def create(self, *, template: bool = True) -> TestDatabase:
        path = self._directory / f"test_{next(_numbers)}.db"
        if template:
            shutil.copy(self.template().path, path)
        return TestDatabase("sqlite-file", f"sqlite:///{path}")

    def template(self) -> TestDatabase:
        database = TestDatabase("sqlite-file", f"sqlite:///{self._template}")
        if not self._template.exists():
            fill(database.uri)
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


def end_of_grace(uri: str) -> None:
    """Make the grace periods of a database's sessions end, so that nobody waits for it."""
    kind: Kind = "sqlite-file" if uri.startswith("sqlite") else "postgresql"
    TestDatabase(kind, uri).query(
        "UPDATE session_info SET refresh_token_rotated_at = refresh_token_rotated_at - 600000"
    )


def fill(uri: str) -> None:
    """Create tables and keys, as the first start of an engine does."""
    engine = EmbeddedEngine(uri, EngineConfig(clean_up_interval=0).resolve({}))
    engine.keys.jwks()
    engine.sessions.refresh(
        RefreshRequest(refresh_token="x", anti_csrf_token=None, anti_csrf=False, dynamic_key=True)
    )
    engine.close()


def sorted_rows(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)
