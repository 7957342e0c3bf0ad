"""Passwords as they are stored: Argon2id for new ones, and what official databases and imports hold.

A hash costs time and memory on purpose, so only a few are computed at once in a process, never within a
transaction. The algorithm and its parameters are read from each stored text; a successful sign-in replaces
a hash whose parameters are no longer the configured ones.
"""

from __future__ import annotations

import importlib
import os
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.runtime import fork_hooks
from supertokens_py.runtime.bridge import green_thread_pool

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

T = TypeVar("T")

#: More bytes are refused before anything is computed.
MAX_PASSWORD_BYTES = 1024
MISSING_BCRYPT = "passwords that a SuperTokens core hashed need: pip install 'supertokens-py[emailpassword]'"

#: What a stored hash may ask for: an imported one must not be able to take all memory.
_MAX_MEMORY_KB, _MAX_ITERATIONS, _MAX_LANES = 1 << 20, 64, 64
_BCRYPT_BYTES = 72  # bcrypt reads no more, and its package refuses more
_SALT_BYTES, _HASH_BYTES = 16, 32

_ARGON2 = re.compile(
    r"\$(argon2id|argon2i|argon2d)\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,171})"
)
_BCRYPT = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}")
_VARIANTS: dict[str, Any] = {"argon2id": Argon2id, "argon2i": Argon2i, "argon2d": Argon2d}


class Passwords(fork_hooks.ForkAware):
    """Computes and compares hashes; a class because it bounds how many are computed at once."""

    def __init__(self, settings: ResolvedEngineConfig) -> None:
        self._settings = settings
        self._slots = threading.BoundedSemaphore(settings.argon2_hashing_pool_size)
        fork_hooks.register(self)

    def after_fork_in_child(self) -> None:
        self._slots = threading.BoundedSemaphore(self._settings.argon2_hashing_pool_size)

    def hash(self, password: str) -> str:
        """Return what is stored of a password.

        Raises:
            BadInputError: it is empty, longer than 1,024 bytes, or no Unicode text.
        """
        secret = password_bytes(password)
        if secret is None:
            raise BadInputError(
                f"a password must be a text of 1 to {MAX_PASSWORD_BYTES} bytes, without half characters"
            )
        return self._slowly(lambda: self._new().derive_phc_encoded(secret))

    def verify(self, password: str, stored: str | None) -> bool:
        """Return whether a password is the stored one; without one (None), take as long and return False.

        Raises:
            ConfigError: the stored hash is bcrypt's, and its package is not installed.
        """
        secret = password_bytes(password)
        if secret is None:
            return False
        if stored is None:
            self._slowly(lambda: self._new().derive(secret))
            return False
        check = _check_of(stored)
        return self._slowly(lambda: check(secret))

    def is_outdated(self, password: str, stored: str) -> bool:
        """Return whether a verified password should be hashed again, with the configured parameters.

        Not where bcrypt has read only the beginning of it: what follows was not compared, and may be wrong.
        """
        made = _ARGON2.fullmatch(stored)
        if made is None and len(password.encode()) > _BCRYPT_BYTES:
            return False
        wanted = self._settings
        return made is None or (made[1], int(made[2]), int(made[3]), int(made[4])) != (
            "argon2id",
            wanted.argon2_memory_kb,
            wanted.argon2_iterations,
            wanted.argon2_parallelism,
        )

    def _new(self) -> Argon2id:
        settings = self._settings
        return Argon2id(
            salt=os.urandom(_SALT_BYTES),
            length=_HASH_BYTES,
            iterations=settings.argon2_iterations,
            lanes=settings.argon2_parallelism,
            memory_cost=settings.argon2_memory_kb,
        )

    def _slowly(self, work: Callable[[], T]) -> T:
        fork_hooks.check()
        with self._slots:
            # Greenlets share one thread, which a hash would keep from all of them.
            run = green_thread_pool()
            return work() if run is None else run(work)


def password_bytes(password: str) -> bytes | None:
    """Return a password as it is hashed: byte for byte, without any normalisation. None: it cannot be one."""
    try:
        secret = password.encode()
    except UnicodeEncodeError:
        return None
    return secret if 0 < len(secret) <= MAX_PASSWORD_BYTES else None


def check_importable(stored: str) -> None:
    """Refuse a hash that could never be verified.

    Raises:
        BadInputError: says what is wrong with it.
    """
    if stored.startswith("$f_scrypt$"):
        raise BadInputError("hashes of Firebase are not supported: their users have to reset their passwords")
    if _ARGON2.fullmatch(stored) is None and _BCRYPT.fullmatch(stored) is None:
        raise BadInputError("the password hash is neither one of argon2 ($argon2id$v=19$…) nor of bcrypt")
    _check_of(stored)


def _check_of(stored: str) -> Callable[[bytes], bool]:
    """Return what compares a password with a stored hash; one of unknown form equals nothing."""
    if made := _ARGON2.fullmatch(stored):
        memory, iterations, lanes = int(made[2]), int(made[3]), int(made[4])
        if memory > _MAX_MEMORY_KB or iterations > _MAX_ITERATIONS or lanes > _MAX_LANES:
            raise BadInputError("the password hash asks for more memory or time than a sign-in may take")
        return lambda secret: _is_argon2(_VARIANTS[made[1]], secret, stored)
    if _BCRYPT.fullmatch(stored):
        bcrypt = _bcrypt()
        return lambda secret: bcrypt.checkpw(secret[:_BCRYPT_BYTES], stored.encode())
    return lambda _: False


def _is_argon2(variant: Any, secret: bytes, stored: str) -> bool:
    try:
        variant.verify_phc_encoded(secret, stored)
    except (InvalidKey, ValueError):
        return False
    return True


def _bcrypt() -> Any:
    try:
        return importlib.import_module("bcrypt")
    except ImportError as error:
        raise ConfigError(MISSING_BCRYPT) from error
