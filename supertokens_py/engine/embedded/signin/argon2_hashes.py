"""Argon2: what computes it, and the form in which its hashes are stored.

Two libraries compute the same bytes. argon2-cffi (the extra `[argon2]`) works in all lanes from the start;
OpenSSL, which `cryptography` brings, does half of the work of two lanes in one thread, and takes longer.
Neither sees a stored hash: `password_hashes` reads, refuses and compares, whichever is installed.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

from cryptography.hazmat.primitives.kdf.argon2 import Argon2d, Argon2i, Argon2id

from supertokens_py.secret import SecretBytes, SecretText

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

_OF_OPENSSL = {"argon2id": Argon2id, "argon2i": Argon2i, "argon2d": Argon2d}


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """How a hash is computed: `variant` is argon2id, argon2i or argon2d."""

    variant: str
    memory_kb: int
    iterations: int
    lanes: int

    @classmethod
    def of_new_hashes(cls, settings: ResolvedEngineConfig) -> Argon2Parameters:
        """Return the configured ones."""
        return cls(
            "argon2id",
            settings.argon2_memory_kb,
            settings.argon2_iterations,
            settings.argon2_parallelism,
        )


#: Computes a hash (bytes) of a password, a salt, parameters that have been checked, and its length in bytes.
#: Raises MemoryError where there is not enough memory, or no thread, for it.
Argon2: TypeAlias = Callable[[bytes, bytes, Argon2Parameters, int], bytes]


def by_openssl(secret: bytes, salt: bytes, parameters: Argon2Parameters, length: int) -> bytes:
    """Compute a hash with `cryptography`: an `Argon2`."""
    kind = _OF_OPENSSL[parameters.variant](
        salt=salt,
        length=length,
        iterations=parameters.iterations,
        lanes=parameters.lanes,
        memory_cost=parameters.memory_kb,
    )
    return SecretBytes(kind.derive(secret))


def by_argon2_cffi(secret: bytes, salt: bytes, parameters: Argon2Parameters, length: int) -> bytes:
    """Compute a hash with argon2-cffi, where it is installed: an `Argon2`."""
    from argon2.exceptions import HashingError  # noqa: PLC0415  (an optional extra)
    from argon2.low_level import Type, hash_secret_raw  # noqa: PLC0415

    kind = Type[parameters.variant.removeprefix("argon2").upper()]
    iterations, memory_kb, lanes = parameters.iterations, parameters.memory_kb, parameters.lanes
    try:
        return SecretBytes(hash_secret_raw(secret, salt, iterations, memory_kb, lanes, length, kind))
    except HashingError as error:  # nothing else is left that can fail
        raise MemoryError(str(error)) from error


def quickest() -> Argon2:
    """Return the quicker of both that can be imported."""
    try:
        import_module("argon2.low_level")
    except ImportError:
        return by_openssl
    return by_argon2_cffi


argon2: Argon2 = quickest()


def encoded(parameters: Argon2Parameters, salt: bytes, digest: bytes) -> SecretText:
    """Return a hash as it is stored, in the form that every library reads."""
    costs = f"m={parameters.memory_kb},t={parameters.iterations},p={parameters.lanes}"
    return SecretText(f"${parameters.variant}$v=19${costs}${_base64(salt)}${_base64(digest)}")


def _base64(given: bytes) -> SecretText:
    return SecretText(b64encode(given).decode().rstrip("="))
