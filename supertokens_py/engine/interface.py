"""What recipes need of a session engine: small protocols and the frozen records that cross.

Times are integer Unix milliseconds (`*_ms`) unless a name says seconds (`*_s`). Every method is one
unit of work: it is done or it left nothing behind. Methods raise:

* `ProtectedClaimError` where a payload names a protected claim,
* `UnknownTenantError` where a tenant does not exist,
* `EngineUnavailableError` where database or core cannot be reached,

and answer everything else with a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from supertokens_py.error_codes import SessionErrorCode
from supertokens_py.exceptions import BadInputError
from supertokens_py.tokens.access_token import LATEST_VERSION
from supertokens_py.types.base import JSONObject

if TYPE_CHECKING:
    from supertokens_py.tokens.access_token import AccessToken

#: Longest time for which published keys may be cached: a dropped key ends everywhere within it.
MAX_PUBLISHED_AGE_S = 300

ReuseSubtype: TypeAlias = Literal["RECENT_PREV", "ORPHANED_BRANCH", "STALE_LINEAGE"]


class UnknownTenantError(BadInputError):
    """The tenant named by a call does not exist; create it first."""

    code = "unknown_tenant"

    def __init__(self, tenant_id: str, *, user_id: str | None = None) -> None:
        self.tenant_id = tenant_id
        # The tenant that is always there, in the place of the user: the arguments were swapped.
        advice = " (the tenant's id comes before the user's)" if user_id == "public" else ""
        super().__init__(f"AppId or tenantId not found => tenant {tenant_id!r} does not exist{advice}")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as handed to a client."""

    text: str = field(repr=False)
    created_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedSession:
    """A session just created or refreshed, with the tokens for its client."""

    handle: str
    user_id: str
    recipe_user_id: str
    tenant_id: str
    payload: JSONObject  #: the custom claims, without protected ones
    access_token: IssuedToken
    refresh_token: IssuedToken
    anti_csrf_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as the store holds it."""

    handle: str
    user_id: str
    recipe_user_id: str
    tenant_id: str
    payload: JSONObject  #: the custom claims of the next access token
    data: JSONObject = field(repr=False)  #: session data in the database, never sent to a client
    expires_ms: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """The session does not exist (any more). `reuse` says which rotated-out refresh token was presented."""

    message: str
    code: SessionErrorCode
    reuse: ReuseSubtype | None = None


@dataclass(frozen=True, slots=True)
class TryRefresh:
    """The access token is not accepted, though its session may exist: the client should refresh."""

    message: str
    code: SessionErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTheft:
    """A retired refresh token was used outside the grace window; the session is already revoked."""

    handle: str
    user_id: str
    recipe_user_id: str
    reuse: ReuseSubtype | None


@dataclass(frozen=True, slots=True)
class Verified:
    """The session stands; `access_token` is a replacement where the engine issued one."""

    access_token: IssuedToken | None = None
    #: The custom claims as stored, from an engine that saw them while it asked its database. It is what
    #: was read on the way, no part of the verdict: two verdicts are equal without it.
    payload: JSONObject | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Regenerated:
    """The stored payload changed; `access_token` is None when the presented one had expired."""

    handle: str
    user_id: str
    recipe_user_id: str
    tenant_id: str
    payload: JSONObject
    access_token: IssuedToken | None


class VerificationKey(Protocol):
    """A public key that access tokens may be signed with, until `usable_until_ms` (None: for ever)."""

    @property
    def kid(self) -> str: ...

    @property
    def usable_until_ms(self) -> int | None: ...

    def matches(self, token: str) -> bool:
        """Tell whether this key made the signature of the JWT `token`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """One immutable snapshot of the verification keys; a change makes a new object."""

    keys: Mapping[str, VerificationKey]
    loaded_ms: int


@dataclass(frozen=True, slots=True)
class Jwks:
    """The public keys as JSON Web Keys (RFC 7517), dynamic ones first, newest first.

    `max_age_s` is at most `MAX_PUBLISHED_AGE_S`.
    """

    keys: Sequence[Mapping[str, str]]
    max_age_s: int


class Keys(Protocol):
    """Where verification keys come from: our database, or a core's JWKS endpoint."""

    def key_set(self) -> KeySet:
        """Return the snapshot in memory, without I/O; empty before the first load."""
        ...

    async def reload_keys(self) -> KeySet:
        """Load the keys again, at most once per cool-down (5 s); on failure keep the old ones.

        Raises EngineUnavailableError only when there is no snapshot to fall back to.
        """
        ...

    async def jwks(self) -> Jwks: ...

    async def create_jwt(self, payload: JSONObject, *, issuer: str, validity_s: int, static_key: bool) -> str:
        """Sign a JWT (RS256, no `version` header) that is never a session.

        `iat`, `exp` and `iss` are set; members of `payload` win over them. `validity_s` > 0. Raises
        ProtectedClaimError where `payload` has a claim that only sessions have (`SESSION_ONLY_CLAIMS`).
        """
        ...


class Sessions(Protocol):
    """The life of sessions (engine: Create, Verification, Refresh, Changing a payload)."""

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
        """Create. `access_token_validity_ms` may only shorten the configured life (else BadInputError).

        `token_version` is that of the access token, and decides which claims are protected. An engine may
        know the latest one only (else BadInputError).
        """
        ...

    async def verify_session(
        self, token: AccessToken, *, check_database: bool
    ) -> Verified | Unauthorised | TryRefresh:
        """Ask the engine about a token whose signature, expiry and anti-CSRF proof are already checked."""
        ...

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
        """Rotate. Inside the grace window the previous token yields the same successor again.

        With `dynamic_key` None the session keeps its key family.
        """
        ...

    async def regenerate_session(
        self, access_token: str, *, payload: JSONObject | None = None, merge: JSONObject | None = None
    ) -> Regenerated | Unauthorised:
        """Reissue an access token with the same expiry.

        `payload` replaces the stored payload; `merge` is laid over it (None removes a key at the
        root); with neither the stored payload is used. The signature is checked, expiry is not.
        """
        ...

    async def revoke_sessions(self, handles: Sequence[str]) -> list[str]:
        """Revoke; return the handles that existed."""
        ...

    async def revoke_user_sessions(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[str]:
        """Revoke the live sessions of a user in one tenant, or in all (None); return their handles.

        `linked_accounts` includes the sessions of every login method that an official core linked to the
        user; `user_id` may name any of them.
        """
        ...

    async def user_session_handles(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[str]:
        """Return the handles of the sessions that `revoke_user_sessions` would revoke, each login method's
        oldest first."""
        ...

    async def session_information(self, handle: str) -> StoredSession | None: ...

    async def replace_session_data(self, handle: str, data: JSONObject) -> bool: ...

    async def replace_session_payload(
        self, handle: str, payload: JSONObject, *, token_version: int = LATEST_VERSION
    ) -> bool: ...

    async def merge_session_payload(self, handle: str, update: JSONObject) -> bool:
        """Merge at the root in one transaction; None removes a key."""
        ...


class Roles(Protocol):
    """Roles and permissions (engine: Roles). None answers an unknown role."""

    async def add_role(self, role: str, permissions: Sequence[str]) -> bool:
        """Create the role if absent and add permissions; return whether it was created."""
        ...

    async def delete_role(self, role: str) -> bool: ...

    async def roles(self) -> list[str]: ...

    async def role_permissions(self, role: str) -> list[str] | None: ...

    async def remove_role_permissions(self, role: str, permissions: Sequence[str] | None) -> bool | None:
        """Remove some permissions, or all (None)."""
        ...

    async def permission_roles(self, permission: str) -> list[str]: ...

    async def add_user_role(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        """Return whether the link was new."""
        ...

    async def remove_user_role(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        """Return whether there was a link."""
        ...

    async def user_roles(self, user_id: str, *, tenant_id: str) -> list[str]: ...

    async def role_users(self, role: str, *, tenant_id: str) -> list[str] | None: ...


class Metadata(Protocol):
    """User metadata (engine: Metadata)."""

    async def metadata(self, user_id: str) -> JSONObject: ...

    async def merge_metadata(self, user_id: str, update: JSONObject) -> JSONObject:
        """Merge at the root, None removes; concurrent updates of one user all survive."""
        ...

    async def clear_metadata(self, user_id: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant's configuration (engine: Tenants)."""

    tenant_id: str
    core_config: JSONObject = field(default_factory=dict[str, object])
    first_factors: Sequence[str] | None = None
    required_secondary_factors: Sequence[str] | None = None
    email_password_enabled: bool = True
    passwordless_enabled: bool = True
    third_party_enabled: bool = True


class Tenants(Protocol):
    """Tenants of the app (engine: Tenants)."""

    async def put_tenant(self, tenant_id: str, changes: JSONObject) -> bool:
        """Create or update; `changes` holds `Tenant` fields by name. Return whether it was created."""
        ...

    async def delete_tenant(self, tenant_id: str) -> bool: ...

    async def tenant(self, tenant_id: str) -> Tenant | None: ...

    async def tenants(self) -> list[Tenant]: ...


class Engine(Keys, Sessions, Roles, Metadata, Tenants, Protocol):
    """Everything a recipe may ask of an engine."""

    async def remove_user(self, user_id: str) -> None:
        """Forget a user: sessions, roles, metadata and last activity, in every tenant.

        Raises BadInputError where log-in data of the user is kept that this engine cannot delete.
        """
        ...

    def close(self) -> None:
        """Release connections and threads; the engine may be used again and reopens by itself."""
        ...
