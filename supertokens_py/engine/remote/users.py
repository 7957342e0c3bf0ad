"""Users kept by a core."""

from __future__ import annotations

from collections.abc import Sequence

from supertokens_py.cdi.records import member
from supertokens_py.cdi.tenant_members import ASSOCIATE, DISSOCIATE, refusal_from_wire
from supertokens_py.cdi.users import page_from_wire, user_from_wire, users_from_wire
from supertokens_py.engine import user_queries, validation
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.tenant_members import Associated, Association
from supertokens_py.engine.user_records import UnknownUser, UserPage, UserQuery
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import AccountInfo, User

from .core import Core, ok, tenant_path


class RemoteUsers:
    """`Users` over a core, whose users may be of any recipe and linked."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def remove(self, user_id: str) -> None:
        if validation.is_possible_user_id(user_id):
            body: JSONObject = {"userId": user_id, "removeAllLinkedAccounts": True}
            ok(self._core.post("/user/remove", body))

    def primary_id(self, user_id: str) -> str:
        found = self.find(user_id)
        return user_id if found is None else found.id

    def count_active(self, since_ms: int) -> int | None:
        """Return None: a core counts by its own users' activity, which this SDK does not ask for."""
        return None

    def find(self, user_id: str) -> User | None:
        if not validation.is_possible_user_id(user_id):
            return None
        answer = self._core.get("/user/id", {"userId": user_id})
        if answer.get("status") == "UNKNOWN_USER_ID_ERROR":
            return None
        return user_from_wire(ok(answer).get("user"))

    def page(self, tenant_id: str, query: UserQuery) -> UserPage:
        user_queries.validate_user_query(query)
        asked = {
            "limit": str(query.limit),
            "timeJoinedOrder": "DESC" if query.newest_first else "ASC",
            **_recipes(query.recipe_ids),
        }
        if query.token is not None:
            asked["paginationToken"] = query.token
        if query.email is not None:
            asked["email"] = query.email
        if query.phone_number is not None:
            asked["phone"] = query.phone_number
        if query.provider is not None:
            asked["provider"] = query.provider
        try:
            answer = self._core.get(f"{tenant_path(tenant_id)}/users", asked, tenant=tenant_id)
        except UnknownTenantError:
            return UserPage([], None)
        return page_from_wire(ok(answer))

    def count(self, *, tenant_id: str | None, recipe_ids: Sequence[str] | None = None) -> int:
        asked = _recipes(user_queries.validate_recipes(recipe_ids or ()))
        if tenant_id is None:
            asked["includeAllTenants"] = "true"
        try:
            path = "/users/count" if tenant_id is None else f"{tenant_path(tenant_id)}/users/count"
            answer = self._core.get(path, asked, tenant=tenant_id or "")
        except UnknownTenantError:
            return 0
        return member(ok(answer), "count", int)

    def find_in(self, tenant_id: str | None, user_id: str) -> User | None:
        """Return a user, if they are in the tenant where one is given."""
        user = self.find(user_id)
        return user if user is not None and tenant_id in (None, *user.tenant_ids) else None

    def by_account_info(self, tenant_id: str, info: AccountInfo, *, any_of: bool = False) -> list[User]:
        user_queries.validate_account_info(info)
        asked = {"doUnionOfAccountInfo": "true" if any_of else "false"}
        if info.email is not None:
            asked["email"] = info.email
        if info.phone_number is not None:
            asked["phoneNumber"] = info.phone_number
        if info.third_party is not None:
            asked |= {"thirdPartyId": info.third_party.id, "thirdPartyUserId": info.third_party.user_id}
        if len(asked) == 1 or not all(validation.is_storable(value) for value in asked.values()):
            return []
        try:
            path = f"{tenant_path(tenant_id)}/users/by-accountinfo"
            answer = self._core.get(path, asked, tenant=tenant_id)
        except UnknownTenantError:
            return []
        return users_from_wire(ok(answer))

    def associate(self, tenant_id: str, user_id: str) -> Association:
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()
        answer = self._change_members(ASSOCIATE, tenant_id, user_id)
        if (refusal := refusal_from_wire(answer)) is not None:
            return refusal
        return Associated(member(ok(answer), "wasAlreadyAssociated", bool))

    def dissociate(self, tenant_id: str, user_id: str) -> bool | UnknownUser:
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()
        answer = self._change_members(DISSOCIATE, tenant_id, user_id)
        if isinstance(refusal_from_wire(answer), UnknownUser):
            return UnknownUser()
        return member(ok(answer), "wasAssociated", bool)

    def _change_members(self, path: str, tenant_id: str, user_id: str) -> JSONObject:
        name = "recipeUserId" if self._core.version().knows_recipe_users else "userId"
        path = tenant_path(tenant_id) + path
        return self._core.post(path, {name: user_id}, rid="multitenancy", tenant=tenant_id)


def _recipes(recipe_ids: Sequence[str] | None) -> dict[str, str]:
    return {"includeRecipeIds": ",".join(recipe_ids)} if recipe_ids else {}
