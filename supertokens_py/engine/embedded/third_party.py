"""Users who sign in with an account at a provider (engine: Third party)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Table, and_, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.providers import validate_third_party
from supertokens_py.engine.records import THIRD_PARTY, EmailChangeNotAllowed, SignedInUp, UnknownTenantError
from supertokens_py.events import EmailChanged, UserSignedUp, emit
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.users import AccountInfo

from .account_info import AccountInfoRows
from .storage import errors
from .storage.dialects import insert_new
from .user_tables import (
    THIRD_PARTY_IN_TENANTS,
    THIRD_PARTY_USERS,
    USERS,
    USERS_IN_TENANTS,
    VERIFICATION_TOKENS,
    VERIFIED_EMAILS,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.sql.elements import ColumnElement

    from supertokens_py.engine.config import ResolvedEngineConfig

    from .accounts import Accounts
    from .storage.database import Database
    from .user_ids import UserIds

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
        self._tables = tables = database.tables
        own, in_tenant, users = tables[THIRD_PARTY_USERS], tables[THIRD_PARTY_IN_TENANTS], tables[USERS]
        this = (own.c.app_id == DEFAULT_APP_ID, own.c.user_id == bindparam("user"))
        self._known = (
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
        self._lock = self._known.with_for_update(of=own)
        #: Waits for whoever is deleting the user.
        self._kept = select(own.c.user_id).where(*this).with_for_update(read=True)
        self._new_email = update(own).where(*this).values(email=bindparam("address"))
        self._known_by = AccountInfoRows(tables)
        self._tenants_of = select(tables[USERS_IN_TENANTS].c.tenant_id).where(
            tables[USERS_IN_TENANTS].c.app_id == DEFAULT_APP_ID,
            tables[USERS_IN_TENANTS].c.primary_or_recipe_user_id == bindparam("primary"),
        )
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
        tenant, address = validation.normalise_tenant_id(tenant_id), validation.stored_email(email)
        seen = _Seen(tenant, provider, there, address, is_verified)
        if (known := self._database.read(lambda c: self._unchanged(c, seen))) is not None:
            return known
        try:
            result = self._database.write(lambda connection: self._put(connection, seen))
        except IntegrityError as error:
            if errors.is_unknown_parent(error):
                raise UnknownTenantError(tenant) from error
            # The same account signed in for the first time at the same moment: its user is there now.
            result = self._database.write(lambda connection: self._put(connection, seen))
        if isinstance(result, EmailChangeNotAllowed):
            return result
        if result.signed_in.created:
            emit(UserSignedUp(user_id=result.signed_in.user.id, tenant_id=tenant, recipe_id=THIRD_PARTY))
        elif result.has_new_email:
            emit(EmailChanged(user_id=str(result.signed_in.recipe_user_id)))
        return result.signed_in

    def is_current(self, signed_in: SignedInUp) -> bool:
        """Return whether the user is still there; it waits for a deletion that is under way."""

        def unit(connection: Connection) -> bool:
            internal = self._accounts.internal_id(connection, str(signed_in.recipe_user_id))
            return connection.execute(self._kept, {"user": internal}).first() is not None

        return self._database.write(unit)

    def _unchanged(self, connection: Connection, seen: _Seen) -> SignedInUp | None:
        """Return the user if nothing has to be written."""
        row = connection.execute(self._known, seen.key).first()
        if row is None or row.email != seen.email:
            return None
        if seen.is_verified and not self._has_verified(connection, row.user_id, seen.email):
            return None
        return self._signed_in(connection, row.user_id, created=False)

    def _put(self, connection: Connection, seen: _Seen) -> _Put | EmailChangeNotAllowed:
        row = connection.execute(self._lock, seen.key).first()
        user_id = self._insert(connection, seen) if row is None else str(row.user_id)
        changes = row is not None and row.email != seen.email
        if row is not None and changes:
            if self._is_anothers(connection, row, seen.email):
                return EmailChangeNotAllowed(_TAKEN)
            self._change_email(connection, user_id, former=row.email, email=seen.email)
        if seen.is_verified and not self._has_verified(connection, user_id, seen.email):
            values = {"user": self._ids(connection, user_id)[0], "address": seen.email}
            connection.execute(self._insert_verified, values)
        signed_in = self._signed_in(connection, user_id, created=row is None)
        assert signed_in is not None  # noqa: S101  the row is locked, or new
        return _Put(signed_in, changes)

    def _insert(self, connection: Connection, seen: _Seen) -> str:
        user_id, now = str(uuid4()), self._settings.now_ms()
        app, joined = {"app_id": DEFAULT_APP_ID, "user_id": user_id}, {"time_joined": now}
        kind = {"recipe_id": THIRD_PARTY, "primary_or_recipe_user_id": user_id}
        tenant = {"tenant_id": seen.tenant_id}
        there = {"third_party_id": seen.third_party_id, "third_party_user_id": seen.third_party_user_id}
        in_tenant = {**app, **tenant, **kind, **joined, "primary_or_recipe_user_time_joined": now}
        rows = (
            (USERS, {**app, **kind}),
            (USERS_IN_TENANTS, in_tenant),
            (THIRD_PARTY_USERS, {**app, **there, **joined, "email": seen.email}),
            (THIRD_PARTY_IN_TENANTS, {**app, **tenant, **there}),
        )
        for table, values in rows:
            connection.execute(insert(self._tables[table]).values(**values))
        return user_id

    def _is_anothers(self, connection: Connection, row: Any, email: str) -> bool:
        """Return whether the address is that of another primary user, which a linked user must not share."""
        if not row.is_linked_or_is_a_primary_user:
            return False
        tenants = {
            *connection.execute(self._tenants_of, {"primary": row.primary_or_recipe_user_id}).scalars()
        }
        owners = set[str]()
        for tenant in tenants:
            owners |= self._known_by.owners(connection, tenant, AccountInfo(email=email))[0]
        primaries = (
            {*connection.execute(self._is_primary, {"ids": [*owners]}).scalars()} if owners else set[str]()
        )
        return bool(primaries - {row.primary_or_recipe_user_id})

    def _change_email(self, connection: Connection, user_id: str, *, former: str, email: str) -> None:
        """Give a user another address, as the provider says.

        The former one may be somebody else's by the time that the user has it again: it is not verified any
        more.
        """
        ids = self._ids(connection, user_id)
        connection.execute(self._new_email, {"user": user_id, "address": email})
        connection.execute(self._end_verification, {"ids": ids})
        connection.execute(self._forget_verified, {"ids": ids, "address": former})

    def _has_verified(self, connection: Connection, user_id: str, email: str) -> bool:
        which = {"ids": self._ids(connection, user_id), "address": email}
        return connection.execute(self._is_verified, which).first() is not None

    def _ids(self, connection: Connection, user_id: str) -> list[str]:
        """Return the ids under which verified addresses of a user may be, the one for new rows first."""
        return list(dict.fromkeys((self._user_ids.resolve(connection, user_id)[1], user_id)))

    def _signed_in(self, connection: Connection, user_id: str, *, created: bool) -> SignedInUp | None:
        recipe_user_id = RecipeUserId(self._user_ids.resolve(connection, user_id)[1])
        found = self._accounts.load(connection, [user_id])
        return SignedInUp(found[0], recipe_user_id, created) if found else None


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
