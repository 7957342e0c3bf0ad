"""The audit log: each event is one record of a standard logger, with `event` (its name) and `facts`, a dict.

    logging.getLogger("supertokens_py.audit").setLevel(logging.INFO)

Warnings reach stderr where no logging is set up. Nothing is formatted while nobody listens.
"""

from __future__ import annotations

import json
import logging
from functools import lru_cache
from typing import TypeAlias

from .events import (
    ClaimsFailed,
    ClientRefused,
    ContactRefused,
    DatabaseFailed,
    DeviceProofMissing,
    EmailDropped,
    EngineUnavailable,
    Event,
    RevocationsStale,
    SessionRefreshedAgain,
    SessionRefused,
    SessionRevoked,
    TextMessageRefused,
    TokenForged,
    TokenReused,
)

Fact: TypeAlias = str | float | bool | None

LOGGER_NAME = "supertokens_py.audit"


_ATTENTION = (
    TokenForged,
    TokenReused,
    DeviceProofMissing,
    EngineUnavailable,
    RevocationsStale,
    TextMessageRefused,
)
_FREQUENT = (SessionRefused, DatabaseFailed)


def log_event(event: Event) -> None:
    """Log an event: a warning for what needs attention, DEBUG for what anybody can cause, else information.

    Without any logging set up, Python itself writes warnings to stderr.
    """
    level = _level_of(event)
    log = _logger()
    if not log.isEnabledFor(level):
        return
    if isinstance(event, EngineUnavailable) and not log.hasHandlers():
        return  # a plain line on stderr says so already; once is enough
    facts = facts_of(event)
    line = " ".join((event.name, *(f"{name}={_quoted(value)}" for name, value in facts.items())))
    log.log(level, "%s", line, extra={"event": event.name, "facts": facts})


def facts_of(event: Event) -> dict[str, Fact]:
    """Return the fields of an event as plain values; unknown ones of an end are left out."""
    facts = dict(vars(event))
    if isinstance(event, ClaimsFailed):
        facts["claims"] = ",".join(event.claims)
    if isinstance(event, TokenReused):
        return {name: value for name, value in facts.items() if value is not None or name == "subtype"}
    if isinstance(event, SessionRevoked):
        return {name: value for name, value in facts.items() if value is not None}
    return facts


def detail_of(event: Event) -> str:
    """Return the one word out of a short list that says more of an event, for metrics; "" if it has none."""
    if isinstance(event, TokenReused):
        return event.subtype or ""
    if isinstance(event, SessionRevoked | EmailDropped):
        return event.reason
    if isinstance(event, ClientRefused | ContactRefused):
        return event.kind
    return event.code if isinstance(event, SessionRefused) else ""


def _level_of(event: Event) -> int:
    if isinstance(event, _FREQUENT):
        return logging.DEBUG  # forged tokens must not fill a disk, nor an outage
    return logging.WARNING if _needs_attention(event) else logging.INFO


def _needs_attention(event: Event) -> bool:
    if isinstance(event, SessionRefreshedAgain):
        return event.late
    if isinstance(event, EmailDropped):
        return event.reason == "queue"
    return isinstance(event, _ATTENTION)


@lru_cache(maxsize=1)
def _logger() -> logging.Logger:
    # Created with the first event: `logging.config` disables the loggers that it finds by default, and
    # applications import this package (Django's settings do) before they set up their logging.
    return logging.getLogger(LOGGER_NAME)


def _quoted(value: Fact) -> str:
    # A user id is whatever the application says: it must not begin a line or a fact of its own.
    text = str(value)
    return text if text.isprintable() and " " not in text and "=" not in text else json.dumps(text)
