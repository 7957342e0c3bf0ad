"""Channels: sessions of WebSockets.

HTTP requests beside them are Django's, with the middleware of `settings.MIDDLEWARE`.
"""

from __future__ import annotations

from typing import Any

try:
    from channels.middleware import BaseMiddleware
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Channels needs the extra 'channels' (docs/installation.md)", name=_error.name
    ) from _error

from supertokens_py.framework.adapter import SessionCheck, SuperTokensError, are_revocations_watched, lend
from supertokens_py.framework.asgi import AsgiRequest, Connection, close_of
from supertokens_py.framework.watched_sockets import WatchedSocket

from .asgiref_bridge import ASGIREF

__all__ = ["SessionAuthMiddleware"]


class SessionAuthMiddleware(BaseMiddleware):
    """Goes around a consumer, a `URLRouter` or a whole application, with the arguments of `verify_session`.

    The session of a WebSocket is `scope["state"]["supertokens"]`. A handshake is refused before the consumer
    sees it where there is no session, or where cookies come from another website than yours.
    """

    def __init__(self, inner: Any, *args: Any, **options: Any) -> None:
        super().__init__(inner)
        self._application: Any = inner
        self._check = SessionCheck(*args, **options)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        if scope["type"] != "websocket":
            return await self._application(scope, receive, send)
        scope = {**scope, "state": {**scope.get("state", {})}}
        lend(ASGIREF)
        try:
            session = await self._check.verify(AsgiRequest.of(Connection(scope, receive)))
        except SuperTokensError as error:
            refusal = close_of(error)
            if refusal is None:
                raise
            await receive()  # the handshake, which servers want to have been taken note of
            await send({"type": "websocket.close", "code": refusal[0], "reason": refusal[1]})
            return None
        if session is None or not are_revocations_watched():
            return await self._application(scope, receive, send)
        socket = WatchedSocket(receive, send, lambda: session)
        try:
            return await self._application(scope, socket.receive, socket.send)
        finally:
            await socket.end()
