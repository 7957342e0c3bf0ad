"""Roles kept by a core."""

from __future__ import annotations

from collections.abc import Sequence

from supertokens_py.cdi.records import member, texts
from supertokens_py.engine import validation
from supertokens_py.types.base import JSONObject

from .core import Core, ok, tenant_path

_RID = "userroles"


class RemoteRoles:
    """`Roles` over a core."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def add(self, role: str, permissions: Sequence[str]) -> bool:
        body: JSONObject = {
            "role": validation.validate_name("role", role),
            "permissions": validation.validate_names("permissions", permissions),
        }
        answer = self._core.put("/recipe/role", body, rid=_RID)
        return member(ok(answer), "createdNewRole", bool)

    def delete(self, role: str) -> bool:
        body = {"role": validation.validate_name("role", role)}
        answer = self._core.post("/recipe/role/remove", body, rid=_RID)
        return member(ok(answer), "didRoleExist", bool)

    def all(self) -> list[str]:
        answer = self._core.get("/recipe/roles", {}, rid=_RID)
        return texts(ok(answer), "roles")

    def permissions(self, role: str) -> list[str] | None:
        query = {"role": validation.validate_name("role", role)}
        answer = self._core.get("/recipe/role/permissions", query, rid=_RID)
        return texts(answer, "permissions") if _is_known(answer) else None

    def remove_permissions(self, role: str, permissions: Sequence[str] | None) -> bool | None:
        body: JSONObject = {"role": validation.validate_name("role", role)}
        if permissions is not None:
            body["permissions"] = validation.validate_names("permissions", permissions)
        answer = self._core.post("/recipe/role/permissions/remove", body, rid=_RID)
        return True if _is_known(answer) else None

    def with_permission(self, permission: str) -> list[str]:
        query = {"permission": validation.validate_name("permission", permission)}
        answer = self._core.get("/recipe/permission/roles", query, rid=_RID)
        return texts(ok(answer), "roles")

    def assign(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        path, body = f"{tenant_path(tenant_id)}/recipe/user/role", _link(user_id, role)
        answer = self._core.put(path, body, rid=_RID, tenant=tenant_id)
        return not member(answer, "didUserAlreadyHaveRole", bool) if _is_known(answer) else None

    def unassign(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        path, body = f"{tenant_path(tenant_id)}/recipe/user/role/remove", _link(user_id, role)
        answer = self._core.post(path, body, rid=_RID, tenant=tenant_id)
        return member(answer, "didUserHaveRole", bool) if _is_known(answer) else None

    def of_user(self, user_id: str, *, tenant_id: str) -> list[str]:
        path, query = f"{tenant_path(tenant_id)}/recipe/user/roles", {"userId": user_id}
        if not validation.is_possible_user_id(user_id):
            return []
        answer = self._core.get(path, query, rid=_RID, tenant=tenant_id)
        return texts(ok(answer), "roles")

    def users(self, role: str, *, tenant_id: str) -> list[str] | None:
        path = f"{tenant_path(tenant_id)}/recipe/role/users"
        query = {"role": validation.validate_name("role", role)}
        answer = self._core.get(path, query, rid=_RID, tenant=tenant_id)
        return texts(answer, "users") if _is_known(answer) else None


def _link(user_id: str, role: str) -> JSONObject:
    return {"userId": validation.validate_user_id(user_id), "role": validation.validate_name("role", role)}


def _is_known(answer: JSONObject) -> bool:
    if answer.get("status") == "UNKNOWN_ROLE_ERROR":
        return False
    ok(answer)
    return True
