"""The ASGI middleware: answers SDK routes and session errors, adds owed tokens to the app's responses."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supertokens_py.app import Supertokens, request_context
from supertokens_py.bridge import lend
from supertokens_py.delivery import settle
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.response import PERSONAL, BaseResponse, Changes

from .fastapi_request import SCOPE_KEY, FastApiRequest, RequestSlot
from .hooks import ANYIO

T = TypeVar("T")

_PERSONAL: Final = [
    (name.lower().encode(), value.encode()) for name, value in PERSONAL.merged({})
]  #: what a response gets that has no such header yet
_PERSONAL_NAMES: Final = frozenset(name for name, _ in _PERSONAL)


class SuperTokensMiddleware:
    """Pure ASGI; a request that is not the SDK's costs a path comparison and one wrapped `send`."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        lend(ANYIO)
        slot = scope[SCOPE_KEY] = RequestSlot(scope.get("root_path", ""), _answer)
        supertokens = Supertokens.get_instance()
        if supertokens.below_base(scope["path"]) is not None:
            request = FastApiRequest.of(Request(scope, receive))
            answer = await supertokens.handle(request)
            if answer is not None:
                await to_native(answer, request)(scope, receive, send)
                return
        started = False

        async def send_with_changes(message: Message) -> None:
            nonlocal started  # of this one request
            if message["type"] == "http.response.start":
                started = True
                if slot.request is not None:
                    if message["status"] >= 400:
                        await _settle(slot.request, message["status"])
                    message = _with_changes(message, slot.request)
            await send(message)

        try:
            await self.app(scope, receive, send_with_changes)
            if slot.request is not None:
                slot.request.release()
                slot.request = None
        except Exception as error:
            if started:
                raise
            request = FastApiRequest.of(Request(scope, receive))
            try:
                response = await error_response(request, error)
            except Exception:
                await _settle(request, 500)
                raise
            await response(scope, receive, send)


def _without_arguments(make: Callable[[], T]) -> Callable[[], T]:
    """Explain forgotten parentheses, with which Starlette would call the function for a middleware."""

    @functools.wraps(make)
    def call(*arguments: object, **named: object) -> T:
        if arguments or named:
            raise ConfigError(
                "get_middleware has to be called: write app.add_middleware(get_middleware()), "
                "with parentheses"
            )
        return make()

    return call


@_without_arguments
def get_middleware() -> type[SuperTokensMiddleware]:
    """Return the class for `app.add_middleware(...)`; add CORS middleware after it, as the outermost."""
    return SuperTokensMiddleware


async def error_response(request: FastApiRequest, error: Exception) -> Response:
    """Return the response of an error that the SDK answers; others are raised again."""
    supertokens = Supertokens.get_instance()
    answer = await supertokens.handle_supertokens_error(
        request, error, BaseResponse({}), request_context(request)
    )
    return to_native(answer, request)


async def _answer(request: Request, error: Exception) -> Response:
    if request.scope["type"] != "http":
        raise error  # a WebSocket has no response
    return await error_response(FastApiRequest.of(request), error)


async def _settle(request: FastApiRequest, status: int) -> None:
    await settle(Supertokens.get_instance(), request, status, request_context(request))


def to_native(answer: BaseResponse, request: FastApiRequest) -> Response:
    """Return the framework's response, with the changes that the request owes."""
    response = Response(answer.body, status_code=answer.status_code)
    length = [(name, value) for name, value in response.raw_headers if name == b"content-length"]
    changes = request.take_changes()
    request.finished = True
    headers = changes.apply_to(answer.header_list()) if changes else answer.header_list()
    response.raw_headers = length + _encoded(headers)
    return response


def _with_changes(message: Message, request: FastApiRequest) -> Message:
    changes: Changes | None = request.take_changes()
    request.finished = True
    if changes is None:
        return message
    raw = message.get("headers", ())
    if changes is PERSONAL and _PERSONAL_NAMES.isdisjoint(name for name, _ in raw):
        return {**message, "headers": [*raw, *_PERSONAL]}  # nearly every request: nothing is decoded
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]
    return {**message, "headers": _encoded(changes.apply_to(headers))}


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


__all__ = ["SuperTokensMiddleware", "error_response", "get_middleware", "to_native"]
