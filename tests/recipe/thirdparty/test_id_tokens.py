"""Which ID tokens sign somebody in: signatures, keys and claims."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from supertokens_py.recipe.thirdparty.providers.failures import SignInFailedError
from supertokens_py.recipe.thirdparty.providers.id_tokens import (
    Expected,
    UnknownKeyError,
    algorithms_of,
    verify,
)
from tests.support.fake_provider import jwk_of, private_key

NOW_S = 1_800_000_000
ISSUER, CLIENT = "https://idp.example", "client"
KEYS = [jwk_of("RSA", "k1")]
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "ada",
    "iat": NOW_S,
    "exp": NOW_S + 300,
    "nonce": "n",
}


def expected(**changes: Any) -> Expected:
    values: dict[str, Any] = {"client_id": CLIENT, "issuers": (ISSUER,), "nonce": "n", "now_s": NOW_S}
    return Expected(**{**values, **changes})


def signed(kind: str = "RSA", algorithm: str = "RS256", kid: str | None = "k1", **claims: Any) -> str:
    present = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    headers = {} if kid is None else {"kid": kid}
    return jwt.encode(present, private_key(kind), algorithm=algorithm, headers=headers)


def _part(value: Any) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unsigned(algorithm: str) -> str:
    return f"{_part({'alg': algorithm, 'kid': 'k1'})}.{_part(CLAIMS)}."


def _hmac(secret: bytes, algorithm: str = "HS256") -> str:
    import hashlib
    import hmac

    head = f"{_part({'alg': algorithm, 'kid': 'k1'})}.{_part(CLAIMS)}"
    digest = hmac.digest(secret, head.encode(), hashlib.sha256)
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _public_pem() -> bytes:
    return (
        private_key("RSA")
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [("RSA", "RS256"), ("RSA", "RS512"), ("RSA", "PS256"), ("EC", "ES256"), ("OKP", "EdDSA")],
)
@pytest.mark.parametrize("kid", ["k1", None])
def test_accepted(kind: str, algorithm: str, kid: str | None) -> None:
    """SI-54 A token without `kid` is accepted where exactly one key fits."""
    others = [jwk_of(other, f"of {other}") for other in ("RSA", "EC", "OKP") if other != kind]
    keys = [*others, jwk_of(kind, "k1")]
    assert verify(signed(kind, algorithm, kid), keys, expected())["sub"] == "ada"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"aud": "another"}, "for another client"),
        ({"aud": []}, "for another client"),
        ({"aud": None}, "for another client"),
        ({"aud": {"client": 1}}, "for another client"),
        ({"aud": [CLIENT, "another"]}, "issued to another client"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "issued to another client"),
        ({"azp": "another"}, "issued to another client"),
        ({"iss": "https://evil.example"}, "of another issuer"),
        ({"iss": f"{ISSUER}/"}, "of another issuer"),
        ({"iss": None}, "of another issuer"),
        ({"nonce": "another"}, "nonce is not that of this sign-in"),
        ({"nonce": None}, "nonce is not that of this sign-in"),
        ({"nonce": "\ud800"}, "nonce is not that of this sign-in"),
        ({"azp": ["client"]}, "issued to another client"),
        ({"exp": NOW_S - 60}, "has expired"),
        ({"exp": None}, "when it expires"),
        ({"exp": "tomorrow"}, "exp of the ID token is no time"),
        ({"exp": True}, "exp of the ID token is no time"),
        ({"exp": 1e300}, "exp of the ID token is no time"),
        ({"iat": None}, "when it expires"),
        ({"iat": NOW_S + 61}, "from the future"),
        ({"nbf": NOW_S + 61}, "from the future"),
        ({"nbf": "x"}, "nbf of the ID token is no time"),
    ],
)
def test_claims_that_are_refused(claims: dict[str, Any], why: str) -> None:
    """SI-54"""
    with pytest.raises(SignInFailedError, match=why):
        verify(signed(**claims), KEYS, expected())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "another"], "azp": CLIENT},
        {"azp": CLIENT},
        {"exp": NOW_S - 59},
        {"iat": NOW_S + 60},
        {"nbf": NOW_S},
    ],
)
def test_claims_that_are_accepted(claims: dict[str, Any]) -> None:
    assert verify(signed(**claims), KEYS, expected())["sub"] == "ada"


def test_a_token_that_another_client_of_ours_asked_for() -> None:
    """As apps on Android do with Google: `aud` is the website's client, `azp` the app's."""
    ours = expected(parties=frozenset(("the app",)))
    for audience in (CLIENT, [CLIENT], [CLIENT, "the app"]):
        assert verify(signed(aud=audience, azp="the app"), KEYS, ours)["sub"] == "ada"
    for claims in ({"aud": "the app", "azp": CLIENT}, {"azp": "another"}, {"aud": [CLIENT, "the app"]}):
        with pytest.raises(SignInFailedError):
            verify(signed(**claims), KEYS, ours)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "nOnE", "HS256", "HS512", "RSA-OAEP", "ES256K"]
)
def test_algorithms_that_are_never_accepted(algorithm: str) -> None:
    """SI-54"""
    with pytest.raises(SignInFailedError, match="algorithm that is not accepted"):
        verify(_unsigned(algorithm), KEYS, expected())


@pytest.mark.parametrize(
    "secret",
    [
        CLIENT.encode(),
        b"client-secret",
        b"",
        _public_pem(),
        _public_pem().strip(),
        str(KEYS[0]["n"]).encode(),
    ],
    ids=["client id", "client secret", "empty", "PEM", "PEM stripped", "modulus"],
)
def test_an_hmac_with_what_everybody_knows(secret: bytes) -> None:
    """Neither as HS256, nor where the header names the algorithm of the key."""
    for algorithm in ("HS256", "RS256", "ES256"):
        with pytest.raises(SignInFailedError):
            verify(_hmac(secret, algorithm), KEYS, expected())


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "oct", "k": "Y2xpZW50", "kid": "k1"},
        {"kty": "RSA", "n": "x" * 400, "kid": "k1"},
        {**KEYS[0], "use": "enc"},
        {**KEYS[0], "alg": "PS256"},
        {**KEYS[0], "n": KEYS[0]["n"][:170]},
        {**KEYS[0], "n": ["x"] * 400},
        {"kid": "k1"},
        {"kty": "EC", "crv": "secp256k1", "kid": "k1"},
    ],
    ids=[
        "symmetric",
        "damaged",
        "for encryption",
        "of another algorithm",
        "short",
        "list",
        "empty",
        "other curve",
    ],
)
def test_keys_that_verify_nothing(key: dict[str, Any]) -> None:
    with pytest.raises(SignInFailedError):
        verify(signed(), [key], expected())


def test_a_key_of_1024_bits_is_not_used() -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    algorithm = jwt.get_algorithm_by_name("RS256")
    public: dict[str, Any] = json.loads(algorithm.to_jwk(weak.public_key()))
    assert algorithms_of(public) == ()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        token = jwt.encode(CLAIMS, weak, algorithm="RS256")
    with pytest.raises(SignInFailedError, match="no key of it fits"):
        verify(token, [public], expected())


def test_a_key_that_the_token_brings_along_is_not_used() -> None:
    other = jwk_of("RSA", None, number=1)
    headers = {"kid": "k1", "jwk": other, "jku": "https://evil.example/jwks", "x5u": "https://evil.example"}
    token = jwt.encode(CLAIMS, private_key("RSA", 1), algorithm="RS256", headers=headers)
    with pytest.raises(SignInFailedError, match="signature is not valid"):
        verify(token, KEYS, expected())


def test_an_unknown_key() -> None:
    with pytest.raises(UnknownKeyError):
        verify(signed(kid="k2"), KEYS, expected())


def test_two_keys_fit_a_token_without_a_name() -> None:
    keys = [jwk_of("RSA", "k1"), jwk_of("RSA", "k2", number=1)]
    with pytest.raises(SignInFailedError, match="more than one key of it fits"):
        verify(signed(kid=None), keys, expected())


@pytest.mark.parametrize(
    "token",
    [
        *("", "x", "a.b", "a.b.c", "..", f"{_part({'alg': 'RS256'})}.{_part([])}.x", "é.é.é", "x" * 70_000),
        *("\ud800.a.b", f"{_encoded(b'[' * 40_000)}.e30.AA", f"{_encoded(b'9' * 5000)}.e30.AA"),
        f"{_part({'alg': 'RS256', 'kid': 'k1'})}.{_encoded(b'[' * 40_000)}.AA",
    ],
    ids=range(12),
)
def test_what_is_no_token(token: str) -> None:
    with pytest.raises(SignInFailedError):
        verify(token, KEYS, expected())


def test_a_changed_payload() -> None:
    head, _, signature = signed().split(".")
    with pytest.raises(SignInFailedError, match="signature is not valid"):
        verify(f"{head}.{_part({**CLAIMS, 'sub': 'eve'})}.{signature}", KEYS, expected())


def test_the_error_does_not_repeat_the_token() -> None:
    token = signed(aud="another")
    with pytest.raises(SignInFailedError) as caught:
        verify(token, KEYS, expected())
    assert token.split(".")[1] not in str(caught.value)


DIRECTORY = "11111111-2222-3333-4444-555555555555"
TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"


def test_the_issuer_of_many_directories() -> None:
    """The template is filled with the directory that the token names, and with nothing else."""
    wanted = expected(issuers=(TEMPLATE,))
    right = TEMPLATE.replace("{tenantid}", DIRECTORY)
    assert verify(signed(iss=right, tid=DIRECTORY), KEYS, wanted)["tid"] == DIRECTORY
    other = DIRECTORY.replace("1", "9")
    for claims in (
        {"iss": right, "tid": other},
        {"iss": right, "tid": None},
        {"iss": TEMPLATE, "tid": "{tenantid}"},
        {"iss": "https://login.microsoftonline.com/x/../y/v2.0", "tid": "x/../y"},
        {"iss": "https://evil.example", "tid": DIRECTORY},
    ):
        with pytest.raises(SignInFailedError):
            verify(signed(**claims), KEYS, wanted)


def test_an_issuer_that_the_application_does_not_compare() -> None:
    assert verify(signed(iss="https://any.example"), KEYS, expected(issuers=None))["sub"] == "ada"
    assert verify(signed(nonce=None), KEYS, expected(nonce=None))["sub"] == "ada"
