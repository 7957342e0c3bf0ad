"""User metadata: one JSON object per user, merged at its root (engine: Metadata)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Text, bindparam, delete, select, update

from supertokens_py import payloads
from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.types.base import JSONObject

from .storage.database import Database, UnitConflictError
from .storage.dialects import insert_new
from .storage.tables import APPS, PUBLIC_ID, USER_ID, ColumnKind, TableDefinition

if TYPE_CHECKING:
    from sqlalchemy import Connection

USER_METADATA = TableDefinition(
    name="user_metadata",
    columns={"app_id": PUBLIC_ID, "user_id": USER_ID, "user_metadata": ColumnKind(Text())},
    key=("app_id", "user_id"),
    parent=APPS,
)


class MetadataStore:
    """Metadata in the database; every method is one unit of blocking work."""

    def __init__(self, database: Database) -> None:
        self._database = database
        table = database.tables[USER_METADATA]
        own = (table.c.app_id == DEFAULT_APP_ID, table.c.user_id == bindparam("user"))
        self._select = select(table.c.user_metadata).where(*own)
        self._lock = self._select.with_for_update()
        self._insert = insert_new(table, is_sqlite=database.location.is_sqlite).values(
            app_id=DEFAULT_APP_ID, user_id=bindparam("user"), user_metadata=bindparam("text")
        )
        self._update = update(table).where(*own).values(user_metadata=bindparam("text"))
        self._delete = delete(table).where(*own)

    def read(self, user_id: str) -> JSONObject:
        """Return a user's metadata; nobody's is empty."""
        if not validation.is_possible_user_id(user_id):
            return {}
        values = {"user": user_id}
        text = self._database.read(lambda c: c.execute(self._select, values).scalar())
        return json.loads(text) if text else {}

    def merge(self, user_id: str, update: JSONObject) -> JSONObject:
        """Lay an update over a user's metadata, None removing a key; return the result."""
        user = validation.validate_user_id(user_id)
        payloads.validate_json("metadata_update", update, limit=payloads.MAX_METADATA_JSON)

        def unit(connection: Connection) -> JSONObject:
            stored = connection.execute(self._lock, {"user": user}).scalar()
            result = payloads.merge(json.loads(stored) if stored else {}, update)
            values = {
                "user": user,
                "text": payloads.validate_json("metadata", result, limit=payloads.MAX_METADATA_JSON),
            }
            if stored is not None:
                connection.execute(self._update, values)
            elif connection.execute(self._insert, values).rowcount == 0:
                raise UnitConflictError  # another process was first to create it: merge with that
            return json.loads(values["text"])

        return self._database.write(unit)

    def clear(self, user_id: str) -> None:
        """Forget a user's metadata."""
        if validation.is_possible_user_id(user_id):
            values = {"user": user_id}
            self._database.single(lambda c: c.execute(self._delete, values), repeatable=True)
