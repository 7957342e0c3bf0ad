"""Many clients with bad connections, and thieves beside them (`scripts/fuzz clients`)."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2

from tests.servers.visitor import REFRESH, Visitor

from .storms import Client, Tally, database, shown
from .workers import Workers

GRACE_S = 10
#: The last repetition is sent this long before the window closes, and the first theft so long after.
MARGIN_S = 1.0
#: Between what a client does, on average.
THINK_S = 1.0
#: After hanging up: the server may come to such a request late, and must not find it two refreshes old.
HUNG_UP_S = 2.0
WORKERS = 2


class Honest(Client):
    """A client that refreshes at random. Its answers are lost or late, its requests come twice or late.

    What is late is late by less than the window, and no more than one refresh old: a token of two
    refreshes ago is reuse at any time.
    """

    def __init__(self, number: int, dice: random.Random, until: float, tabs: ThreadPoolExecutor) -> None:
        super().__init__(f"user-{number}", dice)
        self._number = number
        self._until = until
        self._tabs = tabs
        self._visitor: Visitor
        self._handle = ""

    def work(self) -> None:
        ways: list[Callable[[], None]] = [self._plain, self._lost, self._doubled, self._late, self._overtaken]
        self._visitor = self._signed_in()
        # Five clients see to it that each way was gone, however little time this machine has for them.
        way = ways[self._number % len(ways)]
        while True:
            time.sleep(self.dice.expovariate(1 / THINK_S))
            way()
            self.tally.done[way.__name__.strip("_")] += 1
            if self._visitor.refresh_token and self.dice.random() < 0.3:
                answer = self._visitor.get("/api/verified")
                self.tally.expect(answer.status_code == 200, "false log-out at a view", self._told([answer]))
            if time.monotonic() >= self._until:
                return
            if not self._visitor.refresh_token:
                self._visitor = self._signed_in()
            way = self.dice.choice(ways)

    def _signed_in(self) -> Visitor:
        visitor = Visitor(self.http, self.dice.choice(("cookie", "header")))
        answer = visitor.login(self.label)
        self.tally.expect(answer.status_code == 200, "no log-in", shown(answer))
        self.tally.done["sessions"] += 1
        self._handle = visitor.payload["sessionHandle"]
        return visitor

    def _plain(self) -> None:
        token = self._visitor.refresh_token
        self._settle_all([self._tab(token)], time.monotonic(), token)

    def _lost(self) -> None:
        """Up to three answers never arrive; the client asks again with the token that it has."""
        first, token = time.monotonic(), self._visitor.refresh_token
        for _ in range(self.dice.randrange(1, 4)):
            self._abandoned(token)
            self._wait(first)
        self._settle_all([self._tab(token)], first, token)
        time.sleep(HUNG_UP_S)

    def _doubled(self) -> None:
        """Up to four tabs refresh at once, or a proxy sends a request again."""
        first, count, token = time.monotonic(), self.dice.randrange(2, 5), self._visitor.refresh_token
        tabs = list(self._tabs.map(self._tab, [token] * count))
        self._settle_all(tabs, first, token)

    def _late(self) -> None:
        """The same request arrives again, up to the window later."""
        first, token = time.monotonic(), self._visitor.refresh_token
        tabs = [self._tab(token)]
        for _ in range(self.dice.randrange(1, 3)):
            self._wait(first)
            tabs.append(self._tab(token))
        self._settle_all(tabs, first, token)

    def _overtaken(self) -> None:
        """An answer comes so late that it overwrites the token of a later one; that one still works."""
        self._plain()
        stale = self._visitor.refresh_token
        first = time.monotonic()
        newer = self._tab(stale)
        self._wait(first)
        self._settle_all([newer, self._tab(stale)], first, stale)

    def _wait(self, first: float) -> None:
        left_s = first + GRACE_S - MARGIN_S - time.monotonic()
        time.sleep(max(0.0, self.dice.random() ** 2 * left_s))

    def _tab(self, token: str) -> tuple[Visitor, httpx2.Response]:
        tab = Visitor(self.http, self._visitor.mode, refresh_token=token)
        answer = tab.refresh()
        self.tally.done["requests"] += 1
        return tab, answer

    def _abandoned(self, token: str) -> None:
        """Send a refresh and hang up: before the answer, or when it is there."""
        headers, patience_s = self._visitor.headers(REFRESH, bearer=token), self.dice.uniform(0.001, 0.03)
        try:
            with self.http.stream("POST", REFRESH, headers=headers, timeout=patience_s):
                self.tally.done["answers dropped"] += 1
        except httpx2.TimeoutException:
            self.tally.done["requests abandoned"] += 1

    def _settle_all(self, tabs: list[tuple[Visitor, httpx2.Response]], first: float, token: str) -> None:
        """Keep the tokens of the answers to one token, which must all be of one session that lives.

        The token itself is the answer until the grace period of its own rotation ends, then one successor.
        """
        took_s = time.monotonic() - first
        refused = [answer for _, answer in tabs if answer.status_code != 200]
        if refused and took_s > GRACE_S:
            self.tally.done["stood still beyond the window"] += 1  # this machine, not the library
        else:
            self.tally.expect(not refused, "false log-out", self._told(refused))
            successors = {tab.refresh_token for tab, _ in tabs} - {token}
            self.tally.expect(len(successors) <= 1, "several successors", len(successors))
        self._visitor = tabs[-1][0]

    def _told(self, answers: list[httpx2.Response]) -> str:
        return f"session {self._handle}, {[shown(answer) for answer in answers]}"


class Thief(Client):
    """An owner and a thief in one: each retired token that is used beyond the window ends the session."""

    def __init__(self, label: str, dice: random.Random, until: float) -> None:
        super().__init__(label, dice)
        self._until = until

    def work(self) -> None:
        while True:
            owner = Visitor(self.http)
            owner.login(self.label)
            held = [owner.refresh_token]
            for _ in range(self.dice.randrange(1, 3)):
                self.tally.expect(owner.refresh().status_code == 200, "owner refused")
                held.append(owner.refresh_token)
                time.sleep(GRACE_S + MARGIN_S + self.dice.expovariate(1 / THINK_S))
            self.tally.expect(len(set(held)) == len(held), "no rotation after the window")
            answer = owner.get("/api/verified")
            self.tally.expect(answer.status_code == 200, "owner refused", shown(answer))
            retired = self.dice.choice(held[:-1])
            self._replay(owner, retired)
            which = "the last" if retired == held[-2] else "an older"
            self.tally.done[f"replays of {which} retired token"] += 1
            if time.monotonic() >= self._until:
                return

    def _replay(self, owner: Visitor, retired: str) -> None:
        answer = Visitor(self.http, refresh_token=retired).refresh()
        self.tally.expect(answer.status_code == 401, "reuse not detected", shown(answer))
        for what, after in (("access", owner.get("/api/verified")), ("refresh", owner.refresh())):
            self.tally.expect(after.status_code == 401, f"{what} token alive after reuse", shown(after))


def crowd(kind: str, seed: int, clients: int, minutes: float) -> Tally:
    """Let `clients` honest ones, and a quarter as many thieves, have their way with two processes."""
    dice, tally = random.Random(seed), Tally()
    settings = {"SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": str(GRACE_S)}
    with database(kind) as (made, _, directory), ThreadPoolExecutor(clients) as tabs:
        workers = Workers(made.uri, directory / "log", settings)
        workers.start(WORKERS)
        until = time.monotonic() + minutes * 60
        honest = [Honest(n, random.Random(dice.random()), until, tabs) for n in range(clients)]
        thieves = [
            Thief(f"victim-{n}", random.Random(dice.random()), until) for n in range(max(1, clients // 4))
        ]
        for one in (*honest, *thieves):
            one.begin(workers.url, one.work)
        for one in (*honest, *thieves):
            one.end(tally, minutes * 60 + 60)
        tally.expect(len(workers.process_ids) == WORKERS, "a process ended")
        # The servers' audit log tells why a session ended: which sort of reuse, and how late it came.
        reuses = re.findall(r"session\.reuse handle=(\S+) .*", workers.log.read_text())
        replays = sum(count for what, count in tally.done.items() if what.startswith("replays"))
        late = tally.done["stood still beyond the window"]  # reuse by the rules, and counted as such
        tally.expect(
            replays <= len(reuses) <= replays + late,
            "reuses in the audit log",
            f"{len(reuses)}, not {replays}",
        )
        told = "\n".join(tally.problems)
        lines = workers.log.read_text().splitlines()
        tally.problems += [line for line in lines for handle in reuses if handle in line and handle in told]
        workers.kill()
    return tally
