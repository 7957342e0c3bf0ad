"""Which users have an e-mail address or a phone number, whatever recipe they are of (engine: Users)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, or_, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.types.users import normalised_email

from .user_tables import EMAILS_IN_TENANTS, PASSWORDLESS_IN_TENANTS, USERS_IN_TENANTS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select, Table
    from sqlalchemy.sql.elements import ColumnElement

    from supertokens_py.engine.records import UserQuery
    from supertokens_py.types.users import AccountInfo

    from .storage.tables import Tables


class AccountInfoRows:
    """Finds login methods; a class because it holds its statements."""

    def __init__(self, tables: Tables) -> None:
        self._listed = tables[USERS_IN_TENANTS]
        self._emails, self._contacts = tables[EMAILS_IN_TENANTS], tables[PASSWORDLESS_IN_TENANTS]
        self._with_password = _having(self._emails.c.email)
        self._by: dict[str, tuple[Select[Any], ...]] = {
            "email": (self._with_password, _having(self._contacts.c.email)),
            "phone_number": (_having(self._contacts.c.phone_number),),
        }

    def with_password(self, connection: Connection, tenant_id: str, email: str) -> str | None:
        """Return the internal id of the user with a password who has an address in a tenant."""
        values = {"tenant": tenant_id, "known": normalised_email(email)}
        found = connection.execute(self._with_password, values).scalar()
        return None if found is None else str(found)

    def owners(self, connection: Connection, tenant_id: str, info: AccountInfo) -> list[set[str]]:
        """Return the internal ids of who has it in a tenant, for each thing that is named."""
        email = None if info.email is None else normalised_email(info.email)
        named = {"email": email, "phone_number": info.phone_number, "third_party": info.third_party}
        return [
            self._having(connection, kind, tenant_id, value)
            for kind, value in named.items()
            if value is not None
        ]

    def _having(self, connection: Connection, kind: str, tenant_id: str, value: object) -> set[str]:
        if not isinstance(value, str) or not validation.is_storable(value):
            return set()
        values, found = {"tenant": tenant_id, "known": value}, set[str]()
        for statement in self._by[kind]:
            found |= {str(one) for one in connection.execute(statement, values).scalars()}
        return found

    def matching(self, query: UserQuery) -> ColumnElement[bool]:
        """Return the condition on listed users that they have the address, and the number if it is given."""
        with_codes: list[ColumnElement[bool]] = []
        found: list[Select[Any]] = []
        if query.email is not None:
            address = normalised_email(query.email)
            with_codes.append(_begins(self._contacts.c.email, address, f"@{address}"))
            if query.phone_number is None:
                found.append(
                    self._in_tenant(self._emails, _begins(self._emails.c.email, address, f"@{address}"))
                )
        if query.phone_number is not None:
            with_codes.append(_begins(self._contacts.c.phone_number, query.phone_number.strip()))
        found.append(self._in_tenant(self._contacts, *with_codes))
        return or_(*(self._listed.c.user_id.in_(one) for one in found))

    def _in_tenant(self, table: Table, *conditions: ColumnElement[bool]) -> Select[Any]:
        return select(table.c.user_id).where(
            table.c.app_id == DEFAULT_APP_ID, table.c.tenant_id == self._listed.c.tenant_id, *conditions
        )


def _having(column: Any) -> Select[Any]:
    table = column.table
    return select(table.c.user_id).where(
        table.c.app_id == DEFAULT_APP_ID,
        table.c.tenant_id == bindparam("tenant"),
        column == bindparam("known"),
    )


def _begins(column: Any, wanted: str, within: str | None = None) -> ColumnElement[bool]:
    """Return the condition that a text begins with one, or has another somewhere; "%" is only a letter."""
    begins = column.startswith(wanted, autoescape=True)
    return begins if within is None else or_(begins, column.contains(within, autoescape=True))


def same_user(table: Table, users: Table) -> ColumnElement[bool]:
    """Return the condition that rows of two tables are of one user."""
    return and_(table.c.app_id == users.c.app_id, table.c.user_id == users.c.user_id)
