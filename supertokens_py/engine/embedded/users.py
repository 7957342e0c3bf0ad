"""Users: everything that is kept of one is deleted in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.session_records import Ending, SessionKey
from supertokens_py.engine.user_records import EMAIL_PASSWORD, PASSWORDLESS, THIRD_PARTY
from supertokens_py.events import UserDeleted, emit
from supertokens_py.exceptions import BadInputError, ConfigError

from .accounts.code_rows import CodeRows
from .accounts.user_ids import lock_sessions
from .accounts.user_tables import USERS, VERIFICATION_TOKENS, VERIFIED_EMAILS
from .metadata import USER_METADATA
from .roles import USER_ROLES
from .session_state.acting import ActingSessions
from .session_state.activity import LAST_ACTIVE
from .session_state.session_changes import SessionChanges
from .session_state.session_rows import SESSIONS, key_columns
from .signin.passwordless_users import PasswordlessUserRows
from .storage.database import UnitConflictError
from .storage.tables import TENANTS
from .tenant_members import TenantMembers

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete, Table

    from supertokens_py.engine.tenant_members import Association
    from supertokens_py.engine.user_records import UnknownUser, UserPage, UserQuery
    from supertokens_py.types.users import AccountInfo, User

    from .accounts.accounts import Accounts
    from .accounts.user_ids import UserIds
    from .session_state.activity import Activity
    from .storage.database import Database

NO_USERS = "this app keeps no users: list a sign-in recipe, such as emailpassword.init(), in recipe_list"
_REMOVED = Ending(reason="user_removed")
_OURS = (EMAIL_PASSWORD, PASSWORDLESS, THIRD_PARTY)
_NOT_OURS = (
    "the log-in data of this user is not this app's to delete: list the sign-in recipe that made it, or "
    "remove the user through the SuperTokens core that did"
)


class UserStore:
    """Users in the database.

    Args:
        accounts: reads users; None where no sign-in recipe is used.
    """

    def __init__(
        self,
        database: Database,
        users: UserIds,
        activity: Activity,
        accounts: Accounts | None,
        changes: SessionChanges,
    ) -> None:
        self._database = database
        self._changes = changes
        self._users = users
        self._activity = activity
        self._accounts = accounts
        tables = database.tables
        sessions = tables[SESSIONS]
        self._acting = ActingSessions(database, changes)
        self._delete_sessions = _delete_of(sessions).returning(*key_columns(sessions))
        others = [USER_ROLES, USER_METADATA, LAST_ACTIVE]
        if accounts is not None:
            # Who is using a token has it locked: we wait, and then see the address that it verified.
            others += [VERIFICATION_TOKENS, VERIFIED_EMAILS]
            users_table = tables[USERS]
            #: Who is given an id of the application waits for it, too.
            self._lock_user = (
                select(users_table.c.recipe_id, users_table.c.is_linked_or_is_a_primary_user)
                .where(users_table.c.app_id == DEFAULT_APP_ID, users_table.c.user_id == bindparam("user"))
                .with_for_update()
            )
            tenants = tables[TENANTS]
            #: Who deletes a tenant deletes rows of the user, and would wait for those that are deleted here.
            self._keep_tenants = (
                select(tenants.c.tenant_id)
                .where(
                    tenants.c.app_id == DEFAULT_APP_ID,
                    tenants.c.tenant_id.in_(bindparam("tenants", expanding=True)),
                )
                .order_by(tenants.c.tenant_id)
                .with_for_update(read=True, key_share=True)
            )
            self._members = TenantMembers(database, accounts, users, changes)
            self._delete_user = _delete_of(users_table)  # every table of its recipe follows it
            self._with_codes = PasswordlessUserRows(database, accounts, CodeRows(tables), users)
        self._others = [_delete_of(tables[one]) for one in others]

    def remove(self, user_id: str) -> None:
        """Delete a user's sessions, roles, metadata, last activity and log-in data, in every tenant.

        Raises:
            BadInputError: there is log-in data of a recipe that this app does not have.
        """
        if not validation.is_possible_user_id(user_id):
            return

        def unit(connection: Connection) -> tuple[list[str], list[SessionKey], bool]:
            ids, was_user = self._remove_account(connection, user_id)
            lock_sessions(self._database, connection, ids)
            ended: list[SessionKey] = []
            for one in ids:
                ended += self._changes.end(connection, self._delete_sessions, {"user": one}, _REMOVED)
                ended += self._acting.end(connection, [one], _REMOVED)
                self._changes.user_removed(connection, one)
                for statement in self._others:
                    connection.execute(statement, {"user": one})
            return ids, ended, was_user

        ids, ended, was_user = self._database.write(unit)
        for one in ids:
            self._activity.forget(one)
        self._changes.settle(ended, _REMOVED)
        if was_user:
            emit(UserDeleted(user_id=user_id))

    def _remove_account(self, connection: Connection, user_id: str) -> tuple[list[str], bool]:
        """Delete log-in data; return the ids under which other data of the user is kept."""
        if not self._users.is_kept(connection, user_id):
            return [user_id], False
        if self._accounts is None:
            raise BadInputError(_NOT_OURS)
        internal, row = self._accounts.locked(connection, user_id, self._lock_user)
        if row is None:
            raise UnitConflictError  # somebody else has just removed the log-in data: the rest is left
        if row.recipe_id not in _OURS or row.is_linked_or_is_a_primary_user:
            raise BadInputError(_NOT_OURS)
        external = self._users.resolve(connection, internal)[1]
        own = self._accounts.rows.tenants(connection, internal)
        connection.execute(self._keep_tenants, {"tenants": own})
        self._with_codes.end_devices(connection, internal)
        connection.execute(self._delete_user, {"user": internal})
        self._accounts.rows.remove(connection, internal)
        # A user may be mapped to an id that is another user's: what is kept under it is theirs.
        is_anothers = external != internal and self._users.is_kept(connection, external)
        return ([internal] if is_anothers else list(dict.fromkeys((external, internal)))), True

    def primary_id(self, user_id: str) -> str:
        """Return the id that sessions of a user have as `user_id`, from any of the user's ids."""
        return self._users.ids(user_id)[0] if validation.is_possible_user_id(user_id) else user_id

    def count_active(self, since_ms: int) -> int:
        """Return how many users created, refreshed or ended sessions at or after a time."""
        return self._activity.count_since(since_ms)

    def find(self, user_id: str) -> User | None:
        """Return a user by any of their ids."""
        return self._reader().find(user_id)

    def page(self, tenant_id: str, query: UserQuery) -> UserPage:
        """Return users of a tenant in the order in which they joined."""
        return self._reader().page(tenant_id, query)

    def count(self, *, tenant_id: str | None, recipe_ids: Sequence[str] | None = None) -> int:
        """Return how many users a tenant has, or all have (None)."""
        return self._reader().count(tenant_id=tenant_id, recipe_ids=recipe_ids)

    def by_account_info(self, tenant_id: str, info: AccountInfo, *, any_of: bool = False) -> list[User]:
        """Return the users of a tenant who have all that is named, or any of it."""
        return self._reader().by_account_info(tenant_id, info, any_of=any_of)

    def associate(self, tenant_id: str, user_id: str) -> Association:
        """Put a user into a tenant, with everything that the user is known by."""
        self._reader()
        return self._members.associate(tenant_id, user_id)

    def dissociate(self, tenant_id: str, user_id: str) -> bool | UnknownUser:
        """Take a user out of a tenant; return whether the user was there."""
        self._reader()
        return self._members.dissociate(tenant_id, user_id)

    def _reader(self) -> Accounts:
        if self._accounts is None:
            raise ConfigError(NO_USERS)
        return self._accounts


def _delete_of(table: Table) -> Delete:
    return delete(table).where(table.c.app_id == DEFAULT_APP_ID, table.c.user_id == bindparam("user"))
