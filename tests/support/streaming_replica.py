"""A throw-away replica that follows a throw-away PostgreSQL server."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from .ports import free_port
from .temporary_postgres import NOBODY, Server


class StreamingReplica:
    """A running replica; it can be told to replay nothing for a while."""

    def __init__(self, server: Server, primary: Server) -> None:
        self.server = server
        self._primary = primary

    def catch_up(self) -> None:
        """Wait until it has replayed what the primary has written by now."""
        with psycopg.connect(self._primary.uri, autocommit=True) as primary:
            # A record of its own: what commits asynchronously is not sent before something else is.
            query = "SELECT pg_logical_emit_message(true, 'tests', '')"
            (position,) = primary.execute(query).fetchone() or ("0/0",)
        with psycopg.connect(self.server.uri, autocommit=True) as replica:
            for _ in range(6000):
                found = replica.execute(
                    "SELECT pg_last_wal_replay_lsn() >= %s, pg_sleep(0.01)", [position]
                ).fetchone()
                if found is not None and found[0]:
                    return
        raise AssertionError("the replica does not catch up")

    def cut(self) -> None:
        """Let it hear of nothing more that the primary does; what it has received, it keeps."""
        self._ask("ALTER SYSTEM SET primary_conninfo = ''")
        self._ask("SELECT pg_reload_conf()")
        with psycopg.connect(self.server.uri, autocommit=True) as replica:
            for _ in range(6000):
                found = replica.execute(
                    "SELECT count(*), pg_sleep(0.01) FROM pg_stat_wal_receiver"
                ).fetchone()
                if found is not None and found[0] == 0:
                    return
        raise AssertionError("the replica still hears of its primary")

    def promote(self) -> None:
        """Make it a primary of its own."""
        self._ask("SELECT pg_promote()")

    def follow(self, other: Server) -> None:
        """Follow another server, a primary, and catch up with it."""
        self._primary = other
        self._ask(f"ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port={other.port} user=postgres'")
        self._ask("SELECT pg_reload_conf()")
        self.catch_up()

    def pause(self) -> None:
        self._ask("SELECT pg_wal_replay_pause()")

    def resume(self) -> None:
        self._ask("SELECT pg_wal_replay_resume()")

    def _ask(self, query: str) -> None:
        with psycopg.connect(self.server.uri, autocommit=True) as connection:
            connection.execute(query)


@contextlib.contextmanager
def streaming_replica(primary: Server) -> Iterator[StreamingReplica]:
    """Copy a running server, and follow it until the block ends."""
    root = Path(tempfile.mkdtemp(prefix="stpr-"))
    as_root = os.geteuid() == 0
    if as_root:
        os.chown(root, NOBODY, NOBODY)
    port = free_port()
    options = primary.options | {"port": port, "unix_socket_directories": root}
    server = Server(primary.binaries, root, port, options)
    target = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"]
    try:
        subprocess.run(
            [primary.binaries / "pg_basebackup", *target, "-D", root / "data", "-R", "-c", "fast", "-N"],
            cwd=root,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "HOME": str(root)},
            check=True,
            capture_output=True,
            **({"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_root else {}),  # type: ignore[call-overload]
        )
        server.start()
        yield StreamingReplica(server, primary)
    finally:
        server.stop()
        shutil.rmtree(root, ignore_errors=True)
