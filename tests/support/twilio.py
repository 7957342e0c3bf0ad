"""A server that takes text messages as Twilio does."""

from __future__ import annotations

import json
import ssl
import threading
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs


class FakeTwilio:
    """Keeps what it gets; `answer` is the status and the body of the next answers.

    Args:
        certificate: a file with a certificate and its key; without one it speaks plain HTTP.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.messages: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.accounts: list[str] = []
        self.answer: tuple[int, Any] = (201, {"sid": "SM1", "status": "queued"})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
                fake.messages.append({name: values[0] for name, values in form.items()})
                fake.paths.append(self.path)
                basic = self.headers["authorization"].removeprefix("Basic ")
                fake.accounts.append(b64decode(basic).decode())
                status, body = fake.answer
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler
