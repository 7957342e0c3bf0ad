"""Rotations that nobody may have heard of, as the connection broke: taken back (engine: Lost answers)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Update, bindparam, null, update

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import EngineUnavailableError

from ..session_state.session_rows import SESSIONS, one_session
from ..session_state.token_families import has_family
from ..storage.errors import UnknownOutcomeError
from .refresh_state import Outcome, Use

if TYPE_CHECKING:
    from ..storage.database import Database
    from ..storage.tables import Tables

#: More than a pool's connections that break at once, many times over.
MAX_REMEMBERED = 1_000
#: How long after its grace period a rotation may still be taken back: longer than a fail-over takes.
MAX_AGE_MS = 5 * 60_000
PAUSE_S = 1.0  #: from a try that failed to the next one in a request

log: logging.Logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """A refresh that was sent to the database, which may have done it, and was answered with 503."""

    use: Use
    from_ms: int
    until_ms: int

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of `take_back`."""
        presented = self.use.token.hash2
        return self.use.key | {"presented": presented, "from_ms": self.from_ms, "until_ms": self.until_ms}


class LostAnswers:
    """Remembers refreshes of unknown outcome until the database is there to ask."""

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._settings = settings
        self._pending: list[LostAnswer] = []
        self._again_at = 0.0
        self.on_note: Callable[[], None] = lambda: None  #: is told that there is something to take back

    def watch(self, use: Use, refresh: Callable[[Use], Outcome]) -> Outcome:
        """Run a refresh; remember it where nobody knows whether the database did it."""
        if self._pending and time.monotonic() >= self._again_at:
            self.flush()
        began_ms = self._settings.now_ms()
        try:
            return refresh(use)
        except UnknownOutcomeError:
            if len(self._pending) < MAX_REMEMBERED:
                self._pending.append(LostAnswer(use, began_ms, self._settings.now_ms()))
            self.on_note()
            raise

    def flush(self) -> None:
        """Take back what is pending; what cannot be taken back yet stays so, until it is too old."""
        pending, self._pending = self._pending, []
        pending = self._young(pending)
        while pending:
            try:
                self._take_back(pending[-1])
            except EngineUnavailableError as error:
                log.info("%d refreshes are not taken back yet: %s", len(pending), error)
                self._pending += pending
                self._again_at = time.monotonic() + PAUSE_S
                self.on_note()
                return
            pending.pop()

    def _young(self, pending: list[LostAnswer]) -> list[LostAnswer]:
        # Others have answered and retired the token by now, maybe, and whoever still has it may be a thief.
        earliest_ms = self._settings.now_ms() - self._settings.grace_period_ms - MAX_AGE_MS
        young = [lost for lost in pending if lost.until_ms >= earliest_ms]
        if len(young) < len(pending):
            log.warning("%d refreshes are too old to be taken back", len(pending) - len(young))
        return young

    def _take_back(self, lost: LostAnswer) -> None:
        # Somebody may have got the successor meanwhile, by a second use of the token. It becomes current when
        # it is presented, which it can only where its parent is believed.
        if not (has_family(lost.use.token.handle) or self._database.is_shared):
            return
        statement, values = take_back(self._database.tables), lost.values
        taken = self._database.single(lambda c: c.execute(statement, values).rowcount, repeatable=True)
        if taken:
            log.info("a refresh of session %s, which nobody got, was taken back", lost.use.token.handle)


def after_a_statement(unit: Callable[[], Outcome]) -> Outcome:
    """Run a unit after a statement that found nothing to do, maybe as an earlier sending of it had done it.

    Raises:
        UnknownOutcomeError: the unit failed, and what that statement did was not heard of.
    """
    try:
        return unit()
    except EngineUnavailableError as error:
        raise UnknownOutcomeError(str(error)) from error


def take_back(tables: Tables) -> Update:
    """Return the statement that makes the previous token current again, if it was rotated at that time.

    The time stays, from which the successor derives: whoever presents either token within the grace period
    gets that successor.
    """
    table = tables[SESSIONS]
    row = table.c
    return (
        update(table)
        .where(
            *one_session(table),
            row.prev_refresh_token_hash_2 == bindparam("presented"),
            row.refresh_token_rotated_at.between(bindparam("from_ms"), bindparam("until_ms")),
        )
        .values(
            refresh_token_hash_2=row.prev_refresh_token_hash_2,
            prev_refresh_token_hash_2=null(),
        )
    )
