"""Access to the page of `supertokens admin`: a link that works once, for whoever started the command."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .permissions import READS, WRITES, AdminAction, Refused, Viewer

#: For how long the link works (seconds).
LINK_S = 60
#: For how long the browser that followed it may go on (seconds).
VISIT_S = 3600

_ENTER_AGAIN: Final = "Start `supertokens admin` again and follow the new link."


class LinkAccess:
    """Lets in the browser that followed the link, and nobody else. A class because it keeps what was used.

    Args:
        actor_id: who started the command; named in events.
        port: of the server: cookies of one host are shared by all its ports, so each has a name of its own,
            and a path that only the link tells: a program on another port does not get the cookie.
        writes: whether the page may change anything.
        now_s: a monotonic clock.
    """

    def __init__(
        self, *, actor_id: str, port: int, writes: bool, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._actor_id = actor_id
        self._cookie = f"sAdmin{port}"
        self.place: str = f"/{secrets.token_urlsafe(16)}"  #: the folder of the page
        self._allowed: frozenset[AdminAction] = frozenset((*READS, *WRITES) if writes else READS)
        self._now_s = now_s
        self._token: str | None = secrets.token_urlsafe(32)
        self._token_ends_s = now_s() + LINK_S
        self._visit: str | None = None
        self._visit_ends_s = 0.0

    @property
    def link(self) -> str:
        """The path of the link, with its token; "" once it was followed."""
        return f"{self.place}/enter?token={self._token}" if self._token else ""

    async def enter(self, request: Request) -> Response:
        """Exchange the token of the link for a cookie. It works once.

        Raises:
            Refused: the token is another one, was used, or is too old.
        """
        if request.method != "GET" or "prefetch" in request.headers.get("sec-purpose", ""):
            raise Refused(400, "Not yet", "The link is for a browser that shows the page.")
        given, expected = request.query_params.get("token", ""), self._token
        if expected is None or not _same(given, expected):
            raise Refused(403, "This link does not work", f"It works once. {_ENTER_AGAIN}")
        self._token = None
        if self._now_s() >= self._token_ends_s:
            raise Refused(403, "This link is too old", f"It works for {LINK_S} seconds. {_ENTER_AGAIN}")
        self._visit, self._visit_ends_s = secrets.token_urlsafe(32), self._now_s() + VISIT_S
        response = RedirectResponse("./", status_code=303)
        response.set_cookie(self._cookie, self._visit, path=self.place, httponly=True, samesite="strict")
        return response

    async def viewer(self, request: Request) -> Viewer | Response:
        """Return who started the command, where the browser has the cookie.

        Raises:
            Refused: it does not, or the hour is over.
        """
        given, expected = request.cookies.get(self._cookie, ""), self._visit
        if expected is None or not _same(given, expected) or self._now_s() >= self._visit_ends_s:
            raise Refused(401, "Follow the link", f"This page is for who started it. {_ENTER_AGAIN}")
        return Viewer(
            actor_id=self._actor_id, form_key=expected, allowed=self._allowed, is_fresh=True, handle=None
        )


class OnlyHosts:
    """Answers only requests that name one of some hosts: others come by a name that a stranger's DNS made up.

    Args:
        app: the application.
        hosts: in lower case, with their port.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 421 to requests for other hosts."""
        if scope["type"] == "http" and Headers(scope=scope).get("host", "").lower() not in self._hosts:
            await PlainTextResponse("unknown host\n", status_code=421)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
