"""Ports for programs that cannot be handed a socket: nobody else is given one before its program opens it."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

#: Above what browsers refuse, below what the system gives to whoever asks it for any port.
FIRST, END = 11_000, 20_000
#: How many a process has, in turn.
BLOCK = 60
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """Return a port that nobody listens on, of those that are this test process's own.

    One that the system has given out and that was closed again is anybody's: until a program has started and
    opened it, which takes seconds, the system may give it to another test.
    """
    for port in itertools.islice(_own_ports(), BLOCK):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@functools.cache
def _own_ports() -> Iterator[int]:
    """Return a block of ports, over and over, that no other test process has, and the system does not use."""
    end = min(END, int(_RANGE.read_text().split()[0])) if _RANGE.is_file() else END
    folder = Path(tempfile.gettempdir()) / f"supertokens-test-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for first in range(FIRST, end - BLOCK + 1, BLOCK):
        lock = os.open(folder / str(first), os.O_CREAT | os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        return itertools.cycle(range(first, first + BLOCK))  # the lock goes with this process
    return iter(())
