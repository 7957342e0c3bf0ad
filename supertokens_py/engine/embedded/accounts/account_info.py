"""Which users have an address, a number or an account at a provider, of any recipe (engine: Users)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, false, or_, select, true

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.types.users import normalised_email

from .user_tables import THIRD_PARTY_USERS

if TYPE_CHECKING:
    from sqlalchemy import Connection, FromClause, Select
    from sqlalchemy.sql.elements import ColumnElement

    from supertokens_py.engine.user_records import UserQuery
    from supertokens_py.types.users import AccountInfo

    from ..storage.tables import Tables
    from .account_tables import Memberships


class AccountInfoRows:
    """Finds login methods."""

    def __init__(self, tables: Tables, known: Memberships) -> None:
        self._listed, self._emails, self._contacts = known.users, known.emails, known.contacts
        self._there, self._at_provider = known.accounts, tables[THIRD_PARTY_USERS]
        self._with_password = _having(self._emails.c.email)
        with_email = self._there.join(self._at_provider, same_user(self._at_provider, self._there))
        self._by: dict[str, tuple[Select[Any], ...]] = {
            "email": (
                self._with_password,
                _having(self._contacts["email"].c.email),
                _in_tenant(self._there)
                .select_from(with_email)
                .where(self._at_provider.c.email == bindparam("known")),
            ),
            "phone_number": (_having(self._contacts["phone_number"].c.phone_number),),
        }
        self._by_account = _having(self._there.c.third_party_user_id).where(
            self._there.c.third_party_id == bindparam("provider")
        )

    def with_password(self, connection: Connection, tenant_id: str, email: str) -> str | None:
        """Return the internal id of the user with a password who has an address in a tenant."""
        values = {"tenant": tenant_id, "known": normalised_email(email)}
        found = connection.execute(self._with_password, values).scalar()
        return None if found is None else str(found)

    def owners(self, connection: Connection, tenant_id: str, info: AccountInfo) -> list[set[str]]:
        """Return the internal ids of who has it in a tenant, for each thing that is named."""
        email = None if info.email is None else normalised_email(info.email)
        named = {"email": email, "phone_number": info.phone_number}
        found = [
            _found(connection, self._by[kind], {"tenant": tenant_id, "known": value})
            for kind, value in named.items()
            if value is not None
        ]
        if (there := info.third_party) is not None:
            values = {"tenant": tenant_id, "known": there.user_id, "provider": there.id}
            found.append(_found(connection, (self._by_account,), values))
        return found

    def matching(self, query: UserQuery) -> ColumnElement[bool]:
        """Return the condition on listed users that they have all that is asked for.

        Nobody has both a number and a provider; who signs in with a password has neither.
        """
        found: list[ColumnElement[bool]] = []
        if query.phone_number is None and query.provider is None:
            found.append(self._listed_in(self._emails, *_address(self._emails, query)))
        if query.provider is None:
            found.append(self._with_codes(query))
        if query.phone_number is None:
            found.append(self._with_accounts(query))
        return or_(false(), *found)

    def _with_codes(self, query: UserQuery) -> ColumnElement[bool]:
        found: list[ColumnElement[bool]] = []
        if query.email is not None:
            table = self._contacts["email"]
            found.append(self._listed_in(table, *_address(table, query)))
        if query.phone_number is not None:
            table = self._contacts["phone_number"]
            found.append(self._listed_in(table, _begins(table.c.phone_number, query.phone_number.strip())))
        return and_(true(), *found)

    def _with_accounts(self, query: UserQuery) -> ColumnElement[bool]:
        conditions = [same_user(self._at_provider, self._there), *_address(self._at_provider, query)]
        if query.provider is not None:
            conditions.append(_begins(self._there.c.third_party_id, query.provider.strip()))
        return self._listed_in(self._there, *conditions)

    def _listed_in(self, table: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
        found = select(table.c.user_id).where(
            table.c.app_id == DEFAULT_APP_ID, table.c.tenant_id == self._listed.c.tenant_id, *conditions
        )
        return self._listed.c.user_id.in_(found)


def _found(connection: Connection, statements: tuple[Select[Any], ...], values: dict[str, str]) -> set[str]:
    if not all(validation.is_storable(value) for value in values.values()):
        return set()
    return {str(one) for statement in statements for one in connection.execute(statement, values).scalars()}


def _address(table: FromClause, query: UserQuery) -> list[ColumnElement[bool]]:
    if query.email is None:
        return []
    address = normalised_email(query.email)
    return [_begins(table.c.email, address, f"@{address}")]


def _having(column: Any) -> Select[Any]:
    return _in_tenant(column.table).where(column == bindparam("known"))


def _in_tenant(table: FromClause) -> Select[Any]:
    return select(table.c.user_id).where(
        table.c.app_id == DEFAULT_APP_ID, table.c.tenant_id == bindparam("tenant")
    )


def _begins(column: Any, wanted: str, within: str | None = None) -> ColumnElement[bool]:
    """Return the condition that a text begins with one, or has another somewhere; "%" is only a letter."""
    begins = column.startswith(wanted, autoescape=True)
    return begins if within is None else or_(begins, column.contains(within, autoescape=True))


def same_user(table: FromClause, users: FromClause) -> ColumnElement[bool]:
    """Return the condition that rows of two tables are of one user."""
    return and_(table.c.app_id == users.c.app_id, table.c.user_id == users.c.user_id)
