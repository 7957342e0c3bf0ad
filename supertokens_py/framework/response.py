"""The neutral response, and the changes that a request owes to whatever response it gets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from .cookies import Cookie, SameSite

EXPOSE_HEADER = "Access-Control-Expose-Headers"
CACHE_HEADER = "Cache-Control"
NO_STORE = "no-store"


class Changes:
    """Headers and cookies that the SDK owes to the response of one request.

    Later writes win over earlier ones of the same header or the same cookie (name, domain, path), so
    the order in which the core decides is the order that counts (protocol: Order of changes).
    """

    __slots__ = ("cookies", "exposed", "headers")

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.cookies: dict[tuple[str, str | None, str], Cookie] = {}
        self.exposed: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self.headers or self.cookies)

    def set_header(self, name: str, value: str) -> None:
        """Owe a header, and let cross-origin scripts read it."""
        self.headers[name] = value
        self.exposed[name] = None

    def remove_header(self, name: str) -> None:
        """Owe it no longer."""
        self.headers.pop(name, None)

    def set_cookie(self, cookie: Cookie) -> None:
        """Owe a cookie; an earlier one of the same key is replaced and moves to the end."""
        self.cookies.pop(cookie.key, None)
        self.cookies[cookie.key] = cookie

    def adopt(self, response: BaseResponse) -> None:
        """Owe the headers and cookies of a response that the application wrote to."""
        for name, value in response.headers.values():
            self.headers[name] = value
        for cookie in response.cookies.values():
            self.set_cookie(cookie)

    def apply_to(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return a response's headers with what is owed: ours replaced, cookies added, one expose line."""
        replaced = {name.lower() for name in self.headers}
        exposed = EXPOSE_HEADER.lower()
        kept: list[tuple[str, str]] = []
        already: list[str] = []
        for name, value in headers:
            lower = name.lower()
            if lower == exposed:
                already.append(value)
            elif lower not in replaced:
                kept.append((name, value))
        kept += self.headers.items()
        if self.must_not_be_stored(value for name, value in kept if name.lower() == CACHE_HEADER.lower()):
            kept = [(name, value) for name, value in kept if name.lower() != CACHE_HEADER.lower()]
            kept.append((CACHE_HEADER, NO_STORE))
        kept += [("Set-Cookie", cookie.header()) for cookie in self.cookies.values()]
        line = self.expose_header(already) or ", ".join(already)
        return [*kept, (EXPOSE_HEADER, line)] if line else kept

    def must_not_be_stored(self, cache_control: Iterable[str]) -> bool:
        """Tell whether tokens are owed to a response whose Cache-Control lines would let others have them.

        A view does not know on which of its responses tokens travel: one that allows shared caches
        loses that permission for this response, or a cache would hand one user's session to the next.
        """
        if not self.exposed:
            return False
        directives = {part.strip().lower() for line in cache_control for part in line.split(",")}
        return directives.isdisjoint((NO_STORE, "private"))

    def expose_header(self, already: Iterable[str]) -> str | None:
        """Return the one Access-Control-Expose-Headers line that also holds what the response has already."""
        if not self.exposed:
            return None
        names = [name.strip() for line in already for name in line.split(",") if name.strip()]
        known = {name.lower() for name in names}
        names += [name for name in self.exposed if name.lower() not in known]
        return ", ".join(names)


class BaseResponse:
    """A response that the SDK or one of its hooks builds; adapters turn it into their framework's own.

    The first write of the body and of the status wins, so an override can answer before the SDK does.
    """

    wrapper_used = True

    def __init__(self, content: Mapping[str, Any] | None = None, status_code: int = 200) -> None:
        self.body: bytes = _json_bytes(content) if content is not None else b""
        self.content_type: str = "application/json; charset=utf-8"
        self.status_code: int = status_code
        self.response_sent: bool = False
        self.status_set: bool = False
        self.headers: dict[str, tuple[str, str]] = {}  # lower-case name -> (name, value)
        self.cookies: dict[tuple[str, str | None, str], Cookie] = {}

    @property
    def original(self) -> BaseResponse:
        """This response; kept for code that reaches for the wrapped one."""
        return self

    response = original

    def set_status_code(self, status_code: int) -> None:
        """Set the status unless it was set before."""
        if not self.status_set:
            self.status_code = status_code
            self.status_set = True

    def set_json_content(self, content: Mapping[str, Any]) -> None:
        """Set the body unless it was set before.

        Raises:
            ValueError: `content` has no JSON form.
        """
        if not self.response_sent:
            self.body = _json_bytes(content)
            self.content_type = "application/json; charset=utf-8"
            self.response_sent = True

    def set_html_content(self, content: str) -> None:
        """Set the body unless it was set before."""
        if not self.response_sent:
            self.body = content.encode()
            self.content_type = "text/html; charset=utf-8"
            self.response_sent = True

    def redirect(self, url: str) -> BaseResponse:
        """Answer with 302 to `url`."""
        self.set_header("Location", url)
        self.set_status_code(302)
        return self

    def get_header(self, key: str) -> str | None:
        """Return a header's value, or None."""
        found = self.headers.get(key.lower())
        return found[1] if found else None

    def set_header(self, key: str, value: str) -> None:
        """Set a header.

        Raises:
            ValueError: name or value would break out of its line.
        """
        _refuse(f"header {key!r}", key + value, "\r\n\0")
        self.headers[key.lower()] = (key, value)

    def remove_header(self, key: str) -> None:
        """Remove a header if it is there."""
        self.headers.pop(key.lower(), None)

    def set_cookie(
        self,
        key: str,
        value: str,
        expires: int,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite = "lax",
    ) -> None:
        """Set a cookie that expires at `expires` (Unix ms); its value is percent-encoded.

        Raises:
            ValueError: name, path or domain would break out of its place.
        """
        _refuse(f"the name of cookie {key!r}", key, "\r\n\0;=")
        _refuse(f"path and domain of cookie {key!r}", path + (domain or ""), "\r\n\0;")
        cookie = Cookie(key, value, expires, path, domain, secure, httponly, samesite)
        self.cookies.pop(cookie.key, None)
        self.cookies[cookie.key] = cookie

    def header_list(self) -> list[tuple[str, str]]:
        """Return every header but the session's own, Content-Type first, one Set-Cookie per cookie."""
        listed = list(self.headers.values())
        if "content-type" not in self.headers:
            listed.insert(0, ("Content-Type", self.content_type))
        return listed + [("Set-Cookie", cookie.header()) for cookie in self.cookies.values()]


def _refuse(what: str, text: str, characters: str) -> None:
    if any(character in text for character in characters):
        kinds = "line breaks" if characters == "\r\n\0" else "line breaks, ';' or '='"
        raise ValueError(f"{what} may not contain {kinds}")


def _json_bytes(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")
