"""Events as signals of blinker, which Flask brings: `session_created.connect(greet)`.

    from supertokens_py.signals import session_created

    @session_created.connect
    def greet(app, event, **_): ...

The sender is the app that `init` made. Receivers are called after the commit, in the thread that did the work
and with the record of `supertokens_py.events`; their errors are logged once and reach no request.
"""

from __future__ import annotations

try:
    from blinker import NamedSignal, Namespace
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError("signals need: pip install blinker", name=_error.name) from _error

from .app import Supertokens
from .events import (
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

_signals = Namespace()

session_created: NamedSignal = _signals.signal("session-created")
session_refreshed: NamedSignal = _signals.signal("session-refreshed")
session_revoked: NamedSignal = _signals.signal("session-revoked")
session_refused: NamedSignal = _signals.signal("session-refused")
session_reuse: NamedSignal = _signals.signal("session-reuse")
claims_failed: NamedSignal = _signals.signal("claims-failed")
user_signed_up: NamedSignal = _signals.signal("user-signed-up")
user_signed_in: NamedSignal = _signals.signal("user-signed-in")

_BY_EVENT: dict[type[Event], NamedSignal] = {
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
    signal = _BY_EVENT.get(type(event))
    if signal is not None:
        signal.send(Supertokens.current(), event=event)


subscribe(_send)
