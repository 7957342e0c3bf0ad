"""Test clients of Quart and aiohttp, and the test case of Tornado: none is imported here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.cookies import SimpleCookie
from typing import Any, Final
from urllib.parse import quote

from .answers import cookies_of
from .jars import Cookies, WithoutContext

#: Where a client keeps what each of its requests sends.
_SENT: Final = "_supertokens_sent"
_HOST: Final = "localhost"


class AiohttpJar(WithoutContext):
    """`TestClient` of aiohttp: its session has a jar, and headers that it sends with every request."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def set_cookies(self, cookies: Cookies) -> None:
        """Put cookies into the jar of the session, in the place of those of the same name."""
        jar = self._client.session.cookie_jar

        def is_replaced(one: Any) -> bool:
            return one.key in cookies

        jar.clear(is_replaced)
        found = SimpleCookie()
        for name, (value, path) in cookies.items():
            found[name] = quote(value, safe="")
            found[name]["path"] = path
        jar.update_cookies(found, self._client.make_url("/"))

    def set_header(self, name: str, value: str) -> None:
        """Have every request send a header."""
        self._client.session.headers[name] = value

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
        """Return the response, to be awaited."""
        return self._client.request(method, path, headers=dict(headers), data=body)


class QuartJar(WithoutContext):
    """`QuartClient`: its jar sends every cookie to every path; headers are put before its requests."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def set_cookies(self, cookies: Cookies) -> None:
        """Put cookies into the jar, in the place of those of the same name."""
        jar = self._client.cookie_jar
        for one in [one for one in jar if one.name in cookies]:
            jar.clear(one.domain, one.path, one.name)
        for name, (value, path) in cookies.items():
            self._client.set_cookie(_HOST, name, quote(value, safe=""), path=path)

    def set_header(self, name: str, value: str) -> None:
        """Have every request send a header."""
        _sent_by(self._client, "open")[name] = value

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
        """Return the response, to be awaited."""
        return self._client.open(path, method=method, headers=dict(headers), data=body)


class TornadoJar(WithoutContext):
    """`AsyncHTTPTestCase` of Tornado, which keeps no cookies: `fetch` gets them here."""

    def __init__(self, case: Any) -> None:
        self._case = case

    def set_cookies(self, cookies: Cookies) -> None:
        """Have `fetch` send cookies to the paths that they are for."""
        _kept_by(self._case).update(cookies)

    def set_header(self, name: str, value: str) -> None:
        """Have `fetch` send a header."""
        _sent_by(self._case, "fetch")[name] = value

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
        """Return the response."""
        return self._case.fetch(path, method=method, headers=dict(headers), body=body)


def _sent_by(client: Any, name: str) -> dict[str, str]:
    """Return the headers that a method of a client sends from now on, beside those that it is given."""
    known: dict[str, str] | None = getattr(client, _SENT, None)
    if known is not None:
        return known
    sent: dict[str, str] = {}
    send: Callable[..., Any] = getattr(client, name)

    def with_headers(*args: Any, headers: Any = None, **kwargs: Any) -> Any:
        return send(*args, headers={**sent, **dict(headers or {})}, **kwargs)

    setattr(client, _SENT, sent)
    setattr(client, name, with_headers)
    return sent


def _kept_by(case: Any) -> dict[str, tuple[str, str]]:
    """Return the cookies that the `fetch` of a test case sends from now on, and keeps of responses."""
    known: dict[str, tuple[str, str]] | None = getattr(case, "_supertokens_kept", None)
    if known is not None:
        return known
    kept: dict[str, tuple[str, str]] = {}
    send: Callable[..., Any] = case.fetch

    def with_cookies(path: str, *args: Any, headers: Any = None, **kwargs: Any) -> Any:
        own = [
            f"{name}={quote(value, safe='')}"
            for name, (value, below) in kept.items()
            if path.startswith(below)
        ]
        given = dict(headers or {})
        if own:
            given["Cookie"] = "; ".join([*own, *([given["Cookie"]] if "Cookie" in given else [])])
        response = send(path, *args, headers=given, **kwargs)
        for name, value in cookies_of(response).items():
            if value and name in kept:
                kept[name] = value, kept[name][1]
            elif not value:
                kept.pop(name, None)
        return response

    case._supertokens_kept = kept
    case.fetch = with_cookies
    return kept
