"""Make a destination equal to a source: what the source no longer has is removed, the rest is copied.

An interrupted run is simply repeated: rows that arrived are left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import and_, select
from sqlalchemy.exc import SQLAlchemyError

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.embedded.accounts.user_layout import UserLayout
from supertokens_py.engine.embedded.accounts.user_tables import USER_TABLES, USERS
from supertokens_py.engine.embedded.all_tables import ALL_TABLES
from supertokens_py.engine.embedded.session_state.device_rows import BESIDE_SESSIONS
from supertokens_py.engine.embedded.session_state.session_rows import SESSIONS, same_session
from supertokens_py.engine.embedded.storage.database import Database
from supertokens_py.engine.embedded.storage.tables import (
    KEY_VALUE,
    TableDefinition,
    Tables,
    definition_of,
)
from supertokens_py.exceptions import ConfigError, EngineUnavailableError

from .destination import Destination
from .rows import COPIED_TABLES, Key, Row, batches, by_key, copied_rows, has_key, table_named
from .source import OF_FEATURES, Source, open_source

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table


@dataclass(slots=True)
class Copied:
    """What became of one table; `removed` rows were gone from the source."""

    table: str
    source: int
    copied: int = 0
    verified: int = 0
    removed: int = 0

    @property
    def row_name(self) -> str:
        """What one row of the table is called."""
        return COPIED_TABLES[self.table]


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What a source has and an import does not copy."""

    sessions_of_other_apps: int
    oldest_signing_key: bool  #: kept in `key_value`, where the first cores had their one key
    users_of_other_apps: int
    users: Sequence[str]  #: what the application loses of its users, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The database to copy from, and where its tables are in it."""

    uri: str
    schema: str | None = None
    prefix: str = ""


class Transfer:
    """One copy from a source to a destination."""

    def __init__(self, source: Source, destination: Destination, *, batch: int) -> None:
        self._source = source
        self._destination = destination
        self._batch = batch

    @property
    def resumes(self) -> bool:
        """Whether the run before was interrupted."""
        return self._destination.resumes

    def begin(self) -> None:
        """Mark the destination as being imported into.

        Raises:
            ConfigError: the destination has data of its own, was imported from elsewhere, or was written to
                since it was imported.
        """
        self._destination.begin(self._source.name, self._source.master_keys())

    def counts(self) -> list[Copied]:
        """Return every table to copy, with the number of its rows in the source."""
        return [
            Copied(name, self._source.count(table_named(self._source.tables, name), self._wanted(name)))
            for name in self._destination.tables
            if self._source.has(name)
        ]

    def run(self, counts: Sequence[Copied], advance: Callable[[int], None]) -> None:
        """Remove what the source no longer has, children first; then copy, parents first.

        In this order an interrupted run has already taken away what was taken away at the source.
        `advance` is called with the number of rows after each batch.
        """
        by_table = {count.table: count for count in counts}
        for name in reversed(self._destination.tables):
            removed = self._prune(name)
            if name in by_table:
                by_table[name].removed = removed
        for count in counts:
            self._copy(count, advance)

    def finish(self) -> None:
        """Mark the copy as complete."""
        self._destination.finish()

    def left_behind(self) -> LeftBehind:
        """Return what the source has and the destination does not get."""
        sessions, values = self._source.tables[SESSIONS], self._source.tables[KEY_VALUE]
        is_oldest_key = values.c.name == "access_token_signing_key"
        return LeftBehind(
            sessions_of_other_apps=self._source.count(sessions, sessions.c.app_id != DEFAULT_APP_ID),
            oldest_signing_key=bool(self._source.count(values, is_oldest_key)),
            users_of_other_apps=self._source.users.of_other_apps,
            users=list(self._source.users.losses()),
        )

    def _wanted(self, name: str) -> ColumnElement[bool]:
        table = table_named(self._source.tables, name)
        if name == "session_info":
            return and_(copied_rows(table), table.c.expires_at > self._destination.mark.started_ms)
        beside = next((one for one in BESIDE_SESSIONS if one.name == name), None)
        if beside is not None:
            sessions = self._source.tables[SESSIONS]
            live = sessions.c.expires_at > self._destination.mark.started_ms
            of_session = select(sessions.c.user_id).where(*same_session(self._source.tables, beside), live)
            return and_(copied_rows(table), of_session.exists())
        return copied_rows(table)

    def _copy(self, count: Copied, advance: Callable[[int], None]) -> None:
        table = table_named(self._source.tables, count.table)
        query = select(*self._source.columns(table)).where(self._wanted(count.table))
        for is_next in _parts(table):
            for rows in batches(self._source.rows, query, table, size=self._batch):
                part = [self._source.plain(count.table, row) for row in rows if is_next(row)]
                count.verified += self._destination.write_rows(count.table, part)
                count.copied += len(part)
                advance(len(part))
        if any(kind.is_counted for kind in definition_of(table).columns.values()):
            self._destination.count_from(count.table, self._source.counter(table))

    def _prune(self, name: str) -> int:
        """Delete the rows of a table that the source does not have; return how many had not expired.

        Where no two rows share a value, changed rows go as well: another one may have their value now.
        """
        removed, started_ms = 0, self._destination.mark.started_ms
        for rows in self._destination.batches(name):
            there = self._in_source(name, rows)
            gone = {key: row for key, row in rows.items() if not _is_kept(there.get(key), row)}
            deleted = self._destination.remove_rows(name, gone)
            ended = (row for key, row in deleted.items() if key not in there)
            removed += sum(row.get("expires_at", started_ms + 1) > started_ms for row in ended)
        return removed

    def _in_source(self, name: str, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return rows of the source: all of it where no two rows share a value, else their key alone."""
        if not self._source.has(name):
            return {}
        table = table_named(self._source.tables, name)
        columns = self._source.columns(table) if definition_of(table).unique else list(table.primary_key)
        query = select(*columns).where(self._wanted(name), has_key(self._source.dialect, table, keys))
        return by_key(table, self._source.rows(query))


def _is_kept(there: Row | None, row: Row) -> bool:
    return there is not None and all(row[name] == value for name, value in there.items())


def _parts(table: Table) -> Sequence[Callable[[Row], bool]]:
    """Return what is copied in turn: a linked user names one who has to be there.

    Not as conditions of the query: with them, PostgreSQL sorts the whole table for each batch.
    """
    if definition_of(table) is not USERS:
        return [lambda _: True]
    return [_is_primary, lambda row: not _is_primary(row)]


def _is_primary(row: Row) -> bool:
    return row["user_id"] == row["primary_or_recipe_user_id"]


def _tables_like(source: Source) -> tuple[TableDefinition, ...]:
    """Return the tables of the destination: those that every database has, and what else the source has."""
    of_users = USER_TABLES if source.users.can_be_copied else ()
    return (*ALL_TABLES, *of_users, *(one for one in OF_FEATURES if source.has(one.name)))


def _check_layout(database: Database) -> None:
    """Have a database refused that a core keeps users in, in tables of its own."""
    layout = UserLayout(database.tables, database.settings.migration_mode)

    def check(connection: Connection, _: Tables) -> None:
        layout.learn(connection)
        if layout.mode != "LEGACY":
            raise ConfigError(
                f"{database.location.name} has users in the tables of SuperTokens core 12 "
                f"(migration_mode {layout.mode}), which an import does not write: "
                "import into an empty database"
            )

    database.also_check(check)


@contextmanager
def open_transfer(
    origin: Origin, destination_uri: str, settings: ResolvedEngineConfig, *, batch: int
) -> Generator[Transfer]:
    """Open both databases for a copy of `batch` rows per transaction; nothing is written before `begin`.

    Raises:
        ConfigError: a URI cannot work, both are the same database, or the keys of the source cannot be read.
        EngineUnavailableError: a database cannot be reached or read; from within the block as well.
    """
    try:
        with (
            closing(open_source(origin.uri, schema=origin.schema, prefix=origin.prefix)) as source,
            closing(Database(destination_uri, settings, _tables_like(source))) as database,
        ):
            if source.name == database.location.name and origin.schema == settings.table_schema:
                raise ConfigError(
                    "both are the same database: it can be used in place, nothing needs to be copied"
                )
            source.open_keys(settings)
            if source.users.can_be_copied:
                _check_layout(database)
            yield Transfer(source, Destination(database, batch=batch), batch=batch)
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise EngineUnavailableError(f"the database to copy from cannot be used: {reason}") from error
