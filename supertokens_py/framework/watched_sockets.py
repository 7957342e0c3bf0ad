"""ASGI WebSockets that are closed once their session is revoked (`session.init(instant_revocation=...)`)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from .adapter import SessionContainer, closing_reason, impersonation_seconds_left, on_revoked

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

POLICY_VIOLATION = 1008


class WatchedSocket:
    """`receive` and `send` of one WebSocket, for the application; made under its event loop.

    Once the session is revoked the client is sent a close, and the application is told that the client has
    disconnected: `receive` says so, and `send` raises `ConnectionError` as servers do. The socket of an
    impersonation is closed with its access token, which ends when the impersonation does or earlier.

    Args:
        session: returns the session of the socket; None while it has not been verified.
    """

    def __init__(self, receive: Receive, send: Send, session: Callable[[], SessionContainer | None]) -> None:
        self._receive = receive
        self._send = send
        self._session = session
        self._timer: asyncio.TimerHandle | None = None
        self._unwatch: Callable[[], None] | None = None
        self._pending: asyncio.Future[Message] | None = None
        self._revoked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._closing: asyncio.Future[None] | None = None

    async def receive(self) -> Message:
        """Return the next message of the client."""
        self._watch()
        if self._pending is None:
            self._pending = asyncio.ensure_future(self._receive())
        pending = self._pending
        await asyncio.wait((pending, self._revoked), return_when=asyncio.FIRST_COMPLETED)
        if self._revoked.done():
            reason = self._revoked.result()
            return {"type": "websocket.disconnect", "code": POLICY_VIOLATION, "reason": reason}
        self._pending = None
        return pending.result()

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        if self._revoked.done():
            raise ConnectionError("the session of this WebSocket was revoked")
        await self._send(message)
        self._watch()

    async def end(self) -> None:
        """Leave nothing behind: the application is done."""
        if self._unwatch is not None:
            self._unwatch()
        if self._timer is not None:
            self._timer.cancel()
        if self._closing is not None:
            with contextlib.suppress(Exception):  # the client is gone already
                await self._closing
        if self._pending is not None:
            self._pending.cancel()

    def _watch(self) -> None:
        if self._unwatch is None and (session := self._session()) is not None:
            self._unwatch = on_revoked(session, self._close)
            if (left_s := impersonation_seconds_left(session)) is not None:
                self._timer = asyncio.get_running_loop().call_later(left_s, self._close)

    def _close(self) -> None:
        if not self._revoked.done():
            reason = closing_reason()
            self._revoked.set_result(reason)
            message = {"type": "websocket.close", "code": POLICY_VIOLATION, "reason": reason}
            self._closing = asyncio.ensure_future(self._send(message))
