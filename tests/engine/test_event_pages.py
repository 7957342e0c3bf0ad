"""Pages of the log of events, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from supertokens_py.engine.embedded.events import event_pages
from supertokens_py.engine.event_records import EventPage, EventQuery
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.engine.session_records import Ending, SessionFeatures
from supertokens_py.exceptions import ConfigError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase


@pytest.fixture
def core(fresh_shared: TestDatabase, start: Opener) -> Driver:
    return start(fresh_shared.uri, features=SessionFeatures(events=True))


def pages(core: Driver, **query: Any) -> list[EventPage]:
    """Return every page that a query has."""
    found: list[EventPage] = []
    before: int | None = None
    while not found or before is not None:
        found.append(core.events.latest(EventQuery(before=before, **query)))
        before = found[-1].older
    return found


def test_pages_have_every_event_once_the_newest_first(core: Driver) -> None:
    """Each page begins where the one before ended, also where events were written in between."""
    for number in range(5):
        core.create(f"u{number}")
    first = core.events.latest(EventQuery(limit=2))
    core.create("later")
    second = core.events.latest(EventQuery(limit=2, before=first.older))
    third = core.events.latest(EventQuery(limit=2, before=second.older))
    found = [[event.user_id for event in page.events] for page in (first, second, third)]
    assert found == [["u4", "u3"], ["u2", "u1"], ["u0"]]
    assert third.older is None


def test_filters_are_combined(core: Driver) -> None:
    """By type, tenant, user and actor."""
    core.tenants.put("t1", {})
    session = core.create("u1")
    core.create("u1", tenant_id="t1")
    core.create("u2")
    core.sessions.revoke([session.handle], ending=Ending(reason="admin", actor_id="boss"))

    def types(**query: Any) -> list[tuple[str, str | None, str]]:
        (page,) = pages(core, **query)
        return [(event.type, event.user_id, event.tenant_id) for event in page.events]

    assert types(actor_id="boss") == [("session.revoked", "u1", "public")]
    assert types(user_id="u1", type="session.created") == [
        ("session.created", "u1", "t1"),
        ("session.created", "u1", "public"),
    ]
    assert types(tenant_id="t1") == [("session.created", "u1", "t1")]
    assert types(user_id="u1", tenant_id="t1", actor_id="boss") == []


@pytest.mark.parametrize("name", ["user_id", "actor_id", "tenant_id"])
def test_an_id_that_nobody_has_finds_nothing(core: Driver, name: str) -> None:
    """Not even an error of the database."""
    core.create("u1")
    for impossible in ("nul\0", "x" * 200, "\ud800"):
        assert core.events.latest(EventQuery(**{name: impossible})) == EventPage(events=(), older=None)


def test_a_page_looks_at_so_many_events_only(core: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rare type among many events: pages may be empty, and the last one still has it."""
    session = core.create("u1")
    core.sessions.revoke([session.handle])
    for _ in range(6):
        core.create("u2")
    monkeypatch.setattr(event_pages, "SPAN", 3)
    found = pages(core, type="session.revoked")
    assert [len(page.events) for page in found] == [0, 0, 1]
    (page,) = pages(core, user_id="u1", type="session.revoked")  # the index of the user leads to it
    assert len(page.events) == 1


def test_an_empty_log_has_one_page(core: Driver) -> None:
    """And no older ones."""
    assert pages(core) == [EventPage(events=(), older=None)]


def test_a_renewal_of_keys_is_an_event(core: Driver) -> None:
    """Who ordered it, which families, and whether earlier tokens are refused; no key."""
    core.keys.renew(RenewalOrder(dynamic=True, actor_id="boss"))
    core.keys.renew(RenewalOrder(static=True, dynamic=True, drop_old=True))
    ((second, first),) = (page.events for page in pages(core, type="key.rotated"))
    assert (first.actor_id, first.user_id, first.handle) == ("boss", None, None)
    assert first.facts == {"keys": "dynamic", "earlier_dropped": False}
    assert (second.actor_id, second.facts) == (None, {"keys": "dynamic,static", "earlier_dropped": True})


def test_live_sessions_are_counted_up_to_a_limit(core: Driver) -> None:
    """Expired ones are not; counting ends at the limit, however many there are."""
    for number in range(3):
        core.create(f"u{number}")
    expired = core.create("u9")
    core.change_row(expired.handle, expires_at=1)
    assert core.sessions.count_live(10) == 3
    assert core.sessions.count_live(2) == 2


@pytest.mark.parametrize(
    "asked",
    [
        lambda events: events.latest(EventQuery()),
        lambda events: events.of_session("handle"),
        lambda events: events.of_user("u1"),
        lambda events: events.expiry("handle"),
        lambda events: events.deliveries,
    ],
    ids=["latest", "of_session", "of_user", "expiry", "deliveries"],
)
def test_without_events_there_are_none_to_ask_for(
    sqlite_database: TestDatabase, start: Opener, asked: Callable[[Any], object]
) -> None:
    """It is said how to have some."""
    with pytest.raises(ConfigError, match="EventSettings"):
        asked(start(sqlite_database.uri).events)


@pytest.mark.parametrize("user_id", ["\0", "", "u" * 65_536])
def test_nobody_has_an_id_that_cannot_be_one(core: Driver, user_id: str) -> None:
    assert core.events.of_user(user_id) == []


@pytest.mark.parametrize("query", [EventQuery(), EventQuery(type="key.rotated"), EventQuery(user_id="u1")])
def test_a_page_sorts_nothing(sqlite_database: TestDatabase, start: Opener, query: EventQuery) -> None:
    """However many events there are: an index has them in their order."""
    core = start(sqlite_database.uri, features=SessionFeatures(events=True))
    core.create("u1")
    seen: list[tuple[str, Any]] = []
    engine = core.database.read(lambda connection: connection.engine)
    event.listen(
        engine, "before_cursor_execute", lambda c, cursor, sql, values, *_: seen.append((sql, values))
    )
    core.events.latest(query)
    for sql, values in seen:
        if sql.startswith("SELECT"):
            plan = core.database.read(
                lambda connection, sql=sql, values=values: connection.exec_driver_sql(
                    f"EXPLAIN QUERY PLAN {sql}", values
                ).all()
            )
            assert not [row for row in plan if "TEMP B-TREE" in row[-1]]
            assert not [row for row in plan if row[-1] == "SCAN supertokens_py_events"]
    assert len(seen) >= 2
