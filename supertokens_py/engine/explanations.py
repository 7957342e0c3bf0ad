"""Why a session ended, as a person who is asked "why was I logged out?" can pass it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from supertokens_py.formatting import moment

from .event_records import SessionEvent, last_end
from .session_records import EndReason

if TYPE_CHECKING:
    from .interface import Engine

_TEXTS: dict[EndReason, str] = {
    "signout": "the user signed out",
    "user": "the user ended it in the list of their devices",
    "admin": "an administrator ended it",
    "application": "the application revoked it and gave no reason",
    "limit": "the user signed in elsewhere and may only have so many sessions at once",
    "replaced": "a new session took its place",
    "reuse": (
        "a refresh token was presented that had been replaced before: it was stolen, or the client works "
        "with an old copy of its tokens"
    ),
    "idle": "it was not used for too long",
    "absolute": "it reached its longest lifetime, however much it was used",
    "credentials_changed": "the user's password or another proof of who they are was changed",
    "user_removed": "the user was removed",
    "tenant_removed": "its tenant was removed",
    "keys_renewed": "every session ended, since the key of refresh tokens was renewed",
    "restored": "a back-up of the database was restored, which did not have its latest tokens",
}
_UNKNOWN = (
    "no record: it ended before events were switched on or longer ago than they are kept, an official core "
    "ended it, or it never existed"
)
_OFF = (
    "not alive, and no events are kept here that could say why: session.init(events=EventSettings()) keeps "
    "them from then on"
)
_LOST = (
    "not alive, though no end of it is on record: an official core, or a program without events, ended it, "
    "or its row was deleted by hand"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionExplanation:
    """Whether a session lives, or why it ended.

    Args:
        text: a sentence for people, in English.
        reason: why it ended: "signout", "user", "admin", "application", "limit", "replaced", "reuse", "idle",
            "absolute", "credentials_changed", "user_removed", "tenant_removed", "keys_renewed" or "restored";
            None where that is unknown.
        at_ms: when it ended (for "idle" and "absolute": when the clean-up found it expired), or until when it
            is alive; Unix milliseconds.
        actor_id: who ended it, if not the user.
        event: the event that ended it.
    """

    handle: str
    state: Literal["live", "ended", "unknown"]
    text: str
    reason: str | None = None
    at_ms: int | None = None
    user_id: str | None = None
    actor_id: str | None = None
    event: SessionEvent | None = None


def explain(engine: Engine, handle: str) -> SessionExplanation:
    """Say whether a session lives, or why it ended. Blocking; see `SessionExplanation`.

    Raises:
        EngineUnavailableError: database or core cannot be reached.
    """
    live = engine.sessions.information(handle)
    if live is not None:
        return SessionExplanation(
            handle=handle,
            state="live",
            text=f"alive until {moment(live.expires_ms)} unless it is refreshed before",
            at_ms=live.expires_ms,
            user_id=live.user_id,
        )
    if not engine.events.are_kept:
        return SessionExplanation(handle=handle, state="unknown", text=_OFF)
    return _of_dead(handle, engine.events.of_session(handle), engine.events.expiry(handle))


def explain_user(engine: Engine, user_id: str) -> list[SessionExplanation]:
    """Explain the sessions of a user that live or have left events, the latest last. Blocking.

    Raises:
        ConfigError: no events are kept.
        EngineUnavailableError: the database cannot be reached.
    """
    events = engine.events.of_user(user_id, limit=1000)
    live = engine.sessions.user_handles(user_id, tenant_id=None)
    handles = dict.fromkeys([*(event.handle for event in events if event.handle), *live])
    return [explain(engine, handle) for handle in handles]


def _of_dead(handle: str, events: Sequence[SessionEvent], expired_ms: int | None) -> SessionExplanation:
    end = last_end(events)
    if end is not None:
        return _ended(handle, end)
    if expired_ms is not None:
        text = f"expired {moment(expired_ms)}: it was not used for too long, or reached its longest lifetime"
        return SessionExplanation(handle=handle, state="ended", text=text, at_ms=expired_ms)
    if events:
        user_id = events[-1].user_id
        return SessionExplanation(handle=handle, state="ended", text=_LOST, user_id=user_id)
    return SessionExplanation(handle=handle, state="unknown", text=_UNKNOWN)


def _ended(handle: str, end: SessionEvent) -> SessionExplanation:
    reason = end.reason or ""
    texts: Mapping[str, str] = {**_TEXTS}
    why = texts.get(reason, reason)  # a later version may have written it
    by = f" (by {end.actor_id})" if end.actor_id else ""
    successor = f": {end.facts['successor']}" if "successor" in end.facts else ""
    verb = "found expired" if end.type == "session.expired" else "ended"
    return SessionExplanation(
        handle=handle,
        state="ended",
        text=f"{verb} {moment(end.at_ms)}: {why}{successor}{by}",
        reason=end.reason,
        at_ms=end.at_ms,
        user_id=end.user_id,
        actor_id=end.actor_id,
        event=end,
    )
