"""Real server processes: `supertokens serve` on a free port, watched and ended for certain."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import httpx2

from tests.support.ports import free_port

START_S = 100
API_KEY = "key-of-the-test-server-1"


class ServerProcess:
    """A running server."""

    def __init__(self, process: subprocess.Popen[bytes], address: str, log: IO[bytes]) -> None:
        self.process = process
        self.address = address
        self._log = log

    def output(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.output()}")
            try:
                if httpx2.get(f"{self.address}/hello", timeout=2).status_code == 200:
                    return
            except httpx2.HTTPError:
                time.sleep(0.05)
        raise AssertionError(f"the server does not answer:\n{self.output()}")

    def stop(self) -> int:
        """End it as a process manager would, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def serving(
    uri: str, *arguments: str, environ: Mapping[str, str] | None = None, directory: Path | None = None
) -> Generator[ServerProcess]:
    """Run `supertokens serve` over a database until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "supertokens_py.cli", "serve", "--port", str(port), *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SUPERTOKENS_")}
    env = {**clean, "SUPERTOKENS_CONNECTION_URI": uri, "SUPERTOKENS_API_KEYS": API_KEY, **(environ or {})}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=env, cwd=directory, stdout=log, stderr=log)
        server = ServerProcess(process, f"http://127.0.0.1:{port}", log)
        try:
            server.wait_until_it_answers()
            yield server
        finally:
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
