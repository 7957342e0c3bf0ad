"""Options of a session that is being created, beyond the arguments of `create_new_session`.

Those arguments are fixed: applications replace that function, and call the original with what they know.
The rest travels beside them in a context variable, so that no replacement can lose, say, the session that
the new one must end. It holds for every session that is created inside of `asking`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.interface import Sessions
from supertokens_py.engine.records import IssuedSession, NewSession, Unauthorised
from supertokens_py.engine.session_records import Actor, Lifetime, LimitReached, Replaces, Visit
from supertokens_py.types.base import JSONObject


@dataclass(slots=True)
class Replacement:
    """A session that a new one takes the place of, and what became of that.

    `created` are the sessions that the SDK created for it: none where a replaced `create_new_session` does
    not call the original, which knows nothing of the other session.
    """

    replaces: Replaces
    guest_id: str | None = None  #: the user id of the guest whose session it is
    or_none: bool = False  #: where it `must_exist` and does not, create a session that replaces none
    keeps_device: bool = False  #: whether the new session is bound to the device of the former one
    created: list[str] = field(default_factory=list[str])
    is_gone: bool = False  #: it had ended before, so the new one has taken no session's place


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """Options of a new session; `NewSession` documents each.

    `claims` are the reserved ones: None for those of a user who has just authenticated.
    """

    visit: Visit | None = None
    lifetime: Lifetime | None = None
    replaces: Replacement | None = None
    actor: Actor | None = None
    counts: bool = True
    offered: bool = False
    bound_like: str | None = None
    claims: JSONObject | None = None

    @property
    def copies(self) -> bool:
        """Whether a session is replaced by one that lives as it does."""
        return self.replaces is not None and self.replaces.replaces.copies


NO_WISHES: Wishes = Wishes()
_wishes: ContextVar[Wishes] = ContextVar("supertokens_session_wishes", default=NO_WISHES)


def current_wishes() -> Wishes:
    """Return the options in effect here."""
    return _wishes.get()


@contextmanager
def asking(wishes: Wishes) -> Generator[None]:
    """Apply these options to every session that is created in the `with` block."""
    token = _wishes.set(wishes)
    try:
        yield
    finally:
        _wishes.reset(token)


@contextmanager
def asking_also(**changes: Any) -> Generator[None]:
    """Override some of the options in effect; the arguments are fields of `Wishes`."""
    with asking(replace(current_wishes(), **changes)):
        yield


@contextmanager
def claiming(claims: JSONObject | None) -> Generator[None]:
    """Give the sessions that are created inside these reserved claims; None leaves it at what is asked."""
    if claims is None:
        yield
        return
    with asking_also(claims=claims):
        yield


async def create(
    sessions: Sessions, new: NewSession, replacement: Replacement | None, user_context: dict[str, Any]
) -> IssuedSession | LimitReached | Unauthorised:
    """Have the engine create a session, in the place of another unless one has taken that already."""
    if replacement is None or replacement.created:
        return await call_engine(user_context, sessions.create, new)
    issued = await call_engine(user_context, sessions.create, replace(new, replaces=replacement.replaces))
    if isinstance(issued, Unauthorised) and replacement.or_none:
        replacement.is_gone = True
        issued = await call_engine(user_context, sessions.create, new)
    if isinstance(issued, IssuedSession):
        replacement.created.append(issued.handle)
    return issued
