"""Passwords as they are stored and compared."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import bcrypt
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.signin.argon2_hashes import Argon2, Argon2Parameters, argon2
from supertokens_py.engine.embedded.signin.password_hashes import importable_form
from supertokens_py.engine.embedded.signin.passwords import Passwords
from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError

from .conftest import EACH_ARGON2

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}


def made(compute: Argon2 = argon2, **settings: Any) -> Passwords:
    return Passwords(EngineConfig(**{**QUICK, **settings}).resolve({}), compute)


@EACH_ARGON2
def test_defaults_are_those_of_an_official_core(compute: Argon2) -> None:
    """SI-25. Any core, and any library that reads the usual form, verifies the hashes."""
    stored = Passwords(EngineConfig().resolve({}), compute).hash("a password 1")
    assert stored.startswith("$argon2id$v=19$m=87795,t=1,p=2$")
    Argon2id.verify_phc_encoded(b"a password 1", stored)


# In a process of its own, since deadlocked threads cannot be ended.
_AT_ONCE = """
import os, signal, sys, threading
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.signin import argon2_hashes
from supertokens_py.engine.embedded.signin.passwords import Passwords

compute = getattr(argon2_hashes, sys.argv[1])
apps = [Passwords(EngineConfig().resolve({}), compute) for _ in range(2)]
stored = apps[0].hash("a password 1")
answers = []

def ask(app, text, kept):
    for _ in range(4):
        answers.append(app.verify(text, kept))

calls = [(apps[0], "a password 1", stored), (apps[1], "a password 1", stored), (apps[0], "another", None)]
threads = [threading.Thread(target=ask, args=call) for call in calls]
for thread in threads:
    thread.start()
child = os.fork()  # while they are computing
if child == 0:
    signal.alarm(100)
    os._exit(0 if apps[0].verify("a password 1", stored) else 1)
for thread in threads:
    thread.join()
print(sorted(answers), os.waitpid(child, 0)[1])
"""


@EACH_ARGON2
def test_hashes_of_several_lanes_are_computed_at_once_and_beside_a_fork(compute: Argon2) -> None:
    """With the default parameters. Two of them had deadlocked."""
    command = [sys.executable, "-W", "ignore", "-c", _AT_ONCE, compute.__name__]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170)
    assert (done.stdout, done.stderr) == (f"{[False] * 4 + [True] * 8} 0\n", "")


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
@EACH_ARGON2
def test_a_password_is_hashed_as_it_was_sent(compute: Argon2, password: str) -> None:
    """Nothing is trimmed, cut or normalised: the other way to write "é" is another password."""
    own = made(compute)
    stored = own.hash(password)
    assert own.verify(password, stored)
    assert not own.verify(password + "x", stored)
    assert not own.verify(password.strip() + "?", stored)
    assert not own.verify("e\N{COMBINING ACUTE ACCENT}", stored)


@EACH_ARGON2
def test_two_hashes_of_one_password_differ(compute: Argon2) -> None:
    own = made(compute)
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


@EACH_ARGON2
@pytest.mark.parametrize("variant", [Argon2id, Argon2i, Argon2d])
def test_every_argon2_is_verified(variant: Any, compute: Argon2) -> None:
    """SI-25. Official databases and other programs hold all three."""
    kind = variant(salt=os.urandom(16), length=32, iterations=2, lanes=1, memory_cost=64)
    stored = kind.derive_phc_encoded(b"p")
    assert made(compute).verify("p", stored)
    assert not made(compute).verify("q", stored)
    assert importable_form(stored) == stored


def test_a_password_that_bcrypt_read_in_part_is_not_hashed_again() -> None:
    """Its end was not compared: a typing error there would become the password."""
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert made().is_outdated("x" * 72, stored)
    assert not made().is_outdated("x" * 73, stored)
    assert not made().is_outdated("x" * 70 + "\u20ac", stored)  # 73 bytes


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2y$"])
def test_bcrypt_is_verified(prefix: str) -> None:
    """SI-25. It reads 72 bytes, as in a core; its package refuses more."""
    stored = prefix + bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()[4:]
    assert made().verify("x" * 72, stored)
    assert made().verify("x" * 100, stored)
    assert not made().verify("x" * 71, stored)
    assert importable_form(stored) == stored


def test_bcrypt_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = bcrypt.hashpw(b"p", bcrypt.gensalt(4)).decode()
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    with pytest.raises(ConfigError, match="the extra 'emailpassword'"):
        made().verify("p", stored)


#: Hashes of "correct horse 1 é" as Django 5.2, passlib 1.7 (Flask-Security) and Werkzeug 3 write them.
FOREIGN_PASSWORD = "correct horse 1 é"
FOREIGN_HASHES = {
    "Django": "pbkdf2_sha256$10$seasalt$vvODpJvD8CPIrOiMu0YfTDFoePLiFmZ7bs1SQLEtUeM=",
    "Django, SHA-1": "pbkdf2_sha1$10$seasalt$BPImI1NrfKjGcpt/td9izbzo2Kk=",
    "Django, Argon2": (
        "argon2$argon2id$v=19$m=64,t=1,p=1"
        "$eWVyNnhZZFdaRzZKUWl0NUowOVFPNg$7L3gOzJJ1+x/xkO2lT1mrYjMlxGI2I6rVjnXRv9n7jo"
    ),
    "Django, bcrypt of SHA-256": "bcrypt_sha256$$2b$04$NjabxijD9XQqd3HNNhAcPuAzPF2iOrAow9zEwDIT/WzkqeIaoDRLe",
    "Django, bcrypt": "bcrypt$$2b$04$Bwc06FjqHLD6i2HfI16KnOAE6vBiEkQlDNXTPrA0Qc2vrB8FeccjG",
    "passlib": "$pbkdf2-sha256$10$jtEaAyBESAnB.B/DOCcEwA$0QwZv87HGjYf/XTPs.Tww/EReMWMuFpJ.3Tq7dlpAvA",
    "passlib, SHA-512": (
        "$pbkdf2-sha512$10$zxkD4JwTQogxpjTmPGfMuQ"
        "$KLrGyEKSi8RFKsZiMz2tHgvdzXFXxeVfZqx5aFOQ13qo0.ryuLHRQy2YR4HzwwKEKxMAAP.rNBJEdA7emBeqYQ"
    ),
    "passlib, SHA-1": "$pbkdf2$10$MyZkzHnvXas1RkiJ8T7nXA$fN/v7G0cJs44HtjQkdqYU.EA/Oc",
    "passlib, Argon2": (
        "$argon2id$v=19$m=64,t=1,p=1$d6611lorBUAIYWyttfY+pw$s4yoRkraXV4gQiyrI0Hor5joPTKkeIKH8q3UTdqaf1w"
    ),
    "passlib, bcrypt": "$2b$04$GsTn6Hk00GtxBTPtuW4kjuZUbJGGVotBkC.yupGTJdTo.iIW1GW1e",
    "passlib, bcrypt of SHA-256": (
        "$bcrypt-sha256$v=2,t=2b,r=4$fZA.xP0joSfHF/YUx5PWjO$Qi7MlZkg/5kfXA/DVdVJMn/M/oJQ3vm"
    ),
    "Django, scrypt": (
        "scrypt$2$seasalt$8$5$"
        "054xX9N+ZZW4qmleZYKtNR0wGQrOzKDHI0u/LGt0AJWAONlf1OxpmnGeef1V5kRFvl5QNQYNMRTwjoSWHlLUEg=="
    ),
    "passlib, scrypt": (
        "$scrypt$ln=4,r=8,p=1$K2UsZWytFaLU+v//v5cSQg$N/Ft1XDLOkiOnXP/h0ACeVTG8LIXkvKkyKcpqcc8faE"
    ),
    "Werkzeug, scrypt": (
        "scrypt:32768:8:1$CDX4kq4Emn2D6edQ$c8c380dab00f93cd95020622eb7f2120e6f23182e09bd0ed1c95bc5f6b31f5b6"
        "28b39be45bed3a01900aa98cc470d41ae3c324df39ae2ed59ffa91767ae724d8"
    ),
    "Werkzeug": (
        "pbkdf2:sha256:10$tOXVFTWAbHYMPaZ1$27441db9fc6ab3993de5bbc3e366098903c7658ea6107737cc6d735d49b1c318"
    ),
}


@EACH_ARGON2
@pytest.mark.parametrize("hashed", FOREIGN_HASHES.values(), ids=FOREIGN_HASHES)
def test_hashes_of_other_frameworks_are_verified(hashed: str, compute: Argon2) -> None:
    """And replaced at the first sign-in, for none has the configured parameters."""
    stored = importable_form(hashed)
    assert len(stored) <= 256
    assert made(compute).verify(FOREIGN_PASSWORD, stored)
    assert not made(compute).verify(FOREIGN_PASSWORD + " ", stored)
    assert made(compute).is_outdated(FOREIGN_PASSWORD, stored)


@pytest.mark.parametrize("hashed", FOREIGN_HASHES.values(), ids=FOREIGN_HASHES)
def test_digits_of_other_scripts_are_no_digits(hashed: str) -> None:
    """Python reads them, and no other program does that shares the database."""
    for place, character in enumerate(hashed):
        if character.isdigit():
            other = f"{hashed[:place]}{chr(ord('٠') + int(character))}{hashed[place + 1 :]}"
            with pytest.raises(BadInputError, match=r"none of the supported forms|only version"):
                importable_form(other)


@pytest.mark.parametrize("framework", ["Django", "Django, bcrypt of SHA-256", "passlib, bcrypt of SHA-256"])
def test_a_hash_of_a_whole_long_password_is_renewed(framework: str) -> None:
    """Only bcrypt by itself stops after 72 bytes."""
    assert made().is_outdated("x" * 100, importable_form(FOREIGN_HASHES[framework]))


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        ("", "none of the supported forms"),
        ("plain", "none of the supported forms"),
        ("md5$salt$5f4dcc3b5aa765d61d8327deb882cf99", "none of the supported forms"),
        ("$6$salt$" + "a" * 86, "none of the supported forms"),
        ("$argon2id$v=16$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA", "only version 19"),
        ("$2a$11$short", "none of the supported forms"),
        ("$f_scrypt$hash$salt$m=14$r=8$s=sep", "hashes of Firebase are not supported: such users have to"),
        (f"scrypt$3$seasalt$8$5${'A' * 86}==", "more memory or time"),
        (f"scrypt$2$seasalt$8$5${'A' * 45}===", "is cut off"),
        (f"scrypt:8388608:8:1$salt${'0' * 128}", "more memory or time"),
        (f"scrypt:16:8:1$salt${'0' * 65}", "is cut off"),
        (f"$scrypt$ln=99,r=8,p=1$5DyHsLYWAuB8D0EoBSDE2A${'A' * 43}", "more memory or time"),
        ("scrypt:32768:8:1$salt$0011", "none of the supported forms"),
        ("$bcrypt-sha256$2b,4$lTFuGytzrB3RrTboKtul6u$YfB8F3wNBfQGipw.eTeaDntG7hnGvIu", "only version 2"),
        ("!f1n4OSszhZgnsN6sAbHkhMrpWOSdupSdBzJikMdX", "an account without a password"),
        (f"$argon2id$v=19$m=9999999,t=1,p=1${'A' * 22}${'A' * 43}", "more memory"),
        (f"$argon2id$v=19$m=64,t=999,p=1${'A' * 22}${'A' * 43}", "more memory"),
        ("$2b$31$GsTn6Hk00GtxBTPtuW4kjuZUbJGGVotBkC.yupGTJdTo.iIW1GW1e", "more memory or time"),
        (f"pbkdf2_sha256$99999999$salt${'A' * 43}=", "more memory or time"),
        (f"pbkdf2_sha256$0$salt${'A' * 43}=", "more memory or time"),
        (f"pbkdf2_sha256$10$salt${'A' * 30}==", "is cut off"),
        (f"pbkdf2_sha256$10$salt${'A' * 45}===", "is cut off"),
        (f"pbkdf2:sha256:10$salt${'a' * 63}", "is cut off"),
        (f"$argon2id$v=19$m=64,t=1,p=1${'A' * 86}${'A' * 160}", "none of the supported|only version 19"),
        (f"$argon2id$v=19$m=1048576,t=7,p=1${'A' * 22}${'A' * 43}", "more memory or time"),
        (f"$argon2id$v=19$m=15,t=1,p=2${'A' * 22}${'A' * 43}", "is damaged"),
        (f"$argon2id$v=19$m=64,t=0,p=1${'A' * 22}${'A' * 43}", "only version 19"),
        (f"$argon2id$v=19$m=64,t=1,p=0${'A' * 22}${'A' * 43}", "only version 19"),
        (f"$argon2id$v=19$m=064,t=1,p=1${'A' * 22}${'A' * 43}", "only version 19"),
        (f"$argon2id$v=19$m=64,t=1,p=1${'A' * 21}B${'A' * 43}", "is damaged"),
        (f"$argon2id$v=19$m=64,t=1,p=1${'A' * 21}${'A' * 43}", "is damaged"),
        (f"$argon2id$v=19$m=64,t=1,p=1${'A' * 22}${'A' * 42}B", "is damaged"),
        ("$2b$17$GsTn6Hk00GtxBTPtuW4kjuZUbJGGVotBkC.yupGTJdTo.iIW1GW1e", "more memory or time"),
        (f"pbkdf2_sha256$10000001$salt${'A' * 43}=", "more memory or time"),
        (f"$pbkdf2-sha256$10$AAAAA${'A' * 43}", "is damaged"),
        (f"scrypt$65536$seasalt$1$1${'A' * 86}==", "is damaged"),
        (f"$scrypt$ln=16,r=1,p=1$AAAA${'A' * 43}", "is damaged"),
        (f"scrypt:1048576:8:3$salt${'0' * 128}", "more memory or time"),
    ],
)
def test_a_hash_that_cannot_be_verified_is_not_imported(stored: str, reason: str) -> None:
    """The reason does not repeat it: it may be a password."""
    with pytest.raises(BadInputError, match=reason) as refused:
        importable_form(stored)
    assert stored == "" or stored not in str(refused.value)


@pytest.mark.parametrize("cost", [4, 5])
def test_stray_bits_of_a_bcrypt_hash_mean_nothing(cost: int) -> None:
    """Some programs wrote them, in the last characters of the salt and of the digest."""
    stored = bcrypt.hashpw(b"p", bcrypt.gensalt(cost)).decode()
    alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    salt = alphabet[alphabet.index(stored[28]) + 15]
    end = alphabet[alphabet.index(stored[59]) + 3]
    stray = f"{stored[:28]}{salt}{stored[29:59]}{end}"
    assert importable_form(stray) == stray
    assert made().verify("p", stray)
    assert not made().verify("q", stray)


UNREADABLE = {
    "unknown form": "plain",
    "Argon2 with too little memory": f"$argon2id$v=19$m=1,t=1,p=8${'A' * 22}${'A' * 43}",
    "Argon2 without passes": f"$argon2id$v=19$m=64,t=0,p=1${'A' * 22}${'A' * 43}",
    "Argon2, damaged salt": f"$argon2id$v=19$m=64,t=1,p=1${'A' * 21}B${'A' * 43}",
    "bcrypt of too high a cost": "$2b$31$GsTn6Hk00GtxBTPtuW4kjuZUbJGGVotBkC.yupGTJdTo.iIW1GW1e",
    "scrypt beyond its definition": f"$scrypt$ln=16,r=1,p=1$AAAA${'A' * 43}",
    "PBKDF2, cut off": f"pbkdf2_sha256$10$salt${'A' * 30}==",
}


@pytest.mark.parametrize("stored", UNREADABLE.values(), ids=UNREADABLE)
def test_a_stored_text_that_nothing_can_compute_equals_no_password(
    stored: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After one hash, as for every wrong password; the log names the user once, and not the text."""
    computed: list[Argon2Parameters] = []

    def counted(secret: bytes, salt: bytes, parameters: Argon2Parameters, length: int) -> bytes:
        computed.append(parameters)
        return bytes(length)

    own = made(counted)
    for user_id in ("ada", "ada", "bob"):
        assert not own.verify("plain", stored, user_id)
    assert computed == [Argon2Parameters("argon2id", 1024, 1, 1)] * 3
    warnings = [record.getMessage() for record in caplog.records]
    assert [text.split(" cannot sign in")[0] for text in warnings] == ["user ada", "user bob"]
    assert stored not in caplog.text


def test_an_error_of_a_library_is_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else it cannot read."""

    def broken(*_: Any) -> bool:
        raise ValueError("Invalid salt")

    monkeypatch.setattr(bcrypt, "checkpw", broken)
    stored = "$2b$04$GsTn6Hk00GtxBTPtuW4kjuZUbJGGVotBkC.yupGTJdTo.iIW1GW1e"
    assert not made().verify("p", stored, "ada")


@pytest.mark.parametrize("method", ["hash", "verify", "verify nobody"])
def test_without_memory_for_a_hash_the_engine_is_unavailable(method: str) -> None:
    """An answer of 503; nothing says that the password is wrong, and the next one is computed."""
    is_full = threading.Event()

    def compute(*given: Any) -> bytes:
        if is_full.is_set():
            raise MemoryError("Not enough memory to derive key.")
        return argon2(*given)

    own = made(compute)
    stored = own.hash("p")
    calls = {
        "hash": lambda: own.hash("p"),
        "verify": lambda: own.verify("p", stored),
        "verify nobody": lambda: own.verify("p", None),
    }
    is_full.set()
    for _ in range(3):
        with pytest.raises(EngineUnavailableError, match="not enough memory"):
            calls[method]()
    is_full.clear()
    assert own.verify("p", stored)


@pytest.mark.parametrize("field", ["argon2_memory_kb", "argon2_iterations", "argon2_parallelism"])
def test_a_hash_of_other_parameters_is_outdated(field: str) -> None:
    stored = made().hash("p")
    assert not made().is_outdated("p", stored)
    assert made(**{field: {"argon2_memory_kb": 2048}.get(field, 3)}).is_outdated("p", stored)
    assert made().is_outdated("p", bcrypt.hashpw(b"p", bcrypt.gensalt(4)).decode())


def test_only_so_many_hashes_are_computed_at_once() -> None:
    """SI-26. Each takes 86 MiB by default: eight sign-ins at once wait for each other, two by two."""
    running, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2)

    def compute(secret: bytes, salt: bytes, parameters: Argon2Parameters, length: int) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(timeout=20)  # two at a time do run together
        with lock:
            running -= 1
        return bytes(length)

    own = made(compute, argon2_hashing_pool_size=2)
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
