"""Which passwords were verified while a request is answered, whatever the application has overridden.

A password may be changed, or its user deleted, between its verification and the creation of its session.
Whoever did that has revoked the sessions by then, and would not see this one.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

from supertokens_py.engine.records import PasswordProof

# Overrides may run in another context: a copy, which holds the same set.
_proofs: ContextVar[set[PasswordProof] | None] = ContextVar("supertokens_password_proofs", default=None)


@contextmanager
def collected() -> Generator[set[PasswordProof]]:
    """Return the set of what is verified within."""
    found: set[PasswordProof] = set()
    token = _proofs.set(found)
    try:
        yield found
    finally:
        _proofs.reset(token)


def note(proof: PasswordProof) -> None:
    """A password was verified, or a user made."""
    found = _proofs.get()
    if found is not None:
        found.add(proof)


def forget() -> None:
    """The request itself has changed a password: what it verified before says nothing any more."""
    found = _proofs.get()
    if found is not None:
        found.clear()
