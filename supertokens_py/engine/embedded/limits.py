"""What callers may hand in: lengths, forms and sizes. Pure; every refusal names the argument."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from supertokens_py.access_token import to_json
from supertokens_py.constants import DEFAULT_TENANT_ID, PROTECTED_CLAIMS
from supertokens_py.exceptions import BadInputError, ProtectedClaimError
from supertokens_py.types.base import JSONObject

MAX_USER_ID = 128
MAX_NAME = 255
MAX_TENANT_ID = 64
MAX_DEPTH = 64
MAX_SESSION_JSON = 64 * 1024
MAX_METADATA_JSON = 1024 * 1024

_TENANT_ID = re.compile(r"[a-z0-9-]+")
_RESERVED_TENANT_IDS = frozenset(("recipe", "config", "users", "hello"))


def checked_user_id(user_id: object) -> str:
    """Return the id if every engine can store and find it again.

    Raises:
        BadInputError: it is no text, blank, too long, or holds a NUL character.
    """
    if not isinstance(user_id, str):
        raise BadInputError(f"user_id must be a string, not {type(user_id).__name__}")
    if not user_id.strip():
        raise BadInputError("user_id must not be empty")
    if len(user_id) > MAX_USER_ID:
        raise BadInputError(f"user_id must not be longer than {MAX_USER_ID} characters")
    _refuse_unstorable("user_id", user_id)
    return user_id


def may_exist(user_id: object) -> bool:
    """Tell whether a user id can be stored at all; asking about another one has an empty answer.

    Raises:
        BadInputError: it is no text.
    """
    try:
        checked_user_id(user_id)
    except BadInputError:
        if isinstance(user_id, str):
            return False
        raise
    return True


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
    """Return the id as tenants are stored: trimmed, lower-case; whether it exists is another question."""
    if not isinstance(tenant_id, str):
        raise BadInputError(f"tenant_id must be a string, not {type(tenant_id).__name__}")
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


def json_text(field: str, value: object, *, limit: int = MAX_SESSION_JSON) -> str:
    """Return `value` as compact JSON text.

    Raises:
        BadInputError: no JSON object, keys that are no strings, nested too deeply, or too large.
    """
    if not isinstance(value, dict):
        raise BadInputError(f"{field} must be a JSON object (a dict), not {type(value).__name__}")
    _check_nesting(field, cast("JSONObject", value))
    try:
        text = to_json(value)
    except ValueError as error:
        raise BadInputError(f"{field} cannot be written as JSON: {error}") from error
    size = len(text.encode())
    if size > limit:
        raise BadInputError(f"{field} takes {size} bytes as JSON; at most {limit} are allowed")
    return text


def refuse_protected(payload: Iterable[str]) -> None:
    """Raise ProtectedClaimError if a key of `payload` is a claim that only the SDK may write."""
    keys = frozenset(payload)
    names = [name for name in PROTECTED_CLAIMS if name in keys]
    if names:
        raise ProtectedClaimError(names)


def merged(stored: JSONObject, update: JSONObject) -> JSONObject:
    """Lay `update` over `stored` at the root; None removes a key."""
    result = {**stored, **update}
    for key, value in update.items():
        if value is None:
            del result[key]
    return result


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
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadInputError(f"{field} must be text that UTF-8 can hold") from error
