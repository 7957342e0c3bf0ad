"""What a refresh works with, and what it comes to."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from supertokens_py.engine.records import TokenTheft, Unauthorised
from supertokens_py.engine.session_records import Ending, SessionKey, SessionNote, Visit, revoked
from supertokens_py.events import Event, SessionRefreshed, SessionRefreshedAgain
from supertokens_py.types.base import JSONObject

from ..keys.access_tokens import Grant
from ..session_state.refresh_decision import StoredTokens, is_late
from ..session_state.refresh_tokens import MasterKey, RefreshToken, successor_ms
from ..session_state.session_terms import Terms

#: A refresh token is none of this app's.
INVALID_TOKEN: Unauthorised = Unauthorised("Invalid refresh token", "refresh_token_invalid")

log: logging.Logger = logging.getLogger(__name__)

REUSED: Ending = Ending(reason="reuse")
RESTORED: Ending = Ending(reason="restored")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a refresh, and the event to emit after the commit."""

    answer: Grant | Unauthorised | TokenTheft
    event: Event | None = None
    ended: Sequence[SessionKey] = ()
    ending: Ending = REUSED


@dataclass(frozen=True, slots=True)
class Use:
    """A genuine refresh token that was presented, and what its successor is to be like."""

    token: RefreshToken
    master_key: MasterKey
    anti_csrf: bool
    static: bool  #: whether the static signing key signs the next access token
    token_version: int  #: of the next access token
    life_ms: int  #: of the next access token
    visit: Visit | None = None

    @property
    def key(self) -> dict[str, Any]:
        """The parameters that find the row of the session."""
        return {"tenant": self.token.tenant_id, "handle": self.token.handle}

    def made_ms(self) -> int | None:
        """Return when the rotation here was that made the token; None: somebody else made it."""
        return successor_ms(self.master_key, self.token)


@dataclass(frozen=True, slots=True)
class Found:
    """The locked row of a live session, and what its user is called."""

    tokens: StoredTokens
    user_id: str
    recipe_user_id: str
    payload: JSONObject
    static: bool
    now_ms: int  #: read under the lock: no rotation in the row is later than it
    session: SessionKey
    terms: Terms

    @property
    def age_ms(self) -> int | None:
        """How long ago the last rotation was."""
        rotated_ms = self.tokens.rotated_ms
        return None if rotated_ms is None else self.now_ms - rotated_ms


@dataclass(frozen=True, slots=True)
class Following:
    """The successor of the current token, which is `retired` at `now_ms`."""

    retired: RefreshToken
    token: RefreshToken
    now_ms: int
    expires_ms: int
    static: bool
    terms: Terms

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of `rotate` and `rotate_current`."""
        return {
            "tenant": self.retired.tenant_id,
            "handle": self.retired.handle,
            "presented": self.retired.hash2,
            "current": self.token.hash2,
            "now": self.now_ms,
            "expires": self.expires_ms,
            "static": self.static,
        }

    def outcome(self, ids: tuple[str, str], payload: JSONObject) -> Outcome:
        """Return what the client gets; `ids` are the user's primary and recipe ids."""
        user_id, recipe_user_id = ids
        grant = Grant(
            token=self.token,
            created_ms=self.now_ms,
            expires_ms=self.expires_ms,
            user_id=user_id,
            recipe_user_id=recipe_user_id,
            payload=payload,
            anti_csrf_token=self.token.anti_csrf_token,
            terms=self.terms,
        )
        return Outcome(grant, SessionRefreshed(handle=self.token.handle))


class Losses:
    """Tells the log that the database is behind what it had committed; a class as it does so only once."""

    def __init__(self) -> None:
        self._are_noted = False

    def note(self, session: SessionKey) -> None:
        """Note that a session goes on with a token that the database does not know."""
        level, self._are_noted = logging.DEBUG if self._are_noted else logging.WARNING, True
        log.log(
            level,
            "the database has lost refreshes: it was restored from a back-up, or a server took over that was "
            "behind. Session %s goes on with a token that it does not know, and so will others; what was "
            "revoked in that time is back",
            session.handle,
        )


def lost_by_restore(session: SessionKey, ended: Sequence[SessionKey]) -> Outcome:
    """Return the outcome for a token that a restored database cannot know: nobody is accused."""
    log.info(
        "session %s ends: its tokens of after the back-up are not in the restored database", session.handle
    )
    answer = Unauthorised("the session was lost when a back-up was restored", "session_gone")
    return Outcome(answer, revoked(session, RESTORED), ended, RESTORED)


def used_again(use: Use, found: Found, *, kept: bool) -> SessionRefreshedAgain:
    """Return the event of a second use within the grace period, of the current token where it is `kept`."""
    age_ms = found.age_ms or 0
    return SessionRefreshedAgain(
        handle=use.token.handle,
        user_id=found.user_id,
        presented="current" if kept else "previous",
        age_ms=age_ms,
        late=is_late(age_ms, life_ms=use.life_ms, kept=kept),
    )


def changed_note(session: SessionKey, what: Sequence[str]) -> SessionNote:
    """Return the event that a client has changed: its address, its agent or both."""
    return SessionNote(
        type="session.client_changed",
        tenant_id=session.tenant_id,
        user_id=session.user_id,
        handle=session.handle,
        facts={"changed": ",".join(what)},
    )
