"""Token families: what only those know who had a refresh token of a session (engine: Token families). Pure.

Every refresh token of a session carries the session's secret, as the first half of its nonce, and the handle
is made from the hash of that secret. So a token that was once given out can be told from one that somebody
sealed who has the database, master key included, and every access token, which all carry the handle only.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID, uuid4

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.tokens.encoding import constant_time_equal

#: Hex digits of the nonce that are the secret of the family.
SECRET_LENGTH = 32

_PURPOSE = b"supertokens_py token family 1:"
_MARK_PURPOSE = b"supertokens_py token family mark:"
_HASH_BYTES = 13


@dataclass(frozen=True, slots=True)
class Family:
    """The handle of a new session, and the nonce of its first refresh token (None: any)."""

    handle: str
    nonce: str | None = field(default=None, repr=False)


def new_family(tenant_id: str) -> Family:
    """Return a new family for a session of that tenant."""
    nonce = secrets.token_hex(SECRET_LENGTH)
    return Family(_handle(_uuid_of(nonce), tenant_id), nonce)


def new_handle(tenant_id: str) -> str:
    """Return a handle without a family, for a session whose tokens an official core makes as well."""
    return _handle(str(uuid4()), tenant_id)


def tenant_of(handle: str) -> str:
    """Return the tenant that a handle names (engine: Session rows); tenant ids hold no underscore."""
    parts = handle.split("_")
    return DEFAULT_TENANT_ID if len(parts) == 1 else parts[1]


def has_family(handle: str) -> bool:
    """Return whether a handle was made by `new_family`; wrong for one random handle in 16 million."""
    try:
        raw = UUID(handle.partition("_")[0]).bytes
    except ValueError:
        return False
    return raw[_HASH_BYTES:] == _mark(raw[:_HASH_BYTES])


def is_of_family(nonce: str, handle: str) -> bool:
    """Return whether the nonce of a refresh token begins with the secret of the handle's family."""
    return constant_time_equal(_uuid_of(nonce), handle.partition("_")[0])


def _handle(uuid: str, tenant_id: str) -> str:
    return uuid if tenant_id == DEFAULT_TENANT_ID else f"{uuid}_{tenant_id}"


def _uuid_of(nonce: str) -> str:
    """Return a UUID of version 4: 98 bits of the secret's hash, and a mark that tells it from random ones."""
    digest = sha256(_PURPOSE + nonce[:SECRET_LENGTH].encode()).digest()
    body = UUID(bytes=digest[:16], version=4).bytes[:_HASH_BYTES]
    return str(UUID(bytes=body + _mark(body)))


def _mark(body: bytes) -> bytes:
    return sha256(_MARK_PURPOSE + body).digest()[:3]
