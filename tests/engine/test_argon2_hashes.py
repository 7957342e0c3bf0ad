"""Both libraries that compute Argon2: the same bytes, and the same answer to every stored text."""

from __future__ import annotations

import os
import re
import sys
from base64 import b64encode
from pathlib import Path
from typing import NoReturn

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.signin import argon2_hashes
from supertokens_py.engine.embedded.signin.argon2_hashes import (
    Argon2,
    Argon2Parameters,
    by_argon2_cffi,
    by_openssl,
    encoded,
)
from supertokens_py.engine.embedded.signin.password_hashes import check_of
from supertokens_py.engine.embedded.signin.passwords import Passwords
from supertokens_py.exceptions import BadInputError

from .conftest import EACH_ARGON2

BOTH = (by_openssl, by_argon2_cffi)

SALT = b"0123456789abcdef"
QUICK = Argon2Parameters("argon2id", 64, 1, 1)


#: Of "password" and "somesalt", 256 KiB and two passes: test vectors of the reference implementation.
VECTORS = {
    ("argon2id", 1): "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
    ("argon2id", 2): "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
    ("argon2i", 1): "89e9029f4637b295beb027056a7336c414fadd43f6b208645281cb214a56452f",
    ("argon2i", 2): "4ff5ce2769a1d7f4c8a491df09d41a9fbe90e5eb02155a13e4c01e20cd4eab61",
    ("argon2d", 1): "25c4ee8ba448054b49efc804e478b9d823be1f9bd2e99f51d6ec4007a3a1501f",
    ("argon2d", 2): "7b69c92d7c3889aad1281dbc8baefc12cc37c80f1c75e33ef2c2d40c28ebc573",
}


@EACH_ARGON2
@pytest.mark.parametrize(("variant", "lanes"), VECTORS)
def test_the_bytes_are_those_of_the_reference(compute: Argon2, variant: str, lanes: int) -> None:
    made = compute(b"password", b"somesalt", Argon2Parameters(variant, 256, 2, lanes), 32)
    assert made.hex() == VECTORS[variant, lanes]
    assert repr(made) == "b'***'"


@pytest.mark.parametrize("length", [12, 13, 32, 127, 128])
@pytest.mark.parametrize("salt", [b"8 bytes.", bytes(48), b"s" * 64], ids=len)
@pytest.mark.parametrize("secret", [b"", b"\0", "ß".encode() * 512], ids=len)
def test_both_compute_the_same_of_every_length(secret: bytes, salt: bytes, length: int) -> None:
    """Of all that a stored hash can have."""
    by_one, by_other = (compute(secret, salt, QUICK, length) for compute in BOTH)
    assert by_one == by_other
    assert len(by_one) == length


@pytest.mark.parametrize(("maker", "reader"), [BOTH, BOTH[::-1]])
def test_each_verifies_what_the_other_made_and_renews_nothing(maker: Argon2, reader: Argon2) -> None:
    """An application may be moved to a machine with the other one, or have both beside each other."""
    settings = EngineConfig(argon2_memory_kb=1024).resolve({})
    made, read = Passwords(settings, maker), Passwords(settings, reader)
    stored = made.hash("correct horse 1 é")
    assert re.fullmatch(r"\$argon2id\$v=19\$m=1024,t=1,p=2\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", stored)
    assert read.verify("correct horse 1 é", stored)
    assert not read.verify("correct horse 1 e", stored)
    assert not read.is_outdated("correct horse 1 é", stored)


def _stored(salt: bytes = SALT, length: int = 32, parameters: Argon2Parameters = QUICK) -> str:
    return str(encoded(parameters, salt, by_openssl(b"p", salt, parameters, length)))


def _with_salt(text: str) -> str:
    return re.sub(r"[^$]+(?=\$[^$]+$)", text.replace("\\", r"\\"), _stored())


def _with_digest(text: str) -> str:
    return _stored().rpartition("$")[0] + "$" + text


FORM, COST, DAMAGE = "none of the supported forms", "more memory or time", "is damaged"
_SALT, _DIGEST = _stored().split("$")[4:]

#: What is asked of a text, and what follows: the reason of a refusal, or None where it is computed.
ODD: dict[str, tuple[str, str | None]] = {
    "plain": (_stored(), None),
    "two lanes": (_stored(parameters=Argon2Parameters("argon2id", 64, 1, 2)), None),
    "most lanes": (_stored(parameters=Argon2Parameters("argon2id", 512, 1, 64)), None),
    "least memory": (_stored(parameters=Argon2Parameters("argon2id", 8, 1, 1)), None),
    "memory that lanes do not divide": (_stored(parameters=Argon2Parameters("argon2d", 100, 2, 3)), None),
    "shortest salt": (_stored(bytes(8)), None),
    "longest salt": (_stored(bytes(64)), None),
    "shortest digest": (_stored(length=12), None),
    "longest digest": (_stored(length=128), None),
    "empty": ("", FORM),
    "a shorter salt": (_with_salt(b64encode(bytes(7)).decode().rstrip("=")), FORM),
    "a longer salt": (_with_salt(b64encode(bytes(65)).decode().rstrip("=")), FORM),
    "a shorter digest": (_stored(length=11), FORM),
    "a longer digest": (_stored(length=129), FORM),
    "no salt": (_with_salt("").replace("$$", "$"), FORM),
    "an empty salt": (_stored().replace(_SALT, ""), FORM),
    "an empty digest": (_with_digest(""), FORM),
    "a padded salt": (_with_salt(f"{_SALT}=="), FORM),
    "a padded digest": (_stored() + "=", FORM),
    "Base64 of URLs": (_with_digest("_-" + _DIGEST[2:]), FORM),
    "Base64 of passlib": (_with_digest("." + _DIGEST[1:]), FORM),
    "stray bits in the salt": (_with_salt(_SALT[:-1] + "x"), DAMAGE),
    "stray bits in the digest": (_with_digest(_DIGEST[:-1] + "x"), DAMAGE),
    "a cut salt": (_with_salt(_SALT[:-1]), DAMAGE),
    "a cut digest": (_with_digest(_DIGEST[:-2]), DAMAGE),
    "a space before": (" " + _stored(), FORM),
    "a space after": (_stored() + " ", FORM),
    "a line feed after": (_stored() + "\n", FORM),
    "a zero byte after": (_stored() + "\0", FORM),
    "a line feed inside": (_with_digest(_DIGEST[:9] + "\n" + _DIGEST[9:]), FORM),
    "another order": (_stored().replace("m=64,t=1", "t=1,m=64"), FORM),
    "no version": (_stored().replace("$v=19", ""), FORM),
    "version 16": (_stored().replace("v=19", "v=16"), FORM),
    "version 20": (_stored().replace("v=19", "v=20"), FORM),
    "a key id": (_stored().replace("p=1", "p=1,keyid=AAAA"), FORM),
    "data": (_stored().replace("p=1", "p=1,data=AAAA"), FORM),
    "another case": (_stored().replace("argon2id", "Argon2id"), FORM),
    "no variant": (_stored().replace("argon2id", "argon2"), FORM),
    "other digits": (_stored().replace("m=64", "m=6٤"), FORM),
    "a letter beyond ASCII": (_with_salt("é" + _SALT[1:]), FORM),
    "a leading zero": (_stored().replace("m=64", "m=064"), FORM),
    "a sign": (_stored().replace("m=64", "m=+64"), FORM),
    "no passes": (_stored().replace("t=1", "t=0"), FORM),
    "no lanes": (_stored().replace("p=1", "p=0"), FORM),
    "too little memory": (_stored().replace("m=64", "m=7"), DAMAGE),
    "too little memory for its lanes": (_stored().replace("p=1", "p=9"), DAMAGE),
    "more than 1 GiB": (_stored().replace("m=64", "m=1048577"), COST),
    "memory beyond 32 bits": (_stored().replace("m=64", "m=4294967360"), FORM),
    "too many passes": (_stored().replace("t=1", "t=65"), COST),
    "passes beyond 32 bits": (_stored().replace("t=1", "t=4294967297"), FORM),
    "too many lanes": (_stored().replace("m=64,t=1,p=1", "m=520,t=1,p=65"), COST),
    "lanes beyond 24 bits": (_stored().replace("p=1", "p=16777217"), FORM),
    "too much work": (_stored().replace("m=64,t=1", "m=1048576,t=7"), COST),
}


@pytest.mark.parametrize(("stored", "reason"), ODD.values(), ids=ODD)
def test_both_take_and_refuse_the_same_texts(stored: str, reason: str | None) -> None:
    """A text is refused before anything is computed: a huge one would take all memory, or minutes."""

    def nothing(*_: object) -> NoReturn:
        raise AssertionError("was computed")

    if reason is None:
        answers = [[check_of(stored, compute_argon2=one)(text) for text in (b"p", b"q")] for one in BOTH]
        assert answers == [[True, False]] * 2
    else:
        with pytest.raises(BadInputError, match=reason):
            check_of(stored, compute_argon2=nothing)


def _computes_after_a_failure(compute: Argon2) -> bool:
    import resource

    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + (1 << 28)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    try:
        compute(b"p", SALT, Argon2Parameters("argon2id", 1 << 20, 1, 2), 32)
    except MemoryError:
        return encoded(QUICK, SALT, compute(b"p", SALT, QUICK, 32)) == _stored()
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not keep to the limit")
@EACH_ARGON2
def test_without_memory_each_says_so_and_computes_the_next(compute: Argon2) -> None:
    """In a child that may take a quarter of what the hash needs."""
    child = os.fork()
    if child == 0:
        os._exit(0 if _computes_after_a_failure(compute) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_argon2_cffi_computes_where_it_is_installed_and_openssl_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert argon2_hashes.argon2 is argon2_hashes.quickest() is by_argon2_cffi
    monkeypatch.setitem(sys.modules, "argon2.low_level", None)
    assert argon2_hashes.quickest() is by_openssl
