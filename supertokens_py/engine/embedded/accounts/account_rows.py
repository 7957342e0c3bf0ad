"""Rows that say who is in a tenant and known by what, written in every layout (engine: Layouts of users).

Beside them each recipe has a table of its own users, which is the same in every layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.user_records import EMAIL_PASSWORD, PASSWORDLESS, THIRD_PARTY

from .account_tables import ACCOUNT, TYPE_OF
from .user_tables import (
    EMAILS_IN_TENANTS,
    PASSWORDLESS_IN_TENANTS,
    THIRD_PARTY_IN_TENANTS,
    USERS,
    USERS_IN_TENANTS,
)

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Connection, Select, Table

    from supertokens_py.types.users import ThirdPartyInfo

    from ..storage.tables import TableDefinition, Tables
    from .user_layout import UserLayout

_OF_RECIPE: dict[str, TableDefinition] = {
    EMAIL_PASSWORD: EMAILS_IN_TENANTS,
    PASSWORDLESS: PASSWORDLESS_IN_TENANTS,
    THIRD_PARTY: THIRD_PARTY_IN_TENANTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of one recipe, and what they are known by."""

    user_id: str
    recipe_id: str
    joined_ms: int
    email: str | None = None
    phone_number: str | None = None
    third_party: ThirdPartyInfo | None = None

    @property
    def _app(self) -> dict[str, Any]:
        return {"app_id": DEFAULT_APP_ID, "user_id": self.user_id}

    @property
    def _kind(self) -> dict[str, Any]:
        return {"recipe_id": self.recipe_id, "primary_or_recipe_user_id": self.user_id}

    @property
    def _times(self) -> dict[str, Any]:
        return {"time_joined": self.joined_ms, "primary_or_recipe_user_time_joined": self.joined_ms}

    def user(self, *, has_times: bool) -> dict[str, Any]:
        """Return the row of all users; without times a core's migration takes the user along."""
        return {**self._app, **self._kind, **(self._times if has_times else {})}

    def listed(self, tenant_id: str) -> dict[str, Any]:
        """Return the row of all users of a tenant."""
        return {**self._app, "tenant_id": tenant_id, **self._kind, **self._times}

    def known(self, tenant_id: str) -> dict[str, Any]:
        """Return the row of the recipe's users of a tenant."""
        row = {**self._app, "tenant_id": tenant_id}
        if (there := self.third_party) is not None:
            return {**row, "third_party_id": there.id, "third_party_user_id": there.user_id}
        names = ("email",) if self.recipe_id == EMAIL_PASSWORD else tuple(TYPE_OF)
        return row | {name: getattr(self, name) for name in names}

    def infos(self) -> Iterator[dict[str, Any]]:
        """Yield the rows that core 12 has of everything that the user is known by."""
        there = self.third_party
        if there is not None:
            yield self._info(ACCOUNT, f"{there.id}::{there.user_id}")
        ids = ("", "") if there is None else (there.id, there.user_id)
        for name, kind in TYPE_OF.items():
            if (value := getattr(self, name)) is not None:
                yield self._info(kind, value, *ids)

    def _info(
        self, kind: str, value: str, third_party_id: str = "", third_party_user_id: str = ""
    ) -> dict[str, Any]:
        return {
            "app_id": DEFAULT_APP_ID,
            "recipe_user_id": self.user_id,
            "recipe_id": self.recipe_id,
            "account_info_type": kind,
            "account_info_value": value,
            "third_party_id": third_party_id,
            "third_party_user_id": third_party_user_id,
        }


class AccountRows:
    """The statements, built for one layout."""

    def __init__(self, layout: UserLayout) -> None:
        self._layout, self._tables = layout, layout.tables
        self._tenants = layout.by_layout(
            lambda known: (
                select(known.users.c.tenant_id)
                .distinct()
                .where(known.users.c.app_id == DEFAULT_APP_ID, known.users.c.user_id == bindparam("user"))
            )
        )
        users = layout.tables[USERS]
        #: The user stays there, and known by the same id, until the transaction ends. Who changes a user
        #: locks this row before any other, as does who deletes one: so no two wait for each other.
        self.keep: Select[Any, Any] = (
            select(users.c.recipe_id, users.c.is_linked_or_is_a_primary_user)
            .where(users.c.app_id == DEFAULT_APP_ID, users.c.user_id == bindparam("user"))
            .with_for_update(read=True, key_share=True)
        )
        self._prepare_statements(layout.tables, layout.account_infos, layout.accounts_in_tenants)

    def _prepare_statements(self, tables: Tables, infos: Table, in_tenants: Table) -> None:
        common = (infos, in_tenants)
        self._forget = [delete(table).where(*_of_user(table)) for table in common]
        kind: BindParameter[Any] = bindparam("kind")
        self._forget_kind = [
            delete(table).where(*_of_user(table), table.c.account_info_type == kind) for table in common
        ]
        self._replace = [
            update(table)
            .where(*_of_user(table), table.c.account_info_type == kind)
            .values(account_info_value=bindparam("new"))
            for table in common
        ]
        self._has_infos = select(infos.c.recipe_user_id).where(*_of_user(infos)).limit(1)
        self._common_tenants = select(in_tenants.c.tenant_id).distinct().where(*_of_user(in_tenants))
        self._leave = [
            delete(table).where(
                table.c.app_id == DEFAULT_APP_ID,
                table.c.tenant_id == bindparam("tenant"),
                table.c.user_id == bindparam("user"),
            )
            for table in (tables[one] for one in (*_OF_RECIPE.values(), USERS_IN_TENANTS))
        ]
        self._leave_common = delete(in_tenants).where(
            *_of_user(in_tenants), in_tenants.c.tenant_id == bindparam("tenant")
        )

    def insert(self, connection: Connection, tenant_id: str, accounts: Sequence[Account]) -> None:
        """Insert new users of one recipe into a tenant.

        Raises:
            IntegrityError: another user has an address, a number or an account, or there is no such tenant.
        """
        has_times = self._layout.writes_common_tables
        self._put(connection, self._tables[USERS], [one.user(has_times=has_times) for one in accounts])
        self.join(connection, tenant_id, accounts)
        if self._layout.writes_common_tables:
            infos = [row for one in accounts for row in one.infos()]
            self._put(connection, self._layout.account_infos, infos)

    def join(self, connection: Connection, tenant_id: str, accounts: Sequence[Account]) -> None:
        """Put users of one recipe into a tenant.

        Raises:
            IntegrityError: another user has an address, a number or an account, or there is no such tenant.
        """
        if not accounts:
            return
        if self._layout.writes_recipes_tables:
            of_recipe = self._tables[_OF_RECIPE[accounts[0].recipe_id]]
            listed = [one.listed(tenant_id) for one in accounts]
            self._put(connection, self._tables[USERS_IN_TENANTS], listed)
            self._put(connection, of_recipe, [one.known(tenant_id) for one in accounts])
        if self._layout.writes_common_tables:
            rows = [{**row, "tenant_id": tenant_id} for one in accounts for row in one.infos()]
            self._put(connection, self._layout.accounts_in_tenants, rows)

    def leave(self, connection: Connection, tenant_id: str, user_id: str) -> None:
        """Take a user out of a tenant."""
        which = {"user": user_id, "tenant": tenant_id}
        for statement in self._leave if self._layout.writes_recipes_tables else ():
            connection.execute(statement, which)
        if self._layout.has_common_tables:
            connection.execute(self._leave_common, which)

    def _put(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(insert(table), rows if len(rows) > 1 else rows[0])

    def change(
        self, connection: Connection, user_id: str, recipe_id: str, new: Mapping[str, str | None]
    ) -> None:
        """Give a user another address or number in every tenant; None: none.

        Args:
            new: values by the name of their column, `email` or `phone_number`.

        Raises:
            IntegrityError: another user of the recipe has one of them.
        """
        if self._layout.writes_recipes_tables and recipe_id != THIRD_PARTY:
            table = self._tables[_OF_RECIPE[recipe_id]]
            own = (table.c.app_id == DEFAULT_APP_ID, table.c.user_id == user_id)
            connection.execute(update(table).where(*own).values(**new))
        if self._layout.has_common_tables:  # in LEGACY, too, for users who have rows there
            for name, value in new.items():
                self._change_info(connection, user_id, recipe_id, name, value)

    def _change_info(
        self, connection: Connection, user_id: str, recipe_id: str, name: str, value: str | None
    ) -> None:
        which = {"user": user_id, "kind": TYPE_OF[name]}
        if value is None:
            for statement in self._forget_kind:
                connection.execute(statement, which)
            return
        changed = [connection.execute(one, {**which, "new": value}).rowcount for one in self._replace]
        # A user whom the core has not moved yet has no rows here, and gets them all from the core.
        if not changed[0] and connection.execute(self._has_infos, which).first() is not None:
            named: dict[str, Any] = {name: value}
            rows = [*Account(user_id=user_id, recipe_id=recipe_id, joined_ms=0, **named).infos()]
            tenants = connection.execute(self._common_tenants, which).scalars().all()
            self._put(connection, self._layout.account_infos, rows)
            in_tenants = [{**row, "tenant_id": tenant} for tenant in tenants for row in rows]
            self._put(connection, self._layout.accounts_in_tenants, in_tenants)

    def tenants(self, connection: Connection, user_id: str) -> list[str]:
        """Return the tenants that a user is in, by the internal id."""
        return [*connection.execute(self._tenants(), {"user": user_id}).scalars()]

    def is_in(self, connection: Connection, tenant_id: str | None, user_id: str) -> bool:
        """Return whether a user, by the internal id, is in a tenant; True where None is given."""
        return tenant_id is None or tenant_id in self.tenants(connection, user_id)

    def remove(self, connection: Connection, user_id: str) -> None:
        """Delete what no foreign key takes along with the row of all users, after that is deleted."""
        if self._layout.has_common_tables:
            for statement in self._forget:
                connection.execute(statement, {"user": user_id})


def _of_user(table: Table) -> tuple[Any, ...]:
    return table.c.app_id == DEFAULT_APP_ID, table.c.recipe_user_id == bindparam("user")
