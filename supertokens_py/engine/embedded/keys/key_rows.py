"""The rows in which keys are stored: read, written, encrypted, renewed (engine: Signing keys)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import String, Text, bindparam, delete, insert, or_, select, update

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import SecretText, masked
from supertokens_py.types.numbers import whole_number

from ..session_state.refresh_tokens import MasterKey, new_master_key
from ..session_state.session_rows import SESSIONS
from ..storage.broken_rules import looking_again
from ..storage.dialects import insert_new, upsert
from ..storage.tables import (
    APPS,
    KEY_VALUE,
    OPTIONAL_TEXT,
    OPTIONAL_TIME,
    PUBLIC_ID,
    TIME,
    ColumnKind,
    TableDefinition,
)
from .key_cipher import ENCRYPTED_PREFIX, MARK, AtRest, renewed_mark
from .key_material import (
    NEVER_MADE_MS,
    SigningKey,
    due_ms,
    dynamic_kid,
    lifetime_ms,
    new_key_text,
    parse_key,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

    from ..storage.database import Database

DYNAMIC_KEYS = TableDefinition(
    name="session_access_token_signing_keys",
    columns={"app_id": PUBLIC_ID, "created_at_time": TIME, "value": OPTIONAL_TEXT},
    key=("app_id", "created_at_time"),
    parent=APPS,
)
STATIC_KEYS = TableDefinition(
    name="jwt_signing_keys",
    columns={
        "app_id": PUBLIC_ID,
        "key_id": ColumnKind(String(255)),
        "key_string": ColumnKind(Text()),
        "algorithm": ColumnKind(String(10)),
        "created_at": OPTIONAL_TIME,
    },
    key=("app_id", "key_id"),
    parent=APPS,
)

#: Purpose of the lock under which keys are made, renewed and encrypted.
KEY_LOCK = "signing keys"
MASTER_KEY = "refresh_token_key"
#: Row of the time of the last restore (Unix ms), as an operator said it.
RESTORED = "supertokens_py_restored_at"
#: Rows of earlier master keys; the name ends with the time until which they are accepted (Unix ms).
EARLIER_MASTER_KEY = "supertokens_py_refresh_token_key_until_"


@dataclass(frozen=True, slots=True, eq=False)
class StoredKeys:
    """The keys as they were read at one moment, newest first."""

    dynamic: Sequence[SigningKey]
    static: Sequence[SigningKey]
    master: MasterKey | None
    is_encrypted: bool  #: as the settings ask for it
    restored_ms: int | None  #: when the database was last restored from a back-up

    def due_ms(self, settings: ResolvedEngineConfig) -> int:
        """Return after which time one of the keys that there must be has to be made."""
        if not self.static or self.master is None:
            return NEVER_MADE_MS
        return due_ms(self.dynamic, settings)


class KeyRows:
    """Reads and writes the rows of keys within units of work.

    It is a class because it owns the prepared statements and the keys parsed so far.
    """

    def __init__(
        self,
        database: Database,
        settings: ResolvedEngineConfig,
        now_ms: Callable[[], int],
        new_key: Callable[[], SecretText] = new_key_text,
    ) -> None:
        """`now_ms` is the time that keys go by, in Unix milliseconds; `new_key` makes an RSA pair."""
        self._new_key = new_key
        self._database = database
        self._settings = settings
        self._now_ms = now_ms
        self._parsed: dict[tuple[str, str], SigningKey] = {}
        self._at_rest: AtRest | None = None
        self._prepare_statements()

    def read(self, connection: Connection) -> StoredKeys:
        """Return the keys that verify or sign now.

        Raises:
            ConfigError: they are encrypted otherwise than the settings say.
        """
        now_ms = self._now_ms()
        values = self._values_of(connection)
        at_rest = self._known_at_rest(values.pop(MARK, None))
        restored = values.pop(RESTORED, None) or ""
        stored = [value for value in values.values() if value is not None]
        dynamic: list[SigningKey] = []
        oldest_ms = now_ms - lifetime_ms(self._settings)
        for created_ms, text in _hidden(connection.execute(self._select_dynamic, {"oldest": oldest_ms})):
            dynamic.append(self._key(at_rest, dynamic_kid(created_ms), created_ms, text))
            stored.append(text)
        static: list[SigningKey] = []
        for kid, created_ms, text in _hidden(connection.execute(self._select_static)):
            static.append(self._key(at_rest, kid, created_ms or 0, text))
            stored.append(text)
        is_encrypted = self._settings.encryption_key is None or (
            at_rest.is_own and all(map(at_rest.is_current, stored))
        )
        restored_ms = whole_number(restored)
        return StoredKeys(dynamic, static, self._master(at_rest, values), is_encrypted, restored_ms)

    def insert_dynamic(self, connection: Connection, *, after_ms: int = 0) -> str:
        """Make a dynamic key that is newer than `after_ms`; return its id."""
        created_ms = max(self._now_ms(), after_ms + 1)
        kid = dynamic_kid(created_ms)
        stored = self.at_rest(connection).protect(self._new_key(), label=kid)
        with looking_again():  # a core, which takes no lock of ours, may make one in this millisecond
            connection.execute(self._insert_dynamic, {"created_at_time": created_ms, "value": stored})
        return kid

    def insert_static(self, connection: Connection, *, after_ms: int = 0) -> str:
        """Make a static key that is newer than `after_ms`; return its id."""
        kid = f"s-{uuid4()}"
        row = {
            "key_id": kid,
            "key_string": self.at_rest(connection).protect(self._new_key(), label=kid),
            "created_at": max(self._now_ms(), after_ms + 1),
        }
        connection.execute(self._insert_static, row)
        return kid

    def insert_master(self, connection: Connection) -> None:
        """Make the master key if there is none.

        Raises:
            ConfigError: its row is there, and empty: tokens of a key that was lost must not be forgotten.
        """
        connection.execute(self._insert_master, self._new_master(connection))
        if self.read(connection).master is None:
            raise ConfigError(f"the row {MASTER_KEY!r} of table key_value holds no value")

    def renew_master(self, connection: Connection, *, accept_until_ms: int | None) -> None:
        """Replace the master key, and accept tokens of the one before until then; if None, no longer."""
        at_rest = self.at_rest(connection)
        values = self._values_of(connection)
        connection.execute(self._put_value, {**_OF_APP, "name": MASTER_KEY, **self._new_master(connection)})
        if accept_until_ms is None:
            connection.execute(self._delete_earlier_masters)
        elif (before := values.get(MASTER_KEY)) is not None:
            while (name := f"{EARLIER_MASTER_KEY}{accept_until_ms}") in values:
                accept_until_ms += 1  # one was renewed in this very millisecond
            text = at_rest.protect(at_rest.reveal(before, label=MASTER_KEY), label=name)
            row = {**_OF_APP, "name": name, "value": text, "created_at_time": self._now_ms()}
            connection.execute(insert(self._values), row)

    def delete_dynamic(self, connection: Connection, *, older_than_ms: int) -> int:
        """Delete dynamic keys; return how many there were."""
        return connection.execute(self._delete_older, {"oldest": older_than_ms}).rowcount

    def delete_static_but(self, connection: Connection, kid: str) -> None:
        """Delete every static key except one."""
        connection.execute(self._delete_static_but, {"kid": kid})

    def delete_expired_masters(self, connection: Connection, now_ms: int) -> None:
        """Delete earlier master keys that are accepted no more at that time."""
        for name in self._values_of(connection):
            if name.startswith(EARLIER_MASTER_KEY) and self._ends_ms(name) < now_ms:
                connection.execute(
                    delete(self._values).where(*_of_app(self._values), self._values.c.name == name)
                )

    def mark_restored(self, connection: Connection) -> int:
        """Note that the database was restored; return the time, by the clock that rotations go by."""
        now_ms = self._settings.now_ms()
        row = {**_OF_APP, "name": RESTORED, "value": str(now_ms), "created_at_time": now_ms}
        connection.execute(self._put_value, row)
        return now_ms

    def has_sessions(self, connection: Connection) -> bool:
        """Return whether there is a session."""
        sessions = self._database.tables[SESSIONS]
        query = select(sessions.c.session_handle).where(sessions.c.app_id == DEFAULT_APP_ID)
        return connection.execute(query.limit(1)).first() is not None

    def is_claimed(self, connection: Connection) -> bool:
        """Return whether keys were encrypted here before, so that no official core uses them any more."""
        at_rest = self.at_rest(connection)
        return at_rest.mark is not None or any(
            text.startswith(ENCRYPTED_PREFIX) for _, _, text in self._all(connection)
        )

    def encrypt_all(self, connection: Connection) -> int:
        """Encrypt every key with `encryption_key`, and mark the database; return how many were not.

        Raises:
            ConfigError: a key cannot be read with the configured secrets, or none is configured.
        """
        if self._is_sqlite:  # overwrite what is freed, so that no plain key stays in the file
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        before = self.at_rest(connection)
        mark = renewed_mark(self._settings, before.mark)
        after = AtRest(self._settings, mark)
        changed = 0
        for statement, label, stored in self._all(connection):
            if not before.is_current(stored):
                text = after.protect(before.reveal(stored, label=label), label=label)
                connection.execute(statement, {"text": text})
                changed += 1
        row = {**_OF_APP, "name": MARK, "value": mark, "created_at_time": self._now_ms()}
        connection.execute(self._put_value, row)
        return changed

    def _all(self, connection: Connection) -> Iterator[tuple[Any, str, str]]:
        """Yield for each stored key how to replace it (parameter `text`), its label and its stored text."""
        tables = self._database.tables
        dynamic, static, values = tables[DYNAMIC_KEYS], tables[STATIC_KEYS], tables[KEY_VALUE]
        own = (dynamic.c.app_id == DEFAULT_APP_ID,)
        rows = connection.execute(select(dynamic.c.created_at_time, dynamic.c.value).where(*own)).all()
        for created_ms, text in _hidden(rows):
            where = (*own, dynamic.c.created_at_time == created_ms)
            yield update(dynamic).where(*where).values(value=bindparam("text")), dynamic_kid(created_ms), text
        own = (static.c.app_id == DEFAULT_APP_ID,)
        rows = connection.execute(select(static.c.key_id, static.c.key_string).where(*own)).all()
        for kid, text in _hidden(rows):
            where = (*own, static.c.key_id == kid)
            yield update(static).where(*where).values(key_string=bindparam("text")), kid, text
        for name, text in self._values_of(connection).items():
            if name not in (MARK, RESTORED) and text is not None:
                where = (*_of_app(values), values.c.name == name)
                yield update(values).where(*where).values(value=bindparam("text")), name, text

    def at_rest(self, connection: Connection) -> AtRest:
        """Return how keys are stored in this database now."""
        return self._known_at_rest(connection.execute(self._select_mark).scalar())

    def _values_of(self, connection: Connection) -> dict[str, str | None]:
        return {name: value for name, value in _hidden(connection.execute(self._select_values))}

    def _known_at_rest(self, mark: str | None) -> AtRest:
        known = self._at_rest
        if mark is None and known is not None and known.mark is not None:
            # Whoever deletes the mark wants plain keys to be accepted. The keys in memory stay in use.
            raise ConfigError(
                f"the row {MARK!r} of key_value, which was there before, is missing: restore it from a "
                "backup, and find out who deleted it. The keys are not read until then"
            )
        if known is None or known.mark != mark:
            known = self._at_rest = AtRest(self._settings, mark)
            self._parsed.clear()  # what was accepted under another mark is looked at again
        return known

    def _key(self, at_rest: AtRest, kid: str, created_ms: int, stored: str) -> SigningKey:
        key = self._parsed.get((kid, stored))
        if key is None:
            key = parse_key(kid, created_ms, at_rest.reveal(stored, label=kid))
            self._parsed[kid, stored] = key
        return key

    def _master(self, at_rest: AtRest, values: dict[str, str | None]) -> MasterKey | None:
        now_ms = self._now_ms()
        current = values.get(MASTER_KEY)
        if current is None:
            return None
        earlier = [name for name in values if name != MASTER_KEY and self._ends_ms(name) >= now_ms]
        names = [MASTER_KEY, *sorted(earlier, key=self._ends_ms, reverse=True)]
        texts: list[SecretText] = [at_rest.reveal(values[name] or "", label=name) for name in names]
        return MasterKey.of(texts, at_rest.peppers)

    def _ends_ms(self, name: str) -> int:
        return whole_number(name.removeprefix(EARLIER_MASTER_KEY)) or 0

    def _new_master(self, connection: Connection) -> dict[str, Any]:
        at_rest = self.at_rest(connection)
        value = at_rest.protect(new_master_key(), label=MASTER_KEY)
        return {"value": value, "created_at_time": self._now_ms()}

    def _prepare_statements(self) -> None:
        tables, self._is_sqlite = self._database.tables, self._database.location.is_sqlite
        dynamic, static, values = tables[DYNAMIC_KEYS], tables[STATIC_KEYS], tables[KEY_VALUE]
        self._values = values
        is_earlier = values.c.name.startswith(EARLIER_MASTER_KEY, autoescape=True)
        self._select_values = select(values.c.name, values.c.value).where(
            *_of_app(values), or_(values.c.name.in_((MASTER_KEY, MARK, RESTORED)), is_earlier)
        )
        self._put_value = upsert(values, "value", is_sqlite=self._is_sqlite)
        self._select_mark = select(values.c.value).where(*_of_app(values), values.c.name == MARK)
        self._delete_earlier_masters = delete(values).where(*_of_app(values), is_earlier)
        self._insert_master = insert_new(values, is_sqlite=self._is_sqlite).values(**_OF_APP, name=MASTER_KEY)
        self._select_dynamic = (
            select(dynamic.c.created_at_time, dynamic.c.value)
            .where(dynamic.c.app_id == DEFAULT_APP_ID, dynamic.c.created_at_time >= bindparam("oldest"))
            .order_by(dynamic.c.created_at_time.desc())
        )
        self._select_static = (
            select(static.c.key_id, static.c.created_at, static.c.key_string)
            .where(static.c.app_id == DEFAULT_APP_ID, static.c.algorithm == "RS256")
            .order_by(static.c.created_at.desc())
        )
        self._insert_dynamic = insert(dynamic).values(app_id=DEFAULT_APP_ID)
        self._insert_static = insert(static).values(app_id=DEFAULT_APP_ID, algorithm="RS256")
        self._delete_older = delete(dynamic).where(
            dynamic.c.app_id == DEFAULT_APP_ID, dynamic.c.created_at_time < bindparam("oldest")
        )
        self._delete_static_but = delete(static).where(
            static.c.app_id == DEFAULT_APP_ID, static.c.key_id != bindparam("kid")
        )


_OF_APP = {"app_id": DEFAULT_APP_ID, "tenant_id": DEFAULT_TENANT_ID}


def _of_app(values: Table) -> tuple[ColumnElement[bool], ...]:
    return values.c.app_id == DEFAULT_APP_ID, values.c.tenant_id == DEFAULT_TENANT_ID


def _hidden(rows: Iterable[Any]) -> Iterator[Any]:
    """Yield rows whose last column is a stored key, so that no variable shows it."""
    for *others, text in rows:
        yield (*others, masked(text))
