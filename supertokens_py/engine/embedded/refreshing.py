"""Refresh: one locked look at the session row, and what the decision table makes of it (engine: Refresh)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from supertokens_py.access_token import LATEST_VERSION, same
from supertokens_py.audit import Event, Fact, audit
from supertokens_py.engine import limits
from supertokens_py.engine.interface import IssuedSession, TokenTheft, Unauthorised
from supertokens_py.types.base import JSONObject

from . import access_tokens
from .access_tokens import Grant
from .refresh_tokens import RefreshToken, open_token, successor
from .rotation import decide, is_theft, successor_of
from .session_statements import NO_SESSION, json_object, lineage_of
from .session_work import SessionWork

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .database import Fetch

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a refresh came to, and the event to record once that is committed."""

    answer: Grant | Unauthorised | TokenTheft
    event: Event | None = None
    facts: Mapping[str, Fact] | None = None


@dataclass(frozen=True, slots=True)
class _Use:
    """A genuine refresh token that was presented, and what its successor is to be like."""

    token: RefreshToken
    master_key: str
    anti_csrf: bool
    static: bool  #: whether the static signing key signs the next access token
    token_version: int = LATEST_VERSION  #: of the next access token


@dataclass(frozen=True, slots=True)
class _Following:
    """The successor of the current token, which is `retired` at `now_ms`."""

    retired: RefreshToken
    token: RefreshToken
    now_ms: int
    expires_ms: int
    static: bool

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of `rotate` and `rotate_current`."""
        return _key_of(self.retired) | {
            "presented": self.retired.hash2,
            "current": self.token.hash2,
            "now": self.now_ms,
            "expires": self.expires_ms,
            "static": self.static,
        }

    def outcome(self, ids: tuple[str, str], payload: JSONObject) -> _Outcome:
        """Return what the client gets; `ids` are the user's primary and recipe ids."""
        user_id, recipe_user_id = ids
        grant = Grant(
            token=self.token,
            created_ms=self.now_ms,
            expires_ms=self.expires_ms,
            user_id=user_id,
            recipe_user_id=recipe_user_id,
            payload=payload,
        )
        return _Outcome(grant, "session.refreshed", {"handle": self.token.handle})


class Refresher(SessionWork):
    """Rotates refresh tokens."""

    def refresh(
        self,
        refresh_token: str,
        *,
        anti_csrf_token: str | None,
        anti_csrf: bool,
        dynamic_key: bool | None,
        access_token_validity_ms: int | None,
        token_version: int = LATEST_VERSION,
    ) -> IssuedSession | Unauthorised | TokenTheft:
        """Rotate the refresh token, or answer what its use means."""
        life_ms = access_tokens.life_ms(self._settings, access_token_validity_ms)
        master_key = self._keys.master_key()
        presented = open_token(master_key, refresh_token)
        if presented is None:
            return Unauthorised("Invalid refresh token")
        expected = presented.anti_csrf_token
        if anti_csrf and expected is not None and not (anti_csrf_token and same(anti_csrf_token, expected)):
            return Unauthorised("Anti CSRF token missing, or not matching")
        static = self._signs_statically(presented) if dynamic_key is None else not dynamic_key
        key = self._keys.signer(static=static)
        use = _Use(presented, master_key, anti_csrf=anti_csrf, static=static, token_version=token_version)
        outcome = None
        if not self._database.location.is_sqlite:
            outcome = self._rotate_current(use)
        if outcome is None:
            outcome = self._database.write(lambda c: self._rotate(c, use))
        if outcome.event is not None:
            audit(outcome.event, **(outcome.facts or {}))
        grant = outcome.answer
        if not isinstance(grant, Grant):
            return grant
        session = access_tokens.issue_session(
            grant, key=key, now_ms=self._settings.now_ms(), life_ms=life_ms, version=token_version
        )
        self._activity.note(grant.recipe_user_id)
        return session

    def _rotate_current(self, use: _Use) -> _Outcome | None:
        """Rotate the current token in one statement, or leave everything as it is and return None.

        Most refreshes are this one, and on PostgreSQL it saves three of four round trips. On SQLite a
        statement by itself may wait seconds for another writer, which would make its time of rotation
        as old; `_rotate` reads the clock when it has the lock.
        """

        def unit(fetch: Fetch) -> tuple[_Following, tuple[Any, ...] | None]:
            following = self._following(use, now_ms=self._settings.now_ms())  # a connection may take a while
            return following, fetch(self._sql.rotate_current, following.values)

        # Sent again after a commit of unknown outcome, it finds another token current, and the general
        # way repeats the successor, as long as there is a grace window.
        repeatable = self._settings.grace_period_ms > 0
        following, row = self._database.alone(unit, "single", repeatable=repeatable)
        if row is None:
            return None
        user_id, payload = row
        return following.outcome(self._users.ids(user_id), json_object(payload))

    def _rotate(self, connection: Connection, use: _Use) -> _Outcome:
        # Repeating this unit after a commit of unknown outcome would be harmless, too: the token just
        # retired would now be `previous`, and yield the same successor.
        presented, key = use.token, _key_of(use.token)
        row = self._database.row_within(connection, self._sql.lock, key)
        now_ms = self._settings.now_ms()  # read under the lock: no rotation that we see is later than it
        lineage = None if row is None else lineage_of(row)
        decision = decide(lineage, presented, now_ms=now_ms, grace_ms=self._settings.grace_period_ms)
        if row is None or lineage is None or decision == "GONE":
            log.debug("refresh refused: session %s is gone", presented.handle)
            return _Outcome(Unauthorised(NO_SESSION))
        user_id, payload_text, use_static_key = row[4:]
        payload = json_object(payload_text)
        signable = limits.is_signable(payload, token_version=use.token_version)
        if decision in ("ROTATE", "REPEAT") and not signable:
            return _Outcome(Unauthorised(limits.PROTECTED_PAYLOAD))
        user_id, recipe_user_id = self._users.resolve(connection, user_id)
        match decision:
            case "ROTATE":
                following = self._following(use, now_ms=now_ms)
                self._database.row_within(connection, self._sql.rotate, following.values)
                return following.outcome((user_id, recipe_user_id), payload)
            case "REPEAT":
                repeated = successor_of(use.master_key, presented, lineage, anti_csrf=use.anti_csrf)
                if not repeated.is_current or bool(use_static_key) is not use.static:
                    values = key | {"current": repeated.token.hash2, "static": use.static}
                    connection.execute(self._sql.rerotate, values)
                rotated_ms = lineage.rotated_ms or now_ms
                return _Outcome(
                    Grant(
                        token=repeated.token,
                        created_ms=rotated_ms,
                        expires_ms=lineage.expires_ms,
                        user_id=user_id,
                        recipe_user_id=recipe_user_id,
                        payload=payload,
                    ),
                    "session.refreshed_again",
                    {"handle": presented.handle, "age_ms": now_ms - rotated_ms},
                )
            case "RECENT_PREV" | "ORPHANED_BRANCH" | "STALE_LINEAGE":
                connection.execute(self._sql.delete, key)
                age_ms = None if lineage.rotated_ms is None else now_ms - lineage.rotated_ms
                facts: dict[str, Fact] = {
                    "handle": presented.handle,
                    "user_id": user_id,
                    "subtype": decision,
                    "age_ms": age_ms,
                }
                answer: TokenTheft | Unauthorised = Unauthorised(
                    "the refresh token was used before", reuse=decision
                )
                if is_theft(decision, self._settings.recent_token_reuse_behaviour):
                    answer = TokenTheft(
                        handle=presented.handle,
                        user_id=user_id,
                        recipe_user_id=recipe_user_id,
                        reuse=decision,
                    )
                return _Outcome(answer, "session.reuse", facts)
            case _:
                assert_never(decision)

    def _signs_statically(self, token: RefreshToken) -> bool:
        """Return the key family of a session whose client does not choose one (below CDI 5.0)."""
        row = self._database.alone(
            lambda fetch: fetch(self._sql.key_family, _key_of(token)), "read", repeatable=True
        )
        return row is not None and bool(row[0])

    def _following(self, use: _Use, *, now_ms: int) -> _Following:
        token = successor(use.master_key, use.token, rotated_ms=now_ms, anti_csrf=use.anti_csrf)
        expires_ms = now_ms + self._settings.refresh_token_validity_ms
        return _Following(use.token, token, now_ms, expires_ms, use.static)


def _key_of(token: RefreshToken) -> dict[str, Any]:
    return {"tenant": token.tenant_id, "handle": token.handle}
