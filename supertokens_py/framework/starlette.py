"""Starlette: `app.add_middleware(SuperTokensMiddleware)`, and `@verify_session()` on an endpoint."""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterable, Callable, Coroutine, Iterator
from typing import Any, ClassVar, Final, cast

try:
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.exceptions import WebSocketException
    from starlette.middleware.exceptions import ExceptionMiddleware
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.routing import Route, Router
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Starlette needs the extra 'starlette' (docs/installation.md)", name=_error.name
    ) from _error

from . import asgi
from .adapter import (
    ANSWERED,
    AppBridge,
    SessionCheck,
    SuperTokensError,
    SuperTokensSessionError,
    answer_error,
    deliver,
    register,
)
from .anyio_bridge import ANYIO
from .asgi import ASGIApp, AsgiRequest, close_of

__all__ = ["StarletteRequest", "SuperTokensMiddleware", "error_response", "refusal", "verify_session"]


class StarletteRequest(AsgiRequest):
    """One HTTP request or WebSocket; the session is where `request.state` shows it."""

    request: Request
    how_to_deliver = "app.add_middleware(SuperTokensMiddleware), of supertokens_py.framework.starlette"

    def __init__(self, request: HTTPConnection) -> None:
        super().__init__(request)
        handlers = self._scope.get("starlette.exception_handlers", (None,))[0]
        if handlers is not None and SuperTokensSessionError not in handlers and self.delivers:
            _answer_near_the_endpoint(handlers)

    def require_delivery(self) -> None:
        # Error responses reach the client through a handler of the application, too, if that is all there is.
        handlers = getattr(self._scope.get("app"), "exception_handlers", {})
        if not self.delivers and not _ours(handlers):
            super().require_delivery()

    def get_original_url(self) -> str:
        return str(self.request.url)

    def own_chunks(self) -> AsyncIterable[bytes]:
        return self.request.stream()

    def leave_body(self, native: Any) -> None:
        native._body = self._own_body

    async def form_data(self) -> dict[str, Any]:
        try:
            return await super().form_data()
        except RuntimeError:  # the endpoint has read the body, as a form of its own
            return dict(await self.request.form())


register(HTTPConnection, StarletteRequest)

#: Where errors pass that have left an endpoint or a middleware, and the handlers that were made for them are.
_LAYERS: Final[tuple[str, ...]] = (
    "starlette._exception_handler",
    "starlette.middleware",
    "starlette.routing",
    "fastapi.middleware",
    "fastapi.routing",
)


class SuperTokensMiddleware(asgi.SuperTokensMiddleware):
    """Answers SDK routes and session errors, and adds tokens to the responses of the application.

    Add CORS middleware so that it is outside of this one.
    """

    request_class: ClassVar[type[AsgiRequest]] = StarletteRequest
    native: ClassVar[type[Any]] = Request
    bridge: ClassVar[AppBridge | None] = ANYIO
    layers: ClassVar[tuple[str, ...]] = _LAYERS

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        # Starlette builds from the inside out. Where a layer cannot be walked through, the first request that
        # gets inside does it.
        for handlers in _handlers_of(app, set()):
            _answer_near_the_endpoint(handlers)

    def view_of(self, request: AsgiRequest) -> Any:
        return request.request.scope.get("endpoint")


async def error_response(request: StarletteRequest, error: Exception) -> Response:
    """Return the response of an error that the SDK answers; others are raised again."""
    answer = await answer_error(request, error)
    headers = answer.header_list()
    if not request.delivers:  # the middleware does it, where there is one
        headers = await deliver(request, answer.status_code, headers) or headers
    response = Response(answer.body, status_code=answer.status_code)
    response.raw_headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return response


async def _answer(request: Request, error: Exception) -> Response:
    if request.scope["type"] != "http":
        raise error  # a WebSocket has no response
    return await error_response(StarletteRequest.of(request), error)


def _answer_near_the_endpoint(handlers: dict[Any, Any]) -> None:
    """Answer the SDK's errors where Starlette answers its own, below every middleware of the application.

    Else a middleware that catches exceptions would make a 500 of each 401. The handlers are those of the
    whole application. Where it has one for our errors, that one stays.
    """
    if _answer not in handlers.values():
        own = _ours(handlers)
        handlers.update((kind, _answer) for kind in ANSWERED if not issubclass(kind, own))


def _handlers_of(layer: Any, seen: set[int]) -> Iterator[dict[Any, Any]]:
    """Return the handlers of the application that a layer leads to, and of those that are mounted in it."""
    if layer is None or id(layer) in seen:
        return
    seen.add(id(layer))
    inner = getattr(layer, "app", None)
    if isinstance(layer, Starlette):
        inner = layer.middleware_stack
        if inner is None:  # it is built, with these handlers, at its first request
            yield layer.exception_handlers
            inner = layer.router
    elif isinstance(layer, ExceptionMiddleware):
        yield getattr(layer, "_exception_handlers", {})
    elif isinstance(layer, Router):
        for route in layer.routes:
            yield from _handlers_of(route, seen)
    elif isinstance(layer, Route):
        return
    yield from _handlers_of(inner, seen)


def _ours(handlers: dict[Any, Any]) -> tuple[type[SuperTokensError], ...]:
    """Return the errors of the SDK for which the application itself has a handler."""
    kinds = (kind for kind, handler in handlers.items() if isinstance(kind, type) and handler is not _answer)
    return tuple(kind for kind in kinds if issubclass(kind, SuperTokensError))


def refusal(request: StarletteRequest, error: SuperTokensError) -> Exception:
    """Return what to raise for an error of a verification: the close of a WebSocket, or the error itself.

    Raises:
        ConfigError: nobody would answer the error, which alone would be a bare 500; says what is missing.
    """
    request.session_error = error  # the middleware answers it, whatever somebody in between makes of it
    if request.is_websocket() and (close := close_of(error)):
        closing = WebSocketException(*close)
        closing.__cause__ = error
        return closing
    request.require_delivery()
    return error


def _connection(arguments: tuple[object, ...]) -> Any:
    """Return the connection among an endpoint's arguments, the second one of methods."""
    return next(cast("Any", each) for each in arguments if isinstance(each, HTTPConnection))


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """A decorator that verifies the session first and puts it into `request.state.supertokens`.

    It stands on endpoints, also on methods of an `HTTPEndpoint`, `async` or not, and on WebSocket endpoints,
    which it closes with 1008 where there is no session.
    """

    def __call__(self, endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Guard an endpoint."""
        is_async = inspect.iscoroutinefunction(endpoint)

        @functools.wraps(endpoint)
        async def call(*args: Any, **kwargs: Any) -> Any:
            request = StarletteRequest.of(_connection(args))
            try:
                await self.verify(request)
            except SuperTokensError as error:
                raise refusal(request, error) from error.__cause__
            if is_async:
                return await endpoint(*args, **kwargs)
            return await run_in_threadpool(endpoint, *args, **kwargs)

        return call
