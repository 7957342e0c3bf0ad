"""Events as signals of blinker, which Flask brings: `session_created.connect(greet)`.

    from supertokens_py.signals import session_created

    @session_created.connect
    def greet(app, event, **_): ...

The sender is the Flask or Quart application whose context is active: that of a request, of a command, or of
`with app.app_context()`. Elsewhere, as in a thread of its own, it is the app that `init` made, so that a
receiver with `sender=app` hears of nothing there. Receivers are called after the commit, with the context of
the request and with the record of `supertokens_py.events`; their errors are logged once and reach no request.

A signal keeps its receivers weakly: one that is defined inside a function is gone when that returns, unless
it is connected by `session_created.connect(greet, weak=False)`.
"""

from __future__ import annotations

import sys
from typing import Any

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


def _sender() -> Any:
    # Looked up and not imported: blinker may be there without either.
    for module in (sys.modules.get("flask"), sys.modules.get("quart")):
        if module is not None and module.has_app_context():
            return module.current_app._get_current_object()
    return Supertokens.current()


def _send(event: Event) -> None:
    signal = _BY_EVENT.get(type(event))
    if signal is not None:
        signal.send(_sender(), event=event)


subscribe(_send)
