"""Server processes that are up within a tenth of a second, so that a thousand of them can be killed.

Each is a real uvicorn process with the FastAPI example in it. A server process of Python's own (the
fork server) has loaded the libraries once and forks from there; the example, its settings and its
database are the child's own.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import uvicorn

from tests.servers.harness import FASTAPI, clean_environment

#: What a child would otherwise spend its first second on.
PRELOADED = [__name__, "fastapi.staticfiles", "supertokens_py.framework.fastapi", "psycopg", "sqlalchemy"]

#: Tells which process answered.
PROCESS_HEADER = "x-process"


class Workers:
    """Processes that serve one database on one port, started and killed together or one by one."""

    def __init__(self, database: str, log: Path, settings: Mapping[str, str] | None = None) -> None:
        self.log = log
        self.url = ""
        self._settings = {
            "SUPERTOKENS_CONNECTION_URI": database,
            "SUPERTOKENS_ACCESS_TOKEN_VALIDITY_JITTER": "0",
            **(settings or {}),
        }
        self._context = _context()
        self._running: list[ForkServerProcess] = []

    def start(self, count: int) -> None:
        """Start `count` processes on a new port. A request sent from now on waits until they are up."""
        # The port listens before they do, and closes with the last of them.
        with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            for _ in range(count):
                process = self._context.Process(
                    target=_serve, args=(listener, self._settings, self.log), daemon=True
                )
                process.start()
                self._running.append(process)

    def kill(self, count: int | None = None) -> None:
        """End `count` of them, or all, as a power cut would: SIGKILL, no clean-up."""
        ended, self._running = self._running[:count], self._running[len(self._running[:count]) :]
        for process in ended:
            process.kill()
        for process in ended:
            process.join(40)

    @property
    def process_ids(self) -> list[int]:
        """Return the ids of those that run; one that ended by itself is an error."""
        assert all(process.is_alive() for process in self._running), self.logs()
        return [process.pid or 0 for process in self._running]

    def logs(self) -> str:
        """Return the end of what they printed."""
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""


def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _serve(listener: socket.socket, settings: Mapping[str, str], log: Path) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(output, stream.fileno())
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    environment = clean_environment() | dict(settings)
    os.environ.clear()
    os.environ.update(environment)
    logging.basicConfig()  # for the audit log
    app = runpy.run_path(str(FASTAPI.folder / "main.py"))["app"]
    uvicorn.run(
        app,
        fd=listener.fileno(),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=60,  # else a client that thinks for long may meet a connection that just closes
        headers=[(PROCESS_HEADER, str(os.getpid()))],
    )


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)
