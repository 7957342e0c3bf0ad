"""Sessions, tokens and tenants as JSON objects, to the wire and from it.

Each record is written by one function and read by one: the server and the remote engine cannot differ.
Versions below CDI 4.0 have no `recipeUserId`: there a user is one login method.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, overload

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine.records import (
    IssuedSession,
    IssuedToken,
    Regenerated,
    StoredSession,
    Tenant,
    TokenTheft,
)
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.types.base import JSONObject

from .versions import Version

T = TypeVar("T")

NO_SESSION = "Session does not exist."

#: The factors that each recipe's switch of a tenant stands for.
SWITCHED_FACTORS: Mapping[str, tuple[str, ...]] = {
    "emailPassword": ("emailpassword",),
    "thirdParty": ("thirdparty",),
    "passwordless": ("otp-email", "otp-phone", "link-email", "link-phone"),
}
_SWITCHES = {
    "emailPassword": "email_password_enabled",
    "thirdParty": "third_party_enabled",
    "passwordless": "passwordless_enabled",
}


def unauthorised(message: str = NO_SESSION) -> JSONObject:
    """Return the answer about a session that does not exist (any more)."""
    return {"status": "UNAUTHORISED", "message": message}


def message_of(answer: JSONObject) -> str:
    """Return why an answer is no OK."""
    return str(answer.get("message", NO_SESSION))


# What was read


@overload
def member(wire: object, name: str, kind: type[dict[str, Any]]) -> JSONObject: ...
@overload
def member(wire: object, name: str, kind: type[list[Any]]) -> list[Any]: ...
@overload
def member(wire: object, name: str, kind: type[T]) -> T: ...
def member(wire: object, name: str, kind: type[Any]) -> Any:
    """Return a member of what the other side sent, which must be an object that has it.

    Raises:
        EngineUnavailableError: it is something else. An error of Python would blame the application.
    """
    value = cast("Mapping[str, Any]", wire).get(name) if isinstance(wire, dict) else None
    if not isinstance(value, kind):
        raise EngineUnavailableError(
            f"the SuperTokens core gave an answer that cannot be understood: {name!r} is missing or wrong"
        )
    return value


@overload
def optional_member(wire: object, name: str, kind: type[dict[str, Any]]) -> JSONObject | None: ...
@overload
def optional_member(wire: object, name: str, kind: type[list[Any]]) -> list[Any] | None: ...
@overload
def optional_member(wire: object, name: str, kind: type[T]) -> T | None: ...
def optional_member(wire: object, name: str, kind: type[Any]) -> Any:
    """Return a member like `member`, or None where it is absent or null."""
    is_absent = isinstance(wire, dict) and cast("Mapping[str, Any]", wire).get(name) is None
    return None if is_absent else member(cast("object", wire), name, kind)


def texts(wire: object, name: str) -> list[str]:
    """Return a member like `member`, which must be a list of strings."""
    items: list[Any] = member(wire, name, list)
    return [member({name: one}, name, str) for one in items]


# Tokens


def token_to_wire(token: IssuedToken) -> JSONObject:
    """Return a token with its times in milliseconds."""
    return {"token": token.text, "expiry": token.expires_ms, "createdTime": token.created_ms}


def token_from_wire(wire: object) -> IssuedToken:
    """Read what `token_to_wire` writes."""
    return IssuedToken(
        member(wire, "token", str), member(wire, "createdTime", int), member(wire, "expiry", int)
    )


# Sessions


def issued_to_wire(issued: IssuedSession, version: Version) -> JSONObject:
    """Return the answer to create and refresh."""
    answer: JSONObject = {
        "status": "OK",
        "session": _session_to_wire(issued, version),
        "accessToken": token_to_wire(issued.access_token),
        "refreshToken": token_to_wire(issued.refresh_token),
    }
    if issued.anti_csrf_token is not None:
        answer["antiCsrfToken"] = issued.anti_csrf_token
    return answer


def issued_from_wire(answer: JSONObject) -> IssuedSession:
    """Read an answer to create or refresh that is OK."""
    return IssuedSession(
        **_session_from_wire(member(answer, "session", dict)),
        access_token=token_from_wire(member(answer, "accessToken", dict)),
        refresh_token=token_from_wire(member(answer, "refreshToken", dict)),
        anti_csrf_token=optional_member(answer, "antiCsrfToken", str),
    )


def regenerated_to_wire(outcome: Regenerated, version: Version) -> JSONObject:
    """Return the answer to regenerate; without an access token if the presented one had expired."""
    answer: JSONObject = {"status": "OK", "session": _session_to_wire(outcome, version)}
    if outcome.access_token is not None:
        answer["accessToken"] = token_to_wire(outcome.access_token)
    return answer


def regenerated_from_wire(answer: JSONObject) -> Regenerated:
    """Read an answer to regenerate that is OK."""
    reissued = answer.get("accessToken")
    token = None if reissued is None else token_from_wire(reissued)
    return Regenerated(**_session_from_wire(member(answer, "session", dict)), access_token=token)


def verified_to_wire(token: AccessToken, version: Version) -> JSONObject:
    """Return the answer to verify: the session as its token describes it."""
    session: JSONObject = {
        "handle": token.handle,
        **_user_to_wire(token.user_id, token.recipe_user_id, version),
        "userDataInJWT": token.custom_claims,
        "tenantId": token.tenant_id,
    }
    return {"status": "OK", "session": session}


def theft_to_wire(theft: TokenTheft, version: Version) -> JSONObject:
    """Return the answer to a refresh that found a refresh token used again."""
    session = {"handle": theft.handle, **_user_to_wire(theft.user_id, theft.recipe_user_id, version)}
    answer: JSONObject = {"status": "TOKEN_THEFT_DETECTED", "session": session}
    if theft.reuse is not None and version.rotates:
        answer["recentTokenReuseSubtype"] = theft.reuse
    return answer


def theft_from_wire(answer: JSONObject) -> TokenTheft:
    """Read what `theft_to_wire` writes."""
    session = member(answer, "session", dict)
    return TokenTheft(
        handle=member(session, "handle", str),
        **_user_from_wire(session),
        reuse=answer.get("recentTokenReuseSubtype"),
    )


def stored_to_wire(stored: StoredSession, version: Version) -> JSONObject:
    """Return the answer to a question about one session."""
    return {
        "status": "OK",
        "sessionHandle": stored.handle,
        **_user_to_wire(stored.user_id, stored.recipe_user_id, version),
        "userDataInDatabase": stored.data,
        "userDataInJWT": stored.payload,
        "expiry": stored.expires_ms,
        "timeCreated": stored.created_ms,
        "tenantId": stored.tenant_id,
    }


def stored_from_wire(answer: JSONObject) -> StoredSession:
    """Read what `stored_to_wire` writes."""
    return StoredSession(
        handle=member(answer, "sessionHandle", str),
        **_user_from_wire(answer),
        tenant_id=optional_member(answer, "tenantId", str) or DEFAULT_TENANT_ID,
        payload=member(answer, "userDataInJWT", dict),
        data=member(answer, "userDataInDatabase", dict),
        expires_ms=member(answer, "expiry", int),
        created_ms=member(answer, "timeCreated", int),
    )


def _session_to_wire(session: IssuedSession | Regenerated, version: Version) -> JSONObject:
    return {
        "handle": session.handle,
        **_user_to_wire(session.user_id, session.recipe_user_id, version),
        "userDataInJWT": session.payload,
        "tenantId": session.tenant_id or DEFAULT_TENANT_ID,
    }


def _session_from_wire(session: JSONObject) -> dict[str, Any]:
    return {
        "handle": member(session, "handle", str),
        **_user_from_wire(session),
        "tenant_id": optional_member(session, "tenantId", str) or DEFAULT_TENANT_ID,
        "payload": member(session, "userDataInJWT", dict),
    }


def _user_to_wire(user_id: str, recipe_user_id: str, version: Version) -> JSONObject:
    if version.knows_recipe_users:
        return {"userId": user_id, "recipeUserId": recipe_user_id}
    return {"userId": user_id}


def _user_from_wire(wire: JSONObject) -> dict[str, Any]:
    user_id = member(wire, "userId", str)
    recipe_user_id = optional_member(wire, "recipeUserId", str)
    return {"user_id": user_id, "recipe_user_id": user_id if recipe_user_id is None else recipe_user_id}


# Tenants


def tenant_to_wire(tenant: Tenant) -> JSONObject:
    """Return a tenant without switches (v2)."""
    return {
        "tenantId": tenant.tenant_id,
        "thirdParty": {"providers": list(tenant.providers)},
        **_factors_to_wire(tenant),
        "coreConfig": dict(tenant.core_config),
    }


def tenant_v1_to_wire(tenant: Tenant, version: Version) -> JSONObject:
    """Return a tenant with switches; one is on if the recipe is enabled and its factors are not left out."""
    factors = tenant.first_factors
    switches: JSONObject = {
        recipe: {
            "enabled": getattr(tenant, field)
            and (factors is None or not set(factors).isdisjoint(SWITCHED_FACTORS[recipe]))
        }
        for recipe, field in _SWITCHES.items()
    }
    switches["thirdParty"]["providers"] = list(tenant.providers)
    return {
        "tenantId": tenant.tenant_id,
        **switches,
        **(_factors_to_wire(tenant) if version.has_factors else {}),
        "coreConfig": dict(tenant.core_config),
    }


def tenant_from_wire(wire: object) -> Tenant:
    """Read either shape but for its providers; v2 leaves the switches to the factors."""
    switches = {field: _is_enabled(wire, recipe) for recipe, field in _SWITCHES.items()}
    return Tenant(
        tenant_id=member(wire, "tenantId", str),
        core_config=optional_member(wire, "coreConfig", dict) or {},
        first_factors=optional_member(wire, "firstFactors", list),
        required_secondary_factors=optional_member(wire, "requiredSecondaryFactors", list),
        providers=(),
        **switches,
    )


def _factors_to_wire(tenant: Tenant) -> JSONObject:
    wire: JSONObject = {}
    if tenant.first_factors is not None:
        wire["firstFactors"] = list(tenant.first_factors)
    if tenant.required_secondary_factors is not None:
        wire["requiredSecondaryFactors"] = list(tenant.required_secondary_factors)
    return wire


def _is_enabled(wire: object, recipe: str) -> bool:
    config: JSONObject = optional_member(wire, recipe, dict) or {}
    return bool(config.get("enabled", True))
