"""Users: everything that is kept of one is deleted in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.events import emit_revoked
from supertokens_py.exceptions import BadInputError

from .activity import LAST_ACTIVE
from .metadata import USER_METADATA
from .roles import USER_ROLES
from .session_rows import SESSIONS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .activity import Activity
    from .storage.database import Database
    from .user_ids import UserIds


class UserStore:
    """Users in the database; a class because it holds its statements."""

    def __init__(self, database: Database, users: UserIds, activity: Activity) -> None:
        self._database = database
        self._users = users
        self._activity = activity
        tables = database.tables
        sessions = tables[SESSIONS]
        others = (tables[one] for one in (USER_ROLES, USER_METADATA, LAST_ACTIVE))
        self._sessions, *self._others = (
            delete(table).where(table.c.app_id == DEFAULT_APP_ID, table.c.user_id == bindparam("user"))
            for table in (sessions, *others)
        )
        self._sessions = self._sessions.returning(sessions.c.session_handle)

    def remove(self, user_id: str) -> None:
        """Delete a user's sessions, roles, metadata and last activity, in every tenant.

        Raises:
            BadInputError: an official core keeps log-in data of the user here, which is its to delete.
        """
        if not validation.is_possible_user_id(user_id):
            return

        def unit(connection: Connection) -> list[str]:
            if self._users.is_kept(connection, user_id):
                raise BadInputError(
                    "the log-in data of this user is kept by a SuperTokens core: remove the user through it"
                )
            handles = connection.execute(self._sessions, {"user": user_id}).scalars().all()
            for statement in self._others:
                connection.execute(statement, {"user": user_id})
            return list(handles)

        handles = self._database.write(unit)
        self._activity.forget(user_id)
        emit_revoked(handles)

    def count_active(self, since_ms: int) -> int:
        """Return how many users created, refreshed or ended sessions at or after a time."""
        return self._activity.count_since(since_ms)
