"""Which user a session belongs to where an official core keeps linked or mapped users. Reads only.

Sessions hold the recipe user id in its external form; tokens name the primary user, too
(engine: Users). A database without those tables has no such users: both ids are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    String,
    TextClause,
    bindparam,
    column,
    func,
    select,
    table,
    text,
    union,
)

from supertokens_py.constants import DEFAULT_APP_ID

from ..storage.database import UnitConflictError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection, FromClause

    from ..storage.database import Database

_USER_COLUMNS = ("app_id", "user_id", "primary_or_recipe_user_id")
_MAPPING_COLUMNS = ("app_id", "supertokens_user_id", "external_user_id")


class UserIds:
    """Resolves ids through the tables of an official core, if there are any."""

    def __init__(self, database: Database) -> None:
        self._database = database
        tables = database.tables
        qualified = f'"{tables.schema}".' if tables.schema else ""
        mapping = f'{qualified}"{tables.prefix}userid_mapping"'
        users = f'{qualified}"{tables.prefix}app_id_to_user_id"'
        app = f"app_id = '{DEFAULT_APP_ID}'"
        self._internal = text(
            f"SELECT supertokens_user_id FROM {mapping} WHERE {app} AND external_user_id = :id"  # noqa: S608
        )
        self._external = text(
            f"SELECT external_user_id FROM {mapping} WHERE {app} AND supertokens_user_id = :id"  # noqa: S608
        )
        self._primary = text(
            f"SELECT primary_or_recipe_user_id FROM {users} WHERE {app} AND user_id = :id"  # noqa: S608
        )

        self._users_table = table(
            f"{tables.prefix}app_id_to_user_id", *map(column, _USER_COLUMNS), schema=tables.schema
        )
        self._mapping_table = table(
            f"{tables.prefix}userid_mapping", *map(column, _MAPPING_COLUMNS), schema=tables.schema
        )
        self._linked = self.linked_ids()

    def linked_ids(self) -> CompoundSelect[Any]:
        """Return what selects the ids of `linked_to`, for a statement with the parameter `user`."""
        user: ColumnElement[str] = bindparam("user", type_=String())
        users, mapping = self._users_table.c, self._mapping_table.c
        primary = self._primary_of(self._internal_of(user))
        own = select(users.user_id).where(
            users.app_id == DEFAULT_APP_ID, users.primary_or_recipe_user_id == primary
        )
        external = select(mapping.external_user_id).where(
            mapping.app_id == DEFAULT_APP_ID, mapping.supertokens_user_id.in_(own)
        )
        return union(select(user), own, external)

    def names(self, stored: ColumnElement[str]) -> tuple[ColumnElement[str], ColumnElement[str]]:
        """Return what `resolve` answers, as columns of a statement that has the stored id in one."""
        internal = self._internal_of(stored)
        primary = func.coalesce(self._primary_of(internal), internal)
        return self._external_of(primary), self._external_of(internal)

    def _internal_of(self, user_id: ColumnElement[str]) -> ColumnElement[str]:
        mapping = self._mapping_table.alias()
        found = _one(mapping, mapping.c.supertokens_user_id, mapping.c.external_user_id == user_id)
        return func.coalesce(found, user_id)

    def _external_of(self, user_id: ColumnElement[str]) -> ColumnElement[str]:
        mapping = self._mapping_table.alias()
        found = _one(mapping, mapping.c.external_user_id, mapping.c.supertokens_user_id == user_id)
        return func.coalesce(found, user_id)

    def _primary_of(self, user_id: ColumnElement[str]) -> ColumnElement[str]:
        users = self._users_table.alias()
        return _one(users, users.c.primary_or_recipe_user_id, users.c.user_id == user_id)

    def linked_to(self, connection: Connection, user_id: str, *, locked: bool = False) -> list[str]:
        """Return every id under which sessions of a user may be stored, `user_id` first.

        That is the user's own id and the ids of all login methods linked to the same primary user, in the
        official core's form and, where there is a mapping, in the application's: a session that was created
        before the mapping keeps the former. With `locked` those sessions are (`lock_sessions`).
        """
        ids = [user_id]
        if self._database.has_user_tables:
            found = connection.execute(self._linked, {"user": user_id}).scalars()
            ids = list(dict.fromkeys([user_id, *found]))
        if locked:
            lock_sessions(self._database, connection, ids)
            # One that was replaced before we had the lock may have an id that the user has got just now.
            if not {*self.linked_to(connection, user_id)} <= {*ids}:
                raise UnitConflictError
        return ids

    def is_kept(self, connection: Connection, user_id: str) -> bool:
        """Return whether a user, by either id, is one of the official core's log-in recipes."""
        if not self._database.has_user_tables:
            return False
        internal = connection.execute(self._internal, {"id": user_id}).scalar() or user_id
        return connection.execute(self._primary, {"id": internal}).first() is not None

    def ids(self, user_id: str) -> tuple[str, str]:
        """Like `resolve`, outside of any unit of work."""
        if not self._database.has_user_tables:
            return user_id, user_id
        return self._database.read(lambda c: self.resolve(c, user_id))

    def resolve(self, connection: Connection, user_id: str) -> tuple[str, str]:
        """Return the primary and the recipe user id, both as applications know them."""
        if not self._database.has_user_tables:
            return user_id, user_id

        def looked_up(statement: TextClause, key: str) -> str | None:
            found = connection.execute(statement, {"id": key}).scalar()
            return None if found is None else str(found)

        known = looked_up(self._internal, user_id)
        internal = known or user_id
        primary = looked_up(self._primary, internal)
        recipe_id = user_id if known else looked_up(self._external, user_id) or user_id
        if primary is None or primary == internal:
            return recipe_id, recipe_id
        return looked_up(self._external, primary) or primary, recipe_id


def lock_sessions(database: Database, connection: Connection, user_ids: Iterable[str]) -> None:
    """Let nobody else count, replace or end all sessions of users before the transaction ends.

    It is taken before the first look at them, so that READ COMMITTED suffices: what ends every session sees
    no row that is inserted after it has begun, though it waits for the row in whose place that comes. Rows
    of users are locked before, those of sessions after it.

    Args:
        user_ids: as the rows of sessions, and of those who act, have them.
    """
    database.lock(connection, *(f"sessions of {one}" for one in user_ids))


def _one(source: FromClause, wanted: ColumnElement[str], is_it: ColumnElement[bool]) -> ColumnElement[str]:
    """Return a column of the one row of `source`; every other table in it is of the statement around it."""
    found = select(wanted).where(source.c.app_id == DEFAULT_APP_ID, is_it)
    return found.correlate_except(source).scalar_subquery()
