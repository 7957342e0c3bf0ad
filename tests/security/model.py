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
    is_taken_back: bool = False  #: whether it is open if anybody got `current`, and `previous` is as good
    orphan: str | None = None  #: what was current when `previous` was used all the same
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
        """Return all sessions, those that are alive last: that is where `Life` looks first."""
        return [*self.gone.values(), *self.live.values()]

    def ended(self, handle: str) -> None:
        self.gone[handle] = self.live.pop(handle)

    def refresh(self, handle: str, token: str, *, now_ms: int) -> str | None:
        """Return which success ("rotate", "keep", ...), which reuse subtype, or None: no such session.

        "resume" is the rotation of the previous token, whose own one was taken back.
        """
        session = self.live.get(handle)
        if session is None or session.expires_ms < now_ms:
            return None
        grace_ms, rotated_ms = self.settings.grace_ms, session.rotated_ms
        recent = grace_ms > 0 and rotated_ms is not None and now_ms <= rotated_ms + grace_ms
        keeps = recent and (rotated_ms is None or rotated_ms <= now_ms + grace_ms)
        if token == session.current:
            kept = "promote" if session.is_taken_back else "keep"
            return kept if keeps else "rotate"
        if token == session.previous:
            if session.is_taken_back:
                return "repeat" if keeps else "resume"
            return "repeat" if recent else "RECENT_PREV"
        return "ORPHANED_BRANCH" if token == session.orphan else "STALE_LINEAGE"

    def answered(self, handle: str, verdict: str, successor: str, *, now_ms: int) -> None:
        """Do to a session what a refresh does that succeeds."""
        session = self.live[handle]
        if verdict in ("rotate", "resume"):
            self.rotated(handle, successor, is_resumed=verdict == "resume", now_ms=now_ms)
        elif verdict == "keep":
            session.expires_ms = max(session.expires_ms, now_ms + self.settings.session_ms)
        elif verdict == "promote":
            session.expires_ms = now_ms + self.settings.session_ms
        session.is_taken_back = False

    def taken_back(self, handle: str, token: str, *, now_ms: int) -> None:
        """Take back the rotation of a token at this time, if that is the last one."""
        session = self.live[handle]
        if not session.is_taken_back and (token, now_ms) == (session.previous, session.rotated_ms):
            session.is_taken_back, session.orphan = True, None

    def rotated(self, handle: str, successor: str, *, is_resumed: bool, now_ms: int) -> None:
        session = self.live[handle]
        assert not any(successor in other.refresh_tokens for other in self.everything()), "a token came twice"
        session.orphan = session.current if is_resumed else None
        session.previous = session.previous if is_resumed else session.current
        session.current, session.rotated_ms = successor, now_ms
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
        known = [session.previous] if session.is_taken_back else [session.current, session.previous]
        return "ok" if token.lineage in known else "try refresh"

    def swept(self, *, now_ms: int) -> int:
        dead = [handle for handle, session in self.live.items() if session.expires_ms <= now_ms]
        for handle in dead:
            self.ended(handle)
        return len(dead)
