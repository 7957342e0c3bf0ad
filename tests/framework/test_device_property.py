"""No sequence of requests without the key of the device is answered once the bound cookie has expired."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supertokens_py.recipe.session import Impersonation
from supertokens_py.testing.conformance import Reply
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.device_browser import BOUND_COOKIE, CHALLENGE, OFFER, DeviceBrowser

from .site import Site
from .test_device_thefts import begin, for_ever, switch
from .test_impersonation import END

COOKIE_MS = 600_000
REGISTER, REFRESH = "/auth/session/device/register", "/auth/session/device/refresh"
HEADERS = [("st-auth-mode", "header"), ("rid", "anti-csrf")]
SKIPPED = ("secure-session-skipped", 'server_error;session_identifier="any"')


@pytest.fixture
def open_site(clock: Clock) -> Iterator[Callable[[TestDatabase], Site]]:
    """Return an application that binds sessions, on a database."""
    sites: list[Site] = []

    def opened(database: TestDatabase) -> Site:
        sites.append(Site("fastapi", database.uri, clock))
        impersonation = Impersonation(may=lambda *_: True, routes=True)
        return sites[-1].init(device_binding="auto", impersonation=impersonation)

    yield opened
    for site in sites:
        site.close()


@dataclass
class Chase:
    """An owner, and a thief who copies all but the key: the jar, and what went over the wire so far."""

    site: Site
    is_late: bool
    owner: DeviceBrowser = field(init=False)
    thief: DeviceBrowser = field(init=False)
    challenges: list[str] = field(default_factory=list)
    stolen_ms: int = 0

    def __post_init__(self) -> None:
        clock = self.site.clock
        self.owner, self.thief = DeviceBrowser(self.site, clock), DeviceBrowser(self.site, clock)
        self.owner.quota = 0
        offer = OFFER.fullmatch(self.owner.sign_in().header("secure-session-registration") or "")
        assert offer
        self.challenges.append(offer[2])
        if not self.is_late:
            self.owner_registers()
        self.steal()

    def owner_registers(self, _: int = 0) -> None:
        """Have the owner's browser accept the offer; from then on ten minutes are what a copy is good for."""
        self.owner.quota = None
        if not self.owner.sessions:
            self.owner.register(REGISTER, self.challenges[0])
        if self.owner.sessions:
            self.stolen_ms = max(self.stolen_ms, self.site.clock())

    # -- the owner -----------------------------------------------------------------------------------

    def owner_visits(self, _: int) -> None:
        self.owner.get("/protected")

    def owner_refreshes(self, _: int) -> None:
        self.owner.refresh()

    # -- the thief -----------------------------------------------------------------------------------

    def steal(self, _: int = 0) -> None:
        """Copy the jar; what the server says of lifetimes does not bother a thief."""
        self.thief.jar = for_ever(self.owner.jar)
        self.stolen_ms = self.site.clock()

    def visit(self, _: int) -> None:
        self.judge(self.thief.send("GET", "/protected", [("rid", "anti-csrf")]))

    def visit_with_header(self, _: int) -> None:
        if token := self.thief.cookie("sAccessToken"):
            self.judge(self.site.get("/protected", HEADERS, bearer=token))

    def refresh(self, number: int) -> None:
        skipped = [SKIPPED] if number % 2 else []
        reply = self.thief.send("POST", "/auth/session/refresh", [("rid", "anti-csrf"), *skipped])
        self.judge(reply)

    def refresh_with_header(self, _: int) -> None:
        if token := self.thief.cookie("sRefreshToken"):
            self.judge(self.site.post("/auth/session/refresh", HEADERS, bearer=token))

    def ask(self, _: int) -> None:
        self.prove(None)

    def replay(self, number: int) -> None:
        proofs = self.owner.sent_proofs or [None]
        self.prove(proofs[-1 - number % len(proofs)])

    def sign(self, number: int) -> None:
        challenge = self.challenges[-1 - number % len(self.challenges)]
        self.prove(self.thief.proof(challenge, with_key=bool(number % 3)))

    def replay_registration(self, _: int) -> None:
        if self.owner.sent_proofs:
            self.judge(self.thief.send_proof(REGISTER, self.owner.sent_proofs[0]))

    def register(self, number: int) -> None:
        """Sign with another key; whoever is there at log-in, before the owner's browser, may bind his own."""
        if not self.owner.sent_proofs:
            return
        challenge = self.challenges[number % len(self.challenges)]
        self.judge(self.thief.send_proof(REGISTER, self.thief.proof(challenge, with_key=True)))

    def put_in_place(self, _: int) -> None:
        """Have the application put a session in the place of the copied one."""
        self.judge(self.thief.send("POST", "/open", [("rid", "anti-csrf")], do=switch))

    def act(self, _: int) -> None:
        """Act as another user; what is begun before the registration is out of an unbound session."""
        if self.owner.registered:
            self.judge(self.thief.send("POST", "/open", [("rid", "anti-csrf")], do=begin))

    def act_no_more(self, _: int) -> None:
        self.judge(self.thief.send("POST", END, [("rid", "anti-csrf")]))

    def prove(self, proof: str | None) -> None:
        identifier = self.owner.registered or "A" * 22
        reply = self.thief.send_proof(REFRESH, proof, identifier)
        if found := CHALLENGE.fullmatch(reply.header("secure-session-challenge") or ""):
            self.challenges.append(found[1])
        self.judge(reply)

    def judge(self, reply: Reply) -> None:
        """Fail if an answer gives what a session gives, now or when the copied cookies have expired."""
        given = [cookie.name for cookie in reply.set_cookies if cookie.raw not in ("", '""')]
        self.thief.jar = for_ever(self.thief.jar)
        if BOUND_COOKIE in given:  # for a session in the place of the copied one
            assert int(reply.cookie(BOUND_COOKIE).raw.split(".")[1]) <= self.stolen_ms + COOKIE_MS, reply
        if self.owner.registered:
            assert reply.header("secure-session-registration") is None, reply
        if self.owner.registered and self.site.clock() >= self.stolen_ms + COOKIE_MS:
            assert given == [], reply
            assert reply.header("st-access-token") in (None, ""), reply
            assert reply.header("st-refresh-token") in (None, ""), reply
            assert reply.json not in ({"user": "user-1"}, {"user": "user-2"}), reply


NAMES = (
    *(
        "owner_registers",
        "owner_visits",
        "owner_visits",
        "owner_refreshes",
        "steal",
        "visit",
        "visit_with_header",
    ),
    *("refresh", "refresh_with_header", "ask", "replay", "replay", "replay_registration", "sign", "register"),
    *("put_in_place", "act", "act_no_more"),
)
PAUSES_MS = st.sampled_from(
    [0, 0, 0, 1, 1_000, 31_000, 299_999, 300_000, COOKIE_MS - 1, COOKIE_MS, 3_600_001]
)
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 3), PAUSES_MS), max_size=20)


@pytest.mark.parametrize(
    ("kind", "examples"),
    [("sqlite_database", 40), pytest.param("postgres_database", 5, marks=pytest.mark.postgres)],
)
def test_nothing_is_answered_without_the_key(
    request: pytest.FixtureRequest, open_site: Any, clock: Clock, kind: str, examples: int
) -> None:
    """CP-29: whatever the owner does meanwhile, and whatever the thief replays, signs or registers."""
    site = open_site(request.getfixturevalue(kind))

    @settings(max_examples=examples, deadline=None)
    @given(st.booleans(), STEPS)
    def run(is_late: bool, steps: list[tuple[str, int, int]]) -> None:
        chase = Chase(site, is_late)
        for name, number, pause_ms in steps:
            clock.advance(ms=pause_ms)
            getattr(chase, name)(number)
        chase.owner_registers()
        clock.advance(ms=COOKIE_MS)
        for name in ("visit", "visit_with_header", "refresh", "refresh_with_header", "act", "put_in_place"):
            getattr(chase, name)(0)

    run()
