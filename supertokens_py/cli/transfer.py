"""Copying sessions and everything around them from one database to another, in batches that can be resumed.

How far it came stands in the destination, written together with each batch, so that an interrupted
run goes on exactly there. A finished copy can be repeated until the application uses the destination.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, func, literal, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.embedded.database import Database
from supertokens_py.engine.embedded.key_material import AtRest, dynamic_kid
from supertokens_py.engine.embedded.tables import Tables
from supertokens_py.exceptions import ConfigError

from .output import counted
from .source import Source

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, RowMapping, Table

MARKER = "supertokens_py_import"
_MASTER_KEY = "refresh_token_key"


@dataclass(slots=True)
class Copied:
    """What became of one table."""

    table: str
    source: int
    copied: int = 0
    verified: int = 0


@dataclass(slots=True)
class Mark:
    """How far copying came, as the destination remembers it."""

    source: str
    started_ms: int
    finished_ms: int | None = None
    table: str | None = None
    after: list[Any] | None = None
    previous_ms: int | None = None  #: when the run before this one began


class Transfer:
    """One copy from a source to a destination. A class because batches share their marker and counts."""

    def __init__(
        self, source: Source, destination: Database, *, batch: int, encryption_key: str | None
    ) -> None:
        self._source = source
        self._destination = destination
        self._batch = batch
        self._at_rest = AtRest(encryption_key)
        self._now_ms = destination.settings.now_ms
        self._mark = Mark(source=source.name, started_ms=self._now_ms())

    @property
    def resumes(self) -> bool:
        """Whether an earlier run was interrupted."""
        return self._mark.table is not None

    def begin(self) -> None:
        """Read the marker, and refuse what would undo the work of a running application.

        Raises:
            ConfigError: the destination has another refresh key in use, or is in use already.
        """
        self._destination.read(self._read_mark)
        master = self._source.read(lambda c: c.scalar(self._master(self._source.tables)))
        self._destination.write(lambda c: self._copy_master(c, master))

    def counts(self) -> list[Copied]:
        """Return every table to copy, with the number of its rows in the source."""
        result: list[Copied] = []
        for name, table, condition in self._plan():
            query = select(func.count()).select_from(table).where(condition)
            result.append(Copied(name, self._source.read(lambda c, q=query: c.scalar(q)) or 0))
        return result

    def run(self, counts: Sequence[Copied], advance: Callable[[Copied, int], None]) -> None:
        """Copy every table; those that an interrupted run had finished count as done."""
        plan = list(self._plan())
        names = [name for name, _, _ in plan]
        reached = names.index(self._mark.table) if self._mark.table in names else 0
        for index, ((name, table, condition), count) in enumerate(zip(plan, counts, strict=True)):
            if index < reached:
                count.copied = count.verified = count.source
                advance(count, count.source)
                continue
            after = self._mark.after if name == self._mark.table else None
            if after:
                done = self._source.read(
                    lambda c, t=table, w=condition, a=after: self._count_until(c, t, w, a)
                )
                count.copied = count.verified = done
                advance(count, done)
            for rows in self._batches(table, condition, after):
                key = [rows[-1][column.name] for column in table.primary_key]
                verified = self._destination.write(
                    lambda c, n=name, r=rows, k=key: self._write_batch(c, n, r, k)
                )
                count.copied += len(rows)
                count.verified += verified
                advance(count, len(rows))

    def finish(self) -> int:
        """End what ended in the source since the run before; return how many sessions that were."""
        ended = 0 if self._mark.previous_ms is None else self._prune(self._mark.previous_ms)
        self._mark.table = self._mark.after = None
        self._mark.finished_ms = self._now_ms()
        self._destination.write(self._write_mark)
        return ended

    def notes(self) -> list[str]:
        """Return what the operator should know about rows that stay behind."""
        return self._source.read(lambda c: list(self._notes(c)))

    # Plan

    def _plan(self) -> Iterator[tuple[str, Table, ColumnElement[bool]]]:
        tables = self._source.tables
        ordered = [
            ("tenants", tables.tenants),
            ("tenant_configs", tables.tenant_configs),
            ("tenant_first_factors", tables.first_factors),
            ("tenant_required_secondary_factors", tables.required_secondary_factors),
            ("session_access_token_signing_keys", tables.dynamic_keys),
            ("jwt_signing_keys", tables.static_keys),
            ("roles", tables.roles),
            ("role_permissions", tables.role_permissions),
            ("user_roles", tables.user_roles),
            ("user_metadata", tables.user_metadata),
            ("user_last_active", tables.last_active),
            ("session_info", tables.sessions),
        ]
        for name, table in ordered:
            if not self._source.has(table):
                continue
            condition: ColumnElement[bool] = table.c.app_id == DEFAULT_APP_ID
            if "connection_uri_domain" in table.c:
                condition = and_(condition, table.c.connection_uri_domain == "")
            if table is tables.sessions:
                condition = and_(condition, table.c.expires_at > self._mark.started_ms)
            yield name, table, condition

    def _target(self, name: str) -> Table:
        prefix = self._destination.tables.prefix
        return next(table for table in self._destination.tables.all() if table.name == prefix + name)

    # Rows

    def _batches(
        self, table: Table, condition: ColumnElement[bool], after: list[Any] | None
    ) -> Iterator[Sequence[RowMapping]]:
        key = list(table.primary_key)
        while True:
            query = select(*self._source.selected(table)).where(condition).order_by(*key).limit(self._batch)
            if after is not None:
                query = query.where(tuple_(*key) > tuple_(*map(literal, after)))
            rows: Sequence[RowMapping] = self._source.read(lambda c, q=query: c.execute(q).mappings().all())
            if not rows:
                return
            after = [rows[-1][column.name] for column in key]
            yield rows

    def _count_until(
        self, connection: Connection, table: Table, condition: ColumnElement[bool], after: list[Any]
    ) -> int:
        passed = tuple_(*table.primary_key) <= tuple_(*map(literal, after))
        return connection.scalar(select(func.count()).select_from(table).where(condition, passed)) or 0

    def _write_batch(
        self, connection: Connection, name: str, rows: Sequence[RowMapping], key: list[Any]
    ) -> int:
        table = self._target(name)
        values = [self._stored(name, dict(row)) for row in rows]
        connection.execute(self._upsert(name, table), values)
        keys = [column.name for column in table.primary_key]
        wanted = [tuple(value[column] for column in keys) for value in values]
        present = select(func.count()).select_from(table).where(tuple_(*table.primary_key).in_(wanted))
        self._mark.table, self._mark.after, self._mark.finished_ms = name, key, None
        self._write_mark(connection)
        return connection.scalar(present) or 0

    def _stored(self, name: str, row: dict[str, Any]) -> dict[str, Any]:
        if name == "session_access_token_signing_keys":
            row["value"] = self._at_rest.protect(row["value"], label=dynamic_kid(row["created_at_time"]))
        elif name == "jwt_signing_keys":
            row["key_string"] = self._at_rest.protect(row["key_string"], label=row["key_id"])
        return row

    def _upsert(self, name: str, table: Table) -> Any:
        is_sqlite = self._destination.location.is_sqlite
        statement: Any = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
        keys = [column.name for column in table.primary_key]
        others = {
            column.name: statement.excluded[column.name] for column in table.c if column.name not in keys
        }
        if not others or name in ("tenants", "session_access_token_signing_keys", "jwt_signing_keys"):
            return statement.on_conflict_do_nothing()
        newer = None
        if name == "session_info":
            # Whichever side rotated last has the later end; the other's tokens are stale.
            newer = statement.excluded.expires_at >= table.c.expires_at
        return statement.on_conflict_do_update(index_elements=keys, set_=others, where=newer)

    def _prune(self, before_ms: int) -> int:
        """Delete sessions that an earlier run brought and that are no longer in the source."""
        own, theirs = self._destination.tables.sessions, self._source.tables.sessions
        after, ended = "", 0
        while True:
            query = (
                select(own.c.tenant_id, own.c.session_handle)
                .where(own.c.app_id == DEFAULT_APP_ID, own.c.created_at_time < before_ms)
                .where(own.c.session_handle > after)
                .order_by(own.c.session_handle)
                .limit(self._batch)
            )
            keys = [tuple(row) for row in self._destination.read(lambda c, q=query: c.execute(q).all())]
            if not keys:
                return ended
            after = keys[-1][1]
            handles = [handle for _, handle in keys]
            query = select(theirs.c.session_handle).where(
                theirs.c.app_id == DEFAULT_APP_ID, theirs.c.session_handle.in_(handles)
            )
            present = set(self._source.read(lambda c, q=query: c.execute(q).scalars().all()))
            gone = [handle for handle in handles if handle not in present]
            if gone:
                statement = own.delete().where(own.c.app_id == DEFAULT_APP_ID, own.c.session_handle.in_(gone))
                ended += self._destination.write(lambda c, s=statement: c.execute(s).rowcount)

    # Keys and marker

    def _master(self, tables: Tables) -> Any:
        values = tables.key_value
        return select(values.c.value).where(
            values.c.app_id == DEFAULT_APP_ID,
            values.c.tenant_id == DEFAULT_TENANT_ID,
            values.c.name == _MASTER_KEY,
        )

    def _copy_master(self, connection: Connection, master: str | None) -> None:
        if master is None:
            return
        tables = self._destination.tables
        own = connection.scalar(self._master(tables))
        if own is not None and self._at_rest.reveal(own, label=_MASTER_KEY) == master:
            return
        if own is not None and connection.execute(select(tables.sessions.c.session_handle).limit(1)).first():
            raise ConfigError(
                f"{self._destination.location.name} has sessions of its own, made with another key: "
                "import into an empty database"
            )
        self._put_value(connection, _MASTER_KEY, self._at_rest.protect(master, label=_MASTER_KEY))

    def _read_mark(self, connection: Connection) -> None:
        tables = self._destination.tables
        query = select(tables.key_value.c.value).where(
            tables.key_value.c.app_id == DEFAULT_APP_ID, tables.key_value.c.name == MARKER
        )
        text = connection.scalar(query)
        if text is None:
            return
        known = Mark(**json.loads(text))
        if known.source != self._source.name:
            raise ConfigError(f"{self._destination.location.name} was imported from {known.source} before")
        if known.finished_ms is None:
            self._mark = known
            return
        self._refuse_if_in_use(connection, known.finished_ms)
        self._mark.previous_ms = known.started_ms

    def _refuse_if_in_use(self, connection: Connection, since_ms: int) -> None:
        own, theirs = self._destination.tables.sessions, self._source.tables.sessions
        newest = connection.execute(
            select(own.c.session_handle)
            .where(own.c.app_id == DEFAULT_APP_ID, own.c.created_at_time > since_ms)
            .order_by(own.c.created_at_time.desc())
            .limit(1)
        ).scalar()
        query = select(func.count()).select_from(theirs).where(theirs.c.session_handle == newest)
        if newest is not None and not self._source.read(lambda c: c.scalar(query)):
            raise ConfigError(
                f"{self._destination.location.name} is in use: sessions were created in it since the import, "
                "and importing again would bring back sessions that have ended"
            )

    def _write_mark(self, connection: Connection) -> None:
        mark = {name: getattr(self._mark, name) for name in Mark.__slots__}
        self._put_value(connection, MARKER, json.dumps(mark))

    def _put_value(self, connection: Connection, name: str, value: str) -> None:
        table = self._destination.tables.key_value
        is_sqlite = self._destination.location.is_sqlite
        statement: Any = sqlite.insert(table) if is_sqlite else postgresql.insert(table)
        row = {"app_id": DEFAULT_APP_ID, "tenant_id": DEFAULT_TENANT_ID, "name": name}
        row |= {"value": value, "created_at_time": self._now_ms()}
        keys = [column.name for column in table.primary_key]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"value": value}), row)

    def _notes(self, connection: Connection) -> Iterator[str]:
        sessions = self._source.tables.sessions
        others = connection.scalar(
            select(func.count()).select_from(sessions).where(sessions.c.app_id != DEFAULT_APP_ID)
        )
        if others:
            yield f"not copied, for one database serves one app: {counted(others, 'session')} of other apps"
        values = self._source.tables.key_value
        if connection.scalar(select(func.count()).where(values.c.name == "access_token_signing_key")):
            yield "a signing key of the oldest form is not copied: start a newer core once, which moves it"
        for name, what in (
            (
                "app_id_to_user_id",
                "users and their log-in methods are not copied: sessions carry the ids in session_info",
            ),
            (
                "userid_mapping",
                "the user id mapping is not copied: sessions keep the ids that the application gave",
            ),
        ):
            if self._source.has_named(name):
                yield what
