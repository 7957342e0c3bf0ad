"""Keys, JWTs, versions and liveness."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.responses import Response

from supertokens_py.constants import CLIENT_HEADER
from supertokens_py.engine.readiness import ReadinessCheck, State
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.types.base import JSONObject

from ..endpoint_request import EndpointRequest, Refused
from ..responses import JsonResponse, TextResponse
from ..routing import Endpoint, Scope
from ..schemas import FLAG, INTEGER, JWKS, OBJECT, TEXT, TEXTS, by_status, object_of

_HELLO_BURST = 5
_HELLO_INTERVAL_S = 0.2


async def _create_jwt(request: EndpointRequest) -> JSONObject:
    issuer, payload, validity_s = (
        request.text("jwksDomain"),
        request.object("payload"),
        request.integer("validity"),
    )
    static_key = request.flag("useStaticSigningKey", default=True)
    if request.text("algorithm").upper() != "RS256":
        return {"status": "UNSUPPORTED_ALGORITHM_ERROR"}
    if validity_s <= 0:
        raise Refused(400, "validity must be greater than 0")
    jwt = await request.ask(
        request.engine.keys.create_jwt, payload, issuer=issuer, validity_s=validity_s, static_key=static_key
    )
    return {"status": "OK", "jwt": jwt}


async def _public_jwks(request: EndpointRequest) -> Response:
    jwks = await request.ask(request.engine.keys.jwks)
    headers = {"Cache-Control": f"max-age={jwks.max_age_s}, must-revalidate"}
    return JsonResponse({"keys": [dict(key) for key in jwks.keys]}, headers=headers)


async def _old_jwks(request: EndpointRequest) -> JSONObject:
    jwks = await request.ask(request.engine.keys.jwks)
    return {"status": "OK", "keys": [dict(key) for key in jwks.keys]}


async def _config_path(request: EndpointRequest) -> JSONObject:
    return {"status": "NOT_ALLOWED"}


async def _features(request: EndpointRequest) -> JSONObject:
    return {"status": "OK", "features": ["multi_tenancy"], "usageStats": {}}


async def _active_users(request: EndpointRequest) -> JSONObject:
    since_ms = request.param_number("since")
    if since_ms < 0:
        raise Refused(400, "'since' parameter must be a timestamp that is not negative")
    count = await request.ask(request.engine.users.count_active, since_ms)
    if count is None:
        raise Refused(404, "Not found")
    return {"status": "OK", "count": count}


def versions(offered: Sequence[str]) -> Callable[[EndpointRequest], Awaitable[Response]]:
    """Make the endpoint that lists the versions on offer, and says that this server counts by clients."""

    async def list_versions(request: EndpointRequest) -> Response:
        return JsonResponse({"versions": list(offered)}, headers={CLIENT_HEADER: "taken"})

    return list_versions


class Hello:
    """Says hello after a look at the store; a burst of calls is answered without it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens = float(_HELLO_BURST)
        self._filled_s = clock()

    async def __call__(self, request: EndpointRequest) -> Response:
        if self._take() and await request.ask(request.engine.tenants.find, request.tenant_id) is None:
            raise UnknownTenantError(request.tenant_id)
        return TextResponse("Hello\n")

    def _take(self) -> bool:
        now = self._clock()
        self._tokens = min(float(_HELLO_BURST), self._tokens + (now - self._filled_s) / _HELLO_INTERVAL_S)
        self._filled_s = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


async def _live(request: EndpointRequest) -> Response:
    return TextResponse("Alive\n")  # that it is said is all: a restart brings no database back


class Ready:
    """Says whether sessions can be served; a class because it remembers the last look at the store."""

    def __init__(self) -> None:
        self._check: ReadinessCheck | None = None

    async def __call__(self, request: EndpointRequest) -> Response:
        if self._check is None:
            self._check = ReadinessCheck(lambda: request.engine)
        found = await self._check.ask()
        return TextResponse(f"{_READINESS[found.state]}\n", status_code=found.status_code)


_READINESS: Mapping[State, str] = {
    "ready": "Ready",
    "unavailable": "The session store cannot be reached",
    "broken": "The session store cannot be used: the log says why",
}
_HELLO_METHODS = ("GET", "POST", "PUT", "DELETE")
_ENDPOINTS = (
    Endpoint(
        "GET",
        "/.well-known/jwks.json",
        Scope.IGNORED,
        _public_jwks,
        answer=object_of({"keys": JWKS}, closed=True),
        open=True,
        versioned=False,
    ),
    Endpoint(
        "GET",
        "/config",
        Scope.APP,
        _config_path,
        answer=by_status({"NOT_ALLOWED": {}}),
        open=True,
        versioned=False,
    ),
    Endpoint(
        "GET",
        "/ee/featureflag",
        Scope.APP,
        _features,
        answer=by_status({"OK": {"features": TEXTS, "usageStats": OBJECT}}),
    ),
    Endpoint(
        "POST",
        "/recipe/jwt",
        Scope.APP,
        _create_jwt,
        body={
            "algorithm": TEXT,
            "jwksDomain": TEXT,
            "payload": OBJECT,
            "validity": INTEGER,
            "useStaticSigningKey?": FLAG,
        },
        answer=by_status({"OK": {"jwt": TEXT}, "UNSUPPORTED_ALGORITHM_ERROR": {}}),
    ),
    Endpoint("GET", "/recipe/jwt/jwks", Scope.APP, _old_jwks, answer=by_status({"OK": {"keys": JWKS}})),
    Endpoint(
        "GET",
        "/users/count/active",
        Scope.APP,
        _active_users,
        query={"since": INTEGER},
        answer=by_status({"OK": {"count": INTEGER}}),
    ),
)


def endpoints(offered_versions: Sequence[str]) -> list[Endpoint]:
    """Return the endpoints of this module for a server that offers some versions of the interface."""
    hello = Hello()
    probes = {"/health/live": _live, "/health/ready": Ready()}
    return [
        *(
            Endpoint("GET", path, Scope.APP, probe, answer=None, open=True, versioned=False)
            for path, probe in probes.items()
        ),
        *(
            Endpoint(method, path, Scope.SELF, hello, answer=None, open=True, versioned=False)
            for path in ("/", "/hello")
            for method in _HELLO_METHODS
        ),
        Endpoint(
            "GET",
            "/apiversion",
            Scope.APP,
            versions(offered_versions),
            query={"websiteDomain?": TEXT, "apiDomain?": TEXT},
            answer=object_of({"versions": TEXTS}, closed=True),
            versioned=False,
        ),
        *_ENDPOINTS,
    ]
