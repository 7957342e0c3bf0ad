"""Passwords as they are stored and compared."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

import bcrypt
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import passwords
from supertokens_py.engine.embedded.passwords import Passwords, check_importable
from supertokens_py.exceptions import BadInputError, ConfigError

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}


def made(**settings: Any) -> Passwords:
    return Passwords(EngineConfig(**{**QUICK, **settings}).resolve({}))


def test_defaults_are_those_of_an_official_core() -> None:
    """Any core, and any library that reads the usual form, verifies the hashes."""
    stored = Passwords(EngineConfig().resolve({})).hash("a password 1")
    assert stored.startswith("$argon2id$v=19$m=87795,t=1,p=2$")
    Argon2id.verify_phc_encoded(b"a password 1", stored)


@pytest.mark.parametrize(
    "password",
    [
        "p",
        " leading and trailing ",
        "пароль-密码-🔑",
        "é",
        "x" * 1024,
        "ß" * 512,
        "a\0b",
    ],
)
def test_a_password_is_hashed_as_it_was_sent(password: str) -> None:
    """Nothing is trimmed, cut or normalised: the other way to write "é" is another password."""
    own = made()
    stored = own.hash(password)
    assert own.verify(password, stored)
    assert not own.verify(password + "x", stored)
    assert not own.verify(password.strip() + "?", stored)
    assert not own.verify("e\N{COMBINING ACUTE ACCENT}", stored)


def test_two_hashes_of_one_password_differ() -> None:
    own = made()
    assert own.hash("p") != own.hash("p")


@pytest.mark.parametrize("password", ["", "x" * 1025, "ß" * 513, "\ud800"])
def test_what_cannot_be_a_password_is_refused_before_any_work(
    password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = made()
    stored = own.hash("p")
    monkeypatch.setattr(own, "_slowly", None)  # calling it would fail
    with pytest.raises(BadInputError, match="1 to 1024 bytes"):
        own.hash(password)
    assert not own.verify(password, stored)
    assert not own.verify(password, None)


@pytest.mark.parametrize("variant", [Argon2id, Argon2i, Argon2d])
def test_every_argon2_is_verified(variant: Any) -> None:
    """Official databases and other programs hold all three."""
    kind = variant(salt=os.urandom(16), length=32, iterations=2, lanes=1, memory_cost=64)
    stored = kind.derive_phc_encoded(b"p")
    assert made().verify("p", stored)
    assert not made().verify("q", stored)
    check_importable(stored)


def test_a_password_that_bcrypt_read_in_part_is_not_hashed_again() -> None:
    """Its end was not compared: a typing error there would become the password."""
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert made().is_outdated("x" * 72, stored)
    assert not made().is_outdated("x" * 73, stored)
    assert not made().is_outdated("x" * 70 + "\u20ac", stored)  # 73 bytes


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_bcrypt_is_verified(prefix: str) -> None:
    """It reads 72 bytes, as in a core; its package refuses more."""
    stored = prefix + bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()[4:]
    assert made().verify("x" * 72, stored)
    assert made().verify("x" * 100, stored)
    assert not made().verify("x" * 71, stored)
    check_importable(stored)


def test_bcrypt_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = bcrypt.hashpw(b"p", bcrypt.gensalt(4)).decode()
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    with pytest.raises(ConfigError, match=r"supertokens-py\[emailpassword\]"):
        made().verify("p", stored)


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ("", "neither"),
        ("plain", "neither"),
        ("$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "neither"),
        ("$2a$11$short", "neither"),
        ("$f_scrypt$hash$salt$m=14$r=8$s=sep", "Firebase"),
        (f"$argon2id$v=19$m=9999999,t=1,p=1${'A' * 22}${'A' * 43}", "more memory"),
        (f"$argon2id$v=19$m=64,t=999,p=1${'A' * 22}${'A' * 43}", "more memory"),
    ],
)
def test_a_hash_that_cannot_be_verified_is_not_imported(stored: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        check_importable(stored)


def test_a_stored_text_of_unknown_form_equals_nothing() -> None:
    assert not made().verify("plain", "plain")
    assert not made().verify("p", f"$argon2id$v=19$m=1,t=1,p=8${'A' * 22}${'A' * 43}")


@pytest.mark.parametrize("field", ["argon2_memory_kb", "argon2_iterations", "argon2_parallelism"])
def test_a_hash_of_other_parameters_is_outdated(field: str) -> None:
    stored = made().hash("p")
    assert not made().is_outdated("p", stored)
    assert made(**{field: {"argon2_memory_kb": 2048}.get(field, 3)}).is_outdated("p", stored)
    assert made().is_outdated("p", bcrypt.hashpw(b"p", bcrypt.gensalt(4)).decode())


def test_only_so_many_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes 86 MiB by default: eight sign-ins at once wait for each other, two by two."""
    own = made(argon2_hashing_pool_size=2)
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def derive(kind: Any, secret: bytes) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(timeout=20)  # two at a time do run together
        with lock:
            running -= 1
        return "done"

    class Slow:
        derive_phc_encoded = derive

    monkeypatch.setattr(passwords, "Argon2id", lambda **_: Slow())
    threads = [threading.Thread(target=own.hash, args=("p",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks nothing")
def test_a_child_that_was_forked_during_a_hash_computes_its_own() -> None:
    """The slot of a thread that the child does not have is free again."""
    own = made(argon2_hashing_pool_size=1)
    with own._slots:
        child = os.fork()
        if child == 0:
            os._exit(0 if own.hash("p") else 1)
    assert os.waitpid(child, 0)[1] == 0
