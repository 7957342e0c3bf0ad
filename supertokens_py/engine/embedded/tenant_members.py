"""Users who are put into further tenants, and taken out of one (engine: Users)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import and_, bindparam, delete, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.code_records import PhoneNumberTaken
from supertokens_py.engine.session_records import Ending, SessionKey
from supertokens_py.engine.tenant_members import AccountTaken, Associated, Association, AssociationNotAllowed
from supertokens_py.engine.user_records import (
    EMAIL_PASSWORD,
    PASSWORDLESS,
    THIRD_PARTY,
    EmailTaken,
    UnknownUser,
)
from supertokens_py.exceptions import BadInputError
from supertokens_py.types.users import ThirdPartyInfo

from .accounts.account_rows import Account
from .accounts.user_ids import lock_sessions
from .accounts.user_tables import (
    EMAIL_USERS,
    PASSWORDLESS_USERS,
    THIRD_PARTY_USERS,
    VERIFICATION_TOKENS,
)
from .roles import USER_ROLES
from .session_state.acting import ActingSessions
from .session_state.session_changes import SessionChanges
from .session_state.session_rows import SESSIONS, key_columns
from .storage.broken_rules import writing_in

if TYPE_CHECKING:
    from sqlalchemy import Connection, FromClause, Select
    from sqlalchemy.sql.elements import ColumnElement

    from .accounts.account_tables import Memberships
    from .accounts.accounts import Accounts
    from .accounts.user_ids import UserIds
    from .storage.database import Database

_ENDED = Ending()
_OTHERS = "the user is of a recipe that this app does not have: let the SuperTokens core do it"
_LINKED = "the user is linked to others: let the SuperTokens core do it"
Taken: TypeAlias = type[EmailTaken] | type[PhoneNumberTaken] | type[AccountTaken]


class TenantMembers:
    """Changes which tenants users are in."""

    def __init__(
        self, database: Database, accounts: Accounts, user_ids: UserIds, changes: SessionChanges
    ) -> None:
        self._database, self._accounts, self._user_ids = database, accounts, user_ids
        self._changes, self._acting = changes, ActingSessions(database, changes)
        tables = database.tables
        self._keep = accounts.rows.keep
        own = {
            EMAIL_PASSWORD: tables[EMAIL_USERS],
            PASSWORDLESS: tables[PASSWORDLESS_USERS],
            THIRD_PARTY: tables[THIRD_PARTY_USERS],
        }
        #: Nobody gives the user another address meanwhile, and `is_current` of their sign-ins waits.
        self._lock = {
            recipe: select(table)
            .where(table.c.app_id == DEFAULT_APP_ID, table.c.user_id == bindparam("user"))
            .with_for_update()
            for recipe, table in own.items()
        }
        self._owners = accounts.layout.by_layout(_owners)
        sessions = tables[SESSIONS]
        self._end_sessions = delete(sessions).where(_of_ids(sessions)).returning(*key_columns(sessions))
        self._forget = [
            delete(tables[one]).where(_of_ids(tables[one])) for one in (USER_ROLES, VERIFICATION_TOKENS)
        ]

    def associate(self, tenant_id: str, user_id: str) -> Association:
        """Put a user into a tenant, with everything that the user is known by.

        Raises:
            UnknownTenantError: there is no such tenant.
        """
        tenant = validation.possible_tenant_id(tenant_id)
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()
        return self._database.write(lambda connection: self._associate(connection, tenant, user_id))

    def _associate(self, connection: Connection, tenant_id: str, user_id: str) -> Association:
        internal, user = self._accounts.locked(connection, user_id, self._keep)
        if user is None:
            return UnknownUser()
        if user.recipe_id not in self._lock:
            return AssociationNotAllowed(_OTHERS)
        row = connection.execute(self._lock[user.recipe_id], {"user": internal}).mappings().first()
        if row is None:
            return UnknownUser()
        rows = self._accounts.rows
        if tenant_id in rows.tenants(connection, internal):
            return Associated(was_already=True)
        if user.is_linked_or_is_a_primary_user:
            return AssociationNotAllowed(_LINKED)
        if (taken := self._taken(connection, tenant_id, user.recipe_id, row)) is not None:
            return taken()
        with writing_in(tenant_id):
            rows.join(connection, tenant_id, [_account(user.recipe_id, row)])
        return Associated(was_already=False)

    def _taken(self, connection: Connection, tenant_id: str, recipe_id: str, row: Any) -> Taken | None:
        for statement, column, taken in self._owners()[recipe_id]:
            values = {"tenant": tenant_id, "known": row[column], "provider": row.get("third_party_id")}
            if row[column] is not None and connection.execute(statement, values).first() is not None:
                return taken
        return None

    def dissociate(self, tenant_id: str, user_id: str) -> bool | UnknownUser:
        """Take a user out of a tenant, with the sessions, roles and links that the user has there.

        Returns:
            Whether the user was in the tenant.

        Raises:
            BadInputError: a core has to do it.
        """
        tenant = validation.normalise_tenant_id(tenant_id)
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()

        def unit(connection: Connection) -> tuple[bool | UnknownUser, list[SessionKey]]:
            internal, user = self._accounts.locked(connection, user_id, self._keep)
            if user is None:
                return UnknownUser(), []
            if user.is_linked_or_is_a_primary_user and self._accounts.layout.writes_common_tables:
                raise BadInputError(_LINKED)
            which = {"tenant": tenant, "ids": self._ids(connection, internal)}
            if user.recipe_id in self._lock:
                connection.execute(self._lock[user.recipe_id], {"user": internal})
            was_there = tenant in self._accounts.rows.tenants(connection, internal)
            self._accounts.rows.leave(connection, tenant, internal)
            lock_sessions(self._database, connection, which["ids"])
            ended = self._changes.end(connection, self._end_sessions, which, _ENDED)
            ended += self._acting.end(connection, which["ids"], _ENDED, tenant_id=tenant)
            for statement in self._forget:
                connection.execute(statement, which)
            return was_there, ended

        result, ended = self._database.write(unit)
        self._changes.settle(ended, _ENDED)
        return result

    def _ids(self, connection: Connection, internal: str) -> list[str]:
        """Return the ids under which other data of the user is kept."""
        external = self._user_ids.resolve(connection, internal)[1]
        # A user may be mapped to an id that is another user's: what is kept under it is theirs.
        is_anothers = external != internal and connection.execute(self._keep, {"user": external}).first()
        return [internal] if is_anothers else [*dict.fromkeys((external, internal))]


def _account(recipe_id: str, row: Any) -> Account:
    there = row.get("third_party_id")
    return Account(
        user_id=row["user_id"],
        recipe_id=recipe_id,
        joined_ms=row["time_joined"],
        email=row.get("email"),
        phone_number=row.get("phone_number"),
        third_party=None if there is None else ThirdPartyInfo(row["third_party_user_id"], there),
    )


def _owners(known: Memberships) -> dict[str, list[tuple[Select[Any], str, Taken]]]:
    """Return what finds the owner of something in a tenant, its column, and what is said then, by recipe."""
    accounts = known.accounts.c
    of_provider = _having(known.accounts, "third_party_user_id").where(
        accounts.third_party_id == bindparam("provider")
    )
    return {
        EMAIL_PASSWORD: [(_having(known.emails, "email"), "email", EmailTaken)],
        PASSWORDLESS: [
            (_having(known.contacts["email"], "email"), "email", EmailTaken),
            (_having(known.contacts["phone_number"], "phone_number"), "phone_number", PhoneNumberTaken),
        ],
        THIRD_PARTY: [(of_provider, "third_party_user_id", AccountTaken)],
    }


def _having(table: FromClause, column: str) -> Select[Any]:
    return select(table.c.user_id).where(
        table.c.app_id == DEFAULT_APP_ID,
        table.c.tenant_id == bindparam("tenant"),
        table.c[column] == bindparam("known"),
    )


def _of_ids(table: FromClause) -> ColumnElement[bool]:
    return and_(
        table.c.app_id == DEFAULT_APP_ID,
        table.c.tenant_id == bindparam("tenant"),
        table.c.user_id.in_(bindparam("ids", expanding=True)),
    )
