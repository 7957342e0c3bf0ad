"""A process without a feature, on a database in which another process uses it: what is kept stays true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.engine.records import Unauthorised
from supertokens_py.engine.session_records import Details, Lifetime, SessionFeatures
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

MINUTE = 60_000
ABSOLUTE = Unauthorised(
    "The session has expired: it has reached its longest lifetime.", "session_expired_absolute"
)
EVERYTHING = SessionFeatures(details=True, events=True, revocations=True)


@pytest.fixture
def core(database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """The process that has the features on."""
    clock.advance(ms=-clock() % 1000)  # access tokens count in whole seconds
    return start(database.uri, now_ms=clock, features=EVERYTHING)


@pytest.fixture
def plain(database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """The one that has none."""
    return start(database.uri, now_ms=clock)


def kinds(core: Driver, handle: str) -> list[str]:
    return [event.type for event in core.engine.events.of_session(handle)]


def test_a_refresh_keeps_to_the_end_of_the_session(core: Driver, plain: Driver, clock: Clock):
    """Wherever it is refreshed: the cookies end then, and so does the session."""
    session = core.create("me", lifetime=Lifetime(absolute_ms=MINUTE))
    end_ms = clock() + MINUTE
    clock.advance(ms=1000)
    refreshed = plain.refresh(session)
    assert (refreshed.refresh_token.expires_ms, refreshed.access_token.expires_ms) == (end_ms, end_ms)
    clock.advance(ms=MINUTE)
    assert plain.refresh(refreshed) == ABSOLUTE
    assert plain.verify(refreshed) == ABSOLUTE


FIRST_CALLS: dict[str, tuple[Callable[[Driver, Any], Any], Any]] = {
    "verify": (lambda plain, session: plain.verify(session), ABSOLUTE),
    "refresh": (lambda plain, session: plain.refresh(session), ABSOLUTE),
    "list": (lambda plain, _: plain.sessions.listed("me", tenant_id=None), []),
    "handles": (lambda plain, _: plain.sessions.user_handles("me", tenant_id=None), []),
    "details": (lambda plain, session: plain.sessions.details(session.handle), None),
    "information": (lambda plain, session: plain.sessions.information(session.handle), None),
    "payload": (lambda plain, session: plain.sessions.replace_payload(session.handle, {"a": 1}), False),
    "data": (lambda plain, session: plain.sessions.replace_data(session.handle, {"a": 1}), False),
    "shorten": (lambda plain, session: plain.sessions.shorten(session.handle, Lifetime(idle_ms=1)), False),
}


@pytest.mark.parametrize("call", FIRST_CALLS)
def test_an_end_that_has_come_holds_from_the_first_call(core: Driver, plain: Driver, clock: Clock, call: str):
    """Though a core, which knows nothing of it, has extended the session."""
    session = core.create("me", lifetime=Lifetime(absolute_ms=MINUTE))
    core.change_row(session.handle, expires_at=clock() + 100 * MINUTE)
    clock.advance(ms=MINUTE)
    work, answer = FIRST_CALLS[call]
    assert work(plain, session) == answer


def test_sessions_that_it_creates_are_known_as_the_others(core: Driver, plain: Driver, clock: Clock):
    """With what is kept of each, and their events."""
    core.database.prepare()
    session = plain.create("me")
    (listed,) = core.sessions.listed("me", tenant_id=None)
    assert (listed.handle, listed.details) == (session.handle, Details(last_seen_ms=clock()))
    assert kinds(core, session.handle) == ["session.created"]


ENDINGS: dict[str, Callable[[Driver, Any], object]] = {
    "by handle": lambda plain, session: plain.sessions.revoke([session.handle]),
    "of a user": lambda plain, _: plain.sessions.revoke_user("me", tenant_id=None),
    "with the user": lambda plain, _: plain.users.remove("me"),
    "with the tenant": lambda plain, _: plain.tenants.delete("t1"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_sessions_that_it_ends_are_recorded_as_the_others(core: Driver, plain: Driver, ending: str):
    """In the log of events, and where processes with instant revocation look."""
    core.tenants.put("t1", {})
    session = core.create("me", tenant_id="t1")
    ENDINGS[ending](plain, session)
    core.engine.revocations.poll()
    assert session.handle in core.engine.revocations.revoked.handles
    assert kinds(core, session.handle)[-1] == "session.revoked"


def test_tables_made_later_are_honoured_from_the_next_opening(
    database: TestDatabase, start: Opener, clock: Clock, plain: Driver
):
    """A process that runs already goes on as it is; nothing is looked for at requests."""
    session = plain.create("me")
    core = start(database.uri, now_ms=clock, features=EVERYTHING)
    core.database.prepare()
    plain.close()
    assert plain.sessions.revoke([session.handle]) == [session.handle]
    assert kinds(core, session.handle) == ["session.revoked"]
