"""What is said to whoever asks why a session ended: the exact sentences, for every reason."""

from __future__ import annotations

from typing import get_args

import pytest

from supertokens_py.engine.explanations import SessionExplanation, explain, explain_user
from supertokens_py.engine.session_records import Ending, EndReason, SessionFeatures, SessionKey
from supertokens_py.exceptions import ConfigError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

#: 2026-11-28 20:00:00 UTC
NOW_MS = 1_795_896_000_000
AT = "2026-11-28 20:00:00Z"
#: When a session of then expires that is not refreshed.
END = "2027-03-08 20:00:00Z"

UNKNOWN = (
    "no record: it ended before events were switched on or longer ago than they are kept, an official core "
    "ended it, or it never existed"
)


@pytest.fixture
def clock(clock: Clock) -> Clock:
    clock.now_ms = NOW_MS
    return clock


@pytest.fixture
def core(fresh_shared: TestDatabase, start: Opener, clock: Clock) -> Driver:
    return start(fresh_shared.uri, now_ms=clock, features=SessionFeatures(events=True))


SENTENCES: dict[EndReason, str] = {
    "signout": f"ended {AT}: the user signed out",
    "user": f"ended {AT}: the user ended it in the list of their devices",
    "admin": f"ended {AT}: an administrator ended it",
    "application": f"ended {AT}: the application revoked it and gave no reason",
    "limit": f"ended {AT}: the user signed in elsewhere and may only have so many sessions at once",
    "replaced": f"ended {AT}: a new session took its place",
    "reuse": (
        f"ended {AT}: a refresh token was presented that had been replaced before: it was stolen, or the "
        "client works with an old copy of its tokens"
    ),
    "idle": f"found expired {AT}: it was not used for too long",
    "absolute": f"found expired {AT}: it reached its longest lifetime, however much it was used",
    "credentials_changed": f"ended {AT}: the user's password or another proof of who they are was changed",
    "user_removed": f"ended {AT}: the user was removed",
    "tenant_removed": f"ended {AT}: its tenant was removed",
    "keys_renewed": f"ended {AT}: every session ended, since the key of refresh tokens was renewed",
    "restored": f"ended {AT}: a back-up of the database was restored, which did not have its latest tokens",
}


def test_every_reason_has_its_sentence(core: Driver) -> None:
    """CP-26: nobody is left with a code."""
    assert set(SENTENCES) == set(get_args(EndReason))
    for reason, sentence in SENTENCES.items():
        session = core.create()
        core.sessions.revoke([session.handle], ending=Ending(reason=reason))
        found = explain(core.engine, session.handle)
        assert (found.state, found.reason, found.at_ms, found.text) == ("ended", reason, NOW_MS, sentence)


def test_who_did_it_and_what_followed(core: Driver) -> None:
    """CP-26: the actor and the session that took the place of another are named."""
    session, other = core.create("u1"), core.create("u1")
    core.sessions.revoke([session.handle], ending=Ending(reason="admin", actor_id="boss"))
    core.sessions.revoke([other.handle], ending=Ending(reason="replaced", successor="next"))
    found = explain(core.engine, session.handle)
    assert found.text == f"ended {AT}: an administrator ended it (by boss)"
    assert (found.user_id, found.actor_id) == ("u1", "boss")
    assert explain(core.engine, other.handle).text == f"ended {AT}: a new session took its place: next"


def test_one_that_lives(core: Driver) -> None:
    """It is said until when."""
    session = core.create("u1")
    assert explain(core.engine, session.handle) == SessionExplanation(
        handle=session.handle,
        state="live",
        text=f"alive until {END} unless it is refreshed before",
        at_ms=session.refresh_token.expires_ms,
        user_id="u1",
    )


def test_one_that_the_clean_up_has_not_found_yet(core: Driver, clock: Clock) -> None:
    """Its row says that it has expired."""
    session = core.create("u1")
    clock.advance(days=101)
    found = explain(core.engine, session.handle)
    assert (found.state, found.reason, found.at_ms) == ("ended", None, session.refresh_token.expires_ms)
    assert found.text == f"expired {END}: it was not used for too long, or reached its longest lifetime"


def test_one_that_somebody_else_ended(core: Driver, fresh_shared: TestDatabase) -> None:
    """An official core deletes the row, and nothing else."""
    session = core.create("u1")
    fresh_shared.query("DELETE FROM session_info")
    found = explain(core.engine, session.handle)
    assert found.text == (
        "not alive, though no end of it is on record: an official core, or a program without events, ended "
        "it, or its row was deleted by hand"
    )
    assert (found.state, found.user_id) == ("ended", "u1")


@pytest.mark.parametrize("handle", ["00000000-0000-0000-0000-000000000000", "nothing", "a\0", "x" * 999])
def test_one_that_nobody_knows(core: Driver, handle: str) -> None:
    """That may have several causes, and all are said."""
    assert explain(core.engine, handle) == SessionExplanation(handle=handle, state="unknown", text=UNKNOWN)


def test_without_events(fresh_shared: TestDatabase, start: Opener) -> None:
    """It is said what to switch on; a live session needs none."""
    core = start(fresh_shared.uri)
    session = core.create()
    assert explain(core.engine, session.handle).state == "live"
    core.sessions.revoke([session.handle])
    assert explain(core.engine, session.handle).text == (
        "not alive, and no events are kept here that could say why: session.init(events=EventSettings()) "
        "keeps them from then on"
    )
    with pytest.raises(ConfigError, match="events=EventSettings"):
        explain_user(core.engine, "user")


def test_every_session_of_a_user(core: Driver, clock: Clock) -> None:
    """Ended and live ones, and those from before events were on."""
    first, second = core.create("u1"), core.create("u1")
    core.create("u2")
    core.sessions.revoke([first.handle], ending=Ending(reason="signout"))
    found = explain_user(core.engine, "u1")
    assert [(one.handle, one.state) for one in found] == [(first.handle, "ended"), (second.handle, "live")]
    assert explain_user(core.engine, "nobody") == []


def test_a_reason_of_a_later_version(core: Driver) -> None:
    """It is shown as it is."""
    key = SessionKey(handle="h", tenant_id="public", user_id="u")
    later: object = "moved"
    log = core.engine.events
    core.database.write(lambda c: log.ended(c, [key], Ending(reason=later)))
    assert explain(core.engine, "h").text == f"ended {AT}: moved"
