"""The reason for revoking sessions, beyond the arguments of the functions that revoke them.

Those arguments are fixed: applications replace the functions. The reason travels beside them in a context
variable, as `features.creation_options` does it for new sessions.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Literal

from supertokens_py.engine.session_records import BY_APPLICATION, Ending

_ending: ContextVar[Ending] = ContextVar("supertokens_session_ending", default=BY_APPLICATION)


def current_ending() -> Ending:
    """Return why sessions are being ended now."""
    return _ending.get()


@contextmanager
def ending(why: Ending) -> Generator[None]:
    """Give this as the reason of every session that is ended inside."""
    token = _ending.set(why)
    try:
        yield
    finally:
        _ending.reset(token)


def revoked_by(
    actor_id: str | None = None, *, reason: Literal["admin", "application"] = "admin"
) -> AbstractContextManager[None]:
    """Say who revokes sessions, and why, for whatever is called inside of `with`.

    It is in `SessionRevoked`, in the events that are kept, and in what `explain_session` says.

    Args:
        actor_id: whoever does it, if not the user: the id of an administrator, say.
        reason: "admin", or "application" where nobody in person decides it.
    """
    return ending(Ending(reason=reason, actor_id=actor_id))
