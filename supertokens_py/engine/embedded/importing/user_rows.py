"""Statements that look for many users at once, and insert their rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, insert, select, union

from supertokens_py import payloads
from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.embedded.accounts.account_rows import Account
from supertokens_py.engine.embedded.accounts.account_tables import Memberships
from supertokens_py.engine.embedded.accounts.accounts import Accounts
from supertokens_py.engine.embedded.accounts.user_tables import (
    EMAIL_USERS,
    USER_ID_MAPPING,
    USERS,
    VERIFIED_EMAILS,
)
from supertokens_py.engine.embedded.metadata import USER_METADATA
from supertokens_py.engine.embedded.roles import ROLES, USER_ROLES
from supertokens_py.engine.embedded.session_state.session_rows import SESSIONS
from supertokens_py.engine.embedded.storage.dialects import insert_new, upsert
from supertokens_py.engine.user_records import EMAIL_PASSWORD
from supertokens_py.types.base import JSONObject

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Connection, Select, Table

    from supertokens_py.engine.embedded.storage.database import Database

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Known:
    """What a database has of the addresses, ids and roles of a batch."""

    ids_by_email: Mapping[str, str | None]  #: the application's id of whoever has an address; None: none
    emails_by_id: Mapping[str, str]  #: whose an id of the application is
    internal_ids: frozenset[str]  #: ids that are users' own in the tables
    missing_roles: frozenset[str]
    metadata: Mapping[str, JSONObject]  #: what there is already, by the application's id


def metadata_text(metadata: JSONObject) -> str:
    """Return metadata as it is stored.

    Raises:
        BadInputError: it is too large.
    """
    return payloads.validate_json("metadata", metadata, limit=payloads.MAX_METADATA_JSON)


class ImportRows:
    """The statements for one tenant."""

    def __init__(self, database: Database, accounts: Accounts, tenant_id: str) -> None:
        self._accounts, self._tenant_id = accounts, tenant_id
        self._tables, self._is_sqlite = database.tables, database.location.is_sqlite
        self._app = {"app_id": DEFAULT_APP_ID}
        self._in_tenant = {**self._app, "tenant_id": tenant_id}
        users, mapping, roles = (self._tables[one] for one in (USERS, USER_ID_MAPPING, ROLES))
        wanted: BindParameter[Any] = bindparam("wanted", expanding=True)
        self._emails = accounts.layout.by_layout(self._emails_of)
        self._externals = select(mapping.c.external_user_id, mapping.c.supertokens_user_id).where(
            mapping.c.app_id == DEFAULT_APP_ID, mapping.c.external_user_id.in_(wanted)
        )
        self._internals = select(users.c.user_id).where(
            users.c.app_id == DEFAULT_APP_ID, users.c.user_id.in_(wanted)
        )
        # A shared lock: roles may be used by many at once, but cannot be deleted meanwhile.
        self._keep_roles = (
            select(roles.c.role)
            .where(roles.c.app_id == DEFAULT_APP_ID, roles.c.role.in_(wanted))
            .with_for_update(read=True, key_share=True)
        )
        metadata = self._tables[USER_METADATA]
        self._metadata = select(metadata.c.user_id, metadata.c.user_metadata).where(
            metadata.c.app_id == DEFAULT_APP_ID, metadata.c.user_id.in_(wanted)
        )
        self._in_use = union(
            *(
                select(table.c.user_id).where(table.c.app_id == DEFAULT_APP_ID, table.c.user_id.in_(wanted))
                for table in (self._tables[SESSIONS], self._tables[USER_ROLES], metadata)
            )
        )
        self._lock_metadata = self._metadata.order_by(metadata.c.user_id).with_for_update()

    def _emails_of(self, known: Memberships) -> Select[Any, Any]:
        emails, mapping = known.emails, self._tables[USER_ID_MAPPING]
        of_user = and_(mapping.c.app_id == emails.c.app_id, mapping.c.supertokens_user_id == emails.c.user_id)
        return (
            select(emails.c.email, mapping.c.external_user_id)
            .outerjoin(mapping, of_user)
            .where(
                emails.c.app_id == DEFAULT_APP_ID,
                emails.c.tenant_id == self._tenant_id,
                emails.c.email.in_(bindparam("wanted", expanding=True)),
            )
        )

    def known(
        self,
        connection: Connection,
        *,
        emails: Iterable[str],
        user_ids: Sequence[str],
        metadata_of: Sequence[str],
        roles: Sequence[str],
        writes: bool,
    ) -> Known:
        """Return what is there of the users of a batch.

        With `writes` roles stay there and metadata stays as it is until the transaction ends; without it no
        role is missing.
        """

        def rows(statement: Any, wanted: Iterable[str]) -> list[Any]:
            values = list(dict.fromkeys(wanted))
            return list(connection.execute(statement, {"wanted": values}).all()) if values else []

        return Known(
            ids_by_email={row.email: row.external_user_id for row in rows(self._emails(), emails)},
            emails_by_id={
                row.external_user_id: row.supertokens_user_id for row in rows(self._externals, user_ids)
            },
            internal_ids=frozenset(row.user_id for row in rows(self._internals, user_ids)),
            missing_roles=frozenset(roles) - {row.role for row in rows(self._keep_roles, roles)}
            if writes
            else frozenset(),
            metadata={
                row.user_id: json.loads(row.user_metadata)
                for row in rows(self._lock_metadata if writes else self._metadata, metadata_of)
            },
        )

    def in_use(self, connection: Connection, user_ids: Sequence[str]) -> frozenset[str]:
        """Return the ids under which there are sessions, roles or metadata."""
        if not user_ids:
            return frozenset()
        return frozenset(connection.execute(self._in_use, {"wanted": user_ids}).scalars())

    def insert(self, connection: Connection, users: Sequence[Row]) -> None:
        """Insert every row of new users."""
        accounts = [
            Account(
                user_id=user["internal"],
                recipe_id=EMAIL_PASSWORD,
                joined_ms=user["joined"],
                email=user["email"],
            )
            for user in users
        ]
        own = [
            {
                **self._app,
                "user_id": user["internal"],
                "email": user["email"],
                "time_joined": user["joined"],
                "password_hash": user["hash"],
            }
            for user in users
        ]
        self._accounts.rows.insert(connection, self._tenant_id, accounts)
        self._insert(connection, EMAIL_USERS, own)
        mapped = [
            {**self._app, "supertokens_user_id": user["internal"], "external_user_id": user["external"]}
            for user in users
            if user["external"] is not None
        ]
        self._insert(connection, USER_ID_MAPPING, mapped)
        self._insert_extras(connection, users)

    def _insert_extras(self, connection: Connection, users: Sequence[Row]) -> None:
        """Insert what may be there already under the application's id: that stays."""
        verified = [
            {**self._app, "user_id": user["shown"], "email": user["email"]}
            for user in users
            if user["verified"]
        ]
        links = [
            {**self._in_tenant, "user_id": user["shown"], "role": role}
            for user in users
            for role in user["roles"]
        ]
        for definition, rows in ((VERIFIED_EMAILS, verified), (USER_ROLES, links)):
            if rows:
                table = self._tables[definition]
                connection.execute(insert_new(table, is_sqlite=self._is_sqlite), rows)
        texts = [
            {**self._app, "user_id": user["shown"], "user_metadata": metadata_text(user["metadata"])}
            for user in users
            if user["metadata"]
        ]
        if texts:
            table = self._tables[USER_METADATA]
            connection.execute(upsert(table, "user_metadata", is_sqlite=self._is_sqlite), texts)

    def _insert(self, connection: Connection, definition: Any, rows: Sequence[Row]) -> None:
        if rows:
            table: Table = self._tables[definition]
            connection.execute(insert(table), rows)
