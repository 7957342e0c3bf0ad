"""What a database keeps of the history of sessions, and the service that reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NoReturn, Protocol, TypeAlias

from supertokens_py.exceptions import ConfigError

#: What a row of the log may be about; one is never renamed.
EventType: TypeAlias = Literal[
    "session.created",
    "session.refreshed",
    "session.revoked",
    "session.expired",
    "session.reuse",
    "session.replaced",
    "session.refused",
    "session.client_changed",
    "impersonation.started",
    "impersonation.ended",
    "key.rotated",
    "device.bound",
    "device.proof_missing",
]

DeliveryState: TypeAlias = Literal["waiting", "delivered", "parked"]

#: The events after which a session is gone.
TERMINAL: frozenset[EventType] = frozenset(
    ("session.revoked", "session.expired", "session.reuse", "session.replaced")
)

EVENTS_ARE_OFF = (
    "no events of sessions are kept here: switch them on with session.init(events=EventSettings()), on a "
    "sqlite:// or postgresql:// connection_uri"
)
NO_WEBHOOKS = (
    "no events have been sent to webhooks from here: "
    "session.init(events=EventSettings(webhooks=[Webhook(...)])) sends them"
)
EVENTS_OVER_A_CORE = (
    "a SuperTokens core keeps no events of sessions: that takes the embedded engine "
    "(a postgresql:// or sqlite:// connection_uri)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEvent:
    """Something that happened to a session, as it is kept.

    Args:
        seq: the number of the event; those of one session are in the order in which they happened.
        at_ms: Unix milliseconds.
        user_id: as sessions are stored; None after the user was removed.
        handle: None where a session was refused.
        actor_id: who did it, if not the user.
        facts: more of it, such as `reason` ("signout", ...), `subtype` of a reuse, `replaces` and `successor`
            (handles). Never a token, a key, a payload or an address.
    """

    seq: int
    at_ms: int
    type: EventType
    tenant_id: str
    user_id: str | None = None
    handle: str | None = None
    actor_id: str | None = None
    facts: Mapping[str, str | int | bool] = field(default_factory=dict[str, "str | int | bool"])

    @property
    def reason(self) -> str | None:
        """Why the session ended, as `EndReason` has it; None for events that end none."""
        reason = self.facts.get("reason")
        return None if reason is None else str(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event that is to be sent to a webhook, or was.

    Args:
        endpoint: `Webhook.endpoint`.
        attempts: how often it was tried.
        next_at_ms: when it is tried (again); Unix milliseconds.
        done_at_ms: when it was delivered.
        outcome: of the last try, such as "503" or "no answer".
    """

    endpoint: str
    seq: int
    type: EventType
    handle: str | None
    state: DeliveryState
    attempts: int
    next_at_ms: int | None
    done_at_ms: int | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """Which events to return; None is any.

    Args:
        before: only those with a smaller number (`SessionEvent.seq`): where the page before ended.
        user_id: any of the ids of the user.
        actor_id: who did it.
        limit: how many at most.
    """

    before: int | None = None
    type: EventType | None = None
    tenant_id: str | None = None
    user_id: str | None = None
    actor_id: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events, the newest first.

    Args:
        older: `before` of the next page; None where there are no older events. A page looks at so many
            events only: it may have fewer than `limit`, or none, and there may still be older ones.
    """

    events: Sequence[SessionEvent]
    older: int | None


class Deliveries(Protocol):
    """What became of the events that are sent to webhooks. ConfigError where there have been none here."""

    def all(self, *, state: DeliveryState | None = None, limit: int = 100) -> list[Delivery]:
        """Return the latest deliveries, the newest first."""
        ...

    def disabled(self) -> list[str]:
        """Return the endpoints that answered 410 and get nothing any more."""
        ...

    def retry(self, endpoint: str | None = None) -> int:
        """Have parked deliveries tried again, and disabled endpoints get events; return how many."""
        ...


class SessionEvents(Protocol):
    """The history of sessions. Its methods raise ConfigError where none is kept (`are_kept`)."""

    @property
    def are_kept(self) -> bool:
        """Whether events are kept at all. No I/O."""
        ...

    @property
    def deliveries(self) -> Deliveries:
        """What became of events that are sent to webhooks. No I/O; ConfigError where none ever were."""
        ...

    def of_session(self, handle: str, *, limit: int = 100) -> list[SessionEvent]:
        """Return the last `limit` events of a session, the oldest first."""
        ...

    def of_user(self, user_id: str, *, limit: int = 100) -> list[SessionEvent]:
        """Return the last `limit` events of a user, the oldest first, by any of the user's ids."""
        ...

    def latest(self, query: EventQuery) -> EventPage:
        """Return a page of all events, the newest first."""
        ...

    def expiry(self, handle: str) -> int | None:
        """Return when a session expires or expired (Unix ms) whose row is still there; None if it is not."""
        ...


class NoSessionEvents:
    """The service of an engine that keeps no events.

    Args:
        why: what is said to whoever asks for them.
    """

    def __init__(self, why: str) -> None:
        self._why = why

    @property
    def are_kept(self) -> bool:
        """Return False."""
        return False

    @property
    def deliveries(self) -> NoReturn:
        """Raise ConfigError."""
        raise ConfigError(self._why)

    def of_session(self, handle: str, *, limit: int = 100) -> NoReturn:
        """Raise ConfigError."""
        raise ConfigError(self._why)

    def of_user(self, user_id: str, *, limit: int = 100) -> NoReturn:
        """Raise ConfigError."""
        raise ConfigError(self._why)

    def latest(self, query: EventQuery) -> NoReturn:
        """Raise ConfigError."""
        raise ConfigError(self._why)

    def expiry(self, handle: str) -> NoReturn:
        """Raise ConfigError."""
        raise ConfigError(self._why)


def last_end(events: Sequence[SessionEvent]) -> SessionEvent | None:
    """Return the event that ended a session; None where it is not among them."""
    return next((one for one in reversed(events) if one.type in TERMINAL), None)
