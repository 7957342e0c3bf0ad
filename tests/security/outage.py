"""PostgreSQL is killed under load and stays away for a while (`scripts/fuzz outage`)."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

import httpx2

from tests.servers.visitor import REFRESH, SIGN_OUT, Visitor

from .storms import Client, Tally, carries_nothing, database, percentile, shown
from .workers import PROCESS_HEADER, Workers

WORKERS = 4
CLIENTS = 16
SESSIONS = 4
#: How long the load runs before, and how long everything must work in all processes afterwards.
BEFORE_S = AFTER_S = 2.0
#: When the last 503 must have been seen, at the latest, after the server is back.
RECOVERED_S = 10.0
#: How long the processes may take until each of them has asked the database for the first time.
STARTED_S = 60.0


@dataclass(frozen=True)
class Seen:
    """One answer."""

    at: float
    took_s: float
    status: int
    process: str
    asks_database: bool


@dataclass
class Result:
    """What an outage of `seconds` looked like from outside."""

    seconds: float
    tally: Tally = field(default_factory=Tally)
    seen: list[Seen] = field(default_factory=list)
    away_at: float = 0
    back_at: float = 0
    #: Seconds from the database's return to the first good answer of each process that needed it.
    recovered_s: dict[str, float] = field(default_factory=dict)
    sessions: int = 0

    def __str__(self) -> str:
        lines: list[str] = []
        for what, since, until in (
            ("before", 0.0, self.away_at),
            ("away", self.away_at, self.back_at),
            ("after", self.back_at, float("inf")),
        ):
            parts: dict[tuple[str, int], list[float]] = defaultdict(list)
            for one in self.seen:
                if since <= one.at < until:
                    kind = "with" if one.asks_database else "without"
                    parts[kind, one.status].append(one.took_s)
            told = [
                f"{kind} database {status}: {len(took)} (median {percentile(took, 0.5) * 1000:.0f} ms, "
                f"at most {max(took) * 1000:.0f} ms)"
                for (kind, status), took in sorted(parts.items())
            ]
            lines.append(f"{what}: " + ", ".join(told))
        last = max((s.at for s in self.seen if s.status == 503), default=self.back_at) - self.back_at
        lines.append(f"last 503 {last:+.2f} s from its return; processes worked again after " + ", ".join(
            f"{seconds:.2f} s" for seconds in sorted(self.recovered_s.values())
        ))  # fmt: skip
        lines.append(f"{self.sessions} sessions, all of them asked afterwards; {self.tally}")
        return "\n".join(lines)


class User(Client):
    """Somebody who goes on using an application whose database is away."""

    def __init__(self, label: str, dice: random.Random, over: threading.Event) -> None:
        super().__init__(label, dice)
        self.seen: list[Seen] = []
        self.visitors: list[Visitor] = []
        self._over = over

    def work(self) -> None:
        while not self._over.is_set():
            if len(self.visitors) < SESSIONS:
                visitor = Visitor(self.http, self.dice.choice(("cookie", "header")))
                if self._send(visitor, "POST", "/login").status_code == 200:
                    self.visitors.append(visitor)
                continue
            visitor = self.dice.choice(self.visitors)
            self._send(
                visitor,
                *self.dice.choices(
                    (
                        ("GET", "/api/me"),
                        ("GET", "/api/verified"),
                        ("POST", REFRESH),
                        ("POST", "/api/visits"),
                    ),
                    (3, 3, 3, 1),
                )[0],
            )
            time.sleep(self.dice.uniform(0, 0.05))

    def finish(self) -> None:
        """After all is over: every session refreshes, is seen by the database, and ends."""
        for visitor in self.visitors:
            visitor.http = self.http
            for method, path in (("POST", REFRESH), ("GET", "/api/verified"), ("POST", SIGN_OUT)):
                answer = self._send(visitor, method, path)
                self.tally.expect(answer.status_code == 200, f"lost: {path}", shown(answer))

    def _send(self, visitor: Visitor, method: str, path: str) -> httpx2.Response:
        began = time.monotonic()
        # A connection of its own for each request, so that every process gets its share.
        headers = visitor.headers(path, bearer=visitor.refresh_token) | {"connection": "close"}
        body = {"user": self.label, "password": "demo"} if path == "/login" else None
        answer = self.http.request(method, path, headers=headers, json=body)
        visitor.absorb(answer)
        asks = path != "/api/me"
        now, process = time.monotonic(), answer.headers[PROCESS_HEADER]
        self.seen.append(Seen(now, now - began, answer.status_code, process, asks))
        if answer.status_code == 503 and asks:
            self.tally.expect(carries_nothing(answer), "tokens in a 503", (path, answer.headers))
        else:
            self.tally.expect(answer.status_code == 200, "refused", (path, shown(answer)))
        return answer


def outage(seconds: float, seed: int) -> Result:
    """Take PostgreSQL away from four loaded processes for so long; tell what they answered."""
    dice, over, result = random.Random(seed), threading.Event(), Result(seconds)
    with database("postgresql") as (made, server, directory):
        assert server is not None
        workers = Workers(made.uri, directory / "log")
        workers.start(WORKERS)
        processes = workers.process_ids
        users = [User(f"user-{n}", random.Random(dice.random()), over) for n in range(CLIENTS)]
        for user in users:
            user.begin(workers.url, user.work)
        # Verification needs no database from the second request on; the first one loads the keys.
        started = _good_answers(users, processes, since=0, patience_s=STARTED_S)
        result.tally.expect(len(started) == WORKERS, "no start", started)
        time.sleep(BEFORE_S)
        result.away_at = time.monotonic()
        server.crash(signal.SIGQUIT)
        time.sleep(seconds)
        server.start()
        result.back_at = time.monotonic()
        result.recovered_s = _good_answers(users, processes, result.back_at)
        result.tally.expect(len(result.recovered_s) == WORKERS, "no recovery", result.recovered_s)
        time.sleep(AFTER_S)
        over.set()
        again = [User(user.label, user.dice, over) for user in users]
        for user, last in zip(users, again, strict=True):
            user.end(result.tally)
            result.seen += user.seen
            result.sessions += len(user.visitors)
            last.visitors = user.visitors
            last.begin(workers.url, last.finish)
        for last in again:
            last.end(result.tally)
        result.tally.expect(workers.process_ids == processes, "a process was restarted")
        if result.tally.problems:
            result.tally.problems.append(workers.logs())
        workers.kill()
    late = [one for one in result.seen if one.status == 503 and one.at > result.back_at + RECOVERED_S]
    result.tally.expect(not late, "503 long after the database was back", len(late))
    return result


def _good_answers(
    users: list[User], processes: list[int], since: float, patience_s: float = RECOVERED_S
) -> dict[str, float]:
    """Wait for a good answer that needed the database from each process; tell how long after `since`."""
    first: dict[str, float] = {}
    deadline = time.monotonic() + patience_s
    while len(first) < len(processes) and time.monotonic() < deadline:
        time.sleep(0.05)
        for user in users:
            for one in list(user.seen):
                if one.asks_database and one.status == 200 and one.at > since:
                    first[one.process] = min(first.get(one.process, one.at), one.at)
    return {process: at - since for process, at in first.items()}
