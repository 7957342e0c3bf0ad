"""What a client can see of a connection pooler, without one: a greeting and names of statements of its own.

Each client has a connection to the server for itself, as in session mode.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from .freezing_relay import FreezingRelay

# BackendKeyData of protocol 3.0, the last message but one before the first query: a process id and a secret.
_GREETING = re.compile(rb"(K\0\0\0\x0c).{4}(.{4}Z\0\0\0\x05)", re.DOTALL)
_PARSE = re.compile(rb"(P\0.{3})supertokens_py", re.DOTALL)


class PoolerRelay(FreezingRelay):
    """Makes up the process id in the greeting; may keep account of prepared statements."""

    def __init__(self, target_port: int, *, tracks: bool) -> None:
        self._tracks = tracks
        super().__init__(target_port)

    def to_server(self, data: bytes) -> bytes:
        return _PARSE.sub(rb"\1of_the_pooler_", data) if self._tracks else data

    def to_client(self, data: bytes) -> bytes:
        return _GREETING.sub(rb"\1\0\0\0\0\2", data)


@contextlib.contextmanager
def pooler_relay(database_uri: str, *, tracks: bool = False) -> Iterator[str]:
    """Yield another URI of a database on this machine, which leads through the relay."""
    server, _, name = database_uri.rpartition("/")
    relay = PoolerRelay(int(server.rpartition(":")[2]), tracks=tracks)
    try:
        yield f"{server.rpartition(':')[0]}:{relay.port}/{name}"
    finally:
        relay.close()
