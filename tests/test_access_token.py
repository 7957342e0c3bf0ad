"""Parsing and signing access tokens, held against PyJWT (protocol: Token form)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from supertokens_py.tokens.access_token import MAX_TOKEN_LENGTH, looks_like_jwt, parse_access_token
from supertokens_py.tokens.encoding import to_json
from supertokens_py.tokens.signatures import sign_jwt, signature_matches

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = KEY.public_key()
CLAIMS = {
    "sub": "u",
    "rsub": "r",
    "tId": "t1",
    "sessionHandle": "h",
    "refreshTokenHash1": "x",
    "parentRefreshTokenHash1": None,
    "antiCsrfToken": "a",
    "iat": 1_700_000_000,
    "exp": 1_700_003_600,
}

HEADER = {"alg": "RS256", "typ": "JWT", "kid": "d-1", "version": "5"}


def b64(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(**claims: Any) -> str:
    return sign_jwt({**CLAIMS, **claims}, key=KEY, kid="d-1", version=5)


def test_what_a_token_says() -> None:
    """FP-23: user, recipe user, tenant, handle, times in ms."""
    token = parse_access_token(signed())
    assert token is not None
    assert (token.version, token.kid) == (5, "d-1")
    assert (token.user_id, token.recipe_user_id, token.tenant_id, token.handle) == ("u", "r", "t1", "h")
    assert (token.created_ms, token.expires_ms) == (1_700_000_000_000, 1_700_003_600_000)
    assert (token.refresh_token_hash1, token.parent_refresh_token_hash1) == ("x", None)
    assert token.anti_csrf_token == "a"
    assert token.payload == CLAIMS
    assert json.loads(token.payload_json) == CLAIMS


def test_no_secret_in_a_repr() -> None:
    """FP-23: tokens do not show themselves in logs."""
    token = parse_access_token(signed())
    assert token is not None
    assert token.text not in repr(token)
    assert "'u'" not in repr(token)


def test_the_signature_is_pyjwts() -> None:
    """FP-28: PyJWT accepts what we sign, and we accept what PyJWT signs."""
    ours = signed()
    assert jwt.decode(ours, PUBLIC, ["RS256"], options={"verify_exp": False}) == CLAIMS
    header = {"kid": "d-1", "version": "5"}
    theirs = jwt.encode(CLAIMS, KEY, "RS256", headers=header)
    token = parse_access_token(theirs)
    assert token is not None
    assert token.payload == CLAIMS
    assert signature_matches(theirs, PUBLIC)


OPTIONS: Any = dict.fromkeys(
    ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"), False
)


def pyjwt_accepts(token: str) -> bool:
    try:
        jwt.decode(token, PUBLIC, ["RS256"], options=OPTIONS)
    except (jwt.PyJWTError, ValueError, TypeError):
        return False
    return True


def we_accept(token: str) -> bool:
    return parse_access_token(token) is not None and signature_matches(token, PUBLIC)


GOOD = signed()


@settings(max_examples=400, deadline=None)
@given(
    st.integers(0, len(GOOD) - 1), st.characters(), st.sampled_from(["replace", "insert", "delete", "cut"])
)
@example(len(GOOD) - 1, "A", "replace")
@example(len(GOOD) - 1, "=", "insert")
@example(0, ".", "insert")
def test_whatever_we_accept_pyjwt_accepts(position: int, character: str, how: str) -> None:
    """FP-28, FP-36: whatever we accept, PyJWT accepts: no change of a token makes us more lenient."""
    changed = {
        "replace": GOOD[:position] + character + GOOD[position + 1 :],
        "insert": GOOD[:position] + character + GOOD[position:],
        "delete": GOOD[:position] + GOOD[position + 1 :],
        "cut": GOOD[:position],
    }[how]
    if we_accept(changed):
        assert pyjwt_accepts(changed)
        if changed != GOOD:
            assert changed.rstrip("=") == GOOD or changed.replace("=", "") == GOOD
    else:
        assert changed != GOOD


def test_only_the_canonical_spelling_of_a_signature_is_ours() -> None:
    """FP-28: base64 has several spellings of the last bits of a signature; only the canonical one is ours."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    accepted = [letter for letter in alphabet if we_accept(GOOD[:-1] + letter)]
    assert accepted == [GOOD[-1]]


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_any_json_payload_is_verified_to_itself(extra: dict[str, Any]) -> None:
    """FP-22, FP-26: any JSON payload is signed, parsed and verified to itself, by us and by PyJWT."""
    payload = {**extra, **CLAIMS}
    token = parse_access_token(sign_jwt(payload, key=KEY, kid="d-1", version=5))
    if "stt" in extra:
        return
    assert token is not None
    assert token.payload == payload
    assert list(token.payload) == list(payload)
    assert signature_matches(token.text, PUBLIC)
    assert jwt.decode(token.text, PUBLIC, ["RS256"], options=OPTIONS) == payload


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: f"{b64(raw)}.{b64(raw)}.{b64(raw)}"))
def test_junk_is_none_and_never_an_exception(text: str) -> None:
    """FP-30: junk is None or a structural token, never an exception."""
    assert parse_access_token(text) is None
    looks_like_jwt(text)
    assert signature_matches(text, PUBLIC) is False


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["typ", "alg", "kid", "version", "x"]), json_values))
def test_only_rs256_headers_with_a_kid_and_a_version_are_ours(header: dict[str, Any]) -> None:
    """FP-35: only RS256 JWTs with a text kid and a version of digits from 3 on are ours."""
    token = parse_access_token(f"{b64(header)}.{b64(CLAIMS)}.{b64(b'x')}")
    version = header.get("version")
    ours = (
        header.get("typ") == "JWT"
        and header.get("alg") == "RS256"
        and isinstance(header.get("kid"), str)
        and isinstance(version, str)
        and version.isascii()
        and version.isdigit()
        and 3 <= int(version) < 1000
    )
    assert (token is not None) is ours


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "\ud800.\ud800.\ud800",
        f"{GOOD}.x",
        f" {GOOD}",
        "x" * (MAX_TOKEN_LENGTH + 1),
        f"{b64([1])}.{b64(CLAIMS)}.x",
        f"{GOOD.split('.')[0]}.{b64([1])}.x",
        f"{GOOD.split('.')[0]}.{b64(b'NaN')}.x",
        f"{GOOD.split('.')[0]}.{b64(b'{' * 5000)}.x",
        f"{GOOD.split('.')[0]}.{b64(b'[' * 40000)}.x",
        f"{b64({**HEADER, 'x': 'x' * 1024})}.{b64(CLAIMS)}.x",
    ],
    ids=range(15),
)
def test_wrong_parts_sizes_and_depths_are_not_ours(text: str) -> None:
    """FP-30, FP-36: wrong number of parts, no JSON objects, absurd sizes and depths."""
    assert parse_access_token(text) is None


@pytest.mark.parametrize("spelling", ["padded", "standard"])
def test_both_base64_alphabets_are_read(spelling: str) -> None:
    """FP-28: padded or not, URL-safe or standard: 6.1 reads them all."""
    head, body, signature = sign_jwt({**CLAIMS, "x": "~~~???>>>" * 3}, key=KEY, kid="d-1", version=5).split(
        "."
    )
    if spelling == "padded":
        body += "=" * (-len(body) % 4)
    else:
        body = body.replace("-", "+").replace("_", "/")
    token = parse_access_token(f"{head}.{body}.{signature}")
    assert token is not None
    assert token.payload["x"] == "~~~???>>>" * 3


def test_infinite_times_are_foreign() -> None:
    """FP-36: 1e999 is a float in JSON, and no time."""
    for value in (b"1e999", b"-1e999", b"NaN", b"Infinity", b"1e300"):
        body = json.dumps(CLAIMS).encode().replace(b"1700003600", value)
        assert parse_access_token(f"{GOOD.split('.')[0]}.{b64(body)}.x") is None


def test_a_forged_header_cannot_fill_the_memory() -> None:
    """FP-40: headers are remembered, but only so many."""
    from supertokens_py.tokens import access_token

    for number in range(500):
        header = {**HEADER, "kid": f"d-{number}"}
        assert parse_access_token(f"{b64(header)}.{b64(CLAIMS)}.x") is not None
    assert len(access_token._known_headers) <= 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (GOOD, True),
        (jwt.encode({}, "k" * 32, "HS256"), True),
        ("e30.x", True),
        ("e30", False),
        ("abc.def.ghi", False),
        ("", False),
        ("bm90IGpzb24.x", False),
        ("W10.x", False),
        (f"{b64({'x5c': ['x' * 6000]})}.x", True),
        (f"{b64({'x5c': ['x' * 6200]})}.x", False),
    ],
    ids=range(10),
)
def test_a_jwt_is_known_by_its_first_part(text: str, expected: bool) -> None:
    """FP-74: the first part decodes to a JSON object; one of more than 8 KiB is not decoded."""
    assert looks_like_jwt(text) is expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), b"x"])
def test_what_has_no_json_form_is_a_value_error(value: Any) -> None:
    """FP-22: what has no JSON form is a ValueError, not a broken token."""
    with pytest.raises(ValueError, match=r"JSON|not JSON compliant"):
        to_json({"a": value})


def test_json_is_compact_and_raw() -> None:
    """FP-22: order kept, no white space, raw UTF-8; lone surrogates escaped."""
    assert to_json({"b": 1, "a": ["é", None, True]}) == '{"b":1,"a":["é",null,true]}'
    assert to_json({"a": "\ud800é"}) == '{"a":"\\ud800\\u00e9"}'
