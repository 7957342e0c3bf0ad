"""Quart: `Middleware(app)`, and `@verify_session()` below `@app.route` or `@app.websocket`."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, TypeVar, cast

try:
    from quart import (
        Quart,
        Request,
        Response,
        Websocket,
        current_app,
        g,
        has_app_context,
        has_websocket_context,
    )
    from quart import request as current_request
    from quart import websocket as current_websocket
    from werkzeug.datastructures import Headers
    from werkzeug.local import LocalProxy
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Quart needs the extra 'quart' (docs/installation.md)", name=_error.name
    ) from _error

from . import asgi
from .adapter import (
    ANSWERED,
    BaseResponse,
    ConfigError,
    SessionCheck,
    SuperTokensError,
    answer_error,
    answer_route,
    is_sdk_path,
    register,
    sdk_methods,
)
from .asgi import AsgiRequest, close_of
from .loop_bridge import lend_loop
from .view_order import refuse_unguarded_views, remember_unguarded

__all__ = ["Middleware", "QuartRequest", "verify_session"]

EXTENSION = "supertokens"  #: where Quart knows that the middleware is there

T = TypeVar("T")


class QuartRequest(AsgiRequest):
    """One request or WebSocket; the session is `g.supertokens`."""

    request: Request
    how_to_deliver = "Middleware(app), of supertokens_py.framework.quart"

    def __init__(self, req: Request | Websocket) -> None:
        if isinstance(req, LocalProxy):
            req = cast("Request", req._get_current_object())  # pyright: ignore[reportPrivateUsage]
        super().__init__(req)

    async def body(self) -> bytes:
        # Which Quart receives in any case, up to `MAX_CONTENT_LENGTH`.
        return b"" if self.is_websocket() else cast("bytes", await self.request.get_data())

    def keep_session(self, session: Any) -> None:
        if has_app_context():  # else the view is over: a failed response takes its session back
            g.supertokens = session


register(Request, QuartRequest)
register(Websocket, QuartRequest)


class Middleware:
    """Put into an app once: `Middleware(app)`, or `Middleware().init_app(app)`."""

    def __init__(self, app: Quart | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Quart) -> None:
        """Register the hooks; a request that is not the SDK's costs a path comparison."""
        if not isinstance(app, Quart):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError(
                f"Middleware takes the Quart application: Middleware(app), not {type(app).__name__}"
            )
        if EXTENSION in app.extensions:
            return
        app.extensions[EXTENSION] = self
        app.before_request(_answer_own_routes)
        app.teardown_request(_forget_session)
        app.teardown_websocket(_forget_session)
        app.handle_user_exception = _Answers(app)
        app.asgi_app = _Delivery(app)  # type: ignore[method-assign]


class _Delivery(asgi.SuperTokensMiddleware):
    """Adds tokens outside of everything that makes a response: error pages, streams, static files.

    The routes are answered by a hook, since CORS extensions add their headers to what passes Quart's hooks.
    """

    request_class: ClassVar[type[AsgiRequest]] = QuartRequest
    layers: ClassVar[tuple[str, ...]] = ("quart.",)

    def __init__(self, app: Quart) -> None:
        super().__init__(cast("Any", app.asgi_app))
        self._views: Mapping[str, Any] = app.view_functions
        self._unchecked: Quart | None = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._unchecked is not None:
            refuse_unguarded_views(self._unchecked.view_functions)
            self._unchecked = None
        lend_loop()
        await super().__call__(scope, receive, send)

    def view_of(self, request: AsgiRequest) -> Any:
        return self._views.get(request.request.endpoint or "")

    async def _answered_route(self, scope: Any, receive: Any, send: Any) -> bool:
        return False


async def _answer_own_routes() -> Response | None:
    path = current_request.scope["path"]
    if not is_sdk_path(path):
        return None
    if current_request.method == "OPTIONS" and (methods := sdk_methods(path)):
        # Quart answers preflights of its own routes; CORS extensions only add headers to what comes.
        return Response(b"", headers={"Allow": ", ".join([*methods, "OPTIONS"])})
    answer = await answer_route(QuartRequest.of(current_request))
    return None if answer is None else _native(answer)


async def _forget_session(error: BaseException | None) -> None:
    # An app context may be pushed for the whole process; the next request must not find this session.
    g.pop("supertokens", None)


def _native(answer: BaseResponse) -> Response:
    return Response(answer.body, status=answer.status_code, headers=Headers(answer.header_list()))


class _Answers:
    """Answers the SDK's errors before any handler of the application that was made for other exceptions."""

    def __init__(self, app: Quart) -> None:
        self._app = app
        self._inner: Callable[[Exception], Awaitable[Any]] = app.handle_user_exception

    async def __call__(self, error: Exception) -> Any:
        if not isinstance(error, ANSWERED) or self._is_answered_by_the_application(error):
            return await self._inner(error)
        if not has_websocket_context():
            return _native(await answer_error(QuartRequest.of(current_request), error))
        if (close := close_of(error)) is None:
            raise error
        await current_websocket.close(*close)  # before `accept` servers make a 403 of it
        return None

    def _is_answered_by_the_application(self, error: Exception) -> bool:
        specified = self._app.error_handler_spec
        connection = current_websocket if has_websocket_context() else current_request
        kinds = (kind for name in (*connection.blueprints, None) for kind in specified[name][None])
        return any(issubclass(kind, SuperTokensError) and isinstance(error, kind) for kind in kinds)


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """A decorator that verifies the session first and puts it into `quart.g.supertokens`.

    It stands under `@app.route` or `@app.websocket` and takes sync and async views. Session errors are
    raised; the middleware answers them, and closes WebSockets with 1008.
    """

    def __call__(self, view: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Guard a view."""
        remember_unguarded(view)

        @functools.wraps(view)
        async def call(*args: Any, **kwargs: Any) -> Any:
            base = QuartRequest.of(current_websocket if has_websocket_context() else current_request)
            base.require_delivery()
            try:
                await self.verify(base)
                return await current_app.ensure_async(view)(*args, **kwargs)
            except ANSWERED as error:
                base.session_error = error  # for the middleware, whatever a decorator above makes of it
                raise

        return call
