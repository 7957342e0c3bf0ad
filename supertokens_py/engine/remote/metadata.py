"""User metadata kept by a core."""

from __future__ import annotations

from supertokens_py import payloads
from supertokens_py.cdi.records import member
from supertokens_py.engine import validation
from supertokens_py.types.base import JSONObject

from .core import Core, ok

_RID = "usermetadata"


class RemoteMetadata:
    """`Metadata` over a core, which merges and serialises the updates of one user itself."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def read(self, user_id: str) -> JSONObject:
        if not validation.is_possible_user_id(user_id):
            return {}
        return member(
            ok(self._core.get("/recipe/user/metadata", {"userId": user_id}, rid=_RID)), "metadata", dict
        )

    def merge(self, user_id: str, update: JSONObject) -> JSONObject:
        body: JSONObject = {"userId": validation.validate_user_id(user_id), "metadataUpdate": update}
        payloads.validate_json("metadata_update", update, limit=payloads.MAX_METADATA_JSON)
        return member(ok(self._core.put("/recipe/user/metadata", body, rid=_RID)), "metadata", dict)

    def clear(self, user_id: str) -> None:
        if validation.is_possible_user_id(user_id):
            ok(self._core.post("/recipe/user/metadata/remove", {"userId": user_id}, rid=_RID))
