"""The tables in which SuperTokens core 12 keeps users, made and filled from the layout alone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

from .databases import TestDatabase

MODES = ("DUAL_WRITE_READ_OLD", "DUAL_WRITE_READ_NEW", "MIGRATED")

_INFO = """recipe_user_id CHAR(36) NOT NULL, recipe_id VARCHAR(128) NOT NULL,
  account_info_type VARCHAR(8) NOT NULL, account_info_value TEXT NOT NULL, third_party_id VARCHAR(28),
  third_party_user_id VARCHAR(256)"""
_DDL = (
    f"""CREATE TABLE recipe_user_account_infos (app_id VARCHAR(64) NOT NULL, {_INFO},
  primary_user_id CHAR(36),
  CONSTRAINT recipe_user_account_infos_pkey PRIMARY KEY (app_id, recipe_id, recipe_user_id,
    account_info_type, third_party_id, third_party_user_id),
  CONSTRAINT recipe_user_account_infos_tenant_id_fkey FOREIGN KEY (app_id)
    REFERENCES apps (app_id) ON DELETE CASCADE)""",
    f"""CREATE TABLE recipe_user_tenants (app_id VARCHAR(64) NOT NULL, tenant_id VARCHAR(64) NOT NULL,
  {_INFO},
  CONSTRAINT recipe_user_tenants_pkey PRIMARY KEY (app_id, tenant_id, recipe_id, account_info_type,
    third_party_id, third_party_user_id, account_info_value),
  CONSTRAINT recipe_user_tenants_tenant_id_fkey FOREIGN KEY (app_id, tenant_id)
    REFERENCES tenants (app_id, tenant_id) ON DELETE CASCADE)""",
    """CREATE TABLE primary_user_tenants (app_id VARCHAR(64) NOT NULL, tenant_id VARCHAR(64) NOT NULL,
  account_info_type VARCHAR(8) NOT NULL, account_info_value TEXT NOT NULL, primary_user_id CHAR(36) NOT NULL,
  CONSTRAINT primary_user_tenants_pkey PRIMARY KEY (app_id, tenant_id, account_info_type, account_info_value),
  CONSTRAINT primary_user_tenants_app_id_fkey FOREIGN KEY (app_id, tenant_id)
    REFERENCES tenants (app_id, tenant_id) ON DELETE CASCADE)""",
    """CREATE INDEX idx_recipe_user_account_infos_app_recipe_user
  ON recipe_user_account_infos (app_id, recipe_user_id)""",
    "CREATE INDEX idx_recipe_user_tenants_recipe_user_id ON recipe_user_tenants (app_id, recipe_user_id)",
)

#: Tables that say who is in a tenant, of every core and of core 12.
OLD_TABLES = (
    *("all_auth_recipe_users", "emailpassword_user_to_tenant", "passwordless_user_to_tenant"),
    "thirdparty_user_to_tenant",
)
NEW_TABLES = ("recipe_user_account_infos", "recipe_user_tenants")


def add_tables(database: TestDatabase) -> None:
    """Make what core 12 adds when it starts on a database with tables of users."""
    for statement in _DDL:
        database.query(statement)


def state_mode(database: TestDatabase, mode: str, tenant_id: str = "public") -> None:
    """Have a tenant's configuration say which tables are in use."""
    database.query(
        "INSERT INTO tenant_configs (connection_uri_domain, app_id, tenant_id, core_config) "
        "VALUES ('', 'public', %s, %s) ON CONFLICT (connection_uri_domain, app_id, tenant_id) "
        "DO UPDATE SET core_config = excluded.core_config",
        *(tenant_id, json.dumps({"migration_mode": mode})),
    )


def rows_of(database: TestDatabase, table: str, user_id: str) -> list[dict[str, Any]]:
    """Return the rows of a user in a table, ordered, without the app."""
    key = "recipe_user_id" if table in NEW_TABLES else "user_id"
    columns = [name for name in database.columns(table) if name not in ("app_id", key)]
    names = ", ".join(columns)
    found = database.query(f"SELECT {names} FROM {table} WHERE {key} = %s ORDER BY {names}", user_id)
    return [dict(zip(columns, row, strict=True)) for row in found]


def write_user(
    database: TestDatabase,
    mode: str,
    user_id: str,
    known: dict[str, str],
    *,
    joined_ms: int,
    password_hash: str = "",
    tenant_id: str = "public",
) -> None:
    """Write a user as a core of some mode does; `known` has what the table of the recipe has of the user."""
    recipe = (
        "thirdparty" if "third_party_id" in known else "emailpassword" if password_hash else "passwordless"
    )
    times = (0, 0) if mode == "LEGACY" else (joined_ms, joined_ms)
    database.query(
        "INSERT INTO app_id_to_user_id (app_id, user_id, recipe_id, primary_or_recipe_user_id, time_joined, "
        "primary_or_recipe_user_time_joined) VALUES ('public', %s, %s, %s, %s, %s)",
        *(user_id, recipe, user_id, *times),
    )
    own = {**known, "time_joined": joined_ms, **({"password_hash": password_hash} if password_hash else {})}
    _insert(database, f"{recipe}_users", {"user_id": user_id, **own})
    if mode != "MIGRATED":
        database.query(
            "INSERT INTO all_auth_recipe_users VALUES ('public', %s, %s, %s, FALSE, %s, %s, %s)",
            *(tenant_id, user_id, user_id, recipe, joined_ms, joined_ms),
        )
        there = {name: value for name, value in known.items() if recipe != "thirdparty" or name != "email"}
        _insert(database, f"{recipe}_user_to_tenant", {"tenant_id": tenant_id, "user_id": user_id, **there})
    if mode != "LEGACY":
        for info in _infos(known):
            row = {"recipe_user_id": user_id, "recipe_id": recipe, **info}
            _insert(database, "recipe_user_account_infos", row)
            _insert(database, "recipe_user_tenants", {"tenant_id": tenant_id, **row})


def make_primary(
    database: TestDatabase,
    mode: str,
    primary_id: str,
    linked: Sequence[str],
    infos: Iterable[tuple[str, str]],
    tenants: Sequence[str] = ("public", "t1"),
) -> None:
    """Make a user a primary one, as a core does, to whom others are linked; `infos` are types and values."""
    tables = ["app_id_to_user_id", *(["all_auth_recipe_users"] if mode != "MIGRATED" else [])]
    for table, user_id in itertools.product(tables, (primary_id, *linked)):
        database.query(
            f"UPDATE {table} SET primary_or_recipe_user_id = %s, is_linked_or_is_a_primary_user = TRUE "
            "WHERE user_id = %s",
            *(primary_id, user_id),
        )
    for user_id in (primary_id, *linked):
        database.query(
            "UPDATE recipe_user_account_infos SET primary_user_id = %s WHERE recipe_user_id = %s",
            *(primary_id, user_id),
        )
    for tenant_id, (kind, value) in itertools.product(tenants, infos):
        info = {"account_info_type": kind, "account_info_value": value}
        _insert(
            database, "primary_user_tenants", {"tenant_id": tenant_id, **info, "primary_user_id": primary_id}
        )


def reserved(database: TestDatabase) -> set[tuple[str, str, str, str]]:
    """Return what is reserved for primary users: tenant, type, value and whose it is."""
    columns = "tenant_id, account_info_type, account_info_value, primary_user_id"
    return {(*row,) for row in database.query(f"SELECT {columns} FROM primary_user_tenants")}


def _infos(known: dict[str, str]) -> list[dict[str, str]]:
    third_party_id, there = known.get("third_party_id", ""), known.get("third_party_user_id", "")
    found = [("tparty", f"{third_party_id}::{there}", "", "")] if third_party_id else []
    if "email" in known:
        found.append(("email", known["email"], third_party_id, there))
    if "phone_number" in known:
        found.append(("phone", known["phone_number"], "", ""))
    names = ("account_info_type", "account_info_value", "third_party_id", "third_party_user_id")
    return [dict(zip(names, one, strict=True)) for one in found]


def _insert(database: TestDatabase, table: str, row: dict[str, Any]) -> None:
    row = {"app_id": "public", **row}
    marks = ", ".join(["%s"] * len(row))
    database.query(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values())
