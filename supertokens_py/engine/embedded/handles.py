"""Session handles: a random UUID, and the tenant behind it (engine: Session rows). Pure."""

from __future__ import annotations

from uuid import uuid4

from supertokens_py.constants import DEFAULT_TENANT_ID


def new_handle(tenant_id: str) -> str:
    """Return a fresh handle for a session of that tenant."""
    handle = str(uuid4())
    return handle if tenant_id == DEFAULT_TENANT_ID else f"{handle}_{tenant_id}"


def tenant_of(handle: str) -> str:
    """Return the tenant that a handle names; tenant ids hold no underscore."""
    parts = handle.split("_")
    return DEFAULT_TENANT_ID if len(parts) == 1 else parts[1]
