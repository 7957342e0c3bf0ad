"""Which tables say who is in a tenant, and with which address, number or account (engine: Layouts of users).

Every core up to 11 has one table of each recipe for that, and one of all users. Core 12 has two tables for
all recipes, which only a core makes. What is read has the same columns in both layouts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import CHAR, String, Text, and_, select

from supertokens_py.engine.user_records import EMAIL_PASSWORD, PASSWORDLESS

from ..storage.tables import PUBLIC_ID, ColumnKind, TableDefinition, Tables, optional
from .user_tables import (
    EMAILS_IN_TENANTS,
    PASSWORDLESS_IN_TENANTS,
    THIRD_PARTY_IN_TENANTS,
    THIRD_PARTY_USERS,
    USERS,
    USERS_IN_TENANTS,
)

if TYPE_CHECKING:
    from sqlalchemy import FromClause, Table

_ID = ColumnKind(CHAR(36))
_INFO = {
    "recipe_user_id": _ID,
    "recipe_id": ColumnKind(String(128)),
    "account_info_type": ColumnKind(String(8)),
    "account_info_value": ColumnKind(Text()),
    "third_party_id": ColumnKind(String(28)),
    "third_party_user_id": ColumnKind(String(256)),
}

#: What core 12 keeps of each user, whatever their tenants are.
ACCOUNT_INFOS = TableDefinition(
    name="recipe_user_account_infos",
    columns={"app_id": PUBLIC_ID, **_INFO, "primary_user_id": optional(CHAR(36))},
    key=(
        "app_id",
        "recipe_id",
        "recipe_user_id",
        "account_info_type",
        "third_party_id",
        "third_party_user_id",
    ),
)
#: The same of each tenant; its key is what no two users of a recipe share there.
ACCOUNTS_IN_TENANTS = TableDefinition(
    name="recipe_user_tenants",
    columns={"app_id": PUBLIC_ID, "tenant_id": PUBLIC_ID, **_INFO},
    key=(
        "app_id",
        "tenant_id",
        "recipe_id",
        "account_info_type",
        "third_party_id",
        "third_party_user_id",
        "account_info_value",
    ),
)

#: Which primary user has what, of all who are linked to them; no two share it in a tenant.
PRIMARY_INFOS = TableDefinition(
    name="primary_user_tenants",
    columns={
        **{"app_id": PUBLIC_ID, "tenant_id": PUBLIC_ID},
        "account_info_type": ColumnKind(String(8)),
        "account_info_value": ColumnKind(Text()),
        "primary_user_id": _ID,
    },
    key=("app_id", "tenant_id", "account_info_type", "account_info_value"),
)

#: `account_info_type` of what a user is known by.
TYPE_OF = {"email": "email", "phone_number": "phone"}
ACCOUNT = "tparty"


@dataclass(frozen=True, slots=True, eq=False)
class Memberships:
    """What one layout says of tenants, with columns `app_id`, `tenant_id`, `user_id` and those named here."""

    #: Every user; a user may be in several rows of one tenant. `primary_or_recipe_user_id`, `recipe_id`,
    #: `time_joined`, `primary_or_recipe_user_time_joined`.
    users: FromClause
    emails: FromClause  #: users with passwords: `email`
    contacts: Mapping[str, FromClause]  #: users who sign in with codes, by the name of the contact's column
    accounts: FromClause  #: users of providers: `third_party_id`, `third_party_user_id`


def memberships_of_recipes(tables: Tables) -> Memberships:
    """Return what the tables of each recipe say ("LEGACY")."""
    contacts = tables[PASSWORDLESS_IN_TENANTS]
    return Memberships(
        users=tables[USERS_IN_TENANTS],
        emails=tables[EMAILS_IN_TENANTS],
        contacts={"email": contacts, "phone_number": contacts},
        accounts=tables[THIRD_PARTY_IN_TENANTS],
    )


def memberships_of_all(tables: Tables, in_tenants: Table) -> Memberships:
    """Return what the tables of core 12 say ("MIGRATED")."""
    users, at_provider = tables[USERS], tables[THIRD_PARTY_USERS]
    row = in_tenants.c
    of_tenant = (row.app_id, row.tenant_id, row.recipe_user_id.label("user_id"))

    def named(recipe_id: str, column: str) -> FromClause:
        is_kind = and_(row.recipe_id == recipe_id, row.account_info_type == TYPE_OF[column])
        return select(*of_tenant, row.account_info_value.label(column)).where(is_kind).subquery()

    same_user = and_(users.c.app_id == row.app_id, users.c.user_id == row.recipe_user_id)
    same_account = and_(at_provider.c.app_id == row.app_id, at_provider.c.user_id == row.recipe_user_id)
    times = (users.c.time_joined, users.c.primary_or_recipe_user_time_joined)
    return Memberships(
        users=select(*of_tenant, users.c.primary_or_recipe_user_id, users.c.recipe_id, *times)
        .join(users, same_user)
        .subquery(),
        emails=named(EMAIL_PASSWORD, "email"),
        contacts={name: named(PASSWORDLESS, name) for name in TYPE_OF},
        accounts=select(*of_tenant, at_provider.c.third_party_id, at_provider.c.third_party_user_id)
        .join(at_provider, same_account)
        .where(row.account_info_type == ACCOUNT)
        .subquery(),
    )
