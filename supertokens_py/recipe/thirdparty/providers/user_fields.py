"""Who signed in, from the documents that the provider gave. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from supertokens_py.recipe.thirdparty.provider import UserInfoEmail
from supertokens_py.types.numbers import whole_number
from supertokens_py.types.providers import MAX_THIRD_PARTY_USER_ID, UserFields, UserInfoMap
from supertokens_py.types.users import MAX_EMAIL

from .failures import SignInFailedError

Document: TypeAlias = Mapping[str, Any]
Found: TypeAlias = tuple[str | None, str | None, bool]

DEFAULTS = UserFields("sub", "email", "email_verified")


def user_of(
    id_token: Document | None, user_info: Document | None, fields: UserInfoMap | None
) -> tuple[str, UserInfoEmail | None]:
    """Return who the documents are about; the ID token's values win, as it is signed.

    An address is as verified as the document says that it is taken from, or one that has the same address.

    Raises:
        SignInFailedError: they name nobody, or two different users.
    """
    fields = fields or UserInfoMap()
    if id_token is not None and user_info is not None:
        second = user_info.get("sub")
        if second is not None and second != id_token.get("sub"):
            raise SignInFailedError("the user-info endpoint speaks of another user than the ID token")
    signed = _found(id_token, fields.from_id_token_payload)
    asked = _found(user_info, fields.from_user_info_api)
    user_id = signed[0] or asked[0]
    if user_id is None:
        raise SignInFailedError("the provider does not say who the user is: see user_info_map")
    email = signed[1] or asked[1]
    if email is None:
        return user_id, None
    verified = any(ok for _, address, ok in (signed, asked) if address == email)
    return user_id, UserInfoEmail(email, verified)


def value_at(document: Document, path: str) -> object:
    """Return what a dotted path leads to; None where it leads nowhere."""
    value: object = document
    for name in path.split("."):
        if isinstance(value, list):
            items, index = cast("list[object]", value), whole_number(name)
            value = items[index] if index is not None and index < len(items) else None
        elif isinstance(value, dict):
            value = cast("dict[str, object]", value).get(name)
        else:
            return None
    return value


def is_true(value: object) -> bool:
    """Return whether a claim says yes: true, or the text "true"."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _found(document: Document | None, fields: UserFields) -> Found:
    if document is None:
        return None, None, False
    user_id = value_at(document, fields.user_id or DEFAULTS.user_id or "")
    email = value_at(document, fields.email or DEFAULTS.email or "")
    verified = value_at(document, fields.email_verified or DEFAULTS.email_verified or "")
    return _id_text(user_id), _email_text(email), is_true(verified)


def _id_text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        return None
    text = str(value)
    if len(text) > MAX_THIRD_PARTY_USER_ID:
        raise SignInFailedError(f"the user's id is longer than {MAX_THIRD_PARTY_USER_ID} characters")
    return text


def _email_text(value: object) -> str | None:
    return value if isinstance(value, str) and 0 < len(value.strip()) <= MAX_EMAIL else None
