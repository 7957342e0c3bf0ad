"""Roles, permissions and user metadata."""

from __future__ import annotations

import asyncio

from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import FLAG, OBJECT, TEXT, TEXTS, UNKNOWN_ROLE, Shape, by_status, list_of, object_of

_UNKNOWN_ROLE: JSONObject = {"status": "UNKNOWN_ROLE_ERROR"}
_BULK_LIMIT = 500
_BULK_AT_ONCE = 8


async def _put_role(request: EndpointRequest) -> JSONObject:
    role, permissions = request.name("role"), request.optional_names("permissions") or []
    return {"status": "OK", "createdNewRole": await request.ask(request.engine.roles.add, role, permissions)}


async def _remove_role(request: EndpointRequest) -> JSONObject:
    return {
        "status": "OK",
        "didRoleExist": await request.ask(request.engine.roles.delete, request.name("role")),
    }


async def _list_roles(request: EndpointRequest) -> JSONObject:
    return {"status": "OK", "roles": await request.ask(request.engine.roles.all)}


async def _role_permissions(request: EndpointRequest) -> JSONObject:
    permissions = await request.ask(request.engine.roles.permissions, request.param_name("role"))
    return _UNKNOWN_ROLE if permissions is None else {"status": "OK", "permissions": permissions}


async def _remove_permissions(request: EndpointRequest) -> JSONObject:
    role, permissions = request.name("role"), request.optional_names("permissions")
    removed = await request.ask(request.engine.roles.remove_permissions, role, permissions)
    return _UNKNOWN_ROLE if removed is None else {"status": "OK"}


async def _permission_roles(request: EndpointRequest) -> JSONObject:
    return {
        "status": "OK",
        "roles": await request.ask(request.engine.roles.with_permission, request.param_name("permission")),
    }


async def _add_user_role(request: EndpointRequest) -> JSONObject:
    user_id, role = request.user_id(), request.name("role")
    is_new = await request.ask(request.engine.roles.assign, user_id, role, tenant_id=request.tenant_id)
    return _UNKNOWN_ROLE if is_new is None else {"status": "OK", "didUserAlreadyHaveRole": not is_new}


async def _remove_user_role(request: EndpointRequest) -> JSONObject:
    user_id, role = request.user_id(), request.name("role")
    existed = await request.ask(request.engine.roles.unassign, user_id, role, tenant_id=request.tenant_id)
    return _UNKNOWN_ROLE if existed is None else {"status": "OK", "didUserHaveRole": existed}


async def _user_roles(request: EndpointRequest) -> JSONObject:
    roles = await request.ask(
        request.engine.roles.of_user, request.param("userId"), tenant_id=request.tenant_id
    )
    return {"status": "OK", "roles": roles}


async def _role_users(request: EndpointRequest) -> JSONObject:
    users = await request.ask(
        request.engine.roles.users, request.param_name("role"), tenant_id=request.tenant_id
    )
    return _UNKNOWN_ROLE if users is None else {"status": "OK", "users": users}


async def _get_metadata(request: EndpointRequest) -> JSONObject:
    return {
        "status": "OK",
        "metadata": await request.ask(request.engine.metadata.read, request.param("userId")),
    }


async def _put_metadata(request: EndpointRequest) -> JSONObject:
    user_id, update = request.user_id(), request.object("metadataUpdate")
    return {"status": "OK", "metadata": await request.ask(request.engine.metadata.merge, user_id, update)}


async def _remove_metadata(request: EndpointRequest) -> JSONObject:
    await request.ask(request.engine.metadata.clear, request.text("userId"))
    return {"status": "OK"}


async def _bulk_metadata(request: EndpointRequest) -> JSONObject:
    user_ids = request.texts("userIds")
    if len(user_ids) > _BULK_LIMIT:
        raise Refused(400, f"Field name 'userIds' cannot hold more than {_BULK_LIMIT} ids")
    slots = asyncio.Semaphore(_BULK_AT_ONCE)

    async def one(user_id: str) -> JSONObject:
        async with slots:
            return {
                "userId": user_id,
                "metadata": await request.ask(request.engine.metadata.read, user_id) or None,
            }

    return {"status": "OK", "users": await asyncio.gather(*map(one, user_ids))}


_LINK: Shape = {"userId": TEXT, "role": TEXT}
_METADATA = by_status({"OK": {"metadata": OBJECT}})
_METADATA_OF = object_of({"userId": TEXT, "metadata": {"type": ["object", "null"]}}, closed=True)

ENDPOINTS = (
    Endpoint(
        "PUT",
        "/recipe/role",
        Scope.APP,
        _put_role,
        body={"role": TEXT, "permissions?": TEXTS},
        answer=by_status({"OK": {"createdNewRole": FLAG}}),
    ),
    Endpoint(
        "POST",
        "/recipe/role/remove",
        Scope.APP,
        _remove_role,
        body={"role": TEXT},
        answer=by_status({"OK": {"didRoleExist": FLAG}}),
    ),
    Endpoint("GET", "/recipe/roles", Scope.APP, _list_roles, answer=by_status({"OK": {"roles": TEXTS}})),
    Endpoint(
        "GET",
        "/recipe/role/permissions",
        Scope.APP,
        _role_permissions,
        query={"role": TEXT},
        answer=by_status({"OK": {"permissions": TEXTS}, **UNKNOWN_ROLE}),
    ),
    Endpoint(
        "POST",
        "/recipe/role/permissions/remove",
        Scope.APP,
        _remove_permissions,
        body={"role": TEXT, "permissions?": TEXTS},
        answer=by_status({"OK": {}, **UNKNOWN_ROLE}),
    ),
    Endpoint(
        "GET",
        "/recipe/permission/roles",
        Scope.APP,
        _permission_roles,
        query={"permission": TEXT},
        answer=by_status({"OK": {"roles": TEXTS}}),
    ),
    Endpoint(
        "PUT",
        "/recipe/user/role",
        Scope.TENANT,
        _add_user_role,
        body=_LINK,
        answer=by_status({"OK": {"didUserAlreadyHaveRole": FLAG}, **UNKNOWN_ROLE}),
    ),
    Endpoint(
        "POST",
        "/recipe/user/role/remove",
        Scope.TENANT,
        _remove_user_role,
        body=_LINK,
        answer=by_status({"OK": {"didUserHaveRole": FLAG}, **UNKNOWN_ROLE}),
    ),
    Endpoint(
        "GET",
        "/recipe/user/roles",
        Scope.TENANT,
        _user_roles,
        query={"userId": TEXT},
        answer=by_status({"OK": {"roles": TEXTS}}),
    ),
    Endpoint(
        "GET",
        "/recipe/role/users",
        Scope.TENANT,
        _role_users,
        query={"role": TEXT},
        answer=by_status({"OK": {"users": TEXTS}, **UNKNOWN_ROLE}),
    ),
    Endpoint(
        "GET", "/recipe/user/metadata", Scope.APP, _get_metadata, query={"userId": TEXT}, answer=_METADATA
    ),
    Endpoint(
        "PUT",
        "/recipe/user/metadata",
        Scope.APP,
        _put_metadata,
        body={"userId": TEXT, "metadataUpdate": OBJECT},
        answer=_METADATA,
    ),
    Endpoint(
        "POST",
        "/recipe/user/metadata/remove",
        Scope.APP,
        _remove_metadata,
        body={"userId": TEXT},
        answer=by_status({"OK": {}}),
    ),
    Endpoint(
        "POST",
        "/recipe/user/metadata/bulk",
        Scope.APP,
        _bulk_metadata,
        body={"userIds": TEXTS},
        answer=by_status({"OK": {"users": list_of(_METADATA_OF)}}),
    ),
)
