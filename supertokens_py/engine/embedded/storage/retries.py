"""Whether a unit of work that failed is tried again, and what has to happen before. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from . import errors

#: again: after a short wait; reconnect: at once, on another connection; replace: none of the pool's
#: connections is to be trusted; wait: for one of our own connections; reopen: the tables are gone.
Step: TypeAlias = Literal["again", "reconnect", "replace", "wait", "reopen"]

MAX_CONFLICTS = 12
MAX_RECONNECTS = 2
MAX_REFUSALS = 20


@dataclass
class Retries:
    """How often one unit has failed, and how."""

    reopens: bool  #: False while the schema is being looked at already
    conflicts: int = 0
    reconnects: int = 0
    replaced: bool = False
    refusals: int = 0
    may_be_done: bool = False  #: whether an attempt broke off when the server may have done it

    def conflict(self) -> bool:
        """Count a conflict; return whether the unit may try again."""
        self.conflicts += 1
        return self.conflicts <= MAX_CONFLICTS

    def step_after(self, error: Exception, *, may_repeat: bool) -> Step | None:
        """Return what to do before the next try, or None if the error is final.

        `may_repeat` says that nothing was committed, or that doing it twice is the same as once. Other
        errors than a broken connection tell by themselves that the server did nothing.
        """
        if errors.is_conflict(error):
            return "again" if self.conflict() else None
        if errors.is_disconnect(error):
            self.reconnects += 1
            return "reconnect" if may_repeat and self.reconnects <= MAX_RECONNECTS else None
        if errors.is_refused(error):
            self.refusals += 1
            return "wait" if self.refusals <= MAX_REFUSALS else None
        if errors.is_unusable(error) and not self.replaced:
            self.replaced = True
            return "replace"
        if errors.is_missing_table(error) and self.reopens:
            self.reopens = False
            return "reopen"
        return None


class Progress:
    """How far an attempt came: once it is committing, its outcome may be unknown."""

    committing = False
