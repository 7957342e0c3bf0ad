"""When sessions were used between refreshes: throttled, batched, written off the request path."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import EngineUnavailableError

from ..session_state.activity import RecentNotes
from ..session_state.session_details import used_since
from ..session_state.session_rows import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..storage.database import Database

log: logging.Logger = logging.getLogger(__name__)


class SessionActivity:
    """Remembers which sessions were used and writes it when `flush` is called.

    A session is written at most once in five minutes and process, and never created by it.
    """

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self.notes: RecentNotes = RecentNotes(settings)
        self._used = used_since(database.tables)
        #: Remembers that the session of a handle is used now, without I/O.
        self.note: Callable[[str], None] = self.notes.note

    def flush(self) -> None:
        """Write what is pending; a failure is logged and forgotten, for nothing depends on it."""
        rows = [key_of(handle) | {"at": at} for handle, at in self.notes.taken()]
        if not rows:
            return
        try:
            self._database.write(lambda connection: connection.execute(self._used, rows))
        except EngineUnavailableError as error:
            log.info("the use of %d sessions was not recorded: %s", len(rows), error)
