"""Refresh tokens by the official rules alone (engine: Refresh tokens), independent of the code under test."""

from __future__ import annotations

import base64
import hashlib
import json

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

IV = bytes(range(12))


def token_key(master: str, iv: bytes = IV) -> bytes:
    """Return the key that one token is sealed under."""
    return hashlib.pbkdf2_hmac("sha512", master.encode(), iv, 100, 32)


def sealed(contents: object, *, nonce: str, master: str, iv: bytes = IV, suffix: str = "V2") -> str:
    """Return a token; `contents` is what its JSON says, or the bytes inside as they are."""
    plain = contents if isinstance(contents, bytes) else json.dumps(contents, separators=(",", ":")).encode()
    data = iv + AESGCM(token_key(master, iv)).encrypt(iv, plain, None)
    return f"{base64.b64encode(data).decode()}.{nonce}.{suffix}"


def session_token(
    master: str,
    *,
    handle: str,
    user_id: str,
    nonce: str,
    iv: bytes = IV,
    tenant_id: str = "public",
    parent_hash1: str | None = None,
    anti_csrf_token: str | None = None,
) -> str:
    """Return the token that a core makes for a session."""
    contents = {
        "sessionHandle": handle,
        "userId": user_id,
        "parentRefreshTokenHash1": parent_hash1,
        "nonce": nonce,
        "antiCsrfToken": anti_csrf_token,
        "tenantId": None if tenant_id == "public" else tenant_id,
    }
    said = {name: value for name, value in contents.items() if value is not None}
    return sealed(said, nonce=nonce, master=master, iv=iv)
