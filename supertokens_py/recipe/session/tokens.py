"""Which access tokens hold, and the memory of those that do. Pure: keys and time come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supertokens_py.access_token import AccessToken, parse_access_token, signature_matches

from .exceptions import TryRefreshTokenError

if TYPE_CHECKING:
    from supertokens_py.engine.interface import KeySet

CLOCK_SKEW_MS = 60_000  #: how far in the future a token may claim to have been issued


class UnknownKeyError(Exception):
    """The token names a key that the set does not hold; loading the keys again may help."""


class VerifiedTokens:
    """Access tokens whose signature held, by their text, for one set of keys.

    Two generations of at most half the size each: when the young one is full it becomes the old one,
    and what was not used since is forgotten. Plain dict operations, so threads share it without a lock;
    losing a race costs one verification.
    """

    def __init__(self, size: int) -> None:
        self._half = size // 2
        self._keys: KeySet | None = None
        self._young: dict[str, tuple[AccessToken, int]] = {}
        self._old: dict[str, tuple[AccessToken, int]] = {}

    def read(self, text: str) -> AccessToken | None:
        """Return the token if `text` has the form of one, without parsing again what is known."""
        known = self._young.get(text) or self._old.get(text)
        return known[0] if known else parse_access_token(text)

    def check(self, token: AccessToken, keys: KeySet, *, now_ms: int, dynamic_key: bool) -> None:
        """Accept a token that is signed with one of `keys` and live at `now_ms`.

        Raises:
            TryRefreshTokenError: it does not hold; the session may.
            UnknownKeyError: its key is not in the set.
        """
        if keys is not self._keys:
            self._keys, self._young, self._old = keys, {}, {}
        known = self._young.get(token.text)
        if known is None and (known := self._old.get(token.text)):
            self._remember(token, known[1])
        if known is None:
            self._remember(token, verify(token, keys, now_ms=now_ms, dynamic_key=dynamic_key))
        elif now_ms > known[1]:
            raise TryRefreshTokenError("Access token expired")

    def _remember(self, token: AccessToken, until_ms: int) -> None:
        if not self._half:
            return
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[token.text] = (token, until_ms)


def verify(token: AccessToken, keys: KeySet, *, now_ms: int, dynamic_key: bool) -> int:
    """Return until when the token holds (Unix ms), after checking everything (frontend-protocol 6.2, 6.4).

    Raises:
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
    if until < now_ms or not signature_matches(token.text, key.public_key):
        raise TryRefreshTokenError("invalid access token signature")
    not_before = token.payload.get("nbf")
    if token.created_ms > now_ms + CLOCK_SKEW_MS or _is_future(not_before, now_ms):
        raise TryRefreshTokenError("Access token is not valid yet")
    return until


def _is_future(seconds: object, now_ms: int) -> bool:
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds * 1000 > now_ms
