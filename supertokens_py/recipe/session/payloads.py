"""Access token payloads without the claims that belong to the SDK. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from supertokens_py.constants import PROTECTED_CLAIMS


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
