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
    """A cookie to set, with its value in clear.

    `expires_ms` 0 deletes it; None leaves out `Expires` and `Max-Age`, so that it ends with the browser.
    """

    name: str
    value: str = field(repr=False)
    expires_ms: int | None
    path: str = "/"
    domain: str | None = None
    secure: bool = True
    http_only: bool = True
    same_site: SameSite = "lax"
    lifetime_ms: int | None = None  #: for `Max-Age`, which clients prefer to `Expires`; None leaves it out

    @property
    def max_age(self) -> int | None:
        """The lifetime (s, rounded up). It does not depend on the client's clock being right."""
        if self.expires_ms == 0:
            return 0
        if self.lifetime_ms is None or self.expires_ms is None:
            return None
        return max(0, -(-self.lifetime_ms // 1000))

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What identifies a cookie to browsers."""
        return self.name, self.domain, self.path

    @property
    def coded_value(self) -> str:
        """The value on the wire: everything but A-Z a-z 0-9 - _ . ~ percent-encoded."""
        return quote(self.value, safe="")

    @property
    def expires(self) -> str | None:
        """The expiry as an HTTP date (always GMT, rounded up to the second); None: with the browser."""
        return None if self.expires_ms is None else formatdate(-(-self.expires_ms // 1000), usegmt=True)

    def header(self) -> str:
        """Return the value of the Set-Cookie header."""
        parts = [f"{self.name}={self.coded_value}", f"Path={self.path}"]
        if self.domain:
            parts.append(f"Domain={self.domain}")
        if (expires := self.expires) is not None:
            parts.append(f"Expires={expires}")
        if (max_age := self.max_age) is not None:
            parts.append(f"Max-Age={max_age}")
        if self.http_only:
            parts.append("HttpOnly")
        if self.secure:
            parts.append("Secure")
        parts.append(f"SameSite={self.same_site.capitalize()}")
        return "; ".join(parts)


class SentCookies:
    """The cookies of one request: a Cookie header, of which no more is parsed than is asked for."""

    __slots__ = ("_header", "_parsed")

    def __init__(self, header: str) -> None:
        self._header = header
        self._parsed: Mapping[str, list[str]] | None = None

    def values(self, key: str) -> list[str]:
        """Return every value sent under a name, decoded, in order."""
        header = self._header
        if "%" not in header:  # names may be encoded
            before, name, after = header.partition(key)
            if not name:
                return []
            # Nearly always it is there once, as a whole name; everything else is left to the parser.
            if after[:1] == "=" and key not in after and (not before or before.endswith("; ")):
                value = after[1:].partition(";")[0].strip()
                return [decode_cookie_value(value) if value.startswith('"') else value]
        if self._parsed is None:
            self._parsed = parse_cookie_header(header)
        found = self._parsed.get(key)
        return [decode_cookie_value(raw) for raw in found] if found else []

    def has(self, key: str, raw: str) -> bool:
        """Return whether there is a name with just this value, which needs no encoding.

        False does not mean that there is none: `values` knows more ways to write it.
        """
        pair = f"{key}={raw}"
        return f"{pair};" in self._header or self._header.endswith(pair)


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
