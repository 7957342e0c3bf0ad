"""Starlette's request or WebSocket as a `BaseRequest`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from starlette.requests import HTTPConnection, Request

from supertokens_py.exceptions import SuperTokensError
from supertokens_py.framework.request import BaseRequest, form_fields

SCOPE_KEY = "supertokens"


@lru_cache(maxsize=64)
def _asgi_name(header: str) -> bytes:
    return header.lower().encode("latin-1")


class RequestSlot:
    """Holds the neutral request of one ASGI scope, also for middlewares that work on copies of the scope."""

    __slots__ = ("request", "root_path")

    def __init__(self, root_path: str | None = None) -> None:
        self.request: FastApiRequest | None = None
        #: where the middleware is mounted that made the slot, and adds the changes to the response
        self.root_path: str | None = root_path


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
