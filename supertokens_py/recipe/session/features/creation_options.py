"""Options of a session that is being created, beyond the arguments of `create_new_session`.

Those arguments are fixed: applications replace that function, and call the original with what they know.
The rest travels beside them in a context variable, so that no replacement can lose, say, the session that
the new one must end. It holds for every session that is created inside of `creating_with`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.records import IssuedSession, NewSession, Unauthorised
from supertokens_py.engine.session_records import Actor, Lifetime, LimitReached, Replaces, Visit
from supertokens_py.types.base import JSONObject

if TYPE_CHECKING:
    from supertokens_py.engine.interface import Sessions


@dataclass(slots=True)
class Replacement:
    """A session that a new one takes the place of, and what became of that.

    `created` are the sessions that the SDK created for it: none where a replaced `create_new_session` does
    not call the original, which knows nothing of the other session.
    """

    replaces: Replaces
    guest_id: str | None = None  #: the user id of the guest whose session it is
    or_standalone: bool = False  #: where it `must_exist` and does not, create a session that replaces none
    keeps_device: bool = False  #: whether the new session is bound to the device of the former one
    is_of_request: bool = False  #: whether it is the session of a user that the request comes with
    claims: JSONObject | None = None  #: the reserved claims that go over to the new session; None: no matter
    created: list[str] = field(default_factory=list[str])
    is_gone: bool = False  #: it had ended before, so the new one has taken no session's place


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationOptions:
    """Options of a new session; `NewSession` documents each.

    `claims` are the reserved ones: None for those of a user who has just authenticated.
    """

    visit: Visit | None = None
    lifetime: Lifetime | None = None
    replaces: Replacement | None = None
    actor: Actor | None = None
    counts: bool = True
    offer_binding: bool = False
    bind_like_handle: str | None = None
    claims: JSONObject | None = None
    authenticated: bool | None = None  #: whether its user has just authenticated, if the application says so

    @property
    def copies(self) -> bool:
        """Whether a session is replaced by one that lives as it does."""
        return self.replaces is not None and self.replaces.replaces.copies


NO_OPTIONS: CreationOptions = CreationOptions()
_options: ContextVar[CreationOptions] = ContextVar("supertokens_creation_options", default=NO_OPTIONS)


def current_options() -> CreationOptions:
    """Return the options in effect here."""
    return _options.get()


@contextmanager
def creating_with(options: CreationOptions) -> Generator[None]:
    """Apply these options to every session that is created in the `with` block."""
    token = _options.set(options)
    try:
        yield
    finally:
        _options.reset(token)


@contextmanager
def changing_options(**changes: Any) -> Generator[None]:
    """Override some of the options in effect; the arguments are fields of `CreationOptions`."""
    with creating_with(replace(current_options(), **changes)):
        yield


async def create(
    sessions: Sessions, new: NewSession, replacement: Replacement | None, user_context: dict[str, Any]
) -> IssuedSession | LimitReached | Unauthorised:
    """Have the engine create a session, in the place of another unless one has taken that already."""
    if replacement is None or replacement.created:
        return await call_engine(user_context, sessions.create, new)
    issued = await call_engine(user_context, sessions.create, replace(new, replaces=replacement.replaces))
    if isinstance(issued, Unauthorised) and replacement.or_standalone:
        replacement.is_gone = True
        issued = await call_engine(user_context, sessions.create, new)
    if isinstance(issued, IssuedSession):
        replacement.created.append(issued.handle)
    return issued
