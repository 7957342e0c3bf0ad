"""A core of another program: a real HTTP server on a thread, with keys, that counts what it is asked."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.engine.remote.cores import ALL_VERSIONS, jwk


class TinyCore:
    """Serves versions, keys and one answer for each other path; `status` 503 makes it fail."""

    def __init__(
        self, answers: dict[str, Any] | None = None, *, status: int = 200, gate: threading.Event | None = None
    ) -> None:
        self.answers = {
            "GET /apiversion": {"versions": ALL_VERSIONS},
            "GET /.well-known/jwks.json": {"keys": [jwk("d-1")]},
            **(answers or {}),
        }
        self.status = status
        self.gate = gate  #: answers wait for it
        self.breaks = False  #: close the connection instead of answering a POST
        self.asked: list[str] = []
        self.reached = threading.Event()  #: once something was asked
        self.connections = 0

    def __enter__(self) -> TinyCore:
        core = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                core.connections += 1
                super().setup()

            def answer(self) -> None:
                asked = f"{self.command} {self.path.partition('?')[0]}"
                self.rfile.read(int(self.headers.get("content-length") or 0))
                core.asked.append(asked)
                core.reached.set()
                if core.gate is not None:
                    core.gate.wait(40)
                if core.breaks and self.command == "POST":
                    self.close_connection = True
                    return
                body = json.dumps(core.answers.get(asked, {})).encode()
                self.send_response(core.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Cache-Control", "max-age=120, must-revalidate")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"
