"""Events as records: who subscribes gets each one after its commit, and no subscriber can do harm."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.events import (
    ClaimsFailed,
    DatabaseFailed,
    EngineUnavailable,
    Event,
    SessionCreated,
    SessionRefreshed,
    SessionRefreshedAgain,
    SessionRevoked,
    TokenReused,
    emit,
    subscribe,
)
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session.claims import BooleanClaim
from tests.engine.driver import Driver
from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.databases import TestDatabase


@pytest.fixture
def core(sqlite_database: TestDatabase, clock: Clock) -> Iterator[Driver]:
    driver = Driver(sqlite_database.uri, now_ms=clock)
    yield driver
    driver.close()


@pytest.fixture
def events() -> Iterator[list[Event]]:
    """Every event, in order."""
    found: list[Event] = []
    unsubscribe = subscribe(found.append)
    yield found
    unsubscribe()


def test_a_session_from_creation_to_reuse(core: Driver, clock: Clock, events: list[Event]) -> None:
    """Each event is a record of its kind with typed fields."""
    session, other = core.create("somebody"), core.create("other")
    core.refresh(session)
    clock.advance(s=3)
    core.refresh(session)
    clock.advance(minutes=5)
    core.refresh(session)
    core.sessions.revoke([other.handle])
    handle = session.handle
    assert events == [
        SessionCreated(handle=handle, user_id="somebody", tenant_id="public"),
        SessionCreated(handle=other.handle, user_id="other", tenant_id="public"),
        SessionRefreshed(handle=handle),
        SessionRefreshedAgain(
            handle=handle, user_id="somebody", presented="previous", age_ms=3000, late=False
        ),
        TokenReused(handle=handle, user_id="somebody", subtype="RECENT_PREV", age_ms=303000),
        SessionRevoked(handle=other.handle, user_id="other", tenant_id="public"),
    ]


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django_sync", "django_async"])
def test_refused_requests_are_events_in_every_framework(
    framework: str, sqlite_database: TestDatabase, clock: Clock, events: list[Event]
) -> None:
    """Failed claims and a database out of reach are events in every framework."""
    site = Site(framework, sqlite_database.uri, clock).init()
    claims = [BooleanClaim(name, _no) for name in ("admin", "paid")]
    failing = [claim.validators.is_true() for claim in claims]
    site.world.validators = lambda *_: failing  # pyright: ignore[reportUnknownLambdaType]
    visitor = site.sign_in()
    del events[:]
    assert visitor.get("/claims").status == 403
    site.uri = "sqlite:////dev"
    site.init()
    assert visitor.get("/protected").status == 503
    assert events == [
        ClaimsFailed(handle=visitor.handle, claims=("admin", "paid")),
        DatabaseFailed(kind="other", is_final=True),
        EngineUnavailable(),
    ]
    site.close()


def test_an_event_is_emitted_after_its_commit(
    core: Driver, sqlite_database: TestDatabase, clock: Clock
) -> None:
    """A subscriber that reads the database by another connection finds what the event says."""
    reader = Driver(sqlite_database.uri, now_ms=clock)
    seen: list[tuple[str, bool]] = []

    def look(event: Event) -> None:
        known: Any = event
        seen.append((event.name, reader.sessions.information(known.handle) is not None))

    unsubscribe = subscribe(look)
    session = core.create()
    core.sessions.revoke([session.handle])
    unsubscribe()
    reader.close()
    assert seen == [("session.created", True), ("session.revoked", False)]


def test_nothing_comes_after_unsubscribing(core: Driver) -> None:
    """Nothing comes any more; a second time changes nothing; each subscription is one of its own."""
    found: list[Event] = []
    first, second = subscribe(found.append), subscribe(found.append)
    emit(EngineUnavailable())
    first()
    first()
    emit(EngineUnavailable())
    second()
    emit(EngineUnavailable())
    assert len(found) == 3


def test_a_subscriber_that_fails(core: Driver, caplog: pytest.LogCaptureFixture, events: list[Event]) -> None:
    """The call goes on, the other subscribers get the event, and the failure is logged once."""

    def fail(event: Event) -> None:
        raise RuntimeError("no disk for events")

    unsubscribe = subscribe(fail)
    last: list[Event] = []
    unsubscribe_last = subscribe(last.append)
    with caplog.at_level(logging.ERROR, "supertokens_py.events"):
        core.refresh(core.create())
    unsubscribe()
    unsubscribe_last()
    assert [event.name for event in last] == ["session.created", "session.refreshed"]
    assert last == events
    (record,) = caplog.records
    assert record.getMessage() == "a subscriber of events failed; its next failures are not logged"
    assert "no disk for events" in str(record.exc_info)


def _no(*_: Any) -> bool:
    return False


async def _awaited(event: Event) -> None: ...


@pytest.mark.parametrize("wrong", [None, "session.created", _awaited])
def test_what_cannot_subscribe(wrong: Any) -> None:
    """An async function would never be awaited: it is refused where it is written."""
    with pytest.raises(ConfigError, match="a plain function of one argument"):
        subscribe(wrong)
