"""Refresh: one locked look at the session row, and what the decision table makes of it (engine: Refresh)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from supertokens_py import payloads
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.records import (
    IssuedSession,
    RefreshRequest,
    ReuseSubtype,
    TokenTheft,
    Unauthorised,
)
from supertokens_py.events import (
    Event,
    SessionRefreshed,
    SessionRefreshedAgain,
    TokenForged,
    TokenReused,
    emit,
)
from supertokens_py.secret import hidden
from supertokens_py.tokens.encoding import constant_time_equal
from supertokens_py.types.base import JSONObject

from . import access_tokens
from .access_tokens import Grant
from .refresh_decision import (
    Decision,
    Rules,
    StoredTokens,
    anti_csrf_token,
    decide,
    is_late,
    is_theft,
    promoted,
    successor_of,
)
from .refresh_tokens import MasterKey, RefreshToken, is_successor, successor
from .session_rows import NO_SESSION, RotationStatements, json_object, stored_tokens

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .activity import Activity
    from .keys import KeyRing
    from .storage.database import Database, Fetch
    from .user_ids import UserIds

log: logging.Logger = logging.getLogger(__name__)

_INVALID = "Invalid refresh token"


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of a refresh, and the event to emit after the commit."""

    answer: Grant | Unauthorised | TokenTheft
    event: Event | None = None


@dataclass(frozen=True, slots=True)
class _Use:
    """A genuine refresh token that was presented, and what its successor is to be like."""

    token: RefreshToken
    master_key: MasterKey
    anti_csrf: bool
    static: bool  #: whether the static signing key signs the next access token
    token_version: int  #: of the next access token
    life_ms: int  #: of the next access token


@dataclass(frozen=True, slots=True)
class _Found:
    """The locked row of a live session, and what its user is called."""

    tokens: StoredTokens
    user_id: str
    recipe_user_id: str
    payload: JSONObject
    static: bool
    now_ms: int  #: read under the lock: no rotation in the row is later than it

    @property
    def age_ms(self) -> int | None:
        """How long ago the last rotation was."""
        rotated_ms = self.tokens.rotated_ms
        return None if rotated_ms is None else self.now_ms - rotated_ms


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
            anti_csrf_token=self.token.anti_csrf_token,
        )
        return _Outcome(grant, SessionRefreshed(handle=self.token.handle))


class Refresher:
    """Rotates refresh tokens; `SessionStore` adds what else can be done with sessions."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        activity: Activity,
        users: UserIds,
        settings: ResolvedEngineConfig,
    ) -> None:
        self._database = database
        self._keys = keys
        self._activity = activity
        self._users = users
        self._settings = settings
        self._rows = RotationStatements(database.tables)

    def refresh(self, request: RefreshRequest) -> IssuedSession | Unauthorised | TokenTheft:
        """Rotate the refresh token, or answer what its use means."""
        life_ms = access_tokens.life_ms(self._settings, request.access_token_validity_ms)
        master_key, presented = self._keys.open_token(hidden(request.refresh_token))
        if presented is None:
            return Unauthorised(_INVALID, "refresh_token_invalid")
        expected, given = presented.anti_csrf_token, request.anti_csrf_token
        if (
            request.anti_csrf
            and expected is not None
            and not (given and constant_time_equal(given, expected))
        ):
            return Unauthorised("Anti CSRF token missing, or not matching", "csrf_token_wrong")
        dynamic, version = request.dynamic_key, request.token_version
        static = self._signs_statically(presented) if dynamic is None else not dynamic
        key = self._keys.signer(static=static)
        use = _Use(presented, master_key, request.anti_csrf, static, version, life_ms)
        outcome = None
        if not self._database.location.is_sqlite:
            outcome = self._rotate_current(use)
        if outcome is None:
            outcome = self._database.write(lambda c: self._rotate(c, use))
        if outcome.event is not None:
            emit(outcome.event)
        grant = outcome.answer
        if not isinstance(grant, Grant):
            return grant
        session = access_tokens.issue_session(
            grant, key=key, now_ms=self._settings.now_ms(), life_ms=life_ms, version=version
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
            kept = self._rows.kept(following.now_ms, self._settings.grace_period_ms)
            return following, fetch(self._rows.rotate_current, following.values | kept)

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
        # rotated out would now be `previous`, and yield the same successor.
        row = self._database.row_within(connection, self._rows.lock, _key_of(use.token))
        now_ms = self._settings.now_ms()
        tokens = None if row is None else stored_tokens(row)
        rules = Rules(self._settings.grace_period_ms, shared=self._database.is_shared)
        decision = decide(
            tokens,
            use.token,
            now_ms=now_ms,
            rules=rules,
            is_successor=is_successor(use.master_key, use.token),
        )
        if row is None or tokens is None or decision == "GONE":
            log.debug("refresh refused: session %s is gone", use.token.handle)
            return _Outcome(Unauthorised(NO_SESSION, "session_gone"))
        user_id, payload_text, use_static_key = row[4:]
        user_id, recipe_user_id = self._users.resolve(connection, user_id)
        payload = json_object(payload_text)
        found = _Found(tokens, user_id, recipe_user_id, payload, bool(use_static_key), now_ms)
        return self._decided(connection, use, found, decision)

    def _decided(self, connection: Connection, use: _Use, found: _Found, decision: Decision) -> _Outcome:
        match decision:
            case "FORGED":
                forged = TokenForged(handle=use.token.handle, user_id=found.user_id)
                return _Outcome(Unauthorised(_INVALID, "refresh_token_invalid"), forged)
            case "RECENT_PREV" | "ORPHANED_BRANCH" | "STALE_LINEAGE":
                return self._reuse(connection, use, found, decision)
            case _ if not payloads.is_signable(found.payload, token_version=use.token_version):
                return _Outcome(Unauthorised(payloads.PROTECTED_PAYLOAD, "payload_protected"))
            case "ROTATE":
                following = self._following(use, now_ms=found.now_ms)
                self._database.row_within(connection, self._rows.rotate, following.values)
                return following.outcome((found.user_id, found.recipe_user_id), found.payload)
            case "KEEP":
                return self._keep(connection, use, found)
            case "REPEAT":
                return self._repeat(connection, use, found)
            case "PROMOTE":
                return self._promote(connection, use, found)
            case "GONE":
                raise AssertionError("answered before")
            case _:
                assert_never(decision)

    def _signs_statically(self, token: RefreshToken) -> bool:
        """Return the key family of a session whose client does not choose one (below CDI 5.0)."""
        row = self._database.alone(
            lambda fetch: fetch(self._rows.key_family, _key_of(token)), "read", repeatable=True
        )
        return row is not None and bool(row[0])

    def _keep(self, connection: Connection, use: _Use, found: _Found) -> _Outcome:
        """Answer the current token with itself: its session is used, so it expires later."""
        expires_ms = max(found.tokens.expires_ms, self._expires_ms(found.now_ms))
        values = _key_of(use.token) | {"expires": expires_ms, "static": use.static}
        connection.execute(self._rows.keep, values)
        return self._again(use, found, use.token, expires_ms)

    def _repeat(self, connection: Connection, use: _Use, found: _Found) -> _Outcome:
        """Answer the previous token with the current one."""
        tokens = found.tokens
        repeated = successor_of(use.master_key, use.token, tokens, anti_csrf=use.anti_csrf)
        if not repeated.is_current or found.static is not use.static:
            values = _key_of(use.token) | {"current": repeated.token.hash2, "static": use.static}
            connection.execute(self._rows.rerotate, values)
        return self._again(use, found, repeated.token, tokens.expires_ms)

    def _promote(self, connection: Connection, use: _Use, found: _Found) -> _Outcome:
        """Make a child of the current token current, and answer it with itself."""
        now_ms, grace_ms = found.now_ms, self._settings.grace_period_ms
        row = promoted(found.tokens, use.token, now_ms=now_ms, grace_ms=grace_ms)
        expires_ms = self._expires_ms(now_ms)
        values = _key_of(use.token) | {
            "presented": row.previous,
            "current": row.current,
            "now": row.rotated_ms,
            "expires": expires_ms,
            "static": use.static,
        }
        self._database.row_within(connection, self._rows.rotate, values)
        grant = self._grant(use, found, use.token, expires_ms)
        return _Outcome(grant, SessionRefreshed(handle=use.token.handle))

    def _again(self, use: _Use, found: _Found, token: RefreshToken, expires_ms: int) -> _Outcome:
        """Return the outcome of a second use within the grace period."""
        age_ms, kept = found.age_ms or 0, token is use.token
        event = SessionRefreshedAgain(
            handle=token.handle,
            user_id=found.user_id,
            presented="current" if kept else "previous",
            age_ms=age_ms,
            late=is_late(age_ms, life_ms=use.life_ms, kept=kept),
        )
        return _Outcome(self._grant(use, found, token, expires_ms), event)

    def _grant(self, use: _Use, found: _Found, token: RefreshToken, expires_ms: int) -> Grant:
        return Grant(
            token=token,
            created_ms=found.now_ms if found.tokens.rotated_ms is None else found.tokens.rotated_ms,
            expires_ms=expires_ms,
            user_id=found.user_id,
            recipe_user_id=found.recipe_user_id,
            payload=found.payload,
            anti_csrf_token=anti_csrf_token(token, anti_csrf=use.anti_csrf),
        )

    def _reuse(self, connection: Connection, use: _Use, found: _Found, subtype: ReuseSubtype) -> _Outcome:
        """End the session, and report why."""
        handle = use.token.handle
        connection.execute(self._rows.delete, _key_of(use.token))
        event = TokenReused(handle=handle, user_id=found.user_id, subtype=subtype, age_ms=found.age_ms)
        answer: TokenTheft | Unauthorised = Unauthorised(
            "the refresh token was used before", "refresh_token_reused", subtype
        )
        if is_theft(subtype, self._settings.recent_token_reuse_behaviour):
            answer = TokenTheft(
                handle=handle, user_id=found.user_id, recipe_user_id=found.recipe_user_id, reuse=subtype
            )
        return _Outcome(answer, event)

    def _expires_ms(self, now_ms: int) -> int:
        return now_ms + self._settings.refresh_token_validity_ms

    def _following(self, use: _Use, *, now_ms: int) -> _Following:
        token = successor(use.master_key, use.token, rotated_ms=now_ms, anti_csrf=use.anti_csrf)
        return _Following(use.token, token, now_ms, self._expires_ms(now_ms), use.static)


def _key_of(token: RefreshToken) -> dict[str, Any]:
    return {"tenant": token.tenant_id, "handle": token.handle}
