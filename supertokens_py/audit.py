"""What a security team wants to know of sessions: one event, one record, on one standard logger.

Every record of the logger `supertokens_py.audit` carries `event` (one of `Event`) and `facts`, a dict
of plain values. No token, key or cookie is ever among them. An event is recorded once what it tells is
committed, never for a transaction that failed. Records cost nothing while nobody listens.

    logging.getLogger("supertokens_py.audit").setLevel(logging.INFO)
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Literal, TypeAlias

Fact: TypeAlias = str | float | bool | None
Event: TypeAlias = Literal[
    "session.created",
    "session.refreshed",
    "session.refreshed_again",  # the retired token inside its grace window: the same successor
    "session.reuse",  # the retired token outside of it; `subtype` says which, and the session is over
    "session.revoked",
    "session.claims_failed",
    "key.created",
    "key.rotated",
    "engine.unavailable",
]

LOGGER_NAME = "supertokens_py.audit"

_log = logging.getLogger(LOGGER_NAME)
# Without any logging set up, the plain log lines already say it on stderr; once is enough.
_log.addHandler(logging.NullHandler())
_WARNINGS = frozenset(("session.reuse", "engine.unavailable"))


def audit(event: Event, **facts: Fact) -> None:
    """Record an event: a warning for what needs attention, else information."""
    level = logging.WARNING if event in _WARNINGS else logging.INFO
    if _log.isEnabledFor(level):
        told = " ".join((event, *(f"{name}={_told(value)}" for name, value in facts.items())))
        _log.log(level, "%s", told, extra={"event": event, "facts": facts})


def audit_revoked(handles: Iterable[str]) -> None:
    """Record that sessions were revoked, each by itself."""
    for handle in handles:
        audit("session.revoked", handle=handle)


def _told(value: Fact) -> str:
    # A user id is whatever the application says: it must not begin a line or a fact of its own.
    text = str(value)
    return text if text.isprintable() and " " not in text and "=" not in text else json.dumps(text)
