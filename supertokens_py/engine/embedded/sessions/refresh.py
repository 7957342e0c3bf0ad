"""Refresh: one locked look at the session row, and what the decision table makes of it (engine: Refresh)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, assert_never

from supertokens_py import payloads
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.records import (
    IssuedSession,
    RefreshRequest,
    ReuseSubtype,
    TokenTheft,
    Unauthorised,
)
from supertokens_py.engine.session_records import Ending, SessionKey
from supertokens_py.events import SessionRefreshed, TokenForged, TokenReused, emit
from supertokens_py.secret import masked
from supertokens_py.tokens.encoding import constant_time_equal

from ..keys import access_tokens
from ..keys.access_tokens import Grant
from ..session_state.refresh_decision import (
    OfALiveSession,
    Rules,
    StoredTokens,
    anti_csrf_token,
    decide,
    is_child,
    is_theft,
    promoted,
    reinstated,
    successor_of,
)
from ..session_state.refresh_tokens import RefreshToken, successor
from ..session_state.session_changes import SessionChanges
from ..session_state.session_details import DetailStatements, changed_client, visit_values
from ..session_state.session_rows import (
    NO_SESSION,
    SESSION_DETAILS,
    RotationStatements,
    json_object,
    key_of,
    stored_tokens,
)
from ..session_state.session_terms import USUAL_TERMS, Terms, expired, terms_of
from . import refresh_state
from .lost_answers import LostAnswers, after_a_statement
from .refresh_state import INVALID_TOKEN, RESTORED, Following, Found, Losses, Outcome, Use

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..accounts.user_ids import UserIds
    from ..keys.keys import KeyRing
    from ..session_state.activity import Activity
    from ..storage.database import Database, Fetch

log: logging.Logger = logging.getLogger(__name__)


class Refresher:
    """Rotates refresh tokens; `SessionStore` adds what else can be done with sessions."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        activity: Activity,
        users: UserIds,
        settings: ResolvedEngineConfig,
        changes: SessionChanges,
    ) -> None:
        self._database = database
        self._changes = changes
        self._keys = keys
        self._activity = activity
        self._users = users
        self._settings = settings
        self._details: DetailStatements | None = None
        self._losses = Losses()
        self.lost_answers: LostAnswers = LostAnswers(database, settings)
        self.use_tables()

    def use_tables(self) -> None:
        """Make the statements that depend on which tables there are; again once others have joined them."""
        tables = self._database.tables
        self._rows = RotationStatements(tables)
        if SESSION_DETAILS in tables:
            is_sqlite = self._database.location.is_sqlite
            self._details = DetailStatements(tables, self._rows, is_sqlite=is_sqlite)

    def refresh(self, request: RefreshRequest) -> IssuedSession | Unauthorised | TokenTheft:
        """Rotate the refresh token, or answer what its use means."""
        self._database.prepare()
        life_ms = access_tokens.life_ms(self._settings, request.access_token_validity_ms)
        master_key, presented = self._keys.open_token(masked(request.refresh_token))
        if presented is None:
            return INVALID_TOKEN
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
        use = Use(presented, master_key, request.anti_csrf, static, version, life_ms, request.visit)
        outcome = self.lost_answers.watch(use, self._outcome)
        self._changes.settle(outcome.ended, outcome.ending, is_revocation=False)
        self._changes.committed()
        if outcome.event is not None:
            emit(outcome.event)
        grant = outcome.answer
        if not isinstance(grant, Grant):
            return grant
        session = access_tokens.issue_session(
            grant, key=key, now_ms=self._settings.now_ms(), life_ms=life_ms, version=version
        )
        if grant.terms.counts:
            self._activity.note(grant.recipe_user_id)
        return session

    def _outcome(self, use: Use) -> Outcome:
        general = partial(self._database.write, lambda c: self._rotate(c, use))
        if self._database.location.is_sqlite or self._changes.refreshes_are_recorded:
            return general()
        sendings: list[object] = []
        outcome = self._rotate_current(use, sendings)
        # One that was sent once, and found nothing to do, did nothing.
        return outcome or (after_a_statement(general) if len(sendings) > 1 else general())

    def _rotate_current(self, use: Use, sendings: list[object]) -> Outcome | None:
        """Rotate the current token in one statement, or leave everything as it is and return None.

        Most refreshes are this one, and on PostgreSQL it saves three of four round trips. On SQLite a
        statement by itself may wait seconds for another writer, which would make its time of rotation
        as old; `_rotate` reads the clock when it has the lock.
        """

        def unit(fetch: Fetch) -> tuple[Following, tuple[Any, ...] | None]:
            sendings.append(fetch)
            following = self._following(use, now_ms=self._settings.now_ms())  # a connection may take a while
            values = following.values | self._rows.kept(following.now_ms, self._settings.grace_period_ms)
            if self._details is None:
                return following, fetch(self._rows.rotate_current, values)
            values |= visit_values(use.visit) | {
                "validity": self._settings.refresh_token_validity_ms,
                "any_client": not self._changes.notes_are_recorded,
            }
            return following, fetch(self._details.rotate_current, values)

        # Sent again after a commit of unknown outcome, it finds another token current, and the general
        # way repeats the successor, as long as there is a grace window.
        repeatable = self._settings.grace_period_ms > 0
        following, row = self._database.alone(unit, "single", repeatable=repeatable)
        if row is None:
            return None
        user_id, payload = row[:2]
        if self._details is not None:
            following = replace(following, expires_ms=row[2], terms=terms_of(row[3:]))
        return following.outcome(self._users.ids(user_id), json_object(payload))

    def _rotate(self, connection: Connection, use: Use) -> Outcome:
        # Repeating this unit after a commit of unknown outcome would be harmless, too: the token just
        # rotated out would now be `previous`, and yield the same successor.
        row = self._database.row_within(connection, self._rows.lock, use.key)
        now_ms = self._settings.now_ms()
        tokens = None if row is None else stored_tokens(row)
        rules = Rules(self._settings.grace_period_ms, self._database.is_shared, self._keys.restored_ms)
        decision = decide(tokens, use.token, now_ms=now_ms, rules=rules, successor_ms=use.made_ms)
        if row is None or tokens is None:
            log.debug("refresh refused: session %s is gone", use.token.handle)
            return Outcome(Unauthorised(NO_SESSION, "session_gone"))
        terms = self._terms(connection, use.key)
        if decision == "GONE" or terms.is_past(now_ms):
            return self._expired(connection, use, terms, tokens, now_ms=now_ms)
        user_id, payload_text, use_static_key = row[4:]
        user_id, recipe_user_id = self._users.resolve(connection, user_id)
        payload = json_object(payload_text)
        session = SessionKey(handle=use.token.handle, tenant_id=use.token.tenant_id, user_id=recipe_user_id)
        found = Found(tokens, user_id, recipe_user_id, payload, bool(use_static_key), now_ms, session, terms)
        if decision in ("REINSTATE", "NEWER"):
            self._losses.note(session)
        return self._decided(connection, use, found, decision)

    def _terms(self, connection: Connection, key: Mapping[str, Any]) -> Terms:
        """Return the terms of a session, to be read when its row is locked."""
        if self._details is None:
            return USUAL_TERMS
        return terms_of(self._database.row_within(connection, self._details.terms, key))

    def _expired(
        self, connection: Connection, use: Use, terms: Terms, tokens: StoredTokens, *, now_ms: int
    ) -> Outcome:
        """Refuse a session that has expired; where a core would go on with it, end it."""
        log.debug("refresh refused: session %s has expired", use.token.handle)
        if self._details is None:
            return Outcome(Unauthorised(NO_SESSION, "session_gone"))
        reason, ended = terms.reason(tokens.expires_ms), []
        ending = Ending(reason=reason)
        if tokens.expires_ms > now_ms:
            ended = self._changes.end(connection, self._rows.delete, use.key, ending)
        return Outcome(expired(reason), ended=ended, ending=ending)

    def _decided(self, connection: Connection, use: Use, found: Found, decision: OfALiveSession) -> Outcome:
        match decision:
            case "FORGED":
                forged = TokenForged(handle=use.token.handle, user_id=found.user_id)
                return Outcome(INVALID_TOKEN, forged)
            case "RECENT_PREV" | "ORPHANED_BRANCH" | "STALE_LINEAGE" | "RESTORED":
                return self._end(connection, use, found, decision)
            case _ if not payloads.is_signable(found.payload, token_version=use.token_version):
                return Outcome(Unauthorised(payloads.PROTECTED_PAYLOAD, "payload_protected"))
            case "ROTATE" | "NEWER":
                following = self._following(use, now_ms=found.now_ms, terms=found.terms)
                self._database.row_within(connection, self._rows.rotate, following.values)
                self._changes.refreshed(connection, found.session)
                self._see(connection, use, found)
                return following.outcome((found.user_id, found.recipe_user_id), found.payload)
            case "KEEP":
                return self._keep(connection, use, found)
            case "REPEAT":
                return self._repeat(connection, use, found)
            case "PROMOTE" | "REINSTATE":
                return self._promote(connection, use, found, decision)
            case _:
                assert_never(decision)

    def _signs_statically(self, token: RefreshToken) -> bool:
        """Return the key family of a session whose client does not choose one (below CDI 5.0)."""
        row = self._database.alone(
            lambda fetch: fetch(self._rows.key_family, key_of(token.handle)), "read", repeatable=True
        )
        return row is not None and bool(row[0])

    def _keep(self, connection: Connection, use: Use, found: Found) -> Outcome:
        """Answer the current token with itself: its session is used, so it expires later."""
        later_ms = self._expires_ms(found.now_ms, found.terms)
        expires_ms = found.terms.capped(max(found.tokens.expires_ms, later_ms))
        values = use.key | {"expires": expires_ms, "static": use.static}
        connection.execute(self._rows.keep, values)
        self._see(connection, use, found)
        return self._again(use, found, use.token, expires_ms, kept=True)

    def _repeat(self, connection: Connection, use: Use, found: Found) -> Outcome:
        """Answer the previous token with the current one, which it is again if it was taken back."""
        tokens = found.tokens
        repeated = successor_of(use.master_key, use.token, tokens, anti_csrf=use.anti_csrf)
        values = use.key | {"current": repeated.token.hash2, "static": use.static}
        if tokens.is_taken_back:
            values |= {"presented": use.token.hash2, "now": tokens.rotated_ms, "expires": tokens.expires_ms}
            connection.execute(self._rows.rotate, values)
        elif not repeated.is_current or found.static is not use.static:
            connection.execute(self._rows.rerotate, values)
        expires_ms = found.terms.capped(tokens.expires_ms)
        return self._again(use, found, repeated.token, expires_ms, kept=False)

    def _promote(
        self, connection: Connection, use: Use, found: Found, decision: Literal["PROMOTE", "REINSTATE"]
    ) -> Outcome:
        """Make a token current that the row does not know, and answer it with itself."""
        now_ms, grace_ms = found.now_ms, self._settings.grace_period_ms
        row, is_twin = promoted(found.tokens, use.token, now_ms=now_ms, grace_ms=grace_ms), False
        if decision == "REINSTATE":
            row = reinstated(found.tokens, use.token, made_ms=use.made_ms() or now_ms)
            is_twin = is_child(use.token, found.tokens.previous)
            found = replace(found, tokens=row)
        expires_ms = self._expires_ms(now_ms, found.terms)
        values = use.key | {
            "presented": row.previous,
            "current": row.current,
            "now": row.rotated_ms,
            "expires": expires_ms,
            "static": use.static,
        }
        self._database.row_within(connection, self._rows.rotate, values)
        self._changes.refreshed(connection, found.session)
        self._see(connection, use, found)
        if is_twin:  # of the current one: both were made from one token
            return self._again(use, found, use.token, expires_ms, kept=False)
        grant = self._grant(use, found, use.token, expires_ms)
        return Outcome(grant, SessionRefreshed(handle=use.token.handle))

    def _again(self, use: Use, found: Found, token: RefreshToken, expires_ms: int, *, kept: bool) -> Outcome:
        """Return the outcome of a second use within the grace period, of a token that is `kept` or not."""
        return Outcome(
            self._grant(use, found, token, expires_ms), refresh_state.used_again(use, found, kept=kept)
        )

    def _grant(self, use: Use, found: Found, token: RefreshToken, expires_ms: int) -> Grant:
        return Grant(
            token=token,
            created_ms=found.now_ms if found.tokens.rotated_ms is None else found.tokens.rotated_ms,
            expires_ms=expires_ms,
            user_id=found.user_id,
            recipe_user_id=found.recipe_user_id,
            payload=found.payload,
            anti_csrf_token=anti_csrf_token(token, anti_csrf=use.anti_csrf),
            terms=found.terms,
        )

    def _end(
        self, connection: Connection, use: Use, found: Found, subtype: ReuseSubtype | Literal["RESTORED"]
    ) -> Outcome:
        """End the session, and report why."""
        if subtype == "RESTORED":
            ended = self._changes.end(connection, self._rows.delete, use.key, RESTORED)
            return refresh_state.lost_by_restore(found.session, ended)
        handle, ending = found.session.handle, Ending(reason="reuse", subtype=subtype)
        ended = self._changes.end(connection, self._rows.delete, use.key, ending)
        event = TokenReused(handle=handle, user_id=found.user_id, subtype=subtype, age_ms=found.age_ms)
        answer: TokenTheft | Unauthorised = Unauthorised(
            "the refresh token was used before", "refresh_token_reused", subtype
        )
        if is_theft(subtype, self._settings.recent_token_reuse_behaviour):
            answer = TokenTheft(
                handle=handle, user_id=found.user_id, recipe_user_id=found.recipe_user_id, reuse=subtype
            )
        return Outcome(answer, event, ended, ending)

    def _see(self, connection: Connection, use: Use, found: Found) -> None:
        """Note that the session is used, where that is kept."""
        if self._details is None:
            return
        if use.visit is not None and self._changes.notes_are_recorded:
            row = self._database.row_within(connection, self._details.client, use.key)
            if changed := changed_client(row, use.visit):
                self._changes.note(connection, refresh_state.changed_note(found.session, changed))
        values = use.key | visit_values(use.visit) | {"now": found.now_ms}
        self._database.row_within(connection, self._details.seen, values)

    def _expires_ms(self, now_ms: int, terms: Terms) -> int:
        return terms.expires_ms(now_ms, validity_ms=self._settings.refresh_token_validity_ms)

    def _following(self, use: Use, *, now_ms: int, terms: Terms = USUAL_TERMS) -> Following:
        token = successor(use.master_key, use.token, rotated_ms=now_ms, anti_csrf=use.anti_csrf)
        return Following(use.token, token, now_ms, self._expires_ms(now_ms, terms), use.static, terms)
