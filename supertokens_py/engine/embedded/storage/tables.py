"""The tables, in the official layout (engine: Tables).

The official core also indexes beginnings of primary keys. We leave those indexes out: each costs a write,
and PostgreSQL prefers the smaller index of a table that it has no statistics of yet, reading every session
of a tenant to find one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)


class Tables:
    """The tables that we own, under one schema and one prefix."""

    def __init__(self, *, schema: str | None, prefix: str) -> None:
        self.schema = schema
        self.prefix = prefix
        self._metadata = MetaData(schema=schema)
        tenant_key = (("app_id", "tenant_id"), "tenants", "tenant_id")
        app_key = (("app_id",), "apps", "app_id")
        config_key = (("connection_uri_domain", "app_id", "tenant_id"), "tenant_configs", "tenant_id")

        self.apps: Table = self._table("apps", [_id("app_id"), _time("created_at_time")], key=("app_id",))
        self.tenants: Table = self._table(
            "tenants",
            [_id("app_id"), _id("tenant_id"), _time("created_at_time")],
            key=("app_id", "tenant_id"),
            parent=app_key,
        )
        self.tenant_configs: Table = self._table(
            "tenant_configs",
            [
                _domain(),
                _id("app_id"),
                _id("tenant_id"),
                Column("core_config", Text),
                Column("email_password_enabled", Boolean),
                Column("passwordless_enabled", Boolean),
                Column("third_party_enabled", Boolean),
                Column("is_first_factors_null", Boolean),
            ],
            key=("connection_uri_domain", "app_id", "tenant_id"),
        )
        factors = [
            self._table(
                name,
                [
                    _domain(),
                    _id("app_id"),
                    _id("tenant_id"),
                    Column("factor_id", String(128), nullable=False),
                ],
                key=("connection_uri_domain", "app_id", "tenant_id", "factor_id"),
                parent=config_key,
            )
            for name in ("tenant_first_factors", "tenant_required_secondary_factors")
        ]
        self.first_factors: Table = factors[0]
        self.required_secondary_factors: Table = factors[1]
        self.key_value: Table = self._table(
            "key_value",
            [
                _id("app_id"),
                _id("tenant_id"),
                Column("name", String(128), nullable=False),
                Column("value", Text),
                _time(),
            ],
            key=("app_id", "tenant_id", "name"),
            parent=tenant_key,
        )
        self.sessions: Table = self._table(
            "session_info",
            [
                _id("app_id"),
                _id("tenant_id"),
                Column("session_handle", String(255), nullable=False),
                Column("user_id", String(128), nullable=False),
                Column("refresh_token_hash_2", String(128), nullable=False),
                Column("session_data", Text),
                Column("expires_at", BigInteger, nullable=False),
                Column("created_at_time", BigInteger, nullable=False),
                Column("jwt_user_payload", Text),
                Column("use_static_key", Boolean, nullable=False),
                Column("prev_refresh_token_hash_2", String(128)),
                Column("refresh_token_rotated_at", BigInteger),
            ],
            key=("app_id", "tenant_id", "session_handle"),
            parent=tenant_key,
            indexes={
                "session_expiry_index": ("expires_at",),
                "session_info_user_id_app_id_index": ("user_id", "app_id"),
            },
        )
        self.dynamic_keys: Table = self._table(
            "session_access_token_signing_keys",
            [_id("app_id"), Column("created_at_time", BigInteger, nullable=False), Column("value", Text)],
            key=("app_id", "created_at_time"),
            parent=app_key,
        )
        self.static_keys: Table = self._table(
            "jwt_signing_keys",
            [
                _id("app_id"),
                Column("key_id", String(255), nullable=False),
                Column("key_string", Text, nullable=False),
                Column("algorithm", String(10), nullable=False),
                Column("created_at", BigInteger),
            ],
            key=("app_id", "key_id"),
            parent=app_key,
        )
        self.roles: Table = self._table(
            "roles",
            [_id("app_id"), Column("role", String(255), nullable=False)],
            key=("app_id", "role"),
            parent=app_key,
        )
        self.role_permissions: Table = self._table(
            "role_permissions",
            [
                _id("app_id"),
                Column("role", String(255), nullable=False),
                Column("permission", String(255), nullable=False),
            ],
            key=("app_id", "role", "permission"),
            parent=(("app_id", "role"), "roles", "role"),
            indexes={"role_permissions_permission_index": ("app_id", "permission")},
        )
        self.user_roles: Table = self._table(
            "user_roles",
            [_id("app_id"), _id("tenant_id"), _user("user_id"), Column("role", String(255), nullable=False)],
            key=("app_id", "tenant_id", "user_id", "role"),
            parent=tenant_key,
            indexes={
                "user_roles_app_id_role_index": ("app_id", "role"),
                "user_roles_role_index": ("app_id", "tenant_id", "role"),
                "user_roles_app_id_user_id_index": ("app_id", "user_id"),
            },
        )
        self.user_metadata: Table = self._table(
            "user_metadata",
            [_id("app_id"), _user("user_id"), Column("user_metadata", Text, nullable=False)],
            key=("app_id", "user_id"),
            parent=app_key,
        )
        self.last_active: Table = self._table(
            "user_last_active",
            [_id("app_id"), _user("user_id"), _time("last_active_time")],
            key=("app_id", "user_id"),
            parent=app_key,
            indexes={"user_last_active_app_id_last_active_time_index": ("app_id", "last_active_time")},
        )

    def all(self) -> list[Table]:
        """Return every table, parents first."""
        return self._metadata.sorted_tables

    def official_name(self, table: Table) -> str:
        """Return the name of a table without our prefix."""
        return table.name.removeprefix(self.prefix)

    def _table(
        self,
        name: str,
        columns: list[Column[Any]],
        *,
        key: tuple[str, ...],
        parent: tuple[tuple[str, ...], str, str] | None = None,
        indexes: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Table:
        full = self.prefix + name
        constraints: list[Any] = [PrimaryKeyConstraint(*key, name=f"{full}_pkey")]
        if parent is not None:
            own, target, label = parent
            target = f"{self.schema}.{self.prefix}{target}" if self.schema else self.prefix + target
            constraints.append(
                ForeignKeyConstraint(
                    own,
                    [f"{target}.{column}" for column in own],
                    name=f"{full}_{label}_fkey",
                    ondelete="CASCADE",
                )
            )
        table = Table(full, self._metadata, *columns, *constraints)
        for index, on in (indexes or {}).items():
            Index(self.prefix + index, *(table.c[column] for column in on))
        return table


def _id(name: str) -> Column[str]:
    return Column(name, String(64), nullable=False, server_default="public")


def _domain() -> Column[str]:
    return Column("connection_uri_domain", String(256), nullable=False, server_default="")


def _user(name: str) -> Column[str]:
    return Column(name, String(128), nullable=False)


def _time(name: str = "created_at_time") -> Column[int]:
    return Column(name, BigInteger)
