"""A machine that has no room for another thread."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def no_new_threads(*, but: str | None = None) -> Generator[None]:
    """Have every start of a thread fail as it does under `pids.max`, except that of one name."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name != but:
            raise RuntimeError("can't start new thread")
        start(thread)

    with mock.patch.object(threading.Thread, "start", refuse):
        yield
