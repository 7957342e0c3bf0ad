"""Make a destination equal to a source: what the source no longer has is removed, the rest is copied.

A digest over every copied row stands in the destination, written in the same transaction as each batch.
Before a run it is compared with what is there: any difference is a write of the destination's own, such as a
sign-out, which importing again would undo. An interrupted run is simply repeated: rows that arrived are left
alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.embedded.at_rest import AtRest
from supertokens_py.engine.embedded.database import Database
from supertokens_py.engine.embedded.key_rows import KeyRows
from supertokens_py.exceptions import ConfigError

from .rows import (
    COPIED_TABLES,
    DATA_TABLES,
    Key,
    Row,
    StoredForm,
    batches,
    changed_digest,
    digest_of,
    key_of,
    own_rows,
    rows_with,
    table_named,
)
from .source import Source

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Table

MARKER = "supertokens_py_import"
_MASTER_KEY = "refresh_token_key"


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
    users: bool
    user_id_mapping: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What the destination remembers of the last run; `digest` covers every copied row in it."""

    source: str
    started_ms: int
    digest: str
    finished_ms: int | None = None


class Transfer:
    """One copy from a source to a destination. A class because batches share their marker and counts."""

    def __init__(self, source: Source, destination: Database, *, batch: int) -> None:
        self._source = source
        self._destination = destination
        self._batch = batch
        self._form = StoredForm(AtRest(destination.settings, None))
        self._started_ms = destination.settings.now_ms()
        self._mark = Mark(source.name, self._started_ms, "")
        self.resumes = False  #: whether the run before was interrupted

    def begin(self) -> None:
        """Mark the destination as being imported into.

        Raises:
            ConfigError: the destination has data of its own, was imported from elsewhere, or was written to
                since it was imported.
        """
        rows = KeyRows(self._destination, self._destination.settings, self._destination.settings.now_ms)
        if self._destination.settings.encryption_key is not None:
            self._destination.write(rows.encrypt_all)
        self._form = StoredForm(self._destination.read(rows.at_rest))
        text: str | None = self._destination.read(lambda c: c.scalar(self._value_of(MARKER)))
        digest = format(self._present_digest(), "032x")
        if text is None:
            self._refuse_own_data()
        else:
            self._refuse_if_in_use(Mark(**json.loads(text)), digest)
        master = self._source.read(lambda c: c.scalar(self._source_master()))
        self._mark = replace(self._mark, digest=digest)

        def unit(connection: Connection) -> None:
            if master is not None:
                self._put_master(connection, master)
            if text is None:
                self._put_value(connection, MARKER, _written(self._mark))
            else:
                self._replace_mark(connection, text, self._mark)

        self._destination.write(unit)

    def counts(self) -> list[Copied]:
        """Return every table to copy, with the number of its rows in the source."""
        result: list[Copied] = []
        for name in COPIED_TABLES:
            table = table_named(self._source.tables, name)
            if self._source.has(table):
                query = select(func.count()).select_from(table).where(self._wanted(name))
                result.append(Copied(name, self._source.read(lambda c, q=query: c.scalar(q)) or 0))
        return result

    def run(self, counts: Sequence[Copied], advance: Callable[[Copied, int], None]) -> None:
        """Remove what the source no longer has, children first; then copy, parents first.

        In this order an interrupted run has already taken away what was taken away at the source.
        """
        by_table = {count.table: count for count in counts}
        for name in reversed(COPIED_TABLES):
            removed = self._prune(name)
            if name in by_table:
                by_table[name].removed = removed
        for count in counts:
            table = table_named(self._source.tables, count.table)
            columns = self._source.selected(table)
            for rows in batches(
                self._source.read, table, columns, self._wanted(count.table), size=self._batch
            ):
                count.verified += self._write(lambda c, n=count.table, r=rows: self._write_batch(c, n, r))
                count.copied += len(rows)
                advance(count, len(rows))

    def finish(self) -> None:
        """Mark the copy as complete."""
        done = replace(self._mark, finished_ms=self._destination.settings.now_ms())
        self._write(lambda c: (done, 0))

    def left_behind(self) -> LeftBehind:
        """Return what the source has and the destination does not get."""
        return self._source.read(self._left_behind)

    # Rows

    def _wanted(self, name: str) -> ColumnElement[bool]:
        table = table_named(self._source.tables, name)
        if name == "session_info":
            return and_(own_rows(table), table.c.expires_at > self._started_ms)
        return own_rows(table)

    def _target(self, name: str) -> Table:
        return table_named(self._destination.tables, name)

    def _prune(self, name: str) -> int:
        """Delete the rows of a table that the source does not have; return how many had not expired."""
        table, removed = self._target(name), 0
        for rows in batches(self._destination.read, table, list(table.c), own_rows(table), size=self._batch):
            found = {key_of(table, row): row for row in rows}
            kept = self._in_source(name, list(found))
            gone = {key: row for key, row in found.items() if key not in kept}
            gone.pop((DEFAULT_APP_ID, DEFAULT_TENANT_ID), None)  # the public tenant always exists
            if gone:
                self._write(lambda c, g=gone: self._delete(c, name, g))
            removed += sum(
                row.get("expires_at", self._started_ms + 1) > self._started_ms for row in gone.values()
            )
        return removed

    def _in_source(self, name: str, keys: Sequence[Key]) -> set[Key]:
        table = table_named(self._source.tables, name)
        if not self._source.has(table):
            return set()
        query = select(*table.primary_key).where(self._wanted(name), tuple_(*table.primary_key).in_(keys))
        return {tuple(row) for row in self._source.read(lambda c: c.execute(query).all())}

    def _delete(self, connection: Connection, name: str, gone: dict[Key, Row]) -> tuple[Mark, int]:
        table = self._target(name)
        connection.execute(delete(table).where(tuple_(*table.primary_key).in_(list(gone))))
        return self._marked(removed=digest_of(name, gone.values())), len(gone)

    def _write_batch(self, connection: Connection, name: str, rows: Sequence[Row]) -> tuple[Mark, int]:
        """Make the destination's rows equal to those of the source; return how many are."""
        table = self._target(name)
        wanted = {key_of(table, row): dict(row) for row in rows}
        present = rows_with(connection, table, wanted)
        stale = [key for key, row in wanted.items() if not self._is_equal(name, present.get(key), row)]
        mark = self._mark
        if stale:
            before = digest_of(name, (present[key] for key in stale if key in present))
            values = [self._form.stored(name, wanted[key]) for key in stale]
            connection.execute(self._upsert(table), values)
            written = rows_with(connection, table, stale)
            mark = self._marked(removed=before, added=digest_of(name, written.values()))
            present |= written
        return mark, sum(self._is_equal(name, present.get(key), row) for key, row in wanted.items())

    def _is_equal(self, name: str, present: Row | None, wanted: Row) -> bool:
        return present is not None and self._form.plain(name, present) == wanted

    def _upsert(self, table: Table) -> Any:
        statement: Any = self._insert(table)
        keys = [column.name for column in table.primary_key]
        others = {
            column.name: statement.excluded[column.name] for column in table.c if column.name not in keys
        }
        if not others:
            return statement.on_conflict_do_nothing()
        return statement.on_conflict_do_update(index_elements=keys, set_=others)

    def _insert(self, table: Table) -> Any:
        return (sqlite if self._destination.location.is_sqlite else postgresql).insert(table)

    # Marker

    def _write(self, work: Callable[[Connection], tuple[Mark, int]]) -> int:
        """Run one transaction that also writes the marker, if that changed."""
        current = self._mark

        def unit(connection: Connection) -> tuple[Mark, int]:
            mark, result = work(connection)
            if mark != current:
                self._replace_mark(connection, _written(current), mark)
            return mark, result

        self._mark, result = self._destination.write(unit)
        return result

    def _marked(self, *, removed: int = 0, added: int = 0) -> Mark:
        digest = changed_digest(int(self._mark.digest, 16), removed=removed, added=added)
        return replace(self._mark, digest=format(digest, "032x"))

    def _present_digest(self) -> int:
        total = 0
        for name in COPIED_TABLES:
            table = self._target(name)
            for rows in batches(
                self._destination.read, table, list(table.c), own_rows(table), size=self._batch
            ):
                total = changed_digest(total, added=digest_of(name, rows))
        return total

    def _refuse_own_data(self) -> None:
        for name in DATA_TABLES:
            table = self._target(name)
            query = select(*table.primary_key).where(own_rows(table)).limit(2)
            keys = {tuple(row) for row in self._destination.read(lambda c, q=query: c.execute(q).all())}
            if keys - {(DEFAULT_APP_ID, DEFAULT_TENANT_ID)}:
                raise ConfigError(
                    f"{self._destination.location.name} has data of its own (table {table.name}): "
                    "import into an empty database"
                )

    def _refuse_if_in_use(self, known: Mark, digest: str) -> None:
        name = self._destination.location.name
        if known.source != self._source.name:
            raise ConfigError(f"{name} was imported from {known.source} before")
        if known.digest != digest:
            raise ConfigError(
                f"{name} is in use: it was written to since the import, and importing again would undo that, "
                "for example bring back sessions that have ended. Import into an empty database"
            )
        self.resumes = known.finished_ms is None

    def _replace_mark(self, connection: Connection, before: str, mark: Mark) -> None:
        values = self._destination.tables.key_value
        statement = (
            update(values)
            .where(values.c.app_id == DEFAULT_APP_ID, values.c.name == MARKER, values.c.value == before)
            .values(value=_written(mark))
        )
        if connection.execute(statement).rowcount != 1:
            raise ConfigError(f"another import into {self._destination.location.name} is running")

    # Keys

    def _put_master(self, connection: Connection, master: str) -> None:
        own = connection.scalar(self._value_of(_MASTER_KEY))
        if own is None or self._form.plain_value(own, label=_MASTER_KEY) != master:
            self._put_value(connection, _MASTER_KEY, self._form.stored_value(master, label=_MASTER_KEY))

    def _source_master(self) -> Any:
        values = self._source.tables.key_value.c
        return select(values.value).where(
            values.app_id == DEFAULT_APP_ID,
            values.tenant_id == DEFAULT_TENANT_ID,
            values.name == _MASTER_KEY,
        )

    def _value_of(self, name: str) -> Any:
        values = self._destination.tables.key_value.c
        return select(values.value).where(
            values.app_id == DEFAULT_APP_ID, values.tenant_id == DEFAULT_TENANT_ID, values.name == name
        )

    def _put_value(self, connection: Connection, name: str, value: str) -> None:
        table = self._destination.tables.key_value
        row = {"app_id": DEFAULT_APP_ID, "tenant_id": DEFAULT_TENANT_ID, "name": name}
        row |= {"value": value, "created_at_time": self._started_ms}
        connection.execute(self._upsert(table), row)

    def _left_behind(self, connection: Connection) -> LeftBehind:
        sessions, values = self._source.tables.sessions, self._source.tables.key_value
        others = select(func.count()).select_from(sessions).where(sessions.c.app_id != DEFAULT_APP_ID)
        oldest = select(func.count()).where(values.c.name == "access_token_signing_key")
        return LeftBehind(
            sessions_of_other_apps=connection.scalar(others) or 0,
            oldest_signing_key=bool(connection.scalar(oldest)),
            users=self._source.has_named("app_id_to_user_id"),
            user_id_mapping=self._source.has_named("userid_mapping"),
        )


def _written(mark: Mark) -> str:
    return json.dumps(asdict(mark))
