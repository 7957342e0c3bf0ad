"""What recipes need of an engine, by service; `records` has what they take and answer with.

Times are integer Unix milliseconds (`*_ms`) unless a name says seconds (`*_s`). Methods block, save those
whose docstring says that they do no I/O: `call_engine` runs them. Every method is one unit of work: it is
done or it left nothing behind. Methods raise:

* `ProtectedClaimError` where a payload names a protected claim,
* `UnknownTenantError` where a tenant does not exist,
* `EngineUnavailableError` where database or core cannot be reached,

and answer everything else with a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from supertokens_py.tokens.access_token import LATEST_VERSION
from supertokens_py.types.base import JSONObject

from .device_keys import DeviceKeys
from .event_records import SessionEvents
from .id_mapping import IdMappings
from .metadata import Metadata
from .records import (
    IssuedSession,
    Jwks,
    KeySet,
    NewSession,
    RefreshRequest,
    Regenerated,
    StoredSession,
    Tenant,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    Verified,
)
from .revoked_sessions import Revocations
from .session_records import BY_APPLICATION, Details, Ending, Lifetime, LimitReached, ListedSession
from .user_services import (
    Clients,
    EmailPassword,
    EmailVerification,
    HashImport,
    Passwordless,
    ThirdParty,
    Users,
)

if TYPE_CHECKING:
    from supertokens_py.tokens.access_token import AccessToken


class Keys(Protocol):
    """The verification keys, in our database or behind a core's JWKS endpoint, and signing with them."""

    def key_set(self) -> KeySet:
        """Return the snapshot in memory, without I/O; empty before the first load."""
        ...

    def cooled(self) -> KeySet | None:
        """Return the snapshot if `reload` would not load anything anyway; None if it would. No I/O."""
        ...

    def reload(self) -> KeySet:
        """Load the keys again, at most once per cooldown (5 s); on failure keep the old ones.

        Raises EngineUnavailableError only when there is no snapshot to fall back to.
        """
        ...

    def jwks(self) -> Jwks:
        """Return the public keys to publish; keys that are due are created first."""
        ...

    def create_jwt(self, payload: JSONObject, *, issuer: str, validity_s: int, static_key: bool) -> str:
        """Sign a JWT (RS256, no `version` header) that is never a session.

        `iat`, `exp` and `iss` are set; members of `payload` win over them. `validity_s` > 0. Raises
        ProtectedClaimError where `payload` has a claim that only sessions have (`SESSION_ONLY_CLAIMS`).
        """
        ...

    def shared_secrets(self, purpose: str) -> Sequence[bytes]:
        """Return keys that every process of the app derives for a purpose, the one to use first.

        Nobody else can; what was made with one of the others is accepted.
        """
        ...


class Sessions(Protocol):
    """The life of sessions (engine: Create, Verification, Refresh, Changing a payload)."""

    def create(self, new: NewSession) -> IssuedSession | LimitReached | Unauthorised:
        """Create a session; `Unauthorised` where the one that it must replace is gone.

        Raises BadInputError for a token version or access token lifetime that cannot be issued.
        """
        ...

    def needs_lookup(self, token: AccessToken, *, check_database: bool) -> bool:
        """Return whether `verify` must be called for a token. No I/O; False means that it is verified."""
        ...

    def verify(self, token: AccessToken, *, check_database: bool) -> Verified | Unauthorised | TryRefresh:
        """Look up the session of a token whose signature, expiry and anti-CSRF proof are already checked."""
        ...

    def refresh(self, request: RefreshRequest) -> IssuedSession | Unauthorised | TokenTheft:
        """Rotate. Inside the grace window the previous token yields the same successor again."""
        ...

    def regenerate(
        self, access_token: str, *, payload: JSONObject | None = None, merge: JSONObject | None = None
    ) -> Regenerated | Unauthorised:
        """Reissue an access token with the same expiry.

        `payload` replaces the stored payload; `merge` is laid over it (None removes a key at the
        root); with neither the stored payload is used. The signature is checked, expiry is not.
        """
        ...

    def revoke(self, handles: Sequence[str], *, ending: Ending = BY_APPLICATION) -> list[str]:
        """Revoke sessions; return the handles of those that existed."""
        ...

    def revoke_user(
        self,
        user_id: str,
        *,
        tenant_id: str | None,
        linked_accounts: bool = True,
        keep: str | None = None,
        ending: Ending = BY_APPLICATION,
    ) -> list[str]:
        """Revoke the live sessions of a user in one tenant, or in all (None); return their handles.

        `linked_accounts` includes the sessions of every login method that an official core linked to the
        user; `user_id` may name any of them. `keep` stays. Sessions in which the user acts as others end too.
        """
        ...

    def listed(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[ListedSession]:
        """Return the live sessions of a user, the most recently seen first."""
        ...

    def details(self, handle: str) -> Details | None:
        """Return what is stored of a live session besides the official columns; None if nothing is."""
        ...

    def seen(self, handle: str) -> None:
        """Note that a session is used now (`Details.last_seen_ms`). No I/O; written every 5 min at most."""
        ...

    def shorten(self, handle: str, lifetime: Lifetime) -> bool:
        """Give a session a shorter lifetime; False if it does not exist.

        Raises BadInputError where it would be a longer one.
        """
        ...

    def user_handles(self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True) -> list[str]:
        """Return the handles of a user's own live sessions, each login method's oldest first."""
        ...

    def information(self, handle: str) -> StoredSession | None:
        """Return a session; None if it does not exist or has expired."""
        ...

    def replace_data(self, handle: str, data: JSONObject) -> bool:
        """Replace the session data in the database; False if the session does not exist."""
        ...

    def replace_payload(
        self, handle: str, payload: JSONObject, *, token_version: int = LATEST_VERSION
    ) -> bool:
        """Replace the custom claims of the next access token; False if the session does not exist."""
        ...

    def merge_payload(
        self, handle: str, update: JSONObject, *, check: Callable[[JSONObject], None] | None = None
    ) -> bool:
        """Merge into these claims at the root, None removing one; False if the session does not exist.

        `check` is given what is about to be written; nothing is if it raises.
        """
        ...


class Roles(Protocol):
    """Roles, their permissions, and who has them in which tenant (engine: Roles)."""

    def add(self, role: str, permissions: Sequence[str]) -> bool:
        """Create the role if absent and add permissions; return whether it was created."""
        ...

    def delete(self, role: str) -> bool:
        """Delete a role, its permissions and its assignments; False if it did not exist."""
        ...

    def all(self) -> list[str]:
        """Return every role."""
        ...

    def permissions(self, role: str) -> list[str] | None:
        """Return the permissions of a role; None if it does not exist."""
        ...

    def remove_permissions(self, role: str, permissions: Sequence[str] | None) -> bool | None:
        """Remove some permissions, or all (None); return True, or None if the role does not exist."""
        ...

    def with_permission(self, permission: str) -> list[str]:
        """Return the roles that have a permission."""
        ...

    def assign(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        """Assign a role to a user. False if the user had it; None if the role does not exist."""
        ...

    def unassign(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        """Take a role from a user. False if the user did not have it; None if the role does not exist."""
        ...

    def of_user(self, user_id: str, *, tenant_id: str) -> list[str]:
        """Return the roles of a user in a tenant."""
        ...

    def users(self, role: str, *, tenant_id: str) -> list[str] | None:
        """Return the users who have a role in a tenant; None if the role does not exist."""
        ...


class Tenants(Protocol):
    """Tenants of the app (engine: Tenants)."""

    def put(self, tenant_id: str, changes: JSONObject) -> bool:
        """Create or update; `changes` holds `Tenant` fields by name. Return whether it was created."""
        ...

    def delete(self, tenant_id: str) -> bool:
        """Delete a tenant with its sessions and role assignments; False if it did not exist."""
        ...

    def find(self, tenant_id: str) -> Tenant | None:
        """Return a tenant; None if it does not exist."""
        ...

    def all(self) -> list[Tenant]:
        """Return every tenant."""
        ...

    def put_provider(self, tenant_id: str, config: JSONObject, *, skip_validation: bool = False) -> bool:
        """Create or replace a provider of a tenant; return whether it was created.

        `config` has the form of `Tenant.providers`. It is stored as it is where `skip_validation` says that
        the caller has checked it, as far as the tables can hold it. Raises BadInputError where it is none,
        and ConfigError without a sign-in recipe.
        """
        ...

    def remove_provider(self, tenant_id: str, third_party_id: str) -> bool:
        """Remove a provider from a tenant; False if the tenant did not have it."""
        ...


class Engine(Protocol):
    """Everything a recipe may ask for, by service. Ask through `engine.call.call_engine`."""

    @property
    def sessions(self) -> Sessions: ...

    @property
    def events(self) -> SessionEvents: ...

    @property
    def roles(self) -> Roles: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def metadata(self) -> Metadata: ...

    @property
    def tenants(self) -> Tenants: ...

    @property
    def users(self) -> Users: ...

    @property
    def id_mappings(self) -> IdMappings: ...

    @property
    def clients(self) -> Clients: ...

    @property
    def email_password(self) -> EmailPassword: ...

    @property
    def email_verification(self) -> EmailVerification: ...

    @property
    def passwordless(self) -> Passwordless: ...

    @property
    def third_party(self) -> ThirdParty: ...

    @property
    def hash_import(self) -> HashImport: ...

    @property
    def revocations(self) -> Revocations | None:
        """The sessions that any process revoked lately; None unless the engine is to keep them."""
        ...

    @property
    def device_keys(self) -> DeviceKeys | None:
        """The keys of devices that sessions are bound to; None unless the engine is to keep them."""
        ...

    @property
    def keeps_users(self) -> bool:
        """Whether users of sign-in recipes are kept; if not, asking for them raises ConfigError. No I/O."""
        ...

    def flush(self) -> None:
        """Do now what waits for a background thread: for processes that are frozen between requests."""
        ...

    def close(self) -> None:
        """Release connections and threads; the engine may be used again and reopens by itself."""
        ...
