"""Ids by which an application knows users of sign-in recipes."""

from __future__ import annotations

from supertokens_py.engine.id_mapping import IdMappings, MappingExists, UserIdKind
from supertokens_py.engine.user_records import UnknownUser
from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import FLAG, TEXT, TEXT_OR_NULL, Shape, by_status, one_of
from .users import NO_USERS

_KINDS = ("ANY", "SUPERTOKENS", "EXTERNAL")
_UNKNOWN: JSONObject = {"status": "UNKNOWN_MAPPING_ERROR"}


async def _create(request: EndpointRequest) -> JSONObject:
    user_id, external_id = request.text("superTokensUserId"), request.text("externalUserId")
    info, force = request.optional_text("externalUserIdInfo"), request.flag("force", default=False)
    result = await request.ask(_store(request).create, user_id, external_id, info, force=force)
    match result:
        case UnknownUser():
            return {"status": "UNKNOWN_SUPERTOKENS_USER_ID_ERROR"}
        case MappingExists(of_user, of_external):
            return {
                "status": "USER_ID_MAPPING_ALREADY_EXISTS_ERROR",
                "doesSuperTokensUserIdExist": of_user,
                "doesExternalUserIdExist": of_external,
            }
        case None:
            return {"status": "OK"}


async def _find(request: EndpointRequest) -> JSONObject:
    user_id, kind = request.param("userId"), _kind(request.optional_param("userIdType"))
    if not request.engine.keeps_users:
        return _UNKNOWN
    found = await request.ask(request.engine.id_mappings.find, user_id, kind)
    if found is None:
        return _UNKNOWN
    ids = {"superTokensUserId": found.user_id, "externalUserId": found.external_user_id}
    noted = {} if found.info is None else {"externalUserIdInfo": found.info}
    return {"status": "OK", **ids, **noted}


async def _delete(request: EndpointRequest) -> JSONObject:
    user_id, kind = request.text("userId"), request.optional_text("userIdType")
    force = request.flag("force", default=False)
    existed = await request.ask(_store(request).delete, user_id, _kind(kind), force=force)
    return {"status": "OK", "didMappingExist": existed}


async def _set_info(request: EndpointRequest) -> JSONObject:
    user_id, kind = request.text("userId"), request.optional_text("userIdType")
    info = None if request.is_null("externalUserIdInfo") else request.text("externalUserIdInfo")
    existed = await request.ask(_store(request).set_info, user_id, _kind(kind), info)
    return {"status": "OK"} if existed else _UNKNOWN


def _kind(value: str | None) -> UserIdKind:
    match value or "ANY":
        case "ANY" | "SUPERTOKENS" | "EXTERNAL" as kind:
            return kind
        case _:
            raise Refused(400, "Field name 'userIdType' should be one of 'SUPERTOKENS', 'EXTERNAL' or 'ANY'")


def _store(request: EndpointRequest) -> IdMappings:
    if not request.engine.keeps_users:
        raise Refused(403, NO_USERS)
    return request.engine.id_mappings


_MAP = "/recipe/userid/map"
_KIND: Shape = {"userIdType?": one_of(*_KINDS)}
_IDS: Shape = {"superTokensUserId": TEXT, "externalUserId": TEXT, "externalUserIdInfo?": TEXT}
_NO_MAPPING: dict[str, Shape] = {"UNKNOWN_MAPPING_ERROR": {}}

ENDPOINTS = (
    Endpoint(
        "POST",
        _MAP,
        Scope.APP,
        _create,
        body={**_IDS, "force?": FLAG},
        answer=by_status(
            {
                "OK": {},
                "UNKNOWN_SUPERTOKENS_USER_ID_ERROR": {},
                "USER_ID_MAPPING_ALREADY_EXISTS_ERROR": {
                    "doesSuperTokensUserIdExist": FLAG,
                    "doesExternalUserIdExist": FLAG,
                },
            }
        ),
    ),
    Endpoint(
        "GET",
        _MAP,
        Scope.APP,
        _find,
        query={"userId": TEXT, **_KIND},
        answer=by_status({"OK": _IDS, **_NO_MAPPING}),
    ),
    Endpoint(
        "POST",
        f"{_MAP}/remove",
        Scope.APP,
        _delete,
        body={"userId": TEXT, **_KIND, "force?": FLAG},
        answer=by_status({"OK": {"didMappingExist": FLAG}}),
    ),
    Endpoint(
        "PUT",
        "/recipe/userid/external-user-id-info",
        Scope.APP,
        _set_info,
        body={"userId": TEXT, **_KIND, "externalUserIdInfo": TEXT_OR_NULL},
        answer=by_status({"OK": {}, **_NO_MAPPING}),
    ),
)
