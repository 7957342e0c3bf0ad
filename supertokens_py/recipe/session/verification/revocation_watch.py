"""Being told that a session was revoked, for what outlives its request: WebSockets, streams."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from supertokens_py.app import Supertokens
from supertokens_py.engine.revoked_sessions import Revocations
from supertokens_py.exceptions import ConfigError, GeneralError
from supertokens_py.runtime.bridge import running_loop

from ..container import SessionContainer


def on_revoked(session: SessionContainer[Any], callback: Callable[[], object]) -> Callable[[], None]:
    """Call `callback` without arguments once a session is revoked, by whichever process.

    Needs `session.init(instant_revocation=...)`. Under an event loop the callback runs in that loop, else in
    the thread that learns of it. Where every session has to refresh, it is called as well.

    Args:
        session: of a request that was just verified.
        callback: must not block; it is called once.

    Returns:
        What ends that. Call it when the connection is closed.

    Raises:
        ConfigError: `instant_revocation` is off.
    """
    revocations = _revocations()
    if revocations is None:
        raise ConfigError("on_revoked needs session.init(instant_revocation=True)")
    loop, was_called = running_loop(), False

    def revoked() -> None:
        nonlocal was_called
        if was_called:
            return
        was_called = True
        if loop is None:
            callback()
        elif not loop.is_closed():
            loop.call_soon_threadsafe(callback)

    return revocations.revoked.watch(session.get_handle(), revoked)


def are_revocations_watched() -> bool:
    """Return whether `on_revoked` can be used; False before `init`, too."""
    try:
        return _revocations() is not None
    except GeneralError:
        return False


def _revocations() -> Revocations | None:
    return Supertokens.get_instance().engine.revocations
