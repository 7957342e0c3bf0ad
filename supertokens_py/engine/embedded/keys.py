"""The keys of the app: created once under concurrency, rotated, cached, published (engine: Signing keys)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supertokens_py import forks
from supertokens_py.audit import audit
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.interface import Jwks, KeySet, VerificationKey
from supertokens_py.engine.loading import LoadingLock
from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from supertokens_py.signatures import RsaVerificationKey

from . import clocks
from .key_material import SigningKey, dynamic_kid, is_due, lifetime_ms, max_age_s, signing_key
from .key_rows import KeyRows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .database import Database

RELOAD_COOL_DOWN_S = 5.0
#: Signing and verifying look for what happened elsewhere (an emergency rotation) at least this often.
STALE_AFTER_S = 60.0
#: The published key set is read from the database at most this often.
PUBLISH_AFTER_S = 1.0

_EMPTY = KeySet({}, loaded_ms=0)

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    """The keys as they were read at one moment, newest first."""

    dynamic: Sequence[SigningKey]
    static: Sequence[SigningKey]
    key_set: KeySet
    read_at: float  #: monotonic seconds
    interruptions: int  #: of the database, until then


class KeyRing(forks.ForkAware):
    """All signing keys of the app and the master key of its refresh tokens.

    It is a class because it owns the snapshot in memory and the lock that makes loading single-flight.
    """

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._settings = settings
        self._lock = LoadingLock()
        self._snapshot: _Snapshot | None = None
        self._master_key: str | None = None
        self._stored_master = (-1, "")  #: interruptions until it was read, and as it is stored
        self._ahead_ms = 0  #: this machine's clock before the database's, where they do not agree
        self._reloaded_at = self._failed_at = float("-inf")
        self._look_again_at = float("inf")
        self._failure: EngineUnavailableError | ConfigError | None = None
        self._rows = KeyRows(database.tables, settings.encryption_key, is_sqlite=database.location.is_sqlite)
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
        return signing_key(snapshot.dynamic, self._settings, now_ms=self._now_ms())

    def master_key(self) -> str:
        """Return the secret of this app's refresh tokens, made once for all processes."""
        known = self._master_key
        if known is None or self._stored_master[0] != self._database.interruptions:
            interruptions = self._database.interruptions
            stored = self._database.read(self._rows.master) or self._database.write(
                lambda connection: self._rows.add_master(connection, self._now_ms())
            )
            known = self._rows.reveal_master(stored)
            self._master_key, self._stored_master = known, (interruptions, stored)
        return known

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
        now_ms = self._now_ms()
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

    def delete_expired(self, now_ms: int) -> int:
        """Delete dynamic keys that verify nothing any more at that time."""
        oldest_ms = now_ms - lifetime_ms(self._settings)
        return self._database.single(
            lambda connection: self._rows.delete_older(connection, oldest_ms=oldest_ms), repeatable=True
        )

    def _now_ms(self) -> int:
        """Return the time that keys go by: the database's, where this machine's clock is far from it."""
        return self._settings.now_ms() - self._ahead_ms

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
        return (
            time.monotonic() - snapshot.read_at < max_age_s
            and snapshot.interruptions == self._database.interruptions
            and not self._needs_key(snapshot.dynamic, snapshot.static)
        )

    def _needs_key(self, dynamic: Sequence[SigningKey], static: Sequence[SigningKey]) -> bool:
        newest_ms = dynamic[0].created_ms if dynamic else None
        return not static or is_due(newest_ms, self._settings, now_ms=self._now_ms())

    def _load(self, *, create: bool) -> _Snapshot:
        try:
            snapshot = self._loaded(create=create)
        except (EngineUnavailableError, ConfigError) as error:
            self._failed_at, self._failure = time.monotonic(), error
            raise
        self._failed_at, self._failure = float("-inf"), None
        return snapshot

    def _loaded(self, *, create: bool) -> _Snapshot:
        interruptions = self._database.interruptions
        dynamic, static = self._database.read(self._read_all)
        if create and self._database.may_create and self._needs_key(dynamic, static):
            dynamic, static, made = self._database.write(self._create_due)
            for kid in made:
                audit("key.created", kid=kid)
        read_at = time.monotonic()
        self._snapshot = _Snapshot(dynamic, static, self._public(dynamic, static), read_at, interruptions)
        self._look_again_at = read_at + STALE_AFTER_S
        return self._snapshot

    def _public(self, dynamic: Sequence[SigningKey], static: Sequence[SigningKey]) -> KeySet:
        life_ms = lifetime_ms(self._settings)
        keys = {
            key.kid: RsaVerificationKey(key.kid, key.public_key, key.created_ms + life_ms + self._ahead_ms)
            for key in dynamic
        }
        keys |= {key.kid: RsaVerificationKey(key.kid, key.public_key) for key in static}
        known = _EMPTY if self._snapshot is None else self._snapshot.key_set
        # A new object tells verifiers to forget what they remember, so make one only for a change.
        return known if _ends(known.keys) == _ends(keys) else KeySet(keys, self._settings.now_ms())

    def _read_all(self, connection: Connection) -> tuple[list[SigningKey], list[SigningKey]]:
        self._ahead_ms = clocks.ahead_ms(connection, self._settings.now_ms())
        if self._master_key is not None and self._rows.master(connection) != self._stored_master[1]:
            self._master_key = None  # the database was restored or made anew
        return self._read(connection)

    def _read(self, connection: Connection) -> tuple[list[SigningKey], list[SigningKey]]:
        oldest_ms = self._now_ms() - lifetime_ms(self._settings)
        return self._rows.signing_keys(connection, oldest_ms=oldest_ms)

    def _create_due(self, connection: Connection) -> tuple[list[SigningKey], list[SigningKey], list[str]]:
        # Under the lock another process may have been first. The pair is generated inside, too: many
        # processes starting at once shall not each spend that time on a key that nobody needs.
        self._database.lock(connection, "signing keys")
        dynamic, static = self._read(connection)
        newest_ms = dynamic[0].created_ms if dynamic else None
        made: list[str] = []
        if is_due(newest_ms, self._settings, now_ms=self._now_ms()):
            made.append(self._rows.add_dynamic(connection, self._now_ms()))
        if not static:
            made.append(self._rows.add_static(connection, self._now_ms()))
        return *self._read(connection), made

    def _rotate(self, connection: Connection, *, drop_old: bool) -> int:
        self._database.lock(connection, "signing keys")
        dynamic, _ = self._read_all(connection)
        after_ms = dynamic[0].created_ms if dynamic else 0
        created_ms = max(self._now_ms(), after_ms + 1)
        self._rows.add_dynamic(connection, created_ms)
        if drop_old:
            self._rows.delete_older(connection, oldest_ms=created_ms)
        return created_ms


def _ends(keys: Mapping[str, VerificationKey]) -> dict[str, int | None]:
    return {kid: key.usable_until_ms for kid, key in keys.items()}
