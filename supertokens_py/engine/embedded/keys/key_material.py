"""Signing keys as text, as objects and as JWKs; which of them signs, and when one is due. Pure.

The rules are those of (engine: Rotation of keys).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.records import MAX_PUBLISHED_AGE_S
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.secret import SecretText

#: A new dynamic key exists this long before it signs, so that verifiers can learn of it.
OVERLAP_MS = 60_000
NEVER_MADE_MS = -1  #: when a key that was never made was due: before any time


@dataclass(frozen=True, eq=False)
class SigningKey:
    """One RSA key pair; the private half is parsed when it first signs, and once."""

    kid: str
    created_ms: int
    public_key: rsa.RSAPublicKey = field(repr=False)
    private_der: bytes = field(repr=False)

    @cached_property
    def private_key(self) -> rsa.RSAPrivateKey:
        return cast("rsa.RSAPrivateKey", serialization.load_der_private_key(self.private_der, password=None))

    @cached_property
    def jwk(self) -> dict[str, str]:
        numbers = self.public_key.public_numbers()
        return {
            "kty": "RSA",
            "kid": self.kid,
            "n": _unsigned(numbers.n),
            "e": _unsigned(numbers.e),
            "alg": "RS256",
            "use": "sig",
        }


def dynamic_kid(created_ms: int) -> str:
    """Return the id of the dynamic key made at that time."""
    return f"d-{created_ms}"


def created_ms_of(kid: str) -> int:
    """Return when the dynamic key of that id was made."""
    return int(kid.removeprefix("d-"))


def new_key_text() -> SecretText:
    """Return a fresh RSA-2048 pair as the official core writes one: public `|` private, base64 of DER."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return SecretText(f"{b64encode(public).decode()}|{b64encode(private).decode()}")


def parse_key(kid: str, created_ms: int, text: str) -> SigningKey:
    """Return the key of a stored text.

    Raises:
        EngineUnavailableError: the stored key cannot be parsed.
    """
    try:
        public, private = map(SecretText, re.split(r"[|;]", text))
        key = serialization.load_der_public_key(b64decode(public))
        if not isinstance(key, rsa.RSAPublicKey):
            raise TypeError("not an RSA key")
        return SigningKey(kid, created_ms, key, b64decode(private))
    except (ValueError, TypeError) as error:
        raise EngineUnavailableError(f"the signing key {kid!r} in the database is damaged") from error


def lifetime_ms(settings: ResolvedEngineConfig, token_life_ms: int | None = None) -> int:
    """Return how long a dynamic key verifies: its time of signing and twice the life of a token.

    That life is the one of this process's tokens, unless another is given.
    """
    life_ms = settings.access_token_validity_ms if token_life_ms is None else token_life_ms
    return settings.key_update_interval_ms + 2 * life_ms


def due_ms(newest_first: Sequence[SigningKey], settings: ResolvedEngineConfig) -> int:
    """Return after which time a new dynamic key must be made."""
    if not newest_first:
        return NEVER_MADE_MS
    return newest_first[0].created_ms + settings.key_update_interval_ms - OVERLAP_MS


def signing_key(
    newest_first: Sequence[SigningKey], settings: ResolvedEngineConfig, *, now_ms: int
) -> SigningKey:
    """Return the dynamic key that signs now.

    A scheduled key waits until verifiers have had time to learn of it. A key that was made long
    before its time (an emergency rotation) signs at once: its predecessor is not to be trusted.
    """
    newest = newest_first[0]
    if len(newest_first) == 1 or newest.created_ms <= now_ms - OVERLAP_MS:
        return newest
    last = newest_first[1]
    scheduled_ms = last.created_ms + settings.key_update_interval_ms
    was_scheduled = newest.created_ms >= scheduled_ms - OVERLAP_MS
    return last if was_scheduled and now_ms < scheduled_ms else newest


def max_age_s(newest_ms: int, settings: ResolvedEngineConfig, *, now_ms: int) -> int:
    """Return for how many seconds the published keys may be cached.

    Until the next scheduled key appears, so that nobody misses one, and no longer than a dropped key
    may stay in caches.
    """
    next_key_s = (newest_ms + settings.key_update_interval_ms - OVERLAP_MS - now_ms) // 1000
    return max(1, min(next_key_s, MAX_PUBLISHED_AGE_S))


def _unsigned(number: int) -> str:
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(data).rstrip(b"=").decode()
