"""Sessions of visitors who have not signed in: what the application says of them, and where they may pass.

A route is for users unless it says that guests may come, so verifying refuses their tokens by itself,
whatever is set: also those that were issued while the application still had guests. They are never among the
tokens that are known to be valid, so that verifying a user's costs nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeAlias
from uuid import uuid4

from supertokens_py.engine.session_records import Lifetime
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.base import JSONObject, MaybeAwaitable

from ..session_tokens.reserved_claims import GUEST_KEY

#: `(guest_id, user_id)`.
OnGuestUpgraded: TypeAlias = Callable[[str, str], MaybeAwaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSettings:
    """`session.init(guests=GuestSettings(...))`: how the application treats guests.

    Args:
        allow: whether every route lets them pass that does not say `verify_session(allow_guests=False)`.
        idle: seconds without a refresh after which a guest's session ends, where lifetimes can be kept.
        upgrade_at_sign_in: whether each new session of a request that comes with the session of a guest
            replaces it, as those of the sign-in recipes; else `create_new_session(replaces=...)` does. The
            access token of the guest has to be valid still.
        on_guest_upgraded: `(guest_id, user_id)`, sync or async: called after the session of a guest was
            replaced, to move what the guest left. Its failure is logged; it may be called twice.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    allow: bool = False
    idle: int = 7 * 86_400
    upgrade_at_sign_in: bool = False
    on_guest_upgraded: OnGuestUpgraded | None = None

    def __post_init__(self) -> None:
        for name in ("allow", "upgrade_at_sign_in"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"GuestSettings: {name} must be True or False")
        if type(self.idle) is not int or self.idle < 1:
            raise ConfigError(f"GuestSettings: idle must be a whole number of seconds, not {self.idle!r}")
        if self.on_guest_upgraded is not None and not callable(self.on_guest_upgraded):
            raise ConfigError("GuestSettings: on_guest_upgraded must be a function (guest_id, user_id)")

    @property
    def lifetime(self) -> Lifetime:
        """How long the session of a guest lives."""
        return Lifetime(idle_ms=self.idle * 1000)


#: Those of an application that says nothing of guests.
NO_GUESTS: GuestSettings = GuestSettings()

#: Whether guests may pass here; None leaves it to the settings.
_may_pass: ContextVar[bool | None] = ContextVar("supertokens_guests_may_pass", default=None)


@contextmanager
def guests_may_pass(allowed: bool | None) -> Generator[None]:
    """Say for everything that is verified inside whether guests may pass; None says nothing."""
    if allowed is None:
        yield
        return
    token = _may_pass.set(allowed)
    try:
        yield
    finally:
        _may_pass.reset(token)


def may_guests_pass(settings: GuestSettings) -> bool:
    """Return whether guests may pass here."""
    said = _may_pass.get()
    return settings.allow if said is None else said


def new_guest_id() -> str:
    """Return the user id of a new guest."""
    return f"guest_{uuid4()}"


def guest_claims(now_ms: int) -> JSONObject:
    """Return the reserved claims of the session of a guest."""
    return {GUEST_KEY: {"v": True, "t": now_ms}}
