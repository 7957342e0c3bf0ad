"""Plain ASGI: the middleware, and the neutral request of anything that has a `scope`."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, MutableMapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, ClassVar, Final, Self, TypeAlias
from urllib.parse import parse_qsl, quote

from .adapter import (
    PERSONAL,
    AppBridge,
    BaseRequest,
    BaseResponse,
    EngineUnavailableError,
    SuperTokensSessionError,
    answer_error,
    answer_route,
    are_revocations_watched,
    deliver,
    is_sdk_path,
    lend,
    refusal_reason,
    register,
    settle,
)
from .bodies import asgi_chunks, gather
from .request import KEY
from .swallowed import handled_error, headers_to_keep, is_swallowed
from .watched_sockets import WatchedSocket

__all__ = [
    "AsgiRequest",
    "Connection",
    "SuperTokensMiddleware",
    "close_of",
    "send_answer",
]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

#: In a scope: what belongs to the request, also for middlewares with copies of the scope.
SLOT = "supertokens"
ROOT_PATH = "root_path"  #: in the slot: where the middleware is mounted that made it and adds the changes

#: What a response gets that has no such header yet.
_PERSONAL: Final = [(name.lower().encode(), value.encode()) for name, value in PERSONAL.merged({})]
_PERSONAL_NAMES: Final = frozenset(name for name, _ in _PERSONAL)


@lru_cache(maxsize=64)
def _wire_name(header: str) -> bytes:
    return header.lower().encode("latin-1")


class Connection:
    """An ASGI connection, for applications that have no request object of a framework."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self._body: bytes | None = None

    async def body(self) -> bytes:
        """Return the whole body; nobody else may receive it."""
        if self._body is None:
            self._body = await gather(asgi_chunks(self.receive), None)
        return self._body


class AsgiRequest(BaseRequest):
    """One HTTP request or WebSocket. `request` has the `scope`, and a `body()` to await.

    The session is put into `scope["state"]["supertokens"]`.
    """

    how_to_deliver = "SuperTokensMiddleware(app), of supertokens_py.framework.asgi"
    _own_body: bytes | None = None
    caching_forbidden: bool = False  #: for a framework's own cache: it may not keep the response

    def __init__(self, request: Any) -> None:
        # As `BaseRequest` does it, with two calls less: this is on the way of every request.
        scope: Scope = request.scope
        slot: dict[str, Any] | None = scope.get(SLOT)
        if slot is None:
            slot = scope[SLOT] = {}
        elif KEY in slot:
            self.share(slot[KEY])
            return
        self.request = request
        self._scope = scope
        slot[KEY] = self
        if scope["type"] == "websocket":
            self.finished = True  # it has no response to add anything to
        elif ROOT_PATH not in slot and not self.is_delivered():
            self.delivers = False

    @classmethod
    def of(cls, native: Any) -> Self:
        slot: dict[str, Any] | None = native.scope.get(SLOT)  # `super` would do, with two calls more
        known: Self | None = None if slot is None else slot.get(KEY)
        return cls(native) if known is None else known

    @classmethod
    def place(cls, native: Any) -> MutableMapping[str, Any]:
        return native.scope.setdefault(SLOT, {})

    def is_delivered(self) -> bool:
        return ROOT_PATH in self._scope[SLOT]

    def method(self) -> str:
        return self._scope.get("method", "GET")  # a WebSocket starts as a GET

    def is_websocket(self) -> bool:
        return self._scope["type"] == "websocket"

    def get_path(self) -> str:
        return self._scope["path"]

    def mount_path(self) -> str:
        return self._scope[SLOT].get(ROOT_PATH, "").rstrip("/")

    def get_header(self, key: str) -> str | None:
        wanted = _wire_name(key)
        for name, value in self._scope["headers"]:
            if name == wanted:
                return value.decode("latin-1")
        return None

    def cookie_header(self) -> str:
        lines = [value.decode("latin-1") for name, value in self._scope["headers"] if name == b"cookie"]
        return "; ".join(lines)

    def peer_address(self) -> str | None:
        client = self._scope.get("client")
        return client[0] if client else None

    def get_original_url(self) -> str:
        scope = self._scope
        host = self.get_header("host") or ":".join(map(str, scope.get("server") or ("localhost",)))
        query = scope.get("query_string", b"").decode("latin-1")
        return f"{scope.get('scheme', 'http')}://{host}{quote(self.get_path())}{'?' if query else ''}{query}"

    def get_query_params(self) -> dict[str, Any]:
        query = self._scope.get("query_string", b"").decode("latin-1")
        return dict(parse_qsl(query, keep_blank_values=True))

    async def body(self) -> bytes:
        if self.is_websocket():
            return b""
        is_own = self.max_body is not None and hasattr(self.request, "receive")
        return await (self.own_body() if is_own else self.request.body())

    async def own_body(self) -> bytes:
        """Return the body of a request that is the SDK's to answer, at most `max_body` of it."""
        if self._own_body is None:  # and not as the framework reads it, which may know no limit
            self._own_body = await gather(self.own_chunks(), self.max_body)
            self.leave_body(self.request)
        return self._own_body

    def own_chunks(self) -> AsyncIterable[bytes]:
        """Return the body of such a request as it comes in."""
        return asgi_chunks(self.request.receive)

    def leave_body(self, native: Any) -> None:
        """Leave what has been read where the framework's request keeps its body.

        An override of the application may read it from there; reading the stream again would block.
        """
        if isinstance(native, Connection):
            native._body = self._own_body  # pyright: ignore[reportPrivateUsage]

    def forbid_caching(self) -> None:
        self.caching_forbidden = True

    def keep_session(self, session: Any) -> None:
        self._scope.setdefault("state", {})["supertokens"] = session


register(Connection, AsgiRequest)


class SuperTokensMiddleware:
    """Answers SDK routes and errors, and adds tokens to the responses of the application.

    A request that is not the SDK's costs a path comparison and one wrapped `send`. Frameworks on ASGI say
    in a subclass how their requests are made, and which bridge runs application code of the other kind.
    """

    request_class: ClassVar[type[AsgiRequest]] = AsgiRequest
    native: ClassVar[type[Any]] = Connection  #: the framework's request, made of scope and receive
    bridge: ClassVar[AppBridge | None] = None
    layers: ClassVar[
        tuple[str, ...]
    ] = ()  #: the framework's modules between views and here, see `is_swallowed`
    path_of: ClassVar[Any] = itemgetter("path")  #: of a scope: the path as the browser sees it

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (bridge := self.bridge) is not None:
            lend(bridge)
        if scope["type"] != "http":
            await self._run_other(scope, receive, send)
            return
        slot: dict[str, Any] = {ROOT_PATH: scope.get("root_path", "")}
        scope[SLOT] = slot
        if is_sdk_path(self.path_of(scope)) and await self._answered_route(scope, receive, send):
            return
        started = False
        sink = send

        async def send_with_changes(message: Message) -> None:
            nonlocal started, sink  # of this one request
            if message["type"] == "http.response.start":
                started = True
                if message["status"] >= 500:
                    sink = await self._after_failure(message, slot.get(KEY), scope, receive, send)
                if KEY in slot:
                    # Not in a variable: error trackers would send its tokens when the client is gone.
                    await sink(await _with_changes(message, slot[KEY]))
                    return
            await sink(message)

        try:
            await self.app(scope, receive, send_with_changes)
            slot.pop(KEY, None)  # it leads to the scope and back here; avoids a reference cycle
        except Exception as error:
            await self._answer_error(error, scope, receive, None if started else send)

    async def _run_other(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket" or not are_revocations_watched():
            await self.app(scope, receive, send)
            return
        slot: dict[str, Any] = {}  # shared with the copies of the scope that frameworks make
        scope[SLOT] = slot
        socket = WatchedSocket(receive, send, lambda: slot[KEY].get_session() if KEY in slot else None)
        try:
            await self.app(scope, socket.receive, socket.send)
        finally:
            await socket.end()

    async def _answered_route(self, scope: Scope, receive: Receive, send: Send) -> bool:
        request = self.request_class.of(self.native(scope, receive))
        answer = await answer_route(request)
        if answer is None:
            return False
        await send_answer(answer, request, send)
        return True

    async def _after_failure(
        self, message: Message, known: AsgiRequest | None, scope: Scope, receive: Receive, send: Send
    ) -> Send:
        """Answer a session error of which somebody between here and the view has made a server error.

        Returns:
            what sends the rest of that server error: nothing, if it is answered.
        """
        error = self.swallowed_error(known)
        if error is None:
            return send
        request = known or self.request_class.of(self.native(scope, receive))
        kept = headers_to_keep(_decoded(message.get("headers", ())))
        await send_answer(await answer_error(request, error), request, send, also=kept)
        return _drop

    def swallowed_error(self, request: AsgiRequest | None) -> Exception | None:
        """Return the error of the SDK that somebody makes a server error of right now, if it is one.

        Args:
            request: the request, if the SDK knows of it.
        """
        if not self.layers:  # nobody can tell a layer from a view, but who still handles an error
            return handled_error()
        error = None if request is None else request.session_error
        if request is None or error is None or not is_swallowed(error, self.layers, self.view_of(request)):
            return None
        return error

    def view_of(self, request: AsgiRequest) -> Any:
        """Return the view that a request was for, if the framework says so."""

    async def _answer_error(
        self, error: Exception, scope: Scope, receive: Receive, send: Send | None
    ) -> None:
        if send is None:  # the response has started: the error is for the server to log
            raise error
        request = self.request_class.of(self.native(scope, receive))
        await send_answer(await answer_error(request, error), request, send)


async def _drop(message: Message) -> None:
    """Send nothing."""


def close_of(error: Exception) -> tuple[int, str] | None:
    """Return code and reason of the close that refuses a WebSocket; None: the error is no refusal.

    Call it once per refusal, which it emits as an event. The reason is what a response would say as well:
    with `init(debug=True)` the code of the error.
    """
    if isinstance(error, SuperTokensSessionError):
        return 1008, refusal_reason(error)  # policy violation; a reason may have 123 bytes
    if isinstance(error, EngineUnavailableError):
        return 1013, "the session store cannot be reached"  # try again later
    return None


async def send_answer(
    answer: BaseResponse, request: AsgiRequest, send: Send, *, also: Iterable[tuple[str, str]] = ()
) -> None:
    """Send a response of the SDK's, with further headers, for frameworks whose hooks cannot return one."""
    await send(await _start_of(answer, request, also))
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})


async def _start_of(answer: BaseResponse, request: AsgiRequest, also: Iterable[tuple[str, str]]) -> Message:
    lines = [("content-length", str(len(answer.body))), *answer.header_list(), *also]
    headers = _encoded(await deliver(request, answer.status_code, lines) or lines)
    return {"type": "http.response.start", "status": answer.status_code, "headers": headers}


async def _with_changes(message: Message, request: AsgiRequest) -> Message:
    if request.must_withdraw(message["status"]):
        await settle(request, message["status"])
    changes = request.finish()
    if changes is None:
        return message
    raw = message.get("headers", ())
    if changes is PERSONAL and _PERSONAL_NAMES.isdisjoint(name for name, _ in raw):
        return {**message, "headers": [*raw, *_PERSONAL]}  # nearly every request: nothing is decoded
    return {**message, "headers": _encoded(changes.apply_to(_decoded(raw)))}


def _decoded(raw: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw]


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
