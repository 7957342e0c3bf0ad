"""Tokens of the shape that a session token has, the floor of their verification, and damaged ones."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256

PADDING, HASH = PKCS1v15(), SHA256()


def new_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def payload(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "http://localhost:8000/auth",
        "iat": now - 5,
        "exp": now + 3600,
        "sub": "user-1",
        "rsub": "user-1",
        "tId": "public",
        "sessionHandle": str(uuid.uuid4()),
        "refreshTokenHash1": secrets.token_hex(32),
        "parentRefreshTokenHash1": None,
        "antiCsrfToken": None,
        **changes,
    }


def mint(key: RSAPrivateKey, claims: dict[str, Any], *, kid: str, version: str | None = "5") -> str:
    header: dict[str, str] = (
        {"alg": "RS256", "typ": "JWT"} | ({"version": version} if version else {}) | {"kid": kid}
    )
    return _signed(key, header, claims)


def _signed(key: RSAPrivateKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
    signed = ".".join(parts)
    return f"{signed}.{base64url(key.sign(signed.encode(), PADDING, HASH))}"


def alike(token: str, key: RSAPrivateKey, count: int) -> list[str]:
    """Return the token of a peer and others that differ in `exp`, signed with its key.

    A peer that is given its key as text parses it for every token, which takes 40 ms.
    """
    header, claims = header_of(token), payload_of(token)
    others = ({**claims, "exp": claims["exp"] + number} for number in range(1, count))
    return [token, *(_signed(key, header, each) for each in others)]


def floor(token: str, key: RSAPublicKey) -> Any:
    """Do the least that a verification can do: RSA, base64 and JSON, and no check of anything else."""
    signed, _, signature = token.rpartition(".")
    key.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode(), PADDING, HASH)
    part = signed.partition(".")[2]
    return json.loads(base64.urlsafe_b64decode(part + "==="))


def public_key(jwk: dict[str, str]) -> RSAPublicKey:
    numbers = [int.from_bytes(base64.urlsafe_b64decode(jwk[name] + "==="), "big") for name in ("e", "n")]
    return RSAPublicNumbers(*numbers).public_key()


def header_of(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "==="))


def payload_of(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))


def damaged(token: str) -> str:
    """Forge: keep header and payload of a good token, replace its signature by noise."""
    return f"{token.rpartition('.')[0]}.{base64url(secrets.token_bytes(256))}"


def altered(token: str, **changes: Any) -> str:
    """Forge: keep header and signature, change the payload."""
    header, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "===")) | changes
    return f"{header}.{base64url(json.dumps(claims, separators=(',', ':')).encode())}.{signature}"


def repeated(work: Callable[[str], Any], tokens: Sequence[str]) -> Callable[[int], Callable[[], None]]:
    """Make a blocking case: `work` on one token after the other, going on where the last round ended."""
    endless = itertools.cycle(tokens)

    def prepare(n: int) -> Callable[[], None]:
        batch = list(itertools.islice(endless, n))

        def run() -> None:
            for token in batch:
                work(token)

        return run

    return prepare


def repeated_async(work: Callable[[str], Any], tokens: Sequence[str]) -> Callable[[int], Callable[[], Any]]:
    """Make an async case of the same kind."""
    endless = itertools.cycle(tokens)

    def prepare(n: int) -> Callable[[], Any]:
        batch = list(itertools.islice(endless, n))

        async def run() -> None:
            for token in batch:
                await work(token)

        return run

    return prepare
