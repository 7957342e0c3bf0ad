"""Start real servers, wait for them, sign in, and stop them."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .rounds import BENCHMARKS, WORKING_TREE, Side, worker_environment

BROWSER = {
    "accept": "application/json, text/plain, */*",
    "accept-encoding": "gzip, deflate, br",
    "accept-language": "en-GB,en;q=0.9",
    "referer": "http://localhost:3000/dashboard",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML) Chrome/146.0 Safari/537.36",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-site",
    "rid": "anti-csrf",
    "fdi-version": "4.0",
}
PREFERENCES = "theme=dark; consent=1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def request_headers(set_cookies: Sequence[str], token: str | None, transfer: str) -> dict[str, str]:
    """Return the headers of a browser's next request after a login."""
    headers = dict(BROWSER) | {"st-auth-mode": transfer}
    if transfer == "header":
        return headers | ({"authorization": f"Bearer {token}"} if token else {}) | {"cookie": PREFERENCES}
    pairs = [cookie.partition(";")[0].strip() for cookie in set_cookies]
    # A browser sends the refresh token to the refresh path only.
    sent = [pair for pair in pairs if not pair.startswith("sRefreshToken=") and not pair.endswith("=")]
    return headers | {"cookie": "; ".join([PREFERENCES, *sent])}


@dataclass
class Server:
    """A server process, and the request that the load consists of."""

    variant: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    headers: dict[str, str] = field(default_factory=dict)

    def call(
        self, method: str, path: str, headers: Mapping[str, str] = BROWSER
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, headers=dict(headers))
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def sign_in(self, transfer: str) -> None:
        status, headers, body = self.call(
            "POST", "/login", dict(BROWSER) | {"st-auth-mode": transfer, "content-length": "0"}
        )
        if status != 200:
            raise RuntimeError(f"{self.variant}: POST /login answered {status}: {body[:300]!r}")
        token = headers.get("st-access-token") or _member(body, "token")
        self.headers = request_headers(headers.get_all("set-cookie", []), token, transfer)
        status, _, body = self.call("GET", "/me", self.headers)
        if status != 200:
            raise RuntimeError(f"{self.variant}: GET /me answered {status}: {body[:300]!r}")

    def cpu_ns(self) -> int:
        return int(_member(self.call("GET", "/cpu")[2], "ns") or 0)

    def raw_request(self) -> bytes:
        lines = ["GET /me HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _member(body: bytes, name: str) -> str | None:
    import json

    with contextlib.suppress(ValueError):
        value = json.loads(body)
        return str(value[name]) if name in value else None
    return None


_UVICORN = ["uvicorn", "--no-access-log", "--log-level", "warning"]
_SYNC = ["gunicorn", "-w", "1", "-k", "sync"]
_GTHREAD = ["gunicorn", "-w", "1", "-k", "gthread", "--threads", "4", "--keep-alive", "60"]
_OTHERS = "apps.others_app:from_environment"
COMMANDS = {
    "fastapi": [*_UVICORN, "--factory", "apps.fastapi_app:from_environment", "--port"],
    "storm": [*_UVICORN, "--factory", "apps.storm_app:from_environment", "--port"],
    "flask sync": [*_SYNC, "apps.flask_app:from_environment()", "-b"],
    "flask gthread": [*_GTHREAD, "apps.flask_app:from_environment()", "-b"],
    "django wsgi sync": [*_SYNC, "apps.django_app:application", "-b"],
    "django wsgi gthread": [*_GTHREAD, "apps.django_app:application", "-b"],
    "django asgi": [*_UVICORN, "--lifespan", "off", "apps.django_app:application", "--port"],
    **{name: [*_UVICORN, "--factory", _OTHERS, "--port"] for name in ("starlette", "litestar", "quart")},
    **{name: ["apps.others_app", name] for name in ("aiohttp", "sanic", "tornado")},
    **{name: [*_SYNC, "apps.on_django_app:application", "-b"] for name in ("drf", "ninja")},
}


@contextlib.contextmanager
def running(
    kind: str, variants: Sequence[str], transfer: str, core: str, *, side: Side = WORKING_TREE
) -> Iterator[list[Server]]:
    """Serve each variant on a port of its own, signed in; one of ours that cannot start is left out."""
    directory = Path(tempfile.mkdtemp(prefix="st-bench-"))
    servers: list[Server] = []
    try:
        for number, variant in enumerate(variants):
            port = free_port()
            environment = {
                "BENCH_VARIANT": variant,
                "BENCH_TRANSFER": transfer,
                "BENCH_CORE": core,
                "BENCH_FRAMEWORK": kind.partition(" ")[0],
                "BENCH_MODE": kind.partition(" ")[2],
                "BENCH_STORE": f"sqlite:///{directory}/store-{number}.db",
            }
            program, *rest = COMMANDS[kind]
            place = str(port) if program == "uvicorn" else f"127.0.0.1:{port}"
            log = directory / f"log-{number}"
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", program, *rest, place],
                    cwd=BENCHMARKS,
                    env=worker_environment(environment, side=side),
                    stdout=out,
                    stderr=out,
                )
            servers.append(Server(variant, port, process, log))
        ready = [server for server in servers if _ready(server, transfer)]
        yield ready
    finally:
        for server in servers:
            server.process.terminate()
        for server in servers:
            try:
                server.process.wait(5)
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _ready(server: Server, transfer: str) -> bool:
    deadline = time.monotonic() + 120
    try:
        while True:
            try:
                server.call("GET", "/cpu")
                break
            except OSError:
                if server.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("did not start") from None
                time.sleep(0.05)
        server.sign_in(transfer)
    except RuntimeError as error:
        tail = server.log.read_text(errors="replace").strip().splitlines()[-1:]
        message = f"{server.variant}: {error} {' '.join(tail)}"
        if not server.variant.startswith("ours"):
            raise RuntimeError(message) from None
        print(f"  left out: {message}", file=sys.stderr)
        return False
    return True


@contextlib.contextmanager
def standin_core() -> Iterator[str]:
    """Run the stand-in core; yield its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(BENCHMARKS / "standin_core.py"), str(port)], env=dict(os.environ)
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("the stand-in core did not start") from None
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(5)
