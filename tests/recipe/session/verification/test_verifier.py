"""Which access tokens hold, and how they are remembered (protocol: Token checks)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from supertokens_py.engine.records import KeySet
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError
from supertokens_py.recipe.session.verification.verifier import UnknownKeyError, VerifiedTokens, verify
from supertokens_py.tokens.access_token import LONG_TOKEN, AccessToken, parse_access_token
from supertokens_py.tokens.signatures import RsaVerificationKey, sign_jwt

NOW = 1_700_000_000_000
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def token(kid: str = "d-1", version: int = 5, **claims: Any) -> AccessToken:
    payload = {
        "sub": "u",
        "rsub": "u",
        "tId": "public",
        "sessionHandle": "h",
        "refreshTokenHash1": "r",
        "iat": NOW // 1000,
        "exp": NOW // 1000 + 60,
        **claims,
    }
    parsed = parse_access_token(sign_jwt(payload, key=KEY, kid=kid, version=version))
    assert parsed is not None
    return parsed


def keys(kid: str = "d-1", usable_until_ms: int | None = None) -> KeySet:
    return KeySet({kid: RsaVerificationKey(kid, KEY.public_key(), usable_until_ms)}, loaded_ms=NOW)


def test_a_good_token_holds_until_it_expires() -> None:
    """FP-39: to the millisecond, by the token or by its key, whichever ends first."""
    assert verify(token(), keys(), now_ms=NOW, dynamic_key=True) == NOW + 60_000
    assert verify(token(), keys(), now_ms=NOW + 60_000, dynamic_key=True) == NOW + 60_000
    with pytest.raises(TryRefreshTokenError, match="expired"):
        verify(token(), keys(), now_ms=NOW + 60_001, dynamic_key=True)
    assert verify(token(), keys(usable_until_ms=NOW + 5), now_ms=NOW, dynamic_key=True) == NOW + 5
    with pytest.raises(TryRefreshTokenError, match="signature"):
        verify(token(), keys(usable_until_ms=NOW - 1), now_ms=NOW, dynamic_key=True)


@pytest.mark.parametrize(
    ("claims", "accepted"),
    [
        ({"iat": NOW // 1000 + 30}, True),
        ({"iat": NOW // 1000 + 60}, True),
        ({"iat": NOW // 1000 + 61}, False),
        ({"nbf": NOW // 1000}, True),
        ({"nbf": NOW // 1000 + 1}, False),
        ({"nbf": NOW / 1000 + 0.5}, False),
        ({"nbf": True}, True),
        ({"nbf": "later"}, True),
        ({"aud": "x"}, True),
        ({"aud": ["x"]}, True),
    ],
)
def test_iat_may_be_a_minute_early_and_nbf_may_not(claims: dict[str, Any], accepted: bool) -> None:
    """FP-31, FP-32, FP-33: 60 s for `iat`, none for `nbf`, nothing for `aud`."""
    given = token(**claims)
    if accepted:
        verify(given, keys(), now_ms=NOW, dynamic_key=True)
    else:
        with pytest.raises(TryRefreshTokenError, match="not valid yet"):
            verify(given, keys(), now_ms=NOW, dynamic_key=True)


@pytest.mark.parametrize(
    ("kid", "dynamic", "accepted"),
    [
        ("d-1", True, True),
        ("d-1", False, False),
        ("s-1", True, False),
        ("s-1", False, True),
        ("old", False, True),
    ],
)
def test_a_key_is_dynamic_iff_its_kid_starts_with_d(kid: str, dynamic: bool, accepted: bool) -> None:
    """FP-38: dynamic iff the kid starts with `d-`."""
    if accepted:
        verify(token(kid), keys(kid), now_ms=NOW, dynamic_key=dynamic)
    else:
        with pytest.raises(TryRefreshTokenError, match="use_dynamic_access_token_signing_key"):
            verify(token(kid), keys(kid), now_ms=NOW, dynamic_key=dynamic)


def test_an_unknown_key_is_an_error_of_its_own() -> None:
    """FP-40: an error of its own, so that the caller may load the keys."""
    with pytest.raises(UnknownKeyError):
        verify(token("d-2"), keys("d-1"), now_ms=NOW, dynamic_key=True)


class Counting(dict[str, RsaVerificationKey]):
    """A key set that counts look-ups, which is how often a signature is about to be checked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def get(self, *args: Any) -> Any:
        self.asked += 1
        self.meanwhile()
        return super().get(*args)


def counting() -> tuple[KeySet, Counting]:
    mapping = Counting(keys().keys)
    return KeySet(mapping, loaded_ms=NOW), mapping


def test_a_token_is_verified_once() -> None:
    """FP-47: remembered by its text, and still refused when it has expired."""
    verified = VerifiedTokens(16)
    known, mapping = counting()
    given = token()
    for now in (NOW, NOW + 1, NOW + 60_000):
        verified.check(given, known, now_ms=now, dynamic_key=True)
    assert mapping.asked == 1
    assert verified.read(given.text) is given
    with pytest.raises(TryRefreshTokenError, match="expired"):
        verified.check(given, known, now_ms=NOW + 60_001, dynamic_key=True)
    with pytest.raises(TryRefreshTokenError):
        verified.check(token(extra=1), known, now_ms=NOW + 60_001, dynamic_key=True)


def test_a_change_of_keys_forgets_everything() -> None:
    """FP-40: a token of a dropped key is not accepted from memory."""
    verified = VerifiedTokens(16)
    given = token()
    verified.check(given, keys(), now_ms=NOW, dynamic_key=True)
    other = KeySet({}, loaded_ms=NOW)
    with pytest.raises(UnknownKeyError):
        verified.check(given, other, now_ms=NOW, dynamic_key=True)


def test_keys_that_change_during_a_verification() -> None:
    """FP-40: what was verified with the old keys is not remembered for the new ones."""
    verified = VerifiedTokens(16)
    known, mapping = counting()
    without = KeySet({}, loaded_ms=NOW)
    given = token()

    def dropped() -> None:
        mapping.meanwhile = lambda: None
        with pytest.raises(UnknownKeyError):  # another thread sees the new keys first
            verified.check(given, without, now_ms=NOW, dynamic_key=True)

    mapping.meanwhile = dropped
    verified.check(given, known, now_ms=NOW, dynamic_key=True)
    with pytest.raises(UnknownKeyError):
        verified.check(given, without, now_ms=NOW, dynamic_key=True)


def test_a_size_of_zero_remembers_nothing() -> None:
    """FP-47: the memory can be switched off."""
    verified = VerifiedTokens(0)
    known, mapping = counting()
    given = token()
    for _ in range(3):
        verified.check(given, known, now_ms=NOW, dynamic_key=True)
    assert mapping.asked == 3


def test_the_memory_is_bounded_and_keeps_what_is_used() -> None:
    """FP-47: at most `size` tokens; one that is used between others is not forgotten."""
    verified = VerifiedTokens(4)
    known, mapping = counting()
    used = token(sub="used")
    verified.check(used, known, now_ms=NOW, dynamic_key=True)
    others = [token(sub=f"user-{number}") for number in range(8)]
    for other in others:
        verified.check(other, known, now_ms=NOW, dynamic_key=True)
        verified.check(used, known, now_ms=NOW, dynamic_key=True)
    assert mapping.asked == 9
    remembered = [other for other in [*others, used] if verified.read(other.text) is other]
    assert used in remembered
    assert len(remembered) <= 4
    verified.check(others[0], known, now_ms=NOW, dynamic_key=True)
    assert mapping.asked == 10


# -- long tokens -----------------------------------------------------------------------------------

LONG = "x" * LONG_TOKEN


def with_keys(known: KeySet) -> VerifiedTokens:
    """Return verified tokens that have seen these keys."""
    verified = VerifiedTokens(16)
    verified.check(token(), known, now_ms=NOW, dynamic_key=True)
    return verified


def altered(text: str, payload: str) -> str:
    head, _, signature = text.split(".")
    return f"{head}.{payload * (LONG_TOKEN // len(payload))}.{signature}"


@pytest.mark.parametrize("payload", ["####", "bnVs", "W1tb", "é"])
@pytest.mark.parametrize(("kid", "message"), [("d-1", "signature"), ("d-2", "d-2"), ("s-1", "setting")])
def test_the_payload_of_a_long_forged_token_is_not_looked_at(payload: str, kid: str, message: str) -> None:
    """FP-28: whatever stands there, the answer is the one about the key or the signature."""
    known = keys()
    verified = with_keys(known)
    forged = verified.read(altered(token(kid).text, payload))
    assert forged is not None
    with pytest.raises((TryRefreshTokenError, UnknownKeyError), match=message):
        verified.check(forged, known, now_ms=NOW, dynamic_key=True)


def test_a_long_token_that_is_ours() -> None:
    """FP-28, FP-39: read as any other, also with a key that was loaded after it was read; then it expires."""
    text = token(name=LONG).text
    later = keys()
    for known in (later, KeySet({}, loaded_ms=NOW)):
        for size in (0, 16):
            verified = VerifiedTokens(size)
            with pytest.raises(UnknownKeyError):
                verified.check(token("d-9"), known, now_ms=NOW, dynamic_key=True)
            read = verified.read(text)
            assert read is not None
            accepted = verified.check(read, later, now_ms=NOW, dynamic_key=True)
            assert (accepted.user_id, accepted.payload["name"]) == ("u", LONG)
            again = verified.read(text)
            assert again is not None
            assert again.payload["name"] == LONG
            with pytest.raises(TryRefreshTokenError, match="expired"):
                verified.check(again, later, now_ms=NOW + 60_001, dynamic_key=True)


def test_a_long_token_that_another_thread_has_verified() -> None:
    """FP-28: who has read only the header is given the token with its payload."""
    verified = VerifiedTokens(16)
    known = keys()
    text = token(name=LONG).text
    with pytest.raises(UnknownKeyError):
        verified.check(token(), KeySet({}, loaded_ms=NOW), now_ms=NOW, dynamic_key=True)
    early = verified.read(text)
    assert early is not None
    assert early.payload == {}
    verified.check(token(name=LONG), known, now_ms=NOW, dynamic_key=True)
    assert verified.check(early, known, now_ms=NOW, dynamic_key=True).payload["name"] == LONG


def test_a_long_token_of_another_type() -> None:
    """FP-26: signed by us, and yet no session token: not one of ours, or refused where the key came late."""
    known = keys()
    payload = {**token().payload, "stt": 1, "name": LONG}
    text = sign_jwt(payload, key=KEY, kid="d-1", version=5)
    assert with_keys(known).read(text) is None
    late = VerifiedTokens(16)
    with pytest.raises(UnknownKeyError):
        late.check(token("d-9"), KeySet({}, loaded_ms=NOW), now_ms=NOW, dynamic_key=True)
    read = late.read(text)
    assert read is not None
    with pytest.raises(TryRefreshTokenError, match="signature"):
        late.check(read, known, now_ms=NOW, dynamic_key=True)


def test_a_long_token_of_an_age_that_is_only_refreshed() -> None:
    """FP-29: whatever its payload is."""
    known = keys()
    header = b64encode(b'{"alg":"RS256","typ":"JWT","version":"2"}').decode()
    read = with_keys(known).read(f"{header}.{LONG}.x")
    assert read is not None
    with pytest.raises(TryRefreshTokenError, match="only be refreshed"):
        VerifiedTokens(0).check(read, known, now_ms=NOW, dynamic_key=True)
