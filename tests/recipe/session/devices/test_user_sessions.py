"""What functions and sessions do with the other sessions of a user, without a request."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import sqlalchemy

from supertokens_py import Supertokens
from supertokens_py.engine.call import trace_calls
from supertokens_py.events import Event, SessionRevoked, subscribe
from supertokens_py.framework.wsgi import Environ
from supertokens_py.recipe.multitenancy.syncio import create_or_update_tenant
from supertokens_py.recipe.session import DeviceSettings, SessionContainer
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.asyncio import list_sessions
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.interfaces import Device
from tests.support.clock import Clock, Stopwatch

from ..conftest import Start


def made(user_id: str = "ada", tenant_id: str = "public") -> SessionContainer:
    return sessions.create_new_session_without_request_response(tenant_id, user_id)


def handles(found: list[Any]) -> list[str]:
    return [one.session_handle for one in found]


@pytest.fixture(params=[DeviceSettings(), None], ids=["devices", "without"])
def _started(request: pytest.FixtureRequest, start: Start) -> None:
    """The functions work whether or not anything is kept of devices."""
    start(devices=request.param)


@pytest.fixture
def reasons() -> Any:
    """Why sessions ended, by handle."""
    found: dict[str, str | None] = {}

    def note(event: Event) -> None:
        if isinstance(event, SessionRevoked):
            found[event.handle] = event.reason

    unsubscribe = subscribe(note)
    yield found
    unsubscribe()


@pytest.mark.usefixtures("_started")
def test_a_list_of_any_length_is_one_call() -> None:
    """CP-2: of the engine, which makes one statement of it."""
    own, *others = [made() for _ in range(50)]
    made("mallory")
    calls: list[str] = []

    def traced(name: str) -> AbstractContextManager[None]:
        calls.append(name)
        return nullcontext()

    trace_calls(traced)
    try:
        found = own.sync_list_sessions()
    finally:
        trace_calls(None)
    assert calls == ["sessions.listed"]
    assert {*handles(found)} == {own.get_handle(), *(one.get_handle() for one in others)}
    assert [one.session_handle for one in found if one.device and one.device.current] == [own.get_handle()]


@pytest.mark.usefixtures("_started")
def test_what_a_list_says(clock: Clock) -> None:
    """The newest first, with what `get_session_information` says but for the session data."""
    first = made()
    clock.advance(minutes=1)
    second = sessions.create_new_session_without_request_response("public", "ada", {"a": 1}, {"d": 2})
    newest, oldest = sessions.list_sessions("ada")
    assert handles([newest, oldest]) == [second.get_handle(), first.get_handle()]
    known = sessions.get_session_information(second.get_handle())
    assert known is not None
    assert known.device is None
    assert (newest.custom_claims_in_access_token_payload, newest.session_data_in_database) == (
        known.custom_claims_in_access_token_payload,
        {},
    )
    assert (newest.time_created, newest.expiry, newest.user_id) == (
        known.time_created,
        known.expiry,
        known.user_id,
    )
    assert isinstance(newest.device, Device)
    assert newest.device.current is False


@pytest.mark.usefixtures("_started")
def test_lists_by_tenant() -> None:
    """One tenant, all of them, or "public"."""
    create_or_update_tenant("t1", None)
    public, other = made(), made(tenant_id="t1")
    assert handles(sessions.list_sessions("ada", "t1")) == [other.get_handle()]
    assert {*handles(sessions.list_sessions("ada"))} == {public.get_handle(), other.get_handle()}
    assert handles(sessions.list_sessions("ada", across_all_tenants=False)) == [public.get_handle()]
    assert sessions.revoke_other_sessions(public, across_all_tenants=False) == []
    assert sessions.revoke_other_sessions(public.get_handle()) == [other.get_handle()]
    assert sessions.list_sessions("nobody") == []


@pytest.mark.usefixtures("_started")
def test_a_session_ends_those_of_its_user_only(reasons: dict[str, str | None]) -> None:
    """CP-7: another user's counts as one that does not exist; the reason is the user's."""
    own, second, third, stranger = made(), made(), made(), made("mallory")
    assert own.sync_revoke_one(stranger.get_handle()) is False
    assert own.sync_revoke_one("no-such-session") is False
    assert own.sync_revoke_one(second.get_handle()) is True
    assert own.sync_revoke_one(second.get_handle()) is False
    assert own.sync_revoke_others() == [third.get_handle()]
    assert own.sync_revoke_all() == [own.get_handle()]
    assert reasons == {one.get_handle(): "user" for one in (second, third, own)}
    assert sessions.get_session_information(stranger.get_handle()) is not None


@pytest.mark.usefixtures("_started")
def test_ending_ones_own_session(reasons: dict[str, str | None]) -> None:
    own, other = made(), made()
    assert own.sync_revoke_some([other.get_handle(), own.get_handle(), "x"]) == [
        other.get_handle(),
        own.get_handle(),
    ]
    assert sessions.list_sessions("ada") == []
    assert {*reasons.values()} == {"user"}


@pytest.mark.usefixtures("_started")
def test_a_session_that_has_ended_ends_no_others() -> None:
    """Its access token is valid for a while, and may be in the wrong hands."""
    ended, other = made(), made()
    sessions.revoke_session(ended.get_handle())
    assert ended.sync_revoke_others() == []
    assert ended.sync_revoke_one(other.get_handle()) is False
    assert sessions.revoke_other_sessions(ended) == []
    assert handles(sessions.list_sessions("ada")) == [other.get_handle()]


@pytest.mark.usefixtures("_started")
def test_the_reason_of_the_functions(reasons: dict[str, str | None]) -> None:
    """Nobody but the application called them."""
    first, second, third, last = made(), made(), made(), made()
    sessions.revoke_session(first.get_handle())
    sessions.revoke_multiple_sessions([second.get_handle()])
    sessions.revoke_other_sessions(last)
    sessions.revoke_all_sessions_for_user("ada")
    assert reasons == {one.get_handle(): "application" for one in (first, second, third, last)}


def test_sessions_older_than_the_setting_are_listed(start: Start, clock: Clock) -> None:
    """CP-3: as those of an official core on the same database are, with empty device fields."""
    start()
    older = made()
    start(devices=DeviceSettings())
    clock.advance(minutes=1)
    own = made()
    found = own.sync_list_sessions()
    assert handles(found) == [own.get_handle(), older.get_handle()]
    assert found[1].device == Device()


@pytest.mark.parametrize("tracks", [False, True])
def test_what_requests_write(start: Start, clock: Clock, tracks: bool) -> None:
    """CP-6: nothing, or once in five minutes that the session was used."""
    start(devices=DeviceSettings(track_activity=tracks))
    session = made()
    engine: Any = Supertokens.get_instance().engine
    stopwatch = Stopwatch()
    for notes in engine.recent_notes:
        notes.monotonic_s = stopwatch
    engine.flush()
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": f"Bearer {session.get_access_token()}",
    }
    clock.advance(minutes=10)
    written: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        verb = statement.split()[0]
        if "session" in statement and verb in ("INSERT", "UPDATE", "DELETE"):
            written.append(verb)

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    try:
        for times, pause_s in ((1, 0), (1, 299), (2, 1)):
            stopwatch.advance(pause_s)
            for _ in range(500):
                assert sessions.get_session(Environ({**environ})).get_handle() == session.get_handle()
            engine.flush()
            deadline = time.monotonic() + 20
            while tracks and len(written) < times and time.monotonic() < deadline:
                time.sleep(0.01)  # the background thread may have taken the note first
            assert written == ["UPDATE"] * times * tracks
        visitor = Environ({"REQUEST_METHOD": "GET", "PATH_INFO": "/"})
        assert sessions.get_session(visitor, session_required=False) is None
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)
    (listed,) = sessions.list_sessions("ada")
    assert listed.device is not None
    assert listed.device.last_seen == (clock.now_ms if tracks else listed.time_created)


def refreshed(session: SessionContainer) -> SessionContainer | None:
    """Refresh a session as a tab does; None where it has ended."""
    assert session.refresh_token is not None
    try:
        return sessions.refresh_session_without_request_response(
            session.refresh_token.token, disable_anti_csrf=True
        )
    except UnauthorisedError:
        return None


@pytest.mark.parametrize("devices", [DeviceSettings(), None], ids=["devices", "without"])
def test_the_others_end_while_everybody_refreshes(stored: Start, devices: DeviceSettings | None) -> None:
    """CP-7: whatever comes first, the asking session lives, the others are gone, and nothing fails."""
    stored(devices=devices)
    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            own, *others = [made() for _ in range(5)]
            tabs = [pool.submit(refreshed, one) for one in (own, *others)]
            ended = pool.submit(own.sync_revoke_others)
            assert {*ended.result()} == {one.get_handle() for one in others}
            renewed = tabs[0].result()
            assert [one.exception() for one in tabs] == [None] * 5
            assert renewed is not None
            assert handles(sessions.list_sessions("ada")) == [own.get_handle()]
            assert refreshed(renewed) is not None
            assert [refreshed(one) for one in others] == [None] * 4
            sessions.revoke_all_sessions_for_user("ada")


@pytest.mark.usefixtures("_started")
def test_under_a_loop() -> None:
    """The coroutines do what their blocking twins do."""
    own, other = made(), made()

    async def conversation() -> list[str]:
        assert len(await own.list_sessions()) == 2
        assert await own.revoke_one(other.get_handle())
        return handles(await list_sessions("ada"))

    assert asyncio.run(conversation()) == [own.get_handle()]
