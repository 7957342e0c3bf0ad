"""Encryption of keys at rest, with a secret that is not in the database (engine: Keys at rest).

A database is *marked* once its keys are encrypted. The mark holds the salt of the derived key and a text
by which a secret is recognised. Plain keys are refused in a marked database: whoever can write to it,
but does not have the secret, cannot add a key of his own.
"""

from __future__ import annotations

import json
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hmac import digest
from typing import Any, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import SecretText

#: Every encrypted key begins like this, whatever the form.
ENCRYPTED_PREFIX = "supertokens_py-encrypted-"
#: Row of `key_value` that marks a database whose keys are encrypted.
MARK = "supertokens_py_keys_at_rest"

_FORM = ENCRYPTED_PREFIX + "2:"
_OLD_FORM = ENCRYPTED_PREFIX + "1:"
_NONCE_BYTES = 12
_SALT_BYTES = 16
_PURPOSE = b"supertokens_py keys at rest 2"
_OLD_PURPOSE = b"supertokens_py keys at rest 1"
_PEPPER_PURPOSE = b"supertokens_py refresh token successor pepper"
_CHECK = "keys are encrypted"
_SET_KEY = "set encryption_key (SUPERTOKENS_ENCRYPTION_KEY)"
_ANOTHER = "was encrypted with another encryption_key (SUPERTOKENS_ENCRYPTION_KEY)"


@dataclass(frozen=True, slots=True, eq=False)
class Cipher:
    """AES-256-GCM under one key; a text can be decrypted only under the label that it was stored under."""

    key: bytes = field(repr=False)
    form: str = _FORM

    def encrypt(self, text: str, *, label: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(self.key).encrypt(nonce, text.encode(), label.encode())
        return self.form + b64encode(nonce + sealed).decode()

    def decrypt(self, stored: str, *, label: str) -> SecretText | None:
        """Return the text, or None if it was encrypted in another form, by another key or elsewhere."""
        if not stored.startswith(self.form):
            return None
        try:
            raw = b64decode(stored.removeprefix(self.form))
            plain = AESGCM(self.key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], label.encode())
            return SecretText(plain.decode())
        except (ValueError, InvalidTag):
            return None


class AtRest:
    """How the keys of one database are stored: the configured secrets under the database's mark. Immutable.

    Args:
        settings: `encryption_key` is the secret to encrypt with, `previous_encryption_key` one that is
            accepted besides while the first is introduced or changed.
        mark: the value of the row `MARK`, or None.

    Raises:
        ConfigError: the mark cannot be read, or no configured secret belongs to it.
    """

    def __init__(self, settings: ResolvedEngineConfig, mark: str | None) -> None:
        own = settings.encryption_key
        self.mark = mark
        self._secrets = (own, settings.previous_encryption_key)
        given = [secret for secret in self._secrets if secret is not None]
        self._old = [_old_cipher(secret) for secret in given]
        self._own: Cipher | None = None
        self._known: list[Cipher] = []
        self._writer: Cipher | None = None
        if mark is not None:
            salt, check = _parsed(mark)
            self._known = [_cipher(secret, salt) for secret in given]
            self._own = None if own is None else self._known[0]
            self._writer = self._of_check(check)

    def _of_check(self, check: str) -> Cipher:
        for cipher in self._known:
            if cipher.decrypt(check, label=MARK) == _CHECK:
                return cipher
        if not self._known:
            raise ConfigError(f"the keys in the database are encrypted: {_SET_KEY}")
        raise ConfigError(f"what the database holds {_ANOTHER}")

    @property
    def peppers(self) -> list[bytes]:
        """What successors of refresh tokens may have been derived with; the first one is for new ones.

        None (`b""`) is always among them: a successor from before the secret was set is recognised.
        """
        own, *others = [b"" if secret is None else _pepper(secret) for secret in self._secrets]
        return list(dict.fromkeys((own, b"", *others)))

    def protect(self, text: str, *, label: str) -> SecretText:
        """Return what to store under `label`; it can be read back only there."""
        return SecretText(text if self._writer is None else self._writer.encrypt(text, label=label))

    def reveal(self, stored: str, *, label: str) -> SecretText:
        """Return the text that was stored under `label`.

        Raises:
            ConfigError: it was encrypted with another secret, or with one where none is configured, or it
                is plain in a database whose keys are encrypted.
        """
        if not stored.startswith(ENCRYPTED_PREFIX):
            if self.mark is not None:
                raise ConfigError(
                    f"{label} in the database is not encrypted, and every other key is: somebody without the "
                    "encryption_key wrote it. Delete that row, and find out who could write it"
                )
            return SecretText(stored)
        for cipher in (*self._known, *self._old):
            text = cipher.decrypt(stored, label=label)
            if text is not None:
                return text
        if self.mark is None and stored.startswith(_FORM):
            raise ConfigError(
                f"{label} in the database is encrypted, but the row {MARK!r} of key_value, which belongs to "
                "it, is missing: restore it from a backup"
            )
        if not self._old:
            raise ConfigError(f"{label} in the database is encrypted: {_SET_KEY}")
        raise ConfigError(f"{label} in the database {_ANOTHER}")

    @property
    def is_own(self) -> bool:
        """Whether the database is marked by `encryption_key`, so that new keys are encrypted with it."""
        return self._own is not None and self._writer is self._own

    def is_current(self, stored: str) -> bool:
        """Return whether a stored key is encrypted in the form and with the secret of now."""
        return self.is_own and stored.startswith(_FORM)


def renewed_mark(settings: ResolvedEngineConfig, mark: str | None) -> str:
    """Return the mark of a database whose keys are encrypted with `encryption_key`; its salt stays."""
    salt = secrets.token_bytes(_SALT_BYTES) if mark is None else _parsed(mark)[0]
    secret = settings.encryption_key
    if secret is None:
        raise ConfigError(f"no secret to encrypt with: {_SET_KEY}")
    return json.dumps({"salt": salt.hex(), "check": _cipher(secret, salt).encrypt(_CHECK, label=MARK)})


def is_strong(secret: str) -> bool:
    """Return whether a secret is a key (32 bytes in hex or base64) rather than a passphrase."""
    return _raw_key(secret) is not None


def _parsed(mark: str) -> tuple[bytes, str]:
    try:
        values = cast("Mapping[str, Any]", json.loads(mark))
        return bytes.fromhex(values["salt"]), str(values["check"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"the row {MARK!r} of key_value is damaged: restore it from a backup") from error


# Not salted by the mark: processes that do not know of the mark yet must recognise each other's successors.
@lru_cache(maxsize=8)
def _pepper(secret: str) -> bytes:
    return digest(_cipher(secret, _PEPPER_PURPOSE).key, _PEPPER_PURPOSE, "sha256")


# A passphrase takes a quarter of a second and 32 MiB to derive from, once per process and database.
@lru_cache(maxsize=32)
def _cipher(secret: str, salt: bytes) -> Cipher:
    raw = _raw_key(secret)
    if raw is not None:
        return Cipher(HKDF(algorithm=SHA256(), length=32, salt=salt, info=_PURPOSE).derive(raw))
    return Cipher(Scrypt(salt=salt, length=32, n=2**15, r=8, p=3).derive(secret.encode()))


def _old_cipher(secret: str) -> Cipher:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_OLD_PURPOSE).derive(secret.encode())
    return Cipher(key, _OLD_FORM)


def _raw_key(secret: str) -> bytes | None:
    if re.fullmatch("[0-9a-fA-F]{64}", secret):
        return bytes.fromhex(secret)
    if re.fullmatch(r"[0-9A-Za-z+/_-]{43}=", secret):
        return b64decode(secret.replace("-", "+").replace("_", "/"))
    return None
