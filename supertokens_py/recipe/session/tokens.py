"""Which access tokens hold, and the memory of those that do. Pure: keys and time come in."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from supertokens_py.tokens.access_token import AccessToken, parse_access_token

from .exceptions import TryRefreshTokenError

if TYPE_CHECKING:
    from supertokens_py.engine.interface import KeySet

CLOCK_SKEW_MS = 60_000  #: how far in the future a token may claim to have been issued


class UnknownKeyError(Exception):
    """The token names a key that the set does not hold; loading the keys again may help."""


class UnknownIssuerError(TryRefreshTokenError):
    """A token that is genuine, but of another app that has the same keys; `issuer` is its `iss`."""

    def __init__(self, issuer: object) -> None:
        self.issuer = issuer
        super().__init__("the access token was issued by another app")


class VerifiedTokens:
    """Access tokens whose signature held, by their text, for one set of keys.

    Two generations of at most half the size each: when the young one is full it becomes the old one,
    and what was not used since is forgotten. Plain dict operations, so threads share it without a lock;
    losing a race costs one verification. The memory belongs to its keys: a thread that still verifies
    with replaced keys remembers into their memory, which nobody reads any more.
    """

    def __init__(self, size: int, issuers: Callable[[], Container[str] | None] = lambda: None) -> None:
        """`issuers` returns which `iss` are accepted, or None for all; only asked for unknown tokens."""
        self._half = size // 2
        self._issuers = issuers
        self._memory = _Memory(None)

    def read(self, text: str) -> AccessToken | None:
        """Return the token if `text` has the form of one, without parsing again what is known."""
        memory = self._memory
        known = memory.young.get(text) or memory.old.get(text)
        return known[0] if known else parse_access_token(text)

    def holds(self, text: str, keys: KeySet, *, now_ms: int) -> bool:
        """Tell whether a token is remembered for these keys and has not expired."""
        memory = self._memory
        known = memory.young.get(text)
        return known is not None and keys is memory.keys and now_ms <= known[1]

    def check(self, token: AccessToken, keys: KeySet, *, now_ms: int, dynamic_key: bool) -> None:
        """Accept a token that is signed with one of `keys` and live at `now_ms`.

        Raises:
            TryRefreshTokenError: it does not hold; the session may.
            UnknownKeyError: its key is not in the set.
        """
        memory = self._memory
        if keys is not memory.keys:
            memory = self._memory = _Memory(keys)
        known = memory.young.get(token.text)
        if known is None and (known := memory.old.get(token.text)):
            self._remember(memory, token, known[1])
        if known is None:
            until_ms = verify(token, keys, now_ms=now_ms, dynamic_key=dynamic_key, issuers=self._issuers())
            self._remember(memory, token, until_ms)
        elif now_ms > known[1]:
            raise TryRefreshTokenError("Access token expired")

    def _remember(self, memory: _Memory, token: AccessToken, until_ms: int) -> None:
        if not self._half:
            return
        if len(memory.young) >= self._half:
            memory.old, memory.young = memory.young, {}
        memory.young[token.text] = (token, until_ms)


class _Memory:
    """What was verified with one set of keys."""

    __slots__ = ("keys", "old", "young")

    def __init__(self, keys: KeySet | None) -> None:
        self.keys = keys
        self.young: dict[str, tuple[AccessToken, int]] = {}
        self.old: dict[str, tuple[AccessToken, int]] = {}


def verify(
    token: AccessToken,
    keys: KeySet,
    *,
    now_ms: int,
    dynamic_key: bool,
    issuers: Container[str] | None = None,
) -> int:
    """Return until when the token holds (Unix ms), after checking everything (protocol: Token checks).

    A token without `iss` is of a release that did not write it; None as `issuers` accepts all.

    Raises:
        UnknownIssuerError: its `iss` is not one of `issuers`.
        TryRefreshTokenError: it does not hold.
        UnknownKeyError: its key is not in the set.
    """
    if token.version < 3:
        raise TryRefreshTokenError("access tokens of this age can only be refreshed")
    if token.expires_ms < now_ms:
        raise TryRefreshTokenError("Access token expired")
    if token.kid.startswith("d-") != dynamic_key:
        raise TryRefreshTokenError(
            "The access token doesn't match the use_dynamic_access_token_signing_key setting"
        )
    key = keys.keys.get(token.kid)
    if key is None:
        raise UnknownKeyError(token.kid)
    until = token.expires_ms if key.usable_until_ms is None else min(token.expires_ms, key.usable_until_ms)
    if until < now_ms or not key.matches(token.text):
        raise TryRefreshTokenError("invalid access token signature")
    not_before = token.payload.get("nbf")
    if token.created_ms > now_ms + CLOCK_SKEW_MS or _is_future(not_before, now_ms):
        raise TryRefreshTokenError("Access token is not valid yet")
    issuer = token.payload.get("iss")
    if not is_issuer_accepted(issuer, issuers):
        raise UnknownIssuerError(issuer)
    return until


def is_issuer_accepted(issuer: object, issuers: Container[str] | None) -> bool:
    """Return whether a payload with this `iss` (None: without) is accepted; None as `issuers` accepts all."""
    return issuers is None or issuer is None or (isinstance(issuer, str) and issuer in issuers)


def _is_future(seconds: object, now_ms: int) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds * 1000 > now_ms
