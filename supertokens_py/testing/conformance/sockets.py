"""Requests over a socket, to frameworks with servers of their own."""

from __future__ import annotations

import asyncio
import io
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from http.client import HTTPResponse
from typing import cast

from .driver import Handshake
from .replies import Headers, Reply

Serve = Callable[[socket.socket], AbstractAsyncContextManager[object]]

HOST = "api.example.com"
HANDSHAKE: Headers = (
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
)
TEXT, CLOSE = 1, 8


class SocketClient:
    """Sends requests to a server that runs on an event loop of the client's own.

    Args:
        serve: makes an async context manager that serves the application on a listening socket.
    """

    is_async = True

    def __init__(self, serve: Serve) -> None:
        self.error: BaseException | None = None  #: what the application let out; a server tells nobody
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        try:
            self._runner.run(self._stack.enter_async_context(serve(self._listener)))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop the server; it may have been stopped before."""
        if self._listener.fileno() != -1:
            self._runner.run(self._stack.aclose())
            self._listener.close()
        self._runner.close()

    def request(
        self, method: str, target: str, headers: Headers, body: bytes = b"", root_path: str = ""
    ) -> Reply:
        """Send one request; see `Client`."""
        return self._runner.run(self.send(method, target, headers, body))

    async def send(self, method: str, target: str, headers: Headers, body: bytes = b"") -> Reply:
        """Send one request on a connection of its own."""
        length = [("content-length", str(len(body)))] if body or method in ("POST", "PUT", "PATCH") else []
        reader, writer = await self._sent(method, target, [*headers, *length, ("connection", "close")], body)
        raw = await reader.read()
        writer.close()
        response = HTTPResponse(cast("socket.socket", _Received(raw)), method=method)
        response.begin()
        pairs = [(name.lower(), value) for name, value in response.headers.items()]
        return Reply(response.status, tuple(pairs), response.read())

    def handshake(self, target: str, headers: Headers) -> Handshake:
        """Open a WebSocket; see `Client`."""
        return self._runner.run(self._shake(target, headers))

    async def _shake(self, target: str, headers: Headers) -> Handshake:
        reader, writer = await self._sent("GET", target, [*headers, *HANDSHAKE])
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        try:
            if status != 101:
                return Handshake(accepted=False, status=status)
            kind, content = await _frame(reader)
            if kind == CLOSE:
                return Handshake(accepted=True, code=int.from_bytes(content[:2], "big"))
            return Handshake(accepted=True, message=content.decode())
        finally:
            writer.close()

    async def _sent(
        self, method: str, target: str, headers: Headers, body: bytes = b""
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        lines = [f"{method} {target} HTTP/1.1", f"host: {HOST}"]
        lines += [f"{name}: {value}" for name, value in headers]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return reader, writer


class _Received:
    """What `HTTPResponse` wants of a socket."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, *_: object) -> io.BytesIO:
        return io.BytesIO(self._raw)


async def _frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return kind and content of a short frame, which a server sends unmasked."""
    first, length = await reader.readexactly(2)
    return first & 0x0F, await reader.readexactly(length)
