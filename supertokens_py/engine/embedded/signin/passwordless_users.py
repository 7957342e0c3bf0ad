"""Users who sign in with codes: their rows, found, made and changed (engine: Passwordless)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import and_, bindparam, delete, insert, select, update

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.code_records import (
    KEEP,
    Keep,
    PhoneNumberChangeNotAllowed,
    PhoneNumberTaken,
)
from supertokens_py.engine.user_records import PASSWORDLESS, EmailChangeNotAllowed, EmailTaken, UnknownUser
from supertokens_py.exceptions import BadInputError

from ..accounts.account_rows import Account
from ..accounts.accounts import Accounts
from ..accounts.code_rows import CodeRows
from ..accounts.user_tables import PASSWORDLESS_USERS, USERS, VERIFICATION_TOKENS, VERIFIED_EMAILS
from ..storage.broken_rules import looking_again
from ..storage.database import UnitConflictError
from ..storage.dialects import insert_new

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Connection, Select

    from ..accounts.account_tables import Memberships
    from ..accounts.user_ids import UserIds
    from ..storage.database import Database

_LINKED = "cannot be applied to a user with linked accounts: change it through the SuperTokens core"
_COLUMNS = ("email", "phone_number")


@dataclass(frozen=True, slots=True)
class ContactChange:
    """What a user's contacts are to be; KEEP stays as it is, None is cleared."""

    email: str | Keep | None = KEEP
    phone_number: str | Keep | None = KEEP

    def of(self, row: Any) -> dict[str, str | None]:
        """Return the columns that differ from a row's."""
        wanted = {"email": self.email, "phone_number": self.phone_number}
        return {
            name: value
            for name, value in wanted.items()
            if not isinstance(value, Keep) and value != getattr(row, name)
        }


@dataclass(frozen=True, slots=True)
class Changed:
    """The columns that were changed."""

    columns: frozenset[str]


class PasswordlessUserRows:
    """The statements, and what needs several of them."""

    def __init__(self, database: Database, accounts: Accounts, codes: CodeRows, user_ids: UserIds) -> None:
        tables, self._rows = database.tables, accounts.rows
        self._codes = codes
        self._user_ids = user_ids
        users, own = tables[USERS], tables[PASSWORDLESS_USERS]
        verified, tokens = tables[VERIFIED_EMAILS], tables[VERIFICATION_TOKENS]
        this = (own.c.app_id == DEFAULT_APP_ID, own.c.user_id == bindparam("user"))
        self._with_contact = accounts.layout.by_layout(_with_contact)
        self._insert = insert(own)
        #: Waits for whoever is changing the user, and lets nobody begin before its transaction ends.
        self._kept = select(own.c.email, own.c.phone_number).where(*this).with_for_update(read=True)
        self._lock = (
            select(own.c.email, own.c.phone_number, users.c.is_linked_or_is_a_primary_user)
            .join(users, and_(users.c.app_id == own.c.app_id, users.c.user_id == own.c.user_id))
            .where(*this)
            .with_for_update(of=own)
        )
        self._contacts = select(own.c.email, own.c.phone_number).where(*this)
        self._change = update(own).where(*this)
        self._verify = insert_new(verified, is_sqlite=database.location.is_sqlite)
        of_user: BindParameter[Any] = bindparam("ids", expanding=True)
        self._forget_verified = delete(verified).where(
            verified.c.app_id == DEFAULT_APP_ID,
            verified.c.user_id.in_(of_user),
            verified.c.email == bindparam("former"),
        )
        self._end_verification = delete(tokens).where(
            tokens.c.app_id == DEFAULT_APP_ID, tokens.c.user_id.in_(of_user)
        )

    def with_contact(self, connection: Connection, tenant_id: str, kind: str, contact: str) -> str | None:
        """Return the internal id of the user who has a contact in a tenant."""
        values = {"tenant": tenant_id, "contact": contact}
        found = connection.execute(self._with_contact()[kind], values).scalar()
        return None if found is None else str(found)

    def insert(self, connection: Connection, tenant_id: str, kind: str, contact: str, now_ms: int) -> str:
        """Insert the rows of a new user; return the id.

        Raises:
            UnitConflictError: somebody else has done so in this moment, or the tenant is gone.
        """
        user_id = str(uuid4())
        known: dict[str, Any] = {kind: contact}
        account = Account(user_id=user_id, recipe_id=PASSWORDLESS, joined_ms=now_ms, **known)
        row = {"app_id": DEFAULT_APP_ID, "user_id": user_id, "time_joined": now_ms, **known}
        with looking_again():
            self._rows.insert(connection, tenant_id, [account])
            connection.execute(self._insert.values(**row))
        return user_id

    def external_id(self, connection: Connection, user_id: str) -> str:
        """Return the id by which the application knows a user of the tables."""
        return self._user_ids.resolve(connection, user_id)[1]

    def verify_email(self, connection: Connection, user_id: str, email: str) -> bool:
        """Note that a user has an address; return whether that is new."""
        external = self.external_id(connection, user_id)
        row = {"app_id": DEFAULT_APP_ID, "user_id": external, "email": email}
        return connection.execute(self._verify.values(**row)).rowcount > 0

    def contacts(self, connection: Connection, user_id: str) -> Any:
        """Return the row of a user with both contacts, which nobody changes before the transaction ends."""
        return connection.execute(self._kept, {"user": user_id}).first()

    def change(
        self, connection: Connection, user_id: str, change: ContactChange
    ) -> (
        UnknownUser
        | EmailTaken
        | PhoneNumberTaken
        | EmailChangeNotAllowed
        | PhoneNumberChangeNotAllowed
        | Changed
    ):
        """Give a user other contacts in every tenant, and end what was made for the old ones and the new.

        The row of all users is locked already (`AccountRows.keep`).

        Raises:
            BadInputError: the user would have neither.
            UnitConflictError: another user was given one of them in this moment, or this one was changed.
        """
        row, tenants = self._locked(connection, user_id, change)
        if row is None:
            return UnknownUser()
        new = change.of(row)
        if not any(({name: getattr(row, name) for name in _COLUMNS} | new).values()):
            raise BadInputError("You cannot clear both email and phone number of a user")
        if (refusal := self._refusal(connection, row, new, tenants)) is not None:
            return refusal
        if new:
            self._write(connection, user_id, new)
            self._end_former(connection, user_id, row, new, tenants)
        return Changed(frozenset(new))

    def _locked(self, connection: Connection, user_id: str, change: ContactChange) -> tuple[Any, list[str]]:
        """Return the row of a user, if there is one, and their tenants; neither changes any more.

        As where a code is used, the devices of every contact that is concerned are locked before the row.
        """
        seen = connection.execute(self._contacts, {"user": user_id}).first()
        if seen is None:
            return None, []
        tenants = sorted(self._rows.tenants(connection, user_id))
        new = change.of(seen)
        for tenant_id, name in itertools.product(tenants, sorted(new)):
            for contact in sorted(one for one in (getattr(seen, name), new[name]) if one is not None):
                which = {"tenant": tenant_id, "contact": contact}
                connection.execute(self._codes.lock[name], which)
        row = connection.execute(self._lock, {"user": user_id}).first()
        is_same = row is not None and all(getattr(row, name) == getattr(seen, name) for name in _COLUMNS)
        if not is_same or sorted(self._rows.tenants(connection, user_id)) != tenants:
            raise UnitConflictError  # other devices would have to be locked: look again
        return row, tenants

    def _refusal(
        self, connection: Connection, row: Any, new: dict[str, str | None], tenants: list[str]
    ) -> Any:
        for name, contact in new.items():
            is_email = name == "email"
            if row.is_linked_or_is_a_primary_user:
                reason = f"New {'email' if is_email else 'phone number'} {_LINKED}"
                return EmailChangeNotAllowed(reason) if is_email else PhoneNumberChangeNotAllowed(reason)
            for one in tenants if contact is not None else ():
                if self.with_contact(connection, one, name, str(contact)) is not None:
                    return EmailTaken() if is_email else PhoneNumberTaken()
        return None

    def _write(self, connection: Connection, user_id: str, new: dict[str, str | None]) -> None:
        with looking_again():
            connection.execute(self._change.values(**new), {"user": user_id})
            self._rows.change(connection, user_id, PASSWORDLESS, new)

    def _end_former(
        self, connection: Connection, user_id: str, row: Any, new: dict[str, str | None], tenants: list[str]
    ) -> None:
        ids = self._user_ids.linked_to(connection, user_id)
        if "email" in new:
            # The former one may be somebody else's by the time that the user wants it back.
            connection.execute(self._end_verification, {"ids": ids})
            if row.email is not None:
                connection.execute(self._forget_verified, {"ids": ids, "former": row.email})
        for name, contact in new.items():
            for one in tenants:
                self._end_devices(connection, one, name, getattr(row, name))
                self._end_devices(connection, one, name, contact)

    def end_devices(self, connection: Connection, user_id: str) -> None:
        """End every device of a user's contacts, in every tenant of the user."""
        row = connection.execute(self._contacts, {"user": user_id}).first()
        if row is None:
            return
        tenants = sorted(self._rows.tenants(connection, user_id))
        for tenant_id, name in itertools.product(tenants, _COLUMNS):
            self._end_devices(connection, tenant_id, name, getattr(row, name))

    def _end_devices(self, connection: Connection, tenant_id: str, kind: str, contact: str | None) -> None:
        if contact is not None:
            values = {"tenant": tenant_id, "contact": contact}
            connection.execute(self._codes.delete_of_contact[kind], values)


def _with_contact(known: Memberships) -> dict[str, Select[Any]]:
    return {
        name: select(joined.c.user_id).where(
            joined.c.app_id == DEFAULT_APP_ID,
            joined.c.tenant_id == bindparam("tenant"),
            joined.c[name] == bindparam("contact"),
        )
        for name, joined in known.contacts.items()
    }
