"""Passwords as they are stored: Argon2id for new ones, and what official databases and imports hold.

A hash costs time and memory on purpose, so only a few are computed at once in a process, never within a
transaction. The algorithm and its parameters are read from each stored text; a successful sign-in replaces
a hash whose parameters are no longer the configured ones.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm

from supertokens_py.engine import validation
from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError
from supertokens_py.runtime import fork_hooks
from supertokens_py.runtime.bridge import green_thread_pool
from supertokens_py.secret import SecretBytes, SecretText

from . import password_hashes
from .argon2_hashes import Argon2, Argon2Parameters, argon2, encoded

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

T = TypeVar("T")

_SALT_BYTES, _HASH_BYTES = 16, 32
_MOST_WARNINGS = 1000
_NO_MEMORY = "there is not enough memory to compute a password hash: see argon2_memory_kb"

log: logging.Logger = logging.getLogger(__name__)


class _LanesTurn(fork_hooks.ForkAware):
    """Lets one hash of several lanes be computed at a time in the whole process.

    OpenSSL gives lanes to threads of one pool: two such hashes at once deadlock, or fail
    for want of memory, and a child that is forked during one can compute no other.
    argon2-cffi starts threads for each, but on two cores a second one at a time only makes the first wait.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        fork_hooks.register(self)

    def before_fork(self) -> None:
        self.lock.acquire()

    def after_fork_in_parent(self) -> None:
        self.lock.release()

    def after_fork_in_child(self) -> None:
        self.lock = threading.Lock()


_making_turn = threading.Lock()
_turns: list[_LanesTurn] = []


def _lanes_turn() -> _LanesTurn:
    # Made with the first engine rather than at import: greenlets need a lock from after their patching.
    with _making_turn:
        if not _turns:
            _turns.append(_LanesTurn())
        return _turns[0]


class Passwords(fork_hooks.ForkAware):
    """Computes and compares hashes; a class because it bounds how many are computed at once."""

    def __init__(self, settings: ResolvedEngineConfig, compute_argon2: Argon2 = argon2) -> None:
        self._settings = settings
        self._compute = compute_argon2
        self._new = Argon2Parameters.of_new_hashes(settings)
        self._slots = threading.BoundedSemaphore(settings.argon2_hashing_pool_size)
        self._turn = _lanes_turn()
        self._unreadable = set[str | None]()
        fork_hooks.register(self)

    def after_fork_in_child(self) -> None:
        self._slots = threading.BoundedSemaphore(self._settings.argon2_hashing_pool_size)

    def hash(self, password: str) -> SecretText:
        """Return what is stored of a password. It can be guessed at, so that is not shown either.

        Raises:
            BadInputError: it is empty, longer than 1,024 bytes, or no Unicode text.
            EngineUnavailableError: there is not enough memory to compute the hash.
        """
        secret = validation.validate_password(password)
        salt = os.urandom(_SALT_BYTES)
        digest = self._slowly(lambda: self._new_digest(secret, salt), lanes=self._new.lanes)
        return encoded(self._new, salt, digest)

    def verify(self, password: str, stored: str | None, user_id: str | None = None) -> bool:
        """Return whether a password is the stored one; without one (None), take as long and return False.

        A stored hash that nothing can compute equals no password, and is logged once with the user's id.

        Raises:
            ConfigError: the stored hash is bcrypt's, and its package is not installed.
            EngineUnavailableError: there is not enough memory to compute it.
        """
        secret = validation.password_bytes(password)
        if secret is None:
            return False
        if stored is not None:
            try:
                flask_security_salt = self._settings.flask_security_password_salt
                check = password_hashes.check_of(stored, flask_security_salt, compute_argon2=self._compute)
                return self._slowly(lambda: check(secret), lanes=password_hashes.lanes_of(stored))
            except ConfigError:  # what is wrong is not the hash
                raise
            except (BadInputError, ValueError, UnsupportedAlgorithm) as error:
                self._warn_of(user_id, error)
        self._slowly(lambda: self._new_digest(secret, os.urandom(_SALT_BYTES)), lanes=self._new.lanes)
        return False

    def _warn_of(self, user_id: str | None, error: Exception) -> None:
        if user_id in self._unreadable or len(self._unreadable) >= _MOST_WARNINGS:
            return
        self._unreadable.add(user_id)
        reason = str(error) if isinstance(error, BadInputError) else type(error).__name__
        log.warning("user %s cannot sign in until the password is reset: %s", user_id, reason)

    def is_outdated(self, password: str, stored: str) -> bool:
        """Return whether a verified password should be hashed again, with the configured parameters.

        Not where bcrypt has read only the beginning of it: what follows was not compared, and may be wrong.
        """
        if not password_hashes.reads_all_of(stored, SecretBytes(password.encode())):
            return False
        return password_hashes.argon2_parameters_of(stored) != self._new

    def _new_digest(self, secret: bytes, salt: bytes) -> bytes:
        return self._compute(secret, salt, self._new, _HASH_BYTES)

    def _slowly(self, work: Callable[[], T], *, lanes: int) -> T:
        fork_hooks.check()
        with self._turn.lock if lanes > 1 else nullcontext(), self._slots:
            # Greenlets share one thread, which a hash would keep from all of them.
            run = green_thread_pool()
            try:
                return work() if run is None else run(work)
            except MemoryError:  # of the library, which has freed what it had got by now
                raise EngineUnavailableError(_NO_MEMORY) from None
