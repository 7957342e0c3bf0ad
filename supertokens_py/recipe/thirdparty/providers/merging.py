"""Which provider and client a request means, of the application's and of what its tenant has stored. Pure."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from typing import TypeVar

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine.validation import normalise_tenant_id
from supertokens_py.recipe.thirdparty.exceptions import ClientTypeNotFoundError
from supertokens_py.recipe.thirdparty.provider import ProviderInput
from supertokens_py.types.providers import (
    ProviderClientConfig,
    ProviderConfig,
    ProviderConfigForClient,
)

T = TypeVar("T", ProviderConfig, ProviderClientConfig)


def offered(
    listed: Sequence[ProviderInput], stored: Sequence[ProviderConfig], tenant_id: str
) -> list[ProviderInput]:
    """Return the providers of a tenant.

    A tenant that has stored providers has those, each laid over the application's of the same id. One without
    has the application's; one that is not "public" those that are for every tenant.
    """
    if not stored:
        public = normalise_tenant_id(tenant_id) == DEFAULT_TENANT_ID
        return [one for one in listed if public or one.include_in_non_public_tenants_by_default]
    known = {one.config.third_party_id: one for one in listed}
    return [_laid_over(known.get(config.third_party_id), config) for config in stored]


def client_of(config: ProviderConfig, client_type: str | None) -> ProviderConfigForClient:
    """Return a provider as the client of that type sees it; None means the only client.

    The record is a new one, which callers may change.

    Raises:
        ClientTypeNotFoundError: there is no such client.
    """
    clients = config.clients or []
    if client_type is None:
        if len(clients) != 1:
            raise ClientTypeNotFoundError(
                "please provide exactly one client config or pass clientType or tenantId"
            )
        return _for_client(config, clients[0])
    for client in clients:
        if client.client_type == client_type:
            return _for_client(config, client)
    raise ClientTypeNotFoundError(f"Could not find client config for clientType: {client_type}")


def each_client(config: ProviderConfig) -> list[ProviderConfigForClient]:
    """Return a provider as each client sees it; without clients, as one that is not configured would."""
    return [_for_client(config, client) for client in config.clients or [ProviderClientConfig("")]]


def _for_client(config: ProviderConfig, client: ProviderClientConfig) -> ProviderConfigForClient:
    return ProviderConfigForClient(_copied(config), _copied(client))


def _copied(record: T) -> T:
    """Return a copy whose dictionaries and lists are its own; functions stay the same."""
    duplicate = copy.copy(record)
    for each in dataclasses.fields(record):
        value = getattr(record, each.name)
        if not callable(value) and each.name != "clients":
            setattr(duplicate, each.name, copy.deepcopy(value))
    return duplicate


def _laid_over(listed: ProviderInput | None, stored: ProviderConfig) -> ProviderInput:
    if listed is None:
        return ProviderInput(stored)
    merged = copy.copy(listed.config)
    for each in dataclasses.fields(ProviderConfig):
        value = getattr(stored, each.name)
        if value is not None and each.name != "clients":
            setattr(merged, each.name, value)
    own = [] if _leads_elsewhere(stored, listed.config) else listed.config.clients or []
    merged.clients = _merged_clients(own, stored.clients or [])
    return ProviderInput(merged, listed.include_in_non_public_tenants_by_default, listed.override)


def _leads_elsewhere(stored: ProviderConfig, listed: ProviderConfig) -> bool:
    """Return whether a tenant names servers of its own, which must not get the application's secrets."""
    names = ("oidc_discovery_endpoint", "authorization_endpoint", "token_endpoint", "user_info_endpoint")
    return any(getattr(stored, name) not in (None, getattr(listed, name)) for name in names)


def _merged_clients(
    listed: Sequence[ProviderClientConfig], stored: Sequence[ProviderClientConfig]
) -> list[ProviderClientConfig]:
    """Return the clients: those of a type that the tenant has stored are the tenant's."""
    own = {client.client_type for client in stored}
    return [*stored, *(client for client in listed if client.client_type not in own)]
