"""OpenTelemetry: events are counted, engine calls are spans, and neither says who."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from supertokens_py import Supertokens, otel
from supertokens_py.audit import LOGGER_NAME
from supertokens_py.engine.call import call_engine
from supertokens_py.engine.explanations import explain
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.events import RevocationsStale, emit, emit_refused
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.syncio import create_new_session_without_request_response
from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.databases import TestDatabase


class Telemetry:
    """What an application would export."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._reader, self._exporter = InMemoryMetricReader(), InMemorySpanExporter()
        meters, tracers = MeterProvider([self._reader]), TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self._exporter))
        # The global providers may be set once per process only, so the SDK's are handed to our module.
        monkeypatch.setattr(metrics, "get_meter", meters.get_meter)
        monkeypatch.setattr(trace, "get_tracer", tracers.get_tracer)

    @property
    def counts(self) -> dict[tuple[str, ...], int]:
        found: dict[tuple[str, ...], int] = {}
        data: Any = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    if metric.name == "db.client.connection.count":
                        continue
                    kind = metric.name.removeprefix("supertokens.session.")
                    for point in metric.data.data_points:
                        values = tuple(str(value) for value in point.attributes.values())
                        found[values if kind == "events" else (kind, *values)] = point.value
        return found

    @property
    def connections(self) -> list[tuple[str, int]]:
        data: Any = self._reader.get_metrics_data()
        return [
            (point.attributes["db.client.connection.state"], point.value)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == "db.client.connection.count"
            for point in metric.data.data_points
        ]

    @property
    def spans(self) -> list[Any]:
        return list(self._exporter.get_finished_spans())

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.spans]


@pytest.fixture
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    return Telemetry(monkeypatch)


@pytest.fixture(params=["fastapi", "flask"])
def site(
    request: pytest.FixtureRequest, telemetry: Telemetry, sqlite_database: TestDatabase, clock: Clock
) -> Iterator[Site]:
    """An application under an event loop and one without, instrumented."""
    made = Site(request.param, sqlite_database.uri, clock).init()
    otel.instrument()
    yield made
    made.close()


def test_events_are_counted(site: Site, telemetry: Telemetry, clock: Clock) -> None:
    """One count per event, and per subtype of reuse."""
    visitor = site.sign_in("header")
    stolen = visitor.refresh_token
    visitor.refresh()
    clock.advance(s=31)
    visitor.refresh()
    clock.advance(minutes=5)
    visitor.refresh_token = stolen
    assert visitor.refresh().status == 401
    assert telemetry.counts == {
        ("session.created",): 1,
        ("session.refreshed",): 2,
        ("session.reuse", "STALE_LINEAGE"): 1,
        ("refusals", "refresh_token_reused"): 1,
    }


def test_refusals_are_counted_by_code(site: Site, telemetry: Telemetry) -> None:
    """One count per 401 and 403, by the code of the error, which the span of the request gets as well."""
    claim = BooleanClaim("admin", lambda *_: False)
    site.world.validators = lambda given, session, context: [*given, claim.validators.is_true()]
    visitor = site.sign_in("header")
    assert [site.get("/protected").status, visitor.get("/claims").status] == [401, 403]
    assert telemetry.counts == {
        ("session.created",): 1,
        ("session.claims_failed",): 1,
        ("refusals", "no_token"): 1,
        ("refusals", "claims_failed"): 1,
    }
    with trace.get_tracer("t").start_as_current_span("request") as span:
        emit_refused(UnauthorisedError("x", code="session_gone"))
        emit_refused(ValueError("no refusal"))
    assert dict(getattr(span, "attributes", {})) == {"supertokens.session.refusals": "session_gone"}


def test_unreadable_revocations_are_counted(site: Site, telemetry: Telemetry) -> None:
    """CP-19: each try in vain, beside the event of it."""
    for _ in range(2):
        emit(RevocationsStale(age_ms=6000))
    assert telemetry.counts == {("supertokens.revocation.stale",): 2, ("revocation.stale",): 2}


def test_engine_calls_are_spans(site: Site, telemetry: Telemetry) -> None:
    """Creating, refreshing, asking the store and revoking are spans; a plain verification is none."""
    visitor = site.sign_in()
    assert visitor.get("/protected").status == 200
    assert telemetry.names == ["supertokens.sessions.create"]
    visitor.get("/database")
    visitor.refresh()
    visitor.post("/auth/signout")
    assert telemetry.names[1:] == [
        "supertokens.sessions.verify",
        "supertokens.sessions.refresh",
        "supertokens.sessions.revoke",
    ]


def test_a_question_to_several_services_is_called_after_its_function(
    site: Site, telemetry: Telemetry
) -> None:
    engine = Supertokens.get_instance().engine
    assert asyncio.run(call_engine(None, explain, engine, "no_such_session")).state == "unknown"
    assert telemetry.names == ["supertokens.explanations.explain"]


def test_a_failing_call_is_a_failed_span(site: Site, telemetry: Telemetry) -> None:
    """The store out of reach: the span has the status and the error, and the event is counted."""
    site.uri = "sqlite:////dev"
    site.init()
    otel.instrument()
    assert site.post("/open", do=lambda view: (yield view.create())).status == 503
    (span,) = telemetry.spans
    assert span.status.status_code is StatusCode.ERROR
    assert telemetry.counts == {
        ("engine.unavailable",): 1,
        ("supertokens.database.errors", "other", "True"): 1,
    }


def test_neither_says_who(site: Site, telemetry: Telemetry) -> None:
    """No token, handle or user id is in a span or in an attribute of a metric."""
    visitor = site.sign_in("header", "a-very-private-user")
    secrets = [visitor.access, visitor.refresh_token, visitor.handle, "a-very-private-user"]
    visitor.refresh()
    with pytest.raises(UnknownTenantError, match=r"nowhere"):
        create_new_session_without_request_response("nowhere-private", "a-very-private-user")
    secrets += ["nowhere-private"]
    told = "".join(span.to_json() for span in telemetry.spans) + repr(telemetry.counts)
    assert [secret for secret in secrets if secret and secret in told] == []


def test_a_call_that_fails_says_no_more_than_the_class_of_its_error(site: Site, telemetry: Telemetry) -> None:
    """Messages and stack traces name users, tenants and addresses."""
    with pytest.raises(UnknownTenantError):
        create_new_session_without_request_response("nowhere-private", "a-very-private-user")
    span = telemetry.spans[-1]
    assert (span.name, span.status.status_code) == ("supertokens.sessions.create", StatusCode.ERROR)
    assert (span.status.description, list(span.events)) == ("UnknownTenantError", [])
    assert dict(span.attributes or {}) == {"error.type": "UnknownTenantError"}


def test_twice_is_once(site: Site, telemetry: Telemetry) -> None:
    """Calling it again neither counts nor spans twice; an app can be named, too."""
    otel.instrument()
    otel.instrument(Supertokens.get_instance())
    site.sign_in()
    assert telemetry.counts == {("session.created",): 1}
    assert telemetry.names == ["supertokens.sessions.create"]


def test_connections_are_observed_once(site: Site, telemetry: Telemetry) -> None:
    """As many as the pool has, also after a second `instrument()`, and of an app that was named."""
    otel.instrument(Supertokens.get_instance())
    site.sign_in()
    assert sorted(telemetry.connections) == [("idle", 1), ("used", 0)]


def test_an_app_over_a_core_has_no_connections(site: Site, telemetry: Telemetry) -> None:
    site.uri = "http://localhost:3567"
    site.init()
    assert Supertokens.get_instance().engine
    emit(RevocationsStale(age_ms=6000))
    assert telemetry.connections == []
    assert telemetry.counts == {("supertokens.revocation.stale",): 1, ("revocation.stale",): 1}


def test_the_audit_log_is_left_alone(site: Site, telemetry: Telemetry) -> None:
    """Counting changes neither its level nor its handlers, and does not depend on them."""
    log = logging.getLogger(LOGGER_NAME)
    assert (log.level, log.handlers) == (logging.NOTSET, [])
    log.disabled = True
    try:
        site.sign_in()
    finally:
        log.disabled = False
    assert telemetry.counts == {("session.created",): 1}


def test_spans_nest_under_the_request(site: Site, telemetry: Telemetry) -> None:
    """The span of the application's request is the parent, also across our worker threads."""
    tracer = trace.get_tracer("app")
    with tracer.start_as_current_span("request") as request:
        site.sign_in()
    inner = next(span for span in telemetry.spans if span.name == "supertokens.sessions.create")
    assert inner.parent.span_id == request.get_span_context().span_id
