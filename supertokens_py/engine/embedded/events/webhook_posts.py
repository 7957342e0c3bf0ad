"""A request over HTTP whose whole exchange has an end, whatever the other side does.

The time-out of a socket is one of each operation: who answers byte by byte could go on for ever.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from functools import cache
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def post(
    url: str,
    headers: dict[str, str],
    body: bytes,
    timeout_s: float,
    *,
    trust: Callable[[], ssl.SSLContext] = _trust,
) -> int:
    """Send a request and return the status of the answer, which is not read and never followed anywhere.

    Args:
        timeout_s: of everything together. To look up the name of the host may take longer; then nothing
            is sent.
        trust: returns whose certificates are accepted.

    Raises:
        OSError: there is no answer in time, or no connection.
        http.client.HTTPException: the answer is no HTTP.
    """
    parts, deadline = urlsplit(url), _Deadline(timeout_s)
    host, is_https = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_https else 80)
    with closing((HTTPSConnection if is_https else HTTPConnection)(host, port)) as connection:
        connection.sock = deadline.connected(host, port)
        if is_https:
            connection.sock = trust().wrap_socket(connection.sock, server_hostname=host)
        connection.sock.settimeout(deadline.left_s())
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body=body, headers=headers)
        response: Any = deadline.response
        connection.response_class = response
        return connection.getresponse().status


class _Deadline:
    """When an exchange ends."""

    def __init__(self, timeout_s: float) -> None:
        self._at = time.monotonic() + timeout_s

    def left_s(self) -> float:
        """Return the seconds that are left.

        Raises:
            TimeoutError: there are none.
        """
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def connected(self, host: str, port: int) -> socket.socket:
        """Return a connection to the first address of a host that accepts one."""
        failure: OSError = OSError("the host has no address")
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            left_s = self.left_s()
            try:
                found = socket.create_connection((str(address[0]), port), timeout=left_s)
            except OSError as error:
                failure = error
                continue
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            found.settimeout(self.left_s())
            return found
        raise failure

    def response(self, connected: socket.socket, *args: Any, **named: Any) -> HTTPResponse:
        """Return the answer that a connection has for us."""
        reading: Any = _Reading(connected, self)
        return HTTPResponse(reading, *args, **named)


class _Reading(io.RawIOBase):
    """What a connection sends until the deadline."""

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        self._connected = connected
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return it as the file that a response asks a socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for something, as long as there is time."""
        self._connected.settimeout(self._deadline.left_s())
        return self._connected.recv_into(buffer)
