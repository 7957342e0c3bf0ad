"""The tables, in the official layout (core-semantics 25), and how a database gets them.

There is no version number to go wrong: the shape of the database itself tells what is missing, so
an empty database, an older one of ours and one that an official core made are all brought up to
date the same way. Only additions are ever made, in one transaction, by one process at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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
    text,
)
from sqlalchemy.schema import CreateColumn, CreateSchema

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.exceptions import ConfigError

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Columns that databases of older cores lack; every other missing column means "too old to adopt".
ADDED_COLUMNS = {"session_info": ("prev_refresh_token_hash_2", "refresh_token_rotated_at")}

#: Tables of an official core that are read, if present, to find a user's primary and external id.
USER_TABLES = ("app_id_to_user_id", "userid_mapping")

_POSTGRES_COLUMNS = """
    SELECT c.relname, a.attname FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = COALESCE(CAST(:schema AS text), current_schema())
      AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
_SQLITE_COLUMNS = """
    SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
    WHERE m.type = 'table' AND :schema IS NULL
"""


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
            indexes={"tenants_app_id_index": ("app_id",)},
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
                indexes={f"{name}_tenant_id_index": ("connection_uri_domain", "app_id", "tenant_id")},
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
            indexes={"key_value_tenant_id_index": ("app_id", "tenant_id")},
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
                "session_info_tenant_id_index": ("app_id", "tenant_id"),
                "session_info_user_id_app_id_index": ("user_id", "app_id"),
            },
        )
        self.dynamic_keys: Table = self._table(
            "session_access_token_signing_keys",
            [_id("app_id"), Column("created_at_time", BigInteger, nullable=False), Column("value", Text)],
            key=("app_id", "created_at_time"),
            parent=app_key,
            indexes={"access_token_signing_keys_app_id_index": ("app_id",)},
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
            indexes={"jwt_signing_keys_app_id_index": ("app_id",)},
        )
        self.roles: Table = self._table(
            "roles",
            [_id("app_id"), Column("role", String(255), nullable=False)],
            key=("app_id", "role"),
            parent=app_key,
            indexes={"roles_app_id_index": ("app_id",)},
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
            indexes={
                "role_permissions_role_index": ("app_id", "role"),
                "role_permissions_permission_index": ("app_id", "permission"),
            },
        )
        self.user_roles: Table = self._table(
            "user_roles",
            [_id("app_id"), _id("tenant_id"), _user("user_id"), Column("role", String(255), nullable=False)],
            key=("app_id", "tenant_id", "user_id", "role"),
            parent=tenant_key,
            indexes={
                "user_roles_tenant_id_index": ("app_id", "tenant_id"),
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
            indexes={"user_metadata_app_id_index": ("app_id",)},
        )
        self.last_active: Table = self._table(
            "user_last_active",
            [_id("app_id"), _user("user_id"), _time("last_active_time")],
            key=("app_id", "user_id"),
            parent=app_key,
            indexes={
                "user_last_active_app_id_index": ("app_id",),
                "user_last_active_app_id_last_active_time_index": ("app_id", "last_active_time"),
            },
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


def missing(connection: Connection, tables: Tables) -> bool:
    """Tell whether a database lacks anything that `bring_up_to_date` would add. Reads only."""
    present = _columns(connection, tables)
    for table in tables.all():
        if not set(table.c.keys()) <= present.get(table.name, set()):
            return True
    query = tables.tenants.select().where(
        tables.tenants.c.app_id == DEFAULT_APP_ID, tables.tenants.c.tenant_id == DEFAULT_TENANT_ID
    )
    return connection.execute(query).first() is None


def has_user_tables(connection: Connection, tables: Tables) -> bool:
    """Tell whether an official core keeps users here, whose ids may be linked or mapped."""
    present = _columns(connection, tables)
    return all(tables.prefix + name in present for name in USER_TABLES)


def bring_up_to_date(connection: Connection, tables: Tables, *, now_ms: int) -> None:
    """Add what is missing; the caller holds the lock that keeps other processes out.

    Raises:
        ConfigError: an existing table is of a layout too old to adopt.
    """
    if tables.schema is not None and connection.dialect.name == "postgresql":
        connection.execute(CreateSchema(tables.schema, if_not_exists=True))
    present = _columns(connection, tables)
    for table in tables.all():
        columns = present.get(table.name)
        if columns is None:
            table.create(connection, checkfirst=False)
        else:
            _add_columns(connection, tables, table, columns)
    _add_public_tenant(connection, tables, now_ms)


def _add_columns(connection: Connection, tables: Tables, table: Table, present: set[str]) -> None:
    absent = [column for column in table.c if column.name not in present]
    addable = ADDED_COLUMNS.get(tables.official_name(table), ())
    foreign = [column.name for column in absent if column.name not in addable]
    if foreign:
        raise ConfigError(
            f"table {table.name!r} in this database has no column {foreign[0]!r}: it belongs to "
            "something else or was made by a SuperTokens core older than 9. "
            "Upgrade it with a newer core first, or use another database, schema or table_prefix."
        )
    for column in absent:
        definition = CreateColumn(column).compile(dialect=connection.dialect)
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.execute(text(f"ALTER TABLE {name} ADD COLUMN {definition}"))


def _add_public_tenant(connection: Connection, tables: Tables, now_ms: int) -> None:
    app = {"app_id": DEFAULT_APP_ID}
    tenant = {**app, "tenant_id": DEFAULT_TENANT_ID}
    for table, row in ((tables.apps, app), (tables.tenants, tenant)):
        query = table.select().where(*(table.c[name] == value for name, value in row.items()))
        if connection.execute(query).first() is None:
            connection.execute(table.insert().values(**row, created_at_time=now_ms))


def _columns(connection: Connection, tables: Tables) -> dict[str, set[str]]:
    query = _SQLITE_COLUMNS if connection.dialect.name == "sqlite" else _POSTGRES_COLUMNS
    found: dict[str, set[str]] = {}
    for table, column in connection.execute(text(query), {"schema": tables.schema}):
        found.setdefault(table, set()).add(column)
    return found


def _id(name: str) -> Column[str]:
    return Column(name, String(64), nullable=False, server_default="public")


def _domain() -> Column[str]:
    return Column("connection_uri_domain", String(256), nullable=False, server_default="")


def _user(name: str) -> Column[str]:
    return Column(name, String(128), nullable=False)


def _time(name: str = "created_at_time") -> Column[int]:
    return Column(name, BigInteger)
