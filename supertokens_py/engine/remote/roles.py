"""Roles and user metadata kept by a core."""

from __future__ import annotations

from collections.abc import Sequence

from supertokens_py import payloads
from supertokens_py.bridge import offload
from supertokens_py.cdi.records import member
from supertokens_py.engine import validation
from supertokens_py.types.base import JSONObject

from .core import Core, ok, tenant_path

_ROLES = "userroles"
_METADATA = "usermetadata"


class RemoteRoles:
    """`Roles` over a core."""

    _core: Core

    async def add_role(self, role: str, permissions: Sequence[str]) -> bool:
        body: JSONObject = {
            "role": validation.validate_name("role", role),
            "permissions": validation.validate_names("permissions", permissions),
        }
        answer = await offload(self._core.put, "/recipe/role", body, rid=_ROLES)
        return member(ok(answer), "createdNewRole", bool)

    async def delete_role(self, role: str) -> bool:
        body = {"role": validation.validate_name("role", role)}
        answer = await offload(self._core.post, "/recipe/role/remove", body, rid=_ROLES)
        return member(ok(answer), "didRoleExist", bool)

    async def roles(self) -> list[str]:
        answer = await offload(self._core.get, "/recipe/roles", {}, rid=_ROLES)
        return list(member(ok(answer), "roles", list))

    async def role_permissions(self, role: str) -> list[str] | None:
        query = {"role": validation.validate_name("role", role)}
        answer = await offload(self._core.get, "/recipe/role/permissions", query, rid=_ROLES)
        return list(member(answer, "permissions", list)) if _is_known(answer) else None

    async def remove_role_permissions(self, role: str, permissions: Sequence[str] | None) -> bool | None:
        body: JSONObject = {"role": validation.validate_name("role", role)}
        if permissions is not None:
            body["permissions"] = validation.validate_names("permissions", permissions)
        answer = await offload(self._core.post, "/recipe/role/permissions/remove", body, rid=_ROLES)
        return True if _is_known(answer) else None

    async def permission_roles(self, permission: str) -> list[str]:
        query = {"permission": validation.validate_name("permission", permission)}
        answer = await offload(self._core.get, "/recipe/permission/roles", query, rid=_ROLES)
        return list(member(ok(answer), "roles", list))

    async def add_user_role(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        path, body = f"{tenant_path(tenant_id)}/recipe/user/role", _link(user_id, role)
        answer = await offload(self._core.put, path, body, rid=_ROLES, tenant=tenant_id)
        return not member(answer, "didUserAlreadyHaveRole", bool) if _is_known(answer) else None

    async def remove_user_role(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        path, body = f"{tenant_path(tenant_id)}/recipe/user/role/remove", _link(user_id, role)
        answer = await offload(self._core.post, path, body, rid=_ROLES, tenant=tenant_id)
        return member(answer, "didUserHaveRole", bool) if _is_known(answer) else None

    async def user_roles(self, user_id: str, *, tenant_id: str) -> list[str]:
        path, query = f"{tenant_path(tenant_id)}/recipe/user/roles", {"userId": user_id}
        if not validation.is_possible_user_id(user_id):
            return []
        answer = await offload(self._core.get, path, query, rid=_ROLES, tenant=tenant_id)
        return list(member(ok(answer), "roles", list))

    async def role_users(self, role: str, *, tenant_id: str) -> list[str] | None:
        path = f"{tenant_path(tenant_id)}/recipe/role/users"
        query = {"role": validation.validate_name("role", role)}
        answer = await offload(self._core.get, path, query, rid=_ROLES, tenant=tenant_id)
        return list(member(answer, "users", list)) if _is_known(answer) else None


class RemoteMetadata:
    """`Metadata` over a core, which merges and serialises the updates of one user itself."""

    _core: Core

    async def metadata(self, user_id: str) -> JSONObject:
        if not validation.is_possible_user_id(user_id):
            return {}
        answer = await offload(self._core.get, "/recipe/user/metadata", {"userId": user_id}, rid=_METADATA)
        return member(ok(answer), "metadata", dict)

    async def merge_metadata(self, user_id: str, update: JSONObject) -> JSONObject:
        body: JSONObject = {"userId": validation.validate_user_id(user_id), "metadataUpdate": update}
        payloads.validate_json("metadata_update", update, limit=payloads.MAX_METADATA_JSON)
        answer = await offload(self._core.put, "/recipe/user/metadata", body, rid=_METADATA)
        return member(ok(answer), "metadata", dict)

    async def clear_metadata(self, user_id: str) -> None:
        if validation.is_possible_user_id(user_id):
            body = {"userId": user_id}
            ok(await offload(self._core.post, "/recipe/user/metadata/remove", body, rid=_METADATA))


def _link(user_id: str, role: str) -> JSONObject:
    return {"userId": validation.validate_user_id(user_id), "role": validation.validate_name("role", role)}


def _is_known(answer: JSONObject) -> bool:
    if answer.get("status") == "UNKNOWN_ROLE_ERROR":
        return False
    ok(answer)
    return True
