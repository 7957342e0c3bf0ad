"""No sequence of refreshes, whoever else writes to the database, carries a session beyond its limits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.recipe import session
from supertokens_py.recipe.session import SessionContainer, SessionLifetime, syncio
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

HOUR_MS = 3_600_000
#: Long, so that the limits of the sessions are what counts.
VALIDITY_MS = 100 * 24 * HOUR_MS
#: For this long a token just made by a rotation is not rotated again; its use counts all the same.
GRACE_MS = 30_000

#: What an official core does when it refreshes a session: it knows of its own validity only.
OF_A_CORE = "UPDATE session_info SET expires_at = %s WHERE app_id = 'public' AND session_handle = %s"


@pytest.fixture
def on(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Callable[[TestDatabase], None]]:
    """Initialise the SDK on a database."""

    def started(database: TestDatabase) -> None:
        engine = EngineConfig(now_ms=clock, clean_up_interval=0, sqlite_synchronous="NORMAL")
        init(
            InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
            supertokens_config=SupertokensConfig(database.uri, engine=engine),
            recipe_list=[session.init(lifetime=SessionLifetime())],
        )

    Supertokens.reset()
    yield started
    Supertokens.reset()


@dataclass
class Followed:
    """A session, and what its limits allow it."""

    database: TestDatabase
    clock: Clock
    idle_ms: int | None
    absolute_ms: int | None
    end_ms: int | None = None
    expires_ms: int = 0
    rotated_ms: int | None = None
    made: SessionContainer = field(init=False)

    def begin(self) -> None:
        lifetime = SessionLifetime(
            None if self.idle_ms is None else timedelta(milliseconds=self.idle_ms),
            None if self.absolute_ms is None else timedelta(milliseconds=self.absolute_ms),
        )
        self.made = syncio.create_new_session_without_request_response(
            "public", "ada", disable_anti_csrf=True, lifetime=lifetime
        )
        self.end_ms = None if self.absolute_ms is None else self.clock() + self.absolute_ms
        self.expires_ms = self._used()
        self.check()

    def _used(self) -> int:
        expires_ms = self.clock() + (VALIDITY_MS if self.idle_ms is None else self.idle_ms)
        return expires_ms if self.end_ms is None else min(expires_ms, self.end_ms)

    @property
    def is_over(self) -> bool:
        now_ms = self.clock()
        return now_ms > self.expires_ms or (self.end_ms is not None and now_ms >= self.end_ms)

    def refresh(self) -> bool:
        """Refresh, and return whether the session goes on."""
        token = self.made.refresh_token
        assert token is not None
        error: UnauthorisedError | None = None
        is_over, rotated_ms = self.is_over, self.rotated_ms
        try:
            self.made = syncio.refresh_session_without_request_response(token.token, disable_anti_csrf=True)
        except UnauthorisedError as refusal:
            error = refusal
        if error is not None:
            past_end = self.end_ms is not None and min(self.expires_ms, self.clock()) >= self.end_ms
            assert error.code == ("session_expired_absolute" if past_end else "session_expired_idle")
            assert is_over
            return False
        assert not is_over
        if rotated_ms is None or self.clock() > rotated_ms + GRACE_MS:
            self.rotated_ms, self.expires_ms = self.clock(), self._used()
        else:
            self.expires_ms = min(max(self.expires_ms, self._used()), self.end_ms or self.expires_ms * 2)
        self.check()
        return True

    def merge(self) -> bool:
        """Change the payload; the new token has the end of the former."""
        with contextlib.suppress(UnauthorisedError):
            self.made.sync_merge_into_access_token_payload({"n": self.clock()})
            self.check()
        return not self.is_over

    def core(self) -> bool:
        """Have an official core move the expiry of the row, as it does while it sees a live session."""
        if self.is_over:
            return False
        self.expires_ms = self.clock() + VALIDITY_MS
        self.database.query(OF_A_CORE, self.expires_ms, self.made.session_handle)
        return True

    def shorten(self) -> bool:
        """Give the session half of what is left, by its absolute end."""
        information = syncio.get_session_information(self.made.session_handle)
        if information is None:
            assert self.clock() >= min(self.expires_ms, self.end_ms or self.expires_ms)
            return False
        left_ms = min(self.expires_ms, self.end_ms or self.expires_ms) - self.clock()
        shorter_ms = self.clock() - information.time_created + left_ms // 2
        if shorter_ms < 1000:  # less than a SessionLifetime may have
            return True
        shorter = SessionLifetime(absolute=timedelta(milliseconds=shorter_ms))
        assert syncio.set_session_lifetime(self.made.session_handle, shorter)
        self.end_ms = information.time_created + shorter_ms
        self.expires_ms = min(self.expires_ms, self.end_ms)
        return True

    def check(self) -> None:
        """Compare row and token with the limits."""
        sql = "SELECT expires_at FROM session_info WHERE session_handle = %s"
        ((expires_at,),) = self.database.query(sql, self.made.session_handle)
        assert expires_at == self.expires_ms
        payload = self.made.get_access_token_payload()
        if self.end_ms is not None:
            assert payload["exp"] * 1000 <= self.end_ms
        if self.idle_ms is not None:
            assert payload["exp"] * 1000 <= self.clock() + self.idle_ms // 4


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["refresh", "refresh", "refresh", "merge", "core", "shorten"]),
        st.integers(0, 4 * HOUR_MS) | st.sampled_from([0, 1, GRACE_MS, GRACE_MS + 1]) | st.just(None),
    ),
    max_size=8,
)
IDLE, ABSOLUTE = st.integers(8_000, 3 * HOUR_MS), st.integers(2_000, 9 * HOUR_MS)
LIMITS = st.tuples(IDLE, ABSOLUTE) | st.tuples(IDLE, st.none()) | st.tuples(st.none(), ABSOLUTE)


def _holds(followed: Followed, steps: list[tuple[str, int | None]]) -> None:
    clock = followed.clock
    followed.begin()
    for name, wait_ms in steps:
        if wait_ms is None:  # the last millisecond of the session
            end_ms = min(followed.expires_ms, followed.end_ms or followed.expires_ms)
            clock.advance(ms=max(0, end_ms - clock() - (end_ms == followed.end_ms)))
        else:
            clock.advance(ms=wait_ms)
        if not getattr(followed, name)():
            return


@pytest.mark.parametrize(
    ("kind", "examples"),
    [
        ("sqlite_database", 40),
        pytest.param("postgres_database", 10, marks=pytest.mark.postgres),
    ],
)
def test_no_refresh_passes_a_limit(
    request: pytest.FixtureRequest, clock: Clock, on: Any, kind: str, examples: int
) -> None:
    """CP-8, CP-9: row and tokens end within both limits, and the refusal names the one that was reached."""
    database: TestDatabase = request.getfixturevalue(kind)
    on(database)

    @settings(max_examples=examples, deadline=None)
    @given(LIMITS, STEPS)
    def run(limits: tuple[int | None, int | None], steps: list[tuple[str, int | None]]) -> None:
        _holds(Followed(database, clock, *limits), steps)

    run()
