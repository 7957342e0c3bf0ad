"""Refresh tokens: the official format to the byte, and the successor that is derived."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from supertokens_py.engine.embedded.session_state.refresh_tokens import (
    MasterKey,
    RefreshToken,
    first_token,
    hash1,
    hash2,
    new_master_key,
    open_token,
    successor,
    successor_ms,
)
from tests.support import refresh_tokens

#: A vector made from the official rules (engine: Refresh tokens).
VECTOR_MASTER = f"1000:{'11' * 64}:{'22' * 64}"
VECTOR_KEY = "745fee7015a7b4ce404299a1e2b85d2c094245c909a3c6c0094270d60e720f46"
MASTER = MasterKey.of([new_master_key()])


def sealed(contents: object, *, nonce: str, master: str = VECTOR_MASTER, suffix: str = "V2") -> str:
    return refresh_tokens.sealed(contents, nonce=nonce, master=master, suffix=suffix)


def vector() -> str:
    return sealed({"sessionHandle": "h", "userId": "u", "nonce": hash1("n")}, nonce=hash1("n"))


def test_hashes_are_of_text():
    """The outer hash is taken over the hex text of the inner one."""
    assert hash1("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert hash2("abc") == "dfe7a23fefeea519e9bbfdd1a6be94c4b2e4529dd6b7cbea83f9959c2621b13c"


def test_the_official_vector_opens():
    """Key, text and hashes are those of the vector."""
    text = vector()
    assert refresh_tokens.token_key(VECTOR_MASTER).hex() == VECTOR_KEY
    assert text.startswith("AAECAwQFBgcICQoLdx3igIjYj27WmIck")
    assert text.split(".")[0].endswith("eYWbdtziu2c=")
    assert hash1(text) == "3c3ee74c7adf34ace54b906ef4a0c7950a88b5687863f4b0d7c06e8d3a342f5e"
    assert hash2(text) == "ed809e59b9acfaeb347b9ba1959cea12512362538d599e5d5a4c64204cbac629"
    assert open_token(MasterKey.of([VECTOR_MASTER]), text) == RefreshToken(text=text, handle="h", user_id="u")


def test_all_members_of_an_official_token_are_read():
    """3.1: the optional members are there for a refreshed session of another tenant."""
    contents = {
        "sessionHandle": "h_t1",
        "userId": "u",
        "parentRefreshTokenHash1": "p",
        "nonce": "n",
        "antiCsrfToken": "c",
        "tenantId": "t1",
    }
    text = sealed(contents, nonce="n")
    assert open_token(MasterKey.of([VECTOR_MASTER]), text) == RefreshToken(
        text=text, handle="h_t1", user_id="u", tenant_id="t1", parent_hash1="p", anti_csrf_token="c"
    )


def test_our_tokens_have_the_official_form():
    """3.1: three parts, 64 hex digits of nonce, optional members left out."""
    token = first_token(MASTER, handle="h", user_id="u", tenant_id="public", anti_csrf_token=None)
    sealed_part, nonce, suffix = token.text.split(".")
    raw = base64.b64decode(sealed_part, validate=True)
    plaintext = AESGCM(refresh_tokens.token_key(MASTER.text, raw[:12])).decrypt(raw[:12], raw[12:], None)
    assert json.loads(plaintext) == {"sessionHandle": "h", "userId": "u", "nonce": nonce}
    assert re.fullmatch(r"[0-9a-f]{64}", nonce)
    assert suffix == "V2"


def test_the_master_key_has_the_official_form():
    """3.1: `1000:<128 hex>:<128 hex>`, new each time."""
    assert re.fullmatch(r"1000:[0-9a-f]{128}:[0-9a-f]{128}", new_master_key())
    assert new_master_key() != new_master_key()


@given(
    handle=st.text(min_size=1),
    user_id=st.text(min_size=1),
    tenant_id=st.sampled_from(["public", "t1"]),
    anti_csrf_token=st.none() | st.text(min_size=1),
)
def test_what_is_sealed_can_be_opened(handle: str, user_id: str, tenant_id: str, anti_csrf_token: str | None):
    """Any text survives, lone surrogates included."""
    token = first_token(
        MASTER, handle=handle, user_id=user_id, tenant_id=tenant_id, anti_csrf_token=anti_csrf_token
    )
    assert open_token(MASTER, token.text) == token


def test_another_app_cannot_open_a_token():
    """3.2: the tag is wrong under another master key."""
    assert open_token(MasterKey.of([new_master_key()]), vector()) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a.b.V2",
        "..V2",
        ".".join(["AAAA"] * 3),
        "A" * 9000,
        "é.n.V2",
        vector()[:-1] + "3",
        vector() + ".V2",
        vector().replace("AAEC", "AAED", 1),
        vector().replace("==", "", 1).replace("=.", ".", 1),
        vector().replace("=.", "==.", 1),
        vector().replace(hash1("n"), hash1("m")),
        " " + vector(),
        sealed({"userId": "u", "nonce": "n"}, nonce="n"),
        sealed({"sessionHandle": "h", "nonce": "n"}, nonce="n"),
        sealed({"sessionHandle": "h", "userId": 5, "nonce": "n"}, nonce="n"),
        sealed({"sessionHandle": "h", "userId": "u", "nonce": "n", "tenantId": 1}, nonce="n"),
        sealed([], nonce="n"),
        sealed(b"no json", nonce="n"),
        sealed(b"\xff", nonce="n"),
        sealed({"sessionHandle": "h", "userId": "u", "nonce": "n"}, nonce="n", suffix="V3"),
    ],
)
def test_what_is_not_ours_is_refused(text: str):
    """3.2: any failure is the same answer, never an exception."""
    assert open_token(MasterKey.of([VECTOR_MASTER]), text) is None


def test_the_suffix_is_compared_without_regard_to_case():
    """3.1: `v2` is V2."""
    text = vector()[:-2] + "v2"
    assert open_token(MasterKey.of([VECTOR_MASTER]), text) == RefreshToken(text=text, handle="h", user_id="u")


def test_a_successor_is_always_the_same():
    """Nothing in it is random, so a lost response can be repeated."""
    presented = first_token(MASTER, handle="h", user_id="u", tenant_id="t1", anti_csrf_token="old")
    one = successor(MASTER, presented, rotated_ms=5, anti_csrf=True)
    assert one == successor(MASTER, presented, rotated_ms=5, anti_csrf=True)
    assert one == open_token(MASTER, one.text)
    assert one.parent_hash1 == presented.hash1
    assert successor_ms(MASTER, one) == 5
    assert successor_ms(MASTER, presented) is None
    assert successor_ms(MasterKey.of([new_master_key()]), one) is None
    for nonce in (one.nonce[:32] + "0" * 11 + "6" + one.nonce[44:], one.nonce[:32] + "x" * 32, "short"):
        assert successor_ms(MASTER, replace(one, text=one.text.replace(one.nonce, nonce))) is None
    peppered = MasterKey.of([MASTER.text], [b"pepper", b"before", b""])
    assert successor_ms(peppered, one) is None  # anybody with the database could have made it
    before = MasterKey.of([MASTER.text], [b"before"])
    assert successor_ms(peppered, successor(before, presented, rotated_ms=7, anti_csrf=True)) == 7
    assert (one.handle, one.user_id, one.tenant_id) == ("h", "u", "t1")
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", one.anti_csrf_token or ""
    )


def test_every_input_of_a_successor_changes_all_of_it():
    """One IV must never seal two plaintexts, and no part may be guessed from another successor."""
    presented = first_token(MASTER, handle="h", user_id="u", tenant_id="public", anti_csrf_token=None)
    twin = first_token(MASTER, handle="h", user_id="u", tenant_id="public", anti_csrf_token=None)
    other_master = MasterKey.of([new_master_key()])
    made = [
        successor(MASTER, presented, rotated_ms=5, anti_csrf=True),
        successor(MASTER, presented, rotated_ms=6, anti_csrf=True),
        successor(MASTER, presented, rotated_ms=5, anti_csrf=False),
        successor(MASTER, twin, rotated_ms=5, anti_csrf=True),
        successor(other_master, presented, rotated_ms=5, anti_csrf=True),
    ]
    ivs = [base64.b64decode(token.text.split(".")[0])[:12] for token in made]
    nonces = [token.text.split(".")[1] for token in made]
    csrf = [token.anti_csrf_token for token in made if token.anti_csrf_token]
    assert len(set(ivs)) == len(set(nonces)) == 5
    assert len(set(csrf)) == 4


def test_no_secret_is_in_a_repr():
    """STYLE 4.2: a token in a log line or a traceback shows no text."""
    token = first_token(MASTER, handle="h", user_id="u", tenant_id="public", anti_csrf_token="secret")
    assert token.text not in repr(token)
    assert "secret" not in repr(token)
