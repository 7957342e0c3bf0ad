"""Events as Django's signals.

    from django.dispatch import receiver
    from supertokens_py.framework.django.signals import session_created

    @receiver(session_created)
    def greet(sender, event, **_): ...

`event` is a record of `supertokens_py.events`, and `sender` its class. Receivers are plain functions. They
are called after the commit, in the thread that did the work: in an async view that is the event loop's, where
the ORM must not be used. Their errors are logged and reach no request.

A signal keeps its receivers weakly: one that is defined inside a function is gone when that returns, unless
it is connected with `weak=False`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.dispatch import Signal

from supertokens_py.events import (
    ClaimsFailed,
    Event,
    SessionCreated,
    SessionRefreshed,
    SessionRefused,
    SessionRevoked,
    TokenReused,
    UserSignedIn,
    UserSignedUp,
    subscribe,
)

__all__ = [
    "claims_failed",
    "session_created",
    "session_refreshed",
    "session_refused",
    "session_reuse",
    "session_revoked",
    "user_signed_in",
    "user_signed_up",
]

session_created: Final = Signal()
session_refreshed: Final = Signal()
session_revoked: Final = Signal()
session_refused: Final = Signal()
session_reuse: Final = Signal()
claims_failed: Final = Signal()
user_signed_up: Final = Signal()
user_signed_in: Final = Signal()

_BY_EVENT: Final[Mapping[type[Event], Signal]] = {
    SessionCreated: session_created,
    SessionRefreshed: session_refreshed,
    SessionRevoked: session_revoked,
    SessionRefused: session_refused,
    TokenReused: session_reuse,
    ClaimsFailed: claims_failed,
    UserSignedUp: user_signed_up,
    UserSignedIn: user_signed_in,
}


def _send(event: Event) -> None:
    kind = type(event)
    if kind in _BY_EVENT:
        _BY_EVENT[kind].send_robust(sender=kind, event=event)


subscribe(_send)
