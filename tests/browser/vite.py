"""Frontends of the examples, built and served with their own commands: by Vite, or by Angular's."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from tests.browser.packages import build, install
from tests.servers.harness import Server
from tests.support.ports import free_port

START_SECONDS = 100
ANGULAR_SECONDS = 200  #: it builds first


@contextlib.contextmanager
def served(folder: Path, api: Server, *command: str, port: int | None = None) -> Iterator[str]:
    """Run Vite in front of the API and yield the origin."""
    options = ["--host", "127.0.0.1", "--strictPort"]
    with _running(folder, api, ["node_modules/.bin/vite", *command, *options], START_SECONDS, port) as origin:
        yield origin


@contextlib.contextmanager
def served_by_angular(folder: Path, api: Server) -> Iterator[str]:
    """Install a frontend, have Angular's command build and serve it for production; yield the origin."""
    install(folder)
    command = ["node_modules/.bin/ng", "serve", "--configuration", "production", "--host", "127.0.0.1"]
    options = ["--no-watch", "--no-live-reload", "--no-hmr"]
    with _running(folder, api, [*command, *options], ANGULAR_SECONDS, None) as origin:
        yield origin


@contextlib.contextmanager
def _running(
    folder: Path, api: Server, command: list[str], seconds: float, port: int | None
) -> Iterator[str]:
    port = port or free_port()
    with subprocess.Popen(
        [*command, "--port", str(port)],
        cwd=folder,
        env={**os.environ, "API_DOMAIN": api.url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + seconds
            with httpx2.Client(trust_env=False) as client:
                while True:
                    with contextlib.suppress(httpx2.TransportError):
                        assert client.get(f"http://127.0.0.1:{port}/").status_code == 200
                        break
                    assert process.poll() is None, f"{command[0]} ended"
                    assert time.monotonic() < deadline, f"{command[0]} did not start"
                    time.sleep(0.05)  # it needs the processor more than we do
            yield f"http://localhost:{port}"
        finally:
            process.kill()


@contextlib.contextmanager
def built_and_served(folder: Path, api: Server, into: Path, *, port: int | None = None) -> Iterator[str]:
    """Install, build and serve a frontend with its own commands; yield its origin."""
    build(folder, into)
    with served(folder, api, "preview", "--outDir", str(into), port=port) as origin:
        yield origin
