"""Real server processes for tests: an example application on a free port, watched, and killed for certain.

The listening socket is made here and handed to the server, so no other process can take the port in between.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import django
import httpx2
import pytest

from tests.support.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "example_apps"
START_SECONDS = 100
#: The servers that run right now; conftest.py shows their logs with a failure.
LIVING: list[Server] = []
ANSWER_SECONDS = 40


@dataclass(frozen=True)
class Kind:
    """An application under a server program; "{fd}" in the command is the listening socket.

    For programs that can be given none, "{port}" is a free port.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    #: Where the application's own routes live; the SDK's are always at /auth.
    prefix: str = ""


def uvicorn(target: str, *options: str) -> tuple[str, ...]:
    """Return the command of an ASGI server."""
    return (sys.executable, "-m", "uvicorn", target, "--fd", "{fd}", "--log-level", "info", *options)


def gunicorn(target: str, *options: str) -> tuple[str, ...]:
    """Return the command of a WSGI server; its access log names the worker that answered."""
    log = ("--access-logfile", "-", "--access-logformat", "worker=%(p)s %(m)s %(U)s %(s)s")
    return (
        sys.executable,
        "-m",
        "gunicorn",
        "--bind",
        "fd://{fd}",
        "--no-control-socket",
        *log,
        *options,
        target,
    )


# The servers of frameworks that bring their own.
AIOHTTP_MAIN = """
from aiohttp import web
web.run_app({app}, sock=listener)
"""
SANIC_MAIN = """
{app}.run(sock=listener, single_process=True, motd=False)
"""
TORNADO_MAIN = """
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
listener.setblocking(False)
HTTPServer({app}).add_sockets([listener])
IOLoop.current().start()
"""


def program(main: str, module: str = "app") -> tuple[str, ...]:
    """Return the command of a program that imports the application and serves it on a socket, `listener`."""
    return (sys.executable, "-c", f"import socket, {module}\nlistener = socket.socket(fileno={{fd}})\n{main}")


GTHREAD = ("--worker-class", "gthread", "--threads", "4")
FASTAPI = Kind("fastapi-uvicorn", EXAMPLES / "fastapi", uvicorn("main:app"))
FLASK = Kind("flask-gthread", EXAMPLES / "flask", gunicorn("app:app", *GTHREAD))
FLASK_SYNC = Kind("flask-sync", EXAMPLES / "flask", gunicorn("app:app"))
DJANGO_ASGI = Kind("django-asgi", EXAMPLES / "django", uvicorn("demo.asgi:application", "--lifespan", "off"))
DJANGO_WSGI = Kind("django-wsgi", EXAMPLES / "django", gunicorn("demo.wsgi", *GTHREAD), prefix="/sync")
DJANGO_REST = Kind("django-rest", EXAMPLES / "django_rest", gunicorn("demo.wsgi", *GTHREAD))
STARLETTE = Kind("starlette-uvicorn", EXAMPLES / "starlette", uvicorn("main:app"))
LITESTAR = Kind("litestar-uvicorn", EXAMPLES / "litestar", uvicorn("main:app"))
DJANGO_NINJA = Kind(
    "django-ninja", EXAMPLES / "django_ninja", uvicorn("demo.asgi:application", "--lifespan", "off")
)
DAPHNE = (sys.executable, "-m", "daphne", "--fd", "{fd}", "demo.asgi:application")
DJANGO_DAPHNE = Kind("django-daphne", EXAMPLES / "django", DAPHNE)
DJANGO_CHANNELS = Kind("django-channels", EXAMPLES / "django_channels", DAPHNE)
AWS_LAMBDA = Kind("aws-lambda", EXAMPLES / "aws_lambda", (sys.executable, "local.py", "--port", "{port}"))
QUART = Kind(
    "quart", EXAMPLES / "quart", (sys.executable, "-m", "hypercorn", "--bind", "fd://{fd}", "app:app")
)
AIOHTTP = Kind("aiohttp", EXAMPLES / "aiohttp", program(AIOHTTP_MAIN.format(app="app.make()")))
SANIC = Kind("sanic", EXAMPLES / "sanic", program(SANIC_MAIN.format(app="app.app")))
TORNADO = Kind("tornado", EXAMPLES / "tornado", program(TORNADO_MAIN.format(app="app.app")))
KINDS = (FASTAPI, FLASK_SYNC, FLASK, DJANGO_ASGI, DJANGO_WSGI)


def client(url: str) -> httpx2.Client:
    """Return an HTTP client that keeps no cookies of its own and trusts no proxy settings."""
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    # There is no TLS here, or one with a certificate of the test: without `verify`, making a client costs no
    # 50 ms for the certificates of others.
    return httpx2.Client(
        base_url=url,
        timeout=ANSWER_SECONDS,
        # Less than any server keeps one (gunicorn: 2 s): a request on a connection that closes is an error.
        limits=httpx2.Limits(keepalive_expiry=1),
        trust_env=False,
        verify=False,
        cookies=no_cookies,
    )


class Server:
    """A running server process (a group: master and workers)."""

    def __init__(
        self, process: subprocess.Popen[bytes], port: int, kind: Kind, log: Path, scheme: str = "http"
    ) -> None:
        self._process = process
        self.log = log
        self.kind = kind
        self.port = port
        self.url = f"{scheme}://127.0.0.1:{port}"

    def client(self) -> httpx2.Client:
        """Return an HTTP client for this server, as `client` makes it."""
        return client(self.url)

    def logs(self) -> str:
        """Return what the server printed so far."""
        return self.log.read_text(errors="replace")

    def wait_until_ready(self) -> None:
        """Return once the server answers; fail with its log when it ends or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            # A connection succeeds at once, because the socket already listens; the answer is what counts.
            with contextlib.suppress(httpx2.HTTPError), self.client() as client:
                client.get("/", timeout=1)
                return
            if self._process.poll() is not None:
                break
        self.kill()
        raise AssertionError(f"{self.kind.name} did not start:\n{self.logs()}")

    def stop(self, seconds: float = 25) -> None:
        """Ask the server to end (SIGTERM) and return once it has; fail when it does not.

        The default is less than what gunicorn gives a worker that does not end (30 s).
        """
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.kind.name} did not end:\n{self.logs()}") from None

    def kill(self) -> None:
        """End every process of the server the way a power cut would: SIGKILL, no clean-up."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(40)


@contextlib.contextmanager
def running(
    kind: Kind,
    database: str,
    environ: Mapping[str, str] | None = None,
    *options: str,
    port: int | None = None,
) -> Iterator[Server]:
    """Run `kind` on `database` until the block ends, with exact access-token lifetimes."""
    if kind in (DJANGO_ASGI, DJANGO_DAPHNE):
        require_async_views()
    settings = {"SUPERTOKENS_CONNECTION_URI": database, "SUPERTOKENS_ACCESS_TOKEN_VALIDITY_JITTER": "0"}
    with launched(kind, settings | dict(environ or {}), *options, port=port) as server:
        yield server


def require_async_views() -> None:
    """Skip the test where Django is too old for those of the example."""
    if django.VERSION < (5, 0):
        pytest.skip("require_POST knows async views from Django 5.0 on")


@contextlib.contextmanager
def launched(
    kind: Kind, environ: Mapping[str, str] | None = None, *options: str, port: int | None = None
) -> Iterator[Server]:
    """Run `kind` with extra environment and options; with `port`, its command opens that port itself."""
    server = _start(kind, (*kind.command, *options), dict(environ or {}), port)
    LIVING.append(server)
    try:
        server.wait_until_ready()
        yield server
    finally:
        LIVING.remove(server)
        server.kill()
        server.log.unlink()


def _start(kind: Kind, command: tuple[str, ...], environ: dict[str, str], port: int | None) -> Server:
    descriptor, log = tempfile.mkstemp(prefix="supertokens-server-", suffix=".log")
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(open(descriptor, "wb"))
        sockets = []
        if port is None and "{port}" in command:
            port = free_port()
        if port is None:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
            port = listener.getsockname()[1]
            sockets.append(listener.fileno())
        process = subprocess.Popen(
            [part.replace("{fd}", str(*sockets)).replace("{port}", str(port)) for part in command],
            cwd=kind.folder,
            env=clean_environment() | environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=sockets,
            start_new_session=True,
        )
    return Server(process, port, kind, Path(log))


def clean_environment() -> dict[str, str]:
    """Return this process's environment without what would configure the server by accident."""
    foreign = ("SUPERTOKENS_", "DJANGO_", "FLASK_", "GUNICORN_", "UVICORN_", "WEB_CONCURRENCY", "API_DOMAIN")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"PYTHONUNBUFFERED": "1", "NO_PROXY": "*"}
