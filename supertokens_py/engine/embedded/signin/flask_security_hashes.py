"""What Flask-Security does with a password before one of the usual hashes is computed.

It normalises the text (`SECURITY_PASSWORD_NORMALIZE_FORM`, NFKD), and takes an HMAC-SHA512 of it whose key is
`SECURITY_PASSWORD_SALT`, unless `SECURITY_PASSWORD_SINGLE_HASH` excepts the kind of hash. A hash does not
show that, so a mark before it does. The salt is a setting here as there: who copies the database alone can
guess at no password.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator

from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import SecretBytes, SecretText

Check = Callable[[bytes], bool]

#: The mark, how often the password was hashed, and the hash.
MARKED = re.compile(r"\$flask-security\$([12])\$(.+)")

_NO_SALT = "its hash is one of Flask-Security, and flask_security_password_salt is not set"


def marked(stored: str, *, hashed_twice: bool) -> SecretText:
    """Return the form in which a hash of Flask-Security is stored here."""
    return SecretText(f"$flask-security${2 if hashed_twice else 1}${stored}")


def bare(stored: str) -> SecretText:
    """Return a stored hash without a mark of Flask-Security."""
    made = MARKED.fullmatch(stored)
    return SecretText(stored if made is None else made[2])


def bytes_hashed(stored: str, secret: bytes) -> int:
    """Return how many bytes of a password itself are hashed; 0 where an HMAC of all of it is."""
    made = MARKED.fullmatch(stored)
    if made is None:
        return len(secret)
    return 0 if made[1] == "2" else max(map(len, _normalised(secret)))


def check_of(made: re.Match[str], check: Check, salt: str | None) -> Check:
    """Return what compares a password with a marked hash; `check` compares with what follows the mark.

    Raises:
        BadInputError: the hash needs the salt, which is not set.
    """
    if made[1] == "1":
        return lambda secret: any(map(check, _normalised(secret)))
    if salt is None:
        raise BadInputError(_NO_SALT)
    key = SecretBytes(salt.encode())

    def equals(secret: bytes) -> bool:
        inputs = (b64encode(hmac.digest(key, one, "sha512")) for one in _normalised(secret))
        return any(map(check, inputs))

    return equals


def _normalised(secret: bytes) -> Iterator[SecretBytes]:
    """Yield a password as current releases hash it, and as older ones and scripts do, if that differs."""
    normal = SecretBytes(unicodedata.normalize("NFKD", SecretText(secret.decode())).encode())
    yield normal
    if normal != secret:
        yield SecretBytes(secret)
