"""Servers that are killed under load, again and again, on one database (`scripts/fuzz kills`)."""

from __future__ import annotations

import json
import random
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import httpx2
import jwt

from tests.servers.harness import client
from tests.servers.visitor import Visitor
from tests.support.databases import TestDatabase
from tests.support.temporary_postgres import Server

from .storms import Client, Tally, carries_nothing, database, shown
from .workers import Workers

GRACE_S = 5
WORKERS = 2
CLIENTS = 4
#: Sessions that one client has at a time, about; what is more is revoked.
SESSIONS = 4
LOAD_S = (0.05, 0.2)
#: Every so many kills it is the PostgreSQL server that is killed, and the processes go on.
DATABASE_EVERY = 40


@dataclass
class Held:
    """A session, as the client knows it that holds its tokens."""

    visitor: Visitor
    handle: str
    chain: list[str]  #: refresh tokens in the order in which they were received
    received_at: float  #: the last of them, first
    asked_at: float | None = None  #: when a refresh was sent first that was never answered
    state: Literal["live", "ending", "ended"] = "live"


class Owner(Client):
    """A client that owns some sessions of a server which may die at any moment."""

    def __init__(self, label: str, dice: random.Random, sessions: list[Held]) -> None:
        super().__init__(label, dice)
        self.sessions = sessions
        self.ended: set[str] = set()  #: handles of sessions that must never be seen again

    # -- while the server dies -----------------------------------------------------------------------

    def load(self, over: threading.Event, *, away: bool) -> None:
        """Create, refresh and revoke until `over`; `away`: 503 is an answer, too, and settles nothing."""
        while not over.is_set():
            try:
                answer = self._step()
            except httpx2.ConnectError:
                time.sleep(0.005)  # nobody is there any more
                continue
            except httpx2.HTTPError:
                self.tally.done["answers lost"] += 1
                continue
            if answer is not None and away and answer.status_code == 503:
                self.tally.done["answered 503"] += 1
                self.tally.expect(carries_nothing(answer), "tokens in a 503", answer.headers)
                time.sleep(0.02)
            elif answer is not None:
                self.tally.expect(answer.status_code == 200, "refused under load", shown(answer))

    def _step(self) -> httpx2.Response | None:
        live = [held for held in self.sessions if held.state == "live"]
        roll = self.dice.random()
        if not live or roll < (0.5 if len(live) < SESSIONS else 0.1):
            return self._create()
        held = self.dice.choice(live)
        if roll < 0.8:
            return self.refresh(held)
        return self.revoke(held)

    def _create(self) -> httpx2.Response:
        visitor = Visitor(self.http)
        answer = visitor.login(self.label)
        if answer.status_code == 200:
            claims = jwt.decode(visitor.access, options={"verify_signature": False})
            token = visitor.refresh_token
            self.sessions.append(Held(visitor, claims["sessionHandle"], [token], time.monotonic()))
            self.tally.done["created"] += 1
        return answer

    def refresh(self, held: Held) -> httpx2.Response:
        """Refresh with the last token received; remember since when an answer is owed."""
        if held.asked_at is None:
            held.asked_at = time.monotonic()
        answer = self._with(held).refresh(held.chain[-1])
        if answer.status_code == 200:
            token = held.visitor.refresh_token
            self.tally.expect(token not in held.chain[:-1], "a replaced token came back", held.handle)
            held.asked_at = None
            if token == held.chain[-1]:
                self.tally.done["kept within the window"] += 1
            else:
                held.chain.append(token)
                held.received_at = time.monotonic()
                self.tally.done["refreshed"] += 1
        return answer

    def revoke(self, held: Held) -> httpx2.Response:
        held.state = "ending"
        answer = self._with(held).sign_out()
        if answer.status_code == 200:
            held.state = "ended"
            self.tally.done["revoked"] += 1
        return answer

    def _with(self, held: Held) -> Visitor:
        held.visitor.http = self.http
        return held.visitor

    # -- afterwards ----------------------------------------------------------------------------------

    def verify(self) -> None:
        """Hold every session of this client against what was acknowledged."""
        for held in list(self.sessions):
            match held.state:
                case "live":
                    self._verify_live(held)
                case "ending":  # nobody knows: the revocation may have been done or not
                    if self.refresh(held).status_code == 200:
                        answer = self.revoke(held)
                        self.tally.expect(answer.status_code == 200, "not revoked", shown(answer))
                    self._verify_ended(held)
                case "ended":
                    self._verify_ended(held)

    def _verify_live(self, held: Held) -> None:
        used, owed = held.chain[-1], held.asked_at is not None
        first = held.asked_at or time.monotonic()  # the rotation is no earlier, and its window ends no sooner
        answer = self.refresh(held)
        if self._too_late(held, answer, first):
            return
        if not self.tally.expect(answer.status_code == 200, "session lost", (held.handle, shown(answer))):
            self.forget(held)
            return
        self.tally.done["found alive"] += 1
        rotated = held.chain[-1] != used  # else its window may end before the next use of it
        if rotated and (owed or self.dice.random() < 0.2):
            # Whether the first use came through or not: within the window there is one successor.
            again = Visitor(self.http, refresh_token=used)
            answer = again.refresh()
            if self._too_late(held, answer, first):
                return
            same = answer.status_code == 200 and again.refresh_token == held.chain[-1]
            self.tally.expect(same, "another successor", (held.handle, shown(answer)))
            self.tally.done["repeated in the window"] += 1
        if self.dice.random() < 0.2:
            answer = held.visitor.get("/api/verified")
            self.tally.expect(answer.status_code == 200, "not verified", (held.handle, shown(answer)))

    def _too_late(self, held: Held, answer: httpx2.Response, first: float) -> bool:
        """Tell whether a refusal is right because this machine stood still for longer than the window."""
        late = answer.status_code == 401 and time.monotonic() - first > GRACE_S
        if late:
            self.tally.done["asked again too late"] += 1
            self.forget(held)
        return late

    def _verify_ended(self, held: Held) -> None:
        self._refused(held.chain[-1], "a revoked session lives", held)
        self.forget(held)
        self.tally.done["found revoked"] += 1

    def replay(self, held: Held, token: str, what: str) -> None:
        """Present a retired token: it is refused, and the session of it is over."""
        self._refused(token, what, held)
        self._refused(held.chain[-1], f"alive after {what}", held)
        self.forget(held)
        self.tally.done[what] += 1

    def _refused(self, token: str, what: str, held: Held) -> None:
        answer = Visitor(self.http, refresh_token=token).refresh()
        self.tally.expect(answer.status_code == 401, what, (held.handle, shown(answer)))

    def forget(self, held: Held) -> None:
        """Count a session as one that is over."""
        if held in self.sessions:
            self.sessions.remove(held)
        self.ended.add(held.handle)


class Storm:
    """One database, its servers and the clients that outlive them."""

    def __init__(self, database: TestDatabase, workers: Workers, seed: int, server: Server | None) -> None:
        self.tally = Tally()
        self.started_s: list[float] = []
        self.database = database
        self._workers = workers
        self._server = server
        self._dice = random.Random(seed)
        self._sessions: list[list[Held]] = [[] for _ in range(CLIENTS)]
        self._shelf: deque[Held] = deque()  # to be replayed once the window is over
        self._ended: set[str] = set()

    def rounds(self, count: int, *, database_every: int = DATABASE_EVERY) -> None:
        """Kill so many times; after each, verify everything."""
        self._start()
        for number in range(count):
            if self._server is not None and number % database_every == database_every - 1:
                self._kill_the_database()
            else:
                self._kill_the_workers(number)
                self._start()
            before = len(self.tally.problems)
            self._all(Owner.verify)
            self._all(self._replay)
            self._check_rows()
            if len(self.tally.problems) > before:
                self.tally.problems.append(f"in round {number}; the servers said: {self._workers.logs()}")
                break
            if number % 100 == 99:
                print(f"{number + 1} of {count}", file=sys.stderr, flush=True)
        self._workers.kill()

    def _start(self) -> None:
        began = time.monotonic()
        self._workers.start(WORKERS)
        with client(self._workers.url) as http:  # else a whole load may hit servers that load their keys
            answer = Visitor(http).login("first")
        self.tally.expect(answer.status_code == 200, "no start", shown(answer))
        self.started_s.append(time.monotonic() - began)

    def _kill_the_workers(self, number: int) -> None:
        over = threading.Event()
        with self._clients(lambda one: one.load(over, away=False)):
            time.sleep(self._dice.uniform(*LOAD_S))
            if self._dice.random() < 0.3:  # one alone, in mid-transaction; the other serves on
                self._workers.kill(1)
                self.tally.done["kills of one of two"] += 1
                time.sleep(self._dice.uniform(0.02, 0.1))
            self._workers.kill()
            over.set()
        self.tally.done["kills"] += 1
        if self.database.kind == "sqlite-file" and number % 2:
            self._check_file()  # as it was left, before a server has put it in order

    def _kill_the_database(self) -> None:
        assert self._server is not None
        how = self._dice.choice((signal.SIGQUIT, signal.SIGKILL))
        over = threading.Event()
        with self._clients(lambda one: one.load(over, away=True)):
            time.sleep(self._dice.uniform(*LOAD_S))
            self._server.crash(how)
            time.sleep(0.1)
            over.set()
        self._server.start()
        self.tally.done[f"kills of PostgreSQL by {how.name}"] += 1

    @contextmanager
    def _clients(self, work: Callable[[Owner], None]) -> Generator[None]:
        owners = [
            Owner(f"user-{number}", random.Random(self._dice.random()), sessions)
            for number, sessions in enumerate(self._sessions)
        ]
        for owner in owners:
            owner.begin(self._workers.url, partial(work, owner))
        try:
            yield
        finally:
            for owner in owners:
                owner.end(self.tally)
                self._ended |= owner.ended

    def _all(self, work: Callable[[Owner], None]) -> None:
        with self._clients(work):
            pass

    def _replay(self, owner: Owner) -> None:
        """Sacrifice some sessions: what was retired is never accepted again."""
        live = [held for held in owner.sessions if held.state == "live"]
        long = [held for held in live if len(held.chain) > 2]
        rotated = [held for held in live if len(held.chain) > 1]
        if long and owner.dice.random() < 0.3:
            held = owner.dice.choice(long)
            owner.replay(held, held.chain[-3], "a token of two refreshes ago")
        elif rotated and owner.dice.random() < 0.2:
            held = owner.dice.choice(rotated)
            owner.sessions.remove(held)
            self._shelf.append(held)
        if owner.label == "user-0":
            while self._shelf and time.monotonic() > self._shelf[0].received_at + GRACE_S + 0.5:
                held = self._shelf.popleft()
                owner.replay(held, held.chain[-2], "the last token after the window")

    # -- the database --------------------------------------------------------------------------------

    def _check_file(self) -> None:
        found = self.database.query("PRAGMA integrity_check")
        self.tally.expect(found == [("ok",)], "integrity_check", found)
        found = self.database.query("PRAGMA foreign_key_check")
        self.tally.expect(found == [], "foreign_key_check", found)
        self.tally.done["integrity checks"] += 1

    def _check_rows(self) -> None:
        if self.database.kind == "sqlite-file":
            self._check_file()
        rows = self.database.query(
            "SELECT session_handle, refresh_token_hash_2, prev_refresh_token_hash_2, "
            "refresh_token_rotated_at, created_at_time, expires_at, jwt_user_payload, session_data "
            "FROM session_info"
        )
        stored = {row[0] for row in rows}
        held = {h.handle for sessions in self._sessions for h in sessions} | {h.handle for h in self._shelf}
        self.tally.expect(len(stored) == len(rows), "a session is stored twice")
        self.tally.expect(held <= stored, "acknowledged sessions are gone", held - stored)
        self.tally.expect(not self._ended & stored, "ended sessions are stored", self._ended & stored)
        for row in rows:
            self.tally.expect(_is_whole(row), "a row is half-written", row)
        keys = self.database.query("SELECT count(*) FROM session_access_token_signing_keys")
        self.tally.expect(keys == [(1,)], "signing keys", keys)
        self.tally.done["row checks"] += 1


def _is_whole(row: tuple[Any, ...]) -> bool:
    """Tell whether the columns of a session row fit together."""
    _, current, previous, rotated_ms, created_ms, expires_ms, payload, data = row
    hashes = [current] if previous is None else [current, previous]
    try:
        sizes, payload, data = (
            [len(bytes.fromhex(one)) for one in hashes],
            json.loads(payload),
            json.loads(data),
        )
    except ValueError:
        return False
    return (
        set(sizes) == {32}
        and len(set(hashes)) == len(hashes)
        and (previous is None or rotated_ms is not None)  # a rotation may have been taken back
        and created_ms <= (rotated_ms or created_ms) < expires_ms
        and (payload["visits"], data) == (0, {})
    )


@contextmanager
def storm(kind: str, seed: int) -> Generator[Storm]:
    """Make servers on a database of a kind, "sqlite" or "postgresql", until the block ends."""
    settings = {"SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": str(GRACE_S)}
    with database(kind) as (made, server, directory):
        yield Storm(made, Workers(made.uri, directory / "log", settings), seed, server)
