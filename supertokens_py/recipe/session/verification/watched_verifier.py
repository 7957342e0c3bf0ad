"""Verification that also refuses revoked sessions, by what this process knows of them: memory only."""

from __future__ import annotations

from typing import Any, cast

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.revoked_sessions import Revocations, RevokedSessions
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.recipe_module import App
from supertokens_py.tokens.access_token import AccessToken

from ..container import Parts, SessionContainer
from ..exceptions import TryRefreshTokenError, UnauthorisedError
from ..features.instant_revocation import InstantRevocation, WhenStale
from ..policy import csrf
from ..policy.issuers import Issuers
from .verifier import Verifier


class WatchedVerifier(Verifier):
    """The verifier of an app with `instant_revocation`."""

    _revocations: Revocations  #: those of the engine, from the first `check` on
    _revoked: RevokedSessions

    def __init__(self, app: App, containers: Parts, issuers: Issuers, when_stale: WhenStale) -> None:
        super().__init__(app, containers, issuers)
        self._when_stale = when_stale

    async def session_of(
        self,
        token: AccessToken,
        anti_csrf_token: str | None,
        user_context: dict[str, Any] | None,
        check_csrf: bool,
        check_database: bool,
    ) -> SessionContainer:
        """Return the session of an access token, after verifying it.

        Raises:
            TryRefreshTokenError: the token is not valid, or was issued before all sessions had to refresh.
            UnauthorisedError: the session was revoked.
            EngineUnavailableError: it is not known which ones were, and `when_stale` is "closed".
        """
        # As in `Verifier`, written out: another coroutine would cost more than all of this.
        now = self._now_ms()
        cache = self.verified.cache
        known = cache.young.get(token.text)
        if known is None or now > known[1] or now >= self._due_ms or cache.keys is not self._keys.key_set():
            token = await self.check(token)
        else:
            token = known[0]
        if check_csrf:
            csrf.require_token(token, anti_csrf_token)
        revoked = self._revoked
        # Not `token.handle`, nor when it was issued: properties cost as much as both look-ups.
        if (
            now > revoked.fresh_until_ms
            or token.payload["sessionHandle"] in revoked.handles
            or revoked.cut_off_ms >= 0
        ):
            is_doubtful = await self._look_closely(token, now, user_context)
            if is_doubtful and not check_database:
                return await self._asked(token, anti_csrf_token, user_context, check_csrf)
        if not check_database and token.parent_refresh_token_hash1 is None:
            return SessionContainer(self._containers, token)
        return await super().session_of(token, anti_csrf_token, user_context, check_csrf, check_database)

    async def check(self, token: AccessToken) -> AccessToken:
        """Return the token, with its payload, if it is valid now; every verification begins with one."""
        # No app has this setting and an engine that keeps none.
        revocations = cast("Revocations", self._app.engine.revocations)
        self._revocations, self._revoked = revocations, revocations.revoked
        token = await super().check(token)
        revocations.remember(token.expires_ms - token.created_ms)
        return token

    async def _look_closely(
        self, token: AccessToken, now_ms: int, user_context: dict[str, Any] | None
    ) -> bool:
        """Return whether a token may be older than it says, of a session that ended with all of before."""
        if now_ms > self._revoked.fresh_until_ms:
            await self._catch_up(user_context)
        if token.handle in self._revoked.handles:
            raise UnauthorisedError("the session was revoked", code="session_revoked")
        if token.created_ms <= self._revoked.cut_off_ms:
            raise TryRefreshTokenError("every session has to refresh once", code="sessions_cut_off")
        return token.created_ms <= self._revoked.doubtful_ms

    async def _asked(
        self,
        token: AccessToken,
        anti_csrf_token: str | None,
        user_context: dict[str, Any] | None,
        check_csrf: bool,
    ) -> SessionContainer:
        """Return the session of a token if the database knows it, or cannot be reached."""
        is_closed = self._when_stale == "closed"
        asks = is_closed or not self._revocations.is_cooling()
        try:
            return await super().session_of(token, anti_csrf_token, user_context, check_csrf, asks)
        except EngineUnavailableError:
            if is_closed:
                raise
        return await super().session_of(token, anti_csrf_token, user_context, check_csrf, False)

    async def _catch_up(self, user_context: dict[str, Any] | None) -> None:
        revocations = self._revocations
        if self._when_stale == "open" and revocations.is_running():
            return
        is_known = not revocations.is_cooling() and await call_engine(user_context, revocations.catch_up)
        if not is_known and self._when_stale == "closed":
            raise EngineUnavailableError("revoked sessions cannot be read, and when_stale is closed")


def verifier_of(
    app: App, containers: Parts, issuers: Issuers, revocation: InstantRevocation | None
) -> Verifier:
    """Return the verifier that an app needs: the plain one where `instant_revocation` is off."""
    if revocation is None:
        return Verifier(app, containers, issuers)
    return WatchedVerifier(app, containers, issuers, revocation.when_stale)
