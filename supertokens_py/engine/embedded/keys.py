"""The keys of the app: created once under concurrency, rotated, cached, published (engine: Signing keys)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from sqlalchemy import bindparam, delete, insert, select

from supertokens_py import forks
from supertokens_py.audit import audit
from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.interface import Jwks, KeySet, VerificationKey
from supertokens_py.engine.loading import LoadingLock
from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from supertokens_py.signatures import RsaVerificationKey

from .key_material import (
    AtRest,
    SigningKey,
    dynamic_kid,
    is_due,
    lifetime_ms,
    max_age_s,
    new_key_text,
    parse_key,
    signing_key,
)
from .refresh_tokens import new_master_key
from .statements import insert_new

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .database import Database

RELOAD_COOL_DOWN_S = 5.0
#: Signing and verifying look for what happened elsewhere (an emergency rotation) at least this often.
STALE_AFTER_S = 60.0
#: The published key set is read from the database at most this often.
PUBLISH_AFTER_S = 1.0

_MASTER_KEY = "refresh_token_key"
_EMPTY = KeySet({}, loaded_ms=0)

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    """The keys as they were read at one moment, newest first."""

    dynamic: Sequence[SigningKey]
    static: Sequence[SigningKey]
    key_set: KeySet
    read_at: float  #: monotonic seconds


class KeyRing(forks.ForkAware):
    """All signing keys of the app and the master key of its refresh tokens.

    It is a class because it owns the snapshot in memory and the lock that makes loading single-flight.
    """

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._settings = settings
        self._at_rest = AtRest(settings.encryption_key)
        self._lock = LoadingLock()
        self._snapshot: _Snapshot | None = None
        self._parsed: dict[tuple[str, str], SigningKey] = {}
        self._master_key: str | None = None
        self._reloaded_at = self._failed_at = float("-inf")
        self._look_again_at = float("inf")
        self._failure: EngineUnavailableError | ConfigError | None = None
        self._prepare_statements()
        forks.register(self)

    def key_set(self) -> KeySet:
        """Return the public keys in memory, without I/O; aged ones are read again by another thread."""
        snapshot = self._snapshot
        if snapshot is None:
            return _EMPTY
        if time.monotonic() >= self._look_again_at:
            self._look_again_behind()
        return snapshot.key_set

    def signer(self, *, static: bool) -> SigningKey:
        """Return the key that signs now; keys that are due are made first."""
        snapshot = self._current(STALE_AFTER_S)
        if static:
            return snapshot.static[0]
        return signing_key(snapshot.dynamic, self._settings, now_ms=self._settings.now_ms())

    def master_key(self) -> str:
        """Return the secret of this app's refresh tokens, made once for all processes."""
        if self._master_key is None:
            stored = self._database.read(self._read_master_key) or self._database.write(
                self._create_master_key
            )
            self._master_key = self._at_rest.reveal(stored, label=_MASTER_KEY)
        return self._master_key

    def verification_key(self, kid: str) -> VerificationKey | None:
        """Return a key that is still valid; an unknown one is looked for once per cool-down."""
        key = self.key_set().keys.get(kid) or self.reload().keys.get(kid)
        if key is None or (key.usable_until_ms is not None and key.usable_until_ms < self._settings.now_ms()):
            return None
        return key

    def cooled(self) -> KeySet | None:
        """Return the snapshot if `reload` would not read anything anyway, without waiting."""
        forks.check()
        snapshot = self._snapshot
        if snapshot is None:
            return None
        is_recent = time.monotonic() - self._reloaded_at < RELOAD_COOL_DOWN_S
        return snapshot.key_set if self._lock.is_slow or is_recent else None

    def reload(self) -> KeySet:
        """Read the keys again, at most once per cool-down; on failure keep the old ones."""
        if (cooled := self.cooled()) is not None:
            return cooled
        if not self._lock.acquire_for_reload(has_keys=self._snapshot is not None):
            return self.key_set()
        try:
            if time.monotonic() - self._reloaded_at >= RELOAD_COOL_DOWN_S:
                self._read_again()
            if self._snapshot is None and self._failure is not None:
                raise self._failure
            return self.key_set()
        finally:
            self._lock.release()

    def _read_again(self) -> None:
        try:
            self._load(create=False)
        except (EngineUnavailableError, ConfigError) as error:
            log.warning("signing keys could not be loaded: %s", error)
        finally:
            self._reloaded_at = time.monotonic()
            self._look_again_at = self._reloaded_at + STALE_AFTER_S

    def jwks(self) -> Jwks:
        """Return what `/.well-known/jwks.json` shows; keys that are due are made first."""
        snapshot = self._published()
        now_ms = self._settings.now_ms()
        usable = [key for key in snapshot.dynamic if key.created_ms + lifetime_ms(self._settings) >= now_ms]
        newest_ms = usable[0].created_ms if usable else now_ms
        return Jwks(
            [key.jwk for key in (*usable, *snapshot.static)],
            max_age_s(newest_ms, self._settings, now_ms=now_ms),
        )

    def rotate(self, *, drop_old: bool) -> str:
        """Make a dynamic key that signs at once; with `drop_old` no earlier one verifies any more."""
        forks.check()
        with self._lock:
            created_ms = self._database.write(lambda connection: self._rotate(connection, drop_old=drop_old))
            self._load(create=False)
        kid = dynamic_kid(created_ms)
        audit("key.rotated", kid=kid, earlier_dropped=drop_old)
        return kid

    def delete_expired(self) -> int:
        """Delete dynamic keys that verify nothing any more."""
        oldest_ms = self._settings.now_ms() - lifetime_ms(self._settings)
        return self._database.single(
            lambda connection: connection.execute(self._delete_older, {"oldest": oldest_ms}).rowcount,
            repeatable=True,
        )

    def forget(self) -> None:
        """Drop what is in memory, so that the next use reads the database."""
        self._snapshot = None
        self._master_key = None
        self._reloaded_at = self._failed_at = float("-inf")

    def after_fork_in_child(self) -> None:
        self._lock = LoadingLock()

    def _look_again_behind(self) -> None:
        forks.check()
        self._look_again_at = time.monotonic() + STALE_AFTER_S  # whether it succeeds or not
        try:
            threading.Thread(target=self._look_again, name="supertokens-keys", daemon=True).start()
        except RuntimeError:  # the interpreter is shutting down
            log.debug("verification keys are not read again")

    def _look_again(self) -> None:
        with self._lock:
            if self._snapshot is None:
                return  # closed meanwhile
            try:
                self._load(create=False)
            except (EngineUnavailableError, ConfigError) as error:
                log.warning("signing keys could not be loaded: %s", error)

    def _published(self) -> _Snapshot:
        """Return the keys to publish: fresh ones, or those in memory while the database is slow or away.

        Anybody may ask for them, so requests must neither queue up behind a database that does not
        answer, nor each try it again.
        """
        snapshot = self._snapshot
        if snapshot is None or not snapshot.dynamic:
            if self._failure is not None and self._has_just_failed:
                raise self._failure
            return self._current(PUBLISH_AFTER_S)
        if self._is_fresh(snapshot, PUBLISH_AFTER_S) or self._lock.is_slow or self._has_just_failed:
            return snapshot
        if not self._lock.acquire_for_reload(has_keys=True):
            return snapshot
        try:
            if self._has_just_failed:
                return snapshot
            return self._current_locked(PUBLISH_AFTER_S)
        except EngineUnavailableError:
            return snapshot
        finally:
            self._lock.release()

    @property
    def _has_just_failed(self) -> bool:
        return time.monotonic() - self._failed_at < RELOAD_COOL_DOWN_S

    def _current(self, max_age_s: float) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot is not None and self._is_fresh(snapshot, max_age_s):
            return snapshot
        forks.check()
        with self._lock:
            return self._current_locked(max_age_s)

    def _current_locked(self, max_age_s: float) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot is not None and self._is_fresh(snapshot, max_age_s):
            return snapshot
        older = snapshot
        if snapshot is not None and self._needs_key(snapshot.dynamic, snapshot.static):
            older = None  # signing needs the new key
        if older is not None and self._has_just_failed:
            return older
        try:
            return self._load(create=True)
        except EngineUnavailableError:
            if older is None:
                raise
            return older

    def _is_fresh(self, snapshot: _Snapshot, max_age_s: float) -> bool:
        return time.monotonic() - snapshot.read_at < max_age_s and not self._needs_key(
            snapshot.dynamic, snapshot.static
        )

    def _needs_key(self, dynamic: Sequence[SigningKey], static: Sequence[SigningKey]) -> bool:
        newest_ms = dynamic[0].created_ms if dynamic else None
        return not static or is_due(newest_ms, self._settings, now_ms=self._settings.now_ms())

    def _load(self, *, create: bool) -> _Snapshot:
        try:
            snapshot = self._loaded(create=create)
        except (EngineUnavailableError, ConfigError) as error:
            self._failed_at, self._failure = time.monotonic(), error
            raise
        self._failed_at, self._failure = float("-inf"), None
        return snapshot

    def _loaded(self, *, create: bool) -> _Snapshot:
        dynamic, static = self._database.read(self._read)
        if create and self._needs_key(dynamic, static):
            dynamic, static, made = self._database.write(self._create_due)
            for kid in made:
                audit("key.created", kid=kid)
        read_at = time.monotonic()
        self._snapshot = _Snapshot(dynamic, static, self._public(dynamic, static), read_at)
        self._look_again_at = read_at + STALE_AFTER_S
        return self._snapshot

    def _public(self, dynamic: Sequence[SigningKey], static: Sequence[SigningKey]) -> KeySet:
        life_ms = lifetime_ms(self._settings)
        keys = {
            key.kid: RsaVerificationKey(key.kid, key.public_key, key.created_ms + life_ms) for key in dynamic
        }
        keys |= {key.kid: RsaVerificationKey(key.kid, key.public_key) for key in static}
        known = _EMPTY if self._snapshot is None else self._snapshot.key_set
        # A new object tells verifiers to forget what they remember, so make one only for a change.
        return known if known.keys.keys() == keys.keys() else KeySet(keys, self._settings.now_ms())

    def _read(self, connection: Connection) -> tuple[list[SigningKey], list[SigningKey]]:
        oldest_ms = self._settings.now_ms() - lifetime_ms(self._settings)
        dynamic = [
            self._parse(dynamic_kid(created_ms), created_ms, stored)
            for created_ms, stored in connection.execute(self._select_dynamic, {"oldest": oldest_ms})
        ]
        static = [
            self._parse(kid, created_ms or 0, stored)
            for kid, created_ms, stored in connection.execute(self._select_static)
        ]
        return dynamic, static

    def _parse(self, kid: str, created_ms: int, stored: str) -> SigningKey:
        key = self._parsed.get((kid, stored))
        if key is None:
            key = parse_key(kid, created_ms, self._at_rest.reveal(stored, label=kid))
            self._parsed[kid, stored] = key
        return key

    def _create_due(self, connection: Connection) -> tuple[list[SigningKey], list[SigningKey], list[str]]:
        # Under the lock another process may have been first. The pair is generated inside, too: many
        # processes starting at once shall not each spend that time on a key that nobody needs.
        self._database.lock(connection, "signing keys")
        dynamic, static = self._read(connection)
        newest_ms = dynamic[0].created_ms if dynamic else None
        made: list[str] = []
        if is_due(newest_ms, self._settings, now_ms=self._settings.now_ms()):
            made.append(dynamic_kid(self._insert_dynamic(connection)))
        if not static:
            kid = f"s-{uuid4()}"
            row = {
                "key_id": kid,
                "key_string": self._at_rest.protect(new_key_text(), label=kid),
                "created_at": self._settings.now_ms(),
            }
            connection.execute(self._insert_static, row)
            made.append(kid)
        return *self._read(connection), made

    def _rotate(self, connection: Connection, *, drop_old: bool) -> int:
        self._database.lock(connection, "signing keys")
        dynamic, _ = self._read(connection)
        after_ms = dynamic[0].created_ms if dynamic else 0
        created_ms = self._insert_dynamic(connection, after_ms=after_ms)
        if drop_old:
            connection.execute(self._delete_older, {"oldest": created_ms})
        return created_ms

    def _insert_dynamic(self, connection: Connection, *, after_ms: int = 0) -> int:
        created_ms = max(self._settings.now_ms(), after_ms + 1)
        stored = self._at_rest.protect(new_key_text(), label=dynamic_kid(created_ms))
        connection.execute(self._insert_new_dynamic, {"created_at_time": created_ms, "value": stored})
        return created_ms

    def _read_master_key(self, connection: Connection) -> str | None:
        return connection.execute(self._select_master).scalar()

    def _create_master_key(self, connection: Connection) -> str:
        row = {
            "value": self._at_rest.protect(new_master_key(), label=_MASTER_KEY),
            "created_at_time": self._settings.now_ms(),
        }
        connection.execute(self._insert_master, row)
        stored = self._read_master_key(connection)
        if stored is None:
            raise ConfigError(f"the row {_MASTER_KEY!r} of table key_value holds no value")
        return stored

    def _prepare_statements(self) -> None:
        tables, is_sqlite = self._database.tables, self._database.location.is_sqlite
        dynamic, static, values = tables.dynamic_keys, tables.static_keys, tables.key_value
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
        self._insert_new_dynamic = insert(dynamic).values(app_id=DEFAULT_APP_ID)
        self._insert_static = insert(static).values(app_id=DEFAULT_APP_ID, algorithm="RS256")
        self._delete_older = delete(dynamic).where(
            dynamic.c.app_id == DEFAULT_APP_ID, dynamic.c.created_at_time < bindparam("oldest")
        )
        row = {"app_id": DEFAULT_APP_ID, "tenant_id": DEFAULT_TENANT_ID, "name": _MASTER_KEY}
        self._select_master = select(values.c.value).where(
            *(values.c[name] == value for name, value in row.items())
        )
        self._insert_master = insert_new(values, is_sqlite=is_sqlite).values(**row)
