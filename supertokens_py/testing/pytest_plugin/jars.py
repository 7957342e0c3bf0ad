"""What a session is put into: the test client of a framework, or its only request."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol, TypeAlias

#: Cookies by name: value and path.
Cookies: TypeAlias = Mapping[str, tuple[str, str]]

#: How tokens travel.
Mode: TypeAlias = Literal["cookie", "header"]


class Jar(Protocol):
    """A client that a session can be put into."""

    def set_cookies(self, cookies: Cookies) -> None: ...

    def set_header(self, name: str, value: str) -> None: ...

    def context(self) -> AbstractContextManager[Any]: ...

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Any: ...


class WithoutContext:
    """Has nothing around what runs for a client."""

    def context(self) -> AbstractContextManager[Any]:
        """Return what overrides and claims of the application have around them in a request."""
        return nullcontext()
