"""Clients that log in, refresh, ask and log out all the time, and remember every answer they got."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx2

CLIENTS = 6
PATIENCE_S = 20  #: of a browser that waits for an answer
THINKING_S = 0.02
AWAY = 503
REFUSED = 401


@dataclass
class Kept:
    """A session whose tokens a client was given."""

    user: str
    access: str
    refresh: str
    #: live: nobody ended it; ended: a log-out was acknowledged; unknown: one was asked for, and answered 503
    state: str = "live"

    def __str__(self) -> str:
        return f"a session of {self.user} ({self.state})"


@dataclass
class Seen:
    """What all clients have seen."""

    sessions: list[Kept] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)  #: when each acknowledgement of a write came
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  #: answers that nobody should get
    slowest_s: float = 0.0


class Browser:
    """Sends one request after the other; each answer is looked at."""

    def __init__(self, address: str, seen: Seen) -> None:
        self._http = httpx2.Client(base_url=address, timeout=PATIENCE_S, headers={"st-auth-mode": "header"})
        self._seen = seen

    def log_in(self, user: str) -> Kept | None:
        answer = self._send("POST", "/login", json={"user": user, "password": "demo"})
        if answer is None or not self._expected(answer, f"log-in of {user}", 200):
            return None
        kept = Kept(user, answer.headers["st-access-token"], answer.headers["st-refresh-token"])
        self._seen.sessions.append(kept)
        return kept

    def refresh(self, kept: Kept, *, refused: bool = False) -> bool:
        """Refresh; return whether there was an answer. `refused` says that it should be 401."""
        answer = self._send("POST", "/auth/session/refresh", kept.refresh)
        expected = [401] if refused else [200]
        if kept.state == "unknown":
            expected = [200, 401]
        if answer is None or not self._expected(answer, f"refresh of {kept}", *expected):
            return False
        if answer.status_code == 200:
            kept.access, kept.refresh = answer.headers["st-access-token"], answer.headers["st-refresh-token"]
        return True

    def ask(self, kept: Kept) -> bool:
        """Call a route that checks the database; return whether there was an answer.

        A client that is told to refresh does so, and nobody notices: the answer to a refresh was lost in one
        process and given by another (docs/engine.md: Lost answers).
        """
        answer = self._send("GET", "/api/verified", kept.access, writes=False)
        if answer is not None and answer.status_code == REFUSED and "try refresh" in answer.text:
            return self.refresh(kept)
        return answer is not None and self._expected(answer, f"check of {kept}", 200)

    def log_out(self, kept: Kept) -> None:
        kept.state = "unknown"
        answer = self._send("POST", "/auth/signout", kept.access)
        if answer is not None and self._expected(answer, f"log-out of {kept}", 200):
            kept.state = "ended"

    def _expected(self, answer: httpx2.Response, what: str, *statuses: int) -> bool:
        """Return whether it is one of these; an answer that is neither, nor 503, is noted as wrong."""
        if answer.status_code in statuses:
            return True
        if answer.status_code != AWAY or "st-access-token" in answer.headers:
            self._seen.wrong.append(f"{what}: {answer.status_code} {answer.text[:200]}")
        return False

    def _send(
        self, method: str, path: str, token: str | None = None, *, writes: bool = True, json: object = None
    ) -> httpx2.Response | None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        began = time.monotonic()
        try:
            answer = self._http.request(method, path, headers=headers, json=json)
        except httpx2.HTTPError as error:
            self._seen.wrong.append(f"{method} {path}: {error!r} after {time.monotonic() - began:.0f} s")
            return None
        now = time.monotonic()
        self._seen.statuses[answer.status_code] += 1
        self._seen.slowest_s = max(self._seen.slowest_s, now - began)
        if writes and answer.status_code == 200:
            self._seen.writes.append(now)
        return answer


class Load:
    """Several browsers at once, until `stop`."""

    def __init__(self, address: str) -> None:
        self.seen = Seen()
        self._address = address
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def writes_after(self, moment: float) -> float | None:
        """Return when the first write after a moment was acknowledged."""
        return next((at for at in list(self.seen.writes) if at > moment), None)

    def check_all(self) -> None:
        """Have every session refreshed once more, the ended ones too."""
        browser = Browser(self._address, self.seen)
        for kept in self.seen.sessions:
            while not browser.refresh(kept, refused=kept.state == "ended"):
                if self.seen.wrong:
                    return
                self._stopping.wait(0.1)

    def _run(self, number: int) -> None:
        browser, choice = Browser(self._address, self.seen), random.Random(number)
        mine: list[Kept] = []
        while not self._stopping.is_set():
            began = self.seen.statuses[AWAY]
            self._step(browser, choice, mine, f"user-{number}")
            away = self.seen.statuses[AWAY] != began
            time.sleep(0.1 if away else THINKING_S)

    def _step(self, browser: Browser, choice: random.Random, mine: list[Kept], user: str) -> None:
        what = choice.random()
        if not mine or what < 0.2:
            kept = browser.log_in(user)
            mine.extend([kept] if kept else [])
        elif what < 0.25:
            browser.log_out(mine.pop(choice.randrange(len(mine))))
        elif what < 0.5:
            browser.ask(choice.choice(mine))
        else:
            browser.refresh(choice.choice(mine))
