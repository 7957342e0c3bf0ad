"""What payloads and other JSON of the application may contain, and how one is merged into another. Pure.

An access token's payload has claims of the SDK, which are protected, and of the application, the custom ones.
`validate_...` raises an error that names the argument.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from .constants import PROTECTED_CLAIMS, SESSION_ONLY_CLAIMS
from .exceptions import BadInputError, ProtectedClaimError
from .tokens.access_token import LATEST_VERSION
from .tokens.encoding import to_json
from .types.base import JSONObject

_T = TypeVar("_T")

MAX_DEPTH = 64
MAX_SESSION_JSON = 64 * 1024
MAX_METADATA_JSON = 1024 * 1024

#: The answer to a stored payload that must not be signed.
PROTECTED_PAYLOAD = "The user payload contains protected field"

_NO_JSON = "is not a JSON value; convert it to a string, a number, a list or a dict"
_CONTAINERS = (dict, list, tuple)  # a union would take five times as long
#: On one level; each takes three bytes ("[]" and a comma).
_MOST_CONTAINERS = MAX_METADATA_JSON // 3
#: Access tokens below version 5 do not name the login method.
_PROTECTED_BEFORE_5 = tuple(name for name in PROTECTED_CLAIMS if name != "rsub")


def validate_json(field: str, value: object, *, limit: int | None = MAX_SESSION_JSON) -> str:
    """Return `value` as compact JSON of at most `limit` bytes (None: of any size).

    Raises:
        BadInputError: not a JSON object, keys that are not strings, nested too deeply, too large; or a value
            inside has no JSON form: the message names its place.
    """
    if not isinstance(value, dict):
        raise _not_an_object(field, value)
    _validate_nesting(field, cast("JSONObject", value))
    try:
        text = to_json(value)
    except ValueError as error:
        place, reason = _find_misfit(field, cast("object", value)) or (field, str(error))
        raise BadInputError(f"{place} cannot be written as JSON: {reason}") from error
    if limit is not None and (size := len(text.encode())) > limit:
        raise BadInputError(f"{field} takes {size} bytes as JSON; at most {limit} are allowed")
    return text


def validate_object(field: str, value: object) -> None:
    """Refuse anything but a JSON object, before it is merged.

    Raises:
        BadInputError: says what came instead.
    """
    if not isinstance(value, Mapping):
        raise _not_an_object(field, value)


def validate_payload(payload: object, *, token_version: int = LATEST_VERSION) -> str:
    """Return a payload that the application gives as JSON, for access tokens of a version.

    Raises:
        BadInputError: as `validate_json`.
        ProtectedClaimError: it contains a protected claim.
    """
    text = validate_json("access_token_payload", payload)
    validate_custom_claims(cast("JSONObject", payload), token_version=token_version)
    return text


def validate_payload_update(update: object) -> None:
    """Refuse what cannot be merged into a payload.

    Raises:
        BadInputError: as `validate_json`.
        ProtectedClaimError: it would write a protected claim.
    """
    validate_json("access_token_payload_update", update)
    written = {name: value for name, value in cast("JSONObject", update).items() if value is not None}
    validate_custom_claims(written)  # None removes a claim, and no payload has a protected one


def validate_custom_claims(payload: Mapping[str, Any] | None, *, token_version: int = LATEST_VERSION) -> None:
    """Refuse a payload with a claim that only the SDK may write; anything but an object passes.

    Raises:
        ProtectedClaimError: names them.
    """
    known: object = payload
    protected = _protected(token_version)
    names = [name for name in protected if name in known] if isinstance(known, Mapping) else []
    if names:
        raise ProtectedClaimError(names)


def validate_jwt_claims(payload: Mapping[str, Any] | None) -> None:
    """Refuse the payload of a JWT that a service could take for a session.

    Raises:
        ProtectedClaimError: names the claims that only session tokens have.
    """
    names = [name for name in SESSION_ONLY_CLAIMS if isinstance(payload, Mapping) and name in payload]
    if names:
        raise ProtectedClaimError(names)


def is_signable(payload: JSONObject, *, token_version: int = LATEST_VERSION) -> bool:
    """Return whether a stored payload has no protected claim of a token version."""
    return payload.keys().isdisjoint(_protected(token_version))


def merge(stored: JSONObject, update: JSONObject) -> JSONObject:
    """Return `stored` with the keys of `update` at the root replaced; None removes a key."""
    result = {**stored, **update}
    for key, value in update.items():
        if value is None:
            del result[key]
    return result


def custom_claims(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the custom claims of a payload."""
    return {name: value for name, value in payload.items() if name not in PROTECTED_CLAIMS}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the update that, merged into `before`, gives `after` (protected claims aside)."""
    changed = {
        name: value for name, value in after.items() if before.get(name) != value or name not in before
    }
    removed: dict[str, Any] = dict.fromkeys(name for name in before if name not in after)
    return custom_claims({**changed, **removed})


def json_copy(value: _T) -> _T:
    """Return a copy of a JSON value that shares no dict and no list with it."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return cast("_T", {name: json_copy(member) for name, member in members})
    if isinstance(value, list):
        return cast("_T", [json_copy(item) for item in cast("list[Any]", value)])
    return value


def _protected(token_version: int) -> Sequence[str]:
    return PROTECTED_CLAIMS if token_version >= 5 else _PROTECTED_BEFORE_5


def _not_an_object(field: str, value: object) -> BadInputError:
    return BadInputError(f"{field} must be a JSON object (a dict), not {type(value).__name__}")


def _find_misfit(place: str, value: object) -> tuple[str, str] | None:
    """Return the place of the first value without a JSON form, and what is wrong with it."""
    inner: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        inner = ((to_json(name), item) for name, item in cast("JSONObject", value).items())
    elif isinstance(value, list | tuple):
        inner = enumerate(cast("Sequence[object]", value))
    elif isinstance(value, float) and not math.isfinite(value):
        return place, f"{value} {_NO_JSON}"
    elif not isinstance(value, str | int | float | None):
        return place, f"{type(value).__name__} {_NO_JSON}"
    return next((found for name, item in inner if (found := _find_misfit(f"{place}[{name}]", item))), None)


def _validate_nesting(field: str, value: JSONObject) -> None:
    # Level by level, so that neither a deep nor a self-containing value exhausts the stack.
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                mapping = cast("dict[object, Any]", item)
                for key in mapping:
                    if type(key) is not str:
                        raise BadInputError(f"{field} has a key that is not a string: {key!r}")
                inner += [child for child in mapping.values() if isinstance(child, _CONTAINERS)]
            else:
                inner += [child for child in item if isinstance(child, _CONTAINERS)]
            if len(inner) > _MOST_CONTAINERS:
                raise BadInputError(f"{field} is too large")
        if not inner:
            return
        level = inner
    raise BadInputError(f"{field} is nested more than {MAX_DEPTH} levels deep")
