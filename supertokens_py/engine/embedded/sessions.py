"""The life of sessions: create, verify, refresh, regenerate, revoke, read (core-semantics 5-10)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never
from uuid import uuid4

from sqlalchemy.exc import IntegrityError

from supertokens_py.access_token import AccessToken, parse_access_token, signature_matches
from supertokens_py.constants import PROTECTED_CLAIMS
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.interface import (
    IssuedSession,
    IssuedToken,
    Regenerated,
    StoredSession,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    UnknownTenantError,
    Verified,
)
from supertokens_py.types.base import JSONObject

from . import access_tokens, failures, limits
from .handles import new_handle, tenant_of
from .refresh_tokens import RefreshToken, first_token, hash1, open_token, same, successor
from .rotation import Lineage, belongs, decide, is_theft, successor_of
from .session_statements import SessionStatements
from .users import UserIds

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .activity import Activity
    from .database import Database
    from .keys import KeyRing

NO_SESSION = "Session does not exist."
_REVOKED_AT_ONCE = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rotated:
    """What a refresh did to its row, and who the session belongs to."""

    token: RefreshToken
    created_ms: int
    expires_ms: int
    user_id: str
    recipe_user_id: str
    payload: JSONObject


class SessionStore:
    """Sessions in the database; every method is one unit of blocking work."""

    def __init__(
        self, database: Database, keys: KeyRing, activity: Activity, settings: ResolvedEngineConfig
    ) -> None:
        self._database = database
        self._keys = keys
        self._activity = activity
        self._settings = settings
        self._users = UserIds(database)
        self._sql = SessionStatements(database.tables)

    def create(
        self,
        user_id: str,
        *,
        tenant_id: str,
        payload: JSONObject,
        data: JSONObject,
        anti_csrf: bool,
        dynamic_key: bool,
        access_token_validity_ms: int | None,
    ) -> IssuedSession:
        """Store a new session and return its first tokens."""
        limits.checked_user_id(user_id)
        limits.refuse_protected(payload)
        tenant_id = limits.tenant_id_form(tenant_id)
        row: dict[str, Any] = {
            "tenant_id": tenant_id,
            "session_handle": new_handle(tenant_id),
            "jwt_user_payload": limits.json_text("access_token_payload", payload),
            "session_data": limits.json_text("session_data_in_database", data),
            "use_static_key": not dynamic_key,
        }
        life_ms = access_tokens.life_ms(self._settings, access_token_validity_ms)
        anti_csrf_token = str(uuid4()) if anti_csrf else None
        primary_id, recipe_id = user_id, user_id
        if self._users.are_kept:
            primary_id, recipe_id = self._database.read(lambda c: self._users.resolve(c, user_id))
        token = first_token(
            self._keys.master_key(),
            handle=row["session_handle"],
            user_id=recipe_id,
            tenant_id=tenant_id,
            anti_csrf_token=anti_csrf_token,
        )
        key = self._keys.signer(static=not dynamic_key)
        now_ms = self._settings.now_ms()
        expires_ms = now_ms + self._settings.refresh_token_validity_ms
        row |= {
            "user_id": recipe_id,
            "refresh_token_hash_2": token.hash2,
            "expires_at": expires_ms,
            "created_at_time": now_ms,
        }
        session = self._issued(
            _Rotated(token, now_ms, expires_ms, primary_id, recipe_id, json.loads(row["jwt_user_payload"])),
            key=key,
            now_ms=now_ms,
            life_ms=life_ms,
        )
        self._insert(row)
        log.info("session %s created", session.handle)
        self._activity.note(user_id)
        return session

    def verify(self, token: AccessToken) -> Verified | Unauthorised | TryRefresh:
        """Ask the database whether the session of a token stands, and whether the token is of its line."""
        row = self._database.read(lambda c: c.execute(self._sql.lineage, self._key(token.handle)).first())
        if row is None or row.expires_at <= self._settings.now_ms():
            return Unauthorised(NO_SESSION)
        parent = token.parent_refresh_token_hash1
        parent_hash = hash1(parent) if isinstance(parent, str) else None
        if not belongs(_lineage(row), hash1(token.refresh_token_hash1), parent_hash):
            return TryRefresh("the access token was replaced by a later refresh")
        return Verified()

    def refresh(
        self,
        refresh_token: str,
        *,
        anti_csrf_token: str | None,
        anti_csrf: bool,
        dynamic_key: bool,
        access_token_validity_ms: int | None,
    ) -> IssuedSession | Unauthorised | TokenTheft:
        """Rotate the refresh token, or answer what its use means (core-semantics 8.2)."""
        life_ms = access_tokens.life_ms(self._settings, access_token_validity_ms)
        master_key = self._keys.master_key()
        presented = open_token(master_key, refresh_token)
        if presented is None:
            return Unauthorised("Invalid refresh token")
        expected = presented.anti_csrf_token
        if anti_csrf and expected is not None and not (anti_csrf_token and same(anti_csrf_token, expected)):
            return Unauthorised("Anti CSRF token missing, or not matching")
        key = self._keys.signer(static=not dynamic_key)
        outcome = self._database.write(
            lambda connection: self._rotate(
                connection, presented, master_key, anti_csrf=anti_csrf, static=not dynamic_key
            )
        )
        if not isinstance(outcome, _Rotated):
            return outcome
        session = self._issued(outcome, key=key, now_ms=self._settings.now_ms(), life_ms=life_ms)
        self._activity.note(outcome.recipe_user_id)
        return session

    def regenerate(
        self, access_token: str, *, payload: JSONObject | None, merge: JSONObject | None
    ) -> Regenerated | Unauthorised:
        """Store another payload and sign it into a token with the same end."""
        for name, change in (("access_token_payload", payload), ("access_token_payload_update", merge)):
            if change is not None:
                limits.json_text(name, change)
                limits.refuse_protected(change)
        token = parse_access_token(access_token)
        verifier = None if token is None or token.version < 3 else self._keys.verification_key(token.kid)
        if token is None or verifier is None or not signature_matches(token.text, verifier.public_key):
            return Unauthorised("the access token is not a valid one")

        def unit(connection: Connection) -> tuple[str, str, JSONObject, bool] | None:
            row = self._locked(connection, token.handle)
            if row is None:
                return None
            stored = _object(row.jwt_user_payload)
            changed = limits.merged(payload if payload is not None else stored, merge or {})
            self._write_payload(connection, token.handle, row, changed)
            primary_id, recipe_id = self._users.resolve(connection, row.user_id)
            return primary_id, recipe_id, changed, bool(row.use_static_key)

        # Keys are made before the transaction: a unit never needs a second connection.
        keys = {static: self._keys.signer(static=static) for static in (False, True)}
        found = self._database.write(unit)
        if found is None:
            return Unauthorised(NO_SESSION)
        user_id, recipe_user_id, changed, static = found
        issued: IssuedToken | None = None
        now_ms = self._settings.now_ms()
        if token.expires_ms >= now_ms:
            claims = access_tokens.session_claims(
                handle=token.handle,
                user_id=user_id,
                recipe_user_id=recipe_user_id,
                tenant_id=token.tenant_id,
                refresh_token_hash1=token.refresh_token_hash1,
                parent_hash1=token.parent_refresh_token_hash1,
                anti_csrf_token=token.anti_csrf_token,
                version=token.version,
            )
            issued = access_tokens.issue(
                claims,
                changed,
                now_ms=now_ms,
                expires_ms=token.expires_ms,
                key=keys[static],
                version=token.version,
            )
        return Regenerated(token.handle, user_id, recipe_user_id, token.tenant_id, changed, issued)

    def revoke(self, handles: Sequence[str]) -> list[str]:
        """Delete sessions; return the handles that existed."""
        wanted = [handle for handle in dict.fromkeys(handles) if _storable(handle)]
        batches: list[tuple[str, list[str]]] = []
        for tenant_id in dict.fromkeys(map(tenant_of, wanted)):
            own = [handle for handle in wanted if tenant_of(handle) == tenant_id]
            batches += (
                (tenant_id, own[start : start + _REVOKED_AT_ONCE])
                for start in range(0, len(own), _REVOKED_AT_ONCE)
            )
        if not batches:
            return []

        def unit(connection: Connection) -> set[str]:
            return {
                handle
                for tenant_id, batch in batches
                for handle in connection.execute(
                    self._sql.revoke, {"tenant": tenant_id, "handles": batch}
                ).scalars()
            }

        run = self._database.single if len(batches) == 1 else self._database.write
        return self._revoked(unit, run, wanted)

    def revoke_user(self, user_id: str, *, tenant_id: str | None) -> list[str]:
        """Delete the live sessions of a user; return their handles."""
        limits.checked_user_id(user_id)
        tenant = None if tenant_id is None else limits.tenant_id_form(tenant_id)
        statement = self._sql.revoke_user if tenant is None else self._sql.revoke_user_in_tenant
        values = {"user": user_id, "tenant": tenant, "now": self._settings.now_ms()}
        if tenant is None:
            del values["tenant"]
        revoked = self._revoked(
            lambda c: c.execute(statement, values).scalars().all(), self._database.single, None
        )
        self._require_tenant(tenant, revoked)
        self._activity.note(user_id)
        return revoked

    def user_handles(self, user_id: str, *, tenant_id: str | None) -> list[str]:
        """Return the handles of a user's live sessions, oldest first."""
        limits.checked_user_id(user_id)
        tenant = None if tenant_id is None else limits.tenant_id_form(tenant_id)
        statement = self._sql.user_handles if tenant is None else self._sql.user_handles_in_tenant
        values = {"user": user_id, "tenant": tenant, "now": self._settings.now_ms()}
        if tenant is None:
            del values["tenant"]
        handles = list(self._database.read(lambda c: c.execute(statement, values).scalars().all()))
        self._require_tenant(tenant, handles)
        return handles

    def information(self, handle: str) -> StoredSession | None:
        """Return a live session."""
        if not _storable(handle):
            return None

        def unit(connection: Connection) -> StoredSession | None:
            row = connection.execute(self._sql.information, self._key(handle)).first()
            if row is None or row.expires_at <= self._settings.now_ms():
                return None
            primary_id, recipe_id = self._users.resolve(connection, row.user_id)
            return StoredSession(
                handle=handle,
                user_id=primary_id,
                recipe_user_id=recipe_id,
                tenant_id=tenant_of(handle),
                payload=_object(row.jwt_user_payload),
                data=_object(row.session_data),
                expires_ms=row.expires_at,
                created_ms=row.created_at_time,
            )

        return self._database.read(unit)

    def replace_data(self, handle: str, data: JSONObject) -> bool:
        """Replace the data that stays in the database."""
        text = limits.json_text("session_data_in_database", data)
        return self._replace(self._sql.replace_data, handle, text)

    def replace_payload(self, handle: str, payload: JSONObject) -> bool:
        """Replace the custom claims of the next access token."""
        text = limits.json_text("access_token_payload", payload)
        limits.refuse_protected(payload)
        return self._replace(self._sql.replace_payload, handle, text)

    def merge_payload(self, handle: str, update: JSONObject) -> bool:
        """Lay an update over the custom claims, under the lock of the row."""
        limits.json_text("access_token_payload_update", update)
        limits.refuse_protected(update)

        def unit(connection: Connection) -> bool:
            row = self._locked(connection, handle)
            if row is not None:
                changed = limits.merged(_object(row.jwt_user_payload), update)
                self._write_payload(connection, handle, row, changed)
            return row is not None

        return _storable(handle) and self._database.write(unit)

    def _insert(self, row: dict[str, Any]) -> None:
        attempts: list[object] = []

        def unit(connection: Connection) -> None:
            attempts.append(connection)
            connection.execute(self._sql.insert, row)

        try:
            self._database.single(unit, repeatable=True)
        except IntegrityError as error:
            if failures.is_unknown_parent(error):
                raise UnknownTenantError(row["tenant_id"]) from error
            # The connection broke after the row was written: sent again, it meets itself.
            if len(attempts) == 1:
                raise

    def _rotate(
        self,
        connection: Connection,
        presented: RefreshToken,
        master_key: str,
        *,
        anti_csrf: bool,
        static: bool,
    ) -> _Rotated | Unauthorised | TokenTheft:
        # Repeating this unit after a commit of unknown outcome would be harmless, too: the token just
        # retired would now be `previous`, and yield the same successor.
        key = {"tenant": presented.tenant_id, "handle": presented.handle}
        row = connection.execute(self._sql.lock, key).first()
        now_ms = self._settings.now_ms()  # read under the lock: no rotation that we see is later than it
        lineage = None if row is None else _lineage(row)
        decision = decide(lineage, presented, now_ms=now_ms, grace_ms=self._settings.grace_period_ms)
        if row is None or lineage is None or decision == "GONE":
            log.debug("refresh refused: session %s is gone", presented.handle)
            return Unauthorised(NO_SESSION)
        payload = _object(row.jwt_user_payload)
        if decision in ("ROTATE", "REPEAT") and not payload.keys().isdisjoint(PROTECTED_CLAIMS):
            return Unauthorised("The user payload contains protected field")
        user_id, recipe_user_id = self._users.resolve(connection, row.user_id)
        match decision:
            case "ROTATE":
                token = successor(master_key, presented, rotated_ms=now_ms, anti_csrf=anti_csrf)
                expires_ms = now_ms + self._settings.refresh_token_validity_ms
                changes = {"previous": presented.hash2, "current": token.hash2, "now": now_ms}
                connection.execute(
                    self._sql.rotate, key | changes | {"expires": expires_ms, "static": static}
                )
                log.info("session %s refreshed", presented.handle)
                return _Rotated(token, now_ms, expires_ms, user_id, recipe_user_id, payload)
            case "REPEAT":
                repeated = successor_of(master_key, presented, lineage, anti_csrf=anti_csrf)
                if not repeated.is_current or bool(row.use_static_key) is not static:
                    values = {"current": repeated.token.hash2, "static": static}
                    connection.execute(self._sql.rerotate, key | values)
                log.info("session %s refreshed again within the grace period", presented.handle)
                rotated_ms = lineage.rotated_ms or now_ms
                return _Rotated(
                    repeated.token, rotated_ms, lineage.expires_ms, user_id, recipe_user_id, payload
                )
            case "RECENT_PREV" | "ORPHANED_BRANCH" | "STALE_LINEAGE":
                connection.execute(self._sql.delete, key)
                age_ms = None if lineage.rotated_ms is None else now_ms - lineage.rotated_ms
                log.warning(
                    "refresh token reuse: session %s revoked (%s, last rotation %s ms ago)",
                    presented.handle, decision, age_ms,
                )  # fmt: skip
                if is_theft(decision, self._settings.recent_token_reuse_behaviour):
                    return TokenTheft(
                        handle=presented.handle,
                        user_id=user_id,
                        recipe_user_id=recipe_user_id,
                        reuse=decision,
                    )
                return Unauthorised("the refresh token was used before", reuse=decision)
            case _:
                assert_never(decision)

    def _issued(self, session: _Rotated, *, key: Any, now_ms: int, life_ms: int) -> IssuedSession:
        token = session.token
        claims = access_tokens.session_claims(
            handle=token.handle,
            user_id=session.user_id,
            recipe_user_id=session.recipe_user_id,
            tenant_id=token.tenant_id,
            refresh_token_hash1=token.hash1,
            anti_csrf_token=token.anti_csrf_token,
        )
        return IssuedSession(
            handle=token.handle,
            user_id=session.user_id,
            recipe_user_id=session.recipe_user_id,
            tenant_id=token.tenant_id,
            payload=session.payload,
            access_token=access_tokens.issue(
                claims, session.payload, now_ms=now_ms, expires_ms=now_ms + life_ms, key=key
            ),
            refresh_token=IssuedToken(token.text, session.created_ms, session.expires_ms),
            anti_csrf_token=token.anti_csrf_token,
        )

    def _locked(self, connection: Connection, handle: str) -> Any:
        row = connection.execute(self._sql.lock, self._key(handle)).first()
        return None if row is None or row.expires_at <= self._settings.now_ms() else row

    def _write_payload(self, connection: Connection, handle: str, row: Any, payload: JSONObject) -> None:
        text = limits.json_text("access_token_payload", payload)
        if text != row.jwt_user_payload:
            connection.execute(self._sql.set_payload, self._key(handle) | {"text": text})

    def _replace(self, statement: Any, handle: str, text: str) -> bool:
        values = self._key(handle) | {"text": text, "now": self._settings.now_ms()}
        return _storable(handle) and (
            self._database.single(lambda c: c.execute(statement, values).rowcount, repeatable=True) > 0
        )

    def _revoked(
        self,
        unit: Callable[[Connection], Iterable[str]],
        run: Callable[[Callable[[Connection], Iterable[str]]], Iterable[str]],
        order: list[str] | None,
    ) -> list[str]:
        gone = run(unit)
        handles = list(gone) if order is None else [handle for handle in order if handle in set(gone)]
        for handle in handles:
            log.info("session %s revoked", handle)
        return handles

    def _require_tenant(self, tenant: str | None, found: Sequence[str]) -> None:
        # Only an empty answer can be due to an unknown tenant, so only then is it worth a question.
        if tenant is None or found:
            return
        if self._database.read(lambda c: c.execute(self._sql.tenant, {"tenant": tenant}).first()) is None:
            raise UnknownTenantError(tenant)

    @staticmethod
    def _key(handle: str) -> dict[str, Any]:
        return {"tenant": tenant_of(handle), "handle": handle}


def _lineage(row: Any) -> Lineage:
    return Lineage(
        current=row.refresh_token_hash_2,
        previous=row.prev_refresh_token_hash_2,
        rotated_ms=row.refresh_token_rotated_at,
        expires_ms=row.expires_at,
    )


def _object(text: str | None) -> JSONObject:
    return json.loads(text) if text else {}


def _storable(handle: str) -> bool:
    return "\0" not in handle and len(handle) <= limits.MAX_NAME
