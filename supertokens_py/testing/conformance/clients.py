"""Requests without a server: straight into an ASGI or WSGI application, header by header."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import unquote

from .driver import Handshake
from .replies import Headers, Reply

T = TypeVar("T")
HOST = "api.example.com"


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

    def handshake(self, target: str, headers: Headers) -> Handshake:
        """Open a WebSocket; see `Client`."""
        return self._runner.run(self._shake(target, headers))

    async def _shake(self, target: str, headers: Headers) -> Handshake:
        extensions = {"websocket.http.response": dict[str, Any]()}
        more: dict[str, Any] = {"scheme": "wss", "subprotocols": [], "extensions": extensions}
        scope = {**_scope("websocket", target, headers, ""), **more}
        sent: list[Any] = []
        incoming = [{"type": "websocket.connect"}]

        async def receive() -> Any:
            return incoming.pop(0) if incoming else {"type": "websocket.disconnect", "code": 1000}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        found = {message["type"]: message for message in sent}
        text = found.get("websocket.send", {})
        return Handshake(
            "websocket.accept" in found,
            text.get("text"),
            found.get("websocket.http.response.start", {}).get("status"),
            found.get("websocket.close", {}).get("code"),
        )

    def together(self, requests: Iterable[tuple[str, str, Headers]]) -> list[Reply]:
        """Send requests at the same time."""

        async def all_of() -> list[Reply]:
            return await asyncio.gather(*(self.send(*request) for request in requests))

        return self._runner.run(all_of())

    async def send(
        self, method: str, target: str, headers: Headers, body: bytes = b"", root_path: str = ""
    ) -> Reply:
        scope = {**_scope("http", target, headers, root_path), "method": method, "scheme": "https"}
        sent: list[Any] = []
        complete = asyncio.Event()
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if incoming:
                return incoming.pop(0)
            await complete.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                complete.set()

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


def _scope(kind: str, target: str, headers: Headers, root_path: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    own_host = [] if any(name == "host" for name, _ in headers) else [("host", HOST)]
    lines = [*own_host, *headers]
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": root_path,
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in lines],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8000),
    }


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
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_NAME": "api.example.com",
            "SERVER_PORT": "443",
            "SERVER_PROTOCOL": "HTTP/1.1",
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
        environ.setdefault("HTTP_HOST", "api.example.com")
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, pairs: list[tuple[str, str]], exc_info: Any = None) -> Any:
            started.append((status, pairs))
            return io.BytesIO().write

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

    def _sent(self, request: tuple[str, str, Headers]) -> Reply:
        return self.request(*request)

    def handshake(self, target: str, headers: Headers) -> Handshake:
        """Refuse: WSGI knows no WebSockets."""
        raise NotImplementedError

    def together(self, requests: Iterable[tuple[str, str, Headers]]) -> list[Reply]:
        """Send requests at the same time."""
        with ThreadPoolExecutor(8) as threads:
            return list(threads.map(self._sent, requests))
