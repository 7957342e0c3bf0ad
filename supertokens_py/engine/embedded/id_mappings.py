"""Which user of the tables the application knows by which id (engine: User-id mapping).

The tables of sign-in recipes keep a core's own ids. Sessions, roles and metadata keep the id that was passed,
which is the application's once there is a mapping: so one is made before there is any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.id_mapping import MappingExists, UserIdKind, UserIdMapping
from supertokens_py.engine.user_records import UnknownUser
from supertokens_py.exceptions import BadInputError

from .accounts.user_tables import USER_ID_MAPPING, USERS, VERIFICATION_TOKENS, VERIFIED_EMAILS
from .metadata import USER_METADATA
from .roles import USER_ROLES
from .session_state.session_rows import SESSIONS
from .storage.broken_rules import looking_again
from .storage.database import UnitConflictError
from .storage.dialects import insert_new

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .storage.database import Database
    from .storage.tables import TableDefinition

#: What keeps ids as they were passed, by the names that a core gives them.
_RECIPES: dict[str, TableDefinition] = {
    "Session": SESSIONS,
    "UserMetadata": USER_METADATA,
    "UserRoles": USER_ROLES,
}
_IS_USER = "Cannot create a userId mapping where the externalId is also a SuperTokens userID"


class IdMappingStore:
    """The mappings in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        tables = database.tables
        users, mapping, verified = tables[USERS], tables[USER_ID_MAPPING], tables[VERIFIED_EMAILS]
        tokens = tables[VERIFICATION_TOKENS]
        self._user = select(users.c.user_id).where(
            users.c.app_id == DEFAULT_APP_ID, users.c.user_id == bindparam("id")
        )
        self._lock_user = self._user.with_for_update()
        self._used_by = {
            name: select(tables[one].c.user_id)
            .where(tables[one].c.app_id == DEFAULT_APP_ID, tables[one].c.user_id == bindparam("id"))
            .limit(1)
            for name, one in _RECIPES.items()
        }
        self._internal, self._external = mapping.c.supertokens_user_id, mapping.c.external_user_id
        self._rows = select(self._internal, self._external, mapping.c.external_user_id_info).where(
            mapping.c.app_id == DEFAULT_APP_ID
        )
        own = and_(mapping.c.app_id == DEFAULT_APP_ID, self._internal == bindparam("id"))
        self._insert = insert(mapping)
        self._delete = delete(mapping).where(own)
        self._set_info = update(mapping).where(own).values(external_user_id_info=bindparam("info"))
        self._verified = (
            delete(verified)
            .where(verified.c.app_id == DEFAULT_APP_ID, verified.c.user_id == bindparam("id"))
            .returning(verified.c.email)
        )
        self._verify = insert_new(verified, is_sqlite=database.location.is_sqlite)
        self._move_tokens = (
            update(tokens)
            .where(tokens.c.app_id == DEFAULT_APP_ID, tokens.c.user_id == bindparam("id"))
            .values(user_id=bindparam("other"))
        )

    def create(
        self, user_id: str, external_id: str, info: str | None, *, force: bool
    ) -> UnknownUser | MappingExists | None:
        """Have the application know a user by an id of its own.

        Raises:
            BadInputError: the id cannot be stored; or, without `force`, it is another user's own, or there
                are sessions, metadata or roles of the user under the former id.
        """
        external = validation.validate_user_id(external_id)
        validation.validate_external_info(info)
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()

        def unit(connection: Connection) -> UnknownUser | MappingExists | None:
            if connection.execute(self._lock_user, {"id": user_id}).first() is None:
                return UnknownUser()
            taken = self._taken(connection, user_id, external)
            if taken is not None:
                return taken
            if not force:
                self._refuse_used(connection, user_id, external)
            self.insert(connection, user_id, external, info)
            return None

        return self._database.write(unit)

    def insert(self, connection: Connection, user_id: str, external_id: str, info: str | None = None) -> None:
        """Insert a mapping, and move along what is known of the user's addresses; within a unit of work."""
        values = {"supertokens_user_id": user_id, "external_user_id": external_id}
        with looking_again():
            connection.execute(
                self._insert.values(app_id=DEFAULT_APP_ID, external_user_id_info=info, **values)
            )
        self._move_addresses(connection, user_id, external_id)

    def _taken(self, connection: Connection, user_id: str, external_id: str) -> MappingExists | None:
        either = or_(self._internal == user_id, self._external == external_id)
        rows = connection.execute(self._rows.where(either)).all()
        if not rows:
            return None
        return MappingExists(
            user_id=any(row.supertokens_user_id == user_id for row in rows),
            external_id=any(row.external_user_id == external_id for row in rows),
        )

    def _refuse_used(self, connection: Connection, user_id: str, external_id: str) -> None:
        if connection.execute(self._user, {"id": external_id}).first() is not None:
            raise BadInputError(_IS_USER)
        self._refuse_kept(connection, user_id)

    def _refuse_kept(self, connection: Connection, user_id: str) -> None:
        for name, statement in self._used_by.items():
            if connection.execute(statement, {"id": user_id}).first() is not None:
                raise BadInputError(f"UserId is already in use in {name} recipe")

    def _move_addresses(self, connection: Connection, user_id: str, other: str) -> None:
        # Tokens first, as where one of them is used.
        connection.execute(self._move_tokens, {"id": user_id, "other": other})
        emails = connection.execute(self._verified, {"id": user_id}).scalars().all()
        if emails:
            rows = [{"app_id": DEFAULT_APP_ID, "user_id": other, "email": email} for email in emails]
            connection.execute(self._verify, rows)

    def find(self, user_id: str, kind: UserIdKind = "ANY") -> UserIdMapping | None:
        """Return the mapping that an id belongs to, as a core's, as the application's, or as either."""
        if not validation.is_possible_user_id(user_id):
            return None
        return self._database.read(lambda connection: self._found(connection, user_id, kind))

    def _found(self, connection: Connection, user_id: str, kind: UserIdKind) -> UserIdMapping | None:
        match kind:
            case "SUPERTOKENS":
                condition: Any = self._internal == user_id
            case "EXTERNAL":
                condition = self._external == user_id
            case _:
                condition = or_(self._internal == user_id, self._external == user_id)
        rows = connection.execute(self._rows.where(condition)).all()
        rows = sorted(rows, key=lambda row: row.supertokens_user_id != user_id)  # the core's own id wins
        return UserIdMapping(*rows[0]) if rows else None

    def _locked(self, connection: Connection, user_id: str, kind: UserIdKind) -> UserIdMapping | None:
        """Return the mapping that an id belongs to, which nobody replaces before the transaction ends."""
        found = self._found(connection, user_id, kind)
        if found is None:
            return None
        connection.execute(self._lock_user, {"id": found.user_id})
        if self._found(connection, user_id, kind) != found:
            raise UnitConflictError  # it was another one by then: look again
        return found

    def delete(self, user_id: str, kind: UserIdKind = "ANY", *, force: bool = False) -> bool:
        """Forget a mapping; return whether there was one.

        Raises:
            BadInputError: without `force`, there are sessions, metadata or roles under the application's id.
        """
        if not validation.is_possible_user_id(user_id):
            return False

        def unit(connection: Connection) -> bool:
            found = self._locked(connection, user_id, kind)
            if found is None:
                return False
            # What is kept under an id that is another user's own belongs to that one.
            is_anothers = connection.execute(self._user, {"id": found.external_user_id}).first() is not None
            if not force and not is_anothers:
                self._refuse_kept(connection, found.external_user_id)
            if not is_anothers:
                self._move_addresses(connection, found.external_user_id, found.user_id)
            return connection.execute(self._delete, {"id": found.user_id}).rowcount > 0

        return self._database.write(unit)

    def set_info(self, user_id: str, kind: UserIdKind, info: str | None) -> bool:
        """Replace what the application noted at a mapping, or remove it; return whether there is one.

        Raises:
            BadInputError: it cannot be stored.
        """
        validation.validate_external_info(info)
        if not validation.is_possible_user_id(user_id):
            return False

        def unit(connection: Connection) -> bool:
            found = self._locked(connection, user_id, kind)
            if found is None:
                return False
            values = {"id": found.user_id, "info": info}
            return connection.execute(self._set_info, values).rowcount > 0

        return self._database.write(unit)
