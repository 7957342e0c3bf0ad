"""The database that an import copies into, and the mark of the last import in it.

The mark holds a digest over every copied row, written in the same transaction as each batch. Before a run it
is compared with what is there: any difference is a write of the destination's own, such as a sign-out, which
importing again would undo.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.embedded.keys.key_cipher import AtRest
from supertokens_py.engine.embedded.keys.key_encryption import encrypt_keys
from supertokens_py.engine.embedded.keys.key_rows import EARLIER_MASTER_KEY, KEY_LOCK, MASTER_KEY, KeyRows
from supertokens_py.engine.embedded.storage.database import Database
from supertokens_py.engine.embedded.storage.dialects import insert_new, upsert
from supertokens_py.engine.embedded.storage.tables import KEY_VALUE, definition_of
from supertokens_py.exceptions import ConfigError, EngineUnavailableError

from .counters import raise_counter
from .dependents import rows_below
from .rows import (
    Key,
    Query,
    Row,
    StoredForm,
    batches,
    by_key,
    changed_digest,
    copied_columns,
    copied_rows,
    copied_tables,
    digest_of,
    has_key,
    key_of,
    rows_of,
    table_named,
)

if TYPE_CHECKING:
    from sqlalchemy import Table

MARKER = "supertokens_py_import"
_PUBLIC_TENANT = (DEFAULT_APP_ID, DEFAULT_TENANT_ID)  #: in a row of table tenants, which always exists


@dataclass(frozen=True, slots=True)
class Mark:
    """What the destination remembers of the last run; `digest` covers every copied row in it."""

    source: str
    started_ms: int
    digest: str
    finished_ms: int | None = None
    master_key: str | None = None  #: digest of the key of refresh tokens; None: the source had none

    def changed(self, *, removed: int, added: int) -> Mark:
        """Return the mark after rows with these digests were removed and added."""
        digest = changed_digest(int(self.digest, 16), removed=removed, added=added)
        return replace(self, digest=format(digest, "032x"))

    def as_text(self) -> str:
        return json.dumps(asdict(self))


class Destination:
    """The database to copy into. A class because all batches of a run share the mark.

    Args:
        database: where to copy to; it stays open when the import is over.
        batch: rows per transaction.
    """

    def __init__(self, database: Database, *, batch: int) -> None:
        self.name: str = database.location.name
        self.mark: Mark = Mark("", database.settings.now_ms(), "")
        self.resumes: bool = False  #: whether the run before was interrupted
        #: The names of the tables to copy that are made here, parents first.
        self.tables: list[str] = copied_tables(database.tables)
        self._database = database
        self._batch = batch
        self._form = StoredForm(AtRest(database.settings, None))

    def begin(self, source_name: str, master_keys: Mapping[str, str]) -> None:
        """Mark the database as being imported into, and take over the keys of refresh tokens.

        Raises:
            ConfigError: the database has data of its own, was imported from elsewhere, was written to
                since it was imported, or has keys that the settings cannot read.
        """
        self._learn_form()
        before: str | None = self._database.read(lambda connection: self._value(connection, MARKER))
        digest = self._digest()
        if before is None:
            self._refuse_own_data()
        else:
            self._refuse_if_in_use(Mark(**json.loads(before)), source_name, digest)
        if self._encrypt_keys():
            digest = self._digest()
        master_key = _fingerprint(master_keys.get(MASTER_KEY))
        self.mark = replace(self.mark, source=source_name, digest=digest, master_key=master_key)

        def write(connection: Connection) -> None:
            self._database.lock(connection, KEY_LOCK)
            self._put_master_keys(connection, master_keys)
            if before is None:
                self._put_value(connection, MARKER, self.mark.as_text())
            else:
                self._replace_mark(connection, before, self.mark)

        self._database.write(write)

    def finish(self) -> None:
        """Mark the copy as complete."""
        done = replace(self.mark, finished_ms=self._database.settings.now_ms())
        self._database.write(lambda connection: self._replace_mark(connection, self.mark.as_text(), done))
        self.mark = done

    def batches(self, name: str) -> Iterable[dict[Key, Row]]:
        """Yield the rows of a table by their primary keys."""
        table = self._table(name)
        query = select(*copied_columns(table)).where(copied_rows(table))
        for rows in batches(self._rows, query, table, size=self._batch):
            yield by_key(table, rows)

    def remove_rows(self, name: str, gone: Mapping[Key, Row]) -> dict[Key, Row]:
        """Delete rows, except that of the public tenant; return those that were deleted."""
        table = self._table(name)
        deleted = {key: row for key, row in gone.items() if key != _PUBLIC_TENANT}

        def work(connection: Connection) -> tuple[Mark, int]:
            tables = [self._table(one) for one in self.tables]
            below = rows_below(connection, tables, table, deleted)
            connection.execute(delete(table).where(has_key(connection.dialect, table, deleted)))
            digest = digest_of(name, deleted.values()) + sum(
                digest_of(definition_of(one).name, rows.values()) for one, rows in below.items()
            )
            return self.mark.changed(removed=digest, added=0), len(deleted)

        if deleted:
            self._write(work)
        return deleted

    def write_rows(self, name: str, rows: Sequence[Row]) -> int:
        """Make rows equal to those of the source; return how many are, as read back before the commit."""
        if not rows:
            return 0
        table = self._table(name)
        wanted = {key_of(table, row): dict(row) for row in rows}

        def work(connection: Connection) -> tuple[Mark, int]:
            present = rows_with(connection, table, wanted)
            stale = [key for key, row in wanted.items() if not self._is_equal(name, present.get(key), row)]
            if not stale:
                return self.mark, len(wanted)
            connection.execute(self._upsert(table), [self._form.stored(name, wanted[key]) for key in stale])
            written = rows_with(connection, table, stale)
            mark = self.mark.changed(
                removed=digest_of(name, (present[key] for key in stale if key in present)),
                added=digest_of(name, written.values()),
            )
            present |= written
            return mark, sum(self._is_equal(name, present.get(key), row) for key, row in wanted.items())

        try:
            return self._write(work)
        except IntegrityError as error:
            raise EngineUnavailableError(
                f"{self.name} refuses a row of table {name}: {error.orig}"
            ) from error

    def count_from(self, name: str, number: int) -> None:
        """Have a table give no number again that the source gave."""
        self._database.write(lambda connection: raise_counter(connection, self._table(name), number))

    def _write(self, work: Callable[[Connection], tuple[Mark, int]]) -> int:
        """Run one transaction that also writes the mark, if that changed."""

        def unit(connection: Connection) -> tuple[Mark, int]:
            mark, result = work(connection)
            if mark != self.mark:
                self._replace_mark(connection, self.mark.as_text(), mark)
            return mark, result

        self.mark, result = self._database.write(unit)
        return result

    def _is_equal(self, name: str, present: Row | None, wanted: Row) -> bool:
        return present is not None and self._form.plain(name, present) == wanted

    def _rows(self, query: Query) -> Sequence[Row]:
        return self._database.read(lambda connection: rows_of(connection, query))

    def _table(self, name: str) -> Table:
        return table_named(self._database.tables, name)

    def _upsert(self, table: Table) -> Any:
        is_sqlite, key = self._database.location.is_sqlite, set(table.primary_key)
        others = [column.name for column in copied_columns(table) if column not in key]
        return (
            upsert(table, *others, is_sqlite=is_sqlite) if others else insert_new(table, is_sqlite=is_sqlite)
        )

    # The mark

    def _digest(self) -> str:
        total = 0
        for name in self.tables:
            for rows in self.batches(name):
                total = changed_digest(total, added=digest_of(name, rows.values()))
        return format(total, "032x")

    def _refuse_own_data(self) -> None:
        # In which a destination in use has rows: keys are made by a mere start.
        for name in (one for one in self.tables if not one.endswith("signing_keys")):
            table = self._table(name)
            query = select(*copied_columns(table)).where(copied_rows(table)).limit(2)
            if by_key(table, self._rows(query)).keys() - {_PUBLIC_TENANT}:
                raise ConfigError(
                    f"{self.name} has data of its own (table {table.name}): import into an empty database, "
                    "and start the application on it afterwards. What is in this one is in the way, and "
                    "nothing was written to it"
                )

    def _refuse_if_in_use(self, known: Mark, source_name: str, digest: str) -> None:
        if known.source != source_name:
            raise ConfigError(f"{self.name} was imported from {known.source} before")
        if known.digest != digest or known.master_key not in (None, self._master_fingerprint()):
            raise ConfigError(
                f"{self.name} is in use: it was written to since the import, and importing again would undo "
                "that, for example bring back sessions that have ended. Import into an empty database"
            )
        self.resumes = known.finished_ms is None

    def _replace_mark(self, connection: Connection, before: str, mark: Mark) -> None:
        values = self._database.tables[KEY_VALUE]
        statement = (
            update(values)
            .where(values.c.app_id == DEFAULT_APP_ID, values.c.name == MARKER, values.c.value == before)
            .values(value=mark.as_text())
        )
        if connection.execute(statement).rowcount != 1:
            raise ConfigError(f"another import into {self.name} is running")

    # Keys

    def _learn_form(self) -> KeyRows:
        settings = self._database.settings
        rows = KeyRows(self._database, settings, settings.now_ms)
        try:
            self._form = StoredForm(self._database.read(rows.at_rest))
        except ConfigError as error:
            raise ConfigError(f"cannot copy into {self.name}: {error}") from error
        return rows

    def _encrypt_keys(self) -> int:
        """Encrypt what is not, where the settings say so; return how many keys were not."""
        changed = 0
        if self._database.settings.encryption_key is not None:
            changed = encrypt_keys(self._database, self._learn_form())
            self._learn_form()
        return changed

    def _master_fingerprint(self) -> str | None:
        stored = self._database.read(lambda connection: self._value(connection, MASTER_KEY))
        return None if stored is None else _fingerprint(self._form.plain_value(stored, label=MASTER_KEY))

    def _put_master_keys(self, connection: Connection, wanted: Mapping[str, str]) -> None:
        """Make the keys of refresh tokens those of the source; without any there, the own one stays."""
        values = self._database.tables[KEY_VALUE]
        is_earlier = values.c.name.startswith(EARLIER_MASTER_KEY, autoescape=True)
        is_own = (values.c.app_id == DEFAULT_APP_ID, values.c.tenant_id == DEFAULT_TENANT_ID)
        connection.execute(delete(values).where(*is_own, is_earlier, values.c.name.not_in(list(wanted))))
        for name, text in wanted.items():
            stored = self._value(connection, name)
            if stored is None or self._form.plain_value(stored, label=name) != text:
                self._put_value(connection, name, self._form.stored_value(text, label=name))

    def _value(self, connection: Connection, name: str) -> Any:
        values = self._database.tables[KEY_VALUE].c
        query = select(values.value).where(
            values.app_id == DEFAULT_APP_ID, values.tenant_id == DEFAULT_TENANT_ID, values.name == name
        )
        return connection.scalar(query)

    def _put_value(self, connection: Connection, name: str, value: str) -> None:
        row = {"app_id": DEFAULT_APP_ID, "tenant_id": DEFAULT_TENANT_ID, "name": name, "value": value}
        statement = self._upsert(self._database.tables[KEY_VALUE])
        connection.execute(statement, {**row, "created_at_time": self.mark.started_ms})


def rows_with(connection: Connection, table: Table, keys: Iterable[Key]) -> dict[Key, Row]:
    """Return the rows that have one of the primary keys."""
    query = select(*copied_columns(table)).where(has_key(connection.dialect, table, keys))
    return by_key(table, rows_of(connection, query))


def _fingerprint(master_key: str | None) -> str | None:
    """Return what recognises a key without giving it away; it is random, so nobody can guess it from this."""
    return None if master_key is None else sha256(b"supertokens_py import:" + master_key.encode()).hexdigest()
