"""OpenTelemetry metrics and spans of sessions (extra `[otel]`): call `instrument()` once after `init`."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from opentelemetry import metrics, trace

from .app import Supertokens
from .audit import LOGGER_NAME
from .constants import VERSION

_ENGINE_CALLS = (
    "create_session",
    "verify_session",
    "refresh_session",
    "regenerate_session",
    "revoke_sessions",
    "revoke_user_sessions",
    "session_information",
    "merge_session_payload",
    "reload_keys",
)


class _CountEvents(logging.Handler):
    """Counts audit events, by kind and by subtype of reuse."""

    def __init__(self, counter: metrics.Counter) -> None:
        super().__init__(logging.INFO)
        self._counter = counter

    def emit(self, record: logging.LogRecord) -> None:
        facts: dict[str, Any] = getattr(record, "facts", {})
        attributes = {"event": str(getattr(record, "event", "unknown"))}
        if subtype := facts.get("subtype"):
            attributes["subtype"] = str(subtype)
        self._counter.add(1, attributes)


def instrument(app: Supertokens | None = None) -> None:
    """Count audit events as `supertokens.session.events`, and make a span of every engine call.

    Handles and user ids stay out of both. A plain verification makes no engine call and so no span.
    """
    app = app or Supertokens.get_instance()
    meter = metrics.get_meter("supertokens_py", VERSION)
    counter = meter.create_counter("supertokens.session.events", description="Audit events of sessions")
    log = logging.getLogger(LOGGER_NAME)
    if not any(isinstance(handler, _CountEvents) for handler in log.handlers):
        log.addHandler(_CountEvents(counter))
    if log.getEffectiveLevel() > logging.INFO:
        log.setLevel(logging.INFO)
    tracer = trace.get_tracer("supertokens_py", VERSION)
    engine: Any = app.engine
    for name in _ENGINE_CALLS:
        call = getattr(engine, name)
        if not hasattr(call, "__wrapped__"):
            setattr(engine, name, _spanned(tracer, f"supertokens.{name}", call))


def _spanned(
    tracer: trace.Tracer, name: str, call: Callable[..., Awaitable[Any]]
) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(call)
    async def spanned(*args: Any, **kwargs: Any) -> Any:
        with tracer.start_as_current_span(name):
            return await call(*args, **kwargs)

    return spanned
