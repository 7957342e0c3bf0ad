"""Strings and bytes whose `repr` is masked, so that tracebacks and error trackers do not show them."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, SupportsIndex, TypeVar

_T = TypeVar("_T")


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


class SecretBytes(bytes):
    """Bytes whose `repr` is `b'***'`; otherwise like `bytes`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'***'"


class SecretDict(dict[str, Any]):
    """A JSON object whose `repr` shows nothing, such as a form; otherwise like `dict`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "{***}"


class SecretEnviron(Mapping[str, str]):
    """Environment variables whose `repr` shows nothing: any of them may be a secret, of anybody."""

    __slots__ = ("_environ",)

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def __repr__(self) -> str:
        return "{***}"

    def __getitem__(self, name: str) -> str:
        return self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def masked(text: _T) -> _T:
    """Return the same string as `SecretText`; anything else, which callers refuse by themselves, as it is."""
    return SecretText(text) if type(text) is str else text  # type: ignore[return-value]


def new_secret() -> str:
    """Return 32 random bytes in base64, as `EngineConfig(encryption_key=…)` takes them."""
    return b64encode(secrets.token_bytes(32)).decode()
