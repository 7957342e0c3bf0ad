"""Tenants kept by a core: the v2 interface where the core has it (CDI 5.1), else the first one."""

from __future__ import annotations

from dataclasses import replace

from supertokens_py.cdi.records import member, tenant_from_wire
from supertokens_py.cdi.third_party import providers_from_wire
from supertokens_py.engine import validation
from supertokens_py.engine.arguments import require_strings
from supertokens_py.engine.providers import validate_provider
from supertokens_py.engine.records import Tenant, UnknownTenantError
from supertokens_py.types.base import JSONObject

from .core import Core, ok, tenant_path

_RID = "multitenancy"
_BASE = "/recipe/multitenancy/tenant"
_PROVIDERS = "/recipe/multitenancy/config/thirdparty"
_MEMBERS = {
    "core_config": "coreConfig",
    "first_factors": "firstFactors",
    "required_secondary_factors": "requiredSecondaryFactors",
}
_FLAGS = {
    "email_password_enabled": "emailPasswordEnabled",
    "passwordless_enabled": "passwordlessEnabled",
    "third_party_enabled": "thirdPartyEnabled",
}


class RemoteTenants:
    """`Tenants` over a core."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def put(self, tenant_id: str, changes: JSONObject) -> bool:
        checked = validation.validate_tenant_changes(changes)
        names = {**_MEMBERS, **_FLAGS}
        body: JSONObject = {names[name]: value for name, value in checked.items()}
        has_flags = any(name in checked for name in _FLAGS)
        body["tenantId"] = validation.validate_tenant_id(tenant_id)
        answer = self._core.put(_BASE if has_flags else self._path(), body, rid=_RID)
        return member(ok(answer), "createdNew", bool)

    def delete(self, tenant_id: str) -> bool:
        body = {"tenantId": validation.validate_deletable_tenant_id(tenant_id)}
        return member(ok(self._core.post(f"{_BASE}/remove", body, rid=_RID)), "didExist", bool)

    def find(self, tenant_id: str) -> Tenant | None:
        try:
            answer = self._core.get(tenant_path(tenant_id) + self._path(), {}, rid=_RID, tenant=tenant_id)
        except UnknownTenantError:
            return None
        if answer.get("status") == "TENANT_NOT_FOUND_ERROR":
            return None
        return _tenant(ok(answer))

    def all(self) -> list[Tenant]:
        v2 = self._core.version().has_tenants_v2
        answer = self._core.get(f"{_BASE}/list/v2" if v2 else f"{_BASE}/list", {}, rid=_RID)
        return [_tenant(item) for item in member(ok(answer), "tenants", list)]

    def put_provider(self, tenant_id: str, config: JSONObject, *, skip_validation: bool = False) -> bool:
        """Create or replace a provider of a tenant; return whether it was created. A core checks it, too."""
        provider = validate_provider(config, complete=not skip_validation)
        body: JSONObject = {"config": provider.to_json(), "skipValidation": skip_validation}
        path = f"{tenant_path(tenant_id)}{_PROVIDERS}"
        return member(ok(self._core.put(path, body, rid=_RID, tenant=tenant_id)), "createdNew", bool)

    def remove_provider(self, tenant_id: str, third_party_id: str) -> bool:
        """Remove a provider from a tenant; False if the tenant did not have it."""
        require_strings(third_party_id=third_party_id)
        path, body = f"{tenant_path(tenant_id)}{_PROVIDERS}/remove", {"thirdPartyId": third_party_id}
        answer = ok(self._core.post(path, body, rid=_RID, tenant=tenant_id))
        return member(answer, "didConfigExist", bool)

    def _path(self) -> str:
        return f"{_BASE}/v2" if self._core.version().has_tenants_v2 else _BASE


def _tenant(wire: object) -> Tenant:
    return replace(tenant_from_wire(wire), providers=providers_from_wire(wire))
