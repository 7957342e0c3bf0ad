"""Refreshes that the database did, and nobody heard of: they are taken back."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.engine.embedded.sessions import lost_answers
from supertokens_py.engine.embedded.sessions.lost_answers import MAX_AGE_MS
from supertokens_py.engine.embedded.sessions.refresh_state import Outcome, Use
from supertokens_py.engine.embedded.storage.errors import UnknownOutcomeError
from supertokens_py.engine.records import IssuedSession, TokenTheft, TryRefresh, Verified
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase


def lose(core: Driver, session: IssuedSession, monkeypatch: pytest.MonkeyPatch, *, done: bool = True) -> None:
    """Refresh, and break off before the answer, after or before the database did it."""
    watch = core.sessions.lost_answers.watch

    def watch_broken(use: Use, refresh: Callable[[Use], Outcome]) -> Outcome:
        def broken(use: Use) -> Outcome:
            if done:
                refresh(use)
            raise UnknownOutcomeError("the connection broke")

        return watch(use, broken)

    with monkeypatch.context() as patch:
        patch.setattr(core.sessions.lost_answers, "watch", watch_broken)
        with pytest.raises(UnknownOutcomeError):
            core.refresh(session)


@pytest.mark.parametrize("done", [True, False])
def test_a_lost_answer_ends_no_session(
    core: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch, done: bool
):
    """The client comes back after the grace period with the token that it has, and goes on."""
    session = core.create()
    lose(core, session, monkeypatch, done=done)
    clock.advance(minutes=5)
    refreshed = core.refresh(session)
    assert isinstance(refreshed, IssuedSession)
    assert refreshed.refresh_token.text != session.refresh_token.text
    row = core.row(session.handle)
    assert row is not None
    assert row["refresh_token_rotated_at"] == clock.now_ms


@pytest.mark.postgres
def test_a_statement_that_was_repeated_before_the_server_went_away(
    start: Opener, postgres_database: TestDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """The single statement rotated, and broke off; sent again it found that done; then nobody answered."""
    core = start(postgres_database.uri, now_ms=clock)
    session = core.create()

    def gone(*_: Any) -> None:
        raise EngineUnavailableError("the server does not answer")

    alone = core.database.alone

    def twice(unit: Callable[[Any], Any], *args: Any, **kwargs: Any) -> Any:
        return alone(lambda fetch: (unit(fetch), unit(fetch))[1], *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(core.database, "alone", twice)
        patch.setattr(core.database, "write", gone)
        with pytest.raises(EngineUnavailableError):
            core.refresh(session)
    core.sessions.lost_answers.flush()
    clock.advance(minutes=5)
    assert isinstance(core.refresh(session), IssuedSession)


@pytest.mark.postgres
def test_a_statement_that_was_sent_once_and_found_nothing_did_nothing(
    start: Opener, postgres_database: TestDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """Another process had answered another tab, and the pool was exhausted then: that answer stays."""
    core, other = start(postgres_database.uri, now_ms=clock), start(postgres_database.uri, now_ms=clock)
    session, heard = core.create(), list[Any]()

    def gone(*_: Any) -> None:
        raise EngineUnavailableError("no connection became free")

    alone = core.database.alone
    with monkeypatch.context() as patch:
        patch.setattr(
            core.database, "alone", lambda *a, **k: (heard.append(other.refresh(session)), alone(*a, **k))[1]
        )
        patch.setattr(core.database, "write", gone)
        with pytest.raises(EngineUnavailableError):
            core.refresh(session)
    core.sessions.lost_answers.flush()
    (got,) = heard
    assert other.verify(got) == Verified()
    clock.advance(minutes=10)
    assert isinstance(other.refresh(session), TokenTheft)


def test_who_got_the_successor_elsewhere_goes_on_with_it(
    core: Driver, start: Opener, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """Another process answered the same token within the grace period, before the rotation was taken back."""
    session = core.create()
    other = start(core.uri, now_ms=clock)
    lose(core, session, monkeypatch)
    got = other.refresh(session)
    core.sessions.lost_answers.flush()
    assert isinstance(core.verify(got), TryRefresh)
    clock.advance(minutes=5)
    again = core.refresh(got)
    assert isinstance(again, IssuedSession)
    assert core.verify(again) == Verified()
    assert again.refresh_token.text != got.refresh_token.text
    theft = core.refresh(session)
    assert isinstance(theft, TokenTheft)
    assert theft.reuse == "STALE_LINEAGE"


@pytest.mark.parametrize("order", ["".join(one) for one in itertools.product("01", repeat=3)])
def test_within_the_grace_period_there_is_one_successor(
    core: Driver, start: Opener, clock: Clock, monkeypatch: pytest.MonkeyPatch, order: str
):
    """Two tabs, of which one got it by another process: whoever comes first after it was taken back."""
    session = core.create()
    lose(core, session, monkeypatch)
    got = start(core.uri, now_ms=clock).refresh(session)
    assert isinstance(got, IssuedSession)
    core.sessions.lost_answers.flush()
    for which in order:
        clock.advance(s=10)
        again = core.refresh((session, got)[int(which)])
        assert isinstance(again, IssuedSession)
        assert again.refresh_token.text == got.refresh_token.text
        assert core.verify(again) == Verified()
    clock.advance(s=1)
    assert isinstance(core.refresh(got), IssuedSession)
    assert isinstance(core.refresh(session), TokenTheft)


@pytest.mark.parametrize(("late_ms", "is_taken_back"), [(0, True), (1, False)])
def test_what_is_too_old_stays(
    core: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch, late_ms: int, is_taken_back: bool
):
    """A process that comes back after its time revives no token that others have retired meanwhile."""
    session = core.create()
    lose(core, session, monkeypatch)
    clock.advance(s=30, ms=MAX_AGE_MS + late_ms)
    answer = core.refresh(session)
    assert isinstance(answer, IssuedSession if is_taken_back else TokenTheft)


def test_a_rotation_of_another_request_stays(
    core: Driver, start: Opener, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """One that came later, by a token that was stolen or by the next tab: reuse is still reuse."""
    session = core.create()
    lose(core, session, monkeypatch, done=False)
    clock.advance(s=1)
    other = start(core.uri, now_ms=clock)
    assert isinstance(other.refresh(session), IssuedSession)
    clock.advance(minutes=5)
    assert isinstance(core.refresh(session), TokenTheft)


def test_a_session_without_a_family_is_left_alone(
    core: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """A successor that somebody may have got would be reuse there, where its parent is not believed."""
    session = core.create()
    module = "supertokens_py.engine.embedded.sessions.lost_answers"
    monkeypatch.setattr(f"{module}.has_family", lambda _: False)
    lose(core, session, monkeypatch)
    clock.advance(minutes=5)
    assert isinstance(core.refresh(session), TokenTheft)


def test_no_more_are_remembered_than_can_break_at_once(
    core: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    """What is not remembered is as before: after the grace period the token was used twice."""
    first, second = core.create("first"), core.create("second")
    with monkeypatch.context() as patch:
        patch.setattr(lost_answers, "MAX_REMEMBERED", 1)
        patch.setattr(lost_answers.LostAnswers, "flush", lambda _: None)
        lose(core, first, monkeypatch)
        lose(core, second, monkeypatch)
    clock.advance(minutes=5)
    core.sessions.lost_answers.flush()
    assert isinstance(core.refresh(first), IssuedSession)
    assert isinstance(core.refresh(second), TokenTheft)


def test_it_is_tried_until_the_database_is_there(core: Driver, clock: Clock, monkeypatch: pytest.MonkeyPatch):
    """By the thread that is woken for it; requests do not try each time."""
    session, lost = core.create(), core.sessions.lost_answers
    noted: list[str] = []
    lost.on_note = lambda: noted.append("!")
    lose(core, session, monkeypatch)
    assert noted == ["!"]
    with monkeypatch.context() as patch:

        def away(*_: object, **__: object) -> None:
            noted.append("away")
            raise EngineUnavailableError("away")

        patch.setattr(core.database, "single", away)
        lost.flush()
        assert noted == ["!", "away", "!"]
        core.create()
    clock.advance(minutes=5)
    lost.flush()
    assert isinstance(core.refresh(session), IssuedSession)
