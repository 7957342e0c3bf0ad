"""Tenants, in the shapes of the current (v2) and of the first interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from supertokens_py.cdi.records import SWITCHED_FACTORS, tenant_to_wire, tenant_v1_to_wire
from supertokens_py.cdi.tenant_members import (
    ASSOCIATE,
    DISSOCIATE,
    NOT_ALLOWED,
    TAKEN,
    association_to_wire,
    dissociation_to_wire,
)
from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine import validation
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import UnknownUser
from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import (
    FLAG,
    TENANT,
    TENANT_CHANGES,
    TENANT_V1,
    TEXT,
    UNKNOWN_USER,
    Shape,
    by_status,
    list_of,
    object_of,
)

_FLAGS = {
    "emailPasswordEnabled": "email_password_enabled",
    "thirdPartyEnabled": "third_party_enabled",
    "passwordlessEnabled": "passwordless_enabled",
}
_FACTORS = {"firstFactors": "first_factors", "requiredSecondaryFactors": "required_secondary_factors"}
_BASE = "/recipe/multitenancy/tenant"
_NOT_FOUND: JSONObject = {"status": "TENANT_NOT_FOUND_ERROR"}


async def _put_v2(request: EndpointRequest) -> JSONObject:
    tenant_id = await _target(request)
    if any(flag in request.body for flag in _FLAGS):
        raise Refused(400, "recipes are enabled by firstFactors, not by flags")
    changes = _changes(request, allow_empty=True)
    return {"status": "OK", "createdNew": await request.ask(request.engine.tenants.put, tenant_id, changes)}


async def _put_v1(request: EndpointRequest) -> JSONObject:
    tenant_id = await _target(request)
    changes = _changes(request, allow_empty=False) if request.version.has_factors else _core_config(request)
    tenant = await request.ask(request.engine.tenants.find, tenant_id)
    none: list[str] = []
    if tenant is None:
        factors = None if request.version.has_factors else none
        changes = {**dict.fromkeys(_FLAGS.values(), False), "first_factors": factors, **changes}
    switched = {flag: request.flag(flag) for flag in _FLAGS if flag in request.body}
    changes.update({_FLAGS[flag]: enabled for flag, enabled in switched.items()})
    if not request.version.has_factors:
        before = none if tenant is None else tenant.first_factors
        if before is not None:
            changes["first_factors"] = _switched(before, switched)
    return {"status": "OK", "createdNew": await request.ask(request.engine.tenants.put, tenant_id, changes)}


def _switched(factors: Sequence[str], switched: Mapping[str, bool]) -> list[str]:
    """Return the first factors after switches were set by a client that knows no factors (below CDI 5.0)."""
    result = list(factors)
    for flag, enabled in switched.items():
        own = SWITCHED_FACTORS[flag.removesuffix("Enabled")]
        if not enabled:
            result = [factor for factor in result if factor not in own]
        elif set(own).isdisjoint(result):
            result += own
    return result


async def _get_v2(request: EndpointRequest) -> JSONObject:
    tenant = await request.ask(request.engine.tenants.find, request.tenant_id)
    return _NOT_FOUND if tenant is None else {"status": "OK", **tenant_to_wire(tenant)}


async def _get_v1(request: EndpointRequest) -> JSONObject:
    tenant = await request.ask(request.engine.tenants.find, request.tenant_id)
    return _NOT_FOUND if tenant is None else {"status": "OK", **tenant_v1_to_wire(tenant, request.version)}


async def _list_v2(request: EndpointRequest) -> JSONObject:
    return {
        "status": "OK",
        "tenants": [tenant_to_wire(tenant) for tenant in await request.ask(request.engine.tenants.all)],
    }


async def _list_v1(request: EndpointRequest) -> JSONObject:
    listed = [
        tenant_v1_to_wire(tenant, request.version) for tenant in await request.ask(request.engine.tenants.all)
    ]
    return {"status": "OK", "tenants": listed}


async def _remove(request: EndpointRequest) -> JSONObject:
    tenant_id = _tenant_id(request.text("tenantId"))
    if tenant_id == DEFAULT_TENANT_ID:
        raise Refused(403, "Cannot delete public tenant")
    return {"status": "OK", "didExist": await request.ask(request.engine.tenants.delete, tenant_id)}


async def _associate(request: EndpointRequest) -> JSONObject:
    user_id, users = _member_id(request), request.engine.users
    if not request.engine.keeps_users:
        return association_to_wire(UnknownUser())
    return association_to_wire(await request.ask(users.associate, request.tenant_id, user_id))


async def _dissociate(request: EndpointRequest) -> JSONObject:
    user_id, users = _member_id(request), request.engine.users
    if not request.engine.keeps_users:
        return dissociation_to_wire(UnknownUser())
    return dissociation_to_wire(await request.ask(users.dissociate, request.tenant_id, user_id))


def _member_id(request: EndpointRequest) -> str:
    return request.name("recipeUserId" if request.version.knows_recipe_users else "userId")


async def _target(request: EndpointRequest) -> str:
    """Return the tenant to change: only itself may a tenant change, the public one every one."""
    tenant_id = _tenant_id(request.text("tenantId")) if "tenantId" in request.body else DEFAULT_TENANT_ID
    if request.tenant_id == DEFAULT_TENANT_ID:
        return tenant_id
    if await request.ask(request.engine.tenants.find, request.tenant_id) is None:
        raise UnknownTenantError(request.tenant_id)
    if request.tenant_id != tenant_id:
        raise Refused(403, "You must use the public tenantId, or the same tenantId, to change this tenant")
    return tenant_id


def _tenant_id(text: str) -> str:
    if not text.strip():  # the engine takes it for the public tenant
        raise Refused(400, "Field name 'tenantId' cannot be an empty String")
    return validation.validate_tenant_id(text)


def _changes(request: EndpointRequest, *, allow_empty: bool) -> JSONObject:
    changes: JSONObject = {}
    for member, name in _FACTORS.items():
        if member in request.body:
            changes[name] = _factors(request, member, allow_empty=allow_empty)
    return {**changes, **_core_config(request)}


def _core_config(request: EndpointRequest) -> JSONObject:
    return {"core_config": request.object("coreConfig")} if "coreConfig" in request.body else {}


def _factors(request: EndpointRequest, member: str, *, allow_empty: bool) -> list[str] | None:
    if request.body[member] is None:
        return None
    factors = request.texts(member)
    if not factors and member == "requiredSecondaryFactors" and allow_empty:
        return None
    if not factors and not allow_empty:
        raise Refused(400, f"{member} cannot be empty. Set null instead")
    if len(set(factors)) != len(factors):
        raise Refused(400, f"{member} input should not contain duplicate values")
    return factors


_UNKNOWN: Mapping[str, Shape] = {"TENANT_NOT_FOUND_ERROR": {}}

ENDPOINTS = (
    Endpoint(
        "PUT",
        f"{_BASE}/v2",
        Scope.SELF,
        _put_v2,
        body=TENANT_CHANGES,
        answer=by_status({"OK": {"createdNew": FLAG}}),
    ),
    Endpoint("GET", f"{_BASE}/v2", Scope.SELF, _get_v2, answer=by_status({"OK": TENANT, **_UNKNOWN})),
    Endpoint(
        "GET",
        f"{_BASE}/list/v2",
        Scope.PUBLIC,
        _list_v2,
        answer=by_status({"OK": {"tenants": list_of(object_of(TENANT, closed=True))}}),
    ),
    Endpoint(
        "PUT",
        _BASE,
        Scope.SELF,
        _put_v1,
        body={**TENANT_CHANGES, **{f"{flag}?": FLAG for flag in _FLAGS}},
        answer=by_status({"OK": {"createdNew": FLAG}}),
    ),
    Endpoint("GET", _BASE, Scope.SELF, _get_v1, answer=by_status({"OK": TENANT_V1, **_UNKNOWN})),
    Endpoint(
        "GET",
        f"{_BASE}/list",
        Scope.PUBLIC,
        _list_v1,
        answer=by_status({"OK": {"tenants": list_of(object_of(TENANT_V1, closed=True))}}),
    ),
    Endpoint(
        "POST",
        f"{_BASE}/remove",
        Scope.PUBLIC,
        _remove,
        body={"tenantId": TEXT},
        answer=by_status({"OK": {"didExist": FLAG}}),
    ),
    Endpoint(
        "POST",
        ASSOCIATE,
        Scope.TENANT,
        _associate,
        body={"recipeUserId": TEXT},
        answer=by_status(
            {
                "OK": {"wasAlreadyAssociated": FLAG},
                **UNKNOWN_USER,
                **{status: {} for status in TAKEN},
                NOT_ALLOWED: {"reason": TEXT},
            }
        ),
    ),
    Endpoint(
        "POST",
        DISSOCIATE,
        Scope.TENANT,
        _dissociate,
        body={"recipeUserId": TEXT},
        answer=by_status({"OK": {"wasAssociated": FLAG}, **UNKNOWN_USER}),
    ),
)

#: After these, what is remembered of tenants is no longer true.
CHANGES = frozenset((_put_v2, _put_v1, _remove))
