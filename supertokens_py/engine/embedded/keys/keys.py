"""The keys of the app: created once under concurrency, rotated, cached, published (engine: Signing keys)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from supertokens_py import payloads
from supertokens_py.engine import validation
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.key_cache import KeyCache
from supertokens_py.engine.records import Jwks, KeySet, VerificationKey
from supertokens_py.engine.renewal import RenewalOrder, Renewed
from supertokens_py.events import KeyCreated, KeyRotated, emit
from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError
from supertokens_py.runtime import fork_hooks
from supertokens_py.tokens.signatures import RsaVerificationKey, sign_jwt
from supertokens_py.types.base import JSONObject

from ..session_state.refresh_tokens import MasterKey, RefreshToken, derived_secrets, may_be_token, open_token
from ..session_state.session_changes import SessionChanges
from ..storage import server_clock
from .key_encryption import encrypt_at_start, encrypt_keys
from .key_material import (
    SigningKey,
    due_ms,
    lifetime_ms,
    max_age_s,
    new_key_text,
    signing_key,
)
from .key_renewal import WITH_KEYS, renew
from .key_rows import KEY_LOCK, MASTER_KEY, KeyRows, StoredKeys
from .token_lives import TokenLives

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.secret import SecretText

    from ..storage.database import Database

#: Signing and verifying look for what happened elsewhere (an emergency rotation) at least this often.
STALE_AFTER_S = 60.0
#: The published key set is read from the database at most this often.
PUBLISH_AFTER_S = 1.0

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Snapshot:
    """The keys as they were read at one moment, newest first."""

    stored: StoredKeys
    key_set: KeySet
    read_at: float  #: monotonic seconds
    interruptions: int  #: of the database, until then
    due_ms: int  #: when a key has to be made, by the time that keys go by
    fresh_s: float = STALE_AFTER_S


class KeyRing(KeyCache[_Snapshot]):
    """All signing keys of the app and the master key of its refresh tokens."""

    def __init__(
        self,
        database: Database,
        settings: ResolvedEngineConfig,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
        new_key: Callable[[], SecretText] = new_key_text,
        changes: SessionChanges | None = None,
    ) -> None:
        """`changes` records the sessions that end with a key."""
        super().__init__(monotonic_s=monotonic_s)
        self._database = database
        self._settings = settings
        self._changes = changes or SessionChanges()
        self._rows = KeyRows(database, settings, self._now_ms, new_key)
        self._lives = TokenLives(database, settings)
        self._interruptions = 0  #: of the database, before the keys were read
        self._ahead_ms = 0  #: this machine's clock before the database's, where they do not agree

    def signer(self, *, static: bool) -> SigningKey:
        """Return the key of a family that signs sessions now; keys that are due are made first."""
        return self.signers()[static]

    def signers(self) -> tuple[SigningKey, SigningKey]:
        """Return the dynamic and the static key that sign sessions; keys that are due are made first."""
        signers = self._signers()
        self._lives.note(self._now_ms())
        return signers

    def _signers(self) -> tuple[SigningKey, SigningKey]:
        stored = self._current(STALE_AFTER_S).stored
        return signing_key(stored.dynamic, self._settings, now_ms=self._now_ms()), stored.static[0]

    def master_key(self) -> MasterKey:
        """Return what refresh tokens are made with; the master key is made once for all processes."""
        return cast("MasterKey", self._current(STALE_AFTER_S).stored.master)  # a snapshot that signs has it

    def shared_secrets(self, purpose: str) -> tuple[bytes, ...]:
        """Return keys that are derived from the master key, the one to use first."""
        return derived_secrets(self.master_key(), f"supertokens_py {purpose}")

    def open_token(self, text: str) -> tuple[MasterKey, RefreshToken | None]:
        """Return the master key, and what a presented refresh token holds if it is one of this app's.

        Another process may have renewed the master key: where a token cannot be opened, the keys are read
        again, once per cool-down.
        """
        master = self.master_key()
        token = open_token(master, text)
        if token is None and may_be_token(text):
            self.reload()
            renewed = self.master_key()
            if renewed is not master:
                return renewed, open_token(renewed, text)
        return master, token

    def verification_key(self, kid: str) -> VerificationKey | None:
        """Return a key that is still valid; an unknown one is looked for once per cool-down."""
        key = self.key_set().keys.get(kid) or self.reload().keys.get(kid)
        if key is None or (key.usable_until_ms is not None and key.usable_until_ms < self._settings.now_ms()):
            return None
        return key

    def jwks(self) -> Jwks:
        """Return what `/.well-known/jwks.json` shows; keys that are due are made first."""
        snapshot = self._published()
        now_ms = self._now_ms()
        usable = [
            key for key in snapshot.stored.dynamic if key.created_ms + lifetime_ms(self._settings) >= now_ms
        ]
        newest_ms = usable[0].created_ms if usable else now_ms
        return Jwks(
            [key.jwk for key in (*usable, *snapshot.stored.static)],
            max_age_s(newest_ms, self._settings, now_ms=now_ms),
        )

    def create_jwt(self, payload: JSONObject, *, issuer: str, validity_s: int, static_key: bool) -> str:
        """Sign a JWT that is never a session."""
        payloads.validate_jwt_claims(payload)
        validation.validate_validity_s(validity_s)
        key = self._signers()[static_key]
        now_s = self._settings.now_ms() // 1000
        body = {"iat": now_s, "exp": now_s + validity_s, "iss": issuer, **payload}
        try:
            return sign_jwt(body, key=key.private_key, kid=key.kid)
        except ValueError as error:
            raise BadInputError(f"payload cannot be written as JSON: {error}") from error

    def renew(self, order: RenewalOrder) -> Renewed:
        """Create new keys, which are used at once; see `RenewalOrder` for what becomes of the earlier ones.

        Other processes learn of them within a minute.
        """
        fork_hooks.check()
        with self._loading:
            self._load(self._read_or_create)
            renewed = self._database.write(lambda c: self._renew(c, order))
            self._load(self._read)
        self._changes.committed()
        if order.ends_sessions:
            self._changes.settle_all(WITH_KEYS)
        for kid in (renewed.dynamic, renewed.static, MASTER_KEY if renewed.master else None):
            if kid is not None:
                emit(KeyRotated(kid=kid, earlier_dropped=order.drop_old))
        return renewed

    def encrypt(self) -> int:
        """Encrypt every key that is not encrypted with `encryption_key`; return how many that were.

        No official core can use the database from then on.

        Raises:
            ConfigError: no `encryption_key` is set, or a key was encrypted with an unknown one.
        """
        fork_hooks.check()
        with self._loading:
            changed = encrypt_keys(self._database, self._rows)
            self._load(self._read_or_create)
        return changed

    @property
    def restored_ms(self) -> int | None:
        """When the database was last restored from a back-up, as far as the keys in memory know. No I/O."""
        snapshot = self._snapshot
        return None if snapshot is None else snapshot.stored.restored_ms

    def mark_restored(self) -> int:
        """Note that the database was just restored from a back-up; return when (Unix ms).

        Refresh tokens that were made after the back-up end their sessions, and are taken for reuse no more.
        Other processes learn of it within a minute.
        """
        fork_hooks.check()
        with self._loading:
            restored_ms = self._database.write(self._rows.mark_restored)
            self._load(self._read)
        return restored_ms

    def delete_expired(self, now_ms: int) -> int:
        """Delete keys that verify and open nothing any more at that time; return how many dynamic ones."""

        def unit(connection: Connection) -> int:
            self._rows.delete_expired_masters(connection, now_ms)
            life_ms = lifetime_ms(self._settings, self._lives.longest_ms(connection, now_ms))
            return self._rows.delete_dynamic(connection, older_than_ms=now_ms - life_ms)

        return self._database.write(unit)

    def _now_ms(self) -> int:
        """Return the time that keys go by: the database's, where this machine's clock is far from it."""
        return self._settings.now_ms() - self._ahead_ms

    def _published(self) -> _Snapshot:
        """Return the keys to publish: fresh ones, or those in memory while the database is slow or away.

        Anybody may ask for them, so requests must neither queue up behind a database that does not
        answer, nor each try it again.
        """
        snapshot = self._snapshot
        if snapshot is None or not snapshot.stored.dynamic:
            if self._failure is not None and self._has_just_failed:
                raise self._failure
            return self._current(PUBLISH_AFTER_S)
        if self._is_fresh(snapshot, PUBLISH_AFTER_S) or self._loading.is_slow or self._has_just_failed:
            return snapshot
        if not self._loading.acquire_for_reload(has_keys=True):
            return snapshot
        try:
            if self._has_just_failed:
                return snapshot
            return self._current_locked(PUBLISH_AFTER_S)
        except EngineUnavailableError:
            return snapshot
        finally:
            self._loading.release()

    def _current(self, max_age_s: float) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot is not None and self._is_fresh(snapshot, max_age_s):
            return snapshot
        fork_hooks.check()
        with self._loading:
            return self._current_locked(max_age_s)

    def _current_locked(self, max_age_s: float) -> _Snapshot:
        snapshot = self._snapshot
        if snapshot is not None and self._is_fresh(snapshot, max_age_s):
            return snapshot
        older = snapshot
        if snapshot is not None and self._now_ms() > snapshot.due_ms:
            older = None  # signing needs the new key
        if older is not None and self._has_just_failed:
            return older
        try:
            return self._load(self._read_or_create)
        except (EngineUnavailableError, ConfigError) as error:
            if older is None:
                raise
            log.warning("the keys in memory stay in use: %s", error)
            return older

    def _is_fresh(self, snapshot: _Snapshot, max_age_s: float) -> bool:
        return (
            self.monotonic_s() - snapshot.read_at < max_age_s
            and snapshot.interruptions == self._database.interruptions
            and self._now_ms() <= snapshot.due_ms
        )

    def _read(self) -> _Snapshot:
        return self._snapshot_of(self._stored())

    def _read_or_create(self) -> _Snapshot:
        stored = self._stored()
        if self._database.may_create and self._now_ms() > stored.due_ms(self._settings):
            stored, made = self._database.write(self._create_due)
            for kid in made:
                emit(KeyCreated(kid=kid))
        return self._snapshot_of(stored)

    def _stored(self) -> StoredKeys:
        def unit(connection: Connection) -> StoredKeys:
            self._ahead_ms = server_clock.ahead_ms(connection, self._settings.now_ms())
            return self._rows.read(connection)

        self._interruptions = self._database.interruptions
        stored = self._database.read(unit)
        if self._database.may_create and self._snapshot is None and not stored.is_encrypted:
            # Once per process: two with different secrets would undo each other's work.
            encrypt_at_start(self._database, self._rows)
            stored = self._database.read(self._rows.read)
        return stored

    def _snapshot_of(self, stored: StoredKeys) -> _Snapshot:
        known = self._snapshot
        if known is not None and known.stored.master == stored.master:
            stored = replace(stored, master=known.stored.master)  # the same object while nothing changed
        life_ms = lifetime_ms(self._settings)
        keys = {
            key.kid: RsaVerificationKey(key.kid, key.public_key, key.created_ms + life_ms + self._ahead_ms)
            for key in stored.dynamic
        }
        keys |= {key.kid: RsaVerificationKey(key.kid, key.public_key) for key in stored.static}
        # A new object tells verifiers to forget what they remember, so make one only for a change.
        if known is not None and _ends(known.key_set.keys) == _ends(keys):
            key_set = known.key_set
        else:
            key_set = KeySet(keys, self._settings.now_ms())
        due_ms = stored.due_ms(self._settings)
        return _Snapshot(stored, key_set, self.monotonic_s(), self._interruptions, due_ms)

    def _create_due(self, connection: Connection) -> tuple[StoredKeys, list[str]]:
        # Under the lock another process may have been first. The pair is generated inside, too: many
        # processes starting at once shall not each spend that time on a key that nobody needs.
        self._database.lock(connection, KEY_LOCK)
        stored = self._rows.read(connection)
        made: list[str] = []
        if self._now_ms() > due_ms(stored.dynamic, self._settings):
            made.append(self._rows.insert_dynamic(connection))
        if not stored.static:
            made.append(self._rows.insert_static(connection))
        if stored.master is None:
            self._rows.insert_master(connection)
        return self._rows.read(connection), made

    def _renew(self, connection: Connection, order: RenewalOrder) -> Renewed:
        self._database.lock(connection, KEY_LOCK)
        return renew(
            connection,
            self._rows,
            order,
            now_ms=self._now_ms(),
            tables=self._database.tables,
            changes=self._changes,
        )


def _ends(keys: Mapping[str, VerificationKey]) -> dict[str, int | None]:
    return {kid: key.usable_until_ms for kid, key in keys.items()}
