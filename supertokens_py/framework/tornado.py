"""Tornado: `setup(app)`, `@verify_session()` above a method, and `SuperTokensMixin` for other errors."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, cast

try:
    from tornado.escape import url_unescape
    from tornado.httputil import HTTPHeaders, HTTPServerRequest
    from tornado.routing import Matcher, Rule
    from tornado.web import Application, OutputTransform, RequestHandler
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Tornado needs the extra 'tornado' (docs/installation.md)", name=_error.name
    ) from _error

from .adapter import (
    ANSWERED,
    BaseRequest,
    BaseResponse,
    SessionCheck,
    answer_error,
    answer_route,
    deliver_at_once,
    is_sdk_path,
    register,
    sdk_methods,
)

__all__ = ["SuperTokensMixin", "TornadoRequest", "setup", "verify_session"]

Method = Callable[..., Any]

DELIVERS = "_supertokens_delivers"  #: in a request: the transform will see its response
STARTED = "_supertokens_started"  #: in a request: its response is on the way

#: What goes on after a blocking hook has returned; somebody has to refer to it.
_tasks: set[asyncio.Task[None]] = set()


def _later(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


class TornadoRequest(BaseRequest):
    """One request; a handler and its `self.request` share it. The session is `self.request.supertokens`."""

    request: HTTPServerRequest
    how_to_deliver = "setup(app), of supertokens_py.framework.tornado"

    def __init__(self, native: HTTPServerRequest | RequestHandler) -> None:
        super().__init__(getattr(native, "request", native))
        if STARTED in vars(self.request):
            self.finished = True

    @classmethod
    def place(cls, native: Any) -> MutableMapping[str, Any]:
        return cast("dict[str, Any]", getattr(native, "request", native).__dict__)

    def is_delivered(self) -> bool:
        return DELIVERS in vars(self.request)

    def method(self) -> str:
        return self.request.method or ""

    def get_path(self) -> str:
        return _path(self.request)

    def get_header(self, key: str) -> str | None:
        found = self.request.headers.get_list(key)
        return found[0] if found else None

    def cookie_header(self) -> str:
        return "; ".join(self.request.headers.get_list("Cookie"))

    def peer_address(self) -> str | None:
        return self.request.remote_ip

    def get_original_url(self) -> str:
        return self.request.full_url()

    def get_query_params(self) -> dict[str, Any]:
        found = self.request.query_arguments.items()
        return {name: values[-1].decode("utf-8", "replace") for name, values in found}

    async def body(self) -> bytes:
        return self.request.body


register(HTTPServerRequest, TornadoRequest)
register(RequestHandler, TornadoRequest)


def _path(request: HTTPServerRequest) -> str:
    return url_unescape(request.path, plus=False)  # it is as it was sent


def setup(app: Application, base: type[RequestHandler] = RequestHandler) -> None:
    """Install once.

    Args:
        app: the application.
        base: what answers the SDK's routes inherits from this: headers that its `set_default_headers` adds,
            such as those of CORS, are on their responses too, and preflights are answered.
    """
    app.add_transform(_Transform)
    handler: type[Any] = type("SuperTokensHandler", (_SdkHandler, base), {})
    router = app.default_router
    router.rules.insert(0, router.process_rule(Rule(_SdkRoutes(), handler)))


class _SdkRoutes(Matcher):
    """Takes only what will be answered: Tornado's router cannot hand a request on."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        path = _path(request)
        if not is_sdk_path(path):
            return None
        methods = sdk_methods(path)
        return {} if methods and request.method in (*methods, "OPTIONS") else None


class _Transform(OutputTransform):
    """Adds tokens, whichever handler answers: also to error pages, which drop headers, streams and files."""

    def __init__(self, request: HTTPServerRequest) -> None:
        self._request = request
        setattr(request, DELIVERS, True)

    def transform_first_chunk(
        self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
    ) -> tuple[int, HTTPHeaders, bytes]:
        place = vars(self._request)
        place[STARTED] = True
        base = TornadoRequest.forget(self._request)
        lines = None if base is None else deliver_at_once(base, status_code, headers.get_all(), _later)
        if lines is not None:
            headers = HTTPHeaders()
            for name, value in lines:
                headers.add(name, value)
        return status_code, headers, chunk


class SuperTokensMixin:
    """Answers session errors of a handler that no `verify_session` guards; without it they are a bare 500.

    It stands before the handler's other base classes.
    """

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is a mistake."""
        if not isinstance(value, ANSWERED):
            super().log_exception(typ, value, tb)  # type: ignore[misc]

    def send_error(self: Any, status_code: int = 500, **kwargs: Any) -> None:
        """Answer an error; ours once the event loop goes on, as this is no coroutine function."""
        error = kwargs.get("exc_info", (None, None))[1]
        if isinstance(error, ANSWERED) and not self._headers_written:
            _later(self._answer(error, kwargs["exc_info"]))
        else:
            super().send_error(status_code, **kwargs)  # type: ignore[misc]

    async def _answer(self: Any, error: Exception, exc_info: Any) -> None:
        try:
            await _answer(self, error)
        except Exception:
            super().log_exception(*exc_info)  # type: ignore[misc]
            super().send_error(500, exc_info=exc_info)  # type: ignore[misc]


async def _answer(handler: RequestHandler, error: Exception) -> None:
    _write(handler, await answer_error(TornadoRequest.of(handler), error))


def _write(handler: Any, answer: BaseResponse) -> None:
    handler.clear()
    handler.set_status(answer.status_code)
    handler.clear_header("Content-Type")
    for name, value in answer.header_list():
        handler.add_header(name, value)
    handler.finish(answer.body)


class _SdkHandler(SuperTokensMixin):
    def check_xsrf_cookie(self) -> None:
        """Pass: the SDK has a proof of its own."""

    async def prepare(self: Any) -> None:
        if self.request.method == "OPTIONS":
            self.set_header("Allow", ", ".join([*sdk_methods(_path(self.request)), "OPTIONS"]))
            self.set_status(204)
            self.finish()
            return
        # There is one: what nobody answers has not matched.
        _write(self, cast("BaseResponse", await answer_route(TornadoRequest.of(self))))


class verify_session(SessionCheck):  # noqa: N801  # used as a function
    """A decorator that verifies the session first and puts it into `self.request.supertokens`.

    It guards sync and async methods, and answers session errors itself. In a `WebSocketHandler` it stands
    above `prepare`, which runs before the handshake: refusals are then HTTP responses.
    """

    def __call__(self, method: Method) -> Callable[..., Awaitable[None]]:
        """Guard a method of a handler."""
        check = self

        @functools.wraps(method)
        async def call(self: RequestHandler, *args: Any, **kwargs: Any) -> None:
            base = TornadoRequest.of(self)
            base.require_delivery()
            try:
                await check.verify(base)
                result = method(self, *args, **kwargs)
                if inspect.isawaitable(result):
                    await result
            except ANSWERED as error:
                if STARTED in vars(self.request):
                    raise
                await _answer(self, error)

        return call
