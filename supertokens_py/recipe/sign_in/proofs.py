"""What was proven while a request is answered, whatever the application has overridden.

A user may be changed or deleted between the proof and the creation of the session that follows from it.
Whoever did that has revoked the sessions by then, and would not see this one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from supertokens_py.engine.call import call_engine
from supertokens_py.events import SignInFailed, emit

if TYPE_CHECKING:
    from supertokens_py.engine.code_records import ConsumedCode
    from supertokens_py.engine.user_records import PasswordProof, SignedInUp
    from supertokens_py.recipe.session.container import SessionContainer

T = TypeVar("T", bound="PasswordProof | ConsumedCode | SignedInUp")


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


async def revoked_as_outdated(
    session: SessionContainer,
    proofs: Iterable[T],
    is_current: Callable[[T], bool],
    failure: SignInFailed,
    user_context: dict[str, Any],
) -> bool:
    """Revoke a session that was created for what is not true any more, and return whether it was.

    Args:
        session: the new one, which is committed: whoever changes the user from now on sees it.
        proofs: what was proven for it.
        is_current: the engine's, which says whether a proof is true at the moment.
        failure: what to emit then.
        user_context: of the request.
    """
    tenant_id = session.get_tenant_id(user_context)
    for each in proofs:
        # The application may sign users in to one tenant, and create their session in another one.
        proof = each if each.tenant_id == tenant_id else replace(each, tenant_id=None)
        if not await call_engine(user_context, is_current, proof):
            await session.revoke_session(user_context)
            emit(failure)
            return True
    return False
