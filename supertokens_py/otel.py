"""OpenTelemetry metrics and spans of sessions (extra `[otel]`): call `instrument()` once after `init`."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry import metrics, trace

from .app import Supertokens
from .constants import VERSION
from .engine.call import trace_calls
from .events import ClaimsFailed, Event, SessionRefused, TokenReused, subscribe

REFUSALS = "supertokens.session.refusals"

# What ends the counting of the last `instrument()`, so that a second one does not count twice.
_ends: list[Callable[[], None]] = []


def instrument(app: Supertokens | None = None) -> None:
    """Count events as `supertokens.session.events`, and make a span of every engine call.

    Requests that were answered with 401 or 403 are counted as `supertokens.session.refusals` by `code`, which
    the current span gets as well, as the attribute of the same name.

    A span is named after service and method, such as `supertokens.sessions.create`. Handles and user ids
    stay out of both. A plain verification makes no engine call and so no span.
    """
    if app is None:
        Supertokens.get_instance()  # raises where `init` was forgotten
    meter = metrics.get_meter("supertokens_py", VERSION)
    counter = meter.create_counter("supertokens.session.events", description="Events of sessions and keys")
    refusals = meter.create_counter(REFUSALS, description="Requests without a usable session")

    def count_refusal(code: str) -> None:
        refusals.add(1, {"code": code})
        trace.get_current_span().set_attribute(REFUSALS, code)

    def count(event: Event) -> None:
        if isinstance(event, SessionRefused):
            count_refusal(event.code)
            return
        if isinstance(event, ClaimsFailed):
            count_refusal("claims_failed")
        attributes = {"event": event.name}
        if isinstance(event, TokenReused) and event.subtype:
            attributes["subtype"] = event.subtype
        counter.add(1, attributes)

    while _ends:
        _ends.pop()()
    _ends.append(subscribe(count))
    tracer = trace.get_tracer("supertokens_py", VERSION)
    trace_calls(lambda name: tracer.start_as_current_span(f"supertokens.{name}"))
