"""The tables of tenants' configuration, in the official layout (engine: Tables)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import Boolean, Select, String, Text, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import TypeDecorator

from supertokens_py.constants import DEFAULT_APP_ID

from .storage.tables import (
    OPTIONAL_TEXT,
    PUBLIC_ID,
    TENANTS,
    ColumnKind,
    TableDefinition,
    Tables,
    optional,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, CursorResult, Dialect, Table
    from sqlalchemy.sql.elements import ColumnElement
    from sqlalchemy.types import TypeEngine

OF_TENANT = {
    "connection_uri_domain": ColumnKind(String(256), default=""),
    "app_id": PUBLIC_ID,
    "tenant_id": PUBLIC_ID,
}
_OPTIONAL_FLAG = optional(Boolean())
_PROVIDER_ID = ColumnKind(String(28))
_SHORT = optional(String(64))

TENANT_CONFIGS = TableDefinition(
    name="tenant_configs",
    columns={
        **OF_TENANT,
        "core_config": OPTIONAL_TEXT,
        "email_password_enabled": _OPTIONAL_FLAG,
        "passwordless_enabled": _OPTIONAL_FLAG,
        "third_party_enabled": _OPTIONAL_FLAG,
        "is_first_factors_null": _OPTIONAL_FLAG,
    },
    key=tuple(OF_TENANT),
)
FIRST_FACTORS, REQUIRED_SECONDARY_FACTORS = (
    TableDefinition(
        name=name,
        columns={**OF_TENANT, "factor_id": ColumnKind(String(128))},
        key=(*OF_TENANT, "factor_id"),
        parent=TENANT_CONFIGS,
    )
    for name in ("tenant_first_factors", "tenant_required_secondary_factors")
)


class TextList(TypeDecorator[list[str]]):
    """A list of texts: an array in PostgreSQL, as the official core has it, and JSON in SQLite."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type in a database."""
        return dialect.type_descriptor(ARRAY(String(128)) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> Any:
        """Return what is stored."""
        return value if value is None or dialect.name == "postgresql" else json.dumps(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> list[str] | None:
        """Return the list that is stored."""
        return json.loads(value) if isinstance(value, str) else value


#: Providers of sign-ins that a tenant has of its own. These two are made where a sign-in recipe is used.
PROVIDERS = TableDefinition(
    name="tenant_thirdparty_providers",
    columns={
        **OF_TENANT,
        "third_party_id": _PROVIDER_ID,
        "name": _SHORT,
        "authorization_endpoint": OPTIONAL_TEXT,
        "authorization_endpoint_query_params": OPTIONAL_TEXT,
        "token_endpoint": OPTIONAL_TEXT,
        "token_endpoint_body_params": OPTIONAL_TEXT,
        "user_info_endpoint": OPTIONAL_TEXT,
        "user_info_endpoint_query_params": OPTIONAL_TEXT,
        "user_info_endpoint_headers": OPTIONAL_TEXT,
        "jwks_uri": OPTIONAL_TEXT,
        "oidc_discovery_endpoint": OPTIONAL_TEXT,
        "require_email": _OPTIONAL_FLAG,
        "user_info_map_from_id_token_payload_user_id": _SHORT,
        "user_info_map_from_id_token_payload_email": _SHORT,
        "user_info_map_from_id_token_payload_email_verified": _SHORT,
        "user_info_map_from_user_info_endpoint_user_id": _SHORT,
        "user_info_map_from_user_info_endpoint_email": _SHORT,
        "user_info_map_from_user_info_endpoint_email_verified": _SHORT,
    },
    key=(*OF_TENANT, "third_party_id"),
    parent=TENANT_CONFIGS,
)
PROVIDER_CLIENTS = TableDefinition(
    name="tenant_thirdparty_provider_clients",
    columns={
        **OF_TENANT,
        "third_party_id": _PROVIDER_ID,
        "client_type": ColumnKind(String(64), default=""),
        "client_id": ColumnKind(String(256)),
        "client_secret": OPTIONAL_TEXT,
        "scope": optional(TextList()),
        "force_pkce": _OPTIONAL_FLAG,
        "additional_config": OPTIONAL_TEXT,
    },
    key=(*OF_TENANT, "third_party_id", "client_type"),
    parent=PROVIDERS,
)


def find_tenant(tables: Tables) -> Select[str]:
    """Return the statement that finds the row of a tenant, whose id is the parameter `tenant`."""
    tenant = tables[TENANTS].c
    return select(tenant.tenant_id).where(
        tenant.app_id == DEFAULT_APP_ID, tenant.tenant_id == bindparam("tenant")
    )


class TenantRows:
    """The rows of a table of configuration: those of all tenants of the app, or of one."""

    def __init__(self, table: Table, order_by: Sequence[ColumnElement[Any]] = ()) -> None:
        own = (table.c.connection_uri_domain == "", table.c.app_id == DEFAULT_APP_ID)
        self._all: Select[Any] = select(table).where(*own).order_by(*order_by)
        self._one: Select[Any] = self._all.where(table.c.tenant_id == bindparam("tenant"))

    def read(self, connection: Connection, only: str | None) -> CursorResult[Any]:
        """Return the rows of a tenant; None: of all of them."""
        if only is None:
            return connection.execute(self._all)
        return connection.execute(self._one, {"tenant": only})
