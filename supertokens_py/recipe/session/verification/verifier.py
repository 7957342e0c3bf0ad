"""Verify access tokens with the engine's keys, cache the verified ones, and return their sessions.

Verification is plain memory and arithmetic unless the keys must be loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container
from typing import TYPE_CHECKING, Any

from supertokens_py.engine.call import call_engine, reload_keys
from supertokens_py.engine.records import KeySet, TryRefresh, Unauthorised, VerificationKey
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.recipe_module import App
from supertokens_py.tokens.access_token import LONG_TOKEN, AccessToken, parse_access_token, parse_header

from ..claim_validation.refusals import GuestNotAllowedError
from ..container import Parts, SessionContainer
from ..exceptions import TryRefreshTokenError, UnauthorisedError
from ..features.guests import NO_GUESTS, may_guests_pass
from ..policy import csrf
from ..policy.issuers import Issuers, is_issuer_accepted
from ..session_tokens.contents import issued_token
from ..session_tokens.reserved_claims import GUEST_KEY

if TYPE_CHECKING:
    from supertokens_py.engine.interface import Keys

#: How often keys of a certain age are loaded again while they do not change.
ASK_AGAIN_AFTER_MS = 60_000
CLOCK_SKEW_MS = 60_000  #: how far in the future a token may claim to have been issued

log: logging.Logger = logging.getLogger(__name__)


class Verifier:
    """Verifies the access tokens of one app."""

    _keys: Keys  #: those of the engine, from the first `check` on

    def __init__(self, app: App, containers: Parts, issuers: Issuers) -> None:
        policy = containers.policy
        self._app = app
        self._containers = containers
        self._has_warned = False
        self._now_ms = app.now_ms
        self._dynamic_key = policy.use_dynamic_access_token_signing_key
        self._reload_after_ms = policy.jwks_refresh_interval_sec * 1000
        # Keys that are loaded again and found unchanged stay the same set, with the age that it had.
        self._ask_again_after_ms = min(ASK_AGAIN_AFTER_MS, self._reload_after_ms)
        self._ask_again_ms = 0
        self._due_ms = 0  #: when the keys last used must be loaded again
        self.verified: VerifiedTokens = VerifiedTokens(
            app.verified_token_cache_size, lambda: issuers.accepted
        )
        self.read: Callable[[str], AccessToken | None] = self.verified.read

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
            GuestNotAllowedError: it is one of a guest, and guests may not pass here.
            TryRefreshTokenError: the token is not valid, or the anti-CSRF token is another one.
            UnauthorisedError: the database was asked and knows no such session.
        """
        now = self._now_ms()
        cache = self.verified.cache
        known = cache.young.get(token.text)
        # Nearly always known, so these comparisons are all there is to verifying.
        if known is None or now > known[1] or now >= self._due_ms or cache.keys is not self._keys.key_set():
            token = await self.check(token)
        else:
            token = known[0]
        if check_csrf:
            csrf.require_token(token, anti_csrf_token)
        if not check_database and token.parent_refresh_token_hash1 is None:
            return SessionContainer(self._containers, token)  # no engine needs a lookup, so none is asked
        sessions = self._app.engine.sessions
        if not sessions.needs_lookup(token, check_database=check_database):
            return SessionContainer(self._containers, token)
        result = await call_engine(user_context, sessions.verify, token, check_database=check_database)
        if isinstance(result, Unauthorised):
            raise UnauthorisedError(result.message, code=result.code)
        if isinstance(result, TryRefresh):
            raise TryRefreshTokenError(result.message, code=result.code)
        if result.access_token is None:
            return SessionContainer(self._containers, token)
        proof = anti_csrf_token if check_csrf else None
        reissued = issued_token(result.access_token.text)
        return SessionContainer(self._containers, reissued, anti_csrf_token=proof, updated=True)

    async def check(self, token: AccessToken) -> AccessToken:
        """Return the token, with its payload, if it is valid now.

        Raises:
            TryRefreshTokenError: it is not; the session may be.
            GuestNotAllowedError: it is one of a guest, and guests may not pass here.
            EngineUnavailableError: there are no keys yet, and they cannot be loaded.
        """
        now = self._now_ms()
        self._keys = self._app.engine.keys
        keys = self._keys.key_set()
        if self._due_of(keys) <= now:
            self._ask_again_ms = now + self._ask_again_after_ms  # for one request; others do not wait
            keys = await self._reloaded(keys)
        self._due_ms = self._due_of(keys)
        token = await self._checked(token, keys, now)
        # Whatever the settings say: a route may say otherwise, and only its verification knows.
        if GUEST_KEY in token.payload and not may_guests_pass(NO_GUESTS):
            raise GuestNotAllowedError
        return token

    async def _checked(self, token: AccessToken, keys: KeySet, now: int) -> AccessToken:
        try:
            return self.verified.check(token, keys, now_ms=now, dynamic_key=self._dynamic_key)
        except UnknownIssuerError as error:
            self._warn_of_foreign_issuer(error.issuer)
            raise
        except UnknownKeyError:
            keys = await reload_keys(self._keys)  # bounded by the cooldown
            try:
                return self.verified.check(token, keys, now_ms=now, dynamic_key=self._dynamic_key)
            except UnknownKeyError:
                raise TryRefreshTokenError("No matching JWKS found", code="signing_key_unknown") from None

    def _warn_of_foreign_issuer(self, issuer: object) -> None:
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
            return await reload_keys(self._keys)
        except EngineUnavailableError:
            if not keys.keys:
                raise
            log.warning("verification keys could not be loaded again; the known ones stay in use")
            return keys


class UnknownKeyError(Exception):
    """The token names a key that is not in the set; loading the keys again may help."""


class UnknownIssuerError(TryRefreshTokenError):
    """A token that is genuine, but of another app that has the same keys; `issuer` is its `iss`."""

    def __init__(self, issuer: object) -> None:
        self.issuer = issuer
        super().__init__("the access token was issued by another app", code="issuer_unknown")


class VerifiedTokens:
    """A cache of verified access tokens, by their string, for one set of keys.

    Two generations of at most half the size each: when the young one is full it becomes the old one,
    and what was not used since is forgotten. Plain dict operations, so threads share it without a lock;
    losing a race costs one verification. Each set of keys has a cache of its own: what a thread with
    replaced keys adds to theirs, nobody reads any more.
    """

    def __init__(self, size: int, issuers: Callable[[], Container[str] | None] = lambda: None) -> None:
        """`issuers` returns which `iss` are accepted, or None for all; only asked for unknown tokens."""
        self._half = size // 2
        self._issuers = issuers
        self.cache: _Cache = _Cache(None)

    def read(self, text: str) -> AccessToken | None:
        """Return the token if `text` has the form of one, without parsing again what is known.

        Everybody may send long ones that cost milliseconds to decode: of those, only the header is read until
        a known key has made the signature.
        """
        cache = self.cache
        known = cache.young.get(text) or cache.old.get(text)
        if known:
            return known[0]
        if len(text) > LONG_TOKEN and cache.keys is not None:
            token = parse_header(text)
            key = None if token is None else cache.keys.keys.get(token.kid)
            if key is None or not key.matches(text):
                return token
        return parse_access_token(text)

    def check(self, token: AccessToken, keys: KeySet, *, now_ms: int, dynamic_key: bool) -> AccessToken:
        """Return the token, with its payload, if it is signed with one of `keys` and valid at `now_ms`.

        Raises:
            TryRefreshTokenError: it is not valid; the session may be.
            UnknownKeyError: its key is not in the set.
        """
        cache = self.cache
        if keys is not cache.keys:
            cache = self.cache = _Cache(keys)
        known = cache.young.get(token.text)
        if known is None and (known := cache.old.get(token.text)):
            self._remember(cache, known[0], known[1])
        if known is None:
            token = with_payload(token, keys, dynamic_key=dynamic_key)
            until_ms = verify(token, keys, now_ms=now_ms, dynamic_key=dynamic_key, issuers=self._issuers())
            if GUEST_KEY not in token.payload:  # each use of a guest's is to come by here
                self._remember(cache, token, until_ms)
            return token
        if now_ms > known[1]:
            raise TryRefreshTokenError("Access token expired", code="access_token_expired")
        return known[0]

    def _remember(self, cache: _Cache, token: AccessToken, until_ms: int) -> None:
        if not self._half:
            return
        if len(cache.young) >= self._half:
            cache.old, cache.young = cache.young, {}
        cache.young[token.text] = (token, until_ms)


class _Cache:
    """What was verified with one set of keys."""

    __slots__ = ("keys", "old", "young")

    def __init__(self, keys: KeySet | None) -> None:
        self.keys: KeySet | None = keys
        self.young: dict[str, tuple[AccessToken, int]] = {}
        self.old: dict[str, tuple[AccessToken, int]] = {}


WRONG_SIGNATURE = "invalid access token signature"


def with_payload(token: AccessToken, keys: KeySet, *, dynamic_key: bool) -> AccessToken:
    """Return the token with its payload; where only its header was read, the signature is checked before.

    Raises:
        TryRefreshTokenError: it is not valid.
        UnknownKeyError: its key is not in the set.
    """
    if token.payload:
        return token
    _require_version(token)
    signed = _key_of(token, keys, dynamic_key=dynamic_key).matches(token.text)
    read = parse_access_token(token.text) if signed else None
    if read is None:
        raise TryRefreshTokenError(WRONG_SIGNATURE, code="access_token_signature")
    return read


def verify(
    token: AccessToken,
    keys: KeySet,
    *,
    now_ms: int,
    dynamic_key: bool,
    issuers: Container[str] | None = None,
) -> int:
    """Return until when the token is valid (Unix ms), after checking everything (protocol: Token checks).

    A token without `iss` is of a release that did not write it; None as `issuers` accepts all.

    Raises:
        UnknownIssuerError: its `iss` is not one of `issuers`.
        TryRefreshTokenError: it is not valid.
        UnknownKeyError: its key is not in the set.
    """
    _require_version(token)
    if token.expires_ms < now_ms:
        raise TryRefreshTokenError("Access token expired", code="access_token_expired")
    key = _key_of(token, keys, dynamic_key=dynamic_key)
    until = token.expires_ms if key.usable_until_ms is None else min(token.expires_ms, key.usable_until_ms)
    if until < now_ms or not key.matches(token.text):
        raise TryRefreshTokenError(WRONG_SIGNATURE, code="access_token_signature")
    not_before = token.payload.get("nbf")
    if token.created_ms > now_ms + CLOCK_SKEW_MS or _is_future(not_before, now_ms):
        raise TryRefreshTokenError("Access token is not valid yet", code="access_token_not_yet_valid")
    issuer = token.payload.get("iss")
    if not is_issuer_accepted(issuer, issuers):
        raise UnknownIssuerError(issuer)
    return until


def _require_version(token: AccessToken) -> None:
    if token.version < 3:
        raise TryRefreshTokenError(
            "access tokens of this age can only be refreshed", code="access_token_version"
        )


def _key_of(token: AccessToken, keys: KeySet, *, dynamic_key: bool) -> VerificationKey:
    if token.kid.startswith("d-") != dynamic_key:
        raise TryRefreshTokenError(
            "The access token doesn't match the use_dynamic_access_token_signing_key setting",
            code="signing_key_setting",
        )
    key = keys.keys.get(token.kid)
    if key is None:
        raise UnknownKeyError(token.kid)
    return key


def _is_future(seconds: object, now_ms: int) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds * 1000 > now_ms
