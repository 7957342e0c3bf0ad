"""Statements on the providers of tenants (engine: Tenants).

The official layout keeps client secrets as they are, so that any core can use them: whoever reads the tables
has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.types.base import JSONObject
from supertokens_py.types.providers import ProviderClientConfig, ProviderConfig, UserFields, UserInfoMap

from .tenant_tables import PROVIDER_CLIENTS, PROVIDERS, TenantRows

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table
    from sqlalchemy.sql.elements import ColumnElement

    from .storage.tables import Tables

_TEXTS = ("name", "authorization_endpoint", "token_endpoint", "user_info_endpoint", "jwks_uri")
_PLAIN = (*_TEXTS, "oidc_discovery_endpoint", "require_email")
_AS_JSON = (
    "authorization_endpoint_query_params",
    "token_endpoint_body_params",
    "user_info_endpoint_query_params",
    "user_info_endpoint_headers",
)
#: Columns of the map of fields, by the two documents that it reads.
_FROM_ID_TOKEN, _FROM_API = "user_info_map_from_id_token_payload", "user_info_map_from_user_info_endpoint"
_FIELDS = ("user_id", "email", "email_verified")
_CLIENT = ("client_id", "client_secret", "scope", "force_pkce")


class ProviderRows:
    """Reads and writes providers."""

    def __init__(self, tables: Tables) -> None:
        self._providers, self._clients = tables[PROVIDERS], tables[PROVIDER_CLIENTS]
        self._all_providers, self._all_clients = (
            TenantRows(table, [*table.primary_key]) for table in (self._providers, self._clients)
        )
        self._delete_clients = delete(self._clients).where(*_of_provider(self._clients))
        self._delete = delete(self._providers).where(*_of_provider(self._providers))

    def read(self, connection: Connection, only: str | None = None) -> dict[str, list[JSONObject]]:
        """Return the providers of each tenant that has any, or of one, ordered by id, in their JSON form."""
        clients: dict[tuple[str, str], list[ProviderClientConfig]] = {}
        for row in self._all_clients.read(connection, only):
            clients.setdefault((row.tenant_id, row.third_party_id), []).append(_client(row))
        found: dict[str, list[JSONObject]] = {}
        for row in self._all_providers.read(connection, only):
            own = clients.get((row.tenant_id, row.third_party_id), [])
            found.setdefault(row.tenant_id, []).append(_provider(row, own).to_json())
        return found

    def put(self, connection: Connection, tenant_id: str, config: ProviderConfig) -> bool:
        """Replace a provider with its clients; return whether there was none before."""
        existed = self.remove(connection, tenant_id, config.third_party_id)
        key = {
            "connection_uri_domain": "",
            "app_id": DEFAULT_APP_ID,
            "tenant_id": tenant_id,
            "third_party_id": config.third_party_id,
        }
        connection.execute(insert(self._providers).values(**key, **_provider_values(config)))
        for client in config.clients or ():
            connection.execute(insert(self._clients).values(**key, **_client_values(client)))
        return not existed

    def remove(self, connection: Connection, tenant_id: str, third_party_id: str) -> bool:
        """Remove a provider with its clients; return whether it was there."""
        which = {"tenant": tenant_id, "provider": third_party_id}
        connection.execute(self._delete_clients, which)
        return connection.execute(self._delete, which).rowcount > 0


def _of_provider(table: Table) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.connection_uri_domain == "",
        table.c.app_id == DEFAULT_APP_ID,
        table.c.tenant_id == bindparam("tenant"),
        table.c.third_party_id == bindparam("provider"),
    )


def _provider(row: Any, clients: list[ProviderClientConfig]) -> ProviderConfig:
    plain = {name: getattr(row, name) for name in _PLAIN}
    parsed = {name: _parsed(getattr(row, name)) for name in _AS_JSON}
    maps = [_fields(row, document) for document in (_FROM_ID_TOKEN, _FROM_API)]
    return ProviderConfig(
        third_party_id=row.third_party_id,
        clients=clients,
        **plain,
        **parsed,
        user_info_map=None if maps == [UserFields(), UserFields()] else UserInfoMap(*maps),
    )


def _fields(row: Any, document: str) -> UserFields:
    return UserFields(*(getattr(row, f"{document}_{name}") for name in _FIELDS))


def _client(row: Any) -> ProviderClientConfig:
    return ProviderClientConfig(
        **{name: getattr(row, name) for name in _CLIENT},
        client_type=row.client_type or None,
        additional_config=_parsed(row.additional_config),
    )


def _provider_values(config: ProviderConfig) -> Mapping[str, Any]:
    maps = config.user_info_map or UserInfoMap()
    documents = {_FROM_ID_TOKEN: maps.from_id_token_payload, _FROM_API: maps.from_user_info_api}
    return {
        **{name: getattr(config, name) for name in _PLAIN},
        **{name: _written(getattr(config, name)) for name in _AS_JSON},
        **{
            f"{document}_{name}": getattr(fields, name)
            for document, fields in documents.items()
            for name in _FIELDS
        },
    }


def _client_values(client: ProviderClientConfig) -> Mapping[str, Any]:
    return {
        **{name: getattr(client, name) for name in _CLIENT},
        "client_type": client.client_type or "",
        "additional_config": _written(client.additional_config),
    }


def _parsed(text: str | None) -> Any:
    return json.loads(text) if text else None


def _written(value: Any) -> str | None:
    return None if value is None else json.dumps(value)
