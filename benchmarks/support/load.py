"""A load client in a process of its own: few connections, kept alive, one request at a time on each."""

from __future__ import annotations

import contextlib
import json
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from .rounds import BENCHMARKS, worker_environment
from .servers import Server

CONNECTIONS = 4
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class Load:
    """The parent's handle on the client process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def apply(self, server: Server, requests: int) -> float:
        """Send the server its request that often; return wall seconds. Any answer but 200 is an error."""
        assert self._process.stdin
        assert self._process.stdout
        question = {"port": server.port, "request": server.raw_request().decode(), "requests": requests}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(f"{server.variant}: {answer['error']}")
        return answer["wall_s"]


@contextlib.contextmanager
def client() -> Iterator[Load]:
    process = subprocess.Popen(
        [sys.executable, "-m", "support.load"],
        cwd=BENCHMARKS,
        env=worker_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Load(process)
    finally:
        process.terminate()
        process.wait(5)


class _Connection:
    def __init__(self, port: int, request: bytes, selector: selectors.BaseSelector) -> None:
        self._port, self._request, self._selector = port, request, selector
        self._socket: socket.socket | None = None
        self._received = b""

    def send(self) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), 10)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(self._socket, selectors.EVENT_READ, self)
        self._received = b""
        self._socket.sendall(self._request)

    def receive(self) -> bool:
        """Read what is there; tell whether a whole response has arrived."""
        assert self._socket
        data = self._socket.recv(65536)
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length is not None:
            whole = bool(separator) and len(body) >= int(length[1])
        else:  # chunked: Django sets no length by itself
            whole = bool(separator) and body.endswith(b"0\r\n\r\n")
        if not data and not whole:
            raise RuntimeError(f"connection closed within a response: {self._received[:200]!r}")
        if whole and not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"unexpected answer: {self._received[:300]!r}")
        if whole and (b"connection: close" in head.lower() or not data):
            self.close()
        return whole

    def close(self) -> None:
        if self._socket is not None:
            self._selector.unregister(self._socket)
            self._socket.close()
            self._socket = None


def _run(port: int, request: bytes, requests: int) -> float:
    selector = selectors.DefaultSelector()
    connections = [_Connection(port, request, selector) for _ in range(CONNECTIONS)]
    started = finished = 0
    begin = time.perf_counter()
    for connection in connections:
        connection.send()
        started += 1
    while finished < requests:
        ready = selector.select(15)
        if not ready:
            raise RuntimeError("no answer within 15 s")
        for event, _ in ready:
            connection = event.data
            if connection.receive():
                finished += 1
                if started < requests:
                    connection.send()
                    started += 1
    elapsed = time.perf_counter() - begin
    for connection in connections:
        connection.close()
    return elapsed


if __name__ == "__main__":
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer: dict[str, Any] = {
                "wall_s": _run(question["port"], question["request"].encode(), question["requests"])
            }
        except (OSError, RuntimeError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)
