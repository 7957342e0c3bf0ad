"""Requests without a server: straight into an ASGI or WSGI application, header by header."""

from __future__ import annotations

import asyncio
import io
import json
from base64 import b64decode
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import unquote

T = TypeVar("T")
Headers = Sequence[tuple[str, str]]

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


class AsgiClient:
    """Sends requests into an ASGI application on a loop of its own."""

    is_async = True

    def __init__(self, app: Any) -> None:
        self.app = app
        self._runner = asyncio.Runner()
        self.error: BaseException | None = None  #: what the application let out after its response

    def close(self) -> None:
        self._runner.close()

    def request(
        self, method: str, target: str, headers: Headers, body: bytes = b"", root_path: str = ""
    ) -> Reply:
        return self._runner.run(self.send(method, target, headers, body, root_path))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop of the application."""
        return self._runner.run(work)

    def together(self, requests: Iterable[tuple[str, str, Headers]]) -> list[Reply]:
        async def all_of() -> list[Reply]:
            return await asyncio.gather(*(self.send(*request) for request in requests))

        return self._runner.run(all_of())

    async def send(
        self, method: str, target: str, headers: Headers, body: bytes = b"", root_path: str = ""
    ) -> Reply:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": root_path,
            "headers": [
                (b"host", b"api.example.com"),
                *((name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers),
            ],
            "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 8000),
        }
        sent: list[Any] = []
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if incoming:
                return incoming.pop(0)
            await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        self.error = None
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            if not sent:
                raise
            self.error = error
        start, *rest = sent
        pairs = [
            (name.decode("latin-1").lower(), value.decode("latin-1").strip())
            for name, value in start["headers"]
        ]
        return Reply(start["status"], tuple(pairs), b"".join(part.get("body", b"") for part in rest))


class WsgiClient:
    """Sends requests into a WSGI application."""

    is_async = False

    def __init__(self, app: Any) -> None:
        self.app = app
        self.error: BaseException | None = None

    def close(self) -> None:
        return

    def request(
        self, method: str, target: str, headers: Headers, body: bytes = b"", root_path: str = ""
    ) -> Reply:
        path, _, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": root_path,
            "PATH_INFO": unquote(path).removeprefix(root_path).encode().decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "api.example.com",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "api.example.com",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if body:
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in headers:
            key = name.upper().replace("-", "_")
            key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
            glue = "; " if key == "HTTP_COOKIE" else ","
            environ[key] = f"{environ[key]}{glue}{value}" if key in environ else value
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, pairs: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started.append((status, pairs))
            return lambda data: None

        self.error = None
        chunks = self.app(environ, start_response)
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, pairs = started[-1]
        return Reply(
            int(status.split()[0]), tuple((name.lower(), value.strip()) for name, value in pairs), content
        )

    def together(self, requests: Iterable[tuple[str, str, Headers]]) -> list[Reply]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as threads:
            return list(threads.map(lambda request: self.request(*request), requests))


Client = AsgiClient | WsgiClient


def cookie_pairs(values: Iterable[tuple[str, str]]) -> str:
    """A Cookie header with these pairs, as they are."""
    return "; ".join(f"{name}={value}" for name, value in values)


__all__ = ["EPOCH", "AsgiClient", "Client", "Reply", "SetCookie", "WsgiClient", "cookie_pairs"]
