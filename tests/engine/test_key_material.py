"""Signing keys as text, their times, and their encryption at rest, without a database."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.keys.key_material import (
    NEVER_MADE_MS,
    SigningKey,
    due_ms,
    lifetime_ms,
    max_age_s,
    new_key_text,
    parse_key,
    signing_key,
)
from supertokens_py.exceptions import EngineUnavailableError

HOUR = 3_600_000
SETTINGS = EngineConfig(
    access_token_dynamic_signing_key_update_interval=2, access_token_validity=600
).resolve({})
TEXT = new_key_text()
PAIR = parse_key("d-1", 1, TEXT)
NOW = 1_700_000_000_000


def keys(*created_ms: int) -> Sequence[SigningKey]:
    return [SigningKey(f"d-{at}", at, PAIR.public_key, PAIR.private_der) for at in created_ms]


def test_a_key_text_is_the_official_one():
    """12.1: base64 of SubjectPublicKeyInfo, `|`, base64 of PKCS#8; RSA 2048, exponent 65537."""
    public, private = TEXT.split("|")
    loaded: Any = serialization.load_der_public_key(base64.b64decode(public, validate=True))
    secret: Any = serialization.load_der_private_key(base64.b64decode(private, validate=True), None)
    assert isinstance(loaded, rsa.RSAPublicKey)
    assert (loaded.key_size, loaded.public_numbers().e) == (2048, 65537)
    assert secret.public_key() == loaded == PAIR.public_key
    assert PAIR.private_key is PAIR.private_key


def test_an_older_separator_is_read():
    """12.1: old rows hold `;`."""
    assert parse_key("d-1", 1, TEXT.replace("|", ";")).public_key == PAIR.public_key


def _elliptic() -> str:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode() + "|AAAA"


@pytest.mark.parametrize("text", ["", "x", "AAAA|AAAA", "a|b|c", _elliptic()])
def test_a_damaged_key_is_named(text: str):
    """An operator learns which key, and no key material."""
    with pytest.raises(EngineUnavailableError, match="'d-7' in the database is damaged"):
        parse_key("d-7", 7, text)


def test_a_key_is_made_a_minute_before_its_time():
    """When the newest is older than the interval less 60 s, or there is none."""
    assert due_ms(keys(NOW, NOW - HOUR), SETTINGS) == NOW + 2 * HOUR - 60_000
    assert due_ms(keys(), SETTINGS) == NEVER_MADE_MS


@pytest.mark.parametrize(
    ("created", "signer"),
    [
        ([NOW], NOW),
        ([NOW, NOW - 2 * HOUR + 1], NOW - 2 * HOUR + 1),
        ([NOW - 30_000, NOW - 2 * HOUR + 1], NOW - 2 * HOUR + 1),
        ([NOW - 60_000, NOW - 2 * HOUR], NOW - 60_000),
        ([NOW - 59_999, NOW - 2 * HOUR], NOW - 59_999),
        ([NOW, NOW - 9 * HOUR], NOW),
        ([NOW, NOW - HOUR], NOW),
        ([NOW, NOW - 1, NOW - 2], NOW),
    ],
)
def test_which_key_signs(created: list[int], signer: int):
    """The last one until its interval is over; a new one at once if it came before its time."""
    assert signing_key(keys(*created), SETTINGS, now_ms=NOW).created_ms == signer


def test_a_key_verifies_beyond_its_last_token():
    """12.2: the interval and twice the life of a token."""
    assert lifetime_ms(SETTINGS) == 2 * HOUR + 2 * 600_000


@pytest.mark.parametrize(
    ("age_ms", "seconds"),
    [(0, 300), (6_839_000, 300), (6_841_000, 299), (7_139_000, 1), (7_140_000, 1), (9 * HOUR, 1)],
)
def test_how_long_the_published_keys_hold(age_ms: int, seconds: int):
    """CS-67: until the next key may appear, at least a second and at most five minutes."""
    assert max_age_s(NOW - age_ms, SETTINGS, now_ms=NOW) == seconds


def test_a_jwk_has_exactly_these_members():
    """CS-66: and the numbers without padding or leading zero bytes."""
    jwk = PAIR.jwk
    assert list(jwk) == ["kty", "kid", "n", "e", "alg", "use"]
    assert {name: jwk[name] for name in ("kty", "kid", "e", "alg", "use")} == {
        "kty": "RSA", "kid": "d-1", "e": "AQAB", "alg": "RS256", "use": "sig",
    }  # fmt: skip
    raw = base64.urlsafe_b64decode(jwk["n"] + "==")
    assert int.from_bytes(raw, "big") == PAIR.public_key.public_numbers().n
    assert raw[0] != 0
    assert "=" not in jwk["n"]


def test_no_key_material_is_in_a_repr():
    """STYLE 4.2."""
    assert repr(PAIR) == "SigningKey(kid='d-1', created_ms=1)"
