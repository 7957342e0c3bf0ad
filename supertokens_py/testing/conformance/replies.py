"""What came over the wire, taken apart for assertions."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote

Headers: TypeAlias = Sequence[tuple[str, str]]

TOKEN_HEADERS = ("front-token", "st-access-token", "st-refresh-token", "anti-csrf")
TOKEN_COOKIES = ("sAccessToken", "sRefreshToken", "sIdRefreshToken")
EPOCH = "Thu, 01 Jan 1970 00:00:00 GMT"


@dataclass(frozen=True)
class SetCookie:
    """One Set-Cookie line; `raw` is the value as it stands on the wire."""

    name: str
    raw: str
    attributes: dict[str, str]

    @classmethod
    def parse(cls, line: str) -> SetCookie:
        pair, *rest = line.split(";")
        name, _, raw = pair.partition("=")
        parts = (item.strip().partition("=") for item in rest)
        return cls(name, raw, {key.lower(): value for key, _, value in parts})

    @property
    def value(self) -> str:
        return unquote(self.raw)

    @property
    def is_cleared(self) -> bool:
        return self.raw in ("", '""') and self.attributes["expires"] == EPOCH


@dataclass(frozen=True)
class Reply:
    """A response as it went over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def set_cookies(self) -> list[SetCookie]:
        return [SetCookie.parse(line) for line in self.all("set-cookie")]

    def cookie(self, name: str) -> SetCookie:
        found = [cookie for cookie in self.set_cookies if cookie.name == name]
        assert len(found) == 1, f"{name} is set {len(found)} times"
        return found[0]

    @property
    def cookie_names(self) -> list[str]:
        return sorted(cookie.name for cookie in self.set_cookies)

    @property
    def front(self) -> dict[str, Any]:
        text = self.header("front-token")
        assert text is not None
        return json.loads(b64decode(text, validate=True))

    @property
    def exposed(self) -> list[str]:
        line = self.header("access-control-expose-headers")
        return [] if line is None else [name.strip() for name in line.split(",")]

    @property
    def session_parts(self) -> list[str]:
        """The names of every header and cookie of the session protocol in this response."""
        names = [name for name, _ in self.headers if name in TOKEN_HEADERS]
        return sorted(names + [name for name in self.cookie_names if name in TOKEN_COOKIES])

    @property
    def access(self) -> str:
        """The new access token, by whichever way it came."""
        return self.header("st-access-token") or self.cookie("sAccessToken").value

    @property
    def refresh(self) -> str:
        return self.header("st-refresh-token") or self.cookie("sRefreshToken").value

    def assert_cleared(self, *methods: str) -> None:
        """Assert that the tokens of these methods are cleared, and nothing else is delivered."""
        assert self.header("front-token") == "remove"
        assert self.header("anti-csrf") is None
        for name in ("sAccessToken", "sRefreshToken"):
            if "cookie" in methods:
                assert self.cookie(name).is_cleared
            else:
                assert name not in self.cookie_names
        for name in ("st-access-token", "st-refresh-token"):
            assert self.header(name) == ("" if "header" in methods else None)


def cookie_pairs(values: Iterable[tuple[str, str]]) -> str:
    """A Cookie header with these pairs, as they are."""
    return "; ".join(f"{name}={value}" for name, value in values)
