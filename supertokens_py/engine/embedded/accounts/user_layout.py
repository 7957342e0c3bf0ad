"""In which layout a database keeps users, and what reads and writes go by (engine: Layouts of users).

A core of version 12 moves users from one layout to another in steps, its `migration_mode`. Whoever shares the
database has to read and to write what the core does at the same step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_args

from sqlalchemy import and_, exists, select

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.config import MigrationMode, MigrationModeSetting
from supertokens_py.exceptions import ConfigError

from ..storage.schema import lacks
from ..storage.tables import TENANTS, Tables
from ..tenant_tables import TENANT_CONFIGS
from .account_tables import (
    ACCOUNT_INFOS,
    ACCOUNTS_IN_TENANTS,
    PRIMARY_INFOS,
    Memberships,
    memberships_of_all,
    memberships_of_recipes,
)
from .user_tables import USERS, USERS_IN_TENANTS

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

T = TypeVar("T")

_SET = "set migration_mode (SUPERTOKENS_MIGRATION_MODE) to what the core has"
#: How many users, the latest first, are looked at to tell whether a mode is plausible.
_LATEST = 100


class UserLayout:
    """The layout of a database's users, which is learned when the database is opened."""

    def __init__(self, tables: Tables, setting: MigrationModeSetting) -> None:
        self.tables = tables
        self._setting: MigrationModeSetting = setting
        #: Made by a core alone, so no part of `tables`, which are made where they are missing.
        made_by_cores = (ACCOUNT_INFOS, ACCOUNTS_IN_TENANTS, PRIMARY_INFOS)
        common = Tables(made_by_cores, schema=tables.schema, prefix=tables.prefix)
        self.account_infos: Table = common[ACCOUNT_INFOS]
        self.accounts_in_tenants: Table = common[ACCOUNTS_IN_TENANTS]
        self.primary_infos: Table = common[PRIMARY_INFOS]
        self._of_recipes = memberships_of_recipes(tables)
        self._of_all = memberships_of_all(tables, self.accounts_in_tenants)
        self.mode: MigrationMode = "LEGACY"
        #: Whether there are tables of core 12: nothing may stay in them of what is removed, in any mode.
        self.has_common_tables: bool = False

    @property
    def writes_recipes_tables(self) -> bool:
        """Whether the tables of each recipe are kept up to date."""
        return self.mode != "MIGRATED"

    @property
    def writes_common_tables(self) -> bool:
        """Whether the tables of core 12 are kept up to date."""
        return self.mode != "LEGACY"

    @property
    def memberships(self) -> Memberships:
        """What says who is in a tenant."""
        return self._of_all if self.mode in ("DUAL_WRITE_READ_NEW", "MIGRATED") else self._of_recipes

    def by_layout(self, make: Callable[[Memberships], T]) -> ByLayout[T]:
        """Return what is made of the memberships that are read: statements, usually."""
        return ByLayout(self, make)

    def learn(self, connection: Connection, _: Tables | None = None) -> None:
        """Learn the mode, at each opening of the database and at each clean-up.

        Raises:
            ConfigError: the mode cannot be known, or is not what the tables look like.
        """
        common = (self.account_infos, self.accounts_in_tenants, self.primary_infos)
        has_all = not lacks(connection, self.tables, common)
        has_rows = has_all and self._has_any(connection, self.accounts_in_tenants)
        mode = decide(self._stated(connection), self._setting, has_rows=has_rows)
        if mode != "LEGACY" and not (has_all and self._has_times(connection)):
            raise ConfigError(
                f"migration_mode is {mode}, and this database has no tables of users of SuperTokens core 12, "
                "which makes them when it starts: leave migration_mode (SUPERTOKENS_MIGRATION_MODE) out"
            )
        if has_all and mode in ("LEGACY", "DUAL_WRITE_READ_OLD") and self._are_unseen(connection):
            raise ConfigError(
                f"migration_mode is {mode}, and the latest users are in the tables of SuperTokens core 12 "
                f"alone, where they would be missed: {_SET}"
            )
        reads_common = mode in ("DUAL_WRITE_READ_NEW", "MIGRATED")
        if reads_common and not has_rows and self._has_any(connection, self.tables[USERS_IN_TENANTS]):
            raise ConfigError(
                f"migration_mode is {mode}, and no user is in the tables of SuperTokens core 12: {_SET}"
            )
        self.mode, self.has_common_tables = mode, has_all

    def _stated(self, connection: Connection) -> dict[str, str | None]:
        """Return what the configuration of each tenant says; None: nothing."""
        tenants, configs = self.tables[TENANTS], self.tables[TENANT_CONFIGS]
        same = and_(configs.c.app_id == tenants.c.app_id, configs.c.tenant_id == tenants.c.tenant_id)
        query = (
            select(tenants.c.tenant_id, configs.c.core_config)
            .outerjoin(configs, and_(same, configs.c.connection_uri_domain == ""))
            .where(tenants.c.app_id == DEFAULT_APP_ID)
        )
        return {
            tenant: _mode_in(tenant, config) if config else None
            for tenant, config in connection.execute(query)
        }

    def _has_any(self, connection: Connection, table: Table) -> bool:
        query = select(table.c.app_id).where(table.c.app_id == DEFAULT_APP_ID).limit(1)
        return connection.execute(query).first() is not None

    def _has_times(self, connection: Connection) -> bool:
        return not lacks(connection, self.tables, (self.tables[USERS],), also_optional=True)

    def _are_unseen(self, connection: Connection) -> bool:
        """Return whether one of the latest users is in tenants in the common tables alone."""
        if not self._has_times(connection):
            return False
        users, old, new = self.tables[USERS], self.tables[USERS_IN_TENANTS], self.accounts_in_tenants
        latest = (
            select(users.c.app_id, users.c.user_id)
            .where(users.c.app_id == DEFAULT_APP_ID)
            .order_by(users.c.primary_or_recipe_user_time_joined.desc())
            .limit(_LATEST)
            .subquery()
        )
        query = select(latest.c.user_id).where(
            exists().where(new.c.app_id == latest.c.app_id, new.c.recipe_user_id == latest.c.user_id),
            ~exists().where(old.c.app_id == latest.c.app_id, old.c.user_id == latest.c.user_id),
        )
        return connection.execute(query.limit(1)).first() is not None


class ByLayout(Generic[T]):
    """Something that depends on what says who is in a tenant; called within a unit of work."""

    __slots__ = ("_layout", "_made", "_make")

    def __init__(self, layout: UserLayout, make: Callable[[Memberships], T]) -> None:
        self._layout = layout
        self._make = make
        self._made: dict[Memberships, T] = {}

    def __call__(self) -> T:
        key = self._layout.memberships
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]


def _mode_in(tenant: str, config: str) -> str | None:
    try:
        mode: Any = json.loads(config).get("migration_mode")
    except (ValueError, AttributeError):
        raise ConfigError(
            f"the configuration of tenant {tenant!r}, core_config in table tenant_configs, is no JSON "
            "object: correct it, or set it to null"
        ) from None
    return mode or None


def decide(
    stated: Mapping[str, str | None], setting: MigrationModeSetting, *, has_rows: bool
) -> MigrationMode:
    """Return the mode of a database.

    Args:
        stated: what the configuration of each tenant says; a tenant that says nothing is as the public one.
        setting: what the core's own configuration says, which is not in the database; "AUTO": unknown.
        has_rows: whether a core has written users to the tables of version 12.

    Raises:
        ConfigError: it cannot be known, or differs between tenants.
    """
    unsaid = setting if setting != "AUTO" else None if has_rows else "LEGACY"
    default = stated.get(DEFAULT_TENANT_ID) or unsaid
    modes = {mode or default for mode in stated.values()} or {default}
    if setting != "AUTO":
        modes.add(setting)
    if modes == {None}:
        raise ConfigError(
            "SuperTokens core 12 keeps users of this database in its own tables, and no configuration of a "
            f"tenant says in which migration_mode: {_SET}"
        )
    names = sorted(mode or "not set" for mode in modes)
    if unknown := [name for name in names if name not in (*get_args(MigrationMode), "not set")]:
        raise ConfigError(f"a tenant's migration_mode is {unknown[0]}, which no SuperTokens core has")
    if len(modes) > 1:
        raise ConfigError(
            f"migration_mode of SuperTokens core 12 is not the same everywhere ({', '.join(names)}): "
            + (_SET if None in modes else "let the core move the users of every tenant")
        )
    return cast("MigrationMode", names[0])
