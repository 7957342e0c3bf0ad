"""Access token payloads without the claims that belong to the SDK. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from supertokens_py.constants import PROTECTED_CLAIMS

_T = TypeVar("_T")


def without_protected(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the custom claims of a payload."""
    return {name: value for name, value in payload.items() if name not in PROTECTED_CLAIMS}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return the update that, merged into `before`, makes `after` (protected claims aside)."""
    changed = {
        name: value for name, value in after.items() if before.get(name) != value or name not in before
    }
    removed: dict[str, Any] = dict.fromkeys(name for name in before if name not in after)
    return without_protected({**changed, **removed})


def json_copy(value: _T) -> _T:
    """Return a copy of a JSON value that shares no dict and no list with it."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value).items()
        return cast("_T", {name: json_copy(member) for name, member in members})
    if isinstance(value, list):
        return cast("_T", [json_copy(item) for item in cast("list[Any]", value)])
    return value
