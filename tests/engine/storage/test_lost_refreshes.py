"""A replica becomes the primary that has not heard of the last refreshes: what their clients see.

Each session has the tokens A, B and C, in the order in which they were made. The replica knows of A.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import pytest

from supertokens_py.engine.records import IssuedSession, TokenTheft, TryRefresh, Verified
from supertokens_py.events import Event, TokenReused, subscribe
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.streaming_replica import StreamingReplica, streaming_replica
from tests.support.temporary_postgres import Server, postgres

pytestmark = pytest.mark.postgres

Tokens: TypeAlias = dict[str, IssuedSession]

#: What clients present within seconds of a fail-over that lost B, and of one that lost B and C; later they go
#: on with the first or the last answer, as parallel answers may overtake each other.
ORDERS = {
    "A B": ("B", "A", "BA", "AB", "BAB", "ABA"),
    "A B C": ("C", "B", "CB", "BC", "CBC", "BCB"),
}


def uri_of(*servers: Server) -> str:
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return f"postgresql://postgres@{hosts}/postgres"


def take_over(primary: Server, replica: StreamingReplica, clock: Clock) -> None:
    """Have a replica that was cut off become the primary, eight seconds after the last refresh."""
    primary.crash()
    replica.promote()
    clock.advance(s=8)


@contextmanager
def thefts() -> Iterator[list[str]]:
    """Collect the handles of sessions that were reported as stolen."""
    handles: list[str] = []

    def note(event: Event) -> None:
        if isinstance(event, TokenReused):
            handles.append(str(event.handle))

    end = subscribe(note)
    try:
        yield handles
    finally:
        end()


def known(core: Driver, users: list[str], clock: Clock) -> dict[str, Tokens]:
    """Return the first tokens of sessions that were refreshed once, ten minutes before."""
    sessions = {user: core.create(user) for user in users}
    clock.advance(minutes=10)
    tokens = {user: {"A": core.refresh(session)} for user, session in sessions.items()}
    clock.advance(minutes=10)
    return tokens


def test_a_fail_over_that_loses_refreshes(start: Opener, clock: Clock, caplog: pytest.LogCaptureFixture):
    """Every session goes on, whichever of its tokens come in which order; and thieves are found as ever."""
    cases = [
        (made, order, kept)
        for made, orders in ORDERS.items()
        for order in orders
        for kept in ("first", "last")
    ]
    with postgres() as primary, streaming_replica(primary) as replica, thefts() as accused:
        core = start(uri_of(primary, replica.server), now_ms=clock)
        tokens = known(core, [" ".join(case) for case in cases], clock)
        replica.catch_up()
        replica.cut()
        for user, own in tokens.items():
            if user.startswith("A B C"):
                own["B"] = core.refresh(own["A"])
        clock.advance(s=40)
        for own in tokens.values():
            last = "C" if "B" in own else "B"
            own[last] = core.refresh(list(own.values())[-1])
        take_over(primary, replica, clock)

        newest = [list(own.values())[-1] for own in tokens.values()]
        assert {type(core.verify(session)) for session in newest} == {TryRefresh}  # and nobody is logged out
        answers = {
            case: [core.refresh(own[name]) for name in case[1]]
            for case, own in zip(cases, tokens.values(), strict=True)
        }
        ends = {case: {type(answer) for answer in given} for case, given in answers.items()}
        assert ends == {case: {IssuedSession} for case in cases}

        clock.advance(hours=1)
        later = {case: core.refresh(answers[case][0 if case[2] == "first" else -1]) for case in cases}
        assert {case: type(answer) for case, answer in later.items()} == dict.fromkeys(cases, IssuedSession)
        assert {type(core.verify(session)) for session in later.values()} == {Verified}
        assert accused == []
        said = [record.message.partition(":")[0] for record in caplog.records]
        assert said.count("the database has lost refreshes") == 1

        clock.advance(hours=1)
        stolen = [core.refresh(own["A"]) for own in tokens.values()]
        assert {type(answer) for answer in stolen} == {TokenTheft}


def test_two_fail_overs_in_a_row_that_each_lose_a_refresh(start: Opener, clock: Clock):
    """The client goes on with what the first or the second of three primaries gave it, or with both."""
    with postgres() as first, streaming_replica(first) as second, thefts() as accused:
        core = start(uri_of(first, second.server), now_ms=clock)
        tokens = known(core, ["A", "B", "C", "BC", "CB"], clock)
        second.catch_up()
        second.cut()
        for own in tokens.values():
            own["B"] = core.refresh(own["A"])
        take_over(first, second, clock)
        with streaming_replica(second.server) as third:
            core = start(uri_of(first, second.server, third.server), now_ms=clock)
            third.catch_up()
            third.cut()
            clock.advance(s=40)
            for user, own in tokens.items():
                # Who presents nothing but A has heard of neither refresh.
                own["C"] = core.refresh(own["B" if user != "A" else "A"])
            take_over(second.server, third, clock)
            answers = {user: [core.refresh(own[name]) for name in user] for user, own in tokens.items()}
            clock.advance(hours=1)
            later = {user: core.refresh(given[-1]) for user, given in answers.items()}
            assert {user: type(answer) for user, answer in later.items()} == dict.fromkeys(
                tokens, IssuedSession
            )
            assert {type(core.verify(session)) for session in later.values()} == {Verified}
            assert accused == []
            stolen = [core.refresh(own["A"]) for user, own in tokens.items() if user != "A"]
            assert {type(answer) for answer in stolen} == {TokenTheft}
