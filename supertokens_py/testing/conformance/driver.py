"""What the author of an adapter writes for the suite: how to make an application of its framework."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from .replies import Headers, Reply
from .routes import Route


@dataclass(frozen=True)
class Handshake:
    """What became of a WebSocket: accepted with its first message, or refused by a status or a close code."""

    accepted: bool
    message: str | None = None
    status: int | None = None  #: of the HTTP response that refused it
    code: int | None = None  #: of the close, also of one that followed an acceptance


class Client(Protocol):
    """Sends requests to one application: `AsgiClient`, `WsgiClient`, `SocketClient` or one of your own."""

    def request(
        self, method: str, target: str, headers: Headers, body: bytes = b"", root_path: str = ""
    ) -> Reply:
        """Send one request and return the whole response.

        Args:
            method: upper case.
            target: path and query, percent-encoded.
            headers: in this order; a name may be there twice.
            body: as it is.
            root_path: a mount prefix; only where the framework has such.
        """
        ...

    def handshake(self, target: str, headers: Headers) -> Handshake:
        """Open a WebSocket, wait for its first message or its refusal, and close it."""
        ...

    def close(self) -> None:
        """End what the client started."""
        ...


class Driver(ABC):
    """Makes the suite's application in one framework.

    The suite has the views and says which routes there are (`Route`); the driver adds each to an application
    of its framework, guarded by the adapter's own `verify_session(**route.guard)` where `guard` is not None,
    calls `await route.run(request, session)` or `route.blocking(request, session)` in its handler, and makes
    the framework's response of the `Answer`. Errors are left to the adapter.
    """

    framework: str | None = None  #: what `init` is told
    mode: Literal["asgi", "wsgi"] = "asgi"  #: what `init` is told: "wsgi" for blocking frameworks
    streams: bool = False  #: whether routes with `stream` are wanted
    websockets: bool = False  #: whether routes with `websocket` are wanted
    accepts_first: bool = False  #: whether the framework accepts a WebSocket before it can be refused

    middleware: bool = (
        True  #: False for one test, whose application has everything but the adapter's middleware
    )

    @abstractmethod
    def build(self, routes: Sequence[Route]) -> Client:
        """Return a client for a new application with these routes, and with the adapter's middleware.

        Where `self.middleware` is False the middleware is left out, as by an application that forgot it.
        """

    def close(self) -> None:  # noqa: B027  most have nothing to end
        """Undo what `build` did to the process; the client has been closed."""
