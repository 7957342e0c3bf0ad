"""What devices send to prove that they have a key: read, bounded and checked. Pure.

The format is that of Device Bound Session Credentials (W3C Editor's Draft of 2026-02-17): a JWT of the type
"dbsc+jwt" whose `jti` is the challenge. Keys come in the header, at registration only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from supertokens_py.engine.device_keys import CHALLENGE_LIFE_MS
from supertokens_py.tokens.encoding import decode_base64, encode_base64, to_json

MAX_PROOF = 4096
_MIN_RSA_BITS, _MAX_RSA_BITS = 2048, 4096
_P256_BYTES = 32
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_MAC_BYTES, _NONCE_BYTES, _TIME_BYTES = 32, 16, 8

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A public key of a device, in its canonical form.

    Args:
        algorithm: the only one that it signs with: a proof cannot choose.
        jwk: its required members (RFC 7638, 3.2) as JSON, in the order of their names.
    """

    algorithm: str
    jwk: str
    public_key: PublicKey = field(repr=False, compare=False)

    @property
    def thumbprint(self) -> str:
        """The thumbprint (RFC 7638, SHA-256)."""
        return encode_base64(hashlib.sha256(self.jwk.encode()).digest())


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that is well-formed; nothing says yet who signed it."""

    algorithm: str
    challenge: str
    jwk: object = field(repr=False)  #: of the header; None where there is none
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def is_signed_by(self, key: DeviceKey) -> bool:
        """Return whether a key made the signature, by the algorithm of the key."""
        if self.algorithm != key.algorithm:
            return False
        try:
            if isinstance(key.public_key, rsa.RSAPublicKey):
                key.public_key.verify(self.signature, self.signed, PKCS1v15(), SHA256())
                return True
            if len(self.signature) != 2 * _P256_BYTES:
                return False
            key.public_key.verify(_der(self.signature), self.signed, ec.ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


def _der(signature: bytes) -> bytes:
    """Return a signature of RFC 7518, 3.4 in the form that OpenSSL takes."""
    r, s = signature[:_P256_BYTES], signature[_P256_BYTES:]
    return encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def read_proof(text: str) -> Proof | None:
    """Parse a proof; None if it is malformed."""
    if len(text) > MAX_PROOF or not _JWT.fullmatch(text):
        return None
    signed, _, signature_text = text.rpartition(".")
    header_text, _, payload_text = signed.partition(".")
    header, payload = _object(header_text), _object(payload_text)
    signature = decode_base64(signature_text)
    if header is None or payload is None or signature is None:
        return None
    algorithm, challenge = header.get("alg"), payload.get("jti")
    if header.get("typ") != "dbsc+jwt" or not isinstance(algorithm, str) or not isinstance(challenge, str):
        return None
    return Proof(algorithm, challenge, header.get("jwk"), signed.encode("ascii"), signature)


def _object(text: str) -> Mapping[str, Any] | None:
    data = decode_base64(text)
    try:
        value: Any = None if data is None else json.loads(data)
    except (ValueError, RecursionError):
        return None
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


def read_key(jwk: object, algorithm: str) -> DeviceKey | None:
    """Return the key of a proof for registration; None for one that is not accepted with its algorithm."""
    if not isinstance(jwk, Mapping):
        return None
    given = cast("Mapping[str, object]", jwk)
    try:
        match algorithm, given.get("kty"):
            case "ES256", "EC":
                return _ec_key(given)
            case "RS256", "RSA":
                return _rsa_key(given)
            case _:
                return None
    except ValueError:  # not a point of the curve, not a modulus
        return None


def _ec_key(jwk: Mapping[str, object]) -> DeviceKey | None:
    x, y = _bytes(jwk, "x"), _bytes(jwk, "y")
    if jwk.get("crv") != "P-256" or x is None or y is None or {len(x), len(y)} != {_P256_BYTES}:
        return None
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1()
    )
    members = {"crv": "P-256", "kty": "EC", "x": encode_base64(x), "y": encode_base64(y)}
    return DeviceKey("ES256", to_json(members), numbers.public_key())


def _rsa_key(jwk: Mapping[str, object]) -> DeviceKey | None:
    n, e = _bytes(jwk, "n"), _bytes(jwk, "e")
    if n is None or e is None:
        return None
    modulus, exponent = int.from_bytes(n, "big"), int.from_bytes(e, "big")
    if not _MIN_RSA_BITS <= modulus.bit_length() <= _MAX_RSA_BITS or exponent != 65537:
        return None  # no other exponent is in use, and a large one makes each check slow
    public_key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
    members = {"e": "AQAB", "kty": "RSA", "n": encode_base64(n.lstrip(b"\0"))}
    return DeviceKey("RS256", to_json(members), public_key)


def _bytes(jwk: Mapping[str, object], name: str) -> bytes | None:
    value = jwk.get(name)
    return decode_base64(value) if isinstance(value, str) else None


def new_offer(
    secret: bytes, handle: str, *, now_ms: int, random: Callable[[int], bytes] = secrets.token_bytes
) -> str:
    """Return the challenge of a session that may be bound: it says by itself which one, and until when."""
    data = random(_NONCE_BYTES) + now_ms.to_bytes(_TIME_BYTES, "big") + handle.encode()
    return encode_base64(data + hmac.digest(secret, data, "sha256"))


def offered_session(secrets_: Sequence[bytes], challenge: str, *, now_ms: int) -> str | None:
    """Return the handle of the session that a challenge was made for; None for no, or an old one."""
    raw = decode_base64(challenge)
    if raw is None or len(raw) <= _NONCE_BYTES + _TIME_BYTES + _MAC_BYTES:
        return None
    data, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not any(hmac.compare_digest(hmac.digest(secret, data, "sha256"), mac) for secret in secrets_):
        return None
    made_ms = int.from_bytes(data[_NONCE_BYTES : _NONCE_BYTES + _TIME_BYTES], "big")
    if abs(now_ms - made_ms) > CHALLENGE_LIFE_MS:
        return None
    return data[_NONCE_BYTES + _TIME_BYTES :].decode()
