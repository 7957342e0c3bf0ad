"""What is kept of sessions besides the official columns, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from supertokens_py.engine.records import IssuedSession, Unauthorised, Verified
from supertokens_py.engine.session_records import (
    Actor,
    Details,
    Lifetime,
    Limit,
    LimitReached,
    Replaces,
    SessionFeatures,
    Visit,
)
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.payloads import PROTECTED_PAYLOAD
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock, Stopwatch
from tests.support.databases import LINKED_USERS, TestDatabase
from tests.support.interleaving import meanwhile
from tests.support.statements import logged_statements
from tests.support.units import counted_units

HOUR = 3_600_000
DAY = 24 * HOUR
CHROME = Visit(ip="192.0.2.0", agent="Mozilla/5.0 Chrome", label="Chrome on Windows")
FIREFOX = Visit(ip="198.51.100.0", agent="Mozilla/5.0 Firefox", label="Firefox on Linux")
IDLE = Unauthorised("The session has expired: it was not used for too long.", "session_expired_idle")
ABSOLUTE = Unauthorised(
    "The session has expired: it has reached its longest lifetime.", "session_expired_absolute"
)
GONE = Unauthorised("Session does not exist.", "session_gone")
WITH_DETAILS = SessionFeatures(details=True)


@pytest.fixture
def core(database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    clock.advance(ms=-clock() % 1000)  # access tokens count in whole seconds
    return start(database.uri, now_ms=clock, features=WITH_DETAILS)


@pytest.fixture
def plain(database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    """An engine without any feature on the same database."""
    return start(database.uri, now_ms=clock)


def test_a_new_session_is_listed_with_its_device(core: Driver, clock: Clock):
    session = core.create("me", visit=CHROME, payload={"a": 1})
    (listed,) = core.sessions.listed("me", tenant_id=None)
    assert (listed.handle, listed.user_id, listed.tenant_id) == (session.handle, "me", "public")
    assert (listed.payload, listed.created_ms, listed.expires_ms) == (
        {"a": 1},
        clock(),
        session.refresh_token.expires_ms,
    )
    expected = Details(
        label="Chrome on Windows",
        agent="Mozilla/5.0 Chrome",
        ip="192.0.2.0",
        created_ip="192.0.2.0",
        last_seen_ms=clock(),
    )
    assert listed.details == expected
    assert core.sessions.details(session.handle) == expected


def test_sessions_are_listed_in_the_order_of_last_use(core: Driver, clock: Clock):
    first = core.create("me")
    clock.advance(ms=1000)
    second = core.create("me")
    clock.advance(ms=120_000)
    core.refresh(first)
    assert [one.handle for one in core.sessions.listed("me", tenant_id=None)] == [first.handle, second.handle]


def test_a_refresh_notes_a_change_of_client_at_once_and_the_time_once_a_minute(core: Driver, clock: Clock):
    created_ms = clock()
    session = core.create("me", visit=CHROME)
    clock.advance(ms=59_000)
    session = core.refresh(session, visit=CHROME)
    assert core.sessions.details(session.handle).last_seen_ms == created_ms
    session = core.refresh(session, visit=FIREFOX)
    details = core.sessions.details(session.handle)
    assert (details.last_seen_ms, details.label) == (clock(), "Firefox on Linux")
    assert (details.ip, details.created_ip) == ("198.51.100.0", "192.0.2.0")
    clock.advance(ms=61_000)
    session = core.refresh(session)
    details = core.sessions.details(session.handle)
    assert (details.last_seen_ms, details.label) == (clock(), "Firefox on Linux")


def test_a_session_of_a_core_is_listed_without_details_and_gets_them_when_it_is_refreshed(
    core: Driver, plain: Driver
):
    """CP-3."""
    session = plain.create("me")
    (listed,) = core.sessions.listed("me", tenant_id=None)
    assert listed.details is None
    assert core.sessions.details(session.handle) is None
    core.refresh(session, visit=FIREFOX)
    assert core.sessions.details(session.handle).label == "Firefox on Linux"


@pytest.mark.parametrize("text", ["a\r\nb", "a\0b", "a\ud800b", "a\x1bb"])
def test_creation_does_not_fail_because_of_what_a_client_says(core: Driver, text: str):
    session = core.create("me", visit=Visit(agent=text, label=text, ip=text))
    assert core.sessions.details(session.handle).agent == "ab"
    long = core.create("me", visit=Visit(agent="x" * 10_000))
    assert core.sessions.details(long.handle).agent == "x" * 512


def test_uses_between_refreshes_are_written_in_batches_and_seldom(
    database: TestDatabase, plain: Driver, start: Opener, clock: Clock
):
    """CP-6 (engine): at most once in five minutes, and nothing where nothing is kept."""
    stopwatch = Stopwatch()
    core = start(database.uri, now_ms=clock, monotonic_s=stopwatch, features=WITH_DETAILS)
    session = core.create("me")
    core.flush()
    with counted_units(core.database) as units:
        for written, pause_s in [(1, 0), (1, 299), (2, 1), (2, 299), (3, 301)]:
            stopwatch.advance(pause_s)
            clock.advance(ms=1000)
            for _ in range(200):
                core.sessions.seen(session.handle)
                core.flush()
                plain.sessions.seen(session.handle)
            assert len(units) == written
    assert core.sessions.details(session.handle).last_seen_ms == clock()
    core.sessions.revoke([session.handle])
    core.sessions.seen(session.handle)
    core.flush()
    assert core.count("supertokens_py_sessions") == 0


# Lifetimes


def test_a_session_expires_after_its_idle_time(core: Driver, clock: Clock):
    """CP-9: its last millisecond still counts as use."""
    session = core.create("me", lifetime=Lifetime(idle_ms=HOUR))
    assert session.refresh_token.expires_ms == clock() + HOUR
    assert session.access_token.expires_ms == clock() + HOUR // 4
    clock.advance(ms=HOUR)
    session = core.refresh(session)
    assert session.refresh_token.expires_ms == clock() + HOUR
    assert session.access_token.expires_ms == clock() + HOUR // 4
    clock.advance(ms=HOUR + 1)
    assert core.refresh(session) == core.verify(session) == IDLE


def test_a_session_ends_at_its_absolute_end_whatever_is_refreshed(core: Driver, clock: Clock):
    """CP-8."""
    end_ms = clock() + DAY
    session = core.create("me", lifetime=Lifetime(absolute_ms=DAY))
    for _ in range(23):
        clock.advance(ms=HOUR)
        session = core.refresh(session)
        assert session.refresh_token.expires_ms == end_ms
        assert session.access_token.expires_ms == min(clock() + HOUR, end_ms)
    clock.advance(ms=HOUR - 1000)
    session = core.refresh(session)
    assert session.access_token.expires_ms == end_ms
    clock.advance(ms=1000)
    assert core.refresh(session) == core.verify(session) == ABSOLUTE
    assert core.sessions.listed("me", tenant_id=None) == []


def test_an_end_holds_where_a_core_has_extended_the_session(core: Driver, clock: Clock):
    session = core.create("me", lifetime=Lifetime(absolute_ms=HOUR))
    core.change_row(session.handle, expires_at=clock() + 100 * DAY)
    assert [one.expires_ms for one in core.sessions.listed("me", tenant_id=None)] == [clock() + HOUR]
    clock.advance(ms=HOUR)
    assert core.verify(session) == ABSOLUTE
    assert core.sessions.information(session.handle) is None
    assert core.sessions.user_handles("me", tenant_id=None) == []
    assert core.sessions.replace_payload(session.handle, {"a": 1}) is False
    assert core.sessions.merge_payload(session.handle, {"a": 1}) is False
    assert core.refresh(session) == ABSOLUTE
    assert core.row(session.handle) is None


def test_a_session_remembers_that_it_is_not_persistent(core: Driver, clock: Clock):
    session = core.create("me", lifetime=Lifetime(persistent=False))
    assert session.persistent is False
    clock.advance(ms=HOUR)
    session = core.refresh(session)
    assert session.persistent is False
    assert core.refresh(session).persistent is False  # answered with itself
    assert core.create("me").persistent is True


def test_a_lifetime_can_be_shortened_and_not_lengthened(core: Driver, clock: Clock):
    session = core.create("me", lifetime=Lifetime(idle_ms=2 * HOUR, absolute_ms=DAY))
    assert core.sessions.shorten(session.handle, Lifetime(idle_ms=HOUR, absolute_ms=DAY // 2)) is True
    details = core.sessions.details(session.handle)
    assert (details.idle_ms, details.absolute_at_ms) == (HOUR, clock() + DAY // 2)
    assert core.row(session.handle)["expires_at"] == clock() + HOUR
    for longer in (Lifetime(idle_ms=HOUR + 1), Lifetime(absolute_ms=DAY // 2 + 1)):
        with pytest.raises(BadInputError, match="only be given a shorter lifetime"):
            core.sessions.shorten(session.handle, longer)
    assert core.sessions.shorten(session.handle, Lifetime(absolute_ms=1)) is True
    clock.advance(ms=1)
    assert core.refresh(session) == ABSOLUTE
    assert core.sessions.shorten(session.handle, Lifetime(idle_ms=1)) is False


def test_what_only_the_table_can_keep_is_refused_without_it(plain: Driver):
    with pytest.raises(ConfigError, match=r"session.init\(lifetime=...\)"):
        plain.create("me", lifetime=Lifetime(idle_ms=HOUR))
    with pytest.raises(ConfigError, match=r"session.init\(impersonation=...\)"):
        plain.create("me", actor=Actor(user_id="admin", handle="x"))
    session = plain.create("me", visit=CHROME)
    assert plain.sessions.details(session.handle) is None
    with pytest.raises(ConfigError, match=r"session.init\(lifetime=...\)"):
        plain.sessions.shorten(session.handle, Lifetime(idle_ms=HOUR))


def test_parallel_refreshes_with_details_end_with_one_token(shared_database: TestDatabase, start: Opener):
    """Who waits for the row sees that somebody was there, and repeats the successor."""
    core = start(shared_database.uri, features=WITH_DETAILS)
    session = core.create("me", visit=CHROME, lifetime=Lifetime(idle_ms=HOUR))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: core.refresh(session, visit=FIREFOX), range(8)))
    assert len({one.refresh_token.text for one in answers}) == 1
    assert core.refresh(answers[0]).handle == session.handle
    assert core.sessions.details(session.handle).label == "Firefox on Linux"


@pytest.mark.postgres
def test_a_refresh_that_waited_for_a_shorter_lifetime_keeps_to_it(
    fresh_postgres_database: TestDatabase, start: Opener
):
    """It has read the former limits before it waited for the row, and looks again."""
    core = start(fresh_postgres_database.uri, features=WITH_DETAILS)
    session = core.create("me", lifetime=Lifetime(idle_ms=4 * HOUR))
    end_ms = core.row(session.handle)["created_at_time"] + HOUR
    with (
        psycopg.connect(fresh_postgres_database.uri) as connection,
        ThreadPoolExecutor(1) as threads,
    ):
        changes = (("session_info", "expires_at"), ("supertokens_py_sessions", "absolute_at"))
        for table, column in changes:
            connection.execute(
                f"UPDATE {table} SET {column} = %s WHERE session_handle = %s", [end_ms, session.handle]
            )
        refresh = threads.submit(core.refresh, session)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        waiting += " AND datname = current_database()"
        while fresh_postgres_database.query(waiting) != [(1,)]:
            assert not refresh.done()
        connection.commit()
        assert refresh.result(timeout=30).refresh_token.expires_ms == end_ms
    assert core.row(session.handle)["expires_at"] == end_ms


# Limits


@pytest.mark.parametrize("kept", [True, False])
def test_the_least_recently_seen_sessions_end_for_a_new_one(
    core: Driver, plain: Driver, clock: Clock, kept: bool
):
    engine, limit = core if kept else plain, Limit(max_sessions=2, when_reached="end_oldest")
    sessions = []
    for _ in range(3):
        sessions.append(engine.create("me"))
        clock.advance(ms=120_000)
    engine.refresh(sessions[0])  # its row has the time of that, whether or not more is kept
    new = engine.create("me", limit=limit)
    assert list(new.ended) == [sessions[1].handle, sessions[2].handle]
    assert len(engine.sessions.user_handles("me", tenant_id=None)) == 2


@pytest.mark.parametrize("kept", [True, False])
def test_sessions_of_one_millisecond_end_by_their_handles(core: Driver, plain: Driver, kept: bool):
    """The greatest first, whatever the order in which rows are found; the clock stands still."""
    engine, limit = core if kept else plain, Limit(max_sessions=3, when_reached="end_oldest")
    live = sorted(engine.create("me").handle for _ in range(6))
    new = engine.create("me", limit=limit)
    assert list(new.ended) == [live[5], live[4], live[3], live[2]]
    live = sorted([live[0], live[1], new.handle])
    assert list(engine.create("me", limit=limit).ended) == [live[2]]


def test_with_a_limit_of_one_every_sign_in_ends_the_session_before(core: Driver):
    limit = Limit(max_sessions=1, when_reached="end_oldest")
    first = core.create("me", limit=limit)
    second = core.create("me", limit=limit)
    assert (list(first.ended), list(second.ended)) == ([], [first.handle])
    assert core.sessions.user_handles("me", tenant_id=None) == [second.handle]


def test_a_limit_can_refuse(core: Driver):
    limit = Limit(max_sessions=1, when_reached="refuse")
    first = core.create("me", limit=limit)
    assert core.create("me", limit=limit) == LimitReached(max_sessions=1, handles=[first.handle])
    assert core.count("session_info") == 1
    assert isinstance(core.create("you", limit=limit), IssuedSession)


def test_a_limit_per_tenant_leaves_other_tenants_alone(core: Driver):
    core.tenants.put("other", {})
    limit = Limit(max_sessions=1, when_reached="refuse", per="tenant")
    core.create("me", tenant_id="other", limit=limit)
    assert isinstance(core.create("me", limit=limit), IssuedSession)
    assert isinstance(core.create("me", limit=limit), LimitReached)


def test_a_session_that_is_replaced_makes_room_in_its_own_tenant_only(core: Driver):
    """With a limit per tenant; of one per user it is one that goes and one that comes."""
    core.tenants.put("other", {})
    limit = Limit(max_sessions=1, when_reached="refuse", per="tenant")
    first, there = core.create("me", limit=limit), core.create("me", tenant_id="other", limit=limit)
    into = Replaces(handle=there.handle)
    refused = core.create("me", limit=limit, replaces=into)
    assert refused == LimitReached(max_sessions=1, handles=[first.handle])
    assert isinstance(core.verify(there), Verified)  # nothing has ended
    evicting = Limit(max_sessions=1, when_reached="end_oldest", per="tenant")
    moved = core.create("me", limit=evicting, replaces=into)
    assert moved.ended == [first.handle]
    assert core.sessions.user_handles("me", tenant_id=None) == [moved.handle]
    again = core.create("me", limit=limit, replaces=Replaces(handle=moved.handle))
    assert isinstance(again, IssuedSession)
    everywhere = Limit(max_sessions=1, when_reached="refuse", per="user")
    back = core.create("me", tenant_id="other", limit=everywhere, replaces=Replaces(handle=again.handle))
    assert isinstance(back, IssuedSession)


def test_expired_impersonated_and_guest_sessions_do_not_count(core: Driver, clock: Clock):
    limit = Limit(max_sessions=1, when_reached="refuse")
    core.create("me", lifetime=Lifetime(idle_ms=1000))
    clock.advance(ms=2000)
    core.create("me", actor=Actor(user_id="admin", handle="x"), limit=limit)
    core.create("me", counts=False, limit=limit)
    assert isinstance(core.create("me", limit=limit), IssuedSession)


def two_users(core: Driver) -> list[str]:
    made = (
        core.engine.third_party.sign_in_up("public", "google", name, email=f"{name}@a.test", is_verified=True)
        for name in "ab"
    )
    return [one.user.id for one in made]


@pytest.fixture
def linked(users_database: TestDatabase, start: Opener) -> tuple[Driver, list[str]]:
    """An engine, and the ids of one user: of two login methods, and what the application calls the second."""
    core = start(users_database.uri, keeps_users=True, features=SessionFeatures(limits=True))
    ids = two_users(core)
    for table in ("app_id_to_user_id", "all_auth_recipe_users"):
        users_database.query(
            f"UPDATE {table} SET primary_or_recipe_user_id = %s, is_linked_or_is_a_primary_user = TRUE",
            ids[0],
        )
    users_database.query(
        "INSERT INTO userid_mapping (app_id, supertokens_user_id, external_user_id) "
        "VALUES ('public', %s, 'bee')",
        ids[1],
    )
    return core, [*ids, "bee"]


def test_a_limit_counts_every_session_of_a_user_whose_accounts_are_linked(
    linked: tuple[Driver, list[str]],
):
    """CP-15: by whichever of them somebody signs in, as lists have it; a linked one makes room, too."""
    core, ids = linked
    for first in ids:
        for second in ids:
            one = core.create(first)
            refuse = Limit(max_sessions=1, when_reached="refuse")
            assert core.create(second, limit=refuse) == LimitReached(max_sessions=1, handles=[one.handle])
            instead = core.create(second, limit=refuse, replaces=Replaces(handle=one.handle))
            assert isinstance(instead, IssuedSession)
            last = core.create(first, limit=Limit(max_sessions=1, when_reached="end_oldest"))
            assert list(last.ended) == [instead.handle]
            assert core.sessions.revoke([last.handle]) == [last.handle]


@pytest.mark.postgres
def test_no_two_login_methods_of_a_user_find_the_last_room(
    users_postgres_database: TestDatabase, start: Opener
):
    """CP-15: they wait for each other, in one order; a method that is linked meanwhile counts as well."""
    features = SessionFeatures(limits=True)
    core, other = (start(users_postgres_database.uri, keeps_users=True, features=features) for _ in range(2))
    ids = two_users(core)
    link = "UPDATE app_id_to_user_id SET primary_or_recipe_user_id = %s"
    limit = Limit(max_sessions=1, when_reached="refuse")

    def sign_in_elsewhere() -> Any:
        users_postgres_database.query(link, ids[0])
        return other.create(ids[1], limit=limit)

    for words in ("pg_advisory_xact_lock", "SELECT session_info.session_handle"):
        users_postgres_database.query("UPDATE app_id_to_user_id SET primary_or_recipe_user_id = user_id")
        users_postgres_database.query(link, ids[0])
        with meanwhile(
            core.database, words, sign_in_elsewhere, stored=users_postgres_database, when="before"
        ) as done:
            here = core.create(ids[0], limit=limit)
        assert {type(here), type(done.result())} == {IssuedSession, LimitReached}
        core.sessions.revoke_user(ids[0], tenant_id=None)


# Replace


def test_a_session_is_replaced_by_another(core: Driver, clock: Clock):
    old = core.create("me", visit=CHROME, payload={"a": 1, "b": 2}, data={"x": 1})
    clock.advance(ms=HOUR)
    replaces = Replaces(handle=old.handle, copies=True)
    new = core.create("me", visit=FIREFOX, payload={"b": 3}, data={"y": 2}, replaces=replaces)
    assert new.handle != old.handle
    assert new.payload == {"a": 1, "b": 3}
    assert core.sessions.information(new.handle).data == {"x": 1, "y": 2}
    assert core.refresh(old) == core.verify(old) == GONE
    details = core.sessions.details(new.handle)
    assert (details.created_ip, details.ip, details.label) == (
        "192.0.2.0",
        "198.51.100.0",
        "Firefox on Linux",
    )
    assert core.count("supertokens_py_sessions") == 1


def test_a_session_whose_payload_no_token_can_have_is_not_replaced(core: Driver):
    """Another SDK has stored a claim of ours; nothing of it is lost."""
    old = core.create("me")
    core.change_row(old.handle, jwt_user_payload='{"sub": "someone"}')
    replaces = Replaces(handle=old.handle, copies=True)
    assert core.create("me", replaces=replaces) == Unauthorised(PROTECTED_PAYLOAD, "payload_protected")
    assert core.sessions.user_handles("me", tenant_id=None) == [old.handle]


def test_a_session_that_replaces_another_may_have_a_lifetime_of_its_own(core: Driver, clock: Clock):
    old = core.create("me", lifetime=Lifetime(idle_ms=HOUR))
    replaces = Replaces(handle=old.handle, copies=True)
    new = core.create("me", replaces=replaces, lifetime=Lifetime(idle_ms=2 * HOUR))
    assert new.refresh_token.expires_ms == clock() + 2 * HOUR


@pytest.mark.postgres
def test_an_account_that_is_linked_while_a_session_is_made_counts(
    empty_postgres_database: TestDatabase, start: Opener
):
    database = empty_postgres_database
    for statement in LINKED_USERS:
        database.query(statement)
    database.query("UPDATE app_id_to_user_id SET primary_or_recipe_user_id = user_id")
    core = start(database.uri, features=WITH_DETAILS)
    other = core.create("b")
    link = "UPDATE app_id_to_user_id SET primary_or_recipe_user_id = 'a'"
    with meanwhile(core.database, "advisory", lambda: database.query(link), stored=database, when="before"):
        made = core.create("a", limit=Limit(max_sessions=1, when_reached="end_oldest"))
    assert made.ended == [other.handle]


def test_both_limits_start_again_with_the_session_that_replaces(core: Driver, clock: Clock):
    old = core.create("me", lifetime=Lifetime(idle_ms=2 * HOUR, absolute_ms=DAY, persistent=False))
    clock.advance(ms=HOUR)
    new = core.create("me", replaces=Replaces(handle=old.handle, copies=True))
    details = core.sessions.details(new.handle)
    assert (details.idle_ms, details.absolute_at_ms, new.persistent) == (2 * HOUR, clock() + DAY, False)
    assert new.refresh_token.expires_ms == clock() + 2 * HOUR


def test_a_session_that_must_exist_is_not_replaced_when_it_is_gone(core: Driver):
    old = core.create("me")
    core.sessions.revoke([old.handle])
    assert core.create("me", replaces=Replaces(handle=old.handle, must_exist=True)) == GONE
    assert core.count("session_info") == 0
    assert isinstance(core.create("me", replaces=Replaces(handle=old.handle)), IssuedSession)


def test_every_other_session_of_a_replaced_user_can_end_too(core: Driver):
    guests = [core.create("guest_1", counts=False) for _ in range(3)]
    new = core.create("me", replaces=Replaces(handle=guests[0].handle, with_others=True))
    assert [one for one in guests if core.row(one.handle)] == []
    assert core.row(new.handle) is not None


def test_a_session_in_the_place_of_another_ends_no_third(core: Driver):
    limit: Any = Limit(max_sessions=1, when_reached="end_oldest")
    old, other = core.create("me"), core.create("me")
    new = core.create("me", limit=limit, replaces=Replaces(handle=old.handle))
    assert list(new.ended) == []
    assert core.row(other.handle) is not None


# Lists


@pytest.mark.parametrize("keeps_users", [False, True], ids=["sessions", "users"])
def test_a_list_of_any_length_is_one_statement(fresh_shared: TestDatabase, start: Opener, keeps_users: bool):
    """CP-2: on both databases, with and without tables of users."""
    core = start(fresh_shared.uri, features=WITH_DETAILS, keeps_users=keeps_users)
    handles = {core.create("me", visit=CHROME).handle for _ in range(50)}
    with logged_statements(core.database) as log:
        found = core.sessions.listed("me", tenant_id="public")
    assert {one.handle for one in found} == handles
    assert len(log) == 1


@pytest.mark.postgres
def test_sessions_of_linked_accounts_are_listed_by_one_statement(
    empty_postgres_database: TestDatabase, start: Opener
):
    """CP-2: whichever of the user's ids is asked for, mapped ones included, each under its own names."""
    database = empty_postgres_database
    for statement in LINKED_USERS:
        database.query(statement)
    core = start(database.uri, features=WITH_DETAILS)
    stored = {core.create(user).handle: user for user in ("a", "b")}
    database.query("INSERT INTO userid_mapping VALUES ('public', 'b', 'bee'), ('public', 'x', 'other')")
    stored[core.create("bee").handle] = "bee"
    core.create("c")
    expected = {handle: ("a", "a" if user == "a" else "bee") for handle, user in stored.items()}
    for asked in ("a", "b", "bee"):
        with logged_statements(core.database) as log:
            found = core.sessions.listed(asked, tenant_id=None)
        assert {one.handle: (one.user_id, one.recipe_user_id) for one in found} == expected
        assert len(log) == 1
        assert {one.handle for one in found} == set(core.sessions.user_handles(asked, tenant_id=None))
        alone = core.sessions.listed(asked, tenant_id=None, linked_accounts=False)
        assert [one.handle for one in alone] == [one for one, user in stored.items() if user == asked]
    information = {handle: core.sessions.information(handle) for handle in stored}
    assert {handle: (one.user_id, one.recipe_user_id) for handle, one in information.items()} == expected
