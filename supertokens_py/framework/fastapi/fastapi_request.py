"""Starlette's request or WebSocket as a `BaseRequest`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any, TypeAlias, cast

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from supertokens_py.exceptions import SuperTokensError
from supertokens_py.framework.request import BaseRequest, form_fields
from supertokens_py.recipe.session.exceptions import ANSWERED

SCOPE_KEY = "supertokens"


@lru_cache(maxsize=64)
def _asgi_name(header: str) -> bytes:
    return header.lower().encode("latin-1")


ErrorHandler: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]


def answer_near_the_view(scope: MutableMapping[str, Any], answer: ErrorHandler) -> None:
    """Answer the SDK's errors where Starlette answers its own, below every middleware of the application.

    Else a middleware that catches exceptions would make a 500 of each 401. The handlers in the scope are
    those of the whole application. Where it has one for our errors, that one stays.
    """
    handlers: dict[Any, Any] | None = scope.get("starlette.exception_handlers", (None,))[0]
    if handlers is None or answer in handlers.values():
        return
    own = tuple(kind for kind in handlers if isinstance(kind, type) and issubclass(kind, SuperTokensError))
    handlers.update((kind, answer) for kind in ANSWERED if not issubclass(kind, own))


class RequestSlot:
    """Holds the neutral request of one ASGI scope, also for middlewares that work on copies of the scope."""

    __slots__ = ("answer", "request", "root_path")

    def __init__(self, root_path: str | None = None, answer: ErrorHandler | None = None) -> None:
        self.request: FastApiRequest | None = None
        #: where the middleware is mounted that made the slot, and adds the changes to the response
        self.root_path: str | None = root_path
        self.answer: ErrorHandler | None = answer  #: the middleware's handler of the SDK's errors


class FastApiRequest(BaseRequest):
    """One HTTP request or WebSocket."""

    request: HTTPConnection
    how_to_deliver = "app.add_middleware(get_middleware()), of supertokens_py.framework.fastapi"

    def __init__(self, request: HTTPConnection) -> None:
        scope = request.scope
        slot: RequestSlot | None = scope.get(SCOPE_KEY)
        if slot is None:
            slot = scope[SCOPE_KEY] = RequestSlot()
        if slot.request is not None:
            self.share(slot.request)
            return
        super().__init__(request)
        slot.request = self
        self._scope = scope
        self.finished: bool = scope["type"] == "websocket"  # it has no response to add anything to
        self.delivers: bool = slot.root_path is not None or self.finished
        if slot.answer is not None:
            answer_near_the_view(scope, slot.answer)

    @classmethod
    def of(cls, native: HTTPConnection) -> FastApiRequest:
        """Return the one neutral request of a connection."""
        slot: RequestSlot | None = native.scope.get(SCOPE_KEY)
        return cls(native) if slot is None or slot.request is None else slot.request

    def require_delivery(self) -> None:
        # Error responses reach the client through `session_exception_handler`, too, if that is all there is.
        if not self.delivers and not _answers_errors(self._scope.get("app")):
            super().require_delivery()

    def method(self) -> str:
        return self._scope.get("method", "GET")  # a WebSocket starts as a GET

    def is_websocket(self) -> bool:
        return self._scope["type"] == "websocket"

    def get_path(self) -> str:
        return self._scope["path"]

    def mount_path(self) -> str:
        return (self._scope[SCOPE_KEY].root_path or "").rstrip("/")

    def get_header(self, key: str) -> str | None:
        wanted = _asgi_name(key)
        for name, value in self._scope["headers"]:
            if name == wanted:
                return value.decode("latin-1")
        return None

    def cookie_header(self) -> str:
        lines = [value.decode("latin-1") for name, value in self._scope["headers"] if name == b"cookie"]
        return "; ".join(lines)

    def get_original_url(self) -> str:
        return str(self.request.url)

    def get_query_params(self) -> dict[str, Any]:
        return dict(self.request.query_params)

    async def json(self) -> Any:
        try:
            return await cast("Request", self.request).json()
        except (ValueError, RecursionError, AttributeError):
            return {}

    async def form_data(self) -> dict[str, Any]:
        request = cast("Request", self.request)
        try:
            return form_fields(await request.body())
        except RuntimeError:  # the route has read the body, as a form of its own
            return dict(await request.form())

    def _keep_session(self, session: Any) -> None:
        # What `request.state` shows; making that object would cost more than everything else here.
        self._scope.setdefault("state", {})["supertokens"] = session


def _answers_errors(app: Any) -> bool:
    """Tell whether an application has an exception handler for our errors."""
    kinds = [kind for kind in getattr(app, "exception_handlers", {}) if isinstance(kind, type)]
    return any(issubclass(kind, SuperTokensError) for kind in kinds)
