"""What happened to sessions and keys, as records that any function can subscribe to.

    from supertokens_py.events import Event, TokenReused, subscribe

    def alert(event: Event) -> None:
        if isinstance(event, TokenReused):
            pages.put(event)

    unsubscribe = subscribe(alert)

An event is emitted once, after the transaction that it belongs to has been committed, and never for one that
failed. No token, key or cookie is in any of them. The audit log and OpenTelemetry subscribe like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .device_events import DeviceBound as DeviceBound
from .device_events import DeviceProofMissing as DeviceProofMissing
from .event_dispatch import Event as Event
from .event_dispatch import Subscriber as Subscriber
from .event_dispatch import emit as emit
from .event_dispatch import subscribe as subscribe
from .limit_events import ClientRefused as ClientRefused
from .limit_events import ContactRefused as ContactRefused
from .limit_events import EmailDropped as EmailDropped
from .limit_events import TextMessageRefused as TextMessageRefused


@dataclass(frozen=True, kw_only=True)
class SessionCreated(Event):
    """A session was created."""

    name: ClassVar[str] = "session.created"
    handle: str
    user_id: str
    tenant_id: str


@dataclass(frozen=True, kw_only=True)
class SessionRefreshed(Event):
    """A refresh token was rotated."""

    name: ClassVar[str] = "session.refreshed"
    handle: str


@dataclass(frozen=True, kw_only=True)
class SessionRefreshedAgain(Event):
    """Within the grace period, the previous token was presented, or the current one once more.

    Racing calls of one client do so within a second; with `late` it took suspiciously long."""

    name: ClassVar[str] = "session.refreshed_again"
    handle: str
    user_id: str
    presented: str  #: "previous" or "current"
    age_ms: int  #: since the rotation
    late: bool


@dataclass(frozen=True, kw_only=True)
class TokenForged(Event):
    """Somebody encrypted a refresh token with the master key without ever having had one of the session."""

    name: ClassVar[str] = "session.forged"
    handle: str
    user_id: str


@dataclass(frozen=True, kw_only=True)
class TokenReused(Event):
    """A rotated-out refresh token was presented, and its session has been revoked.

    A core may leave the session unnamed; only the embedded engine knows the time since the rotation.
    """

    name: ClassVar[str] = "session.reuse"
    handle: str | None = None
    user_id: str | None = None
    #: "RECENT_PREV", "ORPHANED_BRANCH" or "STALE_LINEAGE"; None where the core does not say.
    subtype: str | None
    age_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class SessionRevoked(Event):
    """A session was revoked by a call; `reason` is such as "signout" (docs: Why a session ended)."""

    name: ClassVar[str] = "session.revoked"
    handle: str
    reason: str = "application"
    actor_id: str | None = None  #: who revoked it, if not its user
    user_id: str | None = None  #: of the login method, where accounts are linked; None over a core
    tenant_id: str | None = None  #: None over a core


@dataclass(frozen=True, kw_only=True)
class RevocationsStale(Event):
    """The log of revoked sessions was last read `age_ms` ago (None: never), and cannot be read."""

    name: ClassVar[str] = "revocation.stale"
    age_ms: int | None


@dataclass(frozen=True, kw_only=True)
class ClaimsFailed(Event):
    """A request was refused because claims of its session failed."""

    name: ClassVar[str] = "session.claims_failed"
    handle: str
    claims: tuple[str, ...]  #: the ids of their validators


@dataclass(frozen=True, kw_only=True)
class ImpersonationStarted(Event):
    """Somebody began to act as a user, in a session of the user's; `reason` is what they gave."""

    name: ClassVar[str] = "impersonation.started"
    handle: str
    user_id: str
    tenant_id: str
    actor_id: str
    actor_handle: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ImpersonationEnded(Event):
    """Somebody stopped acting as a user by a call; an end by time or by a sign-out is only one of a session.

    `restored_handle` is their own session from now on; None where it had ended, so that they are signed out.
    """

    name: ClassVar[str] = "impersonation.ended"
    handle: str
    user_id: str
    tenant_id: str
    actor_id: str
    restored_handle: str | None


@dataclass(frozen=True, kw_only=True)
class SessionRefused(Event):
    """A request, or a WebSocket, was refused because it has no usable session.

    `code` is that of the error (docs: Errors), such as "refresh_token_invalid". Anybody can cause these: the
    audit log has them at DEBUG only.
    """

    name: ClassVar[str] = "session.refused"
    code: str
    may_refresh: bool  #: whether the client was asked to refresh and try again


@dataclass(frozen=True, kw_only=True)
class KeyCreated(Event):
    """A signing key was created because one was due."""

    name: ClassVar[str] = "key.created"
    kid: str


@dataclass(frozen=True, kw_only=True)
class KeyRotated(Event):
    """A key was replaced by request."""

    name: ClassVar[str] = "key.rotated"
    kid: str
    earlier_dropped: bool


@dataclass(frozen=True, kw_only=True)
class AdminActed(Event):
    """Somebody did something on the admin page; what it did to sessions and keys are events of their own."""

    name: ClassVar[str] = "admin.acted"
    action: str  #: "read_payload", "revoke" or "rotate_keys"
    actor_id: str
    target: str  #: such as "session HANDLE", "user ID"


@dataclass(frozen=True, kw_only=True)
class EngineUnavailable(Event):
    """A request was answered with 503: the database or the core is out of reach."""

    name: ClassVar[str] = "engine.unavailable"


@dataclass(frozen=True, kw_only=True)
class DatabaseFailed(Event):
    """The database failed once; unless `is_final`, the call is tried again, and may succeed.

    `kind` is "conflict" (two transactions), "connection" (lost, or none could be opened), "full" (the server
    has no room for another connection), "read_only" (also a pooler's mix-up), "schema" (the tables are gone),
    "locked" (another writer of a SQLite file), "pool" (every connection of the process stayed busy), "other".
    """

    name: ClassVar[str] = "database.failed"
    kind: str
    is_final: bool


@dataclass(frozen=True, kw_only=True)
class UserSignedUp(Event):
    """A user was created by a sign-in recipe."""

    name: ClassVar[str] = "user.signed_up"
    user_id: str
    tenant_id: str
    recipe_id: str


@dataclass(frozen=True, kw_only=True)
class UserSignedIn(Event):
    """A user proved who they are: by a function, or at a route of a recipe which began a session for it."""

    name: ClassVar[str] = "user.signed_in"
    user_id: str
    tenant_id: str
    recipe_id: str


@dataclass(frozen=True, kw_only=True)
class SignInFailed(Event):
    """Somebody gave a wrong password or code; `user_id` is None where there is no user of the address, for
    every wrong code, and for sign-ins with a provider: nobody is looked up."""

    name: ClassVar[str] = "user.sign_in_failed"
    user_id: str | None
    tenant_id: str
    recipe_id: str


@dataclass(frozen=True, kw_only=True)
class SignInRefused(Event):
    """A password or code was not even looked at: too many wrong ones had been given for the address."""

    name: ClassVar[str] = "user.sign_in_refused"
    tenant_id: str
    recipe_id: str
    retry_after_ms: int


@dataclass(frozen=True, kw_only=True)
class PasswordResetRequested(Event):
    """A token that sets a new password was made."""

    name: ClassVar[str] = "user.password_reset_requested"
    user_id: str
    tenant_id: str


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    """A user has a new password; `sessions_revoked` says whether it ended the sessions."""

    name: ClassVar[str] = "user.password_changed"
    user_id: str
    sessions_revoked: bool


@dataclass(frozen=True, kw_only=True)
class UserDeleted(Event):
    """Everything that was kept of a user of a sign-in recipe was deleted."""

    name: ClassVar[str] = "user.deleted"
    user_id: str


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Event):
    """A user has a new e-mail address, or none any more."""

    name: ClassVar[str] = "user.email_changed"
    user_id: str


@dataclass(frozen=True, kw_only=True)
class PhoneNumberChanged(Event):
    """A user has another phone number, or none any more."""

    name: ClassVar[str] = "user.phone_number_changed"
    user_id: str


@dataclass(frozen=True, kw_only=True)
class EmailVerificationRequested(Event):
    """A token that verifies an address was made."""

    name: ClassVar[str] = "user.email_verification_requested"
    user_id: str
    tenant_id: str


@dataclass(frozen=True, kw_only=True)
class EmailVerified(Event):
    """A user proved to have their address, by a token or a one-time code."""

    name: ClassVar[str] = "user.email_verified"
    user_id: str
    tenant_id: str


@dataclass(frozen=True, kw_only=True)
class EmailUnverified(Event):
    """An address of a user, which was verified, is so no longer, by a call."""

    name: ClassVar[str] = "user.email_unverified"
    user_id: str


def emit_refused(error: Exception) -> None:
    """Emit `SessionRefused` for an error that leaves a request without a session; for others do nothing."""
    if getattr(error, "refuses_session", False):
        code = str(getattr(error, "code", "application"))
        emit(SessionRefused(code=code, may_refresh=getattr(error, "may_refresh", False)))
