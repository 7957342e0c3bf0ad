"""The application processes and nginx in front of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx2

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
START_S = 90


class Site:
    """nginx and the processes of one application, on ports that follow each other."""

    def __init__(self, port: int, database: str, processes: int) -> None:
        self.port = port
        self.address = f"http://localhost:{port}"
        self.ports = [port + 1 + number for number in range(processes)]
        self._database = database
        self._directory = Path(tempfile.mkdtemp(prefix="scale-out-"))
        self._nginx: subprocess.Popen[bytes] | None = None
        self.applications: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        self.launch()
        self.wait_until_up()

    def launch(self) -> None:
        """Start everything, and do not wait for it: no process needs the database to come up."""
        self.applications = [self._application(port) for port in self.ports]
        text = (HERE / "nginx.conf.template").read_text()
        servers = [f"server 127.0.0.1:{port} max_fails=1 fail_timeout=2s;" for port in self.ports]
        values = {"DIRECTORY": self._directory, "PORT": self.port, "SERVERS": "\n        ".join(servers)}
        for name, value in values.items():
            text = text.replace(f"@{name}@", str(value))
        configuration = self._directory / "nginx.conf"
        configuration.write_text(text)
        command = ["nginx", "-p", str(self._directory), "-c", str(configuration)]
        self._nginx = subprocess.Popen([*command, "-e", "stderr"], stdout=subprocess.DEVNULL)

    def wait_until_up(self) -> None:
        """Wait until every process and nginx answer."""
        for port in (*self.ports, self.port):
            self._wait(port)

    def stop(self) -> None:
        for process in (self._nginx, *self.applications):
            if process is not None and process.poll() is None:
                process.terminate()
                process.wait(15)
        shutil.rmtree(self._directory, ignore_errors=True)

    def said(self) -> str:
        """Return what the applications have logged: warnings, errors, and the audit log's thefts."""
        return "".join((self._directory / f"{port}.log").read_text() for port in self.ports)

    def _application(self, port: int) -> subprocess.Popen[bytes]:
        environ = {
            **os.environ,
            "SUPERTOKENS_CONNECTION_URI": self._database,
            "SUPERTOKENS_POOL_SIZE": "5",
            "SUPERTOKENS_POOL_TIMEOUT": "2",
            "API_DOMAIN": self.address,
            "PYTHONPATH": str(ROOT),
        }
        target = ["-m", "uvicorn", "main:app", "--app-dir", str(ROOT / "example_apps" / "fastapi")]
        options = ["--port", str(port), "--timeout-keep-alive", "75", "--log-level", "warning"]
        with open(self._directory / f"{port}.log", "wb") as log:
            return subprocess.Popen([sys.executable, *target, *options], env=environ, stdout=log, stderr=log)

    def _wait(self, port: int) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx2.HTTPError):
                httpx2.get(f"http://127.0.0.1:{port}/", timeout=2)
                return
            time.sleep(0.1)
        raise SystemExit(f"nothing answers on port {port}\n{self.said()}")
