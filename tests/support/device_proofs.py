"""What a device sends to prove that it has a key, right and wrong ones."""

from __future__ import annotations

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from supertokens_py.tokens.encoding import encode_base64

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
REGISTER = "/auth/session/device/register"


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a key of a device."""
    return ec.generate_private_key(ec.SECP256R1())


def jwk_of(key: PrivateKey) -> dict[str, Any]:
    """Return the public key as browsers send it."""
    algorithm = ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else RSAAlgorithm
    found = json.loads(algorithm.to_jwk(key.public_key()))
    return {name: value for name, value in found.items() if name not in ("key_ops", "alg", "use")}


def algorithm_of(key: PrivateKey) -> str:
    """Return the algorithm that a key signs with."""
    return "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256"


def proof(key: PrivateKey, challenge: str, *, with_key: bool = False, **header: Any) -> str:
    """Return a proof over a challenge; `header` changes its header."""
    own = {"typ": "dbsc+jwt", **({"jwk": jwk_of(key)} if with_key else {}), **header}
    return jwt.encode({"jti": challenge}, key, algorithm=algorithm_of(key), headers=own)


def unsigned(challenge: str, key: PrivateKey) -> str:
    """Return a proof of the algorithm "none"."""
    header = {"typ": "dbsc+jwt", "alg": "none", "jwk": jwk_of(key)}
    parts = [encode_base64(json.dumps(part).encode()) for part in (header, {"jti": challenge})]
    return ".".join((*parts, "AA"))


def challenge_in(offer: str | None) -> str:
    """Return the challenge of an offer."""
    assert offer
    return offer.partition(';challenge="')[2].rstrip('"')
