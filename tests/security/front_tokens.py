"""Payloads of every shape, and what a browser reads of them in the front token (`scripts/fuzz payloads`)."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import hypothesis
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from supertokens_py.constants import PROTECTED_CLAIMS
from supertokens_py.recipe.session import syncio

from .fuzz import corpus

#: The claims that every access token has.
SDK_CLAIMS = {*PROTECTED_CLAIMS, "iss"} - {"stt"}
KNOWN: list[dict[str, Any]] = corpus("payloads")
_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
_NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_CLAIMS = _TEXT.filter(lambda name: name not in (*PROTECTED_CLAIMS, "iss"))
PAYLOADS = st.sampled_from(KNOWN) | st.dictionaries(_CLAIMS, _JSON, max_size=5)


def front_token_of(payload: dict[str, Any]) -> str:
    """Return the front token of a new session of "u1"."""
    session = syncio.create_new_session_without_request_response("public", "u1", payload)
    return session.get_all_session_tokens_dangerously()["frontToken"]


def own(up: dict[str, Any]) -> dict[str, Any]:
    """Return what the application put in, without the claims of every token."""
    assert up.keys() >= SDK_CLAIMS
    return {name: value for name, value in up.items() if name not in SDK_CLAIMS}


def require_carried(payload: dict[str, Any]) -> None:
    """Fail unless the front token is one line of ASCII that holds the payload unchanged."""
    token = front_token_of(payload)
    assert token.isascii()
    assert token.isprintable()
    read = json.loads(b64decode(token, validate=True).decode())
    assert list(read) == ["uid", "ate", "up"]
    assert read["uid"] == read["up"]["sub"] == "u1"
    assert own(read["up"]) == payload


def fuzz_payloads(count: int, seed: int) -> int:
    """Make so many sessions, with payloads of the corpus and made-up ones; return how many there were."""
    made = 0

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(PAYLOADS)
    def run(payload: dict[str, Any]) -> None:
        nonlocal made
        made += 1
        require_carried(payload)

    run()
    return made
