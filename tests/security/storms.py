"""What the long runs with real servers share: clients in threads, their tally, and databases that last."""

from __future__ import annotations

import random
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.servers.harness import client
from tests.support.databases import TestDatabase, fill
from tests.support.temporary_postgres import Server, postgres


@dataclass
class Tally:
    """What was done, and what was wrong."""

    done: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in sorted(self.done.items()))

    def expect(self, holds: bool, what: str, detail: object = "") -> bool:
        """Note a problem where something does not hold."""
        if not holds:
            self.problems.append(f"{what}: {detail}")
        return holds

    def add(self, other: Tally) -> None:
        """Take over what another one counted."""
        self.done += other.done
        self.problems += other.problems


class Client(threading.Thread):
    """One client, with HTTP connections, dice and a tally of its own."""

    def __init__(self, label: str, dice: random.Random) -> None:
        super().__init__(daemon=True)
        self.label = label
        self.dice = dice
        self.tally = Tally()
        self.http: httpx2.Client
        self._work: Callable[[], None]

    def begin(self, url: str, work: Callable[[], None]) -> None:
        """Do `work` against the servers at `url`, in this thread's own time."""
        self.http = client(url)
        self._work = work
        self.start()

    def run(self) -> None:
        try:
            with self.http:
                self._work()
        except Exception as error:  # the thread would end in silence
            self.tally.expect(False, f"{self.label} gave up", repr(error))

    def end(self, tally: Tally, patience_s: float = 60) -> None:
        """Wait for its end, and add what it counted to `tally`."""
        self.join(patience_s)
        tally.expect(not self.is_alive(), "a client hangs", self.label)
        tally.add(self.tally)


def shown(answer: httpx2.Response) -> str:
    """Return an answer as a problem tells it."""
    return f"{answer.status_code} {answer.text[:200]}"


def carries_nothing(answer: httpx2.Response) -> bool:
    """Tell whether an answer neither sets nor clears a token."""
    names = ("set-cookie", "front-token", "st-access-token", "st-refresh-token", "anti-csrf")
    return not any(name in answer.headers for name in names)


@contextmanager
def database(kind: str, *, durable: bool = True) -> Generator[tuple[TestDatabase, Server | None, Path]]:
    """Make a database with its keys, "sqlite" or "postgresql"; yield it, its server and a directory."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        if kind == "sqlite":
            made = TestDatabase("sqlite-file", f"sqlite:///{directory}/storm.db")
            fill(made.uri)
            yield made, None, directory
            return
        # The fixtures' settings speed tests up, and lose what was acknowledged when the server is killed.
        settings = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"} if durable else {}
        with postgres(**settings) as server:
            made = TestDatabase("postgresql", server.uri)
            fill(made.uri)
            yield made, server, directory


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value below which `part` of all values lie."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]
