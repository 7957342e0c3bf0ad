"""The frozen records that engines take and answer with.

Times are integer Unix milliseconds (`*_ms`) unless a name says seconds (`*_s`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from supertokens_py.error_codes import SessionErrorCode
from supertokens_py.exceptions import BadInputError
from supertokens_py.tokens.access_token import LATEST_VERSION, AccessToken
from supertokens_py.types.base import JSONObject

from .session_records import Actor, Lifetime, Limit, Replaces, Visit

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
    #: An access token as `parse_access_token` would return it, from an engine that knows what it has signed.
    parsed: AccessToken | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedSession:
    """A session just created or refreshed, with the tokens for its client."""

    handle: str
    user_id: str
    recipe_user_id: str
    tenant_id: str
    payload: JSONObject = field(repr=False)  #: the custom claims, without protected ones
    access_token: IssuedToken
    refresh_token: IssuedToken
    anti_csrf_token: str | None = field(default=None, repr=False)
    persistent: bool = True  #: whether its cookies outlive the browser
    ended: Sequence[str] = ()  #: the sessions that a limit ended for it


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session as stored."""

    handle: str
    user_id: str
    recipe_user_id: str
    tenant_id: str
    payload: JSONObject = field(repr=False)  #: the custom claims of the next access token
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
    """A rotated-out refresh token was used after the grace period; the session is already revoked."""

    handle: str
    user_id: str
    recipe_user_id: str
    reuse: ReuseSubtype | None


@dataclass(frozen=True, slots=True)
class Verified:
    """The session exists; `access_token` is a replacement where the engine issued one."""

    access_token: IssuedToken | None = None
    #: The custom claims as stored, from an engine that saw them while it asked its database. It is what
    #: was read on the way and does not count in comparisons.
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
    persistent: bool = True  #: whether the cookie of the new token outlives the browser


class VerificationKey(Protocol):
    """A public key that access tokens may be signed with, until `usable_until_ms` (None: without end)."""

    @property
    def kid(self) -> str: ...

    @property
    def usable_until_ms(self) -> int | None: ...

    def matches(self, token: str) -> bool:
        """Return whether this key made the signature of the JWT `token`."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class KeySet:
    """One immutable snapshot of the verification keys; a change makes a new object.

    Verifiers forget the tokens that they verified with another object. So a revocation that must reach
    access tokens at once makes a new one, too: with the same keys and the next `epoch`.
    """

    keys: Mapping[str, VerificationKey]
    loaded_ms: int
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Jwks:
    """The public keys as JSON Web Keys (RFC 7517), dynamic ones first, newest first.

    `max_age_s` is at most `MAX_PUBLISHED_AGE_S`.
    """

    keys: Sequence[Mapping[str, str]]
    max_age_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionCounts:
    """The connections of a process to its database: in use, idle, and how many there may be."""

    used: int
    idle: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """What a session is created from."""

    user_id: str
    tenant_id: str
    payload: JSONObject = field(repr=False)  #: the custom claims
    data: JSONObject = field(repr=False)  #: session data in the database, never sent to a client
    anti_csrf: bool  #: whether to issue an anti-CSRF token
    dynamic_key: bool  #: whether the rotating key signs the access tokens, or else the static one
    access_token_validity_ms: int | None = None  #: may only shorten the configured lifetime
    token_version: int = LATEST_VERSION  #: of the access token; decides which claims are protected
    #: What follows needs an engine with the feature that it belongs to (`SessionFeatures`).
    visit: Visit | None = None
    lifetime: Lifetime | None = None
    limit: Limit | None = None
    replaces: Replaces | None = None
    actor: Actor | None = None
    counts: bool = True  #: whether it is one of those that a limit counts, and shows that its user is active
    #: Whether its client may bind it to a device: the first access token, which does not say so, lives 5 min.
    offer_binding: bool = False
    #: The handle of a live session, without which it is not created: if that is bound to a device, so is it.
    bind_like_handle: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRequest:
    """A refresh token as presented, and what the tokens that replace it are to be like."""

    refresh_token: str = field(repr=False)
    anti_csrf_token: str | None = field(repr=False)  #: as presented
    anti_csrf: bool  #: whether to check it and to issue another one
    dynamic_key: bool | None  #: see `NewSession`; None keeps what the session has
    access_token_validity_ms: int | None = None  #: may only shorten the configured lifetime
    token_version: int = LATEST_VERSION
    visit: Visit | None = None  #: see `NewSession`


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
    #: Providers of its own, as `types.providers.ProviderConfig.to_json` writes them, ordered by id. They
    #: hold client secrets.
    providers: Sequence[JSONObject] = field(default=(), repr=False)
