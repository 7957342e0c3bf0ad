"""What primary users have, in the tables of core 12: which address is reserved for whom in a tenant.

Links are a core's to make. Where somebody who is linked gets another address, what is reserved moves along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, delete, insert, select

from supertokens_py.constants import DEFAULT_APP_ID

from .account_tables import TYPE_OF
from .user_tables import USERS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .user_layout import UserLayout


class PrimaryRows:
    """The statements, built for one layout."""

    def __init__(self, layout: UserLayout) -> None:
        self._layout = layout
        reserved, infos, users = layout.primary_infos, layout.account_infos, layout.tables[USERS]
        of_kind = (reserved.c.app_id == DEFAULT_APP_ID, reserved.c.account_info_type == TYPE_OF["email"])
        of_primary = (reserved.c.primary_user_id == bindparam("primary"),)
        self._former = (
            select(reserved.c.tenant_id)
            .where(*of_kind, *of_primary, reserved.c.account_info_value == bindparam("former"))
            .with_for_update()
        )
        self._owners = select(reserved.c.tenant_id, reserved.c.primary_user_id).where(
            *of_kind,
            reserved.c.account_info_value == bindparam("email"),
            reserved.c.tenant_id.in_(bindparam("tenants", expanding=True)),
        )
        self._insert = insert(reserved)
        self._forget = delete(reserved).where(
            *of_kind, *of_primary, reserved.c.account_info_value == bindparam("former")
        )
        #: Who else is linked to the primary user, and has the address.
        self._others = (
            select(infos.c.recipe_user_id)
            .join(users, and_(users.c.app_id == infos.c.app_id, users.c.user_id == infos.c.recipe_user_id))
            .where(
                infos.c.app_id == DEFAULT_APP_ID,
                infos.c.account_info_type == TYPE_OF["email"],
                infos.c.account_info_value == bindparam("former"),
                infos.c.recipe_user_id != bindparam("user"),
                users.c.primary_or_recipe_user_id == bindparam("primary"),
            )
            .limit(1)
        )

    def is_taken(self, connection: Connection, primary_id: str, *, former: str, email: str) -> bool:
        """Return whether another primary user has an address where this one has the former one."""
        if not self._layout.has_common_tables:
            return False
        tenants = self._tenants(connection, primary_id, former)
        return any(owner != primary_id for owner in self._owned(connection, tenants, email).values())

    def move(self, connection: Connection, primary_id: str, user_id: str, *, former: str, email: str) -> None:
        """Reserve an address where the former one is; that one ends unless somebody linked has it, too.

        Raises:
            IntegrityError: another primary user was given the address in this moment.
        """
        if not self._layout.has_common_tables:
            return
        which = {"primary": primary_id, "former": former, "user": user_id}
        tenants = self._tenants(connection, primary_id, former)
        tenants -= self._owned(connection, tenants, email).keys()
        rows: list[dict[str, Any]] = [
            {
                **{"app_id": DEFAULT_APP_ID, "tenant_id": tenant, "account_info_type": TYPE_OF["email"]},
                **{"account_info_value": email, "primary_user_id": primary_id},
            }
            for tenant in sorted(tenants)
        ]
        if rows:
            connection.execute(self._insert, rows)
        if connection.execute(self._others, which).first() is None:
            connection.execute(self._forget, which)

    def _tenants(self, connection: Connection, primary_id: str, former: str) -> set[str]:
        """Return where a primary user has an address, which nobody else moves meanwhile."""
        which = {"primary": primary_id, "former": former}
        return {*connection.execute(self._former, which).scalars()}

    def _owned(self, connection: Connection, tenants: set[str], email: str) -> dict[str, str]:
        """Return who has an address, by those of the tenants in which somebody has it."""
        found = connection.execute(self._owners, {"tenants": sorted(tenants), "email": email})
        return {row.tenant_id: row.primary_user_id for row in found}
