"""Proof keys (PKCE) that say what they were made for, so that nobody has to keep them. Pure.

A verifier is random, and carries when it was made and a MAC over provider, client, tenant and redirect URI.
The browser brings it back with the code: one that was made for anything else, or by somebody else, signs
nobody in.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from supertokens_py.secret import SecretText
from supertokens_py.tokens.encoding import encode_base64, to_json

from .failures import SignInFailedError

#: What the keys of verifiers are derived for.
PURPOSE = "third-party verifier 1"
LIFETIME_MS = 10 * 60_000
#: Clocks of two machines may differ.
LEEWAY_MS = 60_000

_TIME_BYTES, _RANDOM_BYTES, _MAC_BYTES = 6, 24, 32
_LENGTH = _TIME_BYTES + _RANDOM_BYTES + _MAC_BYTES


@dataclass(frozen=True, slots=True)
class Binding:
    """What a verifier is made for."""

    third_party_id: str
    client_id: str
    tenant_id: str
    redirect_uri: str

    def mac(self, key: bytes, beginning: bytes) -> bytes:
        """Return the MAC that follows the time and the random part."""
        bound = [self.third_party_id, self.client_id, self.tenant_id, self.redirect_uri, beginning.hex()]
        return hmac.digest(key, to_json(bound).encode(), "sha256")


def new_verifier(
    key: bytes, binding: Binding, *, now_ms: int, random: Callable[[int], bytes] = secrets.token_bytes
) -> SecretText:
    """Return a verifier of 83 characters."""
    beginning = now_ms.to_bytes(_TIME_BYTES, "big") + random(_RANDOM_BYTES)
    return SecretText(encode_base64(beginning + binding.mac(key, beginning)))


def check_verifier(keys: Sequence[bytes], binding: Binding, verifier: str, *, now_ms: int) -> None:
    """Refuse a verifier that was not made with one of these keys for this, in the last ten minutes.

    Raises:
        SignInFailedError: says why.
    """
    raw = _bytes(verifier)
    beginning, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if len(raw) != _LENGTH or not any(hmac.compare_digest(binding.mac(key, beginning), mac) for key in keys):
        raise SignInFailedError("the PKCE verifier was made for another provider, client, tenant or address")
    age_ms = now_ms - int.from_bytes(beginning[:_TIME_BYTES], "big")
    if not -LEEWAY_MS <= age_ms <= LIFETIME_MS:
        raise SignInFailedError("the PKCE verifier is older than ten minutes")


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge (RFC 7636, 4.2)."""
    return encode_base64(sha256(verifier.encode()).digest())


def nonce_of(verifier: str) -> str:
    """Return the nonce that the ID token has to contain, for that code and no other."""
    return encode_base64(sha256(b"nonce" + verifier.encode()).digest())


def _bytes(text: str) -> bytes:
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))  # no frame of ours holds a copy that shows
    except ValueError:
        return b""
    return raw if encode_base64(raw) == text else b""  # only one spelling of a verifier is that verifier
