"""Frontends of the examples, built and served by Vite with their own commands."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from tests.browser.packages import build
from tests.servers.harness import Server, free_port

START_SECONDS = 30


@contextlib.contextmanager
def served(folder: Path, api: Server, *command: str, port: int | None = None) -> Iterator[str]:
    """Run Vite in front of the API and yield the origin."""
    port = port or free_port()
    with subprocess.Popen(
        ["node_modules/.bin/vite", *command, "--host", "127.0.0.1", "--port", str(port), "--strictPort"],
        cwd=folder,
        env={**os.environ, "API_DOMAIN": api.url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + START_SECONDS
            with httpx2.Client(trust_env=False) as client:
                while True:
                    with contextlib.suppress(httpx2.TransportError):
                        assert client.get(f"http://127.0.0.1:{port}/").status_code == 200
                        break
                    assert process.poll() is None, "Vite ended"
                    assert time.monotonic() < deadline, "Vite did not start"
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
