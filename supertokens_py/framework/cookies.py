"""Cookie headers, read leniently and written strictly (protocol: Cookies, Reading cookies)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote

SameSite: TypeAlias = Literal["lax", "strict", "none"]


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set, with its value in clear; `expires_ms` 0 deletes it."""

    name: str
    value: str = field(repr=False)
    expires_ms: int
    path: str = "/"
    domain: str | None = None
    secure: bool = True
    http_only: bool = True
    same_site: SameSite = "lax"
    lifetime_ms: int | None = None  #: the same, counted from now by the client's clock; None: not said

    @property
    def max_age(self) -> int | None:
        """The lifetime (s, rounded up). Clients prefer it: a wrong clock of theirs does not count."""
        if self.expires_ms == 0:
            return 0
        return None if self.lifetime_ms is None else max(0, -(-self.lifetime_ms // 1000))

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What identifies a cookie to browsers."""
        return self.name, self.domain, self.path

    @property
    def coded_value(self) -> str:
        """The value on the wire: everything but A-Z a-z 0-9 - _ . ~ percent-encoded."""
        return quote(self.value, safe="")

    @property
    def expires(self) -> str:
        """The expiry as an HTTP date (always GMT, rounded up to the second)."""
        return formatdate(-(-self.expires_ms // 1000), usegmt=True)

    def header(self) -> str:
        """Return the value of the Set-Cookie header."""
        parts = [f"{self.name}={self.coded_value}", f"Path={self.path}"]
        if self.domain:
            parts.append(f"Domain={self.domain}")
        parts.append(f"Expires={self.expires}")
        if self.max_age is not None:
            parts.append(f"Max-Age={self.max_age}")
        if self.http_only:
            parts.append("HttpOnly")
        if self.secure:
            parts.append("Secure")
        parts.append(f"SameSite={self.same_site.capitalize()}")
        return "; ".join(parts)


def plain_cookie_values(line: str, key: str) -> list[str] | None:
    """Return what `parse_cookie_header` finds under a name that occurs once at most, and parse nothing else.

    None leaves everything out of the ordinary to the parser.
    """
    before, name, after = line.partition(key + "=")
    if not name or key in before or key in after or (before and not before.endswith("; ")):
        return None if key in line else []
    value = after.partition(";")[0].strip()
    return [decode_cookie_value(value) if value.startswith('"') else value]


def parse_cookie_header(header: str) -> Mapping[str, list[str]]:
    """Return every value of every name, in order and still encoded; nothing is refused."""
    values: dict[str, list[str]] = {}
    for pair in header.split(";"):
        name, separator, value = pair.partition("=")
        if separator:
            name = name.strip()
            values.setdefault(unquote(name) if "%" in name else name, []).append(value.strip())
    return values


def decode_cookie_value(raw: str) -> str:
    """Undo quoting and percent-encoding; "+" stays, and what does not decode stays as it is."""
    if len(raw) >= 2 and raw[0] == raw[-1] == '"':
        raw = raw[1:-1]
    if "%" not in raw:
        return raw
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return raw
