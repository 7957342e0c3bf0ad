"""The log of what happened to sessions, on both databases: a row exactly where something happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from supertokens_py.engine.event_records import SessionEvent
from supertokens_py.engine.records import IssuedSession
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.engine.session_records import (
    Actor,
    Ending,
    Limit,
    Replaces,
    SessionFeatures,
    SessionKey,
    SessionNote,
    Visit,
)
from supertokens_py.exceptions import ConfigError, SuperTokensError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

DAY_MS = 86_400_000
#: The expiry of a session without any setting.
LIFE_DAYS = 100

_REFUSE_EVENTS = {
    "postgresql": (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no events'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON supertokens_py_events EXECUTE FUNCTION refuse()"
    ),
    "sqlite-file": (
        "CREATE TRIGGER refuse BEFORE INSERT ON supertokens_py_events "
        "BEGIN SELECT raise(ABORT, 'no events'); END"
    ),
}


def opened(start: Opener, database: TestDatabase, clock: Clock, **features: Any) -> Driver:
    return start(database.uri, now_ms=clock, features=SessionFeatures(events=True, **features))


@pytest.fixture
def core(fresh_shared: TestDatabase, start: Opener, clock: Clock) -> Driver:
    return opened(start, fresh_shared, clock)


def short(events: list[SessionEvent]) -> list[tuple[str, dict[str, Any]]]:
    return [(event.type, dict(event.facts)) for event in events]


def test_the_life_of_a_session_is_kept(core: Driver, clock: Clock) -> None:
    """CP-25: creation and end are rows with who, where and when; refreshes only where that is asked for."""
    began = clock()
    session = core.create("u1")
    core.refresh(session)
    clock.advance(s=7)
    core.sessions.revoke([session.handle], ending=Ending(reason="admin", actor_id="boss"))
    first, last = core.events.of_session(session.handle)
    assert first == SessionEvent(
        seq=first.seq,
        at_ms=began,
        type="session.created",
        tenant_id="public",
        user_id="u1",
        handle=session.handle,
    )
    assert last == SessionEvent(
        seq=first.seq + 1,
        at_ms=began + 7000,
        type="session.revoked",
        tenant_id="public",
        user_id="u1",
        handle=session.handle,
        actor_id="boss",
        facts={"reason": "admin"},
    )


def test_refreshes_are_kept_where_that_is_asked_for(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """A repeated refresh is none."""
    core = opened(start, fresh_shared, clock, events_of_refreshes=True)
    session = core.create()
    core.refresh(session)
    core.refresh(session)
    types = [event.type for event in core.events.of_session(session.handle)]
    assert types == ["session.created", "session.refreshed"]


def _revoked(core: Driver, session: IssuedSession, clock: Clock) -> None:
    core.sessions.revoke([session.handle])


def _signed_out(core: Driver, session: IssuedSession, clock: Clock) -> None:
    core.sessions.revoke_user("u1", tenant_id=None, ending=Ending(reason="signout"))


def _reused(core: Driver, session: IssuedSession, clock: Clock) -> None:
    core.refresh(session)
    clock.advance(minutes=5)
    core.refresh(session)


def _expired(core: Driver, session: IssuedSession, clock: Clock) -> None:
    clock.advance(days=LIFE_DAYS + 1)
    core.engine.clean_up()


def _without_tenant(core: Driver, session: IssuedSession, clock: Clock) -> None:
    core.tenants.delete("t1")


def _replaced(core: Driver, session: IssuedSession, clock: Clock) -> None:
    core.sessions.revoke([session.handle], ending=Ending(reason="replaced", successor="next"))


def _without_key(core: Driver, session: IssuedSession, clock: Clock) -> None:
    core.keys.renew(RenewalOrder(master=True))


@pytest.mark.parametrize(
    ("end", "type_", "facts"),
    [
        (_revoked, "session.revoked", {"reason": "application"}),
        (_signed_out, "session.revoked", {"reason": "signout"}),
        (_reused, "session.reuse", {"reason": "reuse", "subtype": "RECENT_PREV"}),
        (_expired, "session.expired", {"reason": "idle"}),
        (_without_tenant, "session.revoked", {"reason": "tenant_removed"}),
        (_without_key, "session.revoked", {"reason": "keys_renewed"}),
        (_replaced, "session.replaced", {"reason": "replaced", "successor": "next"}),
    ],
)
def test_every_end_is_kept_with_its_reason(
    core: Driver,
    clock: Clock,
    end: Callable[[Driver, IssuedSession, Clock], None],
    type_: str,
    facts: dict[str, str],
) -> None:
    """CP-26: whatever ends a session."""
    core.tenants.put("t1", {})
    session = core.create("u1", tenant_id="t1")
    end(core, session, clock)
    assert short(core.events.of_session(session.handle))[-1:] == [(type_, facts)]


def stored_sessions(count: int, tenant_id: str = "public") -> dict[str, list[dict[str, Any]]]:
    """Return rows of as many sessions of a tenant, as `Driver.seed` takes them."""
    row: dict[str, Any] = {
        "tenant_id": tenant_id,
        "user_id": "u1",
        "refresh_token_hash_2": "x",
        "session_data": "{}",
        "jwt_user_payload": "{}",
        "expires_at": 2**50,
        "created_at_time": 1,
        "use_static_key": False,
    }
    return {"session_info": [row | {"session_handle": f"h{n}"} for n in range(count)]}


def test_every_session_that_ends_with_the_keys_is_an_event(core: Driver) -> None:
    """CP-26: more than fit into one batch, of every tenant, and none twice."""
    core.tenants.put("t1", {})
    for tenant_id, count in (("public", 501), ("t1", 500)):
        core.seed(stored_sessions(count, tenant_id))
    assert core.keys.renew(RenewalOrder(master=True)).sessions_ended == 1001
    assert core.count("session_info") == 0
    assert core.count("supertokens_py_events") == 1001 + 1  # the renewal itself
    for handle in ("h0", "h499", "h500"):
        last = core.events.of_session(handle)[-1]
        assert (last.type, last.facts) == ("session.revoked", {"reason": "keys_renewed"})


def test_a_tenant_with_many_sessions_is_deleted(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """However many sessions of it end, databases accept so many parameters of one statement only."""
    core = opened(start, fresh_shared, clock, details=True)
    core.tenants.put("t1", {})
    core.seed(stored_sessions(1001, "t1"))
    log: Any = core.engine.events
    for handle in ("h0", "h500", "h1000"):
        note = SessionNote(type="impersonation.started", tenant_id="t1", user_id="u1", handle=handle)
        core.database.write(lambda c, n=note: log.noted(c, n))
    most: list[int] = []

    @event.listens_for(core.database.pool, "before_cursor_execute")
    def count(_: Any, __: Any, ___: Any, parameters: Any, ____: Any, executemany: bool) -> None:
        most.append(len(parameters[0] if executemany else parameters or ()))

    assert core.tenants.delete("t1") is True
    assert max(most) < 600
    for handle in ("h0", "h500", "h1000"):
        assert [one.type for one in core.events.of_session(handle)] == [
            "impersonation.started",
            "session.revoked",
            "impersonation.ended",
        ]
    assert core.count("supertokens_py_events") == 1001 + 2 * 3


@pytest.mark.postgres
def test_a_session_that_is_made_while_its_tenant_is_deleted(
    fresh_postgres_database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """It is an event like any other: the deletion waits for it, and ends it."""
    core = opened(start, fresh_postgres_database, clock, revocations=True)
    core.tenants.put("t1", {})
    row = stored_sessions(1, "t1")["session_info"][0]
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(core.uri) as elsewhere, ThreadPoolExecutor(1) as people:
        elsewhere.execute(f"INSERT INTO session_info ({names}) VALUES ({marks})", [*row.values()])
        deleted = people.submit(core.tenants.delete, "t1")
        for _ in range(10_000):
            if deleted.done() or fresh_postgres_database.query(waiting)[0][0]:
                break
        elsewhere.commit()
        assert deleted.result(30) is True
    assert short(core.events.of_session("h0")) == [("session.revoked", {"reason": "tenant_removed"})]
    assert core.engine.revocations is not None
    assert set(core.engine.revocations.revoked.handles) == {"h0"}
    assert core.count("supertokens_py_revocations") == 1


def test_nothing_is_kept_of_what_did_not_happen(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """CP-25: neither a row without its change nor a change without its row, whichever of both fails."""
    core = opened(start, fresh_shared, clock)
    session = core.create("u1")
    fresh_shared.query(_REFUSE_EVENTS[fresh_shared.kind])
    for attempt in (
        lambda: core.create("u2"),
        lambda: core.sessions.revoke([session.handle]),
        lambda: core.sessions.revoke_user("u1", tenant_id=None),
        lambda: core.users.remove("u1"),
    ):
        with pytest.raises(Exception, match="no events"):
            attempt()
    assert core.sessions.user_handles("u2", tenant_id=None) == []
    assert core.sessions.user_handles("u1", tenant_id=None) == [session.handle]
    assert short(core.events.of_user("u1")) == [("session.created", {})]
    assert core.events.of_user("u2") == []


def test_revoking_what_does_not_exist_is_no_event(core: Driver) -> None:
    """CP-25: a second sign-out ends nothing."""
    session = core.create("u1")
    for _ in range(2):
        core.sessions.revoke([session.handle, "00000000-0000-0000-0000-000000000000"])
    assert [event.type for event in core.events.of_user("u1")] == ["session.created", "session.revoked"]


def test_events_are_kept_as_long_as_set(fresh_shared: TestDatabase, start: Opener, clock: Clock) -> None:
    """CP-25: the clean-up deletes the older ones, more than fit into one batch."""
    core = opened(start, fresh_shared, clock, events_retention_days=2)
    session = core.create("u1")
    note = SessionNote(type="session.client_changed", tenant_id="public", user_id="u1", handle=session.handle)
    log = core.engine.events
    core.database.write(lambda c: [log.noted(c, note) for _ in range(1200)])
    clock.advance(days=1)
    core.sessions.revoke([session.handle])
    clock.advance(days=1)
    core.engine.clean_up()
    assert core.count("supertokens_py_events") == 1202
    clock.advance(s=1)
    core.engine.clean_up()
    assert short(core.events.of_session(session.handle)) == [("session.revoked", {"reason": "application"})]


@pytest.mark.parametrize("keep", [False, True])
def test_what_is_kept_of_a_removed_user(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, *, keep: bool
) -> None:
    """CP-26: that their last sessions ended, without the id; the rest only where the audit is to be kept."""
    core = opened(start, fresh_shared, clock, events_keep_audit=keep)
    session, other = core.create("u1"), core.create("u2")
    core.users.remove("u1")
    kept = core.events.of_session(session.handle)
    last = ("session.revoked", {"reason": "user_removed"})
    assert short(kept) == ([("session.created", {}), last] if keep else [last])
    assert {event.user_id for event in kept} == {None}
    assert core.events.of_user("u1") == []
    assert [event.handle for event in core.events.of_user("u2")] == [other.handle]


def test_an_impersonation_begins_and_ends_with_its_session(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Both name the actor; the end is written whatever ends the session."""
    core = opened(start, fresh_shared, clock, details=True)
    session = core.create("u1")
    key = SessionKey(handle=session.handle, tenant_id="public", user_id="u1")
    actor = Actor(user_id="boss", handle="theirs")
    log: Any = core.engine.events
    core.database.write(lambda c: log.created(c, key, actor=actor, replaced="before"))
    core.sessions.revoke([session.handle])
    found = core.events.of_session(session.handle)[1:]
    assert short(found) == [
        ("session.created", {"replaces": "before"}),
        ("impersonation.started", {"actor_session": "theirs"}),
        ("session.revoked", {"reason": "application"}),
        ("impersonation.ended", {}),
    ]
    assert [event.actor_id for event in found] == ["boss", "boss", None, "boss"]


@pytest.mark.parametrize("details", [False, True])
def test_a_creation_is_one_statement_on_postgresql(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, details: bool
) -> None:
    """With its event; where SQLite needs a transaction, PostgreSQL would take four round trips for one."""
    core = opened(start, fresh_shared, clock, details=details, revocations=True)
    core.create("u1")
    with monkeypatch.context() as patch:
        if fresh_shared.kind == "postgresql":
            patch.setattr(core.database, "write", None)
        session = core.create("u2")
    assert [one.type for one in core.events.of_session(session.handle)] == ["session.created"]
    assert (core.events.of_user("u2")[0].user_id, core.row(session.handle) is not None) == ("u2", True)


def test_a_client_that_changes_is_kept(fresh_shared: TestDatabase, start: Opener, clock: Clock) -> None:
    """What changed, not what it is now: no address is in any event. What is not known is no change."""
    older = start(fresh_shared.uri, now_ms=clock).create("u3")  # nothing is kept of its client
    core = opened(start, fresh_shared, clock, details=True)
    home = Visit(ip="192.0.2.0", agent="Firefox", label="Firefox")
    session, unseen = core.create("u1", visit=home), core.create("u2")
    for visit in (home, Visit(ip="198.51.100.0", agent="Firefox"), Visit(ip="192.0.2.0", agent="curl"), None):
        clock.advance(minutes=1)
        session = core.refresh(session, visit=visit)
        unseen, older = core.refresh(unseen, visit=home), core.refresh(older, visit=home)
    assert short(core.events.of_session(session.handle))[1:] == [
        ("session.client_changed", {"changed": "ip"}),
        ("session.client_changed", {"changed": "ip,agent"}),
    ]
    assert short(core.events.of_session(unseen.handle))[1:] == []
    assert short(core.events.of_session(older.handle)) == []
    details = core.sessions.details(session.handle)
    assert details is not None
    assert (details.ip, details.agent) == ("192.0.2.0", "curl")


def test_a_session_that_takes_the_place_of_another(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
) -> None:
    """CP-26: each of the two events names the other session."""
    core = opened(start, fresh_shared, clock, details=True)
    old = core.create("u1")
    new = core.create("u1", replaces=Replaces(handle=old.handle))
    assert short(core.events.of_session(old.handle))[1:] == [
        ("session.replaced", {"reason": "replaced", "successor": new.handle})
    ]
    assert short(core.events.of_session(new.handle)) == [("session.created", {"replaces": old.handle})]


def test_what_a_limit_does_is_kept(fresh_shared: TestDatabase, start: Opener, clock: Clock) -> None:
    """CP-26: the session that had to go, and the one that was refused, which has no handle."""
    core = opened(start, fresh_shared, clock)
    first = core.create("u1")
    clock.advance(s=1)
    core.create("u1", limit=Limit(max_sessions=1, when_reached="end_oldest"))
    core.create("u1", limit=Limit(max_sessions=1, when_reached="refuse"))
    assert short(core.events.of_session(first.handle))[1:] == [("session.revoked", {"reason": "limit"})]
    last = core.events.of_user("u1")[-1]
    assert (last.type, last.handle, dict(last.facts)) == (
        "session.refused",
        None,
        {"reason": "limit", "max_sessions": 1},
    )


def test_no_secret_is_in_any_event(fresh_shared: TestDatabase, start: Opener, clock: Clock) -> None:
    """CP-25: no token, hash of one, anti-CSRF token, payload or session data is in any column of any row."""
    core = opened(start, fresh_shared, clock, events_of_refreshes=True)
    sessions = [
        core.create(f"u{n}", payload={"secret-claim": n}, data={"secret-data": n}, anti_csrf=True)
        for n in range(5)
    ]
    secrets: set[str] = {"secret-claim", "secret-data"}
    for session in sessions:
        row = core.row(session.handle)
        assert row is not None
        secrets |= {str(row["refresh_token_hash_2"])}
        next_one = core.refresh(session, anti_csrf_token=session.anti_csrf_token, anti_csrf=True)
        for one in (session, next_one):
            secrets |= {one.access_token.text, one.refresh_token.text, str(one.anti_csrf_token)}
            secrets |= set(one.access_token.text.split("."))
    clock.advance(minutes=5)
    core.refresh(sessions[0], anti_csrf_token=sessions[0].anti_csrf_token)
    core.sessions.revoke([session.handle for session in sessions])
    core.users.remove("u1")
    columns = fresh_shared.columns("supertokens_py_events")
    rows = fresh_shared.query(f"SELECT {', '.join(columns)} FROM supertokens_py_events")
    assert len(rows) == 12
    text = json.dumps(rows)
    assert [secret for secret in secrets if secret in text] == []


def test_events_that_are_off_make_no_table(fresh_shared: TestDatabase, start: Opener, clock: Clock) -> None:
    """CP-1: and whoever asks for them learns how to switch them on."""
    core = start(fresh_shared.uri, now_ms=clock)
    session = core.create()
    core.sessions.revoke([session.handle])
    with pytest.raises(Exception, match="supertokens_py_events"):
        fresh_shared.query("SELECT * FROM supertokens_py_events")
    assert core.events.are_kept is False
    with pytest.raises(ConfigError, match="events=EventSettings"):
        core.events.of_session(session.handle)
    with pytest.raises(SuperTokensError, match="events=EventSettings"):
        core.events.of_user("user")
