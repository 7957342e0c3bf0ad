"""What every unit of work on sessions needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supertokens_py.engine.config import ResolvedEngineConfig

from .session_statements import SessionStatements

if TYPE_CHECKING:
    from .activity import Activity
    from .database import Database
    from .keys import KeyRing
    from .user_ids import UserIds


class SessionWork:
    """Holds what `SessionStore` and `Refresher` work with."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        activity: Activity,
        users: UserIds,
        settings: ResolvedEngineConfig,
    ) -> None:
        self._database = database
        self._keys = keys
        self._activity = activity
        self._users = users
        self._settings = settings
        self._sql = SessionStatements(database.tables)
