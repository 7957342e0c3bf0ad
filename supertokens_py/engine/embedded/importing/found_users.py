"""Which users a source has, and whether they can be copied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from supertokens_py.engine.embedded.accounts.user_layout import UserLayout
from supertokens_py.engine.embedded.accounts.user_tables import USER_TABLES, USERS
from supertokens_py.engine.embedded.storage.tables import TENANTS, needed_columns
from supertokens_py.engine.embedded.tenant_tables import TENANT_CONFIGS
from supertokens_py.engine.user_records import EMAIL_PASSWORD, PASSWORDLESS, THIRD_PARTY
from supertokens_py.exceptions import ConfigError
from supertokens_py.formatting import counted

from .rows import COPIED_TABLES, own_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from supertokens_py.engine.embedded.storage.tables import Tables

_RECIPES = (EMAIL_PASSWORD, PASSWORDLESS, THIRD_PARTY)


@dataclass(frozen=True, slots=True)
class FoundUsers:
    """The users of a source."""

    count: int = 0  #: of the app that is copied
    of_other_apps: int = 0
    can_be_copied: bool = False  #: also where there are tables and nobody in them
    refusal: str = ""  #: why they cannot
    #: How many arrive without what they sign in with, by the recipe that keeps it.
    of_other_recipes: Mapping[str, int] = field(default_factory=dict[str, int])

    def losses(self) -> Iterator[str]:
        """Yield what an application loses of its users, and what to do about it."""
        whole = "to keep them, copy the whole database by its own means (pg_dump) and start on the copy"
        if self.count and not self.can_be_copied:
            yield f"{counted(self.count, 'user')} cannot be copied: {self.refusal}; {whole}"
        for recipe, count in self.of_other_recipes.items():
            users = f"{counted(count, 'user')} of recipe {recipe}"
            yield f"{users} cannot sign in there: we do not serve it; {whole}"


def find_users(connection: Connection, tables: Tables, columns: Mapping[str, set[str]]) -> FoundUsers:
    """Return the users of a database; reads only.

    Args:
        columns: those of each table that is there.
    """
    users = tables[USERS]
    if users.name not in columns:
        return FoundUsers()
    if absent := _absent(tables, columns):
        count = connection.scalar(select(func.count()).select_from(users)) or 0
        refusal = f"table {absent} is missing, or older than those of SuperTokens core 9"
        return FoundUsers(count, refusal=refusal)
    by_recipe: Select[str, int] = (
        select(users.c.recipe_id, func.count()).where(own_rows(users)).group_by(users.c.recipe_id)
    )
    counts = {recipe: count for recipe, count in connection.execute(by_recipe.order_by(users.c.recipe_id))}
    others = select(func.count()).select_from(users).where(~own_rows(users))
    is_ours = _is_our_layout(connection, tables)
    return FoundUsers(
        sum(counts.values()),
        connection.scalar(others) or 0,
        can_be_copied=is_ours,
        refusal="" if is_ours else "SuperTokens core 12 keeps them in tables of its own",
        of_other_recipes={name: count for name, count in counts.items() if is_ours and name not in _RECIPES},
    )


def _absent(tables: Tables, columns: Mapping[str, set[str]]) -> str | None:
    """Return a table that has to be read and is not there, or not whole."""
    read = [one for one in USER_TABLES if one.name in COPIED_TABLES]
    for table in (tables[one] for one in (TENANTS, TENANT_CONFIGS, *read)):
        if not needed_columns(table) <= columns.get(table.name, set()):
            return table.name
    return None


def _is_our_layout(connection: Connection, tables: Tables) -> bool:
    layout = UserLayout(tables, "AUTO")
    try:
        layout.learn(connection)
    except ConfigError:  # it cannot be known
        return False
    return layout.mode == "LEGACY"
