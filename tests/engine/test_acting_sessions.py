"""Where the sessions of a user end, those in which the user acts as another end with them."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.engine.records import IssuedSession, Unauthorised
from supertokens_py.engine.session_records import Actor, Ending, Lifetime, SessionFeatures
from supertokens_py.events import SessionRevoked, subscribe
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import LINKED_USERS, TestDatabase
from tests.support.statements import logged_statements

WITH_DETAILS = SessionFeatures(details=True)
GONE = Unauthorised("Session does not exist.", "session_gone")


def acting(
    core: Driver, own: IssuedSession, as_user: str = "ada", *, by: str = "boss", **more: Any
) -> IssuedSession:
    """Create a session of a user in which the owner of another session acts."""
    return core.create(as_user, actor=Actor(user_id=by, handle=own.handle), counts=False, **more)


@pytest.fixture
def core(database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    return start(database.uri, now_ms=clock, features=WITH_DETAILS)


def test_they_end_with_all_sessions_of_the_actor(core: Driver) -> None:
    """CP-22: refused where the database is asked, and at the next refresh; nobody else's session ends."""
    own, ada, other = core.create("boss"), core.create("ada"), core.create("chief")
    first, second = acting(core, own), acting(core, own, "bob")
    stays = acting(core, other, by="chief")
    seen: list[SessionRevoked] = []
    stop = subscribe(lambda event: seen.append(event) if isinstance(event, SessionRevoked) else None)
    ended = core.sessions.revoke_user("boss", tenant_id=None, ending=Ending(reason="admin", actor_id="root"))
    stop()
    assert ended[0] == own.handle
    assert sorted(ended[1:]) == sorted((first.handle, second.handle))
    assert [core.refresh(one) for one in (own, first, second)] == [GONE] * 3
    assert core.verify(first) == GONE
    assert [(one.handle, one.reason, one.actor_id) for one in seen] == [
        (handle, "admin", "root") for handle in ended
    ]
    assert sorted(str(one.user_id) for one in seen) == ["ada", "bob", "boss"]
    assert {*core.sessions.user_handles("ada", tenant_id=None)} == {ada.handle, stays.handle}
    assert core.count("supertokens_py_sessions") == 3


def test_they_end_where_the_actor_ends_all_but_one(core: Driver) -> None:
    """CP-22: whoever took the other devices of the actor acts on as nobody."""
    own, elsewhere = core.create("boss"), core.create("boss")
    session = acting(core, elsewhere)
    assert core.sessions.revoke_user("boss", tenant_id=None, keep=own.handle) == [
        elsewhere.handle,
        session.handle,
    ]
    kept = acting(core, own)
    assert core.sessions.revoke_user("boss", tenant_id=None, keep=kept.handle) == [own.handle]


def test_they_end_with_the_sessions_of_a_tenant_in_it_or_begun_from_it(core: Driver) -> None:
    """CP-22."""
    core.tenants.put("t1", {})
    own, own_there = core.create("boss"), core.create("boss", tenant_id="t1")
    here, from_there = acting(core, own), acting(core, own_there)
    there = acting(core, own, tenant_id="t1")
    ended = core.sessions.revoke_user("boss", tenant_id="t1")
    assert sorted(ended) == sorted((own_there.handle, from_there.handle, there.handle))
    assert core.sessions.revoke_user("boss", tenant_id=None) == [own.handle, here.handle]


def test_an_expired_one_is_none(core: Driver, clock: Clock) -> None:
    session = acting(core, core.create("boss"), lifetime=Lifetime(absolute_ms=1000))
    clock.advance(ms=2000)
    assert session.handle not in core.sessions.revoke_user("boss", tenant_id=None)


def test_a_user_who_only_acts_is_found(core: Driver) -> None:
    """CP-22: their own sessions may have ended before."""
    own = core.create("boss")
    session = acting(core, own)
    core.sessions.revoke([own.handle])
    assert core.sessions.revoke_user("boss", tenant_id=None) == [session.handle]


def test_they_end_with_the_actor(core: Driver) -> None:
    """CP-22: a removed user acts no longer, and is not named where they did."""
    ada = core.create("ada")
    session = acting(core, core.create("boss"))
    core.users.remove("boss")
    assert core.refresh(session) == GONE
    assert core.sessions.user_handles("ada", tenant_id=None) == [ada.handle]


@pytest.mark.parametrize("kind", [SQLITE, POSTGRES])
def test_they_end_with_a_password_and_a_membership(
    kind: Any, request: pytest.FixtureRequest, start: Opener, clock: Clock
) -> None:
    """CP-22: where a new password, or the end of a membership, ends the actor's own sessions."""
    name = "sqlite_database" if kind == "sqlite-file" else "fresh_postgres_database"
    uri = request.getfixturevalue(name).uri
    quick = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
    core = start(uri, now_ms=clock, features=WITH_DETAILS, keeps_users=True, **quick)
    boss = core.email_password.sign_up("public", "boss@example.com", "correct horse 1").id
    session = acting(core, core.create(boss), by=boss)
    change = {"email": None, "password": "correct horse 2"}
    core.email_password.update(boss, **change, revoke_sessions=False)
    assert core.verify(session) != GONE
    core.email_password.update(boss, **change, revoke_sessions=True)
    assert core.verify(session) == GONE
    core.tenants.put("t1", {})
    core.users.associate("t1", boss)
    there, here = (acting(core, core.create(boss, tenant_id=one), by=boss) for one in ("t1", "public"))
    core.users.dissociate("t1", boss)
    assert core.verify(there) == GONE
    assert core.verify(here) != GONE


@pytest.mark.postgres
def test_every_login_method_of_the_actor_is_theirs(
    empty_postgres_database: TestDatabase, start: Opener
) -> None:
    """CP-22: `a` and `b` are one user, who acts by the primary id."""
    for statement in LINKED_USERS:
        empty_postgres_database.query(statement)
    core = start(empty_postgres_database.uri, features=WITH_DETAILS)
    own = core.create("b")
    session = acting(core, own, by="a")
    assert core.sessions.revoke_user("b", tenant_id=None) == [own.handle, session.handle]


def test_without_details_revoking_a_user_is_one_statement_under_their_lock(
    database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """CP-1: nobody can act there, so nothing is looked for. On SQLite it holds the file."""
    core = start(database.uri, now_ms=clock)
    core.create("boss")
    core.flush()
    with logged_statements(core.database) as log:
        core.sessions.revoke_user("boss", tenant_id=None)
    words = [
        " ".join(one.split("(")[0].split()[:2]) for one in log if not one.startswith(("BEGIN", "COMMIT"))
    ]
    is_sqlite = database.kind == "sqlite-file"
    assert words == [*([] if is_sqlite else ["SELECT pg_advisory_xact_lock"]), "DELETE FROM"]


def test_a_process_without_the_feature_ends_them_too(
    core: Driver, database: TestDatabase, start: Opener
) -> None:
    """CP-22: it finds the table, also where the removal of a user is the first that it does."""
    first, second = acting(core, core.create("boss")), acting(core, core.create("chief"), by="chief")
    plain = start(database.uri)
    plain.users.remove("boss")
    plain.sessions.revoke_user("chief", tenant_id=None)
    assert (core.verify(first), core.verify(second)) == (GONE, GONE)
