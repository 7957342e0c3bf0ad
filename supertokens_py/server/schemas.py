"""What endpoints ask for and answer, as JSON schemas: the words of the route tables.

A shape is written `{"name": TEXT, "optional?": FLAG}`; a name that ends in `?` may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
Shape: TypeAlias = Mapping[str, Schema]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
INTEGER: Schema = {"type": "integer", "format": "int64"}
OBJECT: Schema = {"type": "object"}
TEXTS: Schema = {"type": "array", "items": TEXT}
TEXTS_OR_NULL: Schema = {"type": ["array", "null"], "items": TEXT}


def object_of(shape: Shape, *, closed: bool = False) -> Schema:
    """Return the schema of an object; a closed one has no other members."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name.removesuffix("?"): part for name, part in shape.items()},
    }
    if required := [name for name in shape if not name.endswith("?")]:
        schema["required"] = required
    return {**schema, "additionalProperties": False} if closed else schema


def list_of(item: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": item}


def one_of(*texts: str) -> Schema:
    """Return the schema of a text that is one of a few."""
    return {"type": "string", "enum": list(texts)}


def by_status(answers: Mapping[str, Shape]) -> Schema:
    """Return the schema of an answer that says by its `status` which of several it is."""
    cases = [
        object_of({"status": {"const": status}, **shape}, closed=True) for status, shape in answers.items()
    ]
    return cases[0] if len(cases) == 1 else {"oneOf": cases}


UNAUTHORISED: Mapping[str, Shape] = {"UNAUTHORISED": {"message": TEXT}}
UNKNOWN_ROLE: Mapping[str, Shape] = {"UNKNOWN_ROLE_ERROR": {}}

_TOKEN = object_of({"token": TEXT, "expiry": INTEGER, "createdTime": INTEGER}, closed=True)
#: Without `recipeUserId` below CDI 4.0.
_WHO: Shape = {"handle": TEXT, "userId": TEXT, "recipeUserId?": TEXT}
_SUBTYPE: Shape = {"recentTokenReuseSubtype?": one_of("RECENT_PREV", "ORPHANED_BRANCH", "STALE_LINEAGE")}
SESSION = object_of({**_WHO, "userDataInJWT": OBJECT, "tenantId": TEXT}, closed=True)

ISSUED: Mapping[str, Shape] = {
    "OK": {"session": SESSION, "accessToken": _TOKEN, "refreshToken": _TOKEN, "antiCsrfToken?": TEXT}
}
VERIFIED: Mapping[str, Shape] = {
    "OK": {"session": SESSION, "accessToken?": _TOKEN, "payloadUpdateAvailable?": FLAG},
    **UNAUTHORISED,
    "TRY_REFRESH_TOKEN": {"message": TEXT},
}
REFRESHED: Mapping[str, Shape] = {
    **ISSUED,
    "UNAUTHORISED": {"message": TEXT, **_SUBTYPE},
    "TOKEN_THEFT_DETECTED": {"session": object_of(_WHO, closed=True), **_SUBTYPE},
}
REGENERATED: Mapping[str, Shape] = {"OK": {"session": SESSION, "accessToken?": _TOKEN}, **UNAUTHORISED}
STORED: Mapping[str, Shape] = {
    "OK": {
        "sessionHandle": TEXT,
        "userId": TEXT,
        "recipeUserId?": TEXT,
        "userDataInDatabase": OBJECT,
        "userDataInJWT": OBJECT,
        "expiry": INTEGER,
        "timeCreated": INTEGER,
        "tenantId": TEXT,
    },
    **UNAUTHORISED,
}

UNKNOWN_USER: Mapping[str, Shape] = {"UNKNOWN_USER_ID_ERROR": {}}
_ACCOUNT_THERE = object_of({"id": TEXT, "userId": TEXT}, closed=True)
_ACCOUNT: Shape = {"email?": TEXT, "phoneNumber?": TEXT, "thirdParty?": _ACCOUNT_THERE}
_PASSKEYS = object_of({"credentialIds": TEXTS}, closed=True)
_LOGIN_METHOD = object_of(
    {
        "recipeId": TEXT,
        "recipeUserId": TEXT,
        "tenantIds": TEXTS,
        "timeJoined": INTEGER,
        "verified": FLAG,
        **_ACCOUNT,
    },
    closed=True,
)
_USER = object_of(
    {
        "id": TEXT,
        "isPrimaryUser": FLAG,
        "tenantIds": TEXTS,
        "timeJoined": INTEGER,
        "emails": TEXTS,
        "phoneNumbers": TEXTS,
        "thirdParty": list_of(_ACCOUNT_THERE),
        "webauthn?": _PASSKEYS,
        "loginMethods": list_of(_LOGIN_METHOD),
    },
    closed=True,
)
#: Below CDI 4.0 a user is one login method.
_ONE_METHOD = object_of({"id": TEXT, "timeJoined": INTEGER, "tenantIds": TEXTS, **_ACCOUNT}, closed=True)
USER: Schema = {"oneOf": [_USER, _ONE_METHOD]}
LISTED_USER: Schema = {"oneOf": [_USER, object_of({"recipeId": TEXT, "user": _ONE_METHOD}, closed=True)]}

JWKS = list_of(object_of(dict.fromkeys(("kty", "kid", "n", "e", "alg", "use"), TEXT), closed=True))

_FACTORS: Shape = {"firstFactors?": TEXTS, "requiredSecondaryFactors?": TEXTS}
_DOCUMENT = object_of(dict.fromkeys(("userId?", "email?", "emailVerified?"), TEXT))
_CLIENT: Shape = {
    "clientId": TEXT,
    "clientSecret?": TEXT,
    "clientType?": TEXT,
    "scope?": TEXTS,
    "forcePKCE?": FLAG,
    "additionalConfig?": OBJECT,
}
#: A provider of a tenant.
PROVIDER = object_of(
    {
        "thirdPartyId": TEXT,
        "name?": TEXT,
        "clients": list_of(object_of(_CLIENT)),
        **dict.fromkeys(("authorizationEndpoint?", "tokenEndpoint?", "userInfoEndpoint?", "jwksURI?"), TEXT),
        "oidcDiscoveryEndpoint?": TEXT,
        **dict.fromkeys(("authorizationEndpointQueryParams?", "tokenEndpointBodyParams?"), OBJECT),
        **dict.fromkeys(("userInfoEndpointQueryParams?", "userInfoEndpointHeaders?"), OBJECT),
        "userInfoMap?": object_of({"fromIdTokenPayload": _DOCUMENT, "fromUserInfoAPI": _DOCUMENT}),
        "requireEmail?": FLAG,
    }
)
_PROVIDERS: Shape = {"providers": list_of(PROVIDER)}
_SWITCH = object_of({"enabled": FLAG}, closed=True)
TENANT: Shape = {
    "tenantId": TEXT,
    "thirdParty": object_of(_PROVIDERS, closed=True),
    **_FACTORS,
    "coreConfig": OBJECT,
}
TENANT_V1: Shape = {
    **TENANT,
    "emailPassword": _SWITCH,
    "thirdParty": object_of({"enabled": FLAG, **_PROVIDERS}, closed=True),
    "passwordless": _SWITCH,
}
TENANT_CHANGES: Shape = {
    "tenantId?": TEXT,
    "firstFactors?": TEXTS_OR_NULL,
    "requiredSecondaryFactors?": TEXTS_OR_NULL,
    "coreConfig?": OBJECT,
}
