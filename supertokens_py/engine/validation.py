"""Validate the arguments of either engine: ids, names, lifetimes. Pure; an error names the argument.

`validate_...` returns the value as it is stored, or raises; `is_possible_...` returns whether anything can be
stored for an id. Payloads and other JSON are in `supertokens_py.payloads`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from typing import cast

from supertokens_py import payloads
from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine.arguments import require_list, require_strings_or_none
from supertokens_py.engine.records import Tenant, UnknownTenantError
from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import SecretBytes
from supertokens_py.types.base import JSONObject
from supertokens_py.types.emails import is_recipient_or_name
from supertokens_py.types.users import MAX_EMAIL, keeps_its_letters, normalised_email

MAX_USER_ID = 128
MAX_NAME = 255
MAX_HANDLE = 255
MAX_TENANT_ID = 64
MAX_FACTOR = 128
#: More bytes of a password are refused before anything is computed.
MAX_PASSWORD_BYTES = 1024
#: The fields of a tenant that turn login methods on and off.
TENANT_SWITCHES = ("email_password_enabled", "passwordless_enabled", "third_party_enabled")

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TENANT_ID = re.compile(r"[a-z0-9-]+")
#: Words with which paths of the core driver interface begin.
RESERVED_TENANT_IDS = frozenset(("recipe", "config", "users", "hello"))
_FACTOR = re.compile(r"[0-9a-zA-Z_().-]+")
_TENANT_FIELDS = frozenset(field.name for field in fields(Tenant)) - {"tenant_id", "providers"}


def validate_user_id(user_id: object) -> str:
    """Return the id if every engine can store it and every token can carry it.

    Raises:
        BadInputError: not a string, blank, too long, with white space around it, or with a NUL character.
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


def is_possible_user_id(user_id: object) -> bool:
    """Return whether anything can be stored for a user id; reading any other finds nothing.

    Raises:
        BadInputError: it is not a string.
    """
    try:
        _findable_user_id(user_id)
    except BadInputError:
        if isinstance(user_id, str):
            return False
        raise
    return True


def is_storable(text: str) -> bool:
    """Return whether databases accept a string: without NUL, and without half a surrogate pair."""
    return "\0" not in text and not _LONE_SURROGATE.search(text)


def stored_email(email: object) -> str:
    """Return an address as it is stored.

    Raises:
        BadInputError: it is empty, too long, no text that a database takes, another's in lower case, or what
            a mail header has for other recipients than it seems.
    """
    address = normalised_email(email) if isinstance(email, str) else ""
    if not address or len(address) > MAX_EMAIL or not is_storable(address):
        raise BadInputError(f"an e-mail address must be a string of 1 to {MAX_EMAIL} characters")
    if isinstance(email, str) and not keeps_its_letters(email):
        raise BadInputError("an e-mail address must not have letters that are others in lower case")
    if not is_recipient_or_name(address):
        raise BadInputError("an e-mail address must be one address, such as ada@example.com")
    return address


def stored_phone_number(phone_number: object) -> str:
    """Return a phone number as it is stored: as it is given, which callers have brought into E.164.

    Raises:
        BadInputError: it is empty, too long, or no text that a database takes.
    """
    number = phone_number.strip() if isinstance(phone_number, str) else ""
    if not number or len(number) > MAX_EMAIL or not is_storable(number):
        raise BadInputError(f"a phone number must be a string of 1 to {MAX_EMAIL} characters")
    return number


def is_possible_handle(handle: object) -> bool:
    """Return whether a string can be the handle of a session; no other string is one.

    Raises:
        BadInputError: it is not a string.
    """
    if not isinstance(handle, str):
        raise BadInputError(f"session_handle must be a string, not {type(handle).__name__}")
    return len(handle) <= MAX_HANDLE and is_storable(handle)


def validate_name(field: str, text: object) -> str:
    """Return a role or permission without surrounding white space.

    Raises:
        BadInputError: nothing is left, or too much, or it is not a string.
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


def validate_names(field: str, texts: Sequence[str]) -> list[str]:
    """Return every name once, trimmed, in the given order.

    Raises:
        BadInputError: as `validate_name`, or it is one string.
    """
    require_list(f"Field name '{field}'", texts)
    return list(dict.fromkeys(validate_name(field, text) for text in texts))


def possible_handles(handles: Sequence[str]) -> list[str]:
    """Return those of the strings that can be handles of sessions, each once.

    Raises:
        BadInputError: it is no list of strings.
    """
    require_list("session_handles", handles)
    return list(dict.fromkeys([handle for handle in handles if is_possible_handle(handle)]))


def normalise_tenant_id(tenant_id: object) -> str:
    """Return the id as tenants are stored: trimmed, in lower case. The tenant need not exist.

    Raises:
        BadInputError: no tenant can have it.
    """
    if not isinstance(tenant_id, str):
        raise BadInputError(f"tenant_id must be a string, not {type(tenant_id).__name__}")
    _refuse_unstorable("tenant_id", tenant_id)
    return tenant_id.strip().lower() or DEFAULT_TENANT_ID


def possible_tenant_id(tenant_id: object) -> str:
    """Return the id as tenants are stored, for rows that are to be written in the tenant.

    Raises:
        BadInputError: no tenant can have it.
        UnknownTenantError: no tenant has it: it is longer than the columns for it are.
    """
    text = normalise_tenant_id(tenant_id)
    if len(text) > MAX_TENANT_ID:
        raise UnknownTenantError(text)
    return text


def validate_tenant_id(tenant_id: object) -> str:
    """Return the id that a new tenant would get.

    Raises:
        BadInputError: it is reserved or holds other characters than `a-z`, `0-9` and `-`.
    """
    text = normalise_tenant_id(tenant_id)
    if not _TENANT_ID.fullmatch(text) or len(text) > MAX_TENANT_ID:
        raise BadInputError(
            f"tenantId may hold letters, digits and '-' only, {MAX_TENANT_ID} at most, not {tenant_id!r}"
        )
    if text.startswith("appid-"):
        raise BadInputError("tenantId must not start with 'appid-'")
    if text in RESERVED_TENANT_IDS:
        raise BadInputError(f"tenantId must not be {text!r}")
    return text


def validate_deletable_tenant_id(tenant_id: object) -> str:
    """Return the id of a tenant that may be deleted, as it is stored.

    Raises:
        BadInputError: it is the public tenant.
    """
    text = normalise_tenant_id(tenant_id)
    if text == DEFAULT_TENANT_ID:
        raise BadInputError("Cannot delete public tenant")
    return text


def validate_tenant_changes(changes: JSONObject) -> JSONObject:
    """Return new values of a tenant's fields. The settings in `core_config` are not looked at.

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
            payloads.validate_json(name, value)
            checked[name] = value
        elif name in TENANT_SWITCHES:
            if not isinstance(value, bool):
                raise BadInputError(f"{name} must be a boolean, not {type(value).__name__}")
            checked[name] = value
        else:
            checked[name] = _validate_factors(name, value)
    return checked


def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """Return a regular expression.

    Raises:
        ValueError: Python cannot read it, for whatever reason; the message says why.
    """
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from error


def validate_lifetime_ms(lifetime_ms: object, *, limit_ms: int | None = None) -> int:
    """Return the lifetime of one access token; `limit_ms` is the longest, where that is known.

    Raises:
        BadInputError: it is not a whole number, or out of range.
    """
    if type(lifetime_ms) is not int or lifetime_ms <= 0 or (limit_ms is not None and lifetime_ms > limit_ms):
        reach = "above 0" if limit_ms is None else f"from 1 to {limit_ms}"
        raise BadInputError(f"accessTokenValidity must be whole milliseconds {reach}, not {lifetime_ms!r}")
    return lifetime_ms


def validate_validity_s(validity_s: object) -> int:
    """Return the lifetime of a JWT.

    Raises:
        BadInputError: it is not a whole number above 0.
    """
    if type(validity_s) is not int or validity_s <= 0:
        raise BadInputError(f"validity must be a whole number of seconds above 0, not {validity_s!r}")
    return validity_s


def validate_external_info(info: str | None) -> str | None:
    """Return what an application noted at a mapping of ids.

    Raises:
        BadInputError: a database cannot store it.
    """
    require_strings_or_none(external_user_id_info=info)
    if info is not None and not is_storable(info):
        raise BadInputError("external_user_id_info must be a string that a database can store")
    return info


def password_bytes(password: str) -> SecretBytes | None:
    """Return a password as it is hashed: byte for byte, without any normalisation. None: it cannot be one."""
    try:
        secret = SecretBytes(password.encode())
    except UnicodeEncodeError:
        return None
    return secret if 0 < len(secret) <= MAX_PASSWORD_BYTES else None


def validate_password(password: str) -> SecretBytes:
    """Return a new password as it is hashed.

    Raises:
        BadInputError: it is empty, longer than 1,024 bytes, or no Unicode text.
    """
    secret = password_bytes(password)
    if secret is None:
        raise BadInputError(
            f"a password must be a string of 1 to {MAX_PASSWORD_BYTES} bytes, without unpaired surrogates"
        )
    return secret


def _validate_factors(name: str, value: object) -> list[str] | None:
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


def _refuse_unstorable(field: str, text: str) -> None:
    if "\0" in text:
        raise BadInputError(f"{field} must not contain a NUL character")
    if not is_storable(text):
        raise BadInputError(f"{field} must be text that UTF-8 can hold")
