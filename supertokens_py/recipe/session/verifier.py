"""Verifies access tokens with the engine's keys; plain memory unless the keys must be loaded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from supertokens_py.exceptions import EngineUnavailableError

from .exceptions import TryRefreshTokenError
from .tokens import UnknownIssuerError, UnknownKeyError, VerifiedTokens

if TYPE_CHECKING:
    from supertokens_py.engine.interface import KeySet
    from supertokens_py.recipe_module import App
    from supertokens_py.tokens.access_token import AccessToken

    from .policy import SessionPolicy

#: How often keys of a certain age are loaded again while they do not change.
ASK_AGAIN_AFTER_MS = 60_000

log: logging.Logger = logging.getLogger(__name__)


class Verifier:
    """Checks tokens of one app and remembers those that held."""

    def __init__(self, app: App, config: SessionPolicy, issuers: Callable[[], Container[str] | None]) -> None:
        self._app = app
        self._has_warned = False
        self._now_ms = app.now_ms
        self._dynamic_key = config.use_dynamic_access_token_signing_key
        self._reload_after_ms = config.jwks_refresh_interval_sec * 1000
        # Keys that are loaded again and found unchanged stay the same set, with the age that it had.
        self._ask_again_after_ms = min(ASK_AGAIN_AFTER_MS, self._reload_after_ms)
        self._ask_again_ms = 0
        self._due_ms = 0  #: when the keys last used must be loaded again
        self._verified = VerifiedTokens(app.verified_token_cache_size, issuers)
        self.read: Callable[[str], AccessToken | None] = self._verified.read

    def knows(self, token: AccessToken) -> bool:
        """Tell whether a token was verified before and still holds, from memory alone."""
        now = self._now_ms()
        return now < self._due_ms and self._verified.holds(token.text, self._app.engine.key_set(), now_ms=now)

    async def check(self, token: AccessToken) -> None:
        """Accept a token that holds now.

        Raises:
            TryRefreshTokenError: it does not; the session may.
            EngineUnavailableError: there are no keys yet, and they cannot be loaded.
        """
        now = self._now_ms()
        keys = self._app.engine.key_set()
        if self._due_of(keys) <= now:
            self._ask_again_ms = now + self._ask_again_after_ms  # for one request; others do not wait
            keys = await self._reloaded(keys)
        self._due_ms = self._due_of(keys)
        try:
            self._verified.check(token, keys, now_ms=now, dynamic_key=self._dynamic_key)
        except UnknownIssuerError as error:
            self._warn(error.issuer)
            raise
        except UnknownKeyError:
            keys = await self._app.engine.reload_keys()  # bounded by the engine's cool-down
            try:
                self._verified.check(token, keys, now_ms=now, dynamic_key=self._dynamic_key)
            except UnknownKeyError:
                raise TryRefreshTokenError("No matching JWKS found") from None

    def _warn(self, issuer: object) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning(
                "an access token of another issuer was refused: %.200r. If that is another API domain of "
                "this app, name it in session.init(accepted_issuers=[...]); logged once per process",
                issuer,
            )

    def _due_of(self, keys: KeySet) -> int:
        return max(keys.loaded_ms + self._reload_after_ms + 1, self._ask_again_ms)

    async def _reloaded(self, keys: KeySet) -> KeySet:
        try:
            return await self._app.engine.reload_keys()
        except EngineUnavailableError:
            if not keys.keys:
                raise
            log.warning("verification keys could not be loaded again; the known ones stay in use")
            return keys
