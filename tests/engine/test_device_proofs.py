"""Proofs of devices: what is accepted as a key and as a signature, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from supertokens_py.engine.device_keys import CHALLENGE_LIFE_MS
from supertokens_py.engine.embedded.sessions.device_proofs import (
    MAX_PROOF,
    new_offer,
    offered_session,
    read_key,
    read_proof,
)
from supertokens_py.tokens.encoding import encode_base64
from tests.support.device_proofs import algorithm_of, jwk_of, new_key, proof, unsigned

KEY, OTHER = new_key(), new_key()
SECRET, NOW = b"secret", 1_700_000_000_000


def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


RSA_2048 = rsa_key(2048)


def accepts(text: str) -> bool:
    """Return whether a proof would register its own key."""
    read = read_proof(text)
    key = None if read is None else read_key(read.jwk, read.algorithm)
    return read is not None and key is not None and read.is_signed_by(key)


@pytest.mark.parametrize("key", [KEY, RSA_2048], ids=["ES256", "RS256"])
def test_a_proof_with_its_key(key: Any) -> None:
    read = read_proof(proof(key, "challenge", with_key=True))
    assert read is not None
    assert (read.algorithm, read.challenge, read.jwk) == (algorithm_of(key), "challenge", jwk_of(key))
    assert accepts(proof(key, "challenge", with_key=True))


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """The example of section 3.1."""
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
        "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9"
        "c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1"
        "jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    key = read_key({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}, "RS256")
    assert key is not None
    assert key.thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_members_that_say_nothing_do_not_make_another_key() -> None:
    usual, more = read_key(jwk_of(KEY), "ES256"), read_key({**jwk_of(KEY), "kid": "1", "d": "x"}, "ES256")
    assert usual is not None
    assert usual == more


def test_no_algorithm_but_that_of_the_key() -> None:
    """CP-30: neither "none" nor another one that the proof names, and none of an HMAC with the public key."""
    assert not accepts(unsigned("challenge", KEY))
    assert read_key(jwk_of(KEY), "RS256") is None
    assert read_key(jwk_of(RSA_2048), "ES256") is None
    hmac_header = {"typ": "dbsc+jwt", "jwk": jwk_of(KEY)}
    assert not accepts(jwt.encode({"jti": "challenge"}, b"s" * 32, algorithm="HS256", headers=hmac_header))
    key = read_key(jwk_of(RSA_2048), "RS256")
    signed = read_proof(proof(KEY, "challenge"))
    assert key is not None
    assert signed is not None
    assert not signed.is_signed_by(key)


@pytest.mark.parametrize(
    "key",
    [rsa_key(1024), ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256K1())],
    ids=["RSA 1024", "P-384", "secp256k1"],
)
def test_weak_and_foreign_keys(key: Any) -> None:
    assert read_key(jwk_of(key), algorithm_of(key)) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"x": jwk_of(KEY)["y"]},  # not on the curve
        {"x": "AA"},
        {"y": None},
        {"crv": "P-384"},
        {"kty": "RSA"},
        {"kty": ["EC"]},
    ],
)
def test_keys_that_are_none(changes: dict[str, Any]) -> None:
    assert read_key({**jwk_of(KEY), **changes}, "ES256") is None


@pytest.mark.parametrize(
    "changes",
    [{"e": "Aw"}, {"e": ""}, {"n": "AA"}, {"n": "*"}, {"e": encode_base64((2**33 + 1).to_bytes(5, "big"))}],
)
def test_rsa_keys_that_are_none(changes: dict[str, Any]) -> None:
    assert read_key({**jwk_of(RSA_2048), **changes}, "RS256") is None


def test_another_signature() -> None:
    text = proof(KEY, "challenge", jwk=jwk_of(OTHER))
    assert not accepts(text)
    signed, _, signature = text.rpartition(".")
    mine = proof(KEY, "challenge", with_key=True)
    assert accepts(mine)
    assert not accepts(f"{mine.rpartition('.')[0]}.{signature}")
    assert not accepts(f"{mine.rpartition('.')[0]}.{signature[:40]}")
    assert signed


def _forged(header: Any, payload: Any) -> str:
    parts = [encode_base64(json.dumps(part).encode()) for part in (header, payload)]
    return ".".join((*parts, "AA"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b",
        "a.b.c.d",
        "é.b.c",
        "a b.c.d",
        proof(KEY, "challenge", with_key=True, typ="JWT"),
        proof(KEY, "x" * MAX_PROOF, with_key=True),
        _forged([], {"jti": "challenge"}),
        _forged({"typ": "dbsc+jwt", "alg": "ES256"}, {}),
        _forged({"typ": "dbsc+jwt", "alg": "ES256"}, {"jti": 1}),
        _forged({"typ": "dbsc+jwt", "alg": ["ES256"]}, {"jti": "challenge"}),
        encode_base64(b"[" * 2000) + "." + encode_base64(b"{}") + ".AA",
    ],
)
def test_what_is_no_proof(text: str) -> None:
    assert read_proof(text) is None


def test_an_offer_says_which_session_until_when() -> None:
    challenge = new_offer(SECRET, "handle_tenant", now_ms=NOW)
    for late_ms in (0, CHALLENGE_LIFE_MS):
        assert offered_session([b"newer", SECRET], challenge, now_ms=NOW + late_ms) == "handle_tenant"
    assert offered_session([SECRET], challenge, now_ms=NOW + CHALLENGE_LIFE_MS + 1) is None
    assert offered_session([b"newer"], challenge, now_ms=NOW) is None
    assert new_offer(SECRET, "handle_tenant", now_ms=NOW) != challenge


def test_no_other_offer_is_accepted() -> None:
    """Not one for another session, nor a longer one, made of one that is genuine."""
    challenge = new_offer(SECRET, "mine", now_ms=NOW)
    for changed in (
        challenge[:-4],
        "AAAA" + challenge[4:],
        challenge + "AAAA",
        "",
        "*",
        encode_base64(b"x" * 56),
    ):
        assert offered_session([SECRET], changed, now_ms=NOW) is None
