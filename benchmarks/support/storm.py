"""A storm of sign-ins, and how long a guarded route takes meanwhile."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator

from apps.sign_in import ADDRESS, PASSWORD, form

from .servers import Server

CLIENTS = 16
_PAUSE_S = 0.005
_PATIENCE_S = 120


class Storm:
    """Clients that sign in over and over while the block lasts, each one request at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._over = threading.Event()
        self._problems: list[str] = []
        self._lock = threading.Lock()
        self.sign_ins: int = 0
        #: Set once every hash that may be computed is under way.
        self._begun = threading.Semaphore(0)

    @contextlib.contextmanager
    def raging(self) -> Iterator[None]:
        self._over.clear()
        clients = [threading.Thread(target=self._sign_in_again_and_again) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            self._begun.acquire(timeout=_PATIENCE_S)
            yield
        finally:
            self._over.set()
            for client in clients:
                client.join()
            while self._begun.acquire(blocking=False):
                pass
        if self._problems:
            raise RuntimeError(self._problems[0])

    def _sign_in_again_and_again(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=_PATIENCE_S)
        try:
            with contextlib.closing(connection):
                while not self._over.is_set():
                    status = sign_in(connection)
                    with self._lock:
                        self.sign_ins += 1
                    self._begun.release()
                    if status != "OK":
                        raise RuntimeError(f"a sign-in was answered with {status}")
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            self._problems.append(str(error))
            self._begun.release()


def sign_in(connection: http.client.HTTPConnection, path: str = "/auth/signin") -> str:
    """Send the form; return the status in the answer."""
    body = json.dumps(form(email=ADDRESS, password=PASSWORD))
    connection.request("POST", path, body, {"content-type": "application/json", "rid": "emailpassword"})
    return str(json.loads(connection.getresponse().read())["status"])


def latencies_ms(server: Server, *, seconds: float, at_least: int) -> list[float]:
    """Ask for the guarded route, one request after the other with a pause between; return milliseconds."""
    found: list[float] = []
    deadline = time.monotonic() + seconds
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_PATIENCE_S)
    with contextlib.closing(connection):
        while len(found) < at_least or time.monotonic() < deadline:
            begin = time.perf_counter()
            connection.request("GET", "/me", headers=server.headers)
            answer = connection.getresponse()
            answer.read()
            found.append((time.perf_counter() - begin) * 1000)
            if answer.status != 200:
                raise RuntimeError(f"the guarded route answered {answer.status}")
            time.sleep(_PAUSE_S)
    return found
