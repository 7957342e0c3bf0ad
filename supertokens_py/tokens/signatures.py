"""RS256 signatures of JWTs: make them and check them.

They are verified with `cryptography` directly: PyJWT's `decode` takes 2.6 times as long as the RSA operation
(docs/performance.md); a property test compares both. `access_token` does not import this module, so that
`init` does not load OpenSSL, which is half of the package's memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from supertokens_py.tokens.encoding import decode_base64, encode_base64, to_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

_PADDING = PKCS1v15()
_HASH = SHA256()


@dataclass(frozen=True, slots=True)
class RsaVerificationKey:
    """A public key that access tokens may be signed with, until `usable_until_ms` (None: without end)."""

    kid: str
    public_key: RSAPublicKey
    usable_until_ms: int | None = None

    def matches(self, token: str) -> bool:
        """Return whether this key made the signature of the JWT `token`."""
        return signature_matches(token, self.public_key)


def signature_matches(token: str, key: RSAPublicKey) -> bool:
    """Return whether `key` made the RS256 signature of the JWT `token`; other algorithms never match."""
    signed, _, signature_text = token.rpartition(".")
    signature = decode_base64(signature_text)
    if signature is None or encode_base64(signature) != signature_text:
        return False  # base64 has several spellings of one signature; only the canonical one is ours
    try:
        key.verify(signature, signed.encode("ascii"), _PADDING, _HASH)
    except (InvalidSignature, UnicodeEncodeError):
        return False
    return True


def sign_jwt(payload: Mapping[str, Any], *, key: RSAPrivateKey, kid: str, version: int | None = None) -> str:
    """Return a compact RS256 JWT. `version` makes it a session token; without it, it is a plain JWT.

    Raises:
        ValueError: a value has no JSON form (NaN, a set, an object of yours).
    """
    return sign_json(to_json(payload), key=key, kid=kid, version=version)


def sign_json(payload: str, *, key: RSAPrivateKey, kid: str, version: int | None = None) -> str:
    """Do what `sign_jwt` does with a payload that is JSON already."""
    signed = f"{_header(kid, version)}.{encode_base64(payload.encode())}"
    signature = key.sign(signed.encode("ascii"), _PADDING, _HASH)
    return f"{signed}.{encode_base64(signature)}"


@lru_cache(maxsize=64)  # one for each key that signs
def _header(kid: str, version: int | None) -> str:
    header = {"alg": "RS256", "typ": "JWT", "kid": kid}
    if version is not None:
        header["version"] = str(version)
    return encode_base64(to_json(header).encode())
