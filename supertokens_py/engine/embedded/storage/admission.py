"""How many units of work may be under way: none over a fork, and no more than a full server has room for."""

from __future__ import annotations

import threading
import time

from supertokens_py.exceptions import EngineUnavailableError

#: How long a server that had no room for another connection is not asked for one again.
FULL_FOR_S = 10.0


class Gate:
    """Lets units of work in, and lets a fork or a close wait until none is inside."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.Lock())
        self._inside = 0
        self._closers = 0

    def __enter__(self) -> None:
        with self._condition:
            while self._closers:
                self._condition.wait()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._condition:
            self._inside -= 1
            if self._closers:
                self._condition.notify_all()

    def close(self, patience_s: float) -> None:
        with self._condition:
            self._closers += 1
            self._condition.wait_for(lambda: self._inside == 0, patience_s)

    def open(self) -> None:
        with self._condition:
            self._closers -= 1
            self._condition.notify_all()


class Slots:
    """Lets in as many units as there are connections, once the server has refused another one.

    The pool opens a connection only if none is free, so with no more units than connections it opens
    none, and every unit gets one of those that are there. A fork or a close waits for nobody: the
    connections of PostgreSQL belong to their process.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._lock = threading.Lock()  # by itself it is taken in a fifth of the time of a condition
        self._room = threading.Condition(self._lock)
        self._inside = 0
        self._limit: int | None = None  #: None: the size of the pool is the only limit
        self._full_until = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if self._limit is not None and not self._room.wait_for(self._has_room, self._patience_s):
                raise EngineUnavailableError(
                    f"the server has room for {self._limit} connections of this process, and all stayed busy "
                    f"for {self._patience_s:g} s: lower pool_size (SUPERTOKENS_POOL_SIZE) in all of them, or "
                    "raise max_connections"
                )
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._limit is not None:
                self._room.notify()

    def refused(self, connections: int) -> bool:
        """Note that the server refused another connection; return whether there are any to wait for.

        `connections` is how many the pool has. It may count some that broke or were refused at the same
        time, so every further refusal lowers the limit by one.
        """
        if connections == 0:
            return False
        with self._lock:
            last = connections if self._limit is None else self._limit - 1
            self._limit = max(1, min(connections, last))
            self._full_until = time.monotonic() + FULL_FOR_S
            return True

    def close(self, patience_s: float) -> None: ...

    def open(self) -> None: ...

    def _has_room(self) -> bool:
        if self._limit is not None and time.monotonic() >= self._full_until:
            self._limit = None
        return self._limit is None or self._inside < self._limit
