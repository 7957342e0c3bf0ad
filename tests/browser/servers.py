"""The backends of the browser tests as server processes, a page server, and a proxy that loses answers."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.servers.harness import (
    AIOHTTP_MAIN,
    GTHREAD,
    SANIC_MAIN,
    TORNADO_MAIN,
    Kind,
    Server,
    gunicorn,
    program,
    uvicorn,
)
from tests.support.databases import TestDatabase

BACKENDS = Path(__file__).parent / "backends"

FASTAPI = Kind("fastapi", BACKENDS, uvicorn("fastapi_app:app"))
FLASK = Kind("flask", BACKENDS, gunicorn("flask_app:app", *GTHREAD))
DJANGO_ASGI = Kind("django-asgi", BACKENDS, uvicorn("django_asgi:application", "--lifespan", "off"))
DJANGO_WSGI = Kind("django-wsgi", BACKENDS, gunicorn("django_wsgi:application", *GTHREAD))
#: One under ASGI and one under WSGI, for everything that the official frontends do.
KINDS = (FASTAPI, DJANGO_WSGI)
#: Those that one session with the official frontend is enough for (test_frameworks.py): that all answer alike
#: is what the published suite of adapters asks.
FRAMEWORKS = (
    DJANGO_WSGI,
    FLASK,
    DJANGO_ASGI,
    Kind("django-rest", BACKENDS, gunicorn("rest_app:application", *GTHREAD)),
    Kind("django-ninja", BACKENDS, uvicorn("ninja_app:application", "--lifespan", "off")),
    Kind("starlette", BACKENDS, uvicorn("starlette_app:app")),
    Kind("litestar", BACKENDS, uvicorn("litestar_app:app")),
    Kind("quart", BACKENDS, (sys.executable, "-m", "hypercorn", "--bind", "fd://{fd}", "quart_app:app")),
    Kind("aiohttp", BACKENDS, program(AIOHTTP_MAIN.format(app="aiohttp_app.app"), "aiohttp_app")),
    Kind("sanic", BACKENDS, program(SANIC_MAIN.format(app="sanic_app.app"), "sanic_app")),
    Kind("tornado", BACKENDS, program(TORNADO_MAIN.format(app="tornado_app.app"), "tornado_app")),
)
_CERTIFICATE_OPTIONS = {"uvicorn": "--ssl-certfile", "gunicorn": "--certfile"}
_VIEWS = {"django-asgi": "async", "django-wsgi": "sync"}
#: How long a server may take to write what it has to say of an answer that it gave.
LOG_SECONDS = 40
_FOREIGN = ("SUPERTOKENS_", "DJANGO_", "FLASK_", "GUNICORN_", "UVICORN_", "WEB_CONCURRENCY")


@dataclass(frozen=True)
class Setup:
    """How a backend is set up; hosts are names that the browser maps to this machine."""

    #: Arguments of `session.init`, as JSON knows them.
    session: Mapping[str, Any]
    #: Variables of the engine.
    engine: Mapping[str, str]
    api_host: str = "localhost"
    #: Origins of pages served elsewhere; the first is the website. "{port}" is the backend's own port: it has
    #: the page, too, under every name.
    origins: tuple[str, ...] = ()
    #: File with a certificate and its key; the backend then speaks https.
    certificate: Path | None = None


class Backend:
    """A running backend."""

    def __init__(self, server: Server, origin: str, database: str) -> None:
        self.server = server
        self.origin = origin
        self.port = server.port
        self._database = database

    def end_grace_period(self, user_id: str) -> None:
        """Make the grace period of a user's sessions end: nobody waits for it."""
        self.query(
            "UPDATE session_info SET refresh_token_rotated_at = refresh_token_rotated_at - 60000 "
            "WHERE user_id = %s",
            user_id,
        )

    def query(self, sql: str, *values: Any) -> Any:
        """Send a statement to the database, past the SDK."""
        kind = "sqlite-file" if self._database.startswith("sqlite") else "postgresql"
        return TestDatabase(kind, self._database).query(sql, *values)

    def post(self, path: str) -> Any:
        """Send a request of the test itself, without session, and return the JSON."""
        with self.server.client() as client:
            answer = client.post(path)
            assert answer.status_code == 200, answer.text
            return answer.json()

    def get(self, path: str) -> Any:
        """Return what a route answers to the test itself."""
        with self.server.client() as client:
            return client.get(path).json()

    def send(self, method: str, path: str, headers: dict[str, str]) -> httpx2.Response:
        """Send a request with these headers, as a program that is no browser would."""
        with self.server.client() as client:
            return client.request(method, path, headers=headers)

    def wait_for_log(self, text: str) -> None:
        """Return once the application's log holds `text`; servers may write it after they answered."""
        deadline = time.monotonic() + LOG_SECONDS
        while text not in self.server.logs():
            assert time.monotonic() < deadline, f"{text!r} is not in the log"
            time.sleep(0.05)


@contextlib.contextmanager
def backend(kind: Kind, database: str, pages: Path, setup: Setup) -> Iterator[Backend]:
    """Run a backend until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        port = listener.getsockname()[1]
        scheme = "https" if setup.certificate else "http"
        origin = f"{scheme}://{setup.api_host}:{port}"
        origins = [website.replace("{port}", str(port)) for website in setup.origins]
        command = [part.replace("{fd}", str(listener.fileno())) for part in kind.command]
        if setup.certificate:
            command += [_CERTIFICATE_OPTIONS[kind.command[2]], str(setup.certificate)]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        environ |= {
            "PYTHONUNBUFFERED": "1",
            "SUPERTOKENS_CONNECTION_URI": database,
            "SUPERTOKENS_ACCESS_TOKEN_VALIDITY_JITTER": "0",
            "API_DOMAIN": origin,
            "WEBSITE_DOMAIN": origins[0] if origins else origin,
            "ALLOWED_ORIGINS": " ".join(origins),
            "SESSION_SETTINGS": json.dumps(dict(setup.session)),
            "PAGES": str(pages),
            "DJANGO_VIEWS": _VIEWS.get(kind.name, ""),
            **setup.engine,
        }
        descriptor, log = tempfile.mkstemp(prefix="supertokens-browser-", suffix=".log")
        with open(descriptor, "wb") as output:
            process = subprocess.Popen(
                command,
                cwd=kind.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[listener.fileno()],
                start_new_session=True,
            )
    server = Server(process, port, kind, Path(log), scheme)
    try:
        server.wait_until_ready()
        yield Backend(server, origin, database)
    finally:
        server.kill()
        print(f"--- log of {kind.name}\n{server.logs()[-4000:]}")  # pytest shows it with a failure
        server.log.unlink()


class _Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _PatientServer(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # browsers connect ahead of their requests; five are too few on a busy machine


@contextlib.contextmanager
def _serving(handler: type[_Quiet]) -> Iterator[int]:
    with _PatientServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def page_server(pages: Path) -> Iterator[int]:
    """Serve the test page below /pages/ on a port of its own and yield the port: another origin."""

    class Pages(_Quiet):
        def do_GET(self) -> None:
            file = pages / self.path.split("?")[0].removeprefix("/pages/")
            found = file.parent == pages and file.is_file()
            body = file.read_bytes() if found else b""
            kind = "text/javascript" if file.suffix == ".js" else "text/html"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with _serving(Pages) as port:
        yield port


class LossyProxy:
    """Passes requests on; where told to, lets the server answer and then cuts the connection instead."""

    def __init__(self) -> None:
        self.origin = ""
        self.losing: str | None = None
        #: Statuses of the answers that were lost, in order.
        self.lost: list[int] = []

    @contextlib.contextmanager
    def losing_answers_of(self, path: str) -> Iterator[None]:
        """Lose the answers of `path`, after the server has sent them, until the block ends."""
        self.losing = path
        yield
        self.losing = None


@contextlib.contextmanager
def lossy_proxy(target_port: int) -> Iterator[LossyProxy]:
    """Run a proxy in front of a server on this machine."""
    proxy = LossyProxy()

    class Forward(_Quiet):
        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream = http.client.HTTPConnection("127.0.0.1", target_port, timeout=20)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            upstream.request(self.command, self.path, body, headers | {"Connection": "close"})
            answer = upstream.getresponse()
            content = answer.read()
            upstream.close()
            self.close_connection = True  # browsers silently send a request again on a kept connection
            if self.path == proxy.losing:
                proxy.lost.append(answer.status)
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_OPTIONS = _forward  # noqa: N815 names that the base class calls

    with _serving(Forward) as port:
        proxy.origin = f"http://localhost:{port}"
        yield proxy
