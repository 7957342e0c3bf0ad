"""Statements on the rows of users with e-mail and password, and on the tokens that reset passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, insert, select, update

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.limits import FORGOTTEN_AFTER_MS
from supertokens_py.engine.user_records import EMAIL_PASSWORD
from supertokens_py.secret import SecretText, masked

from ..session_state.session_rows import SESSIONS, key_columns
from ..storage.broken_rules import looking_again
from .account_rows import Account
from .accounts import Accounts
from .counts import delete_forgotten
from .user_tables import EMAIL_USERS, RESET_TOKENS, USERS, VERIFICATION_TOKENS, VERIFIED_EMAILS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete, Insert, Select, Update
    from sqlalchemy.sql.dml import ReturningDelete

    from ..storage.database import Database
    from ..storage.tables import Tables
    from .account_tables import Memberships


class EmailUserRows:
    """The statements, and what needs several of them."""

    def __init__(self, database: Database, accounts: Accounts) -> None:
        self._tables = tables = database.tables
        self._accounts, self._rows = accounts, accounts.rows
        self._in_tenants = accounts.layout.by_layout(lambda known: _InTenants(tables, known))
        self._read_users(tables)
        self._change_users(tables)
        self._use_tokens(tables)

    def _read_users(self, tables: Tables) -> None:
        users, own = tables[USERS], tables[EMAIL_USERS]
        this = (own.c.app_id == DEFAULT_APP_ID, own.c.user_id == bindparam("user"))
        self.user_hash: Select[Any] = select(own.c.password_hash).where(*this)
        #: Waits for whoever is changing the user, and lets nobody begin before its transaction ends.
        self._kept_hash: Select[Any] = self.user_hash.with_for_update(read=True)
        self.user_row: Select[Any, Any] = select(own.c.user_id, own.c.email).where(*this)
        self.lock_user: Select[Any, Any] = (
            select(own.c.email, users.c.is_linked_or_is_a_primary_user)
            .join(users, and_(users.c.app_id == own.c.app_id, users.c.user_id == own.c.user_id))
            .where(*this)
            .with_for_update(of=own)
        )

    def kept_hash(self, connection: Connection, user_id: str, tenant_id: str | None) -> SecretText | None:
        """Return the hash of a user who is in the tenant; neither changes until the transaction ends."""
        kept = masked(connection.execute(self._kept_hash, {"user": user_id}).scalar())
        return kept if self._rows.is_in(connection, tenant_id, user_id) else None

    @property
    def hash_of(self) -> Select[Any, Any]:
        """The statement that finds the hash of whoever has an address in a tenant."""
        return self._in_tenants().hash_of

    @property
    def methods(self) -> Select[Any, Any]:
        """The statement that finds what the owner of an id has of passwords in a tenant."""
        return self._in_tenants().methods

    @property
    def owner_of_token(self) -> Select[Any]:
        """The statement that finds the user of a token, in a tenant."""
        return self._in_tenants().owner_of_token

    def _change_users(self, tables: Tables) -> None:
        own, verification, verified = (
            tables[one] for one in (EMAIL_USERS, VERIFICATION_TOKENS, VERIFIED_EMAILS)
        )
        this = (own.c.app_id == DEFAULT_APP_ID, own.c.user_id == bindparam("user"))
        self.renew_hash: Update = (
            update(own)
            .where(*this, own.c.password_hash == bindparam("stored"))
            .values(password_hash=bindparam("hash"))
        )
        self.set_hash: Update = update(own).where(*this).values(password_hash=bindparam("hash"))
        sessions = tables[SESSIONS]
        self.delete_sessions: ReturningDelete[Any, Any, Any] = (
            delete(sessions)
            .where(
                sessions.c.app_id == DEFAULT_APP_ID, sessions.c.user_id.in_(bindparam("ids", expanding=True))
            )
            .returning(*key_columns(sessions))
        )
        self._new_email = update(own).where(*this).values(email=bindparam("address"))
        self._end_verification = delete(verification).where(
            verification.c.app_id == DEFAULT_APP_ID,
            verification.c.user_id.in_(bindparam("ids", expanding=True)),
        )
        self._forget_verified = delete(verified).where(
            verified.c.app_id == DEFAULT_APP_ID,
            verified.c.user_id.in_(bindparam("ids", expanding=True)),
            verified.c.email == bindparam("former"),
        )
        of_user = (
            verified.c.app_id == DEFAULT_APP_ID,
            verified.c.user_id.in_(bindparam("own", expanding=True)),
        )
        this_one = verified.c.email == bindparam("address")
        self._verified: Select[Any] = select(verified.c.email).where(*of_user, this_one)
        self._forget_others = delete(verified).where(*of_user, ~this_one)

    def _use_tokens(self, tables: Tables) -> None:
        tokens = tables[RESET_TOKENS]
        self.insert_token: Insert = insert(tokens).values(
            app_id=DEFAULT_APP_ID,
            user_id=bindparam("user"),
            token=bindparam("token"),
            email=bindparam("email"),
            token_expiry=bindparam("expiry"),
        )
        self.delete_tokens: ReturningDelete[Any, Any, Any] = (
            delete(tokens)
            .where(tokens.c.app_id == DEFAULT_APP_ID, tokens.c.user_id == bindparam("user"))
            .returning(tokens.c.token, tokens.c.token_expiry, tokens.c.email)
        )

    def insert(
        self, connection: Connection, user_id: str, tenant_id: str, email: str, hashed: str, now_ms: int
    ) -> None:
        """Insert the rows of a new user."""
        account = Account(user_id=user_id, recipe_id=EMAIL_PASSWORD, joined_ms=now_ms, email=email)
        self._rows.insert(connection, tenant_id, [account])
        row = {"app_id": DEFAULT_APP_ID, "user_id": user_id, "email": email, "time_joined": now_ms}
        connection.execute(insert(self._tables[EMAIL_USERS]).values(**row, password_hash=hashed))

    def is_taken(self, connection: Connection, user_id: str, email: str) -> bool:
        """Return whether somebody has an address in a tenant of a user who does not have it."""
        tenants = self._rows.tenants(connection, user_id)
        return any(self._accounts.with_email(connection, one, email) is not None for one in tenants)

    def change_email(
        self, connection: Connection, user_id: str, ids: list[str], *, former: str, email: str
    ) -> None:
        """Give a user another address in every tenant.

        The former one may be somebody else's by the time that the user wants it back: it has to be verified
        again. One that was verified beforehand, to be changed to, stays verified.

        Raises:
            UnitConflictError: somebody else was given the address in this moment.
        """
        values = {"user": user_id, "address": email}
        with looking_again():
            connection.execute(self._new_email, values)
            self._rows.change(connection, user_id, EMAIL_PASSWORD, {"email": email})
        connection.execute(self._end_verification, {"ids": ids})
        connection.execute(self._forget_verified, {"ids": ids, "former": former})

    def end_verification_of(self, connection: Connection, ids: list[str], own: list[str], email: str) -> None:
        """End links that verify an address of a user who has just proven to read the mail of `email`.

        Whoever signed up with it may be somebody else, who wants an address of theirs instead: where it was
        not verified, other addresses of the login method, whose ids are `own`, count as verified no longer.
        """
        connection.execute(self._end_verification, {"ids": ids})
        values = {"own": own, "address": email}
        if connection.execute(self._verified, values).first() is None:
            connection.execute(self._forget_others, values)


class _InTenants:
    """The statements that depend on what says who is in a tenant."""

    def __init__(self, tables: Tables, known: Memberships) -> None:
        users, own, tokens = (tables[one] for one in (USERS, EMAIL_USERS, RESET_TOKENS))
        in_tenant = known.emails
        same = and_(in_tenant.c.app_id == own.c.app_id, in_tenant.c.user_id == own.c.user_id)
        self.hash_of: Select[Any, Any] = (
            select(own.c.user_id, own.c.password_hash)
            .join(in_tenant, same)
            .where(
                in_tenant.c.app_id == DEFAULT_APP_ID,
                in_tenant.c.tenant_id == bindparam("tenant"),
                in_tenant.c.email == bindparam("email"),
            )
        )
        primary = (
            select(users.c.primary_or_recipe_user_id)
            .where(users.c.app_id == DEFAULT_APP_ID, users.c.user_id == bindparam("id"))
            .scalar_subquery()
        )
        self.methods: Select[Any, Any] = (
            select(own.c.user_id, own.c.email)
            .join(users, and_(users.c.app_id == own.c.app_id, users.c.user_id == own.c.user_id))
            .join(in_tenant, same)
            .where(
                own.c.app_id == DEFAULT_APP_ID,
                users.c.primary_or_recipe_user_id == primary,
                in_tenant.c.tenant_id == bindparam("tenant"),
            )
        )
        of_token = and_(in_tenant.c.app_id == tokens.c.app_id, in_tenant.c.user_id == tokens.c.user_id)
        # A token says nothing of its tenant; but a password has to fulfil the rule of one that it is used in.
        self.owner_of_token: Select[Any] = (
            select(tokens.c.user_id)
            .join(in_tenant, of_token)
            .where(
                tokens.c.app_id == DEFAULT_APP_ID,
                tokens.c.token == bindparam("token"),
                in_tenant.c.tenant_id == bindparam("tenant"),
            )
        )


def expired_of_users(tables: Tables) -> list[tuple[Delete, int]]:
    """Return what clean-up deletes: tokens that have expired, and counts that count no more."""
    tokens = [
        delete(table).where(table.c.app_id == DEFAULT_APP_ID, table.c.token_expiry < bindparam("before"))
        for table in (tables[RESET_TOKENS], tables[VERIFICATION_TOKENS])
    ]
    return [*((one, 0) for one in tokens), (delete_forgotten(tables), FORGOTTEN_AFTER_MS)]
