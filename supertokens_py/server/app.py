"""The application: a request goes through path, address, key, version, method and tenant to one handler."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Send
from starlette.types import Scope as ASGIScope

from supertokens_py.client_addresses import client_network
from supertokens_py.constants import CLIENT_HEADER, DEFAULT_TENANT_ID, MAX_BODY_BYTES, RID_HEADER
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError, ProtectedClaimError
from supertokens_py.runtime.clock import now_ms as system_now_ms

from .auth import ApiKeys
from .endpoint_request import EndpointRequest, Refused, read_json
from .ip_rules import IpRules, rules
from .known_tenants import KnownTenants
from .metrics import PATH as METRICS
from .metrics import Measured, Metrics, MetricsPage, checked_metrics_keys, exchange_of
from .offered_versions import OfferedVersions
from .openapi import described
from .responses import JsonResponse, TextResponse
from .routes import (
    core,
    email_password,
    email_verification,
    id_mappings,
    passwordless,
    recipe_users,
    roles,
    session_data,
    sessions,
    tenants,
    third_party,
    users,
)
from .routing import Endpoint, Router, Scope, normalised_base_path

_log = logging.getLogger(__name__)

NO_KEYS = (
    "without API keys anyone who reaches the server could create sessions: set SUPERTOKENS_API_KEYS "
    "(api_keys), or SUPERTOKENS_ALLOW_NO_API_KEY=1 (allow_no_api_key=True) where nobody else can reach it"
)
_PROTECTED = "The user payload contains protected field"


def create_app(
    engine: Engine,
    *,
    api_keys: Iterable[str] = (),
    allow_no_api_key: bool = False,
    base_path: str = "",
    min_cdi_version: str | None = None,
    max_cdi_version: str | None = None,
    max_body_bytes: int = MAX_BODY_BYTES,
    ip_allow_regex: str | None = None,
    ip_deny_regex: str | None = None,
    metrics_keys: Iterable[str] = (),
    now_ms: Callable[[], int] = system_now_ms,
) -> Starlette:
    """Return an ASGI application that serves `engine` to SuperTokens SDKs; its end closes the engine.

    Args:
        engine: normally an embedded one.
        api_keys: what callers must show in `api-key` or `Authorization`.
        allow_no_api_key: whether every program may call where there are no keys.
        base_path: the prefix of every path.
        min_cdi_version: the oldest version of the interface on offer [3.0].
        max_cdi_version: the newest [5.6].
        max_body_bytes: longer bodies are refused with 413.
        ip_allow_regex: what the whole address of a caller must match, else 403; tenants can set their own.
        ip_deny_regex: what it must not match.
        metrics_keys: what Prometheus must show to read `/metrics`; without any there is no such path.
        now_ms: the clock, in Unix milliseconds.

    Raises:
        ConfigError: an argument cannot work.
    """
    versions = OfferedVersions(min_cdi_version, max_cdi_version)
    api_keys = list(api_keys)
    keys = ApiKeys(api_keys)
    if not keys and not allow_no_api_key:
        raise ConfigError(NO_KEYS)
    addresses = IpRules(engine, rules(ip_allow_regex, ip_deny_regex))
    server = _Server(
        engine=engine,
        addresses=addresses,
        keys=keys,
        versions=versions,
        router=Router(_endpoints(versions.offered, base_path), base_path),
        max_body_bytes=max_body_bytes,
        now_ms=now_ms,
    )
    scrapers = checked_metrics_keys(metrics_keys, api_keys)
    page = MetricsPage(Metrics(engine), scrapers, addresses) if scrapers else None
    return _application(server, normalised_base_path(base_path) + METRICS, page)


def _application(server: _Server, metrics_path: str, page: MetricsPage | None) -> Starlette:
    routes = [Route("/{path:path}", server)]
    middleware: list[Middleware] = []
    if page is not None:
        routes.insert(0, Route(metrics_path, page, methods=["GET"]))
        middleware.append(Middleware(Measured, metrics=page.metrics))
    return Starlette(
        routes=routes,
        middleware=middleware,
        exception_handlers={404: _not_found},
        lifespan=_lifespan(server.engine, None if page is None else page.metrics),
    )


def _endpoints(versions: Sequence[str], base_path: str) -> list[Endpoint]:
    """Return every endpoint, the description of all of them included."""
    endpoints = [
        *core.endpoints(versions),
        *sessions.ENDPOINTS,
        *session_data.ENDPOINTS,
        *roles.ENDPOINTS,
        *tenants.ENDPOINTS,
        *users.ENDPOINTS,
        *email_password.ENDPOINTS,
        *email_verification.ENDPOINTS,
        *passwordless.ENDPOINTS,
        *third_party.ENDPOINTS,
        *recipe_users.ENDPOINTS,
        *id_mappings.ENDPOINTS,
    ]
    return described(endpoints, versions, base_path=normalised_base_path(base_path))


def _lifespan(
    engine: Engine, metrics: Metrics | None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        with nullcontext() if metrics is None else metrics.counting():
            yield
            engine.close()

    return lifespan


@dataclass(eq=False, kw_only=True)
class _Server:
    """The ASGI endpoint behind every path. A class because it remembers which tenants exist."""

    engine: Engine
    addresses: IpRules
    keys: ApiKeys
    versions: OfferedVersions
    router: Router
    max_body_bytes: int
    now_ms: Callable[[], int]

    def __post_init__(self) -> None:
        self._tenants = KnownTenants(self.engine)

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        response = await self._respond(Request(scope, receive))
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        try:
            answer = await self._answer(request)
        except Refused as refused:
            return _text(refused.status, refused.text)
        except ProtectedClaimError:
            return _text(400, _PROTECTED)
        except (UnknownTenantError, BadInputError) as error:
            return _text(400, str(error))
        except EngineUnavailableError as error:
            _log.warning("the store cannot be reached: %s", error)
            return _text(503, "The session store cannot be reached")
        except ClientDisconnect:
            return _text(400, "The request was not sent completely")
        except Exception:
            _log.exception("%s %s failed", request.method, request.url.path)
            return _text(500, "Internal error")
        if isinstance(answer, Response):
            return answer
        exchange_of(request.scope).answer = str(answer.get("status", ""))
        return JsonResponse(answer)

    async def _answer(self, request: Request) -> Response | dict[str, object]:
        target = self.router.find(request.path_params["path"])
        await self.addresses.check(target.tenant_id, request.client.host if request.client else "")
        one = next(iter(target.methods.values()))
        exchange_of(request.scope).route = one.path
        if not one.open:
            self.keys.check(request.headers)
        version = self.versions.read(request.headers if one.versioned else {})
        # HEAD is a GET whose body the HTTP server leaves out.
        endpoint = target.methods.get("GET" if request.method == "HEAD" else request.method)
        if endpoint is None:
            raise Refused(405, "Method not supported")
        has_body = request.method in ("POST", "PUT") and not endpoint.open
        asked = EndpointRequest(
            engine=self.engine,
            version=version,
            tenant_id=target.tenant_id,
            recipe_id=request.headers.get(RID_HEADER, "").strip().lower(),
            client=client_network(request.headers.get(CLIENT_HEADER, "").partition("/")[0]),
            query=dict(request.query_params),
            body=read_json(await self._body(request)) if has_body else {},
            now_ms=self.now_ms,
        )
        await self._check_tenant(asked, endpoint.scope, is_open=endpoint.open)
        answer = await endpoint.handle(asked)
        if endpoint.handle in tenants.CHANGES:
            self.addresses.forget()
            self._tenants.forget()
        return answer

    async def _body(self, request: Request) -> bytes:
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self.max_body_bytes:
                raise Refused(413, f"The request body is larger than {self.max_body_bytes} bytes")
            chunks.append(chunk)
        return b"".join(chunks)

    async def _check_tenant(self, asked: EndpointRequest, scope: Scope, *, is_open: bool) -> None:
        if asked.tenant_id == DEFAULT_TENANT_ID or scope is Scope.SELF:
            return
        if scope is Scope.APP:
            asked.only_for_app()
        if scope is Scope.PUBLIC:
            asked.only_for_public()
        known = self._tenants.require_for_stranger if is_open else self._tenants.require
        await known(asked.tenant_id)


async def _not_found(request: Request, error: Exception) -> Response:
    # The one path that does not reach the server: with a line break in it.
    return _text(404, "Not found")


def _text(status: int, text: str) -> Response:
    return TextResponse(text + "\n", status_code=status)
