"""Stored hashes of passwords: which forms there are, and how each is compared.

New ones are Argon2id (`passwords`). Others come from official databases, and from other frameworks by import.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from supertokens_py.engine.config import MAX_ARGON2_WORK
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.secret import SecretBytes, SecretText

from . import flask_security_hashes
from .argon2_hashes import Argon2, Argon2Parameters, argon2
from .flask_security_hashes import Check

BCRYPT_BYTES = 72  #: bcrypt reads no more, and its package refuses more
MISSING_BCRYPT = "passwords that bcrypt hashed need the extra 'emailpassword' (docs/installation.md)"
_MAX_HASH = 256  # characters, as wide as the official column

#: What a stored hash may ask for: an imported one must not be able to take all memory, or minutes.
_MAX_MEMORY_KB, _MAX_ITERATIONS, _MAX_LANES = 1 << 20, 64, 64
_MAX_BCRYPT_COST, _MAX_PBKDF2_ITERATIONS, _MAX_SCRYPT_WORK = 16, 10_000_000, 1 << 24

_BCRYPT_BASE64 = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_CUT_OFF = "the password hash is cut off"
_DAMAGED = "the password hash is damaged: nothing can compute it"

# ASCII digits, since `int` reads those of every script.
_ARGON2 = re.compile(
    r"\$(argon2id|argon2i|argon2d)\$v=19\$m=([1-9][0-9]{0,7}),t=([1-9][0-9]{0,3}),p=([1-9][0-9]{0,2})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,171})"
)
BCRYPT = re.compile(r"\$2[abxy]\$([0-9][0-9])\$[./A-Za-z0-9]{53}")
_DJANGO_BCRYPT = re.compile(r"bcrypt_sha256\$(\$2[abxy]\$([0-9][0-9])\$[./A-Za-z0-9]{53})")
_PASSLIB_BCRYPT = re.compile(
    r"\$bcrypt-sha256\$v=2,t=2b,r=([0-9]{1,2})\$([./A-Za-z0-9]{22})\$([./A-Za-z0-9]{31})"
)
_DJANGO_PBKDF2 = re.compile(
    r"pbkdf2_(sha256|sha1)\$([0-9]{1,8})\$([!-#%-~]{1,128})\$([A-Za-z0-9+/]{22,86}=*)"
)
_PASSLIB_PBKDF2 = re.compile(
    r"\$pbkdf2(?:-(sha256|sha512))?\$([0-9]{1,8})\$([A-Za-z0-9./]{0,128})\$([A-Za-z0-9./]{22,86})"
)
_WERKZEUG_PBKDF2 = re.compile(
    r"pbkdf2:(sha256|sha512|sha1):([0-9]{1,8})\$([A-Za-z0-9]{1,128})\$([0-9a-f]{40,128})"
)

_DJANGO_SCRYPT = re.compile(
    r"scrypt\$([0-9]{1,8})\$([!-#%-~]{1,128})\$([0-9]{1,3})\$([0-9]{1,3})\$([A-Za-z0-9+/]{43,86}=*)"
)
_PASSLIB_SCRYPT = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,3}),p=([0-9]{1,3})\$([A-Za-z0-9./+]{0,128})\$([A-Za-z0-9./+]{43,86})"
)
_WERKZEUG_SCRYPT = re.compile(
    r"scrypt:([0-9]{1,8}):([0-9]{1,3}):([0-9]{1,3})\$([A-Za-z0-9]{1,128})\$([0-9a-f]{64,128})"
)

#: What Django writes before a hash in the form of its author.
_DJANGO_NAMES = re.compile(r"(?:argon2(?=\$argon2)|bcrypt\$(?=\$2))")

_KNOWN = (
    "Argon2 ($argon2id$v=19$…), bcrypt ($2b$…), PBKDF2 (pbkdf2_sha256$…) and scrypt (scrypt$…) are verified"
)
_REFUSED = {
    "$f_scrypt$": "hashes of Firebase are not supported",
    "$bcrypt-sha256$": "of passlib's bcrypt_sha256 only version 2 with $2b$ is supported",
    "!": "this is Django's mark of an account without a password",
    "$argon2": "only version 19 of Argon2 without further parameters is supported",
}


def importable_form(given: str) -> str:
    """Return the form in which a hash of another system is stored here.

    Raises:
        BadInputError: says why it could never be verified; it does not repeat the hash.
        ConfigError: it is bcrypt's, whose package is not installed.
    """
    stored = _DJANGO_NAMES.sub("", given, count=1) if given[:1] in "ab" else given
    if len(stored) <= _MAX_HASH and any(form.fullmatch(stored) for form in (_ARGON2, *_FORMS)):
        check_of(stored)
        return stored
    for beginning, reason in _REFUSED.items():
        if given.startswith(beginning):
            raise BadInputError(f"{reason}: such users have to reset their passwords")
    raise BadInputError(f"the password hash has none of the supported forms: {_KNOWN}")


def importable_form_of_flask_security(given: str, *, single: bool) -> SecretText:
    """Return the form in which a hash of Flask-Security is stored here.

    With `single`, or where Django's form shows it, it is one of the password itself.

    Raises:
        BadInputError, ConfigError: as `importable_form`.
    """
    stored = flask_security_hashes.marked(
        importable_form(given), hashed_twice=is_hashed_twice(given) and not single
    )
    if len(stored) > _MAX_HASH:
        raise BadInputError("the password hash is too long")
    return stored


def is_hashed_twice(given: str) -> bool:
    """Return whether Flask-Security makes a hash of this form, unless configured otherwise, from an HMAC."""
    return given.startswith("$")  # those of passlib; the others are Django's


def check_of(
    stored: str, flask_security_salt: str | None = None, *, compute_argon2: Argon2 = argon2
) -> Check:
    """Return what compares a password with a stored hash.

    Raises:
        BadInputError: it has no known form, is damaged, asks for too much memory or time, or needs a salt.
        ConfigError: it is bcrypt's, whose package is not installed.
    """
    if marked := flask_security_hashes.MARKED.fullmatch(stored):
        check = check_of(SecretText(marked[2]), compute_argon2=compute_argon2)
        return flask_security_hashes.check_of(marked, check, flask_security_salt)
    if made := _ARGON2.fullmatch(stored):
        return _argon2(made, compute_argon2)
    for form, check in _FORMS.items():
        if made := form.fullmatch(stored):
            return check(made)
    raise BadInputError("the password hash has none of the supported forms")


def reads_all_of(stored: str, secret: bytes) -> bool:
    """Return whether a comparison with a stored hash looks at every byte of a password."""
    is_bcrypt = BCRYPT.fullmatch(flask_security_hashes.bare(stored)) is not None
    return not is_bcrypt or flask_security_hashes.bytes_hashed(stored, secret) <= BCRYPT_BYTES


def lanes_of(stored: str) -> int:
    """Return in how many lanes a stored hash is computed: 1 where it is not Argon2's."""
    parameters = argon2_parameters_of(flask_security_hashes.bare(stored))
    return 1 if parameters is None else parameters.lanes


def argon2_parameters_of(stored: str) -> Argon2Parameters | None:
    """Return how a stored hash is computed, unless it is not Argon2's."""
    made = _ARGON2.fullmatch(stored)
    return None if made is None else _parameters(made)


def _parameters(made: re.Match[str]) -> Argon2Parameters:
    return Argon2Parameters(made[1], int(made[2]), int(made[3]), int(made[4]))


def _argon2(made: re.Match[str], compute: Argon2) -> Check:
    parameters = _parameters(made)
    memory, iterations, lanes = parameters.memory_kb, parameters.iterations, parameters.lanes
    _refuse_beyond(memory > _MAX_MEMORY_KB or iterations > _MAX_ITERATIONS or lanes > _MAX_LANES)
    _refuse_beyond(memory * iterations > MAX_ARGON2_WORK)
    if memory < 8 * lanes or not all(map(_is_strict_base64, made.group(5, 6))):
        raise BadInputError(_DAMAGED)
    salt, digest = SecretBytes(_decoded(made[5])), SecretBytes(_decoded(made[6]))

    def equals(secret: bytes) -> bool:
        return hmac.compare_digest(compute(secret, salt, parameters, len(digest)), digest)

    return equals


def _bcrypt(made: re.Match[str]) -> Check:
    return _bcrypt_of(made[0], int(made[1]), lambda secret: secret[:BCRYPT_BYTES])


def _django_bcrypt(made: re.Match[str]) -> Check:
    return _bcrypt_of(made[1], int(made[2]), lambda secret: hashlib.sha256(secret).hexdigest().encode())


def _passlib_bcrypt(made: re.Match[str]) -> Check:
    cost, salt = int(made[1]), made[2].encode()

    def digest(secret: bytes) -> bytes:
        return b64encode(hmac.digest(salt, secret, "sha256"))

    return _bcrypt_of(f"$2b${cost:02}${made[2]}{made[3]}", cost, digest)


def _bcrypt_of(stored: str, cost: int, prepare: Callable[[bytes], bytes]) -> Check:
    # Some programs wrote salts, or digests, whose last characters have stray bits: they mean the same.
    salt_end, end = _without_bits(stored[28], 4), _without_bits(stored[59], 2)
    stored = SecretText(f"{stored[:28]}{salt_end}{stored[29:59]}{end}")
    _refuse_beyond(not 4 <= cost <= _MAX_BCRYPT_COST)
    try:
        bcrypt: Any = importlib.import_module("bcrypt")
    except ImportError as error:
        raise ConfigError(MISSING_BCRYPT) from error
    return lambda secret: bcrypt.checkpw(prepare(secret), stored.encode())


def _django_pbkdf2(made: re.Match[str]) -> Check:
    return _pbkdf2(made, made[3].encode(), _decoded(made[4]))


def _passlib_pbkdf2(made: re.Match[str]) -> Check:
    return _pbkdf2(made, _decoded_salt(made[3]), _decoded(made[4]))


def _werkzeug_pbkdf2(made: re.Match[str]) -> Check:
    return _pbkdf2(made, made[3].encode(), bytes.fromhex(made[4]) if len(made[4]) % 2 == 0 else b"")


def _pbkdf2(made: re.Match[str], salt: bytes, digest: bytes) -> Check:
    algorithm, iterations = made[1] or "sha1", int(made[2])
    _refuse_beyond(not 0 < iterations <= _MAX_PBKDF2_ITERATIONS)
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise BadInputError(_CUT_OFF)

    def equals(secret: bytes) -> bool:
        return hmac.compare_digest(hashlib.pbkdf2_hmac(algorithm, secret, salt, iterations), digest)

    return equals


def _django_scrypt(made: re.Match[str]) -> Check:
    return _scrypt(int(made[1]), int(made[3]), int(made[4]), made[2].encode(), _decoded(made[5]))


def _passlib_scrypt(made: re.Match[str]) -> Check:
    return _scrypt(1 << int(made[1]), int(made[2]), int(made[3]), _decoded_salt(made[4]), _decoded(made[5]))


def _werkzeug_scrypt(made: re.Match[str]) -> Check:
    digest = bytes.fromhex(made[5]) if len(made[5]) % 2 == 0 else b""
    return _scrypt(int(made[1]), int(made[2]), int(made[3]), made[4].encode(), digest)


def _scrypt(n: int, r: int, p: int, salt: bytes, digest: bytes) -> Check:
    is_cost = n >= 2 and n & (n - 1) == 0 and r > 0 and p > 0
    _refuse_beyond(not is_cost or n * r > 8 * _MAX_MEMORY_KB or n * r * p > _MAX_SCRYPT_WORK)
    if len(digest) < 32:
        raise BadInputError(_CUT_OFF)
    if n >= 1 << 16 * r:  # what scrypt is defined for; OpenSSL says that its memory is too small
        raise BadInputError(_DAMAGED)

    def equals(secret: bytes) -> bool:
        made = Scrypt(salt=salt, length=len(digest), n=n, r=r, p=p).derive(secret)
        return hmac.compare_digest(made, digest)

    return equals


def _without_bits(character: str, bits: int) -> str:
    """Return a character of bcrypt's Base64 without its lowest bits."""
    return _BCRYPT_BASE64[_BCRYPT_BASE64.index(character) >> bits << bits]


def _is_strict_base64(text: str) -> bool:
    return b64encode(_decoded(text)).decode().rstrip("=") == text


def _decoded_salt(text: str) -> bytes:
    salt = _decoded(text)
    if text and not salt:
        raise BadInputError(_DAMAGED)
    return salt


def _decoded(text: str) -> bytes:
    """Return what Base64 says, with or without padding, with passlib's "." for "+"; nothing if it is none."""
    bare = text.rstrip("=").replace(".", "+")
    try:
        return b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except ValueError:
        return b""


def _refuse_beyond(asks_for_too_much: bool) -> None:
    if asks_for_too_much:
        raise BadInputError("the password hash asks for more memory or time than a sign-in may take")


_FORMS: dict[re.Pattern[str], Callable[[re.Match[str]], Check]] = {
    BCRYPT: _bcrypt,
    _DJANGO_BCRYPT: _django_bcrypt,
    _PASSLIB_BCRYPT: _passlib_bcrypt,
    _DJANGO_PBKDF2: _django_pbkdf2,
    _PASSLIB_PBKDF2: _passlib_pbkdf2,
    _WERKZEUG_PBKDF2: _werkzeug_pbkdf2,
    _DJANGO_SCRYPT: _django_scrypt,
    _PASSLIB_SCRYPT: _passlib_scrypt,
    _WERKZEUG_SCRYPT: _werkzeug_scrypt,
}
