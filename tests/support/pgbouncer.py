"""A throw-away PgBouncer in front of a throw-away PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .ports import free_port
from .programs import program
from .temporary_postgres import NOBODY, Server

START_PATIENCE_S = 100


@dataclass(frozen=True)
class PgBouncer:
    """A running pooler."""

    port: int

    def uri(self, database: str, user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def pgbouncer(server: Server, **settings: object) -> Iterator[PgBouncer]:
    """Run a pooler for every database of a server until the block ends; `settings` go into its file."""
    # Debian keeps it beside the programs of the administrator.
    binary = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin") or program("pgbouncer")
    root = Path(tempfile.mkdtemp(prefix="stpb-"))
    port = free_port()
    chosen = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "logfile": root / "log",
        **settings,
    }
    lines = [f"{name} = {value}" for name, value in chosen.items()]
    target = f"* = host=127.0.0.1 port={server.port} user=postgres"
    (root / "ini").write_text("\n".join(["[databases]", target, "[pgbouncer]", *lines, ""]))
    as_root = os.geteuid() == 0  # it refuses to run as root
    if as_root:
        os.chown(root, NOBODY, NOBODY)
    process = subprocess.Popen(
        [binary, "-q", root / "ini"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_root else {}),  # type: ignore[arg-type]
    )
    try:
        deadline = time.monotonic() + START_PATIENCE_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((root / "log").read_text())
            time.sleep(0.02)
        yield PgBouncer(port)
    finally:
        process.terminate()
        process.wait(15)
        shutil.rmtree(root, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
