"""The embedded engine: the whole contract of `engine.interface` on one database."""

from __future__ import annotations

from collections.abc import Sequence

from supertokens_py import payloads
from supertokens_py.bridge import offload
from supertokens_py.engine import validation
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.interface import (
    IssuedSession,
    Jwks,
    KeySet,
    Regenerated,
    StoredSession,
    Tenant,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    Verified,
)
from supertokens_py.engine.renewal import RenewalOrder, Renewed
from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import hidden
from supertokens_py.tokens.access_token import LATEST_VERSION, AccessToken
from supertokens_py.tokens.signatures import sign_jwt
from supertokens_py.types.base import JSONObject

from .activity import Activity
from .database import Database
from .housekeeping import Housekeeper
from .keys import KeyRing
from .metadata import MetadataStore
from .refreshing import Refresher
from .removal import UserRemoval
from .roles import RoleStore
from .sessions import SessionStore
from .sweep import Sweeper, Swept
from .tenants import TenantStore
from .users import UserIds

_VERIFIED = Verified()


class EmbeddedEngine:
    """Sessions in a SQLite or PostgreSQL database, in this process.

    Each method is one unit of blocking work that runs inline for blocking callers and in our own
    threads under an event loop. Nothing is opened before the first use; `close()` and a fork are
    followed by a new opening.
    """

    def __init__(self, uri: str, settings: ResolvedEngineConfig, *, may_create: bool = True) -> None:
        self._settings = settings
        self._database = Database(uri, settings, may_create=may_create)
        self._keys = KeyRing(self._database, settings)
        self._sweeper = Sweeper(self._database, self._keys, settings)
        self._activity = Activity(self._database, settings, on_note=lambda: None)
        self._housekeeper = Housekeeper(
            flush=self._activity.flush,
            sweep=self._sweeper.sweep_if_first,
            sweep_every_s=settings.clean_up_interval * 3600,
        )
        self._activity.on_note = self._housekeeper.wake
        users = UserIds(self._database)
        self._sessions = SessionStore(self._database, self._keys, self._activity, users, settings)
        self._refresher = Refresher(self._database, self._keys, self._activity, users, settings)
        self._roles = RoleStore(self._database)
        self._metadata = MetadataStore(self._database)
        self._tenants = TenantStore(self._database, settings)
        self._removal = UserRemoval(self._database, users, self._activity)

    def __repr__(self) -> str:
        return f"EmbeddedEngine({self._database.location.name})"

    def close(self) -> None:
        """Write what is pending, end the housekeeping thread and close every connection.

        A database in memory ends with its connection.
        """
        self._housekeeper.stop()
        self._database.close()
        self._keys.forget()

    # Keys

    def key_set(self) -> KeySet:
        return self._keys.key_set()

    async def reload_keys(self) -> KeySet:
        cooled = self._keys.cooled()
        return await offload(self._keys.reload) if cooled is None else cooled

    async def jwks(self) -> Jwks:
        return await offload(self._keys.jwks)

    async def create_jwt(self, payload: JSONObject, *, issuer: str, validity_s: int, static_key: bool) -> str:
        return await offload(self._create_jwt, payload, issuer, validity_s, static_key)

    async def rotate_signing_key(self, *, drop_old: bool = False) -> str:
        """Make a new dynamic signing key that signs at once, and return its id.

        For a key that may have leaked: with `drop_old`, tokens signed with earlier keys are no longer
        accepted (by other processes: within a minute), and their sessions go on after a refresh. That
        includes the static key and the JWTs that it signed, unless `renew_keys` is asked to keep it.
        """
        renewed = await self.renew_keys(RenewalOrder(dynamic=True, drop_old=drop_old))
        return renewed.dynamic or ""

    async def renew_keys(self, order: RenewalOrder) -> Renewed:
        """Renew families of keys; other processes learn of it within a minute."""
        return await offload(self._keys.renew, order)

    async def encrypt_keys(self) -> int:
        """Encrypt the keys with `encryption_key`, and return how many were not encrypted with it.

        No official core can use the database from then on.

        Raises:
            ConfigError: no `encryption_key` is set, or a key was encrypted with an unknown one.
        """
        return await offload(self._keys.encrypt)

    # Sessions

    async def create_session(
        self,
        user_id: str,
        *,
        tenant_id: str,
        payload: JSONObject,
        data: JSONObject,
        anti_csrf: bool,
        dynamic_key: bool,
        access_token_validity_ms: int | None = None,
        token_version: int = LATEST_VERSION,
    ) -> IssuedSession:
        return await offload(
            self._sessions.create,
            user_id,
            tenant_id=tenant_id,
            payload=payload,
            data=data,
            anti_csrf=anti_csrf,
            dynamic_key=dynamic_key,
            access_token_validity_ms=access_token_validity_ms,
            token_version=token_version,
        )

    async def verify_session(
        self, token: AccessToken, *, check_database: bool
    ) -> Verified | Unauthorised | TryRefresh:
        if not check_database:
            return _VERIFIED
        return await offload(self._sessions.verify, token)

    async def refresh_session(
        self,
        refresh_token: str,
        *,
        anti_csrf_token: str | None,
        anti_csrf: bool,
        dynamic_key: bool | None,
        access_token_validity_ms: int | None = None,
        token_version: int = LATEST_VERSION,
    ) -> IssuedSession | Unauthorised | TokenTheft:
        refresh_token = hidden(refresh_token)
        return await offload(
            self._refresher.refresh,
            refresh_token,
            anti_csrf_token=anti_csrf_token,
            anti_csrf=anti_csrf,
            dynamic_key=dynamic_key,
            access_token_validity_ms=access_token_validity_ms,
            token_version=token_version,
        )

    async def regenerate_session(
        self, access_token: str, *, payload: JSONObject | None = None, merge: JSONObject | None = None
    ) -> Regenerated | Unauthorised:
        return await offload(self._sessions.regenerate, access_token, payload=payload, merge=merge)

    async def revoke_sessions(self, handles: Sequence[str]) -> list[str]:
        return await offload(self._sessions.revoke, handles)

    async def revoke_user_sessions(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[str]:
        return await offload(self._sessions.revoke_user, user_id, tenant_id=tenant_id, linked=linked_accounts)

    async def user_session_handles(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[str]:
        return await offload(
            self._sessions.user_handles, user_id, tenant_id=tenant_id, linked=linked_accounts
        )

    async def session_information(self, handle: str) -> StoredSession | None:
        return await offload(self._sessions.information, handle)

    async def replace_session_data(self, handle: str, data: JSONObject) -> bool:
        return await offload(self._sessions.replace_data, handle, data)

    async def replace_session_payload(
        self, handle: str, payload: JSONObject, *, token_version: int = LATEST_VERSION
    ) -> bool:
        return await offload(self._sessions.replace_payload, handle, payload, token_version=token_version)

    async def merge_session_payload(self, handle: str, update: JSONObject) -> bool:
        return await offload(self._sessions.merge_payload, handle, update)

    # Roles

    async def add_role(self, role: str, permissions: Sequence[str]) -> bool:
        return await offload(self._roles.add, role, permissions)

    async def delete_role(self, role: str) -> bool:
        return await offload(self._roles.delete, role)

    async def roles(self) -> list[str]:
        return await offload(self._roles.all)

    async def role_permissions(self, role: str) -> list[str] | None:
        return await offload(self._roles.permissions, role)

    async def remove_role_permissions(self, role: str, permissions: Sequence[str] | None) -> bool | None:
        return await offload(self._roles.remove_permissions, role, permissions)

    async def permission_roles(self, permission: str) -> list[str]:
        return await offload(self._roles.with_permission, permission)

    async def add_user_role(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        return await offload(self._roles.link, user_id, role, tenant_id=tenant_id)

    async def remove_user_role(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        return await offload(self._roles.unlink, user_id, role, tenant_id=tenant_id)

    async def user_roles(self, user_id: str, *, tenant_id: str) -> list[str]:
        return await offload(self._roles.of_user, user_id, tenant_id=tenant_id)

    async def role_users(self, role: str, *, tenant_id: str) -> list[str] | None:
        return await offload(self._roles.users, role, tenant_id=tenant_id)

    # Metadata

    async def metadata(self, user_id: str) -> JSONObject:
        return await offload(self._metadata.read, user_id)

    async def merge_metadata(self, user_id: str, update: JSONObject) -> JSONObject:
        return await offload(self._metadata.merge, user_id, update)

    async def clear_metadata(self, user_id: str) -> None:
        await offload(self._metadata.clear, user_id)

    # Users

    async def remove_user(self, user_id: str) -> None:
        await offload(self._removal.remove, user_id)

    # Tenants

    async def put_tenant(self, tenant_id: str, changes: JSONObject) -> bool:
        return await offload(self._tenants.put, tenant_id, changes)

    async def delete_tenant(self, tenant_id: str) -> bool:
        return await offload(self._tenants.delete, tenant_id)

    async def tenant(self, tenant_id: str) -> Tenant | None:
        return await offload(self._tenants.find, tenant_id)

    async def tenants(self) -> list[Tenant]:
        return await offload(self._tenants.all)

    # Upkeep

    async def sweep(self) -> Swept:
        """Delete expired sessions and keys now; the engine also does so by itself, now and then."""
        return await offload(self._sweeper.sweep)

    async def count_active_users(self, since_ms: int) -> int:
        """Return how many users created, refreshed or ended sessions at or after a time."""
        return await offload(self._activity.count_since, since_ms)

    def _create_jwt(self, payload: JSONObject, issuer: str, validity_s: int, static_key: bool) -> str:
        payloads.validate_jwt_claims(payload)
        validation.validate_validity_s(validity_s)
        key = self._keys.signer(static=static_key)
        now_s = self._settings.now_ms() // 1000
        body = {"iat": now_s, "exp": now_s + validity_s, "iss": issuer, **payload}
        try:
            return sign_jwt(body, key=key.private_key, kid=key.kid)
        except ValueError as error:
            raise BadInputError(f"payload cannot be written as JSON: {error}") from error
