"""Test clients of frameworks, told by their shape: none is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from inspect import iscoroutinefunction
from typing import Any
from urllib.parse import quote, urlsplit

from .async_clients import AiohttpJar, QuartJar, TornadoJar
from .jars import Cookies, Jar, WithoutContext

_KNOWN = (
    "TestClient of Starlette and FastAPI, Client and AsyncClient of httpx and httpx2, FlaskClient, "
    "QuartClient, Client and AsyncClient of Django, APIClient of Django REST framework, requests of "
    "RequestFactory, TestClient of aiohttp and Litestar, asgi_client of Sanic, AsyncHTTPTestCase of Tornado"
)


class _Httpx(WithoutContext):
    def __init__(self, client: Any) -> None:
        self._client = client

    def set_cookies(self, cookies: Cookies) -> None:
        host = urlsplit(str(self._client.base_url)).hostname or ""
        domain = host if "." in host else f"{host}.local"  # as the jar names a host without a dot
        for name, (value, path) in cookies.items():
            for old in [one for one in self._client.cookies.jar if one.name == name]:
                self._client.cookies.jar.clear(old.domain, old.path, old.name)
            self._client.cookies.set(name, quote(value, safe=""), domain=domain, path=path)

    def set_header(self, name: str, value: str) -> None:
        self._client.headers[name] = value

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
        return self._client.request(method, path, headers=dict(headers), content=body)


class _Flask:
    def __init__(self, client: Any) -> None:
        self._client = client

    def context(self) -> AbstractContextManager[Any]:
        return self._client.application.app_context()

    def set_cookies(self, cookies: Cookies) -> None:
        for name, (value, path) in cookies.items():
            self._client.set_cookie(name, quote(value, safe=""), path=path)

    def set_header(self, name: str, value: str) -> None:
        self._client.environ_base[f"HTTP_{name.upper().replace('-', '_')}"] = value

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
        return self._client.open(path, method=method, headers=dict(headers), data=body)


class _Django(WithoutContext):
    def __init__(self, client: Any) -> None:
        self._client = client

    def set_cookies(self, cookies: Cookies) -> None:
        for name, (value, path) in cookies.items():
            self._client.cookies[name] = quote(value, safe="")
            self._client.cookies[name]["path"] = path

    def set_header(self, name: str, value: str) -> None:
        key = name.upper().replace("-", "_")  # as `headers=` of a request names it, which goes first
        is_async = iscoroutinefunction(self._client.request)
        self._client.defaults[key if is_async else f"HTTP_{key}"] = value

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
        others = dict(headers)
        content_type = others.pop("content-type", "application/octet-stream")
        return self._client.generic(method, path, body, content_type, headers=others)


class _Request(WithoutContext):
    """A request of Django's `RequestFactory`, for a view that a test calls itself."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def set_cookies(self, cookies: Cookies) -> None:
        self._request.COOKIES.update({name: value for name, (value, _) in cookies.items()})
        line = "; ".join(f"{name}={quote(value, safe='')}" for name, (value, _) in cookies.items())
        self._request.META["HTTP_COOKIE"] = line

    def set_header(self, name: str, value: str) -> None:
        self._request.META[f"HTTP_{name.upper().replace('-', '_')}"] = value

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Any:
        raise TypeError("a request of RequestFactory sends nothing: use the Client of Django for that")


_SHAPES: tuple[tuple[frozenset[str], type[Jar]], ...] = (
    (frozenset({"META", "COOKIES"}), _Request),
    (frozenset({"set_cookie", "environ_base", "open"}), _Flask),
    (frozenset({"cookies", "defaults", "generic"}), _Django),
    (frozenset({"set_cookie", "cookie_jar", "open"}), QuartJar),
    (frozenset({"make_url", "session", "request"}), AiohttpJar),
    (frozenset({"fetch", "get_url", "http_client"}), TornadoJar),
    (frozenset({"cookies", "headers", "base_url", "request"}), _Httpx),
)


def jar_of(client: Any) -> Jar:
    """Return how to put a session into a client.

    Raises:
        TypeError: it is none of the known kinds.
    """
    for names, kind in _SHAPES:
        if all(hasattr(client, name) for name in names):
            return kind(client)  # type: ignore[call-arg]
    raise TypeError(f"login_as does not know a {type(client).__name__}. It knows: {_KNOWN}")
