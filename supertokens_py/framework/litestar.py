"""Litestar: `plugins=[SuperTokensPlugin()]`, `guards=[verify_session()]`; the session is `request.auth`."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, Final, cast
from urllib.parse import unquote

try:
    from litestar.config.app import AppConfig
    from litestar.connection import ASGIConnection
    from litestar.exceptions import (
        MethodNotAllowedException,
        NotFoundException,
        SerializationException,
        WebSocketException,
        responses,
    )
    from litestar.handlers import BaseRouteHandler
    from litestar.plugins import InitPlugin
    from litestar.serialization import decode_json
    from litestar.types import ASGIApp, Receive, Scope, Send
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Litestar needs the extra 'litestar' (docs/installation.md)", name=_error.name
    ) from _error

from . import asgi
from .adapter import (
    ANSWERED,
    BaseResponse,
    SessionCheck,
    SuperTokensError,
    answer_error,
    answer_route,
    is_sdk_path,
)
from .adapter import register as register_type
from .asgi import SLOT, AsgiRequest, close_of, send_answer
from .loop_bridge import lend_loop
from .request import KEY

__all__ = ["LitestarRequest", "SuperTokensPlugin", "verify_session"]

log: logging.Logger = logging.getLogger(__name__)

DELIVERS: Final = "supertokens"  #: in the application's `opt`: the plugin is there

Connection = ASGIConnection[Any, Any, Any, Any]
Handler = Callable[[Any, Any], Any]

_default: Handler = cast("Any", responses).create_exception_response


class LitestarRequest(AsgiRequest):
    """One request or WebSocket; the session is its `auth`, and the user's ID its `user`."""

    request: Any
    how_to_deliver = "Litestar(plugins=[SuperTokensPlugin()]), of supertokens_py.framework.litestar"

    def is_delivered(self) -> bool:
        return DELIVERS in self.request.app.opt

    def get_path(self) -> str:
        return _path(self._scope)

    def mount_path(self) -> str:
        return self._scope.get("root_path", "").rstrip("/")

    async def body(self) -> bytes:
        # Litestar's own way asks the route how large a body may be, and the SDK's routes are none of its.
        is_routed = "route_handler" in self._scope or self.is_websocket()
        return await (super().body() if is_routed else self.own_body())

    def leave_body(self, native: Any) -> None:
        native._body = self._own_body
        if (self.get_header("content-type") or "").startswith("application/json"):
            with suppress(SerializationException, RecursionError):  # to read it later takes a route
                native._json = decode_json(self._own_body or b"")

    def keep_session(self, session: Any) -> None:
        super().keep_session(session)
        self._scope["auth"] = session
        self._scope["user"] = None if session is None else session.get_user_id()


register_type(ASGIConnection, LitestarRequest)


def _path(scope: Any) -> str:
    """Return the path as the browser sees it: routing has taken the mount prefix from `path` by now."""
    raw: bytes | None = scope.get("raw_path")
    return scope["path"] if raw is None else unquote(raw.partition(b"?")[0].decode("latin-1"))


class SuperTokensPlugin(InitPlugin):
    """Answers SDK routes and session errors, and adds tokens to the responses of the application."""

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add the plugin's parts to an application that is being made."""
        app_config.opt[DELIVERS] = True
        app_config.middleware.insert(0, cast("Any", _Middleware))
        caching = app_config.response_cache_config
        may_keep = _excluding_personal(caching.cache_response_filter)
        app_config.response_cache_config = replace(caching, cache_response_filter=may_keep)
        handlers: dict[Any, Any] = dict(cast("Any", app_config).exception_handlers)
        classes = [kind for kind in handlers if isinstance(kind, type)]
        own = tuple(kind for kind in classes if issubclass(kind, SuperTokensError))
        handlers |= {kind: _answer_error for kind in ANSWERED if not issubclass(kind, own)}
        # Litestar runs the middleware of a route that it has found: for the SDK's there is none.
        for status, kind in ((404, NotFoundException), (405, MethodNotAllowedException)):
            keys: tuple[Any, ...] = (status, *kind.__mro__)
            theirs: Handler = next((handlers[key] for key in keys if key in handlers), _default)
            handlers[status] = _falling_back_to_sdk(theirs)
        app_config.exception_handlers = handlers
        return app_config


def _excluding_personal(theirs: Callable[[Any, int], bool]) -> Callable[[Any, int], bool]:
    """Return a filter of the response cache that also refuses what is one visitor's own.

    The key of that cache is the URL: the next visitor would be sent the page of the one before.
    """

    def may_keep(scope: Any, status: int) -> bool:
        request: AsgiRequest | None = scope.get(SLOT, {}).get(KEY)
        own = request is not None and (request.session_sought or request.caching_forbidden)
        return not own and theirs(scope, status)

    return may_keep


def _request(scope: Any, receive: Any) -> Any:
    return scope["litestar_app"].request_class(scope, receive=receive)


class _Middleware(asgi.SuperTokensMiddleware):
    """Stands outside of the application's middleware and of its response cache, which must see no tokens."""

    request_class: ClassVar[type[AsgiRequest]] = LitestarRequest
    native: ClassVar[Any] = staticmethod(_request)
    path_of: ClassVar[Any] = staticmethod(_path)
    layers: ClassVar[tuple[str, ...]] = ("litestar.",)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        # Litestar runs blocking code in threads of an executor, of which anyio knows nothing.
        lend_loop()
        await super().__call__(scope, receive, send)

    def view_of(self, request: AsgiRequest) -> Any:
        return getattr(request.request.scope.get("route_handler"), "fn", None)


class _AsyncResponse:
    """A response that is made when it is sent, since Litestar's exception handlers are blocking functions."""

    def __init__(self, make: Callable[[], Awaitable[BaseResponse | None]], otherwise: Any = None) -> None:
        self._make, self._otherwise = make, otherwise

    def to_asgi_response(self, app: Any, request: Any, **named: Any) -> ASGIApp:
        """Return the application that sends the response."""

        async def respond(scope: Scope, receive: Receive, send: Send) -> None:
            otherwise = self._otherwise
            try:
                answer = await self._make()
            except Exception as error:  # Litestar answers none that comes from here
                for hook in request.app.after_exception:
                    await hook(error, scope)
                log.exception("a request could not be answered")
                answer, otherwise = None, _default(request, error)
            if answer is not None:
                await send_answer(answer, LitestarRequest.of(request), cast("Any", send))
            else:
                await otherwise.to_asgi_response(app, request, **named)(scope, receive, send)

        return respond


def _answer_error(request: Connection, error: Exception) -> Any:
    return _AsyncResponse(lambda: answer_error(LitestarRequest.of(request), error))


def _falling_back_to_sdk(theirs: Handler) -> Handler:
    def answer(request: Any, error: Exception) -> Any:
        response = theirs(request, error)
        if not is_sdk_path(_path(request.scope)):
            return response
        return _AsyncResponse(lambda: answer_route(LitestarRequest.of(request)), response)

    return answer


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """A guard of handlers, controllers, routers and applications, for HTTP and WebSockets."""

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Verify the session of a connection, which is its `auth` from then on."""
        request = LitestarRequest.of(connection)
        try:
            await self.verify(request)
        except SuperTokensError as error:
            if request.is_websocket() and (close := close_of(error)):
                raise WebSocketException(detail=close[1], code=close[0]) from error
            request.require_delivery()
            raise
