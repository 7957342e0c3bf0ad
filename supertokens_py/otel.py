"""OpenTelemetry metrics and spans of sessions (extra `[otel]`): call `instrument()` once after `init`."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from opentelemetry import metrics, trace

from .app import Supertokens
from .constants import VERSION
from .events import Event, TokenReused, subscribe

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


# What ends the counting of the last `instrument()`, so that a second one does not count twice.
_ends: list[Callable[[], None]] = []


def instrument(app: Supertokens | None = None) -> None:
    """Count events as `supertokens.session.events`, and make a span of every engine call.

    Handles and user ids stay out of both. A plain verification makes no engine call and so no span.
    """
    app = app or Supertokens.get_instance()
    meter = metrics.get_meter("supertokens_py", VERSION)
    counter = meter.create_counter("supertokens.session.events", description="Events of sessions and keys")

    def count(event: Event) -> None:
        attributes = {"event": event.name}
        if isinstance(event, TokenReused) and event.subtype:
            attributes["subtype"] = event.subtype
        counter.add(1, attributes)

    while _ends:
        _ends.pop()()
    _ends.append(subscribe(count))
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
