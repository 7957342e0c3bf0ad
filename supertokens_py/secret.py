"""Strings that must not appear where programs print their variables."""

from __future__ import annotations

import secrets
from base64 import b64encode
from typing import SupportsIndex


class SecretText(str):
    """A string whose `repr` is `'***'`, and so are the `repr` of its slices.

    Error trackers, debug pages and tracebacks show the `repr` of the local variables of every frame that
    an exception passed through. Everything else behaves like `str`: where the value is needed (an API
    whose contract says `str`, an HMAC, a header), it is passed as it is.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def __getitem__(self, key: SupportsIndex | slice, /) -> SecretText:
        return SecretText(super().__getitem__(key))


def hidden(text: str) -> str:
    """Return the same string as `SecretText`; anything else, which callers refuse by themselves, as it is."""
    return SecretText(text) if type(text) is str else text


def new_secret() -> str:
    """Return 32 random bytes in base64, as `EngineConfig(encryption_key=…)` takes them."""
    return b64encode(secrets.token_bytes(32)).decode()
