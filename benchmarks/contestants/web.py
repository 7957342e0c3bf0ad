"""A whole request through an application, in process: ASGI or WSGI called directly, no socket."""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Callable
from typing import Any

from support.servers import BROWSER, request_headers

Answer = tuple[int, list[tuple[str, str]]]


async def requests(kind: str, variant: str, core: str) -> dict[str, Any]:
    """Make the case of `kind` (fastapi, flask, django wsgi, django asgi) in one variant."""
    framework, _, mode = kind.partition(" ")
    os.environ |= {
        "BENCH_VARIANT": variant,
        "BENCH_CORE": core,
        "BENCH_MODE": mode,
        "BENCH_TRANSFER": "cookie",
    }
    module = importlib.import_module(f"apps.{framework}_app")
    app = module.application if framework == "django" else module.from_environment()
    name = f"{kind}: {variant}"
    if framework == "fastapi" or mode == "asgi":
        _, headers = await _asgi(app, "POST", "/login", dict(BROWSER) | {"st-auth-mode": "cookie"})
        sent = _next_headers(headers)
        status, _ = await _asgi(app, "GET", "/me", sent)
        assert status == 200, f"{name} answered {status}"
        return {name: _asgi_case(app, sent)}
    # A worker of a WSGI server has no event loop, so neither may this; `await` ends when the cases are made.
    return {name: _wsgi_case(app, name)}


def _next_headers(headers: list[tuple[str, str]]) -> dict[str, str]:
    cookies = [value for name, value in headers if name.lower() == "set-cookie"]
    return request_headers(cookies, None, "cookie")


def _scope(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 40000),
        "state": {},
        "headers": [(b"host", b"127.0.0.1:8000"), *((n.encode(), v.encode()) for n, v in headers.items())],
    }


async def _receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


class _Disconnect:
    """Django's ASGI handler listens for a disconnect beside the view: it must wait, not spin."""

    def __init__(self) -> None:
        self.first = True

    async def __call__(self) -> dict[str, Any]:
        if self.first:
            self.first = False
            return await _receive()
        import asyncio

        await asyncio.Event().wait()
        raise AssertionError


async def _asgi(app: Any, method: str, path: str, headers: dict[str, str]) -> Answer:
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    await app(_scope(method, path, headers), _Disconnect(), send)
    start = messages[0]
    return start["status"], [(name.decode(), value.decode()) for name, value in start["headers"]]


def _asgi_case(app: Any, headers: dict[str, str]) -> Callable[[int], Any]:
    template = _scope("GET", "/me", headers)

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert message["status"] == 200

    def prepare(n: int) -> Any:
        async def run() -> None:
            for _ in range(n):
                await app({**template, "state": {}}, _Disconnect(), send)

        return run

    return prepare


def _environ(method: str, path: str, headers: dict[str, str]) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": "0",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    return environ | {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}


def _wsgi(app: Any, environ: dict[str, Any]) -> Answer:
    seen: list[Any] = []
    body = app(environ, lambda status, headers, error=None: seen.append((int(status[:3]), headers)))
    b"".join(body)
    if hasattr(body, "close"):
        body.close()
    return seen[0]


def _wsgi_case(app: Any, name: str) -> Callable[[int], Any]:
    template: dict[str, Any] = {}

    def prepare(n: int) -> Any:
        def run() -> None:
            if not template:
                _, headers = _wsgi(
                    app, _environ("POST", "/login", dict(BROWSER) | {"st-auth-mode": "cookie"})
                )
                template.update(_environ("GET", "/me", _next_headers(headers)))
            for _ in range(n):
                status, _ = _wsgi(app, dict(template))
                assert status == 200, f"{name} answered {status}"

        return run

    return prepare
