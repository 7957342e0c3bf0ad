"""The cookie that only the device of a session can have renewed, and that dies within minutes. Pure.

It says until when it is valid; a MAC ties it to one session and to one key. It is never the same twice:
browsers take a cookie that does not change for a refusal.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from supertokens_py.tokens.encoding import encode_base64
from supertokens_py.types.numbers import whole_number

#: What the key of the MAC is derived for.
PURPOSE: Final = "device cookie"
_VERSION = "v1"
_LONGEST = 200


def bound_cookie(secret: bytes, handle: str, thumbprint: str, *, expires_ms: int, nonce: str) -> str:
    """Return a new value; `nonce` is any text without a dot that has not been used before."""
    head = f"{_VERSION}.{expires_ms}.{nonce}"
    return f"{head}.{_mac(secret, head, handle, thumbprint)}"


def unexpired(values: Sequence[str], *, now_ms: int) -> list[str]:
    """Return the values that are well-formed and say that they are valid at a time; anybody can make one."""
    return [value for value in values if expiry_of(value) > now_ms]


def expiry_of(value: str) -> int:
    """Return when a value says that it expires, in ms; 0 for one that is not well-formed."""
    parts = value.split(".", 3) if len(value) <= _LONGEST and value.isascii() else ()
    return (whole_number(parts[1]) or 0) if len(parts) == 4 and parts[0] == _VERSION else 0


def is_genuine(value: str, secrets: Sequence[bytes], handle: str, thumbprint: str) -> bool:
    """Return whether a value that is well-formed was made for a session and its key."""
    head, _, mac = value.rpartition(".")
    return any(hmac.compare_digest(_mac(secret, head, handle, thumbprint), mac) for secret in secrets)


class KnownCookies:
    """A memory of the bound cookies that were found genuine: a browser sends each for ten minutes.

    One for each session, in two generations of at most half the size each, as with verified access tokens.
    """

    def __init__(self, size: int) -> None:
        self._half = size // 2
        self._young: dict[str, tuple[str, object, int]] = {}
        self._old: dict[str, tuple[str, object, int]] = {}

    def value_of(self, handle: str, claim: object, *, now_ms: int) -> str | None:
        """Return the value that is known for a session and the key in its claim, unless it has expired."""
        known = self._young.get(handle)
        if known is None:
            known = self._old.get(handle)
            if known is None:
                return None
            self._remember(handle, known)
        return known[0] if now_ms < known[2] and claim == known[1] else None

    def add(self, value: str, handle: str, claim: object) -> None:
        """Remember a value that is genuine."""
        self._remember(handle, (value, claim, expiry_of(value)))

    def _remember(self, handle: str, known: tuple[str, object, int]) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[handle] = known


def _mac(secret: bytes, head: str, handle: str, thumbprint: str) -> str:
    return encode_base64(hmac.digest(secret, f"{head}.{thumbprint}.{handle}".encode(), "sha256"))
