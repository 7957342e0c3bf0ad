"""Starlette's request or WebSocket as a `BaseRequest`, and the responses of errors near the view."""

from __future__ import annotations

from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from supertokens_py.framework.adapter import (
    ANSWERED,
    SuperTokensError,
    SuperTokensSessionError,
    answer_error,
    deliver,
    form_fields,
    register,
)
from supertokens_py.framework.asgi import AsgiRequest


class FastApiRequest(AsgiRequest):
    """One HTTP request or WebSocket; the session is where `request.state` shows it."""

    request: Request
    how_to_deliver = "app.add_middleware(get_middleware()), of supertokens_py.framework.fastapi"

    def __init__(self, request: HTTPConnection) -> None:
        super().__init__(request)
        handlers = self._scope.get("starlette.exception_handlers", (None,))[0]
        if handlers is not None and SuperTokensSessionError not in handlers and self.delivers:
            _answer_near_the_view(handlers)

    def require_delivery(self) -> None:
        # Error responses reach the client through `session_exception_handler`, too, if that is all there is.
        handlers = getattr(self._scope.get("app"), "exception_handlers", {})
        if not self.delivers and not _ours(handlers):
            super().require_delivery()

    def get_original_url(self) -> str:
        return str(self.request.url)

    async def form_data(self) -> dict[str, Any]:
        try:
            return form_fields(await self.body())
        except RuntimeError:  # the route has read the body, as a form of its own
            return dict(await self.request.form())


register(HTTPConnection, FastApiRequest)


async def error_response(request: FastApiRequest, error: Exception) -> Response:
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
    return await error_response(FastApiRequest.of(request), error)


def _answer_near_the_view(handlers: dict[Any, Any]) -> None:
    """Answer the SDK's errors where Starlette answers its own, below every middleware of the application.

    Else a middleware that catches exceptions would make a 500 of each 401. The handlers are those of the
    whole application. Where it has one for our errors, that one stays.
    """
    if _answer not in handlers.values():
        own = _ours(handlers)
        handlers.update((kind, _answer) for kind in ANSWERED if not issubclass(kind, own))


def _ours(handlers: dict[Any, Any]) -> tuple[type[SuperTokensError], ...]:
    return tuple(kind for kind in handlers if isinstance(kind, type) and issubclass(kind, SuperTokensError))
