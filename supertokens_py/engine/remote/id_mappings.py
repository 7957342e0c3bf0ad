"""User-id mappings kept by a core."""

from __future__ import annotations

from supertokens_py.cdi.records import member
from supertokens_py.engine import validation
from supertokens_py.engine.id_mapping import MappingExists, UserIdKind, UserIdMapping
from supertokens_py.engine.user_records import UnknownUser
from supertokens_py.types.base import JSONObject

from .core import Core, ok, unexpected

_PATH = "/recipe/userid/map"


class RemoteIdMappings:
    """`IdMappings` over a core."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def create(
        self, user_id: str, external_id: str, info: str | None, *, force: bool
    ) -> UnknownUser | MappingExists | None:
        external = validation.validate_user_id(external_id)
        validation.validate_external_info(info)
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()
        body: JSONObject = {"superTokensUserId": user_id, "externalUserId": external, "force": force}
        if info is not None:
            body["externalUserIdInfo"] = info
        answer = self._core.post(_PATH, body)
        match answer.get("status"):
            case "UNKNOWN_SUPERTOKENS_USER_ID_ERROR":
                return UnknownUser()
            case "USER_ID_MAPPING_ALREADY_EXISTS_ERROR":
                return MappingExists(
                    user_id=member(answer, "doesSuperTokensUserIdExist", bool),
                    external_id=member(answer, "doesExternalUserIdExist", bool),
                )
            case _:
                ok(answer)
                return None

    def find(self, user_id: str, kind: UserIdKind = "ANY") -> UserIdMapping | None:
        if not validation.is_possible_user_id(user_id):
            return None
        answer = self._core.get(_PATH, {"userId": user_id, "userIdType": kind})
        if not _is_known(answer):
            return None
        info = answer.get("externalUserIdInfo")
        return UserIdMapping(
            member(answer, "superTokensUserId", str),
            member(answer, "externalUserId", str),
            None if info is None else str(info),
        )

    def delete(self, user_id: str, kind: UserIdKind = "ANY", *, force: bool = False) -> bool:
        if not validation.is_possible_user_id(user_id):
            return False
        body: JSONObject = {"userId": user_id, "userIdType": kind, "force": force}
        return member(ok(self._core.post(f"{_PATH}/remove", body)), "didMappingExist", bool)

    def set_info(self, user_id: str, kind: UserIdKind, info: str | None) -> bool:
        validation.validate_external_info(info)
        if not validation.is_possible_user_id(user_id):
            return False
        body: JSONObject = {"userId": user_id, "userIdType": kind, "externalUserIdInfo": info}
        return _is_known(self._core.put("/recipe/userid/external-user-id-info", body))


def _is_known(answer: JSONObject) -> bool:
    match answer.get("status"):
        case "OK":
            return True
        case "UNKNOWN_MAPPING_ERROR":
            return False
        case _:
            raise unexpected(answer)
