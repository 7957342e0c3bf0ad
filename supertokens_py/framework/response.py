"""The neutral response, and the headers and cookies to add to any other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from .cookies import Cookie, SameSite

EXPOSE_HEADER = "Access-Control-Expose-Headers"
CACHE_HEADER = "Cache-Control"
VARY_HEADER = "Vary"
NO_STORE = "no-store"
CLEARED = ("", "remove")  #: what a token header says to make the client drop its token
PRIVATE = "private"
#: Keeps a response out of every cache: some look for one of the two words only.
UNCACHED: Final = f"{PRIVATE}, {NO_STORE}"

#: What a view may add to `private, no-store`. The rest would allow what that forbids; `must-understand` lets
#: caches ignore `no-store` (RFC 9111, 5.2.2.3).
_STRICT = ("no-cache", "must-revalidate", "proxy-revalidate", "no-transform")

#: What headers that some caches obey in place of Cache-Control have to say to keep a response out of them.
_NEVER_STORED: Final = {
    "expires": "0",
    "x-accel-expires": "0",
    "surrogate-control": NO_STORE,
    "edge-control": NO_STORE,
}

#: The request headers that a session can come in: a response that depends on one depends on them.
VARIES_WITH = ("Cookie", "Authorization")

#: Lower-case names of the headers that are lists, to which the SDK adds instead of replacing them.
MERGED: Final = frozenset(name.lower() for name in (EXPOSE_HEADER, CACHE_HEADER, VARY_HEADER))


@lru_cache(maxsize=256)
def varying(line: str) -> str:
    """Return a Vary header that also names the headers that a session comes in; `*` covers them."""
    names = [name.strip() for name in line.split(",") if name.strip()]
    known = {name.lower() for name in names}
    if "*" in known:
        return line
    return ", ".join([*names, *(name for name in VARIES_WITH if name.lower() not in known)])


def never_stored(name: str) -> str | None:
    """Return what a response header must say where tokens travel; None where caches do not look at it.

    Besides those known by name these are the targeted ones of RFC 9213, as `CDN-Cache-Control`.
    """
    lower = name.lower()
    if lower.endswith("cache-control") and len(lower) > len(CACHE_HEADER):
        return NO_STORE
    return _NEVER_STORED.get(lower)


_BREAKS: Final = "\r\n\0"  # what ends a line
_PERSONAL_LINES: Final = [(VARY_HEADER, varying("")), (CACHE_HEADER, PRIVATE)]


class Changes:
    """Headers and cookies to add to the response of one request.

    Later writes win over earlier ones of the same header or the same cookie (name, domain, path), so
    the order in which the core decides is the order that counts (protocol: Order of changes).
    """

    __slots__ = ("cookies", "exposed", "headers", "personal")

    def __init__(self, *, personal: bool = False) -> None:
        #: a session was looked for, so another visitor may get another response at the same URL
        self.personal: bool = personal
        self.headers: dict[str, str] = {}
        self.cookies: dict[tuple[str, str | None, str], Cookie] = {}
        self.exposed: dict[str, None] = {}

    def __bool__(self) -> bool:
        return bool(self.personal or self.headers or self.cookies)

    def set_header(self, name: str, value: str) -> None:
        """Add a header, and let cross-origin scripts read it."""
        self.headers[name] = value
        self.exposed[name] = None

    def remove_header(self, name: str) -> None:
        """Leave a header out again."""
        self.headers.pop(name, None)

    def set_cookie(self, cookie: Cookie) -> None:
        """Add a cookie; an earlier one of the same key is replaced and moves to the end."""
        place = cookie.key
        self.cookies.pop(place, None)
        self.cookies[place] = cookie

    def size(self) -> int:
        """Return how many bytes these headers and cookies take on the wire."""
        lines = [
            *self.headers.items(),
            *(("Set-Cookie", cookie.header()) for cookie in self.cookies.values()),
        ]
        return sum(len(name) + len(value) + len(": \r\n") for name, value in lines)

    def copy(self) -> Changes:
        """Return changes of their own with the same content."""
        made = Changes(personal=self.personal)
        made.headers, made.cookies, made.exposed = {**self.headers}, {**self.cookies}, {**self.exposed}
        return made

    def withhold(self) -> None:
        """Drop every new token; what clears tokens of the client stays."""
        for name in [name for name in self.exposed if self.headers.get(name) not in CLEARED]:
            del self.exposed[name]
            self.remove_header(name)
        self.cookies = {key: cookie for key, cookie in self.cookies.items() if not cookie.value}

    def adopt(self, response: BaseResponse) -> None:
        """Add the headers and cookies of a response that the application wrote to."""
        for name, value in response.headers.values():
            self.headers[name] = value
        for cookie in response.cookies.values():
            self.set_cookie(cookie)

    def apply_to(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Return a response's headers with these changes: ours replaced, cookies added, lists merged."""
        replaced = {name.lower() for name in self.headers}
        kept: list[tuple[str, str]] = []
        present: dict[str, str] = {}
        others = (line for line in headers if line[0].lower() not in replaced)
        for name, value in chain(others, self.headers.items()):
            lower = name.lower()
            if lower in MERGED:
                present[lower] = f"{present[lower]}, {value}" if lower in present else value
            else:
                kept.append((name, self.checked(name, value)))
        kept += [("Set-Cookie", cookie.header()) for cookie in self.cookies.values()]
        return kept + self.merged(present)

    def checked(self, name: str, value: str) -> str:
        """Return the value of a response's header: another one where it lets a cache keep tokens."""
        safe = never_stored(name) if self.exposed else None
        return value if safe is None else safe

    def merged(self, present: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the Vary, Cache-Control and expose headers of a response, for which there is one line each.

        Args:
            present: what the response has of them already, by lower-case name.
        """
        if not present and not self.exposed:  # most responses
            return _PERSONAL_LINES if self.personal else []
        vary = present.get(VARY_HEADER.lower(), "")
        cache = present.get(CACHE_HEADER.lower())
        exposed = present.get(EXPOSE_HEADER.lower(), "")
        lines = [
            (VARY_HEADER, varying(vary) if self.personal or self.exposed else vary),
            (CACHE_HEADER, self._cache_control(cache)),
            (EXPOSE_HEADER, self._expose(exposed) if self.exposed else exposed),
        ]
        return [(name, value) for name, value in lines if value or name.lower() in present]

    def _cache_control(self, present: str | None) -> str:
        """Return what caches may do with a response.

        A view does not know on which of its responses tokens travel: what it allows caches is withdrawn for
        this one, or a cache would hand one user's session to the next. Without tokens the view has the last
        word; where it said nothing, the response is its visitor's own.
        """
        if self.exposed:
            given = dict.fromkeys(part.strip().lower() for part in (present or "").split(","))
            return ", ".join([UNCACHED, *(part for part in given if part in _STRICT)])
        return PRIVATE if self.personal and present is None else present or ""

    def _expose(self, present: str) -> str:
        names = [name.strip() for name in present.split(",") if name.strip()]
        known = {name.lower() for name in names}
        return ", ".join([*names, *(name for name in self.exposed if name.lower() not in known)])


#: The changes of most requests: a session was only read. Shared, so nothing writes to it.
PERSONAL: Final = Changes(personal=True)


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
        _refuse(f"header {key!r}", key + value, _BREAKS, "line breaks")
        self.headers[key.lower()] = (key, value)

    def remove_header(self, key: str) -> None:
        """Remove a header if it is there."""
        self.headers.pop(key.lower(), None)

    def forbid_caching(self) -> None:
        """Keep every cache from storing this response."""
        self.set_header(CACHE_HEADER, UNCACHED)

    def set_cookie(
        self,
        key: str,
        value: str,
        expires: int | None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: SameSite = "lax",
    ) -> None:
        """Set a cookie that expires at `expires` (Unix ms; None: with the browser); it is percent-encoded.

        Raises:
            ValueError: name, path or domain would break out of its place.
        """
        _refuse(f"the name of cookie {key!r}", key, f"{_BREAKS};=", "line breaks, ';' or '='")
        attributes = path + (domain or "")
        _refuse(f"path and domain of cookie {key!r}", attributes, f"{_BREAKS};", "line breaks or ';'")
        cookie = Cookie(key, value, expires, path, domain, secure, httponly, samesite)
        place = cookie.key
        self.cookies.pop(place, None)
        self.cookies[place] = cookie

    def header_list(self) -> list[tuple[str, str]]:
        """Return every header but the session's own, Content-Type first, one Set-Cookie per cookie."""
        listed = list(self.headers.values())
        if "content-type" not in self.headers:
            listed.insert(0, ("Content-Type", self.content_type))
        return listed + [("Set-Cookie", cookie.header()) for cookie in self.cookies.values()]


def uncached(answer: BaseResponse) -> BaseResponse:
    """Return an answer of the SDK that no cache keeps, unless an API or a hook has said otherwise."""
    if answer.get_header(CACHE_HEADER) is None:
        answer.forbid_caching()
    return answer


def _refuse(what: str, text: str, characters: str, named: str) -> None:
    if any(character in text for character in characters):
        raise ValueError(f"{what} may not contain {named}")


def _json_bytes(content: Mapping[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")
