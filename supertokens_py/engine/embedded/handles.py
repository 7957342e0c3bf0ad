"""Session handles: a UUID, and the tenant behind it (engine: Session rows). Pure."""

from __future__ import annotations

from supertokens_py.constants import DEFAULT_TENANT_ID


def tenant_of(handle: str) -> str:
    """Return the tenant that a handle names; tenant ids hold no underscore."""
    parts = handle.split("_")
    return DEFAULT_TENANT_ID if len(parts) == 1 else parts[1]
