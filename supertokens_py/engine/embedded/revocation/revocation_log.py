"""Revoked sessions across processes: written with each ending, and read again every second or on a word."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.revoked_sessions import Revocation, RevokedSessions, remembered_ms
from supertokens_py.engine.session_records import Ending, SessionFeatures, SessionKey
from supertokens_py.events import RevocationsStale, emit
from supertokens_py.exceptions import EngineUnavailableError, SuperTokensError
from supertokens_py.runtime import fork_hooks

from ..background import Pace
from ..keys.token_lives import TokenLives
from ..session_state.session_changes import Recorder
from .revocation_rows import Position, RevocationStatements
from .revocation_threads import Poller

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.database import Database

#: Ends of sessions that are not listed: access tokens know of their expiry, and where all sessions end with
#: the keys, one row says so.
_NOT_LISTED = frozenset({"idle", "absolute", "keys_renewed"})
_ALWAYS_MS = 2**62
#: How long a request waits for a reading that another thread has begun, such as one of a hanging server.
PATIENCE_S = 1.0

log: logging.Logger = logging.getLogger(__name__)


class RevocationWriter(Recorder):
    """Records ended sessions, for the processes that look at them."""

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self.statements: RevocationStatements = RevocationStatements(database.tables)
        self._settings = settings
        self._life_ms = remembered_ms(settings.access_token_validity_ms)

    def ended(self, connection: Connection, sessions: Sequence[SessionKey], ending: Ending) -> None:
        if ending.reason not in _NOT_LISTED:
            now_ms = self._settings.now_ms()
            handles = [one.handle for one in sessions]
            self.statements.write(connection, handles, now_ms, now_ms + self._life_ms)

    def cut_short(self, connection: Connection, handle: str) -> None:
        now_ms = self._settings.now_ms()
        self.statements.write(connection, [handle], now_ms, now_ms + self._life_ms)

    def all_ended(self, connection: Connection, ending: Ending) -> None:
        now_ms = self._settings.now_ms()
        self.statements.write(connection, None, now_ms, now_ms + self._life_ms)


class RevocationLog(RevocationWriter, fork_hooks.ForkAware):
    """Records ended sessions, and keeps `revoked` up to date.

    A class because it owns what this process knows: how far it has read, and when that was.
    """

    def __init__(
        self, database: Database, settings: ResolvedEngineConfig, *, max_staleness_ms: int, pace: Pace
    ) -> None:
        super().__init__(database, settings)
        self.revoked: RevokedSessions = RevokedSessions()
        self.database: Database = database
        self._lives = TokenLives(database, settings)
        self.pace: Pace = pace
        self._max_staleness_ms = max_staleness_ms
        self._is_alone = database.location.kind == "sqlite-memory"  # nobody else can revoke anything in it
        self._poller = Poller(self, listens=not database.location.is_sqlite)
        self._forget_position()
        self._lock = threading.Lock()
        fork_hooks.register(self)

    def _forget_position(self) -> None:
        self.position: Position = Position()
        self._interruptions = 0
        self._read_life_ms = 0  #: what `_life_ms` was at the last reading
        self.read_at_ms: int | None = None
        self._retry_at_s = 0.0
        self._is_warned = False

    # -- writing --------------------------------------------------------------------------------------

    def settled(self, sessions: Sequence[SessionKey], ending: Ending) -> None:
        if ending.reason not in _NOT_LISTED:
            now_ms = self._settings.now_ms()
            handles = [one.handle for one in sessions]
            self.revoked.add([Revocation(handles=handles, at_ms=now_ms, until_ms=now_ms + self._life_ms)])

    def cut_short_settled(self, handle: str) -> None:
        now_ms = self._settings.now_ms()
        self.revoked.add([Revocation(handles=[handle], at_ms=now_ms, until_ms=now_ms + self._life_ms)])

    def all_settled(self, ending: Ending) -> None:
        now_ms = self._settings.now_ms()
        self.revoked.add([Revocation(handles=None, at_ms=now_ms, until_ms=now_ms + self._life_ms)])

    # -- reading --------------------------------------------------------------------------------------

    def is_cooling(self) -> bool:
        """Return whether reading has just failed, so that `catch_up` would not try. No I/O."""
        return time.monotonic() < self._retry_at_s

    def remember(self, life_ms: int) -> None:
        """Remember ended sessions as long as an access token lives that is about. No I/O.

        Tokens may live longer than those of this process: other processes, or those before a deployment, have
        another `access_token_validity`. What was forgotten too early is read again.
        """
        if remembered_ms(life_ms) > self._life_ms:
            self._life_ms = remembered_ms(life_ms)
            self.revoked.fresh_until_ms = 0

    def is_running(self) -> bool:
        """Return whether threads read the log, and have done so once. No I/O."""
        return self._poller.is_running() and self.read_at_ms is not None

    def catch_up(self) -> bool:
        """Read the log if that is overdue, and have it read from now on; return whether it could be.

        Called where a request found that what is known is too old: in a new process, or a forked one, or
        where no thread runs beside requests.
        """
        self._poller.start()
        lock = self._lock
        if not lock.acquire(timeout=PATIENCE_S):
            self._failed(EngineUnavailableError("a reading that was begun has not ended yet"))
            return False
        try:
            if self.revoked.fresh_until_ms >= self._settings.now_ms():
                return True  # another request has waited for the same
            return not self.is_cooling() and self._tried()
        finally:
            lock.release()

    def poll(self) -> None:
        """Read the log; a failure is kept for the next request to see."""
        with self._lock:
            self._tried()

    def _tried(self) -> bool:
        try:
            self._read()
        except SuperTokensError as error:
            self._failed(error)
            return False
        if self._is_warned:
            log.info("revoked sessions can be read again")
        self._is_warned = False
        return True

    def _read(self) -> None:
        now_ms = self._settings.now_ms()
        if self._is_alone:
            self.revoked.forget(now_ms)
            self.revoked.fresh_until_ms = _ALWAYS_MS
            return
        # A connection that broke may lead to another server from then on, whose numbers are others.
        interruptions, life_ms = self.database.interruptions, self._life_ms
        goes_on = interruptions == self._interruptions and life_ms == self._read_life_ms
        position = self.position if goes_on else Position()
        rows = self.database.read(lambda c: self.statements.read(c, position, now_ms, life_ms))
        position.passed((number for number, _ in rows), time.monotonic())
        self.position, self._interruptions, self._read_life_ms = position, interruptions, life_ms
        self.revoked.add([one for _, one in rows])
        self.revoked.forget(now_ms)
        self.read_at_ms = now_ms
        self.revoked.fresh_until_ms = now_ms + self._max_staleness_ms
        if self._life_ms > life_ms:  # meanwhile
            self.revoked.fresh_until_ms = 0

    def _failed(self, error: SuperTokensError) -> None:
        self._retry_at_s = time.monotonic() + self.pace.poll_s
        now_ms = self._settings.now_ms()
        if self.revoked.fresh_until_ms >= now_ms:
            return
        age_ms = None if self.read_at_ms is None else now_ms - self.read_at_ms
        if not self._is_warned:
            self._is_warned = True
            log.warning("revoked sessions cannot be read, so that some may still be accepted: %s", error)
        emit(RevocationsStale(age_ms=age_ms))

    def clean_up(self, now_ms: int) -> None:
        """Delete the rows that no process needs any more."""

        def unit(connection: Connection) -> None:
            self.statements.purge(connection, now_ms, self._lives.longest_ms(connection, now_ms))

        self.database.write(unit)

    # -- life -----------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the threads; `catch_up` starts them again."""
        self._poller.stop()
        self.revoked.fresh_until_ms = 0

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        self.revoked.replace_lock()
        self._forget_position()


def revocation_log(
    database: Database, settings: ResolvedEngineConfig, features: SessionFeatures, pace: Pace
) -> RevocationLog | None:
    """Return the log of a database whose tables include it; None where the feature is off."""
    if not features.revocations:
        return None
    staleness_ms = features.revocation_max_staleness_ms
    return RevocationLog(database, settings, max_staleness_ms=staleness_ms, pace=pace)
