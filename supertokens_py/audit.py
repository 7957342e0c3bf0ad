"""What a security team wants to know of sessions: one event, one record, on one standard logger.

Every record of the logger `supertokens_py.audit` carries `event` (one of `Event`) and `facts`, a dict
of plain values. No token, key or cookie is ever among them. An event is recorded once what it tells is
committed, never for a transaction that failed. Records cost nothing while nobody listens.
Warnings reach stderr where no logging is set up.

    logging.getLogger("supertokens_py.audit").setLevel(logging.INFO)
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

Fact: TypeAlias = str | float | bool | None
Event: TypeAlias = Literal[
    "session.created",
    "session.refreshed",
    "session.refreshed_again",  # within the grace period: the previous token, or the current one once more
    "session.forged",  # a token sealed with the master key by somebody who had none of the session
    "session.reuse",  # a token that was rotated out; `subtype` says which, and the session has ended
    "session.revoked",
    "session.claims_failed",
    "key.created",
    "key.rotated",
    "engine.unavailable",
]

LOGGER_NAME = "supertokens_py.audit"

_WARNINGS = frozenset(("session.forged", "session.reuse", "engine.unavailable"))


def audit(event: Event, **facts: Fact) -> None:
    """Record an event: a warning for what needs attention, else information.

    Without any logging set up, Python itself writes warnings to stderr.
    """
    level = logging.WARNING if event in _WARNINGS or facts.get("late") else logging.INFO
    log = _logger()
    if not log.isEnabledFor(level):
        return
    if event == "engine.unavailable" and not log.hasHandlers():
        return  # a plain line on stderr says so already; once is enough
    told = " ".join((event, *(f"{name}={_told(value)}" for name, value in facts.items())))
    log.log(level, "%s", told, extra={"event": event, "facts": facts})


@lru_cache(maxsize=1)
def _logger() -> logging.Logger:
    # Made at the first event: `logging.config` disables the loggers that it finds, unless told otherwise, and
    # applications import this package (Django's settings do) before they set up their logging.
    return logging.getLogger(LOGGER_NAME)


def audit_revoked(handles: Iterable[str]) -> None:
    """Record that sessions were revoked, each by itself."""
    for handle in handles:
        audit("session.revoked", handle=handle)


def _told(value: Fact) -> str:
    # A user id is whatever the application says: it must not begin a line or a fact of its own.
    text = str(value)
    return text if text.isprintable() and " " not in text and "=" not in text else json.dumps(text)
