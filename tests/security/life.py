"""The engine and the model side by side: each step is done to both, and they must agree."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

from supertokens_py.engine.embedded.keys.access_tokens import Grant
from supertokens_py.engine.embedded.sessions.refresh_state import Outcome, Use
from supertokens_py.engine.embedded.storage import server_clock
from supertokens_py.engine.embedded.storage.errors import UnknownOutcomeError
from supertokens_py.engine.records import (
    IssuedSession,
    Regenerated,
    TokenTheft,
    TryRefresh,
    Unauthorised,
    Verified,
)
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError
from supertokens_py.recipe.session.verification.verifier import UnknownKeyError, VerifiedTokens
from supertokens_py.tokens.access_token import parse_access_token
from tests.engine.driver import Driver, header
from tests.support.clock import Clock, Stopwatch

from .model import Access, Model, Session, Settings, Verdict

SETTINGS = Settings(access_ms=600_000, session_ms=6_000_000, grace_ms=30_000)
USERS = ("alice", "bob")
SUCCEEDS = ("rotate", "keep", "promote", "repeat", "resume")


class Life:
    """One run. Choices are numbers, so that hypothesis can shrink them and a seed can repeat them."""

    def __init__(self, uri: str, seed: Callable[[Driver], None] | None = None) -> None:
        self.clock = Clock(1_800_000_000_000)
        # The database's clock moves along: where both differ, nothing is swept.
        self._database_clock = patch.object(server_clock, "server_now_ms", lambda _: self.clock())
        self._database_clock.start()
        self.monotonic = Stopwatch()
        self.core = Driver(
            uri,
            now_ms=self.clock,
            monotonic_s=self.monotonic,
            access_token_validity=600,
            refresh_token_validity=100,
            refresh_token_rotation_grace_period=30,
            access_token_dynamic_signing_key_update_interval=1e6,
            sqlite_synchronous="NORMAL",
        )
        if seed:
            seed(self.core)
        self.model = Model(SETTINGS)
        self.verified = VerifiedTokens(64)
        self._accepted: set[str] = set()  # two refreshes in one second yield the same access token
        self._threads = ThreadPoolExecutor(3)

    def close(self) -> None:
        self._threads.shutdown()
        self.core.close()
        self._database_clock.stop()

    # -- steps ---------------------------------------------------------------------------------------

    def create(self, who: int) -> None:
        user_id = USERS[who % len(USERS)]
        issued = self.core.create(user_id, payload={"n": who})
        session = Session(
            issued.handle,
            user_id,
            issued.refresh_token.text,
            self.clock() + SETTINGS.session_ms,
            {"n": who},
        )
        self.model.created(session)
        assert issued.refresh_token.expires_ms == session.expires_ms
        self._handed_out(session, issued)

    def refresh(self, which: int, token: int, *, tabs: int = 1) -> None:
        """Refresh with any token that the session ever had, in one tab or in several at once."""
        session = self._any(which)
        if session is None:
            return
        text = session.refresh_tokens[-1 - token % len(session.refresh_tokens)]
        now_ms = self.clock()
        answers = (
            list(self._threads.map(self.core.refresh, [text] * tabs))
            if tabs > 1
            else [self.core.refresh(text)]
        )
        expected = self.model.refresh(session.handle, text, now_ms=now_ms)
        if expected in SUCCEEDS:
            assert all(isinstance(answer, IssuedSession) for answer in answers), (expected, answers)
            (successor,) = {answer.refresh_token.text for answer in answers}
            self.model.answered(session.handle, expected, successor, now_ms=now_ms)
            assert successor == session.current
            for answer in answers:
                assert answer.payload == session.payload
                assert answer.refresh_token.expires_ms == session.expires_ms
                self._handed_out(session, answer)
            return
        if expected is None:
            assert all(
                answer == Unauthorised("Session does not exist.", "session_gone") for answer in answers
            ), answers
            return
        thefts = [answer for answer in answers if isinstance(answer, TokenTheft)]
        assert [(theft.handle, theft.user_id, theft.reuse) for theft in thefts] == [
            (session.handle, session.user_id, expected)
        ], answers
        assert all(isinstance(answer, TokenTheft | Unauthorised) for answer in answers)
        self.model.ended(session.handle)

    def lose(self, which: int, token: int) -> None:
        """Refresh as `refresh` does, but nobody hears of it but this model, and it is taken back."""
        session = self._any(which)
        if session is None:
            return
        text = session.refresh_tokens[-1 - token % len(session.refresh_tokens)]
        now_ms, lost = self.clock(), self.core.sessions.lost_answers
        expected = self.model.refresh(session.handle, text, now_ms=now_ms)
        if expected not in SUCCEEDS or expected == "resume" or session.orphan is not None:
            return  # if two rotations of one token were taken back, the successors of both are believed
        watch, outcomes = lost.watch, list[Outcome]()

        def broken(use: Use, refresh: Callable[[Use], Outcome]) -> Outcome:
            def unheard(use: Use) -> Outcome:
                outcomes.append(refresh(use))
                raise UnknownOutcomeError("the connection broke")

            return watch(use, unheard)

        with patch.object(lost, "watch", broken), contextlib.suppress(UnknownOutcomeError):
            self.core.refresh(text)
        lost.flush()
        (outcome,) = outcomes
        assert isinstance(outcome.answer, Grant)
        self.model.answered(session.handle, expected, outcome.answer.token.text, now_ms=now_ms)
        self.model.taken_back(session.handle, text, now_ms=now_ms)

    def verify(self, which: int, token: int) -> None:
        """Verify any access token, with and without asking the store."""
        found = self._any_access(which, token)
        if found is None:
            return
        session, access = found
        held, holds = self._holds(access.text), self.model.holds(access, now_ms=self.clock())
        if not (held and access.text in self._accepted and access.issued_ms > self.clock() + 60_000):
            # Else the clock was set back after the token had been accepted: that it came from the
            # future is not asked again of a token that is remembered.
            assert held is holds, (access, self.clock())
        if held:
            self._accepted.add(access.text)
        parsed = parse_access_token(access.text)
        assert parsed is not None
        answer = self.core.engine.sessions.verify(parsed, check_database=True)
        verdict: Verdict = (
            "ok"
            if isinstance(answer, Verified)
            else "try refresh"
            if isinstance(answer, TryRefresh)
            else "unauthorised"
        )
        assert verdict == self.model.verify(session.handle, access, now_ms=self.clock())

    def merge(self, which: int, token: int, value: int) -> None:
        """Change the payload through an access token, which may have expired or be of a dead session."""
        found = self._any_access(which, token)
        if found is None:
            return
        session, access = found
        update: dict[str, Any] = {"n": value if value % 3 else None, f"k{value % 4}": value}
        self._fresh_keys()
        result = self.core.sessions.regenerate(access.text, merge=update)
        alive = self.model.live.get(session.handle)
        now_ms = self.clock()
        if access.kid in self.model.dropped_keys or alive is None or alive.expires_ms <= now_ms:
            assert isinstance(result, Unauthorised)
            return
        assert isinstance(result, Regenerated)
        merged = {**session.payload, **update}
        session.payload = {name: item for name, item in merged.items() if item is not None}
        assert result.payload == session.payload
        assert (result.access_token is not None) is (access.expires_ms >= now_ms)
        if result.access_token is not None:
            self._remember(session, result.access_token.text, access.lineage, access.expires_ms)

    def merge_by_handle(self, which: int, value: int) -> None:
        session = self._any(which)
        if session is None:
            return
        done = self.core.sessions.merge_payload(session.handle, {"h": value})
        assert done is self._is_live(session)
        if done:
            session.payload["h"] = value

    def revoke(self, which: int) -> None:
        session = self._any(which)
        if session is None:
            return
        revoked = self.core.sessions.revoke([session.handle])
        assert revoked == ([session.handle] if session.handle in self.model.live else [])
        if revoked:
            self.model.ended(session.handle)

    def revoke_user(self, who: int) -> None:
        user_id, now_ms = USERS[who % len(USERS)], self.clock()
        expected = {
            s.handle for s in self.model.live.values() if s.user_id == user_id and s.expires_ms >= now_ms
        }
        assert set(self.core.sessions.revoke_user(user_id, tenant_id="public")) == expected
        for handle in expected:
            self.model.ended(handle)

    def look(self, which: int) -> None:
        """Read what is stored, and the list of a user's sessions."""
        session = self._any(which)
        if session is None:
            return
        stored = self.core.sessions.information(session.handle)
        assert (stored is not None) is self._is_live(session)
        if stored is not None:
            assert (stored.user_id, stored.payload, stored.expires_ms) == (
                session.user_id,
                session.payload,
                session.expires_ms,
            )
        now_ms = self.clock()
        handles = {
            s.handle
            for s in self.model.live.values()
            if s.user_id == session.user_id and s.expires_ms >= now_ms
        }
        assert set(self.core.sessions.user_handles(session.user_id, tenant_id=None)) == handles

    def move_clock(self, ms: int) -> None:
        """Forward, or backward as a clock that is set does."""
        self.clock.now_ms += ms

    def sweep(self) -> None:
        swept = self.core.clean_up()
        assert swept.sessions == self.model.swept(now_ms=self.clock())

    def rotate_keys(self, drop: bool) -> None:
        before = {kid for kid in self._fresh_keys().keys if kid.startswith("d-")}
        kid = self.core.rotate_signing_key(drop_old=drop)
        assert kid not in before
        if drop:
            self.model.dropped_keys |= before

    # -- how it is compared --------------------------------------------------------------------------

    def _is_live(self, session: Session) -> bool:
        return session.handle in self.model.live and session.expires_ms > self.clock()

    def _any(self, which: int) -> Session | None:
        everything = self.model.everything()
        return everything[-1 - which % len(everything)] if everything else None

    def _any_access(self, which: int, token: int) -> tuple[Session, Access] | None:
        session = self._any(which)
        if session is None:
            return None
        return session, session.access_tokens[-1 - token % len(session.access_tokens)]

    def _fresh_keys(self) -> Any:
        self.monotonic.advance(6)  # the cool-down is tested elsewhere
        return self.core.keys.reload()

    def _holds(self, text: str) -> bool:
        token = parse_access_token(text)
        assert token is not None
        try:
            self.verified.check(token, self._fresh_keys(), now_ms=self.clock(), dynamic_key=True)
        except (TryRefreshTokenError, UnknownKeyError):
            return False
        return True

    def _handed_out(self, session: Session, issued: IssuedSession) -> None:
        now_s = self.clock() // 1000
        expires_ms = (self.clock() + SETTINGS.access_ms) // 1000 * 1000
        assert (issued.handle, issued.user_id) == (session.handle, session.user_id)
        assert issued.access_token.created_ms == now_s * 1000
        assert issued.access_token.expires_ms == expires_ms
        self._remember(session, issued.access_token.text, issued.refresh_token.text, expires_ms)

    def _remember(self, session: Session, text: str, lineage: str, expires_ms: int) -> None:
        kid, issued_ms = header(text)["kid"], self.clock() // 1000 * 1000
        assert kid not in self.model.dropped_keys
        session.access_tokens.append(Access(text, kid, issued_ms, expires_ms, lineage))


MOVES = (
    0,
    1,
    999,
    29_000,
    30_000,
    30_001,
    61_000,
    600_000,
    3_000_000,
    6_000_001,
    -1,
    -1_000,
    -30_000,
    -90_000,
)


def random_step(life: Life, dice: random.Random) -> str:
    """Do one step; return its name. Sessions that are alive and tokens that are recent come up more often."""
    number, token = min(dice.randrange(12), dice.randrange(12)), min(dice.randrange(6), dice.randrange(6))
    step = dice.choices(
        (
            "create",
            "refresh",
            "tabs",
            "lose",
            "verify",
            "merge",
            "handle",
            "revoke",
            "user",
            "look",
            "clock",
            "sweep",
            "keys",
        ),
        (10, 30, 6, 5, 20, 10, 4, 3, 0.3, 8, 20, 0.5, 0.1),
    )[0]
    steps: dict[str, Callable[[], object]] = {
        "create": lambda: life.create(number),
        "refresh": lambda: life.refresh(number, token),
        "tabs": lambda: life.refresh(number, token, tabs=3),
        "lose": lambda: life.lose(number, token),
        "verify": lambda: life.verify(number, token),
        "merge": lambda: life.merge(number, token, dice.randrange(100)),
        "handle": lambda: life.merge_by_handle(number, dice.randrange(100)),
        "revoke": lambda: life.revoke(number),
        "user": lambda: life.revoke_user(number),
        "look": lambda: life.look(number),
        "clock": lambda: life.move_clock(
            dice.choices(MOVES, (5, 5, 5, 8, 4, 4, 4, 2, 0.5, 0.2, 3, 3, 2, 1))[0]
        ),
        "sweep": life.sweep,
        "keys": lambda: life.rotate_keys(dice.random() < 0.5),
    }
    steps[step]()
    return step
