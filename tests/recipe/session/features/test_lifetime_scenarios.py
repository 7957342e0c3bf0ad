"""Days in the life of sessions with the presets, to the second; and an official core in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from supertokens_py import Supertokens
from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.session import SessionContainer, SessionLifetime, syncio
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

from ..conftest import Start

DAY_S = 24 * 3600
#: What an official core does when it refreshes a session: it knows of its own validity only.
OF_A_CORE = "UPDATE session_info SET expires_at = %s WHERE app_id = 'public' AND session_handle = %s"

SignIn = Callable[[SessionLifetime], SessionContainer]


@pytest.fixture(params=["sqlite_database", pytest.param("postgres_database", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> TestDatabase:
    return request.getfixturevalue(request.param)


@pytest.fixture
def sign_in(database: TestDatabase, start: Start, clock: Clock) -> Iterator[SignIn]:
    """Create a session with a lifetime, at a whole second: access tokens know no smaller unit."""
    clock.advance(ms=-clock() % 1000)
    start(lifetime=SessionLifetime(), uri=database.uri)

    def signed_in(lifetime: SessionLifetime) -> SessionContainer:
        return syncio.create_new_session_without_request_response(
            "public", "ada", disable_anti_csrf=True, lifetime=lifetime
        )

    yield signed_in
    Supertokens.reset()


def _refreshed(session: SessionContainer) -> SessionContainer:
    assert session.refresh_token is not None
    return syncio.refresh_session_without_request_response(
        session.refresh_token.token, disable_anti_csrf=True
    )


def _life_s(session: SessionContainer) -> int:
    payload = session.get_access_token_payload()
    return payload["exp"] - payload["iat"]


def _why_not(session: SessionContainer) -> str:
    with pytest.raises(UnauthorisedError) as refusal:
        _refreshed(session)
    return refusal.value.code


def test_thirty_days_at_level_1(sign_in: SignIn, clock: Clock) -> None:
    """CP-10: no visit is needed in between, and none makes it longer."""
    session = sign_in(SessionLifetime.aal1())
    assert _life_s(session) == 3600
    clock.advance(days=16)
    session = _refreshed(session)
    clock.advance(days=14, s=-600)
    session = _refreshed(session)
    assert _life_s(session) == 600
    clock.advance(s=600)
    assert _why_not(session) == "session_expired_absolute"


def test_a_day_at_level_2(sign_in: SignIn, clock: Clock) -> None:
    """CP-10: whoever works all day signs in the next morning; whoever has lunch does so after it."""
    working = sign_in(SessionLifetime.aal2())
    lunching = sign_in(SessionLifetime.aal2())
    assert _life_s(working) == 900
    clock.advance(hours=1, ms=1)
    assert _why_not(working) == _why_not(lunching) == "session_expired_idle"
    working = sign_in(SessionLifetime.aal2())
    for _ in range(25):
        clock.advance(minutes=57)
        working = _refreshed(working)
        assert _life_s(working) == 900
    clock.advance(minutes=10)
    working = _refreshed(working)
    assert _life_s(working) == 300
    clock.advance(minutes=5)
    assert _why_not(working) == "session_expired_absolute"


def test_a_shift_at_level_3(sign_in: SignIn, clock: Clock) -> None:
    """CP-10: an access token lives for a quarter of the 15 minutes; the last one ends with the session."""
    session = sign_in(SessionLifetime.aal3())
    for _ in range(48):
        assert _life_s(session) == 225
        clock.advance(minutes=15, s=-1)
        session = _refreshed(session)
    clock.advance(s=47)
    session = _refreshed(session)
    assert _life_s(session) == 1
    clock.advance(s=1)
    assert _why_not(session) == "session_expired_absolute"


def test_a_core_that_refreshes_in_between(sign_in: SignIn, clock: Clock, database: TestDatabase) -> None:
    """CP-8: it moves the expiry by its own validity; the absolute end holds at the next look of ours."""
    session = sign_in(SessionLifetime(idle=timedelta(hours=1), absolute=timedelta(hours=3)))
    handle = session.session_handle
    database.query(OF_A_CORE, clock() + 100 * DAY_S * 1000, handle)
    clock.advance(hours=2)
    session = _refreshed(session)
    assert syncio.get_session_information(handle) is not None
    database.query(OF_A_CORE, clock() + 100 * DAY_S * 1000, handle)
    clock.advance(hours=1, ms=-1)
    session = _refreshed(session)
    database.query(OF_A_CORE, clock() + 100 * DAY_S * 1000, handle)
    clock.advance(ms=1)
    assert syncio.get_session_information(handle) is None
    assert syncio.get_all_session_handles_for_user("ada") == []
    assert _why_not(session) == "session_expired_absolute"
    assert database.query("SELECT count(*) FROM session_info") == [(0,)]


def test_a_life_can_be_shortened(sign_in: SignIn, clock: Clock) -> None:
    """At once, by idle time and by the end, which counts from the creation; never made longer."""
    session = sign_in(SessionLifetime(idle=timedelta(hours=2), absolute=timedelta(hours=9)))
    handle = session.session_handle
    clock.advance(hours=1)
    for longer in (SessionLifetime(idle=timedelta(hours=3)), SessionLifetime(absolute=timedelta(hours=10))):
        with pytest.raises(BadInputError):
            syncio.set_session_lifetime(handle, longer)
    assert syncio.set_session_lifetime(handle, SessionLifetime(absolute=timedelta(hours=2)))
    assert syncio.set_session_lifetime(handle, SessionLifetime(persistent=False))
    session = _refreshed(session)
    assert _life_s(session) == 1800  # a quarter of the two hours, which stay
    clock.advance(hours=1)
    assert _why_not(session) == "session_expired_absolute"
    other = sign_in(SessionLifetime(idle=timedelta(hours=2)))
    clock.advance(hours=1)
    assert syncio.set_session_lifetime(other.session_handle, SessionLifetime(timedelta(minutes=30)))
    assert _why_not(other) == "session_expired_idle"
    assert syncio.set_session_lifetime(other.session_handle, SessionLifetime(60)) is False
    assert syncio.set_session_lifetime("no such handle", SessionLifetime(60)) is False


def test_a_session_without_a_request_says_how_its_cookies_end(sign_in: SignIn) -> None:
    """At its creation, after a refresh, and after a change of the payload; not where nothing is new."""
    for persistent in (True, False):
        session = sign_in(SessionLifetime(persistent=persistent))
        assert session.persistent is persistent
        verified = syncio.get_session_without_request_response(session.access_token)
        assert verified.persistent is None
        verified.sync_merge_into_access_token_payload({"a": 1})
        assert verified.persistent is persistent
        assert _refreshed(session).persistent is persistent


def test_a_shorter_life_ends_changed_tokens_and_no_session_too_early(
    sign_in: SignIn, clock: Clock, database: TestDatabase
) -> None:
    """CP-8: a changed payload comes in a token that ends with the session; what a core refreshed goes on."""
    session = sign_in(SessionLifetime(idle=timedelta(hours=2)))
    handle = session.session_handle
    assert _life_s(session) == 1800
    assert syncio.set_session_lifetime(handle, SessionLifetime(absolute=timedelta(minutes=20)))
    session.sync_merge_into_access_token_payload({"a": 1})
    assert _life_s(session) == 1200
    other = sign_in(SessionLifetime(idle=timedelta(minutes=20)))
    clock.advance(minutes=15)
    database.query(OF_A_CORE, clock() + 100 * DAY_S * 1000, other.session_handle)
    clock.advance(minutes=15)
    assert syncio.set_session_lifetime(other.session_handle, SessionLifetime(absolute=timedelta(hours=1)))
    assert _life_s(_refreshed(other)) == 300
