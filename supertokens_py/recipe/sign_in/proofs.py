"""What was proven while a request is answered, whatever the application has overridden.

A user may be changed or deleted between the proof and the creation of the session that follows from it.
Whoever did that has revoked the sessions by then, and would not see this one.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, TypeVar

T = TypeVar("T")


class Proofs(Generic[T]):
    """Collects the proofs of one recipe, request by request; it is a class because it owns the variable.

    Args:
        name: of the context variable.
    """

    def __init__(self, name: str) -> None:
        # Overrides may run in another context: a copy, which holds the same list.
        self._found: ContextVar[list[T] | None] = ContextVar(name, default=None)

    @contextmanager
    def collected(self) -> Generator[list[T]]:
        """Return the list of what is proven within."""
        found: list[T] = []
        token = self._found.set(found)
        try:
            yield found
        finally:
            self._found.reset(token)

    def note(self, proof: T) -> None:
        """Something was proven, or a user made."""
        found = self._found.get()
        if found is not None and proof not in found:
            found.append(proof)

    def forget(self) -> None:
        """The request itself has changed the user: what it proved before says nothing any more."""
        found = self._found.get()
        if found is not None:
            found.clear()
