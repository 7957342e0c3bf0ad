"""What callers of either engine may hand in: lengths, forms, sizes. Pure; a refusal names the argument."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, cast

from supertokens_py.constants import DEFAULT_TENANT_ID, PROTECTED_CLAIMS, SESSION_ONLY_CLAIMS
from supertokens_py.engine.interface import Tenant
from supertokens_py.exceptions import BadInputError, ProtectedClaimError
from supertokens_py.tokens.access_token import LATEST_VERSION
from supertokens_py.tokens.encoding import to_json
from supertokens_py.types.base import JSONObject

MAX_USER_ID = 128
MAX_NAME = 255
MAX_HANDLE = 255
MAX_TENANT_ID = 64
MAX_FACTOR = 128
#: The fields of a tenant that turn login methods on and off.
TENANT_SWITCHES = ("email_password_enabled", "passwordless_enabled", "third_party_enabled")
MAX_DEPTH = 64
MAX_SESSION_JSON = 64 * 1024
MAX_METADATA_JSON = 1024 * 1024

_NO_JSON = "is no JSON value; convert it to text, a number, a list or a dict"
#: What is said of a stored payload that must not be signed.
PROTECTED_PAYLOAD = "The user payload contains protected field"

#: Access tokens below version 5 do not name the login method.
_PROTECTED_BEFORE_5 = tuple(name for name in PROTECTED_CLAIMS if name != "rsub")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TENANT_ID = re.compile(r"[a-z0-9-]+")
_RESERVED_TENANT_IDS = frozenset(("recipe", "config", "users", "hello"))
_FACTOR = re.compile(r"[0-9a-zA-Z_().-]+")
_TENANT_FIELDS = frozenset(field.name for field in fields(Tenant)) - {"tenant_id"}


def checked_user_id(user_id: object) -> str:
    """Return the id if every engine can store it and every token can carry it.

    Raises:
        BadInputError: it is no text, blank or with white space around it, too long, or holds a NUL character.
    """
    text = _findable_user_id(user_id)
    if text != text.strip():
        # Who reads a token reads it trimmed (protocol: Token form): it would be that of another user.
        raise BadInputError(f"user_id must not begin or end with white space: {text!r}")
    return text


def _findable_user_id(user_id: object) -> str:
    if not isinstance(user_id, str):
        raise BadInputError(f"user_id must be a string, not {type(user_id).__name__}")
    if not user_id.strip():
        raise BadInputError("user_id must not be empty")
    if len(user_id) > MAX_USER_ID:
        raise BadInputError(f"user_id must not be longer than {MAX_USER_ID} characters")
    _refuse_unstorable("user_id", user_id)
    return user_id


def may_exist(user_id: object) -> bool:
    """Tell whether anything can be stored of a user; asking about another id has an empty answer.

    Raises:
        BadInputError: it is no text.
    """
    try:
        _findable_user_id(user_id)
    except BadInputError:
        if isinstance(user_id, str):
            return False
        raise
    return True


def is_storable(text: str) -> bool:
    """Tell whether databases take a text: without NUL, and without half a surrogate pair."""
    return "\0" not in text and not _LONE_SURROGATE.search(text)


def may_be_handle(handle: object) -> bool:
    """Tell whether a text can be the handle of a session; there is none of any other.

    Raises:
        BadInputError: it is no text.
    """
    if not isinstance(handle, str):
        raise BadInputError(f"session_handle must be a string, not {type(handle).__name__}")
    return len(handle) <= MAX_HANDLE and is_storable(handle)


def checked_name(field: str, text: object) -> str:
    """Return a role or permission without surrounding white space.

    Raises:
        BadInputError: nothing is left, or too much, or it is no text.
    """
    if not isinstance(text, str):
        raise BadInputError(f"Field name '{field}' must be a string, not {type(text).__name__}")
    text = text.strip()
    if not text:
        if field == "permissions":
            raise BadInputError("Field name 'permissions' cannot contain an empty string")
        raise BadInputError(f"Field name '{field}' cannot be an empty String")
    if len(text) > MAX_NAME:
        raise BadInputError(f"Field name '{field}' must not be longer than {MAX_NAME} characters")
    _refuse_unstorable(field, text)
    return text


def checked_names(field: str, texts: Sequence[str]) -> list[str]:
    """Return every name once, trimmed, in the given order."""
    if isinstance(texts, str):
        raise BadInputError(f"Field name '{field}' must be a list of strings, not one string")
    return list(dict.fromkeys(checked_name(field, text) for text in texts))


def tenant_id_form(tenant_id: object) -> str:
    """Return the id as tenants are stored: trimmed, lower-case; whether it exists is another question.

    Raises:
        BadInputError: no tenant can have it.
    """
    if not isinstance(tenant_id, str):
        raise BadInputError(f"tenant_id must be a string, not {type(tenant_id).__name__}")
    _refuse_unstorable("tenant_id", tenant_id)
    return tenant_id.strip().lower() or DEFAULT_TENANT_ID


def checked_tenant_id(tenant_id: object) -> str:
    """Return the id that a new tenant would get.

    Raises:
        BadInputError: it is reserved or holds other characters than `a-z`, `0-9` and `-`.
    """
    text = tenant_id_form(tenant_id)
    if not _TENANT_ID.fullmatch(text) or len(text) > MAX_TENANT_ID:
        raise BadInputError(
            f"tenantId may hold letters, digits and '-' only, {MAX_TENANT_ID} at most, not {tenant_id!r}"
        )
    if text.startswith("appid-"):
        raise BadInputError("tenantId must not start with 'appid-'")
    if text in _RESERVED_TENANT_IDS:
        raise BadInputError(f"tenantId must not be {text!r}")
    return text


def deletable_tenant_id(tenant_id: object) -> str:
    """Return the id of a tenant that may go, as it is stored.

    Raises:
        BadInputError: it is the public tenant.
    """
    text = tenant_id_form(tenant_id)
    if text == DEFAULT_TENANT_ID:
        raise BadInputError("Cannot delete public tenant")
    return text


def checked_tenant_changes(changes: JSONObject) -> JSONObject:
    """Return new values of a tenant's fields; which settings `core_config` may hold is another question.

    Raises:
        BadInputError: there is no such field, or its value has the wrong form.
    """
    unknown = sorted(changes.keys() - _TENANT_FIELDS)
    if unknown:
        known = ", ".join(sorted(_TENANT_FIELDS))
        raise BadInputError(f"a tenant has no field {unknown[0]!r}; there are {known}")
    checked: JSONObject = {}
    for name, value in changes.items():
        if name == "core_config":
            json_text(name, value)
            checked[name] = value
        elif name in TENANT_SWITCHES:
            if not isinstance(value, bool):
                raise BadInputError(f"{name} must be a boolean, not {type(value).__name__}")
            checked[name] = value
        else:
            checked[name] = _checked_factors(name, value)
    return checked


def checked_life_ms(life_ms: object, *, limit_ms: int | None = None) -> int:
    """Return the life of one access token; `limit_ms` is the longest, where that is known.

    Raises:
        BadInputError: it is no whole number, or out of range.
    """
    if type(life_ms) is not int or life_ms <= 0 or (limit_ms is not None and life_ms > limit_ms):
        reach = "above 0" if limit_ms is None else f"from 1 to {limit_ms}"
        raise BadInputError(f"accessTokenValidity must be whole milliseconds {reach}, not {life_ms!r}")
    return life_ms


def checked_validity_s(validity_s: object) -> int:
    """Return the life of a JWT.

    Raises:
        BadInputError: it is no whole number, or none above 0.
    """
    if type(validity_s) is not int or validity_s <= 0:
        raise BadInputError(f"validity must be a whole number of seconds above 0, not {validity_s!r}")
    return validity_s


def json_text(field: str, value: object, *, limit: int = MAX_SESSION_JSON) -> str:
    """Return `value` as compact JSON text.

    Raises:
        BadInputError: no JSON object, keys that are no strings, nested too deeply, or too large.
    """
    text = json_form(field, value)
    size = len(text.encode())
    if size > limit:
        raise BadInputError(f"{field} takes {size} bytes as JSON; at most {limit} are allowed")
    return text


def json_form(field: str, value: object) -> str:
    """Return `value` as compact JSON text of any size.

    Raises:
        BadInputError: no JSON object, keys that are no strings, nested too deeply; or names the place inside
            `value` that holds no JSON.
    """
    if not isinstance(value, dict):
        raise _no_object(field, value)
    _check_nesting(field, cast("JSONObject", value))
    try:
        return to_json(value)
    except ValueError as error:
        place, reason = _misfit(field, cast("object", value)) or (field, str(error))
        raise BadInputError(f"{place} cannot be written as JSON: {reason}") from error


def require_object(field: str, value: object) -> None:
    """Refuse what is no JSON object, before anything is laid over it or put into it.

    Raises:
        BadInputError: says what came instead.
    """
    if not isinstance(value, Mapping):
        raise _no_object(field, value)


def payload_text(payload: object, *, token_version: int = LATEST_VERSION) -> str:
    """Return the JSON text of a payload that the application gives, for access tokens of a version.

    Raises:
        BadInputError: as `json_text`.
        ProtectedClaimError: it holds a protected claim.
    """
    text = json_text("access_token_payload", payload)
    refuse_protected(cast("JSONObject", payload), token_version=token_version)
    return text


def check_payload_update(update: object) -> None:
    """Refuse what cannot be merged into a payload.

    Raises:
        BadInputError: as `json_text`.
        ProtectedClaimError: it would write a protected claim.
    """
    json_text("access_token_payload_update", update)
    refuse_protected_update(cast("JSONObject", update))


def is_signable(payload: JSONObject, *, token_version: int = LATEST_VERSION) -> bool:
    """Return whether a payload that comes from a database holds no protected claim of a token version."""
    return payload.keys().isdisjoint(_protected(token_version))


def refuse_protected(payload: Mapping[str, Any] | None, *, token_version: int = LATEST_VERSION) -> None:
    """Refuse a payload with a claim that only the SDK may write; whether it is an object is another question.

    Raises:
        ProtectedClaimError: names them.
    """
    known: object = payload
    protected = _protected(token_version)
    names = [name for name in protected if name in known] if isinstance(known, Mapping) else []
    if names:
        raise ProtectedClaimError(names)


def _protected(token_version: int) -> Sequence[str]:
    return PROTECTED_CLAIMS if token_version >= 5 else _PROTECTED_BEFORE_5


def refuse_protected_update(update: Mapping[str, Any] | None) -> None:
    """Refuse an update that would write a protected claim; None removes one, which no payload holds.

    Raises:
        ProtectedClaimError: names them.
    """
    if isinstance(update, Mapping):
        refuse_protected({name: value for name, value in update.items() if value is not None})


def refuse_session_claims(payload: Mapping[str, Any] | None) -> None:
    """Refuse a JWT that a service could take for a session.

    Raises:
        ProtectedClaimError: names the claims that only session tokens have.
    """
    names = [name for name in SESSION_ONLY_CLAIMS if isinstance(payload, Mapping) and name in payload]
    if names:
        raise ProtectedClaimError(names)


def merged(stored: JSONObject, update: JSONObject) -> JSONObject:
    """Lay `update` over `stored` at the root; None removes a key."""
    result = {**stored, **update}
    for key, value in update.items():
        if value is None:
            del result[key]
    return result


def _checked_factors(name: str, value: object) -> list[str] | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise BadInputError(f"{name} must be a list of strings or null")
    factors: list[str] = []
    for factor in cast("Sequence[object]", value):
        if not isinstance(factor, str) or not _FACTOR.fullmatch(factor) or len(factor) > MAX_FACTOR:
            raise BadInputError(f"{name} contains an invalid factor id: {factor!r}")
        if factor in factors:
            raise BadInputError(f"{name} contains {factor!r} more than once")
        factors.append(factor)
    return None if name == "required_secondary_factors" and not factors else factors


def _no_object(field: str, value: object) -> BadInputError:
    return BadInputError(f"{field} must be a JSON object (a dict), not {type(value).__name__}")


def _misfit(place: str, value: object) -> tuple[str, str] | None:
    """Find the first value without a JSON form: where it is, and what is wrong with it."""
    inner: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        inner = ((to_json(name), item) for name, item in cast("JSONObject", value).items())
    elif isinstance(value, list | tuple):
        inner = enumerate(cast("Sequence[object]", value))
    elif isinstance(value, float) and not math.isfinite(value):
        return place, f"{value} {_NO_JSON}"
    elif not isinstance(value, str | int | float | None):
        return place, f"{type(value).__name__} {_NO_JSON}"
    return next((found for name, item in inner if (found := _misfit(f"{place}[{name}]", item))), None)


def _check_nesting(field: str, value: JSONObject) -> None:
    # Level by level, so that neither a deep nor a self-containing value exhausts the stack.
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, Mapping):
                mapping = cast("Mapping[object, Any]", item)
                for key in mapping:
                    if type(key) is not str:
                        raise BadInputError(f"{field} has a key that is not a string: {key!r}")
                inner += (child for child in mapping.values() if isinstance(child, dict | list | tuple))
            else:
                inner += (child for child in item if isinstance(child, dict | list | tuple))
        if not inner:
            return
        if len(inner) > MAX_METADATA_JSON:
            raise BadInputError(f"{field} is too large")
        level = inner
    raise BadInputError(f"{field} is nested more than {MAX_DEPTH} levels deep")


def _refuse_unstorable(field: str, text: str) -> None:
    if "\0" in text:
        raise BadInputError(f"{field} must not contain a NUL character")
    if not is_storable(text):
        raise BadInputError(f"{field} must be text that UTF-8 can hold")
