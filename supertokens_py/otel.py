"""OpenTelemetry metrics and spans of sessions (extra `[otel]`): call `instrument()` once after `init`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from weakref import WeakSet

from opentelemetry import metrics, trace
from opentelemetry.trace import Status, StatusCode

from .app import Supertokens
from .constants import VERSION
from .engine.call import trace_calls
from .engine.readiness import CountsConnections
from .events import (
    ClaimsFailed,
    DatabaseFailed,
    Event,
    RevocationsStale,
    SessionRefused,
    SessionRevoked,
    TokenReused,
    subscribe,
)

REFUSALS = "supertokens.session.refusals"
STALE = "supertokens.revocation.stale"
DATABASE_ERRORS = "supertokens.database.errors"
#: Names and attributes are those of OpenTelemetry's semantic conventions for database clients.
CONNECTIONS = "db.client.connection.count"
_POOL = {"db.client.connection.pool.name": "supertokens"}

# What ends the counting of the last `instrument()`, so that a second one does not count twice.
_ends: list[Callable[[], None]] = []
#: The app whose connections are observed (None: the current one), and the meters that do so already.
_observed: list[Supertokens | None] = [None]
_observers: WeakSet[metrics.Meter] = WeakSet()


def instrument(app: Supertokens | None = None) -> None:
    """Count events as `supertokens.session.events`, and make a span of every engine call.

    Requests that were answered with 401 or 403 are counted as `supertokens.session.refusals` by `code`, which
    the current span gets as well, as the attribute of the same name.
    With `instant_revocation`, failed reads of the revocation log are `supertokens.revocation.stale`.
    Failures of the database are `supertokens.database.errors` by `kind` and `final` (`DatabaseFailed`), and
    its connections `db.client.connection.count` by `db.client.connection.state` ("used", "idle").

    A span is named after service and method, such as `supertokens.sessions.create`. Handles and user ids
    stay out of both; of an error a span has the class only, as its status and as `error.type`. A plain
    verification makes no engine call and so no span.
    """
    if app is None:
        Supertokens.get_instance()  # raises where `init` was forgotten
    meter = metrics.get_meter("supertokens_py", VERSION)
    counter = meter.create_counter("supertokens.session.events", description="Events of sessions and keys")
    refusals = meter.create_counter(REFUSALS, description="Requests without a usable session")

    stale = meter.create_counter(STALE, description="Failed reads of the revocation log")
    failures = meter.create_counter(DATABASE_ERRORS, description="Failures of the database")

    def count_refusal(code: str) -> None:
        refusals.add(1, {"code": code})
        trace.get_current_span().set_attribute(REFUSALS, code)

    def count(event: Event) -> None:
        if isinstance(event, SessionRefused):
            count_refusal(event.code)
            return
        if isinstance(event, DatabaseFailed):
            failures.add(1, {"kind": event.kind, "final": event.is_final})
            return
        if isinstance(event, RevocationsStale):
            stale.add(1)
        if isinstance(event, ClaimsFailed):
            count_refusal("claims_failed")
        counter.add(1, _attributes(event))

    while _ends:
        _ends.pop()()
    _ends.append(subscribe(count))
    _observe_connections(meter, app)
    tracer = trace.get_tracer("supertokens_py", VERSION)
    trace_calls(lambda name: _span(tracer, f"supertokens.{name}"))


@contextmanager
def _span(tracer: trace.Tracer, name: str) -> Generator[None]:
    """Make a span; of an error it has the class only, as messages and stack traces say who."""
    with tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
        try:
            yield
        except Exception as error:
            kind = type(error).__name__
            span.set_attribute("error.type", kind)
            span.set_status(Status(StatusCode.ERROR, kind))
            raise


def _observe_connections(meter: metrics.Meter, app: Supertokens | None) -> None:
    """Observe the connections of this app's engine instead of the one observed before."""
    _observed[:] = [app]
    if meter not in _observers:  # nothing takes an instrument back, and a second of the name is refused
        _observers.add(meter)
        meter.create_observable_up_down_counter(
            CONNECTIONS, [_connections], unit="{connection}", description="Connections to the database"
        )


def _connections(_: metrics.CallbackOptions) -> Iterator[metrics.Observation]:
    app = _observed[0] or Supertokens.current()
    engine = None if app is None else app.engine
    if isinstance(engine, CountsConnections):
        counts = engine.connection_counts()
        for state, number in (("used", counts.used), ("idle", counts.idle)):
            yield metrics.Observation(number, {**_POOL, "db.client.connection.state": state})


def _attributes(event: Event) -> dict[str, str]:
    attributes = {"event": event.name}
    if isinstance(event, TokenReused) and event.subtype:
        attributes["subtype"] = event.subtype
    if isinstance(event, SessionRevoked):
        attributes["reason"] = event.reason
    return attributes
