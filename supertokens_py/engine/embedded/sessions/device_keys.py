"""Binds sessions to keys of devices, and checks the proofs of those (docs: Device-bound sessions)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from supertokens_py import payloads
from supertokens_py.engine import validation
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.device_keys import (
    CHALLENGE_LIFE_MS,
    CONFIRMATION_KEY,
    THUMBPRINT_KEY,
    BoundKey,
    ProofRefused,
    ProofWanted,
    Proved,
    thumbprint_in,
)
from supertokens_py.engine.records import Unauthorised
from supertokens_py.engine.session_records import SessionKey, SessionNote
from supertokens_py.events import DeviceBound, DeviceProofMissing, emit
from supertokens_py.secret import masked
from supertokens_py.types.base import JSONObject

from ..session_state.device_rows import DeviceStatements
from ..session_state.session_rows import SessionStatements, json_object, key_of
from .device_proofs import DeviceKey, new_offer, offered_session, read_key, read_proof
from .refresh_state import INVALID_TOKEN
from .replacement import FormerRows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..keys.keys import KeyRing
    from ..session_state.session_changes import SessionChanges
    from ..storage.database import Database

log: logging.Logger = logging.getLogger(__name__)

_PURPOSE = "device offer"

#: How much of its life a challenge must have before it to be handed out again.
_LEFT_MS = 5 * 60_000
#: How often a missing proof of one session is recorded at most.
_NOTE_EVERY_MS = 5 * 60_000

_BOUND = ProofRefused(reason="the session is bound already")
_GONE = ProofRefused(reason="the session has ended")
_REFRESHED = ProofRefused(reason="the session has been refreshed since it was offered to be bound")


def new_challenge() -> str:
    """Return a challenge that nobody can guess."""
    return secrets.token_urlsafe(24)


class DeviceKeyStore:
    """The keys of devices in the database; every method is one unit of blocking work."""

    def __init__(
        self, database: Database, keys: KeyRing, settings: ResolvedEngineConfig, changes: SessionChanges
    ) -> None:
        self._database = database
        self._keys = keys
        self._settings = settings
        self._changes = changes
        self._sql: tuple[DeviceStatements, SessionStatements, FormerRows] | None = None

    def _statements(self) -> tuple[DeviceStatements, SessionStatements, FormerRows]:
        self._database.prepare()  # other tables may join
        if self._sql is None:
            tables = self._database.tables
            self._sql = DeviceStatements(tables), SessionStatements(tables), FormerRows(tables)
        return self._sql

    def offer(self, handle: str) -> str:
        """Return the challenge of a session that may be bound."""
        return new_offer(self._secrets()[0], handle, now_ms=self._settings.now_ms())

    def _secrets(self) -> tuple[bytes, ...]:
        return self._keys.shared_secrets(_PURPOSE)

    def register(self, proof: str, *, check: Callable[[JSONObject], None]) -> Proved | ProofRefused:
        """Bind the session whose challenge was signed to the key in the proof."""
        read = read_proof(proof)
        if read is None:
            return ProofRefused(reason="not a proof")
        # The cheap question first: anybody may send proofs.
        handle = offered_session(self._secrets(), read.challenge, now_ms=self._settings.now_ms())
        if handle is None:
            return ProofRefused(reason="the challenge is not of this application, or too old")
        key = read_key(read.jwk, read.algorithm)
        if key is None or not read.is_signed_by(key):
            return ProofRefused(reason="the key is not accepted, or did not make the signature")
        self._statements()
        found = self._database.write(lambda c: self._bind(c, handle, key, check))
        if isinstance(found, Proved):
            self._changes.committed()
            bound = found.key
            emit(DeviceBound(handle=bound.handle, user_id=bound.user_id, tenant_id=bound.tenant_id))
        return found

    def _bind(
        self, connection: Connection, handle: str, key: DeviceKey, check: Callable[[JSONObject], None]
    ) -> Proved | ProofRefused:
        sql, sessions, former_rows = self._statements()
        now_ms = self._settings.now_ms()
        session = former_rows.locked(connection, handle, now_ms=now_ms)
        if session is None:
            return _GONE
        if connection.execute(sql.key, key_of(handle)).first() is not None:
            return _BOUND  # also by the same key: a proof that was overheard must not count again
        if session.is_refreshed:
            return _REFRESHED
        changed = payloads.merge(session.payload, {CONFIRMATION_KEY: {THUMBPRINT_KEY: key.thumbprint}})
        check(changed)
        text = payloads.validate_json("access_token_payload", changed)
        connection.execute(sessions.set_payload, key_of(handle) | {"text": text})
        bound_id, challenge = secrets.token_urlsafe(16), new_challenge()
        values = {
            "new_bound_id": bound_id,
            "new_algorithm": key.algorithm,
            "new_jwk": key.jwk,
            "new_jkt": key.thumbprint,
            "new_challenge": challenge,
            "now": now_ms,
        }
        connection.execute(sql.insert, key_of(handle) | values)
        self._changes.note(connection, _note("device.bound", session.key))
        return Proved(key=_bound(session.key, bound_id, key.thumbprint), challenge=challenge)

    def prove(self, bound_id: str, proof: str | None) -> Proved | ProofWanted | ProofRefused | None:
        """Check a proof for a session; None where there is no such live session."""
        row = self._row(bound_id)
        if row is None:
            return None
        if proof is None:
            return self._wanted(row)
        read = read_proof(proof)
        if read is None or read.jwk is not None:
            return ProofRefused(reason="not a proof, or one that brings a key along")
        key = read_key(json_object(row.jwk), row.algorithm)
        if key is None or not read.is_signed_by(key):
            return ProofRefused(reason="the signature is not that of the session's key")
        # The device is there, whatever it has signed. Each challenge counts once: proofs may be overheard.
        is_current = read.challenge == row.challenge and self._age_ms(row) <= CHALLENGE_LIFE_MS
        following = new_challenge()
        if is_current and self._change("prove", row, following):
            return Proved(key=_key_in(row), challenge=following)
        again = self._row(bound_id) if is_current else row  # another request was first
        return None if again is None else self._wanted(again)

    def _age_ms(self, row: Any) -> int:
        return self._settings.now_ms() - row.challenge_at

    def _wanted(self, row: Any) -> ProofWanted:
        """Ask for a proof over a challenge that lives long enough to be signed and sent back."""
        following = row.challenge
        if self._age_ms(row) > CHALLENGE_LIFE_MS - _LEFT_MS:
            following = new_challenge()
            if not self._change("renew", row, following):
                again = self._row(row.bound_id)
                following = following if again is None else again.challenge
        return ProofWanted(key=_key_in(row), challenge=following)

    def _change(self, what: str, row: Any, following: str) -> bool:
        """Put another challenge in the place of the one that was read; False if somebody else has."""
        sql = self._statements()[0]
        statement = sql.prove if what == "prove" else sql.renew
        values = key_of(row.session_handle) | {
            "signed": row.challenge,
            "next": following,
            "now": self._settings.now_ms(),
        }
        return self._database.single(lambda c: c.execute(statement, values).rowcount) > 0

    def _row(self, bound_id: str) -> Any:
        sql = self._statements()[0]
        if not validation.is_possible_handle(bound_id):
            return None
        values = {"bound": bound_id, "now": self._settings.now_ms()}
        return self._database.read(lambda c: c.execute(sql.by_id, values).first())

    def of_refresh_token(self, refresh_token: str) -> BoundKey | Unauthorised | None:
        """Return the key that the session of a refresh token is bound to."""
        self._statements()
        token = self._keys.open_token(masked(refresh_token))[1]
        if token is None:
            return INVALID_TOKEN
        found = self._found(token.handle)
        if found is None:
            return None
        key, claimed = found
        if claimed != key.thumbprint:
            self._database.write(lambda c: self._claim_again(c, key))
        return key

    def of_session(self, handle: str) -> BoundKey | None:
        """Return the key that a session is bound to."""
        found = self._found(handle) if validation.is_possible_handle(handle) else None
        return None if found is None else found[0]

    def _found(self, handle: str) -> tuple[BoundKey, str | None] | None:
        """Return the key of a session, and what its payload says of it."""
        sql = self._statements()[0]
        row = self._database.read(lambda c: c.execute(sql.of_session, key_of(handle)).first())
        claimed = None if row is None else thumbprint_in(json_object(row.jwt_user_payload))
        thumbprint = None if row is None else row.jkt or claimed
        if row is None or thumbprint is None:
            return None
        session = SessionKey(handle=handle, tenant_id=row.tenant_id, user_id=row.user_id)
        return _bound(session, row.bound_id, thumbprint), claimed

    def _claim_again(self, connection: Connection, key: BoundKey) -> None:
        """Have the payload say what the session is bound to, where somebody has replaced it."""
        _, sessions, former_rows = self._statements()
        session = former_rows.locked(connection, key.handle, now_ms=self._settings.now_ms())
        if session is None:
            return
        changed = payloads.merge(session.payload, {CONFIRMATION_KEY: {THUMBPRINT_KEY: key.thumbprint}})
        text = payloads.validate_json("access_token_payload", changed)
        connection.execute(sessions.set_payload, key_of(key.handle) | {"text": text})

    def note_missing(self, key: BoundKey) -> bool:
        """Record that a refresh came without a proof, once in a while."""
        sql = self._statements()[0]
        now_ms = self._settings.now_ms()
        values = key_of(key.handle) | {"before": now_ms - _NOTE_EVERY_MS, "now": now_ms}
        session = SessionKey(handle=key.handle, tenant_id=key.tenant_id, user_id=key.user_id)

        def unit(connection: Connection) -> bool:
            is_due = connection.execute(sql.missing, values).rowcount > 0
            if is_due:
                self._changes.note(connection, _note("device.proof_missing", session))
            return is_due

        is_noted = self._database.write(unit)
        if is_noted:
            self._changes.committed()
            emit(DeviceProofMissing(handle=key.handle, user_id=key.user_id, tenant_id=key.tenant_id))
        return is_noted


def _bound(session: SessionKey, bound_id: str | None, thumbprint: str) -> BoundKey:
    return BoundKey(
        handle=session.handle,
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        bound_id=bound_id,
        thumbprint=thumbprint,
    )


def _key_in(row: Any) -> BoundKey:
    session = SessionKey(handle=row.session_handle, tenant_id=row.tenant_id, user_id=row.user_id)
    return _bound(session, row.bound_id, row.jkt)


def _note(type_: Any, session: SessionKey) -> SessionNote:
    return SessionNote(
        type=type_, tenant_id=session.tenant_id, user_id=session.user_id, handle=session.handle
    )
