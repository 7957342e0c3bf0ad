"""What a session is, in the smallest words: the reference that the engine is held against.

It knows tokens only by their text and never computes one. What it says for each call is the whole
promise of the engine (engine: Refresh): which call succeeds, which token comes back, who is told of a theft.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verdict = Literal["ok", "try refresh", "unauthorised"]


@dataclass
class Settings:
    """Milliseconds."""

    access_ms: int
    session_ms: int
    grace_ms: int


@dataclass
class Access:
    """An access token that was handed out."""

    text: str
    kid: str
    issued_ms: int
    expires_ms: int
    lineage: str  #: the refresh token that it came with


@dataclass
class Session:
    """A row of the store, and every token that was ever handed out for it."""

    handle: str
    user_id: str
    current: str
    expires_ms: int
    payload: dict[str, Any]
    previous: str | None = None
    rotated_ms: int | None = None
    refresh_tokens: list[str] = field(default_factory=list)
    access_tokens: list[Access] = field(default_factory=list)


@dataclass
class Model:
    """All sessions of an app. `gone` keeps the dead ones: their tokens must stay dead."""

    settings: Settings
    live: dict[str, Session] = field(default_factory=dict)
    gone: dict[str, Session] = field(default_factory=dict)
    dropped_keys: set[str] = field(default_factory=set)

    def created(self, session: Session) -> None:
        assert session.handle not in self.live
        assert session.handle not in self.gone
        assert not any(session.current in other.refresh_tokens for other in self.everything())
        session.refresh_tokens.append(session.current)
        self.live[session.handle] = session

    def everything(self) -> list[Session]:
        return [*self.live.values(), *self.gone.values()]

    def ended(self, handle: str) -> None:
        self.gone[handle] = self.live.pop(handle)

    def refresh(self, handle: str, token: str, *, now_ms: int) -> str | None:
        """Return "rotate", "keep", "repeat" or a reuse subtype, or None: no such session."""
        session = self.live.get(handle)
        if session is None or session.expires_ms < now_ms:
            return None
        grace_ms, rotated_ms = self.settings.grace_ms, session.rotated_ms
        recent = grace_ms > 0 and rotated_ms is not None and now_ms <= rotated_ms + grace_ms
        if token == session.current:
            dated_right = rotated_ms is None or rotated_ms <= now_ms + grace_ms
            return "keep" if recent and dated_right else "rotate"
        if token == session.previous:
            return "repeat" if recent else "RECENT_PREV"
        return "STALE_LINEAGE"

    def kept(self, handle: str, *, now_ms: int) -> None:
        session = self.live[handle]
        session.expires_ms = max(session.expires_ms, now_ms + self.settings.session_ms)

    def rotated(self, handle: str, successor: str, *, now_ms: int) -> None:
        session = self.live[handle]
        assert not any(successor in other.refresh_tokens for other in self.everything()), "a token came twice"
        session.previous, session.current, session.rotated_ms = session.current, successor, now_ms
        session.expires_ms = now_ms + self.settings.session_ms
        session.refresh_tokens.append(successor)

    def holds(self, token: Access, *, now_ms: int) -> bool:
        """Say whether an access token verifies without asking the store."""
        return (
            token.kid not in self.dropped_keys
            and token.expires_ms >= now_ms
            and token.issued_ms <= now_ms + 60_000
        )

    def verify(self, handle: str, token: Access, *, now_ms: int) -> Verdict:
        """Say what asking the store about a token comes to, given that it holds."""
        session = self.live.get(handle)
        if session is None or session.expires_ms <= now_ms:
            return "unauthorised"
        return "ok" if token.lineage in (session.current, session.previous) else "try refresh"

    def swept(self, *, now_ms: int) -> int:
        dead = [handle for handle, session in self.live.items() if session.expires_ms <= now_ms]
        for handle in dead:
            self.ended(handle)
        return len(dead)
