"""What an operator counts: requests, events, and the database of each process, as Prometheus reads it."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supertokens_py.audit import detail_of
from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.readiness import CountsConnections
from supertokens_py.event_dispatch import subscribe
from supertokens_py.events import DatabaseFailed, Event
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.numbers import whole_number

from .auth import ApiKeys
from .endpoint_request import Refused
from .ip_rules import IpRules
from .responses import TextResponse

PATH = "/metrics"
#: Where several processes of a server keep what each has counted; `prometheus_client` reads it.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"

_EXCHANGE = "supertokens_py.exchange"
#: Others are counted together: whoever sends requests must not be able to make up series.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass
class Exchange:
    """What is learnt of a request while it is answered."""

    route: str = "none"  #: the path of the endpoint that was found, without base path and tenant
    answer: str = ""  #: the `status` of a JSON answer, such as "OK" or "UNAUTHORISED"


def exchange_of(scope: Scope) -> Exchange:
    """Return where to note what is learnt of a request."""
    known = scope.get(_EXCHANGE)
    return known if isinstance(known, Exchange) else Exchange()


class Metrics:
    """Counts what a server does. A class because it owns the counters.

    Of a server with several processes any one answers for all, by files in the directory `DIRECTORY`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "supertokens_requests",
            "Requests that were answered",
            ("method", "route", "status", "answer"),
            registry=registry,
        )
        self._durations = Histogram(
            "supertokens_request_duration_seconds",
            "From the head of a request to the end of its answer",
            ("route",),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self._events = Counter(
            "supertokens_events", "What happened to sessions and keys", ("event", "detail"), registry=registry
        )
        self._failures = Counter(
            "supertokens_database_errors",
            "Failures of the database; a final one was not tried again",
            ("kind", "final"),
            registry=registry,
        )
        self._connections = Gauge(
            "supertokens_database_connections",
            "Connections to the database",
            ("state",),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._limit = Gauge(
            "supertokens_database_connections_limit",
            "How many connections there may be",
            registry=registry,
            multiprocess_mode="livesum",
        )

    @contextmanager
    def counting(self) -> Generator[None]:
        """Count events until the block ends."""
        end = subscribe(self._count_event)
        try:
            yield
        finally:
            end()

    def count(self, method: str, exchange: Exchange, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, exchange.route, str(status), exchange.answer).inc()
        self._durations.labels(exchange.route).observe(seconds)

    def look_at_connections(self) -> None:
        """Note how many connections are in use. No I/O."""
        if isinstance(self._engine, CountsConnections):
            counts = self._engine.connection_counts()
            self._connections.labels("used").set(counts.used)
            self._connections.labels("idle").set(counts.idle)
            self._limit.set(counts.limit)

    def text(self) -> bytes:
        """Return the counters of every process of this server, in Prometheus' text format."""
        self.look_at_connections()
        directory = os.environ.get(DIRECTORY)
        if not directory:
            return generate_latest(self._registry)
        _forget_the_dead(Path(directory))
        everybody = CollectorRegistry()
        MultiProcessCollector(everybody, path=directory)
        return generate_latest(everybody)

    def _count_event(self, event: Event) -> None:
        if isinstance(event, DatabaseFailed):
            self._failures.labels(event.kind, "true" if event.is_final else "false").inc()
        else:
            self._events.labels(event.name, detail_of(event)).inc()


class Measured:
    """An application whose requests are counted, those that no route takes included."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun_s = 500, time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        exchange = scope[_EXCHANGE] = Exchange()
        # Before as well: while a database does not answer, no request comes to its end.
        self._metrics.look_at_connections()
        try:
            await self._app(scope, receive, watch)
        finally:
            self._metrics.count(scope["method"], exchange, status, time.perf_counter() - begun_s)
            self._metrics.look_at_connections()


class MetricsPage:
    """The route that Prometheus reads, with keys of its own: who may count must not make sessions.

    It asks no database, so that it answers while that is away.
    """

    def __init__(self, metrics: Metrics, keys: Iterable[str], addresses: IpRules) -> None:
        self.metrics: Metrics = metrics
        self._keys = ApiKeys(keys)
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange_of(scope).route = PATH
        response = await self._answer(Request(scope))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            await self._addresses.check(DEFAULT_TENANT_ID, request.client.host if request.client else "")
            self._keys.check(request.headers)
        except Refused as refused:
            return TextResponse(f"{refused.text}\n", status_code=refused.status)
        return Response(self.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def checked_metrics_keys(keys: Iterable[str], api_keys: Iterable[str]) -> list[str]:
    """Return the keys that read metrics.

    Raises:
        ConfigError: one of them is an API key as well.
    """
    keys = list(keys)
    if set(keys) & set(api_keys):
        raise ConfigError(
            "a key of SUPERTOKENS_METRICS_KEYS is also an API key: who reads metrics could create sessions"
        )
    return keys


def _forget_the_dead(directory: Path) -> None:
    """Leave out the connections of processes that have ended; what they counted stays."""
    for path in directory.glob("gauge_live*_*.db"):
        process_id = whole_number(path.stem.rpartition("_")[2])
        if process_id is not None and not _is_alive(process_id):
            path.unlink(missing_ok=True)  # another process may be doing the same


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except OSError as error:  # that of another user lives as well
        return not isinstance(error, ProcessLookupError)
    return True
