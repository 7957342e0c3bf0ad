"""Three PostgreSQL nodes under Patroni on this machine: one primary, two standbys, and ways to break them.

Everything a node tells the others, and all that it hears of them, goes through a proxy of its own (haproxy):
its cable. Applications reach its PostgreSQL directly, also while the cable is cut.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import psycopg

T = TypeVar("T")

START_S = 90
PROGRAMS = {
    "patroni": "patroni",
    "etcd": "etcd-server",
    "haproxy": "haproxy",
    "pgrep": "procps",
}

# Far below Patroni's defaults (30, 10, 10): there is no slow network to be patient with.
PACE = {"ttl": 6, "loop_wait": 1, "retry_timeout": 2}
# A primary that is cut off accepts writes for `retry_timeout`: long enough to lose some.
SLOWER_PACE = {"ttl": 20, "loop_wait": 1, "retry_timeout": 9}


def missing_programs() -> list[str]:
    """Return Debian's names of the packages that are not installed."""
    missing = [
        package for name, package in PROGRAMS.items() if shutil.which(name, path=search_path()) is None
    ]
    return missing if find_postgres() else [*missing, "postgresql"]


def search_path() -> str:
    """Return where programs are looked for: Debian keeps haproxy beside those of the administrator."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def find_postgres() -> Path | None:
    """Return the directory of PostgreSQL's newest programs."""
    found = glob.glob("/usr/lib/postgresql/*/bin/postgres")
    on_path = shutil.which("postgres")
    if not found:
        return Path(on_path).resolve().parent if on_path else None
    return Path(max(found, key=lambda path: int(path.split("/")[4]))).parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Return whether a program listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Cluster:
    """etcd and three nodes."""

    def __init__(self, *, synchronous: bool) -> None:
        self.synchronous = synchronous
        self.directory = Path(tempfile.mkdtemp(prefix="scale-out-nodes-"))
        # PostgreSQL refuses to run as root.
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        if self.user:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        self.etcd_port = free_port()
        self._etcd: subprocess.Popen[bytes] | None = None
        self.nodes = [Node(self, f"node{number}") for number in (1, 2, 3)]

    @property
    def uri(self) -> str:
        """All nodes: a connection is opened to the one that can be written to."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://postgres@{hosts}/postgres"

    def start(self) -> None:
        url = f"http://127.0.0.1:{self.etcd_port}"
        peers = f"http://127.0.0.1:{free_port()}"
        self._etcd = self.run(
            "etcd",
            *("etcd", "--data-dir", self.directory / "etcd", "--unsafe-no-fsync", "--log-level", "error"),
            *("--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peers),
            *("--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}"),
        )
        self.wait_until_open(self.etcd_port)
        for node in self.nodes:
            node.start()
        self.wait_until_whole()

    def stop(self) -> None:
        with ThreadPoolExecutor() as threads:
            list(threads.map(Node.kill, self.nodes))
        if self._etcd is not None:
            self._etcd.kill()
            self._etcd.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, name: str, *command: object) -> subprocess.Popen[bytes]:
        """Start a program as the user that PostgreSQL runs as; what it says goes to a file of that name."""
        environ = {"PATH": search_path(), "LC_ALL": "C", "HOME": str(self.directory)}
        with open(self.directory / f"{name}.log", "ab") as log:
            return subprocess.Popen(
                [str(word) for word in command],
                cwd=self.directory, env=environ, stdout=log, stderr=log, **self.user,
            )  # fmt: skip

    def wait_until_open(self, port: int) -> None:
        """Wait until a program listens: Patroni gives up at once where it is refused at its start."""
        wait_for(lambda: is_open(port) or None, f"nothing listens on port {port}", START_S, self.logs)

    def primary(self) -> Node | None:
        """Return the node that says it is the primary."""
        return next((node for node in self.nodes if node.answers("/primary")), None)

    def wait_until_whole(self) -> Node:
        """Wait for a primary with two standbys that follow it; return the primary."""

        def whole() -> Node | None:
            leading = [node for node in self.nodes if node.answers("/primary")]
            following = [node for node in self.nodes if node.follows()]
            synchronous = [node for node in self.nodes if node.answers("/sync")]
            ready = len(leading) == 1 and len(following) == 2 and bool(synchronous) == self.synchronous
            return leading[0] if ready else None

        return wait_for(whole, "the three nodes are not together", START_S, self.logs)

    def wait_for_another(self, than: Node) -> tuple[Node, float]:
        """Wait until another node says that it is the primary; return it, and when it was last asked in vain.

        It has been the primary since then at the earliest, so what is counted from there is not too short.
        """
        others = [node for node in self.nodes if node is not than]
        in_vain = time.monotonic()

        def named() -> Node | None:
            nonlocal in_vain
            asked = time.monotonic()
            found = next((node for node in others if node.answers("/primary")), None)
            in_vain = in_vain if found else asked
            return found

        return wait_for(named, f"nobody took over from {than.name}", START_S, self.logs), in_vain

    def logs(self) -> str:
        """Return the ends of what the nodes said."""
        files = sorted(self.directory.glob("*.log"))
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)


class Node:
    """PostgreSQL, its Patroni, and the cable to the others."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        self.cluster = cluster
        self.port = free_port()
        self._rest = free_port()  # the others reach these through the cable
        self._cable_ports = {"etcd": free_port(), "postgres": free_port(), "rest": free_port()}
        self._data = cluster.directory / name
        self._cable: subprocess.Popen[bytes] | None = None
        self._patroni: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, for the first time or again."""
        if self._cable is None:
            file = self._write("cable", cable(self._cable_ports, self._targets()))
            self._cable = self.cluster.run(f"{self.name}-cable", "haproxy", "-db", "-f", file)
            self.cluster.wait_until_open(self._cable_ports["etcd"])
        file = self._write("yml", json.dumps(self._configuration(), indent=1))  # JSON is YAML, too
        self._patroni = self.cluster.run(f"{self.name}-patroni", "patroni", file)

    def kill(self) -> None:
        """End it as a power failure would: kill -9, Patroni and every process of PostgreSQL."""
        self.signal(signal.SIGKILL)
        if self._patroni is not None:
            self._patroni.wait()
        if self._cable is not None:
            self._cable.kill()
            self._cable.wait()
        self._patroni = self._cable = None

    def pause(self) -> None:
        """Stop all of it, as a frozen machine does: connections stay open, and nothing answers."""
        self.signal(signal.SIGSTOP)

    def reset(self) -> None:
        """Switch it off and on again, as a watchdog does with a machine that is frozen."""
        self.kill()
        self.start()

    def demote(self) -> None:
        """Have it change places with a standby, as before maintenance; return at once."""
        threading.Thread(target=self._switch_over, daemon=True).start()

    def _switch_over(self) -> None:
        body = json.dumps({"leader": self.name}).encode()
        for _ in range(20):  # refused while no standby is known to have everything
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self._rest}/switchover", body, timeout=30).close()
                return
            if not self.answers("/primary"):
                return
            time.sleep(1)

    def connections(self) -> int:
        """Return how many connections of the applications it has."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'supertokens_py'"
        with psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.port}/postgres") as connection:
            return int((connection.execute(query).fetchone() or (0,))[0])

    def cut(self) -> None:
        """Let no other node hear of it, nor it of them; applications reach it all the same."""
        assert self._cable is not None
        self._cable.send_signal(signal.SIGSTOP)

    def mend(self) -> None:
        assert self._cable is not None
        self._cable.send_signal(signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        for pid in list(self._processes()):  # while it is known whose they are
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def answers(self, path: str) -> bool:
        """Return whether Patroni's REST API says yes to a question: /primary, /replica, /sync."""
        return self._asked(path) is not None

    def follows(self) -> bool:
        """Return whether it is a standby that receives what the primary writes."""
        answer = self._asked("/replica")
        return answer is not None and answer.get("replication_state", "streaming") == "streaming"

    def _asked(self, path: str) -> dict[str, Any] | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._rest}{path}", timeout=1) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError):
            return None  # 503 is "no"

    def _processes(self) -> Iterator[int]:
        if self._patroni is not None and self._patroni.poll() is None:
            yield self._patroni.pid
        with contextlib.suppress(OSError, IndexError, ValueError):
            postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
            yield postmaster
            found = subprocess.run(
                ["pgrep", "-P", str(postmaster)], capture_output=True, text=True, check=False
            )
            yield from map(int, found.stdout.split())

    def _targets(self) -> dict[str, int]:
        return {"etcd": self.cluster.etcd_port, "postgres": self.port, "rest": self._rest}

    def _write(self, suffix: str, text: str) -> Path:
        file = self.cluster.directory / f"{self.name}.{suffix}"
        file.write_text(text)
        return file

    def _configuration(self) -> dict[str, Any]:
        return {
            "scope": "scale-out",
            "name": self.name,
            "restapi": {
                "listen": f"127.0.0.1:{self._rest}",
                "connect_address": f"127.0.0.1:{self._cable_ports['rest']}",
            },
            "etcd3": {"hosts": [f"127.0.0.1:{self._cable_ports['etcd']}"], "use_proxies": True},
            "bootstrap": {"dcs": self._shared(), "initdb": ["data-checksums", {"encoding": "UTF8"}]},
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self._cable_ports['postgres']}",
                "data_dir": str(self._data),
                "bin_dir": str(find_postgres()),
                "basebackup": [{"checkpoint": "fast"}],  # a standby is not to wait for the next one
                "pgpass": str(self.cluster.directory / f"{self.name}.pgpass"),
                "authentication": {
                    "superuser": {"username": "postgres"},
                    "replication": {"username": "replicator"},
                },
                "pg_hba": [
                    "local all all trust",
                    "host all all 127.0.0.1/32 trust",
                    "host replication all 127.0.0.1/32 trust",
                ],
                "parameters": {"unix_socket_directories": str(self.cluster.directory)},
            },
        }

    def _shared(self) -> dict[str, Any]:
        return {
            **(PACE if self.cluster.synchronous else SLOWER_PACE),
            "primary_start_timeout": 0,
            "synchronous_mode": self.cluster.synchronous,
            "postgresql": {
                "use_pg_rewind": True,
                # Otherwise a node whose rewind fails once stays out until somebody looks at it.
                "remove_data_directory_on_rewind_failure": True,
                "parameters": {
                    "wal_receiver_timeout": "5s",
                    "wal_sender_timeout": "5s",
                    "max_connections": 100,
                },
            },
        }


def cable(ports: dict[str, int], targets: dict[str, int]) -> str:
    """Return the configuration of a proxy that passes everything on."""
    lines = ["defaults", " mode tcp", " timeout connect 2s", " timeout client 1h", " timeout server 1h"]
    for name, port in ports.items():
        lines += [f"listen {name}", f" bind 127.0.0.1:{port}", f" server one 127.0.0.1:{targets[name]}"]
    return "\n".join([*lines, ""])


def wait_for(look: Callable[[], T | None], what: str, patience_s: float, logs: Callable[[], str] = str) -> T:
    """Return what `look` finds; look again until it is there."""
    deadline = time.monotonic() + patience_s
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise SystemExit(f"{what} after {patience_s} s\n{logs()}")
        time.sleep(0.05)
    return found
