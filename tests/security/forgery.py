"""Tokens as attackers make them: signed with anything but our key, or with our key over something else."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

ATTACKER_RSA = rsa.generate_private_key(65537, 2048)
ATTACKER_EC = ec.generate_private_key(ec.SECP256R1())
ATTACKER_ED = ed25519.Ed25519PrivateKey.generate()

Sign = Callable[[bytes], bytes]


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Return header, payload and signature of a JWT."""
    header, payload, signature = token.split(".")
    return json.loads(decode(header)), json.loads(decode(payload)), decode(signature)


def compact(header: dict[str, Any] | bytes, payload: dict[str, Any] | bytes, sign: Sign) -> str:
    """Return a JWT of any header and payload, signed in any way."""
    head, body = (
        part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
        for part in (header, payload)
    )
    signed = f"{encode(head)}.{encode(body)}"
    return f"{signed}.{encode(sign(signed.encode()))}"


def rs256(key: rsa.RSAPrivateKey) -> Sign:
    return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def rsa_with(key: rsa.RSAPrivateKey, scheme: Any, digest: Any) -> Sign:
    return lambda data: key.sign(data, scheme, digest)


def es256(data: bytes) -> bytes:
    r, s = utils.decode_dss_signature(ATTACKER_EC.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


def hs(secret: bytes, digest: str = "sha256") -> Sign:
    return lambda data: hmac.digest(secret, data, digest)


def unsigned(_: bytes) -> bytes:
    return b""


def public_forms(key: rsa.RSAPublicKey) -> dict[str, bytes]:
    """Every text in which a public key is usually at hand, as candidates for an HMAC secret."""
    encoding, form = serialization.Encoding, serialization.PublicFormat
    pem = key.public_bytes(encoding.PEM, form.SubjectPublicKeyInfo)
    der = key.public_bytes(encoding.DER, form.SubjectPublicKeyInfo)
    modulus = key.public_numbers().n.to_bytes(256)
    member = encode(modulus)
    jwk = {"kty": "RSA", "n": member, "e": "AQAB"}
    return {
        "pem": pem,
        "pem without the last line break": pem.rstrip(),
        "pkcs1 pem": key.public_bytes(encoding.PEM, form.PKCS1),
        "der": der,
        "pkcs1 der": key.public_bytes(encoding.DER, form.PKCS1),
        "base64 of der": b64encode(der),
        "modulus": modulus,
        "n": member.encode(),
        "jwk": json.dumps(jwk).encode(),
        "compact jwk": json.dumps(jwk, separators=(",", ":")).encode(),
        "nothing": b"",
    }


def jwk_of(key: rsa.RSAPublicKey, kid: str) -> dict[str, str]:
    numbers = key.public_numbers()
    return {
        "kty": "RSA",
        "kid": kid,
        "alg": "RS256",
        "use": "sig",
        "n": encode(numbers.n.to_bytes(256)),
        "e": "AQAB",
    }
