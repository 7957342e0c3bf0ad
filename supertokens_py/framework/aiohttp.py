"""aiohttp: `setup(app)`, and `@verify_session()` below the route of a handler."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar, cast

try:
    from aiohttp import StreamReader, web
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "aiohttp needs the extra 'aiohttp' (docs/installation.md)", name=_error.name
    ) from _error

from .adapter import (
    ANSWERED,
    BaseRequest,
    BaseResponse,
    ConfigError,
    SessionCheck,
    SessionContainer,
    answer_error,
    answer_route,
    deliver,
    is_sdk_path,
    register,
    running_loop,
)
from .request import KEY
from .swallowed import is_swallowed
from .view_order import refuse_unguarded_views, remember_unguarded

__all__ = ["SESSION", "AiohttpRequest", "setup", "verify_session"]

T = TypeVar("T")
Handler = Callable[..., Awaitable[Any]]

INSTALLED = web.AppKey("supertokens", bool)


def _key(name: str, kind: type[T]) -> web.RequestKey[T]:
    """Return a key of a request's mapping: since aiohttp 3.14 texts are warned of."""
    return web.RequestKey(name, kind) if hasattr(web, "RequestKey") else cast("Any", name)


SESSION = _key("supertokens", SessionContainer)  #: `request[SESSION]`
SLOT = _key("supertokens.slot", dict[str, Any])
STARTED = "started"  #: in the slot: the response is on the way


class AiohttpRequest(BaseRequest):
    """One request; the session is `request[SESSION]`."""

    request: web.Request
    how_to_deliver = "setup(app), of supertokens_py.framework.aiohttp"

    def __init__(self, request: web.Request) -> None:
        super().__init__(request)
        if STARTED in self.place(request):
            self.finished = True

    @classmethod
    def place(cls, native: web.Request) -> MutableMapping[str, Any]:
        slot: dict[str, Any] | None = native.get(SLOT)  # clones of a request have it too
        if slot is None:
            slot = native[SLOT] = {}
        return slot

    def is_delivered(self) -> bool:
        return INSTALLED in self.request.config_dict

    def method(self) -> str:
        return self.request.method

    def get_path(self) -> str:
        return self.request.path  # decoded, and that of the outermost application

    def get_header(self, key: str) -> str | None:
        return self.request.headers.get(key)

    def cookie_header(self) -> str:
        return "; ".join(self.request.headers.getall("Cookie", ()))

    def peer_address(self) -> str | None:
        return self.request.remote

    def get_original_url(self) -> str:
        return str(self.request.url)

    def get_query_params(self) -> dict[str, Any]:
        return dict(self.request.query.items())

    async def body(self) -> bytes:
        is_own = self.max_body is not None and self.request.can_read_body
        await self.request.read()
        if is_own and self.request.content_type == "multipart/form-data":
            await self._leave_parts()
        return await self.request.read()  # which the handler may do again, too

    async def _leave_parts(self) -> None:
        """Let an override of the application ask for the fields, which come from the stream alone."""
        # The limit is that of all that is there: nothing shall pause the connection.
        stream = StreamReader(self.request.protocol, len(await self.request.read()), loop=running_loop())
        stream.feed_data(await self.request.read())
        stream.feed_eof()
        self.request._payload = stream  # pyright: ignore[reportPrivateUsage]

    def keep_session(self, session: Any) -> None:
        self.request[SESSION] = session


register(web.Request, AiohttpRequest)


def setup(app: web.Application) -> None:
    """Install into the outermost application, once, after your own middlewares and signals.

    The SDK's routes are answered inside the middlewares that are there by then, so that one can add CORS
    headers. Errors of guarded handlers are answered at the handler, others there and around all middlewares.
    """
    if INSTALLED in app:
        return
    app[INSTALLED] = True
    app.middlewares.append(_answer_routes)
    app.middlewares.insert(0, _answer_errors)
    app.on_response_prepare.append(_add_changes)
    app.on_startup.append(_check_views)


async def _check_views(app: web.Application) -> None:
    views = {_name(route): route.handler for route in app.router.routes()}
    refuse_unguarded_views(views, "@routes.get(...)")


def _name(route: web.AbstractRoute) -> str:
    path = "" if route.resource is None else route.resource.canonical
    return f"{getattr(route.handler, '__name__', '')} of {route.method} {path}"


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except ANSWERED as error:
        return await _answered(request, error)
    except web.HTTPException as raised:
        if (error := _swallowed(request, raised.status)) is None:
            raise
    else:
        if (error := _swallowed(request, response.status)) is None:
            return response
    return await _answered(request, error)


@web.middleware
async def _answer_routes(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        answer = await answer_route(AiohttpRequest.of(request)) if is_sdk_path(request.path) else None
    except ANSWERED as error:
        return await _answered(request, error)
    return await _answer_errors(request, handler) if answer is None else _native(answer)


def _swallowed(request: web.Request, status: int) -> Exception | None:
    """Return the session error of which somebody has made this server error, if it is one."""
    place = AiohttpRequest.place(request)
    known: AiohttpRequest | None = place.get(KEY)
    error = None if known is None or status < 500 or STARTED in place else known.session_error
    if error is None:
        return None
    match = request.match_info
    middlewares = (each for app in match.apps for each in app.middlewares)
    return error if is_swallowed(error, ("aiohttp.",), match.handler, middlewares) else None


async def _answered(request: web.Request, error: Exception) -> web.Response:
    if STARTED in AiohttpRequest.place(request):
        raise error
    return _native(await answer_error(AiohttpRequest.of(request), error))


def _native(answer: BaseResponse) -> web.Response:
    return web.Response(body=answer.body, status=answer.status_code, headers=answer.header_list())


async def _add_changes(request: web.Request, response: web.StreamResponse) -> None:
    """Add tokens to whatever response starts: also to streams, raised ones, WebSockets, the page of a 500."""
    place = AiohttpRequest.place(request)
    place[STARTED] = True
    base = AiohttpRequest.forget(request)
    if base is None:
        return
    # The cookies of the response are lines by now, of which there may be two of one name.
    headers = await deliver(base, response.status, response.headers.items())
    if headers is not None:
        response.headers.clear()
        response.headers.extend(headers)


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """A decorator that verifies the session first and puts it into `request[SESSION]`.

    It stands under the route, and takes functions, methods, and the methods of a `web.View`.
    """

    def __call__(self, handler: Handler) -> Handler:
        """Guard a handler."""
        remember_unguarded(handler)

        @functools.wraps(handler)
        async def call(*args: Any, **kwargs: Any) -> Any:
            request = _request_of(args)
            base = AiohttpRequest.of(request)
            base.require_delivery()
            try:
                await self.verify(base)
                return await handler(*args, **kwargs)
            except ANSWERED as error:  # no middleware shall make a 500 of it
                return await _answered(request, error)

        return call


def _request_of(args: tuple[Any, ...]) -> web.Request:
    """Return the request of a call: an argument after `self`, or what a `web.View` has."""
    for argument in args:
        if isinstance(argument, web.Request):
            return argument
        if isinstance(argument, web.View):
            return argument.request
    raise ConfigError("verify_session() guards handlers of aiohttp: a function of a request, or a web.View's")
