"""Sanic: `setup(app)`, and `@verify_session()` below the route of a handler."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any, TypeAlias, cast
from urllib.parse import unquote

try:
    from sanic import HTTPResponse, Request, Websocket
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Sanic needs the extra 'sanic' (docs/installation.md)", name=_error.name
    ) from _error

from .adapter import (
    ANSWERED,
    BaseRequest,
    BaseResponse,
    ConfigError,
    SessionCheck,
    SuperTokensError,
    answer_error,
    answer_route,
    deliver,
    is_sdk_path,
    register,
    sdk_methods,
)
from .asgi import close_of
from .bodies import gather
from .swallowed import headers_to_keep, is_swallowed
from .view_order import refuse_unguarded_views, remember_unguarded

__all__ = ["SanicRequest", "setup", "verify_session"]

Handler = Callable[..., Any]
AnyRequest: TypeAlias = Any  # `Request` and `Sanic` are generic, and half their methods have no types
AnyApp: TypeAlias = Any

INSTALLED = "supertokens_installed"  #: in the context of an app
STARTED = "supertokens.started"  #: in the context of a request: its response is on the way
FIRST = 100  #: priority: before the application's request middleware, and after its response middleware


class SanicRequest(BaseRequest):
    """One request; the session is `request.ctx.supertokens`."""

    request: AnyRequest
    how_to_deliver = "setup(app), of supertokens_py.framework.sanic"

    def __init__(self, request: AnyRequest) -> None:
        super().__init__(request)
        if STARTED in self.place(request) or _is_websocket(request.route):
            self.finished = True

    @classmethod
    def place(cls, native: AnyRequest) -> MutableMapping[str, Any]:
        return cast("dict[str, Any]", native.ctx.__dict__)

    def is_delivered(self) -> bool:
        return hasattr(self.request.app.ctx, INSTALLED)

    def method(self) -> str:
        return self.request.method

    def get_path(self) -> str:
        return unquote(self.request.path)  # it is as it was sent

    def get_header(self, key: str) -> str | None:
        return self.request.headers.get(key)

    def cookie_header(self) -> str:
        return "; ".join(self.request.headers.getall("cookie", ()))

    def peer_address(self) -> str | None:
        return self.request.ip  # `remote_addr` and `client_ip` read headers

    def get_original_url(self) -> str:
        return self.request.url

    def get_query_params(self) -> dict[str, Any]:
        return dict(self.request.get_query_args(keep_blank_values=True))

    async def body(self) -> bytes:
        if not self.request.body:  # where there is no route, nobody has received it yet
            self.request.body = await gather(self.request.stream, self.max_body)
        return self.request.body


register(Request, SanicRequest)


def setup(app: AnyApp) -> None:
    """Install once, before the server starts."""
    if hasattr(app.ctx, INSTALLED):
        return
    setattr(app.ctx, INSTALLED, True)
    app.register_middleware(_answer_own_routes, "request", priority=FIRST)
    app.register_middleware(_add_changes, "response", priority=FIRST)
    # A response middleware that returns a response of its own ends the chain; this comes after it.
    app.add_signal(_add_changes, "http.lifecycle.response")
    app.register_listener(_get_ready, "before_server_start")


async def _get_ready(app: AnyApp) -> None:
    """Look at what the application has registered, now that all is there."""
    refuse_unguarded_views(dict(_views(app)), "@app.get(...)")
    handlers = app.error_handler
    own = tuple(kind for kind, _ in handlers.cached_handlers if issubclass(kind, SuperTokensError))
    for kind in set(_with_subclasses(ANSWERED)):
        if not issubclass(kind, own):  # exact classes come before the handlers of blueprints for others
            handlers.add(kind, _answer_error)


def _views(app: AnyApp) -> Iterator[tuple[str, Any]]:
    for route in app.router.routes:
        yield route.name, route.handler.args[0] if _is_websocket(route) else route.handler


def _is_websocket(route: Any) -> bool:
    return hasattr(getattr(route, "handler", None), "is_websocket")


def _with_subclasses(kinds: Iterable[type[Any]]) -> Iterator[type[Any]]:
    for kind in kinds:
        yield kind
        yield from _with_subclasses(kind.__subclasses__())


async def _answer_own_routes(request: AnyRequest) -> HTTPResponse | None:
    """Answer below the response middleware, where extensions add CORS headers; there are no routes for it."""
    path = unquote(request.path)
    if not is_sdk_path(path):
        return None
    if request.method == "OPTIONS" and (methods := sdk_methods(path)):
        return HTTPResponse(headers={"Allow": ", ".join([*methods, "OPTIONS"])})
    answer = await answer_route(SanicRequest.of(request))
    if answer is None:
        return None
    async for _ in request.stream:  # an unread one is an error in the log, even of length 0
        pass
    return _native(answer)


async def _answer_error(request: AnyRequest, error: Exception) -> HTTPResponse:
    return _native(await answer_error(SanicRequest.of(request), error))


def _native(answer: BaseResponse) -> HTTPResponse:
    response = HTTPResponse(answer.body, answer.status_code)
    headers: Any = response.headers
    headers.extend(answer.header_list())
    return response


async def _add_changes(request: AnyRequest, response: Any) -> None:
    place = SanicRequest.place(request)
    place[STARTED] = True
    base = SanicRequest.forget(request)
    if base is None:
        return
    if response.status >= 500:
        await _answer_swallowed(base, response)
    headers = await deliver(base, response.status, list(response.headers.items()))
    if headers is not None:
        response.headers.clear()
        response.headers.extend(headers)


async def _answer_swallowed(base: SanicRequest, response: Any) -> None:
    """Answer a session error, in this response, of which a decorator has made a server error."""
    error = base.session_error
    view = getattr(base.request.route, "handler", None)
    if error is None or not hasattr(response, "body"):  # a stream has none
        return
    if is_swallowed(error, ("sanic.",), view):
        answer = await answer_error(base, error)
        response.status, response.body = answer.status_code, answer.body
        kept = headers_to_keep(list(response.headers.items()))
        response.headers.clear()
        response.headers.extend([*answer.header_list(), *kept])


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """A decorator that verifies the session first and puts it into `request.ctx.supertokens`.

    It stands under the route, or in `decorators` of an `HTTPMethodView`, and takes sync and async handlers.
    Sanic accepts a WebSocket before its handler is called, so a refused one is closed, with 1008.
    """

    def __call__(self, handler: Handler) -> Callable[..., Awaitable[Any]]:
        """Guard a handler."""
        remember_unguarded(handler)

        @functools.wraps(handler)
        async def call(*args: Any, **kwargs: Any) -> Any:
            base = SanicRequest.of(_first(Request, args))
            base.require_delivery()
            try:
                await self.verify(base)
                result = handler(*args, **kwargs)
                return await result if inspect.isawaitable(result) else result
            except ANSWERED as error:
                base.session_error = error  # for the middleware, whatever a decorator above makes of it
                socket, close = _first(Websocket, args), close_of(error)
                if socket is None or close is None:
                    raise
                await socket.close(*close)

        return call


def _first(kind: type[Any], args: tuple[Any, ...]) -> Any:
    """Return the first argument of a type; a method has `self` before them."""
    found = next((argument for argument in args if isinstance(argument, kind)), None)
    if found is None and kind is Request:
        raise ConfigError("verify_session() guards handlers of Sanic, whose first argument is a request")
    return found
