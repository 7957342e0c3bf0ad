"""Users who sign in with an account at a provider (engine: Third party)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Table, and_, bindparam, delete, insert, select, update

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.providers import validate_third_party
from supertokens_py.engine.user_records import THIRD_PARTY, EmailChangeNotAllowed, SignedInUp
from supertokens_py.events import EmailChanged, UserSignedUp, emit
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo

from ..accounts.account_info import AccountInfoRows
from ..accounts.account_rows import Account
from ..accounts.primary_rows import PrimaryRows
from ..accounts.user_tables import THIRD_PARTY_USERS, USERS, VERIFICATION_TOKENS, VERIFIED_EMAILS
from ..storage.broken_rules import writing_in
from ..storage.dialects import insert_new

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select
    from sqlalchemy.sql.elements import ColumnElement

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..accounts.account_tables import Memberships
    from ..accounts.accounts import Accounts
    from ..accounts.user_ids import UserIds
    from ..storage.database import Database
    from ..storage.tables import Tables

_TAKEN = "Email already associated with another primary user."


class ThirdPartyStore:
    """The users in the database; every method is one unit of work, or a second one where the first lost."""

    def __init__(
        self, database: Database, accounts: Accounts, user_ids: UserIds, settings: ResolvedEngineConfig
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._user_ids = user_ids
        self._settings = settings
        self._rows, layout = accounts.rows, accounts.layout
        self._primaries = PrimaryRows(layout)
        self._tables = tables = database.tables
        own, users = tables[THIRD_PARTY_USERS], tables[USERS]
        this = (own.c.app_id == DEFAULT_APP_ID, own.c.user_id == bindparam("user"))
        self._in_tenants = layout.by_layout(lambda known: _InTenants(tables, known))
        self._insert_own = insert(own)
        #: Waits for whoever is deleting the user, or taking them out of a tenant.
        self._kept = select(own.c.user_id).where(*this).with_for_update(read=True)
        self._new_email = update(own).where(*this).values(email=bindparam("address"))
        self._is_primary = select(users.c.primary_or_recipe_user_id).where(
            users.c.app_id == DEFAULT_APP_ID,
            users.c.user_id.in_(bindparam("ids", expanding=True)),
            users.c.is_linked_or_is_a_primary_user,
        )
        self._verify_emails(database)

    def _verify_emails(self, database: Database) -> None:
        verified, tokens = self._tables[VERIFIED_EMAILS], self._tables[VERIFICATION_TOKENS]
        self._is_verified = select(verified.c.user_id).where(
            *_of_ids(verified), verified.c.email == bindparam("address")
        )
        self._insert_verified = insert_new(verified, is_sqlite=database.location.is_sqlite).values(
            app_id=DEFAULT_APP_ID, user_id=bindparam("user"), email=bindparam("address")
        )
        self._forget_verified = delete(verified).where(
            *_of_ids(verified), verified.c.email == bindparam("address")
        )
        self._end_verification = delete(tokens).where(*_of_ids(tokens))

    def sign_in_up(
        self, tenant_id: str, third_party_id: str, third_party_user_id: str, *, email: str, is_verified: bool
    ) -> SignedInUp | EmailChangeNotAllowed:
        """Return the user of an account at a provider, who is created where there is none in the tenant.

        Raises:
            BadInputError: an id or the address cannot be stored.
            UnknownTenantError: there is no such tenant.
        """
        provider, there = validate_third_party(third_party_id, third_party_user_id)
        tenant, address = validation.possible_tenant_id(tenant_id), validation.stored_email(email)
        seen = _Seen(tenant, provider, there, address, is_verified)
        if (known := self._database.read(lambda c: self._unchanged(c, seen))) is not None:
            return known

        def unit(connection: Connection) -> _Put | EmailChangeNotAllowed:
            with writing_in(tenant):  # another may have made the same user, or taken the address, just now
                return self._put(connection, seen)

        result = self._database.write(unit)
        if isinstance(result, EmailChangeNotAllowed):
            return result
        if result.signed_in.created:
            emit(UserSignedUp(user_id=result.signed_in.user.id, tenant_id=tenant, recipe_id=THIRD_PARTY))
        elif result.has_new_email:
            emit(EmailChanged(user_id=str(result.signed_in.recipe_user_id)))
        return result.signed_in

    def is_current(self, signed_in: SignedInUp) -> bool:
        """Return whether the user is still there and in the tenant; it waits for a change under way."""

        def unit(connection: Connection) -> bool:
            internal = self._accounts.internal_id(connection, str(signed_in.recipe_user_id))
            is_there = connection.execute(self._kept, {"user": internal}).first() is not None
            return is_there and self._rows.is_in(connection, signed_in.tenant_id, internal)

        return self._database.write(unit)

    def _unchanged(self, connection: Connection, seen: _Seen) -> SignedInUp | None:
        """Return the user if nothing has to be written."""
        row = connection.execute(self._in_tenants().account, seen.key).first()
        if row is None or row.email != seen.email:
            return None
        if seen.is_verified and not self._has_verified(connection, row.user_id, seen.email):
            return None
        return self._signed_in(connection, row.user_id, seen.tenant_id, created=False)

    def _put(self, connection: Connection, seen: _Seen) -> _Put | EmailChangeNotAllowed:
        row = connection.execute(self._in_tenants().locked_account, seen.key).first()
        user_id = self._insert(connection, seen) if row is None else str(row.user_id)
        changes = row is not None and row.email != seen.email
        if row is not None and changes:
            if (reason := self._refusal(connection, row, seen.email)) is not None:
                return EmailChangeNotAllowed(reason)
            self._change_email(connection, row, email=seen.email)
        if seen.is_verified and not self._has_verified(connection, user_id, seen.email):
            values = {"user": self._ids(connection, user_id)[0], "address": seen.email}
            connection.execute(self._insert_verified, values)
        signed_in = self._signed_in(connection, user_id, seen.tenant_id, created=row is None)
        assert signed_in is not None  # noqa: S101  the row is locked, or new
        return _Put(signed_in, changes)

    def _insert(self, connection: Connection, seen: _Seen) -> str:
        user_id, now = str(uuid4()), self._settings.now_ms()
        account = Account(
            user_id=user_id,
            recipe_id=THIRD_PARTY,
            joined_ms=now,
            email=seen.email,
            third_party=ThirdPartyInfo(seen.third_party_user_id, seen.third_party_id),
        )
        self._rows.insert(connection, seen.tenant_id, [account])
        there = {"third_party_id": seen.third_party_id, "third_party_user_id": seen.third_party_user_id}
        row = {"app_id": DEFAULT_APP_ID, "user_id": user_id, "email": seen.email, "time_joined": now, **there}
        connection.execute(self._insert_own.values(**row))
        return user_id

    def _refusal(self, connection: Connection, row: Any, email: str) -> str | None:
        """Return why a user may not have another address, if so: it matters to linked users alone."""
        if not row.is_linked_or_is_a_primary_user:
            return None
        primary = row.primary_or_recipe_user_id
        is_taken = self._primaries.is_taken(connection, primary, former=row.email, email=email)
        return _TAKEN if is_taken or self._is_anothers(connection, row, email) else None

    def _is_anothers(self, connection: Connection, row: Any, email: str) -> bool:
        """Return whether the address is that of another primary user, which a linked user must not share."""
        in_tenants = self._in_tenants()
        primary = {"primary": row.primary_or_recipe_user_id}
        tenants = {*connection.execute(in_tenants.tenants_of, primary).scalars()}
        owners = set[str]()
        for tenant in tenants:
            owners |= in_tenants.known_by.owners(connection, tenant, AccountInfo(email=email))[0]
        primaries = (
            {*connection.execute(self._is_primary, {"ids": [*owners]}).scalars()} if owners else set[str]()
        )
        return bool(primaries - {row.primary_or_recipe_user_id})

    def _change_email(self, connection: Connection, row: Any, *, email: str) -> None:
        """Give a user another address, as the provider says.

        The former one may be somebody else's by the time that the user has it again: it is not verified any
        more.
        """
        user_id, former = str(row.user_id), row.email
        ids = self._ids(connection, user_id)
        connection.execute(self._new_email, {"user": user_id, "address": email})
        self._rows.change(connection, user_id, THIRD_PARTY, {"email": email})
        if row.is_linked_or_is_a_primary_user:
            primary = row.primary_or_recipe_user_id
            self._primaries.move(connection, primary, user_id, former=former, email=email)
        connection.execute(self._end_verification, {"ids": ids})
        connection.execute(self._forget_verified, {"ids": ids, "address": former})

    def _has_verified(self, connection: Connection, user_id: str, email: str) -> bool:
        which = {"ids": self._ids(connection, user_id), "address": email}
        return connection.execute(self._is_verified, which).first() is not None

    def _ids(self, connection: Connection, user_id: str) -> list[str]:
        """Return the ids under which verified addresses of a user may be, the one for new rows first."""
        return list(dict.fromkeys((self._user_ids.resolve(connection, user_id)[1], user_id)))

    def _signed_in(
        self, connection: Connection, user_id: str, tenant_id: str, *, created: bool
    ) -> SignedInUp | None:
        recipe_user_id = RecipeUserId(self._user_ids.resolve(connection, user_id)[1])
        found = self._accounts.load(connection, [user_id])
        return SignedInUp(found[0], recipe_user_id, created, tenant_id) if found else None


class _InTenants:
    """The statements that depend on what says who is in a tenant."""

    def __init__(self, tables: Tables, known: Memberships) -> None:
        own, users, in_tenant = tables[THIRD_PARTY_USERS], tables[USERS], known.accounts
        #: The user of an account at a provider.
        self.account: Select[Any] = (
            select(own.c.user_id, own.c.email, users.c.primary_or_recipe_user_id)
            .add_columns(users.c.is_linked_or_is_a_primary_user)
            .join(in_tenant, and_(in_tenant.c.app_id == own.c.app_id, in_tenant.c.user_id == own.c.user_id))
            .join(users, and_(users.c.app_id == own.c.app_id, users.c.user_id == own.c.user_id))
            .where(
                in_tenant.c.app_id == DEFAULT_APP_ID,
                in_tenant.c.tenant_id == bindparam("tenant"),
                in_tenant.c.third_party_id == bindparam("provider"),
                in_tenant.c.third_party_user_id == bindparam("there"),
            )
        )
        self.locked_account: Select[Any] = self.account.with_for_update(of=own)
        self.tenants_of: Select[Any] = select(known.users.c.tenant_id).where(
            known.users.c.app_id == DEFAULT_APP_ID,
            known.users.c.primary_or_recipe_user_id == bindparam("primary"),
        )
        self.known_by: AccountInfoRows = AccountInfoRows(tables, known)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a provider said of somebody."""

    tenant_id: str
    third_party_id: str
    third_party_user_id: str
    email: str
    is_verified: bool

    @property
    def key(self) -> dict[str, str]:
        """The parameters that find the user."""
        return {
            "tenant": self.tenant_id,
            "provider": self.third_party_id,
            "there": self.third_party_user_id,
        }


@dataclass(frozen=True, slots=True)
class _Put:
    """Who signed in, and whether the stored address was another one."""

    signed_in: SignedInUp
    has_new_email: bool


def _of_ids(table: Table) -> tuple[ColumnElement[bool], ...]:
    return table.c.app_id == DEFAULT_APP_ID, table.c.user_id.in_(bindparam("ids", expanding=True))
