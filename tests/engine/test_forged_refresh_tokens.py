"""An attacker with the database, master key included, and every access token, but no refresh token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supertokens_py.engine.embedded.session_state.refresh_tokens import (
    MasterKey,
    hash1,
    hash2,
    successor,
)
from supertokens_py.engine.records import IssuedSession, TokenTheft, Unauthorised
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, claims
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase
from tests.support.refresh_tokens import session_token

REFUSED = Unauthorised("Invalid refresh token", "refresh_token_invalid")


class Attacker:
    """Seals tokens under the master key, with every text that is in rows and access tokens."""

    def __init__(self, core: Driver) -> None:
        self._core = core
        self._seen: list[IssuedSession] = []

    def sees(self, issued: IssuedSession) -> None:
        """Note an access token; nothing else of it is used."""
        self._seen.append(issued)

    def forged(self, handle: str) -> Iterator[str]:
        """Yield tokens of a session: children of everything known, with everything known as the nonce."""
        row = self._core.row(handle)
        assert row is not None
        known = [claims(issued)["refreshTokenHash1"] for issued in self._seen]
        texts = [*known, *(hash1(text) for text in known)]
        texts += [value for value in row.values() if isinstance(value, str) and len(value) == 64]
        texts += [hash1(handle), handle.replace("-", "") * 2, "0" * 64]
        for parent in (None, *texts):
            for nonce in texts:
                yield self.seal(handle, nonce, parent)

    def seal(self, handle: str, nonce: str, parent: str | None) -> str:
        """Return a token with these contents."""
        master = self._core.ring.master_key().text
        return session_token(master, nonce=nonce, handle=handle, user_id="user", parent_hash1=parent)


@pytest.mark.parametrize("rotations", [0, 1, 3])
@pytest.mark.parametrize("age_s", [0, 31])
def test_no_sealed_token_is_accepted_or_ends_a_session(
    core: Driver, clock: Clock, rotations: int, age_s: int
) -> None:
    """Whatever is sealed is refused, the row stays as it is, and the owner goes on."""
    attacker, session = Attacker(core), core.create()
    attacker.sees(session)
    for _ in range(rotations):
        clock.advance(s=31)
        session = core.refresh(session)
        attacker.sees(session)
    clock.advance(s=age_s)
    row = core.row(session.handle)
    tried = 0
    for token in attacker.forged(session.handle):
        assert core.refresh(token) == REFUSED
        tried += 1
    assert tried > 20
    assert core.row(session.handle) == row
    assert isinstance(core.refresh(session), IssuedSession)


def test_a_forged_token_is_an_event(core: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody but a holder of the master key can have made it: a warning."""
    session = core.create("victim")
    token = next(Attacker(core).forged(session.handle))
    caplog.clear()
    assert core.refresh(token) == REFUSED
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"session.forged handle={session.handle} user_id=victim")
    ]


def test_where_a_core_shares_the_database_a_child_is_accepted(sqlite_files: Sqlite, clock: Clock) -> None:
    """The setting says so; without it the same token is refused."""
    uri = sqlite_files.create().uri
    alone = Driver(uri, now_ms=clock)
    shared = Driver(uri, now_ms=clock, shared_with_core="YES")
    session = shared.create()
    attacker = Attacker(shared)
    parent = hash1(session.refresh_token.text)
    token = attacker.seal(session.handle, "0" * 64, parent)
    assert shared.refresh(token).refresh_token.text == token
    assert shared.row(session.handle)["refresh_token_hash_2"] == hash2(token)
    own = alone.create()
    assert alone.refresh(attacker.seal(own.handle, "0" * 64, hash1(own.refresh_token.text))) == REFUSED
    alone.close()
    shared.close()


def test_a_database_with_tables_of_a_core_is_shared(postgres_database: TestDatabase, clock: Clock) -> None:
    """AUTO: found when the database is opened; `NO` says that the core is gone."""
    postgres_database.query("CREATE TABLE dashboard_users (app_id text)")
    try:
        answers = []
        for setting in ("AUTO", "NO"):
            core = Driver(postgres_database.uri, now_ms=clock, shared_with_core=setting)
            answers.append(core.database.is_shared)
            core.close()
        assert answers == [True, False]
    finally:
        postgres_database.query("DROP TABLE dashboard_users")


def test_a_retired_token_cannot_be_made_newer(start: Opener, database: TestDatabase, clock: Clock) -> None:
    """With `encryption_key`, whoever has a retired token and the database has nothing to date one with."""
    core = start(database.uri, now_ms=clock, encryption_key="k" * 40)
    first = core.create()
    clock.advance(minutes=5)
    second = core.refresh(first)
    clock.advance(minutes=5)
    third = core.refresh(second)
    clock.advance(minutes=5)
    master_key, retired = core.ring.open_token(first.refresh_token.text)
    assert retired is not None
    stolen_key = MasterKey(master_key.text)
    newer = successor(stolen_key, retired, rotated_ms=clock(), anti_csrf=False)
    assert isinstance(core.refresh(newer.text), TokenTheft)
    assert core.refresh(third) == Unauthorised("Session does not exist.", "session_gone")
