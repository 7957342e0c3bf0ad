"""The admin page as an ASGI application: its routes, and the headers of every response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supertokens_py.exceptions import BadInputError, ConfigError, EngineUnavailableError
from supertokens_py.framework.response import UNCACHED

from . import operation_pages, session_pages, tenant_pages
from .backends import AppBackend
from .permissions import Authorize, Refused
from .refusals import Refusals
from .session_access import SessionAccess
from .visits import Desk, Page, answer, refused_page

PAGES: Final[Sequence[Page]] = (*session_pages.PAGES, *tenant_pages.PAGES, *operation_pages.PAGES)

_STYLE: Final = Path(__file__).with_name("admin.css").read_bytes()
#: The style sheet has another address once it changes, so that browsers may keep it.
STYLE_ADDRESS: Final = f"admin.css?v={sha256(_STYLE).hexdigest()[:12]}"

#: No more: nobody knows yet who asks.
_AWAY: Final = "The database or the core does not answer. Nothing was changed; try again in a moment."

_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def create_admin(*, authorize: Authorize, writes: bool = False, sign_in: str | None = None) -> ASGIApp:
    """Return the admin page, an ASGI application to mount: `app.mount("/admin", create_admin(...))`.

    Administrators are users of the application: each request needs a session that the database knows
    (`check_database=True`), that nobody else acts in, and that `authorize` accepts. Pages that change
    something ask for an authentication within the last 900 seconds, too: `session.init(step_up=True)` has
    sessions say when that was.

    Args:
        authorize: `(session, action) -> bool`, sync or async; True lets the session do it. `action` is "read"
            for every page, "read_payload" for the payload and the data of sessions, "revoke" to end
            sessions, "rotate_keys" to replace keys.
        writes: whether the page may change anything; without it `authorize` is asked about reading only.
        sign_in: the address of your log-in page, for a link where signing in is what helps.

    Raises:
        ConfigError: `authorize` is no function.
    """
    given: object = authorize
    if not callable(given):
        raise ConfigError("create_admin: authorize must be a function of a session and an action")
    desk = Desk(
        backend=AppBackend(),
        access=SessionAccess(authorize, writes=writes),
        writes=writes,
        sign_in=sign_in,
        refusals=Refusals(),
        style=STYLE_ADDRESS,
    )
    return application(desk)


def application(desk: Desk, *more: Route) -> ASGIApp:
    """Return the application of a desk, with `more` routes."""
    routes = [
        Route(page.path, _endpoint(desk, partial(answer, page, desk)), methods=_methods(page))
        for page in PAGES
    ]
    app = Starlette(
        routes=[*routes, Route("/admin.css", _style), *more],
        exception_handlers={404: _endpoint(desk, _nothing), 405: _endpoint(desk, _nothing)},
    )
    return _WithHeaders(app)


def guarded(
    desk: Desk, respond: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that answers what `respond` refuses with a page."""
    return _endpoint(desk, respond)


def _methods(page: Page) -> list[str]:
    return ["GET", "POST"] if page.submit else ["GET"]


def _endpoint(desk: Desk, respond: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    async def endpoint(request: Request, *_: object) -> Response:
        try:
            return await respond(request)
        except Refused as refused:
            return refused_page(desk, refused)
        except BadInputError as error:
            return refused_page(desk, Refused(400, "That does not exist", str(error)))
        except EngineUnavailableError:
            return refused_page(desk, Refused(503, "Out of reach", _AWAY))

    return endpoint


async def _nothing(request: Request) -> Response:
    raise Refused(404, "No such page", "The address is wrong, or what it asks for is not done this way.")


async def _style(request: Request) -> Response:
    headers = {"cache-control": "private, max-age=86400"}
    return Response(_STYLE, media_type="text/css", headers=headers)


class _WithHeaders:
    """Adds the headers of every response; a class because Starlette calls it with a scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a connection."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                if "css" not in headers.get("content-type", ""):
                    headers["cache-control"] = UNCACHED
            await send(message)

        await self._app(scope, receive, send_with_headers)
