"""The life of sessions: create, verify, refresh, regenerate, revoke, read (engine: Create, Expiry)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy.exc import IntegrityError

from supertokens_py import payloads
from supertokens_py.engine import validation
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.records import (
    IssuedSession,
    NewSession,
    Regenerated,
    StoredSession,
    TryRefresh,
    Unauthorised,
    UnknownTenantError,
    Verified,
)
from supertokens_py.events import SessionCreated, emit, emit_revoked
from supertokens_py.tokens.access_token import LATEST_VERSION, AccessToken, parse_access_token
from supertokens_py.types.base import JSONObject

from . import access_tokens
from .access_tokens import Grant
from .refresh import Refresher
from .refresh_decision import belongs
from .refresh_tokens import first_token, hash1
from .session_rows import NO_SESSION, SessionStatements, json_object, key_of, stored_tokens
from .storage import errors
from .token_families import Family, new_family, new_handle, tenant_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .activity import Activity
    from .keys import KeyRing
    from .storage.database import Database
    from .user_ids import UserIds


_REVOKED_AT_ONCE = 500
_VERIFIED = Verified()


class SessionStore(Refresher):
    """Sessions in the database; every method is one unit of blocking work."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        activity: Activity,
        users: UserIds,
        settings: ResolvedEngineConfig,
    ) -> None:
        super().__init__(database, keys, activity, users, settings)
        self._sql = SessionStatements(database.tables)

    def create(self, new: NewSession) -> IssuedSession:
        """Store a new session and return its first tokens."""
        validation.validate_user_id(new.user_id)
        payloads.validate_custom_claims(new.payload, token_version=new.token_version)
        tenant_id = validation.normalise_tenant_id(new.tenant_id)
        payload = payloads.validate_json("access_token_payload", new.payload)
        data = payloads.validate_json("session_data_in_database", new.data)
        life_ms = access_tokens.life_ms(self._settings, new.access_token_validity_ms)
        anti_csrf_token = str(uuid4()) if new.anti_csrf else None
        primary_id, recipe_id = self._users.ids(new.user_id)
        # A core that shares the database makes tokens of this session that no family would know.
        family = Family(new_handle(tenant_id)) if self._database.is_shared else new_family(tenant_id)
        token = first_token(
            self._keys.master_key(),
            handle=family.handle,
            user_id=recipe_id,
            tenant_id=tenant_id,
            anti_csrf_token=anti_csrf_token,
            nonce=family.nonce,
        )
        key = self._keys.signer(static=not new.dynamic_key)
        now_ms = self._settings.now_ms()
        grant = Grant(
            token=token,
            created_ms=now_ms,
            expires_ms=now_ms + self._settings.refresh_token_validity_ms,
            user_id=primary_id,
            recipe_user_id=recipe_id,
            payload=json_object(payload),
            anti_csrf_token=anti_csrf_token,
        )
        session = access_tokens.issue_session(
            grant, key=key, now_ms=now_ms, life_ms=life_ms, version=new.token_version
        )
        self._insert(grant, stored_payload=payload, stored_data=data, static=not new.dynamic_key)
        emit(SessionCreated(handle=session.handle, user_id=primary_id, tenant_id=tenant_id))
        self._activity.note(new.user_id)
        return session

    def needs_lookup(self, token: AccessToken, *, check_database: bool) -> bool:
        """Return whether the database is to be asked: never unasked."""
        return check_database

    def verify(self, token: AccessToken, *, check_database: bool) -> Verified | Unauthorised | TryRefresh:
        """Return whether the session of a token exists, and whether the token is of its token family."""
        if not check_database:
            return _VERIFIED
        key = key_of(token.handle)
        row = self._database.alone(lambda fetch: fetch(self._rows.tokens, key), "read", repeatable=True)
        tokens = None if row is None else stored_tokens(row)
        if row is None or tokens is None or tokens.expires_ms <= self._settings.now_ms():
            return Unauthorised(NO_SESSION, "session_gone")
        parent = token.parent_refresh_token_hash1
        parent_hash = hash1(parent) if isinstance(parent, str) else None
        if not belongs(tokens, hash1(token.refresh_token_hash1), parent_hash):
            return TryRefresh("the access token was replaced by a later refresh", "access_token_superseded")
        return Verified(payload=json_object(row[-1]))

    def regenerate(
        self, access_token: str, *, payload: JSONObject | None = None, merge: JSONObject | None = None
    ) -> Regenerated | Unauthorised:
        """Store another payload and sign it into a token with the same end."""
        token = parse_access_token(access_token)
        version = LATEST_VERSION if token is None else token.version
        if payload is not None:
            payloads.validate_payload(payload, token_version=version)
        if merge is not None:
            payloads.validate_payload_update(merge)
        if token is None or not self._is_genuine(token):
            return Unauthorised("the access token is not a valid one", "access_token_invalid")

        def unit(connection: Connection) -> tuple[str, str, JSONObject, bool] | Unauthorised:
            row = self._locked(connection, token.handle)
            if row is None:
                return Unauthorised(NO_SESSION, "session_gone")
            stored = json_object(row.jwt_user_payload)
            changed = payloads.merge(payload if payload is not None else stored, merge or {})
            if not payloads.is_signable(changed, token_version=version):
                return Unauthorised(payloads.PROTECTED_PAYLOAD, "payload_protected")
            self._write_payload(connection, token.handle, row, changed)
            primary_id, recipe_id = self._users.resolve(connection, row.user_id)
            return primary_id, recipe_id, changed, bool(row.use_static_key)

        # Keys are made before the transaction: a unit never needs a second connection.
        keys = {static: self._keys.signer(static=static) for static in (False, True)}
        found = self._database.write(unit)
        if isinstance(found, Unauthorised):
            return found
        user_id, recipe_user_id, changed, static = found
        issued = access_tokens.reissue(
            token, (user_id, recipe_user_id), changed, key=keys[static], now_ms=self._settings.now_ms()
        )
        return Regenerated(token.handle, user_id, recipe_user_id, token.tenant_id, changed, issued)

    def _is_genuine(self, token: AccessToken) -> bool:
        key = None if token.version < 3 else self._keys.verification_key(token.kid)
        return key is not None and key.matches(token.text)

    def revoke(self, handles: Sequence[str]) -> list[str]:
        """Delete sessions; return the handles that existed."""
        wanted = [handle for handle in dict.fromkeys(handles) if validation.is_possible_handle(handle)]
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
        gone = run(unit)
        revoked = [handle for handle in wanted if handle in gone]
        emit_revoked(revoked)
        return revoked

    def revoke_user(self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True) -> list[str]:
        """Delete the live sessions of a user, and of all linked login methods; return their handles."""
        statement = self._sql.revoke_user if tenant_id is None else self._sql.revoke_user_in_tenant
        several = linked_accounts and self._database.has_user_tables
        run = self._database.write if several else self._database.single
        handles = self._of_user(user_id, tenant_id, statement, linked=linked_accounts, run=run)
        if validation.is_possible_user_id(user_id):
            emit_revoked(handles)
            self._activity.note(user_id)
        return handles

    def user_handles(self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True) -> list[str]:
        """Return the handles that `revoke_user` would delete, each login method's oldest first."""
        statement = self._sql.user_handles if tenant_id is None else self._sql.user_handles_in_tenant
        return self._of_user(user_id, tenant_id, statement, linked=linked_accounts, run=self._database.read)

    def information(self, handle: str) -> StoredSession | None:
        """Return a live session."""
        if not validation.is_possible_handle(handle):
            return None

        def unit(connection: Connection) -> StoredSession | None:
            row = connection.execute(self._sql.information, key_of(handle)).first()
            if row is None or row.expires_at <= self._settings.now_ms():
                return None
            primary_id, recipe_id = self._users.resolve(connection, row.user_id)
            return StoredSession(
                handle=handle,
                user_id=primary_id,
                recipe_user_id=recipe_id,
                tenant_id=tenant_of(handle),
                payload=json_object(row.jwt_user_payload),
                data=json_object(row.session_data),
                expires_ms=row.expires_at,
                created_ms=row.created_at_time,
            )

        return self._database.read(unit)

    def replace_data(self, handle: str, data: JSONObject) -> bool:
        """Replace the data that stays in the database."""
        text = payloads.validate_json("session_data_in_database", data)
        return self._replace(self._sql.replace_data, handle, text)

    def replace_payload(
        self, handle: str, payload: JSONObject, *, token_version: int = LATEST_VERSION
    ) -> bool:
        """Replace the custom claims of the next access token."""
        text = payloads.validate_payload(payload, token_version=token_version)
        return self._replace(self._sql.replace_payload, handle, text)

    def merge_payload(
        self, handle: str, update: JSONObject, *, check: Callable[[JSONObject], None] | None = None
    ) -> bool:
        """Lay an update over the custom claims, under the lock of the row."""
        payloads.validate_payload_update(update)

        def unit(connection: Connection) -> bool:
            row = self._locked(connection, handle)
            if row is not None:
                changed = payloads.merge(json_object(row.jwt_user_payload), update)
                if check is not None:
                    check(changed)
                self._write_payload(connection, handle, row, changed)
            return row is not None

        return validation.is_possible_handle(handle) and self._database.write(unit)

    def _insert(self, grant: Grant, *, stored_payload: str, stored_data: str, static: bool) -> None:
        row: dict[str, Any] = {
            "tenant_id": grant.token.tenant_id,
            "session_handle": grant.token.handle,
            "user_id": grant.recipe_user_id,
            "jwt_user_payload": stored_payload,
            "session_data": stored_data,
            "use_static_key": static,
            "refresh_token_hash_2": grant.token.hash2,
            "expires_at": grant.expires_ms,
            "created_at_time": grant.created_ms,
        }
        attempts: list[object] = []

        def unit(connection: Connection) -> None:
            attempts.append(connection)
            connection.execute(self._sql.insert, row)

        try:
            self._database.single(unit, repeatable=True)
        except IntegrityError as error:
            if errors.is_unknown_parent(error):
                raise UnknownTenantError(row["tenant_id"], user_id=row["user_id"]) from error
            # The connection broke after the row was written: sent again, it meets itself.
            if len(attempts) == 1:
                raise

    def _locked(self, connection: Connection, handle: str) -> Any:
        row = connection.execute(self._rows.lock, key_of(handle)).first()
        return None if row is None or row.expires_at <= self._settings.now_ms() else row

    def _write_payload(self, connection: Connection, handle: str, row: Any, payload: JSONObject) -> None:
        text = payloads.validate_json("access_token_payload", payload)
        if text != row.jwt_user_payload:
            connection.execute(self._sql.set_payload, key_of(handle) | {"text": text})

    def _replace(self, statement: Any, handle: str, text: str) -> bool:
        if not validation.is_possible_handle(handle):
            return False
        values = key_of(handle) | {"text": text, "now": self._settings.now_ms()}
        return self._database.single(lambda c: c.execute(statement, values).rowcount, repeatable=True) > 0

    def _of_user(
        self, user_id: str, tenant_id: str | None, statement: Any, *, linked: bool, run: Any
    ) -> list[str]:
        values: dict[str, Any] = {"now": self._settings.now_ms()}
        if tenant_id is not None:
            values["tenant"] = validation.normalise_tenant_id(tenant_id)
        if not validation.is_possible_user_id(user_id):
            return []

        def unit(connection: Connection) -> list[str]:
            users = self._users.linked_to(connection, user_id) if linked else [user_id]
            return [
                handle
                for user in users
                for handle in connection.execute(statement, values | {"user": user}).scalars()
            ]

        handles: list[str] = run(unit)
        if tenant_id is not None and not handles:
            self._require_tenant(values["tenant"])  # only an empty answer can be due to an unknown one
        return handles

    def _require_tenant(self, tenant_id: str) -> None:
        if self._database.read(lambda c: c.execute(self._sql.tenant, {"tenant": tenant_id}).first()) is None:
            raise UnknownTenantError(tenant_id)
