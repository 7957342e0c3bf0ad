"""PKCE verifiers: what each was made for, for how long, and by whom."""

from __future__ import annotations

import dataclasses
import re

import pytest

from supertokens_py.recipe.thirdparty.providers.failures import SignInFailedError
from supertokens_py.recipe.thirdparty.providers.verifiers import (
    Binding,
    challenge_of,
    check_verifier,
    new_verifier,
    nonce_of,
)

NOW_MS = 1_800_000_000_000
KEY, OLDER = b"k" * 32, b"o" * 32
BINDING = Binding("google", "client", "public", "https://example.com/callback")


def test_the_form() -> None:
    """RFC 7636: 43 to 128 of the unreserved characters; no two are alike."""
    verifiers = {new_verifier(KEY, BINDING, now_ms=NOW_MS) for _ in range(20)}
    assert len(verifiers) == 20
    assert all(re.fullmatch("[A-Za-z0-9._~-]{83}", verifier) for verifier in verifiers)


def test_the_challenge() -> None:
    """The example of RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert nonce_of(verifier) != challenge_of(verifier)


@pytest.mark.parametrize("age_ms", [-60_000, 0, 599_999, 600_000])
def test_accepted(age_ms: int) -> None:
    verifier = new_verifier(KEY, BINDING, now_ms=NOW_MS - age_ms)
    check_verifier([KEY], BINDING, verifier, now_ms=NOW_MS)
    check_verifier([OLDER, KEY], BINDING, verifier, now_ms=NOW_MS)


@pytest.mark.parametrize("age_ms", [-60_001, 600_001, 86_400_000])
def test_too_old(age_ms: int) -> None:
    verifier = new_verifier(KEY, BINDING, now_ms=NOW_MS - age_ms)
    with pytest.raises(SignInFailedError, match="older than ten minutes"):
        check_verifier([KEY], BINDING, verifier, now_ms=NOW_MS)


@pytest.mark.parametrize(
    "change",
    [
        {"third_party_id": "github"},
        {"client_id": "another"},
        {"tenant_id": "t1"},
        {"redirect_uri": "https://example.com/callback/"},
    ],
)
def test_made_for_something_else(change: dict[str, str]) -> None:
    verifier = new_verifier(KEY, dataclasses.replace(BINDING, **change), now_ms=NOW_MS)
    with pytest.raises(SignInFailedError, match="made for another"):
        check_verifier([KEY], BINDING, verifier, now_ms=NOW_MS)


def test_made_with_another_key() -> None:
    verifier = new_verifier(OLDER, BINDING, now_ms=NOW_MS)
    with pytest.raises(SignInFailedError):
        check_verifier([KEY], BINDING, verifier, now_ms=NOW_MS)


@pytest.mark.parametrize("text", ["", "A" * 43, "A" * 83, "A" * 128, "a.b~c" * 10, "é" * 83, "=" * 83])
def test_made_by_a_frontend(text: str) -> None:
    with pytest.raises(SignInFailedError):
        check_verifier([KEY], BINDING, text, now_ms=NOW_MS)


@pytest.mark.parametrize("place", range(83))
def test_any_changed_character(place: int) -> None:
    """At any place; also by one that decoders may read as the same."""
    verifier = str(new_verifier(KEY, BINDING, now_ms=NOW_MS, random=bytes))
    for character in ("A", "B", "z", "+", "/", "=", "_", " ", "\n", "\0"):
        changed = verifier[:place] + character + verifier[place + 1 :]
        if changed != verifier:
            with pytest.raises(SignInFailedError):
                check_verifier([KEY], BINDING, changed, now_ms=NOW_MS)


def test_fields_cannot_run_into_each_other() -> None:
    one, other = Binding("ab", "c", "t", "u"), Binding("a", "bc", "t", "u")
    verifier = new_verifier(KEY, one, now_ms=NOW_MS)
    with pytest.raises(SignInFailedError):
        check_verifier([KEY], other, verifier, now_ms=NOW_MS)
