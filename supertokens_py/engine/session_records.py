"""What may be asked and told of a session beyond its user and its payload; all of it is optional.

Times are integer Unix milliseconds (`*_ms`), and so are lengths of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from supertokens_py.events import SessionRevoked, emit
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.base import JSONObject

from .webhook_records import Webhook

#: Why a session ended; one is never renamed. "idle" and "absolute" are the two ways to expire.
EndReason: TypeAlias = Literal[
    "signout",
    "user",
    "admin",
    "application",
    "limit",
    "replaced",
    "reuse",
    "idle",
    "absolute",
    "credentials_changed",
    "user_removed",
    "tenant_removed",
    "keys_renewed",
    "restored",
]

#: What a full `Limit` does with a new session: end the least recently seen ones for it, or refuse it.
WhenReached: TypeAlias = Literal["end_oldest", "refuse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFeatures:
    """Which features of sessions an application uses; most have a table of their own, made when it is on."""

    details: bool = False  #: devices, lifetimes of single sessions, impersonation
    events: bool = False  #: a log of what happened to sessions, written with each change
    revocations: bool = False  #: a log of ended sessions that every process reads
    #: For how many milliseconds what was read of this log is relied on.
    revocation_max_staleness_ms: int = 5000
    limits: bool = False  #: how many sessions a user may have; needs no table
    #: The days for which events are kept; None leaves that to the applications on this database.
    events_retention_days: int | None = 30
    #: Whether each refresh is an event, too.
    events_of_refreshes: bool = False
    #: Whether the events of a removed user stay, without their id.
    events_keep_audit: bool = False
    #: Whom events are sent to.
    webhooks: tuple[Webhook, ...] = ()
    #: Whether there are deliveries to webhooks, though they are another program's.
    deliveries: bool = False
    #: Whether sessions may be bound to keys of devices.
    device_keys: bool = False

    @property
    def sends_events(self) -> bool:
        """Whether events are sent to webhooks, by this program or another one."""
        return bool(self.webhooks) or self.deliveries

    @property
    def any(self) -> bool:
        """Whether one of them is on."""
        return any((self.details, self.events, self.revocations, self.limits, self.device_keys))


NO_FEATURES: SessionFeatures = SessionFeatures()


def refuse_over_a_core(features: SessionFeatures) -> None:
    """Refuse features that need tables or transactions of ours where a core keeps the sessions.

    Raises:
        ConfigError: one of them is on; the message names the arguments of `session.init` that ask for it.
    """
    asked = {
        "devices, lifetime or impersonation": features.details,
        "events": features.events,
        "instant_revocation": features.revocations,
        "limit": features.limits,
        "device_binding": features.device_keys,
    }
    wanted = [name for name, is_on in asked.items() if is_on]
    if wanted:
        raise ConfigError(
            f"session.init: a SuperTokens core cannot do what {', '.join(wanted)} asks for. Leave it out, or "
            "use the embedded engine: a postgresql:// or sqlite:// connection_uri"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a request showed of its client, as far as settings let it be kept; for display only."""

    ip: str | None = None
    agent: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long a session lives; None means as the engine is configured."""

    idle_ms: int | None = None  #: without a refresh
    absolute_ms: int | None = None  #: in all
    persistent: bool = True  #: whether its cookies outlive the browser


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many sessions a user may have at once, in all tenants or in each."""

    max_sessions: int
    when_reached: WhenReached
    per: Literal["user", "tenant"] = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaces:
    """The session in whose place a new one is created, in one transaction: it ends.

    Args:
        must_exist: create nothing where it has ended already.
        copies: start with its payload and session data, those of `NewSession` laid over them; and, where
            that has no lifetime, with its lifetime, which begins again.
        with_others: end every other session of its user as well.
        also: another session that ends with it; create nothing where that has ended already.
        keeps_end: with `copies`, end when it would have ended, instead of living as long again.
    """

    handle: str
    must_exist: bool = False
    copies: bool = False
    with_others: bool = False
    also: str | None = None
    keeps_end: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts as the user of a session, in which session of their own they began to, and why."""

    user_id: str
    handle: str
    reason: str | None = None  #: written into the log of events, where there is one, and nowhere else


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why sessions are ended, and by whom if not by their user.

    Args:
        subtype: of the reason "reuse".
        successor: the handle of the session that replaces them, for the reason "replaced".
    """

    reason: EndReason = "application"
    actor_id: str | None = None
    subtype: str | None = None
    successor: str | None = None


#: Ended by a call of the application that says nothing else.
BY_APPLICATION: Ending = Ending()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKey:
    """A session that is being ended: what is known of it after its row is gone."""

    handle: str
    tenant_id: str
    user_id: str


def revoked(session: SessionKey, ending: Ending) -> SessionRevoked:
    """Return the event of a session that was revoked."""
    return SessionRevoked(
        handle=session.handle,
        reason=ending.reason,
        actor_id=ending.actor_id,
        user_id=session.user_id,
        tenant_id=session.tenant_id,
    )


def emit_revoked(sessions: Iterable[SessionKey | str], ending: Ending) -> None:
    """Emit `SessionRevoked` for each session, after the commit; of a handle nothing else is known."""
    for one in sessions:
        if isinstance(one, str):
            emit(SessionRevoked(handle=one, reason=ending.reason, actor_id=ending.actor_id))
        else:
            emit(revoked(one, ending))


#: What may happen to a session besides its creation, a refresh and its end.
NoteType: TypeAlias = Literal[
    "session.refused",
    "session.client_changed",
    "impersonation.started",
    "impersonation.ended",
    "key.rotated",
    "device.bound",
    "device.proof_missing",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNote:
    """Something else that happened: to a session, to a user who did not get one, or to keys.

    Args:
        user_id: None where it is about no user.
        handle: None where there is no session.
        actor_id: who did it, if not the user.
        facts: nothing secret, and no address.
    """

    type: NoteType
    tenant_id: str
    user_id: str | None
    handle: str | None = None
    actor_id: str | None = None
    facts: Mapping[str, str | int | bool] = field(default_factory=dict[str, "str | int | bool"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is stored of a session besides the official columns."""

    label: str | None = None
    agent: str | None = None
    ip: str | None = None  #: as last seen
    created_ip: str | None = None
    last_seen_ms: int | None = None
    idle_ms: int | None = None
    absolute_at_ms: int | None = None
    persistent: bool = True
    actor: Actor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSession:
    """A live session in a list; `details` is None where nothing but the official columns is known of it."""

    handle: str
    user_id: str
    recipe_user_id: str
    tenant_id: str
    payload: JSONObject = field(repr=False)  #: the custom claims of the next access token
    created_ms: int
    expires_ms: int
    details: Details | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReached:
    """A session was not created: its user has `max_sessions` live ones, and `when_reached` is "refuse"."""

    max_sessions: int
    handles: Sequence[str]
